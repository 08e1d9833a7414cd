"""The lines of a CSV or TSV file (RFC 4180): its encoding, its separator, its names and its rows of cells.

Columns without a name are named by their place, as pandas does it, "Unnamed: 0" being the first.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from mizzle.data.iso_times import times
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidFile
from mizzle.files.markers import is_number

SEPARATORS = ",;\t"  # among which the first line decides
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_32 = b"\xff\xfe\0\0"
_BY_PLACE = re.compile(r"Unnamed: \d+(\.\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


class _Lines(Protocol):
    """A csv.reader, whose own type has no public name."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class Sheet:
    """The cells of a file.

    Attributes:
        header: a name for every column, "" for one that has neither name nor cells, and is none.
        rows: n rows of as many cells.
        lines: the lines of the file that the rows end in.
        unnamed: those names that were given by place.
        index: of columns at the start that have no name of their own and only number or name the rows.
        notes: what was assumed to read it.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    unnamed: frozenset[str]
    index: frozenset[str]
    notes: tuple[str, ...]


def read(content: bytes, separator: str | None = None, names: Sequence[str] | None = None) -> Sheet:
    """The cells of a file.

    Args:
        separator: between cells; None for a comma, semicolon or tab, whichever the first line has, or for
            spaces where it has none of them and the next lines have as many words.
        names: of columns that are asked for, None for all: where one is in the first line, that is a header.

    Raises:
        InvalidFile: neither UTF-8 nor UTF-16 with a mark, no header, ragged or empty lines.
    """
    wide = content.startswith(_UTF_16) and not content.startswith(_UTF_32)
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-16" if wide else "utf-8-sig", newline="")
    try:
        mark = separator or _separator(text)
        reader = csv.reader(text, delimiter=mark, skipinitialspace=mark == " ", strict=True)
        header = _header(reader)
        _check_header(header, names)
        lines, rows = _rows(reader, len(header))
    except UnicodeError:
        raise InvalidFile("the file is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise InvalidFile(f"the file is no CSV: {error}") from None
    header = _fitted(header, rows)
    named = [name or _by_place(i, header, rows) for i, name in enumerate(header)]
    unnamed = frozenset(name for name, own in zip(named, header, strict=True) if name and not own)
    notes = ("the text is UTF-16",) if wide else ()
    if mark == " " and separator is None:
        notes = (*notes, "spaces separate the cells (--sep says otherwise)")
    return Sheet(named, rows, lines, unnamed, frozenset(_index(header, named, rows)), notes)


def _separator(text: io.TextIOWrapper) -> str:
    """What separates most cells of the first line; a comma where nothing does, or spaces as in a report."""
    cells = {}
    for mark in SEPARATORS:
        text.seek(0)
        cells[mark] = len(next(csv.reader(text, delimiter=mark), []))
    text.seek(0)
    spaced = [len(line) for line in islice(csv.reader(text, delimiter=" ", skipinitialspace=True), 3)]
    text.seek(0)
    if (
        max(cells.values()) == 1
        and len(spaced) == 3
        and spaced[0] > 1
        and set(spaced[1:]) <= _fitting(spaced[0])
    ):
        return " "
    return max(cells, key=lambda mark: cells[mark])


def _fitting(width: int) -> set[int]:
    """How many cells rows below so many names may have; one more are names of the rows."""
    return {width, width + 1}


def _header(reader: _Lines) -> list[str]:
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise InvalidFile("the first line is empty; a line of column names is needed")
    return header


def _check_header(header: list[str], names: Sequence[str] | None) -> None:
    """Whether this is a header at all, where no name in it was asked for."""
    if names is not None and set(names) & set(header):
        return
    if all(is_number(cell) for cell in header):
        hint = "" if names else ", or --columns where the names are numbers"
        raise InvalidFile(f"the first line holds numbers only; a line of column names is needed{hint}")
    if len(header) == 1 and any(mark in header[0] for mark in f"{SEPARATORS}|"):
        raise InvalidFile(
            "the first line is one cell with other marks in it; --sep says what is between cells"
        )


def _rows(reader: _Lines, width: int) -> tuple[list[int], list[list[str]]]:
    """Each line's number and cells; empty lines are allowed at the end of the file only.

    R writes the names of rows without a name above them: the header is then one cell short of every row.
    """
    lines: list[int] = []
    rows: list[list[str]] = []
    empty, cells = 0, 0
    for row in reader:
        if not row:
            empty = empty or reader.line_num
            continue
        if empty:
            raise InvalidFile(f"line {empty} is empty; remove it")
        cells = cells or (len(row) if len(row) in _fitting(width) else width)
        if len(row) != cells:
            raise InvalidFile(f"line {reader.line_num} has {len(row)} cells and the header has {width}")
        lines.append(reader.line_num)
        rows.append(row)
    return lines, rows


def _fitted(header: list[str], rows: list[list[str]]) -> list[str]:
    """As wide as the rows: what lacks is the first name, or the last where all end in a separator."""
    if not rows or len(rows[0]) == len(header):
        return header
    return [*header, ""] if not any(row[-1].strip() for row in rows) else ["", *header]


def _by_place(i: int, header: list[str], rows: list[list[str]]) -> str:
    if not any(row[i].strip() for row in rows):
        return ""
    return f"Unnamed: {i}" if f"Unnamed: {i}" not in header else f"Unnamed: {i}.1"


def _index(header: list[str], named: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Columns at the start that pandas or R wrote beside the table; written again, they may be several."""
    for i, own in enumerate(header):
        if (own and not _BY_PLACE.fullmatch(own)) or not _is_index([row[i] for row in rows]):
            return
        yield named[i]


def _is_index(cells: Sequence[str]) -> bool:
    """Whether cells without a name number or name the rows: all differ, and are no measurements."""
    texts = [cell.strip() for cell in cells]
    if not all(texts) or len(set(texts)) < len(texts):
        return False
    if any(map(is_number, texts)):
        return all(map(_INTEGER.fullmatch, texts))
    return bool(texts) and times(texts) is None


def check_names(header: Sequence[str]) -> None:
    """Whether all names differ.

    Raises:
        InvalidFile: one is there several times.
    """
    for name, count in Counter(header).items():
        if name and count > 1:
            raise InvalidFile(
                f"the header names column {quoted_name(name)} {count} times; rename one of them"
            )
