"""Warm-up: run known problems of several sizes, and learn what a batch takes.

A batch may take some forty milliseconds, so that nobody waits much longer for a place in the next one.
"""

import time
from typing import Any, NamedTuple

import numpy as np

from mizzle import cost
from mizzle.estimator import EstimatorLike
from mizzle.service.inference.throughput import Throughput

_BATCH_SECONDS = 0.04
_SMALL = (200, 2, 2, 32)  # n, dx, dy, problems
_SHAPES = (_SMALL, (1000, 8, 8, 4), (4000, 32, 32, 1))
_MAX_REPETITION = 16  # times as many problems, at most
_REPEATS = 3


class Measured(NamedTuple):
    """What the warm-up found.

    Attributes:
        cells_per_second: beyond the overhead.
        overhead: seconds that even the smallest batch takes; on a CPU a few, on another device most of it.
        batch_cells: that a batch may hold.
    """

    cells_per_second: float
    overhead: float
    batch_cells: int


def measured(estimator: EstimatorLike) -> Measured:
    """Run every shape; the smallest of the measured speeds counts."""
    overhead = _overhead(estimator, _problems(estimator, _SMALL))
    speed = min(_speed(estimator, shape, overhead) for shape in _SHAPES)
    return Measured(speed, overhead, Throughput(speed, overhead).cells(_BATCH_SECONDS))


def _overhead(estimator: EstimatorLike, tables: list[Any]) -> float:
    """What one problem takes, less what each further one adds."""
    _seconds(estimator, tables)  # the first run of all is slow
    first, together = (
        min(_seconds(estimator, batch) for _ in range(_REPEATS)) for batch in (tables[:1], tables)
    )
    return max(first - (together - first) / (len(tables) - 1), 0.0)


def _speed(estimator: EstimatorLike, shape: tuple[int, int, int, int], overhead: float) -> float:
    """In cells a second, of a batch that takes as long as one may: a device is slow on few problems."""
    tables, limit = _problems(estimator, shape), _MAX_REPETITION * shape[-1]
    while (seconds := _seconds(estimator, tables)) < _BATCH_SECONDS and len(tables) < limit:
        tables *= 2
    cells = len(tables) * cost.size(*shape[:3]).cells
    return cells / max(seconds - overhead, seconds / 2, 1e-6)


def _problems(estimator: EstimatorLike, shape: tuple[int, int, int, int]) -> list[Any]:
    n, dim_x, dim_y, count = shape
    rng = np.random.default_rng(n)
    return [estimator.prepare(rng.standard_normal((n, dim_x)), rng.standard_normal((n, dim_y)))] * count


def _seconds(estimator: EstimatorLike, tables: list[Any]) -> float:
    start = time.perf_counter()
    estimator.run(tables)
    return time.perf_counter() - start
