"""What the cells of a column of Python objects are: of one kind that a table may have, or of none."""

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from mizzle.data import cells, times
from mizzle.errors import NotNumeric

NUMBERS, TEXT, BOOLEANS = "numbers", "text", "booleans"
TAKEN = "numbers, text, booleans, dates and times are taken; convert it, or leave it out"
_WITH_GAPS = (float, np.floating, np.datetime64, np.timedelta64, datetime.datetime)  # NaN, NaT


def absent(cell: Any) -> bool:
    """Whether a cell has no value."""
    return cell is None or (isinstance(cell, _WITH_GAPS) and bool(cell != cell))


def kind_of(found: Sequence[Any]) -> str | None:
    """The kind of all cells, with `times.KINDS` among them; None where there is no cell.

    Raises:
        NotNumeric: they are of several kinds, or of one that is not taken; says this of a column.
    """
    kinds = {_kind(cell) for cell in found}
    if None in kinds:
        strange = next(cell for cell in found if _kind(cell) is None)
        raise NotNumeric(f"has a cell that is {cells.kind(strange)}; {TAKEN}")
    known = sorted(kind for kind in kinds if kind is not None)
    if len(known) > 1:
        raise NotNumeric(f"holds {' and '.join(known)}; make it one of these throughout, or leave it out")
    return known[0] if known else None


def _kind(cell: Any) -> str | None:
    if isinstance(cell, bool | np.bool):
        return BOOLEANS
    if isinstance(cell, str):
        return TEXT
    if isinstance(cell, int | float):
        return NUMBERS
    time = times.kind(cell)  # before numbers: numpy's time difference is an integer
    return time or (NUMBERS if isinstance(cell, np.integer | np.floating) else None)
