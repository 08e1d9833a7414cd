"""Whether the levels of a label differ by more than chance; if nothing shows it, an answer must allow for 0.

The networks' intervals hold in the mean over their draws, of which few are independent. Of independent sides
with many levels alone too many would seem to share something.
"""

from statistics import NormalDist

import numpy as np

from mizzle.model.labels.summary import Doubles, Integers

_LEVEL = 0.01  # share of independent problems of which a difference is shown


def levels_differ(label: Integers, columns: Integers) -> bool:
    """Of the ranks of numbers, shape (d, n), by place, spread or skew in the levels of a label, shape (n,).

    Kruskal and Wallis' test (1952) with the first three Legendre polynomials of ranks, adjusted for so many.
    """
    label, counts = _without_gaps(label)
    shares = columns / columns.shape[1]
    functions = np.concatenate([shares, shares**2, shares**3 - 0.6 * shares])
    functions = functions - functions.mean(axis=1, keepdims=True)
    sums = np.array([np.bincount(label, values) for values in functions])
    squares = (functions * functions).mean(axis=1)
    varying = squares > 0.0
    statistics = (sums[varying] ** 2 / counts).sum(axis=1) / squares[varying]
    return bool((_scores(statistics, len(counts) - 1.0) > _quantile(len(functions))).any())


def cells_differ(x: Integers, y: Integers) -> bool:
    """Of two labels, shape (n,), by Pearson's statistic and its variance over all permutations."""
    (x, of_x), (y, of_y) = _without_gaps(x), _without_gaps(y)
    cells, counts = np.unique(x * len(of_y) + y, return_counts=True)
    expected = of_x[cells // len(of_y)] * (of_y[cells % len(of_y)] / len(x))
    statistic = float((counts * counts / expected).sum()) - len(x)
    mean, variance = permuted(of_x, of_y)
    if min(mean, variance) <= 0.0:
        return False
    freedom = 2.0 * mean * mean / variance  # of a chi-square of the same mean and variance, but for its scale
    return bool(_scores(np.array([statistic / mean * freedom]), freedom)[0] > _quantile(1))


def _without_gaps(label: Integers) -> tuple[Integers, Integers]:
    """The label with levels 0, 1, .. that all occur, and the rows of each."""
    counts = np.bincount(label)
    if counts.all():
        return label, counts
    numbers = np.cumsum(counts > 0) - 1
    return numbers[label], counts[counts > 0]


def permuted(of_x: Integers, of_y: Integers) -> tuple[float, float]:
    """Mean and variance of Pearson's statistic over all permutations (Dawson 1954).

    Where cells hold few rows the variance is far from twice the degrees of freedom.

    Args:
        of_x, of_y: rows of each level.
    """
    n = float(of_x.sum())
    (v_x, w_x), (v_y, w_y) = (_margin(counts, n) for counts in (of_x, of_y))
    mean = n / (n - 1.0) * (len(of_x) - 1.0) * (len(of_y) - 1.0)
    return mean, 2.0 * n / (n - 3.0) * (v_x - w_x) * (v_y - w_y) + n * n / (n - 1.0) * w_x * w_y


def _margin(counts: Integers, n: float) -> tuple[float, float]:
    """What one side adds to the variance."""
    levels = float(len(counts))
    return (levels - 1.0) * (n - levels) / (n - 1.0), (float((n / counts).sum()) - levels**2) / (n - 2.0)


def _scores(statistics: Doubles, freedom: float) -> Doubles:
    """Standard normal scores of chi-square statistics (Wilson and Hilferty 1931)."""
    part = 2.0 / (9.0 * freedom)
    return np.asarray((np.cbrt(statistics / freedom) - (1.0 - part)) / part**0.5)


def _quantile(tests: int) -> float:
    return NormalDist().inv_cdf(1.0 - _LEVEL / tests)
