"""Samples of two sides, of whatever kind: checked arrays of floats, and what had to be said about them.

Numbers without gaps take the short way (`mizzle.data.arrays`), at the speed of numpy. Whatever else a column
may hold (labels, times, gaps, integers of any size) is read column by column (`mizzle.data.columns`).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np

from mizzle.data import cells, copies, frames
from mizzle.data.arrays import MIN_ROWS, FloatArray, as_table, check_rows
from mizzle.data.columns import Column, notices_of, read
from mizzle.data.frames import Mask
from mizzle.errors import InvalidInput, LengthMismatch, NotFinite, NotNumeric, PrecisionLoss, TooFewSamples
from mizzle.types import Estimate, Notice, short_repr

Missing = Literal["raise", "drop"]


class Sample(NamedTuple):
    """One problem, ready for an estimator.

    Attributes:
        x, y: finite, shape (n, dx) and (n, dy).
        notices: what was assumed or left out.
    """

    x: FloatArray
    y: FloatArray
    notices: tuple[Notice, ...] = ()

    def noted(self, estimate: Estimate) -> Estimate:
        """The estimate with these notices in front of its own."""
        return replace(estimate, warnings=self.notices + estimate.warnings) if self.notices else estimate


class Triple(NamedTuple):
    """One problem with what is given, ready for an estimator.

    Attributes:
        x, y, z: finite, shape (n, d) each; z is what is given.
        notices: what was assumed or left out.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    notices: tuple[Notice, ...] = ()


class Side(NamedTuple):
    """One side of a problem.

    Attributes:
        values: shape (n, d), 0 where missing.
        missing: shape (n, d); None for a complete side.
        notices: what was assumed about its columns.
    """

    values: FloatArray
    missing: Mask | None = None
    notices: tuple[Notice, ...] = ()


def read_sample(
    x: object,
    y: object,
    missing: Missing = "raise",
    max_columns: int | None = None,
    deduplicate: bool = False,
) -> Sample:
    """Two sides, row i of `x` beside row i of `y` (by position, never by index).

    Args:
        x, y: n rows of numbers, labels or times: array, nested lists, Series, DataFrame, Arrow table, tensor.
        missing: "raise" refuses missing cells, "drop" leaves out the rows that have some.
        max_columns: of a side of anything but complete numbers; reading such takes time for each of them.
        deduplicate: whether each different row (x, y) is taken once.

    Raises:
        InvalidInput: a side, or the pair of them, cannot be used.
    """
    check_missing(missing)
    left, right = (read_side(value, name, missing, max_columns) for value, name in ((x, "x"), (y, "y")))
    notices = left.notices + right.notices
    rows = _complete_rows(left, right)
    if rows is None:
        check_rows(left.values, right.values)
        sample = Sample(left.values, right.values, notices)
    else:
        complete = left.values[rows], right.values[rows]
        check_rows(*complete)
        sample = Sample(*complete, (*notices, _dropped(len(rows), len(complete[0]))))
    return _without_copies(sample) if deduplicate else sample


def read_triple(
    x: object,
    y: object,
    z: object,
    missing: Missing = "raise",
    max_columns: int | None = None,
    deduplicate: bool = False,
) -> Triple:
    """Three sides of the same rows; z, which messages call given, is read as the others, as by `read_sample`.

    Raises:
        InvalidInput: a side, or the three of them, cannot be used.
    """
    check_missing(missing)
    named = (x, "x"), (y, "y"), (z, "given")
    sides = [read_side(value, name, missing, max_columns) for value, name in named]
    left, right, third = (side.values for side in sides)
    check_rows(left, right)
    if len(third) != len(left):
        text = f"x and y have {len(left)} rows and given has {len(third)}"
        raise LengthMismatch(f"{text}; row i of all three must be one observation")
    notices = tuple(notice for side in sides for notice in side.notices)
    rows = _complete_rows(*sides)
    if rows is not None:
        left, right, third = left[rows], right[rows], third[rows]
        notices = (*notices, _dropped(len(rows), len(left)))
    if deduplicate:
        places = copies.first_places(np.hstack([left, right, third]))
        notices = (*notices, *copies.left_out(len(left), len(places)))
        left, right, third = left[places], right[places], third[places]
    check_rows(left, right)
    return Triple(left, right, third, notices)


