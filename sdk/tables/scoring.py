"""Scores of pairs that cost microseconds: guesses at their information in nats, a tile at a time.

The score of a pair is the largest of three guesses, each of which sees what the others do not:

- the strongest correlation of a few functions of the normal scores of both (Hermite polynomials,
  -log(1 - r^2) / 2), for what is weak and smooth;
- the table of counts of both in classes of ranks, less its bias (Miller 1955), for what is weak and has any
  form; it cannot tell what is beyond the logarithm of the number of classes, and little near it;
- how near in rank one column is where the other is, for what is strong. With the rows in the order of x and
  r the ranks of y, log(n / |r[i + l] - r[i]|) less its mean for any two places is about the information
  where y given x is spread evenly, and at most 0.21 more where it is normal. It is taken for lags l = 1, 2
  and 3 and for both orders, less two standard errors of chance. Chatterjee's coefficient (2021) has the
  distances in place of their logarithms, so that a few rows off a curve hide the curve.
"""

from functools import reduce
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.executors.sharing import Arrays
from mizzle.tables.plan import Plan

Floats = NDArray[np.float32]
_CLASSES = 8  # of ranks, of about equally many rows; ties share one
_TOGETHER = 2_000  # rows of one product
_LAGS = 3  # of rows in the order of a column
_CHANCE = 0.9  # two standard errors of the third guess, times the root of the rows; of independent columns
_GRID = (np.arange(4096) + 0.5) / 4096
_NORMAL = np.array([NormalDist().inv_cdf(u) for u in _GRID])


def columns(plan: Plan, limit: int) -> dict[str, NDArray[Any]]:
    """What scores are made of, of all columns, shape (columns, rows).

    Normal scores, of missing cells 0; classes, of missing cells none; and places in order from 0, those of
    missing cells at random.

    Args:
        limit: rows at most; of more, a random part is taken.
    """
    rows = np.arange(plan.variables[0].rows)
    if len(rows) > limit:
        rows = np.sort(np.random.default_rng(0).choice(rows, limit, replace=False))
    parts = [column for variable in plan.variables for column in variable.columns]
    ranks = [_midranks(column.values[rows], column.missing[rows]) for column in parts]
    missing = np.array([column.missing[rows] for column in parts])
    shares = np.array(ranks)
    return {
        "normal": np.where(missing, 0.0, np.interp(shares, _GRID, _NORMAL)).astype(np.float32),
        "classes": np.where(missing, _CLASSES, (shares * _CLASSES).astype(int)).astype(np.uint8),
        "places": np.array([_places(*both, k) for k, both in enumerate(zip(shares, missing, strict=True))]),
        "starts": np.cumsum([0, *(len(variable.columns) for variable in plan.variables)]),
    }


