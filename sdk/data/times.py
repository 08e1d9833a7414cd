"""Dates, times and time differences as seconds: only their order counts, so the origin does not."""

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIFFERENCE, DATE, CLOCK = "time differences", "dates", "times of day"
PLAIN, ZONED = "times", "times of a zone"
KINDS = (DIFFERENCE, DATE, CLOCK, PLAIN, ZONED)
_DAY = datetime.date(1970, 1, 1)
_SECONDS = {"W": 604800.0, "D": 86400.0, "h": 3600.0, "m": 60.0}
_PARTS = {"ms": 1e3, "us": 1e6, "ns": 1e9}  # of a second


def kind(cell: object) -> str | None:
    """The kind of a cell, one of `KINDS`, within which times can be compared; None for what is no time."""
    if isinstance(cell, datetime.timedelta | np.timedelta64):
        return DIFFERENCE
    if isinstance(cell, datetime.datetime):
        return PLAIN if cell.tzinfo is None else ZONED
    if isinstance(cell, np.datetime64):
        return PLAIN
    if isinstance(cell, datetime.date):
        return DATE
    return CLOCK if isinstance(cell, datetime.time) else None


def array(kind: str, cells: Sequence[Any]) -> NDArray[Any]:
    """Cells of one kind as an array of datetime64 or timedelta64, shape (n,); times of a zone in UTC."""
    if kind == ZONED:
        cells = [cell.astimezone(datetime.UTC).replace(tzinfo=None) for cell in cells]
    if kind == CLOCK:
        cells = [datetime.datetime.combine(_DAY, cell.replace(tzinfo=None)) for cell in cells]
    types = {DIFFERENCE: "m8[us]", DATE: "M8[D]"}
    return np.array(cells, dtype=types.get(kind, "M8[us]"))


def seconds(times: NDArray[Any]) -> tuple[NDArray[np.float64], bool]:
    """Times of shape (n,) as seconds, and whether times that differ are different numbers of seconds, too.

    Args:
        times: datetime64 or timedelta64; months and years of the latter have no length, and are counted.
    """
    kind, unit = times.dtype.kind, np.datetime_data(times.dtype)[0]
    unit = "D" if kind == "M" and unit in "YM" else unit
    whole = times.astype(f"{kind}8[{unit}]").astype(np.int64)
    floats = whole.astype(np.float64) * _SECONDS.get(unit, 1.0) / _PARTS.get(unit, 1.0)
    return floats, len(np.unique(whole)) == len(np.unique(floats))
