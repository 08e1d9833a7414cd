"""Warm-up: run known problems of several sizes, and learn how many cells a second come out.

A batch may take some forty milliseconds, so that nobody waits much longer for a place in the next one.
"""

import time
from typing import NamedTuple

import numpy as np

from mizzle import cost
from mizzle.estimator import EstimatorLike

_BATCH_SECONDS = 0.04
_MOST = 16  # times as many problems as below, at most
_SHAPES = ((200, 2, 2, 32), (200, 2, 2, 32), (1000, 8, 8, 4), (4000, 32, 32, 1))  # n, dx, dy, problems


class Measured(NamedTuple):
    """Cells a second, and the cells that a batch may hold."""

    cells_per_second: float
    batch_cells: int


def measured(estimator: EstimatorLike) -> Measured:
    """Run every shape; the smallest of the measured speeds counts."""
    speeds = [_speed(estimator, *shape) for shape in _SHAPES][1:]
    speed = min(speeds)
    return Measured(speed, max(1, int(_BATCH_SECONDS * speed)))


def _speed(estimator: EstimatorLike, n: int, dim_x: int, dim_y: int, count: int) -> float:
    """In cells a second, of a batch that takes as long as one may: a device is slow on few problems."""
    rng = np.random.default_rng(n)
    draws = (rng.standard_normal((n, dim_x)), rng.standard_normal((n, dim_y)))
    tables = [estimator.prepare(*draws)] * count
    cells = cost.size(n, dim_x, dim_y).cells
    while True:
        start = time.perf_counter()
        estimator.run(tables)
        seconds = max(time.perf_counter() - start, 1e-6)
        if seconds >= _BATCH_SECONDS or len(tables) >= _MOST * count:
            return len(tables) * cells / seconds
        tables *= 2
