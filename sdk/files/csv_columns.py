"""One column of text cells as numbers, times or labels; anything between is refused rather than guessed.

Messages name the line of the file and the column's name, never a cell that is no marker of missing cells.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from mizzle.data.integers import EXACT, dense_ranks
from mizzle.data.iso_times import times
from mizzle.data.labels import COMMAS, Labels, other_than_labels
from mizzle.data.names import quoted_name
from mizzle.errors import NotFinite, NotNumeric, PrecisionLoss
from mizzle.files.markers import Markers, is_number
from mizzle.tables.variables import Missing

Cells = np.ndarray | Labels
_SWAPPED = str.maketrans(",.", ".,")
_DECIMAL = "; --decimal , reads decimal commas, --thousands , commas between thousands"
_LONGEST_INTEGER = 4300  # digits: int() refuses more
_SPACES = " \u00a0\u202f"


@dataclass(frozen=True)
class TextFormat:
    """How the cells of a CSV or TSV file are to be read.

    Attributes:
        separator: between cells; None for a comma, semicolon or tab, whichever the first line has.
        decimal: "." or ",", before the decimals of a number.
        thousands: what stands between groups of digits, as in 1,234,567; None for nothing.
        markers: texts that stand for a missing cell.
        labels: columns of labels, whatever they look like.
        missing: "raise" refuses missing cells, "drop" lets them pass.
    """

    separator: str | None = None
    decimal: str = "."
    thousands: str | None = None
    markers: Markers = field(default_factory=Markers)
    labels: Collection[str] = ()
    missing: Missing = "raise"

    def plain(self, cell: str) -> str:
        """A number as Python writes it; any other text becomes none."""
        if self._grouped is not None and self._grouped.fullmatch(cell.strip()):
            cell = re.sub(self._group_mark, "", cell.strip())
        return cell.translate(_SWAPPED) if self.decimal == "," else cell

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as Python writes them."""
        return self.decimal == "." and self.thousands is None

    @property
    def _group_mark(self) -> str:
        return f"[{_SPACES}]" if self.thousands == " " else re.escape(self.thousands or "")

    @cached_property
    def _grouped(self) -> re.Pattern[str] | None:
        """Numbers with groups of digits; the last group has three, as in 1,23,456, too."""
        if self.thousands is None:
            return None
        mark, decimal = self._group_mark, re.escape(self.decimal)
        return re.compile(rf"[+-]?\d{{1,3}}({mark}\d{{2,3}})*{mark}\d{{3}}({decimal}\d*)?", re.ASCII)


@dataclass(frozen=True)
class TextColumn:
    """One column's cells and the lines of the file that they stand in."""

    name: str
    cells: list[str]
    lines: list[int]

    def place(self, i: int) -> str:
        return f"line {self.lines[i]}, column {quoted_name(self.name)}"


class NoColumn(NotNumeric):
    """Text that is neither numbers, times nor labels, and that no option makes so.

    Attributes:
        content: what it is instead.
    """

    def __init__(self, message: str, content: str) -> None:
        super().__init__(message)
        self.content = content


def parsed(column: TextColumn, form: TextFormat) -> tuple[Cells, Counter[str]]:
    """The cells of a column, and how many of them are missing by which marker.

    Returns:
        float64 of shape (n,), NaN where missing; datetime64 of shape (n,), NaT where missing; or labels.

    Raises:
        NotNumeric: text that is none of these; `NoColumn` where no option would help.
        NotFinite: infinity, or a missing cell where these are refused.
        PrecisionLoss: an integer too long to be read.
    """
    labelled = column.name in form.labels
    numeric = column if form.is_plain else replace(column, cells=list(map(form.plain, column.cells)))
    numbers = None if labelled or form.markers.among_numbers else _all_numbers(numeric.cells)
    if numbers is not None:
        return _values(numeric, np.array(numbers, dtype=np.float64)), Counter()
    absent = [cell in form.markers for cell in column.cells]
    cells = _labels(column, absent) if labelled else _typed(column, numeric, absent, form)
    _check_absent(column, absent, form.missing)
    return cells, Counter(cell.strip() for cell, gone in zip(column.cells, absent, strict=True) if gone)


def _typed(column: TextColumn, numeric: TextColumn, absent: list[bool], form: TextFormat) -> Cells:
    """Cells of a column that was not declared to be of labels."""
    present = [i for i, gone in enumerate(absent) if not gone]
    numbers = {numeric.cells[i] for i in present if _is_number(numeric.cells[i])}
    if not present or (numbers and not _are_words(column, present, len(numbers))):
        _check_numbers(numeric, present, form)
        values = np.full(len(absent), math.nan)
        values[present] = [float(numeric.cells[i]) for i in present]
        return _values(numeric, values)
    moments = times([column.cells[i] for i in present])
    if moments is None:
        _check_labels(column, present, form)
        return _labels(column, absent)
    cells = np.full(len(absent), np.datetime64("NaT"), dtype=moments.dtype)
    cells[present] = moments
    return cells


