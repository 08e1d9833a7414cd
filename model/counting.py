"""Entropy and mutual information of discrete samples by counting, where the table is well filled."""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.model.quantiles import LEVELS

_FILLED = 3  # rows for every cell of the table of x against y, from which on its counts are trusted
_NORMAL = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
UNBOUNDED = np.full(len(LEVELS), math.inf)

Integers = NDArray[np.int64]
Doubles = NDArray[np.float64]


class Counted(NamedTuple):
    """A number of nats by counting.

    Attributes:
        value: the plug-in estimate with Miller and Madow's (1955) correction.
        error: its standard error, to second order: of a uniform distribution the first vanishes.
        bound: what it cannot exceed, whatever the counts.
    """

    value: float
    error: float
    bound: float

    def quantiles(self) -> Doubles:
        """Quantiles at `LEVELS` of a normal distribution of this error, within 0 and the bound."""
        return (self.value + self.error * _NORMAL).clip(0.0, self.bound)


def entropy(labels: Integers) -> Counted:
    """Entropy in nats of the distribution that n labels 0, 1, .. were drawn from."""
    counts = _positive(np.bincount(labels))
    return _counted(-np.log(counts / len(labels)), counts, len(counts) - 1, math.log(len(counts)), sign=1)


def information(x: Integers, y: Integers) -> Counted | None:
    """Mutual information in nats of labels 0, 1, ..; None where their table has too few rows to a cell."""
    of_x, of_y = np.bincount(x), np.bincount(y)
    levels = [len(_positive(counts)) for counts in (of_x, of_y)]
    if _FILLED * math.prod(levels) > len(x):
        return None
    table = np.bincount(x * len(of_y) + y)
    cells, counts = np.flatnonzero(table), _positive(table)
    expected = of_x[cells // len(of_y)] / len(x) * of_y[cells % len(of_y)]
    freedom = len(cells) - sum(levels) + 1
    return _counted(np.log(counts / expected), counts, freedom, math.log(min(levels)), sign=-1)


def _positive(counts: Integers) -> Integers:
    return counts[counts > 0]


def _counted(nats: Doubles, counts: Integers, freedom: int, bound: float, sign: int) -> Counted:
    """The mean of `nats` over rows, of which `counts` have each; its bias is -sign * freedom / 2n."""
    n = int(counts.sum())
    mean = float(counts @ nats) / n
    variance = float(counts @ (nats - mean) ** 2) / n**2 + max(freedom, 0) / (2 * n**2)
    return Counted(mean + sign * freedom / (2 * n), math.sqrt(variance), bound)
