"""Memory of every question at a million rows: how far the peak lies above what was there before it was asked.

    python benchmarks/questions_memory.py [--quick]

Each question has a process of its own, in which the weights are loaded and the columns exist when it starts.
Few surrogates and lags: they are worked off one after another, so their number changes no peak.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import Row, Rows, peak_mib, print_table

import mizzle

ROWS, QUICK = 1_000_000, 100_000
BOUND_MIB = 300.0  # above the start
SEED = 2
Columns = NDArray[np.float64]  # three, shape (3, n)
QUESTIONS: dict[str, Callable[[Columns], object]] = {
    "estimate": lambda c: mizzle.estimate(c[0], c[1]),
    "test, shuffle": lambda c: mizzle.test(c[0], c[1], n=19, progress=False),
    "test, shift": lambda c: mizzle.test(c[0], c[1], kind="shift", n=19, progress=False),
    "test, block": lambda c: mizzle.test(c[0], c[1], kind="block", n=19, progress=False),
    "given": lambda c: mizzle.estimate(c[0], c[1], given=c[2]),
    "lagged": lambda c: mizzle.lagged(c[0], c[1], lags=range(-1, 2), progress=False),
    "lagged, history": lambda c: mizzle.lagged(c[0], c[1], lags=(1,), history=1, progress=False),
    "difference": lambda c: mizzle.difference((c[0], c[2]), (c[1], c[2]), progress=False),
    "check": lambda c: mizzle.check(c[0], c[1], progress=False),
    "matrix, pvalues": lambda c: mizzle.matrix(c.T, pvalues=19, progress=False),
}


def measured(quick: bool = False) -> Rows:
    """A row for each question: MiB at its start and above it at the peak, and seconds."""
    return [_in_a_process(name, QUICK if quick else ROWS) for name in QUESTIONS]


def _in_a_process(name: str, n: int) -> Row:
    """In a fresh one, so that no other question's peak counts."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, name, n).result()


def _measure(name: str, n: int) -> Row:
    columns = _columns(n)
    mizzle.estimate(columns[0, :100], columns[1, :100])  # loads the weights
    mizzle.estimate(columns[0, :100], columns[1, :100], given=columns[2, :100])
    before, start = _resident_mib(), time.perf_counter()
    QUESTIONS[name](columns)
    seconds = time.perf_counter() - start
    above = peak_mib() - before
    row: dict[str, Any] = {"question": name, "rows": n, "start_mib": before, "above_mib": above}
    return {**row, "holds": above <= BOUND_MIB, "seconds": seconds}


def _columns(n: int) -> Columns:
    """Three normals that share a cause, column by column, so that making them leaves no higher peak."""
    rng = np.random.default_rng(SEED)
    columns = np.empty((3, n))
    for column in columns:
        rng.standard_normal(out=column)
    columns[1:] += 0.5 * columns[0]
    return columns


def _resident_mib() -> float:
    """Memory that this process has now; its peak where the system does not say."""
    try:
        with open("/proc/self/status") as file:
            [line] = [line for line in file if line.startswith("VmRSS")]
        return int(line.split()[1]) / 2**10
    except OSError:
        return peak_mib()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} rows, not {ROWS:,}")
    options = parser.parse_args()
    print_table("memory", measured(options.quick))


if __name__ == "__main__":
    main()
