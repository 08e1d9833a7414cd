"""Columns of a CSV or TSV file in UTF-8 with one line of names (RFC 4180), as numbers or as labels.

A column whose cells are all numbers is one of numbers; a column without any number is one of labels, if it
looks like that (`mizzle.data.labels`); anything between is refused rather than guessed. Empty cells are
missing, in a column of numbers also NA, N/A, NaN and null. Messages name the line of the file and the
column's name, never a cell. Nothing is skipped.
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from mizzle.data.cells import EXACT
from mizzle.data.labels import COMMAS, Labels, other_than_labels
from mizzle.data.names import no_column, quoted_name
from mizzle.errors import InvalidFile, MizzleError, NotFinite, NotNumeric, PrecisionLoss
from mizzle.tables.variables import Missing

Cells = np.ndarray | Labels
SEPARATORS = ",;\t"  # among which the first line decides
_ABSENT = frozenset({"", "na", "n/a", "nan", "null"})
_SWAPPED = str.maketrans(",.", ".,")
_DECIMAL = "; --decimal , reads decimal commas"


class _Lines(Protocol):
    """A csv.reader, whose own type has no public name."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class _Column:
    """One column's cells and the lines of the file that they stand in."""

    name: str
    cells: list[str]
    lines: list[int]

    def place(self, i: int) -> str:
        return f"line {self.lines[i]}, column {quoted_name(self.name)}"


def read(
    content: bytes,
    names: Sequence[str] | None = None,
    labels: Collection[str] = (),
    missing: Missing = "raise",
    separator: str | None = None,
    decimal: str = ".",
    exclude: Collection[str] = (),
) -> dict[str, Cells]:
    """The columns `names` of a file's content, each float64 of shape (n,), NaN where missing, or labels.

    Args:
        names: which; None for all of the file.
        labels: columns of labels, whatever they look like.
        missing: "raise" refuses missing cells, "drop" lets them pass.
        separator: between cells; None for a comma, semicolon or tab, whichever the first line has.
        decimal: "." or ",", before the decimals of a number.
        exclude: columns that are left out, unread.

    Raises:
        InvalidFile: not UTF-8, no header, ragged or empty lines.
        MissingColumn: a name that the header does not have.
        NotNumeric, NotFinite, PrecisionLoss: a cell or column that cannot be used.
    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        reader = csv.reader(text, delimiter=separator or _separator(text), strict=True)
        header = _header(reader)
        _check_header(header, names)
        lines, rows = _rows(reader, len(header))
    except UnicodeDecodeError:
        raise InvalidFile("the file is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise InvalidFile(f"the file is no CSV: {error}") from None
    _check_known([*labels, *exclude], header)
    wanted = [name for name in (header if names is None else names) if name not in exclude]
    places = _places(header, rows, wanted)
    wanted = list(places) if names is None else wanted
    columns = (_Column(name, [row[places[name]] for row in rows], lines) for name in wanted)
    return {c.name: _read(c, c.name in labels, missing, decimal) for c in columns}


def _separator(text: io.TextIOWrapper) -> str:
    """What separates most cells of the first line; a comma where nothing does."""
    cells = {}
    for mark in SEPARATORS:
        text.seek(0)
        cells[mark] = len(next(csv.reader(text, delimiter=mark), []))
    text.seek(0)
    return max(cells, key=lambda mark: cells[mark])


def _check_known(names: Sequence[str], header: list[str]) -> None:
    for name in names:
        if name not in header:
            raise no_column(name, filter(None, header))


def _header(reader: _Lines) -> list[str]:
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise InvalidFile("the first line is empty; a line of column names is needed")
    return header


def _check_header(header: list[str], names: Sequence[str] | None) -> None:
    """Whether this is a header at all, where no name in it was asked for."""
    if names is not None and set(names) & set(header):
        return
    if all(_is_number(cell) for cell in header):
        hint = "" if names else ", or --columns where the names are numbers"
        raise InvalidFile(f"the first line holds numbers only; a line of column names is needed{hint}")
    if len(header) == 1 and any(mark in header[0] for mark in f"{SEPARATORS}|"):
        raise InvalidFile(
            "the first line is one cell with other marks in it; --sep says what is between cells"
        )


def _rows(reader: _Lines, width: int) -> tuple[list[int], list[list[str]]]:
    """Each line's number and cells; empty lines are allowed at the end of the file only."""
    lines: list[int] = []
    rows: list[list[str]] = []
    empty = 0
    for row in reader:
        if not row:
            empty = empty or reader.line_num
            continue
        if empty:
            raise InvalidFile(f"line {empty} is empty; remove it")
        if len(row) != width:
            raise InvalidFile(f"line {reader.line_num} has {len(row)} cells and the header has {width}")
        lines.append(reader.line_num)
        rows.append(row)
    return lines, rows


