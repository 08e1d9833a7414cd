"""Columns of one side: what is refused, which are discrete, and their normal scores.

The estimator reads ranks alone, so a continuous column may stand for its normal scores: what remains to be
imitated is how columns hang together. A discrete column keeps its values, with their frequencies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri  # type: ignore[import-untyped]

from mizzle.data.arrays import FloatArray
from mizzle.errors import InvalidInput

MIN_ROWS = 200
MAX_COLUMNS = 64  # of a side; the shipped weights know as many
MAX_CELLS = 4_000_000
_ATOM = 0.02  # share of rows at one value from which on a column is no continuous one
_LARGE_ATOM = 0.2  # beyond which it cannot stand for one, either
_DISTINCT = 0.2  # share of different values below which it is none, either
_MAX_LEVELS = 200  # of a discrete column, whose information is a sum over levels
_RAREST = 0.005  # share of rows with other values than the commonest, below which problems seldom have any
_Bins = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Columns:
    """The columns of a side of N rows.

    Attributes:
        names: of all columns, in order.
        values: shape (N, d).
        discrete: which are, shape (d,).
        bins: of every discrete column the levels and the inner edges of their bins in (0, 1), by frequency.
        notices: what was assumed to read them, and what will not be imitated.
    """

    names: tuple[str, ...]
    values: FloatArray
    discrete: NDArray[np.bool_]
    bins: tuple[_Bins, ...]
    notices: tuple[str, ...] = ()

    @property
    def continuous(self) -> FloatArray:
        """Values of the continuous columns, shape (N, c)."""
        return self.values[:, ~self.discrete]

    def taken(self, rows: NDArray[np.intp]) -> "Columns":
        """The same columns of some rows. What is discrete, and its levels, were decided on all rows."""
        return replace(self, values=self.values[rows])


def read(values: FloatArray, names: tuple[str, ...], side: str, notices: tuple[str, ...] = ()) -> Columns:
    """Checked columns of one side.

    Args:
        values: finite numbers, shape (N, d).
        side: "x" or "y", for messages.
        notices: what was assumed to read them.

    Raises:
        InvalidInput: too few rows, too many columns or cells, a constant column or one that nearly is, or one
            of which many rows have one value and the others more than can be levels.
    """
    _check_size(values, side)
    n = len(values)
    levels, counts = zip(*(np.unique(column, return_counts=True) for column in values.T), strict=True)
    _check_counts(list(zip(names, counts, strict=True)), n, side)
    repeats = np.array([len(c) < _DISTINCT * n or c.max() > max(_ATOM * n, 3) for c in counts])
    limited = np.array([len(c) <= _MAX_LEVELS for c in counts])
    if (tied := repeats & ~limited).any():
        listed = ", ".join(name for name, is_so in zip(names, tied, strict=True) if is_so)
        notices += (f"values of {side} that repeat are not imitated in columns with many others: {listed}",)
    discrete = repeats & limited
    bins = tuple((levels[i], np.cumsum(counts[i])[:-1] / n) for i in np.flatnonzero(discrete))
    return Columns(names, values, discrete, bins, notices)


def _check_size(values: FloatArray, side: str) -> None:
    n, d = values.shape
    if n < MIN_ROWS:
        raise InvalidInput(f"{side} has {n} rows; adapting needs at least {MIN_ROWS}: bring more rows")
    if d > MAX_COLUMNS or d > n:
        raise InvalidInput(
            f"{side} has {d} columns and {n} rows; there may be at most {MAX_COLUMNS} columns, and no more "
            "than rows: choose columns, or their principal components"
        )
    if values.size > MAX_CELLS:
        raise InvalidInput(
            f"{side} has {n:,} x {d} numbers, and at most {MAX_CELLS:,} are read: take a part of the rows"
        )


def _check_counts(columns: Sequence[tuple[str, NDArray[np.intp]]], n: int, side: str) -> None:
    """How many of n rows have each value of every column."""
    constant = [name for name, counts in columns if len(counts) == 1]
    if constant:
        raise InvalidInput(f"{side} has constant columns ({', '.join(constant)}): leave them out")
    for name, counts in columns:
        largest = counts.max()
        if n - largest < _RAREST * n:
            raise InvalidInput(
                f"column {name} of {side} is constant but for {n - largest} of {n:,} rows, and {_RAREST:.1%} "
                "are needed to imitate it: leave it out"
            )
        if len(counts) > _MAX_LEVELS and largest > _LARGE_ATOM * n:
            raise InvalidInput(
                f"column {name} of {side} has one value in {largest / n:.0%} of the rows and "
                f"{len(counts) - 1} others; discrete columns may have {_MAX_LEVELS} values: group them, or "
                "leave the column out"
            )


def normal_scores(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Normal scores of the ranks of every column, ties in random order, shape as given."""
    shuffled = rng.permuted(np.tile(np.arange(len(values))[:, None], values.shape[1]), axis=0)
    order = np.stack([np.lexsort(pair) for pair in zip(shuffled.T, values.T, strict=True)], axis=1)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.arange(len(values), dtype=float)[:, None], axis=0)
    return np.asarray(ndtri((ranks + 0.5) / len(values)))
