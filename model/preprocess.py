"""Arrays to rank tables: the one door into the model, the same in training and in serving.

I(X;Y) does not change under a strictly monotone map of any column, so a column enters as its ranks alone.
A rank is kept as the *centred double rank* a = (rows below) - (rows above): an odd integer function of the
order, equal on ties, whose sign flips exactly when the column is reversed. Everything downstream starts from
these integers, which is why the invariances are exact and not approximate.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from mizzle.types import Notice

_FEW_TIES = 0.95  # share of distinct values below which ties are reported

Array = Float64[np.ndarray, "n d"]
Ranks = Int64[Tensor, "d n"]


@dataclass(frozen=True)
class Table:
    """One problem, ranked. `x` and `y` hold the columns that vary; the dims count all that came."""

    x: Tensor
    y: Tensor
    n: int
    dim_x: int
    dim_y: int
    warnings: tuple[Notice, ...] = ()

    @property
    def constant(self) -> bool:
        """Whether a side does not vary at all, so that I(X;Y) = 0 exactly."""
        return min(len(self.x), len(self.y)) == 0

    @property
    def same(self) -> bool:
        """Whether a column of one side orders the rows as a column of the other does, or in reverse."""
        y = {column.tobytes() for column in self.y.numpy()}
        return any(c.tobytes() in y or (-c).tobytes() in y for c in self.x.numpy())

    @property
    def cost(self) -> int:
        """Cells that this problem adds to a batch."""
        return self.n * (self.dim_x + self.dim_y)


def prepare(x: Float64[np.ndarray, "n dx"], y: Float64[np.ndarray, "n dy"]) -> Table:
    """Rank both sides and set aside constant columns.

    Args:
        x, y: finite arrays of shape (n, dx) and (n, dy), already checked by `mizzle.arrays.check_pair`.
    """
    (ranks_x, tied_x, notes_x), (ranks_y, tied_y, notes_y) = _side(x, "x"), _side(y, "y")
    warnings = notes_x + notes_y + _ties(tied_x + tied_y)
    return Table(ranks_x, ranks_y, len(x), x.shape[1], y.shape[1], warnings)


def _side(values: Array, name: str) -> tuple[Ranks, int, tuple[Notice, ...]]:
    """Ranks of the columns that vary, how many of them have many ties, and what to say."""
    ranks, distinct = centred_ranks(values)
    tied = int(((distinct > 1) & (distinct < _FEW_TIES * len(values))).sum())
    return torch.from_numpy(ranks[distinct > 1]), tied, _constant(distinct > 1, name)


def centred_ranks(values: Array) -> tuple[np.ndarray, np.ndarray]:
    """Rows below minus rows above, per column: -(n-1), -(n-3), .. n-1 without ties.

    Returns:
        the ranks, shape (d, n), and the number of distinct values of each column, shape (d,).
    """
    columns = np.ascontiguousarray(values.T)
    n = columns.shape[1]
    order = columns.argsort(axis=1)
    ordered = np.take_along_axis(columns, order, axis=1)
    first = np.ones(columns.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=first[:, 1:])
    place = np.arange(n)
    start = np.maximum.accumulate(np.where(first, place, 0), axis=1)
    last = np.roll(first, -1, axis=1)
    end = np.minimum.accumulate(np.where(last, place, n)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(columns.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, start + end - (n - 1), axis=1)
    return ranks, first.sum(axis=1)


def _constant(varies: np.ndarray, side: str) -> tuple[Notice, ...]:
    """Say which columns are constant, if any."""
    if varies.all():
        return ()
    if not varies.any():
        text = f"every column of {side} is constant, so the mutual information is 0"
    else:
        which = ", ".join(map(str, np.flatnonzero(~varies)[:5]))
        count = int((~varies).sum())
        text = f"{count} constant column(s) of {side} were left out, counted from 0: {which}"
    return (Notice(f"constant_{side}", text),)


def _ties(tied: int) -> tuple[Notice, ...]:
    """Name the columns whose repeated values are more than a rounding accident."""
    if not tied:
        return ()
    text = (
        f"{tied} column(s) repeat values in more than 5 % of the rows; the model learnt on continuous columns"
    )
    return (Notice("ties", text),)
