"""Whether x and y share anything where z is given: x permuted among rows of nearly the same z (Runge 2018).

A plain permutation breaks what x shares with z as well, and so rejects confounders. One among the nearest
neighbours in z leaves that, and breaks what only x and y share.
"""

import numpy as np
from numpy.typing import NDArray

from mizzle import estimator as estimators
from mizzle.backends.conditional import Many, estimate_or_error
from mizzle.backends.effects import Compute, Steps
from mizzle.backends.pairs import Outcome
from mizzle.data.arrays import FloatArray
from mizzle.types import Estimate

NEIGHBOURS = 5  # among which x is permuted, as Runge (2018) recommends
_BLOCK = 256  # rows whose distances to all others are held at once

Places = NDArray[np.int64]


def conditional_null(
    backend: Many, x: FloatArray, y: FloatArray, z: FloatArray, n: int, rng: np.random.Generator
) -> Steps[tuple[Estimate, FloatArray]]:
    """The steps to I(X;Y|Z) and to its values where x and y share nothing but by z.

    Args:
        x, y, z: finite, shape (rows, d) each.
        n: how many permutations.

    Returns:
        the estimate, whose `mi` is the statistic, and as many means under the null, in nats, shape (n,).
    """
    neighbourhoods: Places = yield Compute(neighbours, (z,))
    triples = []
    for k in range(n + 1):
        places = np.arange(len(x)) if k == 0 else local_permutation(neighbourhoods, rng)
        triple: estimators.TripleLike = yield Compute(estimators.triple, (x[places], y, z))
        triples.append(triple)
    problems = [pair for triple in triples for pair in triple.problems]
    outcomes: list[Outcome] = []
    if problems:
        outcomes = yield from backend.estimate_many(problems, False, "return")
    estimates = iter([estimate_or_error(outcome) for outcome in outcomes])
    card = yield from backend.info()
    answers = []
    for triple in triples:
        parts = [next(estimates) for _ in triple.problems]
        answer: Estimate = yield Compute(estimators.conditional, (triple, parts, card.info))
        answers.append(answer)
    return answers[0], np.array([answer.mi for answer in answers[1:]])


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