def _dropped(before: int, after: int) -> Notice:
    return Notice("dropped", f"{before - after} of {before} rows were left out, in which a value is missing")


def _without_copies(sample: Sample) -> Sample:
    """Every different row once.

    Raises:
        TooFewSamples: fewer than `MIN_ROWS` are left.
    """
    rows = copies.first_places(np.hstack([sample.x, sample.y]))
    if len(rows) < MIN_ROWS:
        raise TooFewSamples(f"x and y have {len(rows)} different rows; at least {MIN_ROWS} are needed")
    notices = (*sample.notices, *copies.left_out(len(sample.x), len(rows)))
    return Sample(sample.x[rows], sample.y[rows], notices)


def check_missing(missing: object) -> None:
    """Check a word.

    Raises:
        InvalidInput: it is neither "raise" nor "drop".
    """
    if missing not in ("raise", "drop"):
        raise InvalidInput(f"missing is {short_repr(missing)}; it must be 'raise' or 'drop'")


def read_side(value: object, name: str, missing: Missing = "raise", max_columns: int | None = None) -> Side:
    """One side of a problem; `name` is what messages call it, the rest is as for `read_sample`.

    Raises:
        InvalidInput: it cannot be used.
    """
    try:
        return Side(as_table(value, name))
    except (NotNumeric, NotFinite, PrecisionLoss) as error:
        refusal = error
    columns = _columns(value, refusal, max_columns)
    for j, column in enumerate(columns):
        if column.refusal is not None:
            raise NotNumeric(f"{name} column {j} (counted from 0) {column.refusal}")
    lengths = {len(column.values) for column in columns}
    if len(lengths) != 1 or 0 in lengths:
        raise refusal
    notices = tuple(notice for j, column in enumerate(columns) for notice in _notices(name, j, column))
    values = np.ascontiguousarray(np.column_stack([column.values for column in columns]))
    mask = np.column_stack([column.missing for column in columns])
    if not mask.any():
        return Side(values, None, notices)
    if missing == "raise":
        raise refusal if isinstance(refusal, NotFinite) else _is_missing(mask, name)
    return Side(values, mask, notices)


def _columns(value: Any, refusal: InvalidInput, limit: int | None) -> list[Column]:
    """The columns of a side that is no table of complete numbers.

    Raises:
        InvalidInput: `refusal`, which names the place of what is wrong, where a column cannot be read.
    """
    try:
        columns = frames.columns_of_side(value)
        if limit is not None and len(columns) > limit:
            raise refusal
        return [read(column) for column in columns]
    except InvalidInput:
        raise refusal from None


def _notices(name: str, j: int, column: Column) -> Iterator[Notice]:
    for code, text in notices_of(column):
        yield Notice(code, f"{name} column {j} (counted from 0) {text}")


def _is_missing(mask: Mask, name: str) -> NotNumeric:
    row, column = divmod(int(mask.argmax()), mask.shape[1])
    rest = int(mask.sum()) - 1
    more = f", as are {rest} more cells" if rest else ""
    place = cells.place(name, row, column)
    return NotNumeric(f"{place} is null{more}; missing='drop' leaves such rows out, or impute them first")


def _complete_rows(*sides: Side) -> Mask | None:
    """Which rows have every value; None where all have."""
    masks = [side.missing.any(axis=1) for side in sides if side.missing is not None]
    if not masks:
        return None
    if len({len(side.values) for side in sides}) > 1:
        return None  # and so refused
    complete: Mask = ~np.logical_or.reduce(masks)
    return complete
