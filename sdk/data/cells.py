"""Cells that are Python objects: of rows of numbers, checked at the speed of C, and of a column of one kind.

`np.asarray([1.0, True, "3"])` would take all three for numbers (or for text); here the set of cell
types decides before numpy sees anything.
"""

import datetime
import decimal
import numbers
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.data import times
from mizzle.data.integers import EXACT as EXACT
from mizzle.data.integers import dense_ranks
from mizzle.errors import InvalidShape, NotNumeric, PrecisionLoss

TOO_LONG = (
    "an integer beyond 2**53, which a 64-bit float would round; "
    "subtract an offset or pass floats if the rounding is intended"
)
NUMBERS, TEXT, BOOLEANS = "numbers", "text", "booleans"  # kinds of a column, beside those of times
TAKEN = "numbers, text, booleans, dates and times are taken; convert it, or leave it out"
_WITH_GAPS = (type(None), float, np.floating, np.datetime64, np.timedelta64, decimal.Decimal)
_GAPS = ("NAType", "NaTType")  # of pandas
_NO_NUMBERS = (bool, np.bool, np.timedelta64)
_NUMBERS = (int, float, np.integer, np.floating)
_WORDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((type(None),), "null"),
    ((bool, np.bool), "a boolean"),
    ((str, bytes), "text"),
    ((datetime.date, datetime.time, np.datetime64), "a date"),
    ((datetime.timedelta, np.timedelta64), "a time difference"),
    ((int, float, np.integer, np.floating), "a single number"),
    ((complex, np.complexfloating), "a complex number"),
    ((dict,), "a mapping of names to values"),
    ((numbers.Number,), "a number of a type without a float64 form"),
)


def place(name: str, row: int, column: int) -> str:
    """How every message names a cell."""
    return f"{name} row {row}, column {column} (counted from 0)"


def in_words(value: object) -> str:
    """What a value is, without the value."""
    return next((word for types, word in _WORDS if isinstance(value, types)), "of an unknown kind")


def missing(cells: Sequence[Any]) -> NDArray[np.bool]:
    """Where cells have no value, as a mask of shape (n,): None, NaN, NaT or pandas' NA."""
    types = {t for t in set(map(type, cells)) if issubclass(t, _WITH_GAPS) or t.__name__ in _GAPS}
    if not types:
        return np.zeros(len(cells), dtype=bool)
    return np.fromiter((type(cell) in types and _is_missing(cell) for cell in cells), bool, len(cells))


def _is_missing(cell: Any) -> bool:
    if isinstance(cell, decimal.Decimal):
        return cell.is_nan()
    return cell is None or type(cell).__name__ in _GAPS or bool(cell != cell)


def common_kind(cells: Sequence[Any]) -> str | None:
    """The kind of all cells of a column, with `times.KINDS` among them; None where there is no cell.

    Raises:
        NotNumeric: they are of several kinds, or of one that is not taken; says this of a column.
    """
    examples = {type(cell): cell for cell in cells}  # of most types, all cells are of one kind
    if any(issubclass(t, datetime.datetime) for t in examples):
        kinds = {_kind(cell): cell for cell in cells}
    else:
        kinds = {_kind(cell): cell for cell in examples.values()}
    if None in kinds:
        raise NotNumeric(f"has a cell that is {in_words(kinds[None])}; {TAKEN}")
    known = sorted(kind for kind in kinds if kind is not None)
    if len(known) > 1:
        raise NotNumeric(f"holds {' and '.join(known)}; make it one of these throughout, or leave it out")
    return known[0] if known else None


def _kind(cell: Any) -> str | None:
    if isinstance(cell, bool | np.bool):
        return BOOLEANS
    if isinstance(cell, str | bytes | uuid.UUID):
        return TEXT
    if isinstance(cell, int | float | decimal.Decimal):
        return NUMBERS
    time = times.kind(cell)  # before numbers: numpy's time difference is an integer
    return time or (NUMBERS if isinstance(cell, np.integer | np.floating) else None)


def texts(cells: Sequence[Any]) -> list[str]:
    """Labels as text: of bytes what they say in UTF-8, of anything else its own text."""
    if set(map(type, cells)) <= {str}:
        return list(cells)
    return [cell.decode(errors="surrogateescape") if isinstance(cell, bytes) else str(cell) for cell in cells]


