"""Dates, times and time differences as seconds: only their order counts, so the origin does not."""

import datetime
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.data import iso_times

DIFFERENCE, DATE, CLOCK = "time differences", "dates", "times of day"
PLAIN, ZONED = "times", "times of a zone"
KINDS = (DIFFERENCE, DATE, CLOCK, PLAIN, ZONED)
_DAY = datetime.date(1970, 1, 1)
_SECONDS = {"W": 604800.0, "D": 86400.0, "h": 3600.0, "m": 60.0}
_FINE = ("ns", "ps", "fs", "as")  # below the microseconds of Python's own types
_NUMPY = (np.datetime64, np.timedelta64)
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
    if kind == ZONED:  # by numpy: in UTC, the last days of Python's years would be none of its own
        offsets = np.array([cell.utcoffset() or datetime.timedelta(0) for cell in cells], dtype="m8[us]")
        utc: NDArray[Any] = array(PLAIN, [cell.replace(tzinfo=None) for cell in cells]) - offsets
        return utc
    if kind == CLOCK:
        cells = [datetime.datetime.combine(_DAY, cell.replace(tzinfo=None)) for cell in cells]
    cells = [cell.to_numpy() if hasattr(cell, "to_numpy") else cell for cell in cells]  # of pandas, to the ns
    fine = any(isinstance(cell, _NUMPY) and np.datetime_data(cell.dtype)[0] in _FINE for cell in cells)
    unit = "D" if kind == DATE else "ns" if fine else "us"
    return np.array(cells, dtype=f"{'m8' if kind == DIFFERENCE else 'M8'}[{unit}]")


def of_text(texts: Collection[str]) -> dict[str, np.datetime64] | None:
    """The times that texts say as ISO 8601, those of a zone in UTC; None unless all do, in one form."""
    parsed = iso_times.times(list(texts)) if texts else None
    return None if parsed is None else dict(zip(texts, parsed, strict=True))


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
