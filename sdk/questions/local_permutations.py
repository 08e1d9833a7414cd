"""Permutations among rows of nearly the same z: for tests of what is shared where z is given (Runge 2018).

A plain permutation breaks what a side shares with z as well, and so rejects confounders. One among the
nearest neighbours in z leaves that, and breaks what only x and y share.
"""

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import FloatArray

NEIGHBOURS = 5  # among which a side is permuted, as Runge (2018) recommends
_BLOCK = 256  # rows whose distances to all others are held at once

Places = NDArray[np.int64]


def neighbours(z: FloatArray, k: int = NEIGHBOURS) -> Places:
    """The k rows nearest to each in z, by the largest difference of ranks, itself among them, shape (n, k).

    Rows at the same distance come in random-looking but fixed order, so that ties of labels favour none.
    """
    n, d = z.shape
    k = min(k, n)
    if d == 1:
        return _in_one_column(z[:, 0], k)
    ranks = np.stack([_ranks(column) for column in z.T])
    order = np.random.default_rng(0).permutation(n)
    ranks = ranks[:, order]
    result = np.empty((n, k), np.int64)
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        distances = np.abs(ranks[:, rows, None] - ranks[:, None, :]).max(axis=0)
        closest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        result[order[rows]] = order[closest]
    return result


def local_permutation(neighbourhoods: Places, rng: np.random.Generator) -> Places:
    """For each row, in random order, a row of its neighbours that no row has yet, or any of them.

    Args:
        neighbourhoods: shape (n, k).
    """
    n = len(neighbourhoods)
    shuffled = rng.permuted(neighbourhoods, axis=1)
    used = np.zeros(n, bool)
    result = np.empty(n, np.int64)
    for i in rng.permutation(n).tolist():
        candidates = shuffled[i]
        free = candidates[~used[candidates]]
        chosen = free[0] if len(free) else candidates[-1]
        used[chosen], result[i] = True, chosen
    return result


def _in_one_column(column: FloatArray, k: int) -> Places:
    """The nearest of a sorted column are a window of it; equal values share the windows at random."""
    n = len(column)
    order = np.lexsort((np.random.default_rng(0).random(n), column))
    start = np.clip(np.arange(n) - k // 2, 0, n - k)
    neighbourhoods = np.empty((n, k), np.int64)
    neighbourhoods[order] = order[start[:, None] + np.arange(k)]
    return neighbourhoods


def _ranks(column: FloatArray) -> NDArray[np.float32]:
    """Shares of the rows below, equal for equal values."""
    return (np.searchsorted(np.sort(column), column) / len(column)).astype(np.float32)
