"""A second opinion: mutual information by nearest neighbours, and the intrinsic dimension of a side.

Kraskov, Stögbauer and Grassberger 2004, equation 8, with Euclidean distances within a side, which rotations
leave alone; Levina and Bickel 2004 for the dimension. Both at no more than `QUERIES` rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import FloatArray
from mizzle.questions.variants import has_scale

QUERIES = 256
LARGEST = 4000  # rows that are searched
NEIGHBOURS = (3, 10)
_FOR_DIMENSION = 12
_EULER = 0.5772156649015329
_LOGISTIC = 1.8137993642342178  # deviation of the logistic distribution
_FLOOR = 1e-6  # of the largest variance of a principal component


class Opinion(NamedTuple):
    """What neighbours say of a sample.

    Attributes:
        close, wide: I in nats, by the third nearest neighbour and by the tenth.
        spherical: by the third, each side whitened.
        gaussian: that of normals with the same canonical correlations.
        dimensions: intrinsic, of x and of y.
        tails: log of the largest value of a column over its quartiles' distance, the largest of all columns.
        continuous: whether all columns have a scale, as neighbours need it.
    """

    close: float
    wide: float
    spherical: float
    gaussian: float
    dimensions: tuple[float, float]
    tails: float
    continuous: bool


def opinion(x: FloatArray, y: FloatArray, rng: np.random.Generator) -> Opinion:
    """What neighbours say of two sides of shape (n, dx) and (n, dy), each column in normal scores."""
    if len(x) > LARGEST:
        rows = rng.choice(len(x), LARGEST, replace=False)
        x, y = x[rows], y[rows]
    queries = rng.choice(len(x), min(QUERIES, len(x)), replace=False)
    scores = _scores(x, rng), _scores(y, rng)
    white = _whitened(scores[0]), _whitened(scores[1])
    left, right = (_distances(side, queries) for side in scores)
    spherical = _ksg(_distances(white[0], queries), _distances(white[1], queries), NEIGHBOURS[0])
    close, wide = (_ksg(left, right, k) for k in NEIGHBOURS)
    tails = max(_tails(side) for side in (x, y))
    dimensions = _dimension(left), _dimension(right)
    continuous = has_scale(x) and has_scale(y)
    return Opinion(close, wide, spherical, _gaussian(*white), dimensions, tails, continuous)


def _tails(side: FloatArray) -> float:
    low, middle, high = np.quantile(side, (0.25, 0.5, 0.75), axis=0)
    reach = np.abs(side - middle).max(axis=0)
    ratio = reach[high > low] / (high - low)[high > low]
    return float(np.log(max(ratio.max(initial=1.0), 1.0)))


def _scores(side: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Logits of the ranks of every column, ties in random order: close to normal, and free of tails."""
    shuffled = rng.permutation(len(side))
    ranks = np.empty(side.shape)
    for j, column in enumerate(side[shuffled].T):
        ranks[shuffled[np.argsort(column, kind="stable")], j] = np.arange(1, len(side) + 1)
    share = ranks / (len(side) + 1)
    return np.asarray(np.log(share / (1.0 - share)) / _LOGISTIC)


def _whitened(scores: FloatArray) -> FloatArray:
    """Principal components of variance 1, but for those that are all but empty."""
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(scores.T)))
    return np.asarray(scores @ axes / np.sqrt(np.maximum(values, _FLOOR * values[-1])))


def _gaussian(x: FloatArray, y: FloatArray) -> float:
    """-1/2 sum log(1 - r^2) over the canonical correlations r of two whitened sides, less its bias."""
    n, (dx, dy) = len(x), (x.shape[1], y.shape[1])
    squares = np.linalg.svd(x.T @ y / (n - 1), compute_uv=False) ** 2
    return float(-0.5 * np.log1p(-np.minimum(squares, 1.0 - 1e-9)).sum() - 0.5 * dx * dy / n)


def _distances(side: FloatArray, queries: NDArray[np.int64]) -> FloatArray:
    """Squares of Euclidean distances, shape (queries, n); infinite to itself."""
    square = np.einsum("ij,ij->i", side, side)
    squares = square[queries, None] + square - 2.0 * side[queries] @ side.T
    squares[np.arange(len(queries)), queries] = np.inf
    return np.asarray(np.maximum(squares, 0.0))


def _ksg(left: FloatArray, right: FloatArray, k: int) -> float:
    n = left.shape[1]
    radius = np.partition(np.maximum(left, right), k - 1, axis=1)[:, k - 1, None]
    psi = _digamma(n + 1)
    counts = [psi[(side < radius).sum(axis=1) + 1] for side in (left, right)]
    return float(psi[k] + psi[n] - np.mean(counts[0] + counts[1]))


def _digamma(count: int) -> FloatArray:
    """psi(0), unused, to psi(count)."""
    harmonic = np.concatenate([[0.0, 0.0], np.cumsum(1.0 / np.arange(1, count))])
    return np.asarray(harmonic - _EULER)


def _dimension(squares: FloatArray) -> float:
    k = min(_FOR_DIMENSION, squares.shape[1] - 1)
    nearest = np.sort(np.partition(squares, k - 1, axis=1)[:, :k], axis=1)
    logs = 0.5 * np.log(np.maximum(nearest, 1e-300))
    spread = (logs[:, -1:] - logs[:, :-1]).sum(axis=1).mean() / (k - 2)
    return float(1.0 / max(spread, 1e-3))