def _are_words(column: TextColumn, present: Sequence[int], numbers: int) -> bool:
    """Whether numbers are labels among more different labels that are words, as 4, f and r for wheels."""
    texts = {column.cells[i].strip() for i in present}
    return 2 * numbers < len(texts) and other_than_labels(texts, len(present)) is None


def _labels(column: TextColumn, absent: list[bool]) -> Labels:
    return Labels(None if gone else cell.strip() for cell, gone in zip(column.cells, absent, strict=True))


def _check_labels(column: TextColumn, present: Sequence[int], form: TextFormat) -> None:
    """Whether text is labels."""
    content = other_than_labels({column.cells[i].strip() for i in present}, len(present))
    if content is None:
        return
    hint = _DECIMAL if COMMAS in content and form.is_plain else ""
    remedy = "convert it to plain numbers; --exclude leaves it out, --labels takes it as labels"
    message = f"column {quoted_name(column.name)} holds {content}{hint}; {remedy}"
    raise NotNumeric(message) if "numbers" in content else NoColumn(message, content)


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
    """A decimal number or infinity; Python's `1_000` and non-Latin digits are text."""
    if "_" in cell or not cell.isascii():
        return False
    try:
        return not math.isnan(float(cell))
    except ValueError:
        return False


def _check_numbers(column: TextColumn, present: Sequence[int], form: TextFormat) -> None:
    """Whether a column that has numbers has nothing else."""
    for i in present:
        if _is_number(column.cells[i]):
            continue
        text = "is no number, unlike others of its column"
        decimals = f"decimals are written like 12{form.decimal}5 or 1{form.decimal}25e1"
        remedies = "--labels takes a column as labels, --na-value says what else stands for a missing cell"
        commas = form.is_plain and is_number(column.cells[i].strip().replace(",", ""))
        message = f"{column.place(i)} {text}; {decimals}, {remedies}{_DECIMAL if commas else ''}"
        raise (
            NotNumeric(message)
            if commas
            else NoColumn(message, f"numbers and text, as in line {column.lines[i]}")
        )


def _check_absent(column: TextColumn, absent: list[bool], missing: Missing) -> None:
    if missing == "raise" and any(absent):
        i, rest = absent.index(True), sum(absent) - 1
        marker = f" ({column.cells[i].strip()})" if column.cells[i].strip() else ""
        more = f", as are {rest} more of its column" if rest else ""
        text = f"{column.place(i)} is missing{marker}{more}"
        keep = ", --no-default-na reads such a text as it is" if marker else ""
        raise NotFinite(
            f"{text}; --missing drop leaves such rows out, pair by pair{keep}, or impute them first"
        )


def _values(column: TextColumn, values: np.ndarray) -> np.ndarray:
    """Numbers as they are; where one is an integer beyond 2**53, all by their rank, which alone counts."""
    large = np.flatnonzero(np.abs(values) >= EXACT).tolist()  # NaN is not
    beyond = [i for i in large if _beyond(column.cells[i])]
    for i in large:
        digits = len(column.cells[i].strip())
        if digits > _LONGEST_INTEGER and i in beyond:
            raise PrecisionLoss(f"{column.place(i)} is an integer of {digits} digits; write it as a float")
        if math.isinf(values[i]) and i not in beyond:
            remedy = "replace it, drop its row, or take such cells as missing by --na-value"
            raise NotFinite(f"{column.place(i)} is infinite; {remedy}")
    return _ranked(column, values) if beyond else values


def _ranked(column: TextColumn, values: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal for equal numbers, compared exactly; NaN stays."""
    present = np.flatnonzero(~np.isnan(values)).tolist()
    ranked = np.full(len(values), math.nan)
    ranked[present] = dense_ranks([_exact(column.cells[i]) for i in present])
    return ranked


def _exact(cell: str) -> int | float:
    return int(cell) if cell.strip().lstrip("+-").isdecimal() else float(cell)


def _beyond(cell: str) -> bool:
    """Whether the text spells an integer that float64 cannot be trusted with."""
    digits = cell.strip().lstrip("+-").lstrip("0")
    # Length first: 2**53 has 16 digits, and int() refuses a text of thousands.
    return digits.isdecimal() and (len(digits) > 16 or int(digits) > EXACT)
