"""Dates and times as text, in the order of ISO 8601: year, month, day, clock, zone."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_TIME = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month_alone>\d\d)|(?P<mark>[-/])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
    r"(?:[T ](?P<clock>\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?) ?(?P<zone>Z|UTC|[+-]\d\d(?::?\d\d)?)?)?)",
    re.ASCII,
)
_NANOSECONDS = range(1678, 2262)  # years in which they can be counted in 64 bits


def times(texts: Sequence[str]) -> NDArray[np.datetime64] | None:
    """Times as datetime64 of shape (n,), those of a zone in UTC; None where one of the texts is none.

    Some with and some without a zone cannot be compared, and are none either.
    """
    matches = [_TIME.fullmatch(text.strip()) for text in texts]
    parts = [match.groupdict() for match in matches if match]
    if len(parts) < len(texts) or len({part["zone"] is None for part in parts}) != 1:
        return None
    fine = any(len(part["clock"] or "") > len("hh:mm:ss.ffffff") for part in parts)
    unit = "ns" if fine and all(int(part["year"]) in _NANOSECONDS for part in parts) else "us"
    try:
        local = np.array([_iso(part) for part in parts], dtype=f"M8[{unit}]")
    except ValueError:  # a 13th month, say
        return None
    ahead = np.array([_minutes(part["zone"]) for part in parts], dtype="m8[m]")
    return np.asarray(local - ahead, dtype=local.dtype)


def _iso(part: dict[str, str | None]) -> str:
    if part["month_alone"]:
        return f"{part['year']}-{part['month_alone']}"
    clock = f"T{part['clock'].replace(',', '.')}" if part["clock"] else ""
    return f"{part['year']}-{part['month']}-{part['day']}{clock}"


def _minutes(zone: str | None) -> int:
    """How far a zone is ahead of UTC."""
    if zone is None or zone in ("Z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = 60 * int(digits[:2]) + int(digits[2:])
    return -minutes if zone[0] == "-" else minutes
