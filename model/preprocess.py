"""Arrays to rank tables: the one door into the model, the same in training and in serving.

I(X;Y) does not change under a strictly monotone map of any column, so a column enters as its ranks alone. A
rank is kept as the *centred double rank* a = (rows below) - (rows above): an odd integer function of the
order, equal on ties, whose sign flips exactly when the column is reversed. Everything downstream starts from
these integers, which is why the invariances are exact and not approximate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.model import native
from mizzle.model.counting import UNBOUNDED, entropy
from mizzle.model.labels.answers import Labelled
from mizzle.types import Notice

_DISCRETE_LEVELS = 0.2  # distinct rows, as a share of n, up to which a side counts as discrete
_COPIES = 0.03  # share of copied rows above which estimates were seen to rise
_TIMES, _SURPRISE = 3.0, 5.0  # as many repeats as ties make by themselves; and standard errors above that
_MULTIPLE = 16  # different rows from which on it is no accident that all come twice, or all five times ..
_ALIKE, _SURELY = 0.3, 4.5  # correlation of neighbouring rows that may be reported; and in standard errors
_SERIAL = (
    0.6  # of it, what rows a little farther apart have lost: from here on, intervals are a third too narrow
)
_FARTHER = range(4, 11)  # rows apart, with which those one row apart are compared
_TRIMMED = 0.8  # share of the smallest differences of rows, which borders of blocks do not reach

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Table:
    """One problem, ranked.

    Attributes:
        x, y: centred ranks of the columns that vary, shape (columns, n).
        n: rows.
        dim_x, dim_y: counts of all columns that came.
        ceiling: quantiles at `LEVELS` of an upper bound on I(X;Y) in nats, the entropy of a discrete side,
            shape (q,); infinite without one.
        labels: the same problem as one of labels without an order, where a side is discrete.
    """

    x: Integers
    y: Integers
    n: int
    dim_x: int
    dim_y: int
    ceiling: Doubles = field(default_factory=UNBOUNDED.copy)
    labels: Labelled | None = None
    warnings: tuple[Notice, ...] = ()

    @property
    def constant(self) -> bool:
        """Whether a side does not vary at all, so that I(X;Y) = 0 exactly."""
        return min(len(self.x), len(self.y)) == 0

    @property
    def copied(self) -> bool:
        """Whether rows are copies of others, of which no training had any."""
        return any(notice.code == "repeated_rows" for notice in self.warnings)

    @property
    def same(self) -> bool:
        """Whether a column of one side orders the rows as a column of the other does, or in reverse."""
        return not {order_of(column) for column in self.x}.isdisjoint(map(order_of, self.y))


@dataclass(frozen=True)
class Side:
    """One side of a problem, ranked: all of a `Table` that depends on this side alone.

    Attributes:
        ranks: centred ranks of all columns, shape (columns, n).
        distinct: how many different values each column has, shape (columns,).
        varying: the ranks of the columns that vary, without copies; every table made with this side
            shares them.
        copies: how many columns order the rows as an earlier one does, or in reverse.
        alike: the largest correlation of a column with itself one row later.
        whole: whether all values are whole numbers, as labels and counts are.
    """

    ranks: Integers
    distinct: Integers
    varying: Integers
    copies: int
    alike: float
    whole: bool = False

    @property
    def varies(self) -> Flags:
        """Which columns have more than one value."""
        flags: Flags = self.distinct > 1
        return flags

    def reordered(self, order: NDArray[np.intp]) -> "Side":
        """The side with its rows in another order, shape (n,), in which nothing follows anything."""
        other = replace(self, ranks=self.ranks[:, order], varying=self.varying[:, order], alike=-1.0)
        if self.discrete:  # numbers of equal rows are any; what they count stays
            other.__dict__.update(discrete=True, bound=self.bound, counts=self.counts, rows=self.rows[order])
        return other

    @property
    def columns_read(self) -> list[int]:
        """The columns whose ranks `varying` are, by their places."""
        varies = np.flatnonzero(self.varies)
        return [int(varies[j]) for j in _different(self.ranks[self.varies])]

    @cached_property
    def discrete(self) -> bool:
        """Whether few different rows come, so that they can be counted."""
        levels = _DISCRETE_LEVELS * self.ranks.shape[1]
        return bool(self.distinct.max() <= levels and self.rows.max() < levels)

    @cached_property
    def bound(self) -> Doubles:
        """Quantiles of what I(X;Y) cannot exceed: the entropy of a discrete side, in nats."""
        return entropy(self.rows).quantiles() if self.discrete else UNBOUNDED

    @cached_property
    def rows(self) -> Integers:
        """A number for every row, the same for equal rows: 0, 1, .. below n."""
        return native.number_rows(self.ranks)[0] if native.available() else numbered_rows(self.ranks)

    @cached_property
    def counts(self) -> Integers:
        """How often each different row comes, in the order of their numbers."""
        return np.bincount(self.rows)

    @cached_property
    def serial(self) -> float:
        """How much more alike neighbouring rows are than rows a little farther apart, at most 1.

        A series has this; a table that is sorted by a label, in blocks of equal rows, has not.
        """
        return max(map(_serial, self.varying), default=0.0)


def prepare(x: Doubles, y: Doubles) -> Table:
    """Rank both sides, set aside constant columns, and note what the answer should be taken with.

    Args:
        x, y: finite arrays of shape (n, dx) and (n, dy), already checked by `mizzle.data.arrays.check_pair`.
    """
    return pair(side(x), side(y))


def side(values: Doubles) -> Side:
    """Rank one side of shape (n, d), which then may meet any number of others of the same rows."""
    ranks, distinct, alike = native.rank(values) if native.available() else ranked(values)
    whole = all(bool((part == np.rint(part)).all()) for part in (values[:64], values))  # most are not at once
    return side_of(ranks, distinct, float(alike[distinct > 1].max(initial=-1.0)), whole)


def side_of(ranks: Integers, distinct: Integers, alike: float, whole: bool) -> Side:
    """The side of which these are known already; see `Side`."""
    varying = ranks[distinct > 1]
    different = _different(varying)
    copies = len(varying) - len(different)
    return Side(ranks, distinct, varying[different] if copies else varying, copies, alike, whole)


def packed(sides: Sequence[Side]) -> dict[str, NDArray[Any]]:
    """Sides over the same rows as a few arrays, which workers share: ranks in half the memory.

    Returns:
        `ranks` and `distinct` of all columns, shape (columns, n) and (columns,); `starts`, the first column
        of each side and the end of the last, shape (sides + 1,); `alike` and `whole`, shape (sides,).
    """
    starts = np.cumsum([0, *(len(side.ranks) for side in sides)])
    ranks = np.empty((starts[-1], sides[0].ranks.shape[1]), np.int32)
    for start, side in zip(starts, sides, strict=False):
        ranks[start : start + len(side.ranks)] = side.ranks
    return {
        "ranks": ranks,
        "distinct": np.concatenate([side.distinct for side in sides]),
        "starts": starts,
        "alike": np.array([side.alike for side in sides]),
        "whole": np.array([side.whole for side in sides]),
    }


def unpacked(arrays: Arrays, k: int) -> Side:
    """Side k, as it was."""
    columns = slice(*arrays["starts"][k : k + 2])
    ranks = arrays["ranks"][columns].astype(np.int64)
    distinct = np.array(arrays["distinct"][columns])
    return side_of(ranks, distinct, float(arrays["alike"][k]), bool(arrays["whole"][k]))


def pair(x: Side, y: Side) -> Table:
    """The problem of two sides that were ranked over the same rows."""
    n = x.ranks.shape[1]
    distinct = np.concatenate([x.distinct[x.varies], y.distinct[y.varies]])
    return Table(
        x=x.varying,
        y=y.varying,
        n=n,
        dim_x=len(x.ranks),
        dim_y=len(y.ranks),
        ceiling=np.minimum(x.bound, y.bound),
        labels=_labelled(x, y),
        warnings=(
            *constant_columns(x.varies, "x"),
            *constant_columns(y.varies, "y"),
            *copied_columns(x, "x"),
            *copied_columns(y, "y"),
            *_copies(x, y, distinct, n),
            *_series(x, y, n),
        ),
    )


def with_indicators(table: Table, fewest: int = 2) -> Table:
    """The problem, whose label has a column for each level if beside it there are at least `fewest`."""
    x, y = table.labels.indicators(fewest) if table.labels else (None, None)
    if x is None and y is None:
        return table
    return replace(table, x=table.x if x is None else x, y=table.y if y is None else y, labels=None)


def _different(ranks: Integers) -> list[int]:
    """The first column of each order or its reverse: further ones tell nothing more, exactly."""
    if len(ranks) < 2:
        return list(range(len(ranks)))
    first: dict[bytes, int] = {}
    for j, column in enumerate(ranks):
        first.setdefault(order_of(column), j)
    return list(first.values())


def order_of(column: Integers) -> bytes:
    """How a column that varies orders the rows, shape (n,), up to its reverse."""
    return (column if column[np.argmax(column != 0)] > 0 else -column).tobytes()


def _labelled(x: Side, y: Side) -> Labelled | None:
    """The problem as one of labels; None where neither side is discrete, or a side does not vary."""
    if not (x.discrete or y.discrete) or min(len(x.varying), len(y.varying)) == 0:
        return None
    label_x, label_y = (side.rows if side.discrete else None for side in (x, y))
    return Labelled(label_x, label_y, x.varying, y.varying)


def ranked(values: Doubles) -> native.Ranked:
    """What `native.rank` gives, without it."""
    ranks, distinct = centred_ranks(values)
    return native.Ranked(ranks, distinct, _lag_one_correlations(ranks))


def centred_ranks(values: Doubles) -> tuple[Integers, Integers]:
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


def _lag_one_correlations(ranks: Integers) -> Doubles:
    """The correlation of each column's ranks with themselves one row later; NaN of a constant one."""
    share = ranks / ranks.shape[1]  # sums of squared integers would overflow beyond three million rows
    with np.errstate(invalid="ignore"):
        correlations: Doubles = (share[:, 1:] * share[:, :-1]).sum(1) / (share * share).sum(1)
    return correlations


