"""Two labels: what the counts of their table say of I(X;Y), in nats.

Axes: `c` cells of the table that have rows. Counts alone enter, so that names and the order of rows do not.
"""

from typing import NamedTuple

import numpy as np

from mizzle.model.labels.summary import Doubles, Integers, Summary, positive, scaled

_MEANS = np.concatenate([[1e-9], np.geomspace(1e-4, 1e3, 200)])


class Counts(NamedTuple):
    """A table: counts of the cells that have rows, with the counts of their row and column, shape (c,) each.

    Attributes:
        of_x, of_y: the counts of all levels, those without rows left out.
    """

    cells: Integers
    in_x: Integers
    in_y: Integers
    of_x: Integers
    of_y: Integers

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.of_x.sum())

    @property
    def pointwise(self) -> Doubles:
        """log(p_xy / (p_x p_y)) of every cell, of the observed shares."""
        return np.log(self.cells * self.n / (self.in_x * self.in_y.astype(np.float64)))


def count(x: Integers, y: Integers) -> Counts:
    """The table of labels 0, 1, .. of n rows each."""
    of_x, of_y = np.bincount(x), np.bincount(y)
    width = len(of_y)
    table = np.bincount(x * width + y, minlength=len(of_x) * width)
    filled = np.flatnonzero(table)
    return Counts(table[filled], of_x[filled // width], of_y[filled % width], positive(of_x), positive(of_y))


def plug_in(counts: Counts) -> tuple[float, float]:
    """I of the observed shares, and the variance of one row's part in it."""
    shares, nats = counts.cells / counts.n, counts.pointwise
    mean = float(shares @ nats)
    return mean, float(shares @ (nats - mean) ** 2)


def expected_by_chance(counts: Counts) -> float:
    """What the plug-in estimate would be on average if X and Y were independent, in nats.

    Each cell is taken as Poisson of mean m = n p_x p_y: E[c log(c / m)], summed over all cells (compare the
    adjustment of Vinh, Epps and Bailey 2010).
    """
    values_x, times_x = np.unique(counts.of_x, return_counts=True)
    values_y, times_y = np.unique(counts.of_y, return_counts=True)
    means = np.multiply.outer(values_x, values_y / counts.n)
    excess = np.interp(np.log(np.maximum(means, 1e-9)), _LOG_MEANS, _EXCESS)
    return float(times_x @ excess @ times_y) / counts.n


def jackknife(counts: Counts) -> float:
    """n I - (n - 1) times the mean I without one row, of plug-in estimates (Efron and Stein 1981)."""
    n = counts.n
    whole = (
        _xlogx(counts.cells).sum()
        - _xlogx(counts.of_x).sum()
        - _xlogx(counts.of_y).sum()
        + _xlogx(np.array([n]))[0]
    )
    change = _step(counts.cells) - _step(counts.in_x) - _step(counts.in_y) + _step(np.array([n]))[0]
    without = (whole - change) / (n - 1)
    return float(whole - (n - 1) * (counts.cells @ without) / n)


def covered(counts: Integers, n: int) -> float:
    """Entropy by Chao and Shen (2003): shares shrunk to the coverage, cells weighted by odds to come."""
    coverage = max(1.0 - np.count_nonzero(counts == 1) / n, 1.0 / n)
    shares = coverage * counts / n
    seldom = -np.expm1(n * np.log1p(-np.minimum(shares, 1.0 - 1e-12)))
    return float(-(shares * np.log(shares) / seldom).sum())


def shrunk(counts: Counts) -> tuple[float, float]:
    """I of shares shrunk toward independence (Hausser and Strimmer 2009), and the weight of the latter."""
    n = counts.n
    p, q = counts.cells / n, counts.in_x * (counts.in_y / n**2)
    apart = p @ p - 2.0 * (p @ q) + _squares(counts.of_x, n) * _squares(counts.of_y, n)
    weight = float(np.clip((1.0 - p @ p) / ((n - 1) * max(float(apart), 1e-300)), 0.0, 1.0))
    mixed = (1.0 - weight) * p + weight * q
    unseen = weight * np.log(max(weight, 1e-300)) * max(0.0, 1.0 - q.sum())
    return float(mixed @ np.log(mixed / q) + unseen), weight


def predicted(cells: Integers, condition: Integers, other: Integers, n: int, strength: float) -> float:
    """Mean log-odds, in nats, with which the other rows predict a row's level from its condition.

    P(y | x) = (c_xy - 1 + a p_y) / (c_x - 1 + a), a the strength: below I on average.
    """
    prior = strength * other / n
    return float(cells @ np.log((cells - 1 + prior) / (condition - 1 + strength) * n / other)) / n


def summary(x: Integers, y: Integers) -> Summary:
    """Of labels 0, 1, .. of n rows each, of which neither is constant."""
    counts = count(x, y)
    n = counts.n
    levels: list[int] = sorted((len(counts.of_x), len(counts.of_y)))
    plain, variance = plug_in(counts)
    chance = expected_by_chance(counts)
    base = jackknife(counts)
    scale = float(np.sqrt((variance + chance) / n)) + 0.25 * chance + 1e-9
    filled, possible = len(counts.cells), levels[0] * levels[1]
    freedom = filled - sum(levels) + 1
    h_x, h_y, h_xy = (covered(c, n) for c in (counts.of_x, counts.of_y, counts.cells))
    by_shrinking, weight = shrunk(counts)
    bound = float(np.log(levels[0]))
    held = [
        predicted(counts.cells, a, b, n, strength)
        for strength in (1.0, 4.0, 16.0)
        for a, b in ((counts.in_x, counts.in_y), (counts.in_y, counts.in_x))
    ]
    pairs = np.array(held).reshape(-1, 2)
    estimates = [
        *(plain, plain - chance, plain - freedom / (2 * n), h_x + h_y - h_xy, by_shrinking, 0.0, bound),
        *(min(h_x, h_y), *pairs.max(axis=1).tolist(), *pairs.min(axis=1).tolist()),
    ]
    ones, twos = (np.count_nonzero(counts.cells == c) for c in (1, 2))
    features = [
        *scaled(estimates, base, scale),
        *np.log([scale, chance + 1e-9, variance + 1e-9, plain + 1e-6, n, *levels]),
        *np.log([n / filled, n / possible, filled / possible]),
        *(weight, ones / n, twos / n, ones / filled, plain / max(min(h_x, h_y), 1e-9)),
        *np.log(sorted((counts.of_x.min(), counts.of_y.min()))),
    ]
    return Summary(base, scale, bound, np.array(features, np.float64))


def _xlogx(counts: Integers) -> Doubles:
    return np.asarray(counts * np.log(np.maximum(counts, 1)))


def _step(counts: Integers) -> Doubles:
    """c log c - (c - 1) log(c - 1)."""
    return _xlogx(counts) - _xlogx(np.asarray(counts - 1))


def _squares(counts: Integers, n: int) -> float:
    shares = counts / n
    return float(shares @ shares)


def _poisson_excess(mean: float) -> float:
    """E[c log(c / mean)] of a Poisson count c; towards 1/2 for large means."""
    if mean > 50.0:
        return 0.5 + 1.0 / (12.0 * mean)
    counts = np.arange(1, int(mean + 12.0 * mean**0.5 + 30.0))
    log_odds = counts * np.log(mean) - mean - np.cumsum(np.log(counts))
    return float(np.exp(log_odds) @ (counts * np.log(counts / mean)))


_LOG_MEANS = np.log(_MEANS)
_EXCESS = np.array([_poisson_excess(float(mean)) for mean in _MEANS])