def floats(cells: Sequence[Any]) -> NDArray[np.float64]:
    """Python numbers as floats of shape (n,), or as their ranks where floats would not tell them apart."""
    plain = [cell.item() if isinstance(cell, np.integer) else cell for cell in cells]
    if all(map(_is_exact, plain)):
        return np.array(plain, dtype=np.float64)
    try:
        values = np.array(plain, dtype=np.float64)
    except OverflowError:  # an integer beyond the largest float
        return dense_ranks(plain)
    return values if len(set(plain)) == len(np.unique(values)) else dense_ranks(plain)


def _is_exact(cell: Any) -> bool:
    return isinstance(cell, float) or (isinstance(cell, int) and abs(cell) <= EXACT)


@dataclass(frozen=True)
class Rows:
    """Rows of numbers: (n, width) cells whose types are known to be numeric.

    Attributes:
        rows: n lists of `width` cells, or n bare cells when `flat`.
        types: the types that occur.
    """

    rows: Sequence[Any]
    flat: bool
    width: int
    types: frozenset[type]
    name: str
    at: int

    @classmethod
    def read(cls, rows: Sequence[Any], name: str, at: int) -> "Rows":
        """Checks shape and cell types.

        Raises:
            InvalidShape: ragged rows, cells beside rows, or nesting below rows.
            NotNumeric: a cell that is no real number.
        """
        rows = _plain(rows)
        flat = not any(issubclass(t, list | tuple) for t in set(map(type, rows)))
        width = 1 if flat else _width(rows, name)
        types = frozenset(map(type, rows if flat else chain.from_iterable(rows)))
        table = cls(rows, flat, width, types, name, at)
        if not all(_numeric(t) for t in types):
            table._refuse_cell()
        return table

    def floats(self) -> NDArray[np.float64]:
        """The cells as float64 of shape (n, width).

        Raises:
            PrecisionLoss: an integer beyond 2**53.
        """
        try:
            values = np.fromiter(self._cells(), np.float64, len(self.rows) * self.width)
        except OverflowError:  # an integer beyond the largest float
            self._refuse_integer(range(len(self.rows) * self.width))
        if any(issubclass(t, int | np.integer) for t in self.types):
            self._refuse_integer(np.flatnonzero(np.abs(values) >= EXACT).tolist())
        return values.reshape(-1, self.width)

    def _cells(self) -> Iterator[Any]:
        return iter(self.rows) if self.flat else chain.from_iterable(self.rows)

    def _cell(self, i: int) -> Any:
        row, column = divmod(i, self.width)
        return self.rows[row] if self.flat else self.rows[row][column]

    def _place(self, i: int) -> str:
        row, column = divmod(i, self.width)
        return place(self.name, row, column + self.at)

    def _refuse_cell(self) -> None:
        """Names the first cell of a type that is no number."""
        i, cell = next((i, c) for i, c in enumerate(self._cells()) if not _numeric(type(c)))
        if isinstance(cell, list | tuple | np.ndarray):
            raise InvalidShape(f"{self._place(i)} holds a list; lists nest two deep, rows of cells")
        raise NotNumeric(f"{self._place(i)} is {in_words(cell)}; a real number is needed")

    def _refuse_integer(self, suspects: Sequence[int]) -> None:
        """Names the first integer among the suspects that float64 cannot hold."""
        for i in suspects:
            cell = self._cell(i)
            if isinstance(cell, int | np.integer) and abs(int(cell)) > EXACT:
                raise PrecisionLoss(f"{self._place(i)} is {TOO_LONG}")


def _numeric(cell_type: type) -> bool:
    return issubclass(cell_type, _NUMBERS) and not issubclass(cell_type, _NO_NUMBERS)


def _plain(rows: Sequence[Any]) -> Sequence[Any]:
    """Rows that are arrays, Series or tensors become lists, so that one path checks them all."""
    if all(t in (float, int, list, tuple) for t in set(map(type, rows))):
        return rows
    return [row.tolist() if hasattr(row, "tolist") else row for row in rows]


def _width(rows: Sequence[Any], name: str) -> int:
    """The common number of cells of all rows."""
    for i, row in enumerate(rows):
        if not isinstance(row, list | tuple):
            raise InvalidShape(f"{name} row {i} (counted from 0) is {in_words(row)}, others are lists")
    widths = list(map(len, rows))
    if len(set(widths)) > 1:
        i = next(i for i, width in enumerate(widths) if width != widths[0])
        raise InvalidShape(
            f"{name} row {i} (counted from 0) has length {widths[i]} and row 0 has "
            f"length {widths[0]}; all rows must have the same length"
        )
    return widths[0]