def numbered_rows(ranks: Integers) -> Integers:
    """A number for every row of ranks of shape (d, n), the same for equal rows: 0, 1, .. below n."""
    n = ranks.shape[1]
    numbers = np.zeros(n, np.int64)
    for column in ranks:
        numbers = np.unique(numbers * (2 * n) + column + n, return_inverse=True)[1]
    return numbers


def _serial(column: Integers) -> float:
    """`Side.serial` of one column of ranks, shape (n,)."""
    steps = int((column[1:] != column[:-1]).sum())
    levels = len(np.unique(column))
    if len(column) <= 2 * _FARTHER.stop or (steps < levels <= _DISCRETE_LEVELS * len(column)):
        return 0.0  # too few rows to compare; or sorted by this very column
    farther = float(np.mean([_difference(column, lag) for lag in _FARTHER]))
    return 1.0 - _difference(column, 1) / farther if farther else 0.0


def _difference(column: Integers, lag: int) -> float:
    """The mean square of the smaller differences of ranks `lag` rows apart."""
    squares = np.sort(((column[lag:] - column[:-lag]) / len(column)) ** 2)
    return float(squares[: int(_TRIMMED * len(squares))].mean())


def constant_columns(varies: Flags, side: str) -> tuple[Notice, ...]:
    """Say which columns are constant, if any."""
    if varies.all():
        return ()
    if not varies.any():
        text = f"every column of {side} is constant, so the mutual information is 0; choose one that varies"
    else:
        which = ", ".join(map(str, np.flatnonzero(~varies)[:5]))
        count = int((~varies).sum())
        what = "a constant column" if count == 1 else f"{count} constant columns"
        text = f"left out of {side}: {what}, counted from 0: {which}"
    return (Notice(f"constant_{side}", text),)