def _places(header: list[str], rows: list[list[str]], names: Sequence[str]) -> dict[str, int]:
    """Where each of the columns stands. One without a name and without cells is no column.

    Raises:
        MissingColumn: there is none of this name.
        InvalidFile: there are several, or one has no name.
    """
    places: dict[str, int] = {}
    counts = Counter(header)
    for name in dict.fromkeys(names):
        if name == "":
            _check_nameless(header, rows)
        elif counts[name] > 1:
            raise InvalidFile(
                f"the header names column {quoted_name(name)} {counts[name]} times; rename one of them"
            )
        elif not counts[name]:
            raise no_column(name, header)
        else:
            places[name] = header.index(name)
    return places


def _check_nameless(header: list[str], rows: list[list[str]]) -> None:
    for i, name in enumerate(header):
        if not name and any(row[i].strip() for row in rows):
            raise InvalidFile(f"column {i + 1} (counted from 1) has no name; name it in the first line")


def _read(column: _Column, labelled: bool, missing: Missing, decimal: str) -> Cells:
    if labelled:
        return _labels(column, missing)
    swap = decimal == ","
    numeric = replace(column, cells=[cell.translate(_SWAPPED) for cell in column.cells]) if swap else column
    numbers = _all_numbers(numeric.cells)
    if numbers is None:
        absent = [cell.strip().casefold() in _ABSENT for cell in column.cells]
        if not (all(absent) or any(map(_is_number, numeric.cells))):
            _check_labels(column, decimal)
            return _labels(column, missing)
        _check_numbers(numeric, absent, decimal)
        _check_absent(column, absent, missing)
        pairs = zip(numeric.cells, absent, strict=True)
        numbers = [math.nan if gone else float(cell) for cell, gone in pairs]
    values = np.array(numbers, dtype=np.float64)
    _check_values(numeric, values)
    return values


def _labels(column: _Column, missing: Missing) -> Labels:
    absent = [not cell.strip() for cell in column.cells]
    _check_absent(column, absent, missing)
    return Labels(None if gone else cell for cell, gone in zip(column.cells, absent, strict=True))


def _check_labels(column: _Column, decimal: str) -> None:
    """Whether text is labels, which would stand in alphabetical order."""
    content = other_than_labels({cell for cell in column.cells if cell.strip()}, len(column.cells))
    if content is not None:
        hint = _DECIMAL if COMMAS in content and decimal == "." else ""
        remedy = "convert it to plain numbers; --exclude leaves it out, --labels takes it as labels"
        raise NotNumeric(f"column {quoted_name(column.name)} holds {content}{hint}; {remedy}")


def _all_numbers(cells: list[str]) -> list[float] | None:
    """The fast way, for a column that is complete and of numbers."""
    joined = "".join(cells)
    if "_" in joined or not joined.isascii() or "n" in joined or "N" in joined:  # NaN and inf, too
        return None
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def _is_number(cell: str) -> bool:
    """A decimal number as CSV writers write it; Python's `1_000` and non-Latin digits are text."""
    if "_" in cell or not cell.isascii():
        return False
    try:
        return not math.isnan(float(cell))
    except ValueError:
        return False


def _check_numbers(column: _Column, absent: list[bool], decimal: str) -> None:
    """Whether a column that has numbers has nothing else."""
    for i, (cell, gone) in enumerate(zip(column.cells, absent, strict=True)):
        if not gone and not _is_number(cell):
            hint = _DECIMAL if decimal == "." and _is_number(cell.translate(_SWAPPED)) else ""
            text = f"{column.place(i)} is no number, unlike others of its column; decimals are written like"
            raise NotNumeric(
                f"{text} 12{decimal}5 or 1{decimal}25e1, and --labels takes a column as labels{hint}"
            )


def _check_absent(column: _Column, absent: list[bool], missing: Missing) -> None:
    if missing == "raise" and any(absent):
        rest = sum(absent) - 1
        more = f", as are {rest} more of its column" if rest else ""
        text = f"{column.place(absent.index(True))} is missing{more}"
        raise NotFinite(f"{text}; --missing drop leaves such rows out, pair by pair, or impute them first")


def _check_values(column: _Column, values: np.ndarray) -> None:
    for i in np.flatnonzero(np.abs(values) >= EXACT).tolist():  # NaN is not
        if _beyond(column.cells[i]):
            raise _refused(
                PrecisionLoss, column, i, "an integer beyond 2**53, which a 64-bit float would round"
            )
        if math.isinf(values[i]):
            raise _refused(NotFinite, column, i, "infinite; replace it, or drop its row")


def _refused(kind: type[MizzleError], column: _Column, i: int, text: str) -> MizzleError:
    return kind(f"{column.place(i)} is {text}")


def _beyond(cell: str) -> bool:
    """Whether the text spells an integer that float64 cannot be trusted with."""
    digits = cell.strip().lstrip("+-").lstrip("0")
    # Length first: 2**53 has 16 digits, and int() refuses a text of thousands.
    return digits.isdecimal() and (len(digits) > 16 or int(digits) > EXACT)
