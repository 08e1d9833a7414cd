"""Processes of this machine: each a pool of one, so that one that is killed costs its own task alone."""

import multiprocessing
import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mizzle.errors import ExecutorFailed
from mizzle.executors import worker
from mizzle.executors.sharing import Mapped
from mizzle.machine import cores
from mizzle.version import __version__

_TRIES = 3  # of a task under which a process died
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Processes:
    """As many processes as there are cores, or fewer.

    Args:
        shared: what all tasks need.
    """

    def __init__(self, shared: Mapped, count: int | None = None) -> None:
        self._shared = shared
        self._context = multiprocessing.get_context("spawn")
        self._leash = self._context.Pipe(duplex=False)
        self._count = count or cores()
        self._pools: list[ProcessPoolExecutor] = []

    def run(self, work: worker.Work, tasks: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Results with the numbers of their tasks, as they become ready.

        Raises:
            MizzleError: a task failed, or processes die of one again and again.
        """
        todo, died = iter(enumerate(tasks)), Counter[int]()
        running: dict[Future[Any], tuple[int, Any, ProcessPoolExecutor]] = {}

        def begin(pool: ProcessPoolExecutor, k: int, task: Any) -> None:
            with interrupts_wait():
                future = pool.submit(worker.call, work, __version__, self._shared, task)
            running[future] = k, task, pool

        for pool in islice(self._all_pools(), self._count):
            if (item := next(todo, None)) is None:
                break
            begin(pool, *item)
        while running:
            ready, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ready:
                k, task, pool = running.pop(future)
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    died[k] += 1
                    begin(self._replaced(pool, died[k]), k, task)
                    continue
                if error is not None:
                    raise worker.failure(error, "this machine") from error
                if (item := next(todo, None)) is not None:  # at once: the caller may take its time
                    begin(pool, *item)
                yield k, future.result()

    def close(self) -> None:
        """End all processes, whatever they do."""
        for end in self._leash:
            end.close()
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def _all_pools(self) -> Iterator[ProcessPoolExecutor]:
        """Those that there are, then new ones."""
        yield from list(self._pools)
        while True:
            yield self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        own = self._leash[0], self._shared.path
        pool = ProcessPoolExecutor(1, self._context, start, own)
        self._pools.append(pool)
        return pool

    def _replaced(self, pool: ProcessPoolExecutor, times: int) -> ProcessPoolExecutor:
        if times >= _TRIES:
            text = (
                f"{times} processes died of one task, perhaps for lack of memory; or none can start: a script"
            )
            raise ExecutorFailed(f"{text} needs its work below if __name__ == '__main__'")
        self._pools.remove(pool)
        pool.shutdown(wait=False)
        return self._new_pool()


def start(leash: Connection, path: str) -> None:
    """What a new process does first: one thread each, and an end as soon as its parent lets go of it."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    threading.Thread(target=_end_with_parent, args=(leash, path), daemon=True).start()


def _end_with_parent(leash: Connection, path: str) -> None:
    """A killed parent cannot say goodbye, nor clear away what was shared."""
    try:
        leash.recv()
    except EOFError:
        shutil.rmtree(Path(path).parent, ignore_errors=True)
    os._exit(1)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Ctrl-C reaches the whole group: this process sees it on leaving here, those started in here never."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