def _midranks(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share of present values below each, and half of those that are equal; in (0, 1)."""
    shares = np.full(len(values), 0.5)
    _, numbers, counts = np.unique(values[~missing], return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / max(1, counts.sum())
    shares[~missing] = middles[numbers]
    return shares


def _places(
    shares: NDArray[np.float64], missing: NDArray[np.bool_], column: int
) -> NDArray[np.unsignedinteger]:
    """Each row's place in the order of a column, from 0.

    Ties and missing cells lie at random, in each column otherwise: in the order of the rows, or in the same
    in two columns, they would look as if one depended on the other.
    """
    rng, n = np.random.default_rng([0, column]), len(shares)
    keys = shares.copy()
    if not missing.all():
        keys[missing] = rng.choice(shares[~missing], missing.sum())
    places = np.empty(n, np.min_scalar_type(n))
    places[np.lexsort((rng.random(n), keys))] = np.arange(n)
    return places


def scores(arrays: Arrays, task: tuple[range, range]) -> Floats:
    """Guesses at the information of variables of a range and variables of another in nats.

    Returns:
        shape (len(a), len(b)).
    """
    starts = arrays["starts"]
    sides = [slice(int(starts[part.start]), int(starts[part.stop])) for part in task]
    guesses = (guess(arrays, *sides) for guess in (_of_functions, _of_counts, _of_neighbours))
    of_columns = reduce(np.maximum, guesses)
    for axis, part in enumerate(task):
        firsts = starts[part.start : part.stop] - starts[part.start]
        of_columns = np.asarray(np.maximum.reduceat(of_columns, firsts, axis=axis), np.float32)
    return of_columns


def _of_functions(arrays: Arrays, a: slice, b: slice) -> Floats:
    """By the strongest correlation of functions of normal scores."""
    largest = np.zeros((a.stop - a.start, b.stop - b.start), np.float32)
    right = _functions(arrays["normal"][b])
    for left in _functions(arrays["normal"][a]):
        for other in right:
            np.maximum(largest, np.abs(left @ other.T), out=largest)
    rows = arrays["normal"].shape[1]
    information = -0.5 * np.log1p(-(np.minimum(largest, 0.99999) ** 2)) - 0.5 / rows
    return np.asarray(information, np.float32)


def _functions(normal: Floats) -> list[Floats]:
    """The first Hermite polynomials of normal scores, shape (columns, n), of mean 0 and length 1."""
    results = []
    for values in (normal, normal**2, normal**3 - 3 * normal):
        centred = values - values.mean(1, keepdims=True)
        results.append(centred / np.maximum(np.sqrt((centred**2).sum(1, keepdims=True)), 1e-6))
    return results


def _of_counts(arrays: Arrays, a: slice, b: slice) -> Floats:
    """By the table of counts of the classes of both."""
    left, right = arrays["classes"][a], arrays["classes"][b]
    table = np.zeros((len(left) * _CLASSES, len(right) * _CLASSES), np.float32)
    for start in range(0, left.shape[1], _TOGETHER):
        rows = slice(start, start + _TOGETHER)
        table += _indicators(left[:, rows]) @ _indicators(right[:, rows]).T
    counts = table.reshape(len(left), _CLASSES, len(right), _CLASSES)
    x, y = counts.sum(3), counts.sum(1)  # of rows that have both
    n = np.maximum(x.sum(1), 1)
    joint, of_x, of_y = _sums(counts, (1, 3)), _sums(x, 1), _sums(y, 2)
    cells = (counts > 0).sum((1, 3)) - (x > 0).sum(1) - (y > 0).sum(2) + 1
    information: Floats = (joint - of_x - of_y) / n + np.log(n) - cells / (2 * n)
    return information.astype(np.float32)


def _indicators(classes: NDArray[np.uint8]) -> Floats:
    """1 where a row of a column is of a class, shape (columns * classes, n)."""
    flags = classes[:, None, :] == np.arange(_CLASSES, dtype=np.uint8)[:, None]
    return np.asarray(flags.reshape(-1, classes.shape[1]), np.float32)


def _sums(counts: Floats, axes: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Sums of m log m."""
    sums: NDArray[np.float64] = (counts * np.log(np.maximum(counts, 1))).sum(axes, dtype=np.float64)
    return sums


def _of_neighbours(arrays: Arrays, a: slice, b: slice) -> Floats:
    """By how near in rank one column is where the other is."""
    left, right = arrays["places"][a], arrays["places"][b]
    rows = left.shape[1]
    if rows <= _LAGS:
        return np.zeros((len(left), len(right)), np.float32)
    both = _nearness(left, right) + _nearness(right, left).T
    return np.asarray(both / 2 - _CHANCE / np.sqrt(rows), np.float32)


def _nearness(by: NDArray[np.unsignedinteger], of: NDArray[np.unsignedinteger]) -> Floats:
    """How near columns `of` are in rows that follow each other in the order of a column `by`, less chance.

    Args:
        by, of: places, shape (columns, n), n > _LAGS.

    Returns:
        shape (len(by), len(of)), in nats; 0 in the mean where places are at random.
    """
    n, rows = by.shape[1], np.ascontiguousarray(of.T, np.float32)
    sums = np.zeros((len(by), len(of)), np.float32)
    order = np.empty(n, np.intp)
    for k, places in enumerate(by):
        order[places] = np.arange(n)
        for start in range(0, n - _LAGS, _TOGETHER):
            sums[k] += _log_distances(rows.take(order[start : start + _TOGETHER + _LAGS], 0))
    distances = np.arange(1, n)
    chance = 2 * (np.log(distances) * (n - distances)).sum() / (n * (n - 1))
    return np.asarray(chance - sums / (_LAGS * (n - _LAGS)), np.float32)


def _log_distances(rows: Floats) -> Floats:
    """The sum of the logarithms of the distances of each row but the last few and those that follow it.

    Distances are multiplied first, six at a time, as logarithms take most of the time: none is 0, and of at
    most 10^6 rows their product is below the largest float.
    """
    count = len(rows) - _LAGS
    products = rows[1 : count + 1] - rows[:count]
    for lag in range(2, _LAGS + 1):
        products *= rows[lag : count + lag] - rows[:count]
    half = count // 2
    products[:half] *= products[count - half :]
    return np.asarray(np.log(np.abs(products[: count - half])).sum(0), np.float32)
