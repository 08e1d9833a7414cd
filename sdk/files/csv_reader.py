"""Columns of a CSV or TSV file: those that are asked for, those that can be used, and what was assumed.

A column whose cells are all numbers is one of numbers, one of ISO 8601 dates is one of times, and one
without any number is one of labels if it looks like that (`mizzle.data.labels`). What stands for a missing
cell is the same in all of them (`mizzle.files.markers`). Of a whole table, text that is none of these is left
out, and this is said; a column that was named is refused. No row is skipped.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mizzle.data.names import no_column, quoted_name
from mizzle.errors import NotNumeric
from mizzle.files import csv_lines
from mizzle.files.csv_columns import Cells, NoColumn, TextColumn, TextFormat, parsed
from mizzle.files.csv_lines import Sheet

_LISTED = 4  # columns of a note


@dataclass(frozen=True)
class TextTable:
    """What a file of text holds.

    Attributes:
        columns: by name; each float64 or datetime64 of shape (n,), or labels.
        notes: what was assumed to read it, in words.
    """

    columns: dict[str, Cells]
    notes: tuple[str, ...]


def read(
    content: bytes,
    names: Sequence[str] | None = None,
    form: TextFormat | None = None,
    exclude: Collection[str] = (),
    required: Collection[str] | None = (),
) -> TextTable:
    """The columns `names` of a file's content.

    Args:
        names: which; None for all of the file that can be used.
        form: how its cells are written.
        exclude: columns that are left out, unread.
        required: of all columns, those that must not be left out; None for every column.

    Raises:
        InvalidFile: neither UTF-8 nor UTF-16, no header, ragged or empty lines.
        MissingColumn: a name that the header does not have.
        NotNumeric, NotFinite, PrecisionLoss: a cell or column that cannot be used.
    """
    form = form or TextFormat()
    sheet = csv_lines.read(content, form.separator, names)
    _check_known([*form.labels, *filter(None, exclude), *(names or ())], sheet.header)
    wanted = _wanted(sheet, names, exclude)
    columns: dict[str, Cells] = {}
    unusable: dict[str, NoColumn] = {}
    markers: dict[str, Counter[str]] = {}
    for name in wanted:
        try:
            columns[name], markers[name] = parsed(_column(sheet, name), form)
        except NoColumn as error:
            unusable[name] = error
    _check_usable(columns, unusable, wanted if names is not None or required is None else required)
    notes = (*sheet.notes, *_unnamed(sheet, columns, names), *_missing(markers), *_left_out(unusable))
    return TextTable(columns, notes)


def _check_known(names: Sequence[str], header: list[str]) -> None:
    for name in names:
        if name not in header:
            raise no_column(name, filter(None, header))


def _wanted(sheet: Sheet, names: Sequence[str] | None, exclude: Collection[str]) -> list[str]:
    """The names of the columns to be read; of all, neither those that are none nor an index."""
    everything = [name for name in sheet.header if name and name not in sheet.index]
    wanted = dict.fromkeys(name for name in (everything if names is None else names) if name not in exclude)
    csv_lines.check_names([name for name in sheet.header if name in wanted])
    return list(wanted)


def _column(sheet: Sheet, name: str) -> TextColumn:
    place = sheet.header.index(name)
    return TextColumn(name, [row[place] for row in sheet.rows], sheet.lines)


def _check_usable(
    columns: Mapping[str, Cells], unusable: Mapping[str, NoColumn], required: Collection[str]
) -> None:
    """Refuses, in one message, the columns that are needed; at least two have to be left of a table."""
    refused = [name for name in unusable if name in required or len(columns) < 2]
    if refused:
        first, *others = refused
        listed = _listed([quoted_name(name) for name in others])
        more = f"; neither can {listed} be used" if others else ""
        raise NotNumeric(f"{unusable[first]}{more}")


def _unnamed(sheet: Sheet, columns: Mapping[str, Cells], names: Sequence[str] | None) -> list[str]:
    """Which columns had no name."""
    notes = []
    index = [quoted_name(name) for name in sheet.header if name in sheet.index and name not in columns]
    if names is None and index:
        notes.append(f"left out the index {_listed(index)}, which only numbers or names the rows")
    by_place = [quoted_name(name) for name in columns if name in sheet.unnamed]
    if names is None and by_place:
        notes.append(f"without a name, and so called by its place: {_listed(by_place)}")
    return notes


def _missing(markers: Mapping[str, Counter[str]]) -> list[str]:
    """How many cells of which column were taken as missing, and by which marker, but for empty ones."""
    counts = {
        name: [f"{count} x {marker}" for marker, count in counter.items() if marker]
        for name, counter in markers.items()
    }
    listed = [f"{', '.join(cells)} in {quoted_name(name)}" for name, cells in counts.items() if cells]
    return [f"read as missing: {_listed(listed)}"] if listed else []


def _left_out(unusable: Mapping[str, NoColumn]) -> list[str]:
    if not unusable:
        return []
    listed = _listed([f"{quoted_name(name)} ({error.content})" for name, error in unusable.items()])
    return [f"left out: {listed}; --labels takes such a column as labels, --strict refuses the table"]


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return f"{', '.join(items[:_LISTED])}{more}"