def copied_columns(side: Side, name: str) -> tuple[Notice, ...]:
    """Say how many columns were left out because they repeat another."""
    if not side.copies:
        return ()
    who = "a column that orders" if side.copies == 1 else f"{side.copies} columns that order"
    text = f"left out of {name}: {who} the rows as another of {name} does, which changes no information"
    return (Notice(f"copies_{name}", text),)


def _copies(x: Side, y: Side, distinct: Integers, n: int) -> tuple[Notice, ...]:
    """Say when rows are copies; impossible while one column has no ties."""
    if not distinct.size or distinct.max() > (1 - _COPIES) * n:
        return ()
    cells, counts = np.unique(x.rows * n + y.rows, return_counts=True)
    repeated = 1 - len(cells) / n
    if repeated <= _COPIES or not (_multiplied(x, y, counts) or _surprising(x, y, cells, counts)):
        return ()
    text = f"{repeated:.0%} of the rows are copies of others, and the estimate is too high"
    return (Notice("repeated_rows", f"{text}; count each row once with deduplicate=True (--deduplicate)"),)


def _multiplied(x: Side, y: Side, counts: Integers) -> bool:
    """Whether all different rows come equally often or in multiples of that, and not by design."""
    levels = sorted((len(x.counts), len(y.counts)))
    grid = len(counts) > levels[0] * levels[1] / 2
    nested = x.whole and y.whole and levels[0] < levels[1] / 4  # such as people in groups
    return len(counts) >= _MULTIPLE and not (grid or nested) and int(np.gcd.reduce(counts)) > 1


