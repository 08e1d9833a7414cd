"""Named columns of a CSV file as numbers: UTF-8, commas, one header line (RFC 4180).

Messages name the line of the file and the column's name, never a cell. Nothing is skipped.
"""

import csv
import difflib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mizzle.cells import EXACT
from mizzle.errors import InvalidFile, MissingColumn, NotFinite, NotNumeric, PrecisionLoss

_LISTED = 12
_LONGEST_NAME = 40


class _Lines(Protocol):
    """A csv.reader, whose own type has no public name."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def read_columns(path: Path, names: Sequence[str]) -> NDArray[np.float64]:
    """The columns `names` of the file at `path`, shape (n, len(names)).

    Raises:
        InvalidFile: no such file, not UTF-8, no header, ragged or empty lines.
        MissingColumn: a name that the header does not have.
        NotNumeric, NotFinite, PrecisionLoss: a cell that is no finite float.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(csv.reader(file, strict=True), names)
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidFile(f"there is no file {str(path)!r}") from None
    except IsADirectoryError:
        raise InvalidFile(f"{str(path)!r} is a directory; name a CSV file") from None
    except OSError as error:
        raise InvalidFile(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidFile(f"{str(path)!r} is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise InvalidFile(f"{str(path)!r} is no CSV file: {error}") from None


def _read(reader: _Lines, names: Sequence[str]) -> NDArray[np.float64]:
    header = _header(reader)
    places = [_find(name, header) for name in names]
    rows = [
        [_number(row[i], line, name) for i, name in zip(places, names, strict=True)]
        for line, row in _rows(reader, len(header))
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, len(names))


def _header(reader: _Lines) -> list[str]:
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise InvalidFile("the first line is empty; a line of column names is needed")
    return header


def _rows(reader: _Lines, width: int) -> Iterator[tuple[int, list[str]]]:
    """Each line's number and cells; empty lines are allowed at the end of the file only."""
    empty = 0
    for row in reader:
        if not row:
            empty = empty or reader.line_num
            continue
        if empty:
            raise InvalidFile(f"line {empty} is empty; remove it")
        if len(row) != width:
            raise InvalidFile(f"line {reader.line_num} has {len(row)} cells and the header has {width}")
        yield reader.line_num, row


def _find(name: str, header: list[str]) -> int:
    count = Counter(header)[name]
    if count > 1:
        raise InvalidFile(f"the header names column {name!r} {count} times; rename one of them")
    if count == 0:
        raise _missing(name, header)
    return header.index(name)


def _missing(name: str, header: list[str]) -> MissingColumn | InvalidFile:
    """Why a column is not there: no header, another separator, or another name."""
    if all(_is_number(cell) for cell in header):
        return InvalidFile("the first line holds numbers only; a line of column names is needed")
    listed = ", ".join(_short(cell) for cell in header[:_LISTED])
    more = f" and {len(header) - _LISTED} more" if len(header) > _LISTED else ""
    close = difflib.get_close_matches(name, header, n=1)
    hint = f"; did you mean {_short(close[0])}?" if close else ""
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        hint = "; cells must be separated by commas"
    return MissingColumn(f"there is no column {_short(name)}; the file has {listed}{more}{hint}")


def _short(name: str) -> str:
    """A column's name on one line of bounded length, control characters escaped."""
    return repr(name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 2] + "..")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str, line: int, name: str) -> float:
    """A decimal number as CSV writers write it; Python's `1_000` and non-Latin digits are text."""
    place = f"line {line}, column {_short(name)}"
    if not cell.strip():
        raise NotNumeric(f"{place} is empty; every row needs a value in every chosen column")
    if "_" in cell or not cell.isascii() or not _is_number(cell):
        raise NotNumeric(f"{place} is no number; decimals are written like 12.5 or 1.25e1")
    value = float(cell)
    if not math.isfinite(value):
        raise NotFinite(f"{place} is NaN or infinite; drop or impute such rows before asking")
    if abs(value) >= EXACT and _beyond(cell):
        raise PrecisionLoss(f"{place} is an integer beyond 2**53, which a 64-bit float would round")
    return value


def _beyond(cell: str) -> bool:
    """Whether the text spells an integer that float64 cannot be trusted with."""
    digits = cell.strip().lstrip("+-").lstrip("0")
    # Length first: 2**53 has 16 digits, and int() refuses a text of thousands.
    return digits.isdecimal() and (len(digits) > 16 or int(digits) > EXACT)
