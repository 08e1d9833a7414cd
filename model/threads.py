"""One thread to an operation of torch, for the thread that answers and for no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread

import torch

_lock = Lock()


def use_single_thread() -> int:
    """Compute operations of the calling thread on it alone from now on.

    `torch.set_num_threads` sets two numbers: how many threads OpenMP and MKL use for the operations that the
    calling thread starts, and how many they will use for threads that have not used torch yet. The second
    belongs to whoever embeds this package, so a short-lived thread puts it back at once.

    Returns:
        how many the calling thread had before.
    """
    with _lock:
        before = torch.get_num_threads()
        if before > 1:
            torch.set_num_threads(1)
            other = Thread(target=torch.set_num_threads, args=(before,), name="mizzle-threads")
            other.start()
            other.join()
    return before


@contextmanager
def single_thread() -> Iterator[None]:
    """Compute operations of the calling thread on it alone, until the end of the context."""
    before = use_single_thread()
    try:
        yield
    finally:
        if before > 1:
            torch.set_num_threads(before)