def _surprising(x: Side, y: Side, cells: Integers, counts: Integers) -> bool:
    """Whether rows repeat far more often than the ties of the columns explain.

    Rounding makes rows equal in both sides no more often than equal in one and a step apart in the other,
    which is the yardstick. Labels and counts have no such law. A single pair of values that comes often, such
    as two zeros, is no copy of a row, so that no cell counts more than those that repeat usually do.
    """
    if (x.whole and x.discrete) or (y.whole and y.discrete):
        return False
    n = len(x.rows)
    fine = x if len(x.counts) >= len(y.counts) else y
    if fine is y:
        cells = cells % n * n + cells // n
        order = np.argsort(cells)
        cells, counts = cells[order], counts[order]
    place = np.minimum(np.searchsorted(cells, cells + n), len(cells) - 1)
    adjacent = np.where(cells[place] == cells + n, counts * counts[place], 0).sum()
    neighbours = (fine.counts[1:] * fine.counts[:-1]).sum()
    expected = _pairs(fine.counts) * adjacent / neighbours
    repeats = _pairs(np.minimum(counts, int(np.median(counts[counts > 1]))))
    return bool(repeats > _TIMES * expected + _SURPRISE * (expected**0.5 + 1))


def _pairs(counts: Integers) -> float:
    """How many pairs of equal rows there are, of which `counts` have each value."""
    return float((counts * (counts - 1)).sum() / 2)


def _series(x: Side, y: Side, n: int) -> tuple[Notice, ...]:
    """Say when the order of the rows carries something on both sides, which no order should."""
    surely = _SURELY / n**0.5
    if min(x.alike, y.alike) <= max(_ALIKE, surely) or min(x.serial, y.serial) <= 0.0:
        return ()
    if (x.serial * y.serial) ** 0.5 <= max(_SERIAL, surely):
        return ()
    text = "neighbouring rows are alike in x and in y, as in a series, and the interval is far too narrow"
    text = f"{text}; take rows far apart, or differences from row to row, or test for any dependence by"
    return (Notice("rows_alike", f"{text} mizzle.test with kind='shift' or kind='block', never by shuffles"),)
