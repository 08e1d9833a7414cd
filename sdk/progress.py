"""How far long work has come: a bar on the terminal, or a function of the caller's."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Wanted = bool | Callable[[int, int], object] | None
_SECONDS = 2.0  # shorter work shows no bar unless it was asked for


@contextmanager
def track(wanted: Wanted, total: int, unit: str = "pair") -> Iterator[Callable[[int], object]]:
    """A function that takes how many more are done, as long as the context lasts.

    Args:
        wanted: None for a bar on stderr where that is a terminal and the work takes longer than two seconds;
            True or False; or a function of (done, total).
        unit: what is counted.
    """
    if callable(wanted):
        yield _counted(wanted, total)
    elif wanted or (wanted is None and sys.stderr is not None and sys.stderr.isatty()):
        from tqdm import tqdm

        with tqdm(total=total, unit=unit, delay=0.0 if wanted else _SECONDS) as bar:
            yield bar.update
    else:
        yield lambda count: None


def _counted(report: Callable[[int, int], object], total: int) -> Callable[[int], None]:
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        report(done, total)

    return add
