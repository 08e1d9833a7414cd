"""What Z leaves of X and Y: maps of a column that can be undone where Z is known, so I(X;Y|Z) stays.

Axes: `n` row, `d` column. The less Z tells of what is left, the less the chain rule has to subtract.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from mizzle.model.labels.numbers import normal_scores
from mizzle.model.labels.summary import Doubles, Integers
from mizzle.model.preprocess import Side

_GROUP = 10  # rows, on average, of the groups of a discrete Z within which ranks are taken
_ROWS_A_TERM = 15  # of a polynomial that is fitted
_SCALED_ROWS = 200  # from which on the spread of what is left is fitted, too
_SMALLEST_SPREAD = 0.25  # as a share of the mean
_LARGEST_HATS = 24  # functions that follow a column locally, of all columns together
_RIDGE = 1e-4
_BLOCK = 65_536  # rows whose functions are held at once
_CONTINUOUS = 30  # values, counted as equally frequent ones (Simpson 1949), from which on a column is mapped


class Left(NamedTuple):
    """What Z leaves of a side.

    Attributes:
        values: the columns that vary, those that are continuous mapped, shape (n, d).
        standard: what is left of every column, of mean 0 and about unit variance, shape (n, d).
        explained: share of the columns' variance that Z explains, mean over the columns.
        is_mapped: whether every column was mapped.
    """

    values: Doubles
    standard: Doubles
    explained: float
    is_mapped: bool


class Explainer:
    """What is known of Z, by which columns of other sides are mapped."""

    def __init__(self, z: Side) -> None:
        self._n = z.ranks.shape[1]
        self.groups: Integers | None = None
        if z.discrete and len(z.counts) * _GROUP <= self._n:
            self.groups, self._sizes = z.rows, z.counts
            return
        scores = normal_scores(z.varying)
        self._terms = _Terms(partial(_functions, z.varying, scores, self._n // _ROWS_A_TERM), self._n)
        spread = len(scores) * 2 <= self._n // _ROWS_A_TERM and self._n >= _SCALED_ROWS
        self._spread_terms = _Terms(partial(_squares, scores), self._n) if spread else None

    @property
    def terms(self) -> int:
        """How many numbers are fitted to a column."""
        return len(self._sizes) if self.groups is not None else self._terms.count

    def left(self, side: Side) -> Left:
        """What is left of a side of the same rows."""
        ranks = side.varying
        scores = normal_scores(ranks)
        maps = np.array([_is_continuous(column) for column in ranks])
        residuals = scores - (self._means(scores) if self.groups is not None else self._terms.fitted(scores))
        explained = 1.0 - float(np.vdot(residuals, residuals) / np.vdot(scores, scores))
        changed = self._ranked(ranks) if self.groups is not None else self._scaled(residuals)
        values = np.where(maps[:, None], changed, ranks.astype(np.float64))
        standard = changed if self.groups is None else np.where(maps[:, None], _unit(changed), residuals)
        return Left(values.T, _standardised(standard).T, max(explained, 0.0), bool(maps.all()))

    def _means(self, columns: Doubles) -> Doubles:
        """Of the group of each row, shape (d, n)."""
        assert self.groups is not None
        means = np.array([np.bincount(self.groups, column) for column in columns]) / self._sizes
        return np.asarray(means[:, self.groups])

    def _ranked(self, ranks: Integers) -> Doubles:
        """Shares of the rows of the same group below; the rank among all rows breaks ties of groups."""
        return np.array([self._ranked_column(column) for column in ranks])

    def _ranked_column(self, column: Integers) -> Doubles:
        assert self.groups is not None
        order = np.lexsort((column, self.groups))
        groups, values = self.groups[order], column[order]
        starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])[groups]
        first = np.concatenate([[True], (groups[1:] != groups[:-1]) | (values[1:] != values[:-1])])
        lengths = np.diff(np.append(np.flatnonzero(first), self._n))
        places = np.repeat(np.flatnonzero(first) + (lengths - 1) / 2, lengths) - starts
        shares = (places + (values / self._n + 1.0) / 2.0) / self._sizes[groups]
        back = np.empty(self._n)
        back[order] = shares
        return back

    def _scaled(self, residuals: Doubles) -> Doubles:
        """Residuals over the spread that Z predicts of them."""
        if self._spread_terms is None:
            return residuals
        sizes = np.abs(residuals)
        means = sizes.mean(axis=1, keepdims=True)
        predicted = means + self._spread_terms.fitted(sizes - means)
        return np.asarray(residuals / np.maximum(predicted, _SMALLEST_SPREAD * means + 1e-12))


def _is_continuous(column: Integers) -> bool:
    """Whether no value of a column, as of rounded numbers, is so frequent that its map is a curve of z."""
    counts = np.unique(column, return_counts=True)[1]
    return bool((counts / len(column)) @ counts * _CONTINUOUS < len(column))


class _Terms:
    """Functions of z, of mean 0 and unit variance, for least squares; made block by block of the rows.

    Args:
        functions: of some rows, shape (p, rows).
        n: all rows.
    """

    def __init__(self, functions: Callable[[slice], Doubles], n: int) -> None:
        self._functions, self._n = functions, n
        self._whole = functions(slice(None)) if n <= _BLOCK else None  # centred below, once
        blocks = [block.sum(axis=1, keepdims=True) for _, block in self._raw()]
        self._mean = sum(blocks) / n
        squares = [((block - self._mean) ** 2).sum(axis=1, keepdims=True) for _, block in self._raw()]
        self._scale = np.maximum(np.sqrt(sum(squares) / n), 1e-9)
        if self._whole is not None:
            self._whole = (self._whole - self._mean) / self._scale
        self._gram = np.asarray(sum(block @ block.T for _, block in self._blocks())) / n
        self.count = len(self._gram)

    def _raw(self) -> Iterator[tuple[slice, Doubles]]:
        for start in range(0, self._n, _BLOCK):
            rows = slice(start, start + _BLOCK)
            yield rows, self._functions(rows) if self._whole is None else self._whole

    def _blocks(self) -> Iterator[tuple[slice, Doubles]]:
        if self._whole is not None:
            return iter([(slice(None), self._whole)])
        return ((rows, (block - self._mean) / self._scale) for rows, block in self._raw())

    def fitted(self, targets: Doubles) -> Doubles:
        """Least squares of targets, shape (d, n)."""
        moments = sum(block @ targets[:, rows].T for rows, block in self._blocks()) / self._n
        weights = np.linalg.solve(self._gram + _RIDGE * np.eye(self.count), moments).T
        return np.hstack([weights @ block for _, block in self._blocks()])


def _squares(scores: Doubles, rows: slice) -> Doubles:
    """Of the spread: the scores and their squares."""
    return np.vstack([scores[:, rows], scores[:, rows] ** 2])


def _functions(ranks: Integers, scores: Doubles, largest: int, rows: slice) -> Doubles:
    """Functions of columns of shape (d, n), at some rows: about as many as `largest`, the scores always."""
    n = ranks.shape[1]
    ranks, scores = ranks[:, rows], scores[:, rows]
    d = len(scores)
    highest = min(largest // d, 5 if d == 1 else 3)
    terms = [scores]
    for _ in range(1, highest):
        terms.append(terms[-1] * scores)
    hats = min(largest // d - highest, _LARGEST_HATS // d)
    if hats >= 4:
        terms.extend(_hats(column, hats, n) for column in ranks)
    if d > 1 and (highest + max(hats, 0)) * d + d * (d - 1) // 2 <= largest + _LARGEST_HATS:
        terms.append(np.array([scores[i] * scores[j] for i in range(d) for j in range(i)]))
    return np.vstack(terms)


def _hats(ranks: Integers, count: int, n: int) -> Doubles:
    """Hat functions between quantiles of a column of n rows, which follow what no polynomial does."""
    shares = (ranks / n + 1.0) / 2.0 * (count - 1)
    return np.maximum(1.0 - np.abs(shares - np.arange(count)[:, None]), 0.0)


def _unit(shares: Doubles) -> Doubles:
    """Shares in (0, 1) as numbers about 0, whose tails are like those of residuals."""
    return normal_scores((2.0 * shares - 1.0) * shares.shape[1])


def _standardised(columns: Doubles) -> Doubles:
    columns = columns - columns.mean(axis=1, keepdims=True)
    spread = np.maximum(columns.std(axis=1, keepdims=True), 1e-9)
    return np.asarray((columns / spread).clip(-4.0, 4.0))
