"""A request body as one problem: strict JSON, and nothing of it ever repeated in an answer.

Python's json module would take duplicate keys (the last one wins), a byte order mark and UTF-16;
numpy would take booleans and text. The literals NaN and Infinity are read, to be refused with their
place.
"""

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mizzle import wire
from mizzle.arrays import FloatArray, check_pair
from mizzle.errors import InvalidLevel, InvalidRequest, PrecisionLoss, TooLarge

INLINE_BYTES = 64 * 1024
MAX_LEVELS = 99
_FIELDS = frozenset({"x", "y", "levels"})


class Asked(NamedTuple):
    """A checked request: two tables and the levels to answer at (None: the model's own grid)."""

    x: FloatArray
    y: FloatArray
    levels: tuple[float, ...] | None


async def read(request: Request, max_bytes: int, seconds: float) -> bytes:
    """The whole body, counted while it arrives.

    Raises:
        TooLarge: by the declared length before a byte is read, or by the bytes that came.
        HTTPException: 415 for another media type or encoding, 408 for a body that does not arrive.
    """
    _check_headers(request, max_bytes)
    chunks, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
    except TimeoutError:
        raise HTTPException(408) from None
    return b"".join(chunks)


def _check_headers(request: Request, max_bytes: int) -> None:
    media, *parameters = map(str.strip, request.headers.get("content-type", "").lower().split(";"))
    charsets = [p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")]
    encoded = request.headers.get("content-encoding", "identity").lower() != "identity"
    if media != "application/json" or encoded:
        raise HTTPException(415)
    if any(charset != "utf-8" for charset in charsets):
        raise HTTPException(415)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"the body is larger than {max_bytes} bytes; send fewer rows or columns")


def parse(body: bytes, grid: Sequence[float]) -> Asked:
    """The problem in a body.

    Args:
        grid: the model's levels, which bound the levels that can be asked for.

    Raises:
        InvalidInput: the body is no JSON object of the documented form, or holds no valid problem.
    """
    fields = _object(body)
    levels = _levels(fields.get("levels", list(wire.DEFAULT_LEVELS)), grid)
    x, y = check_pair(_array(fields, "x"), _array(fields, "y"))
    return Asked(x, y, levels)


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body.decode(), object_pairs_hook=_unique)
    except InvalidRequest:  # of `_unique`; a ValueError like the ones below
        raise
    except UnicodeDecodeError:
        raise InvalidRequest("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"the body is no JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise InvalidRequest("the body is nested too deeply; lists nest two deep") from None
    except ValueError:  # Python reads integers of up to 4300 digits
        raise PrecisionLoss("the body has an integer of thousands of digits; send floats") from None
    if not isinstance(fields, dict):
        raise InvalidRequest("the body must be a JSON object with x and y")
    if not fields.keys() <= _FIELDS:
        raise InvalidRequest("the body has an unknown field; the fields are x, y and levels")
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise InvalidRequest("a field occurs twice in one JSON object; each may occur once")
    return fields


def _array(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise InvalidRequest(f"the field {name} is missing; send x and y as lists of rows")
    return fields[name]


def _levels(asked: Any, grid: Sequence[float]) -> tuple[float, ...] | None:
    """Quantile levels: "all", or an increasing list inside the model's grid."""
    if asked == wire.ALL:
        return None
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_LEVELS:
        raise InvalidLevel(f'levels must be "all" or a list of 1 to {MAX_LEVELS} numbers')
    if not all(type(q) in (float, int) and grid[0] <= q <= grid[-1] for q in asked):
        raise InvalidLevel(f"every level must be a number from {grid[0]} to {grid[-1]}")
    if any(a >= b for a, b in pairwise(asked)):
        raise InvalidLevel("levels must increase, without repeats")
    return tuple(map(float, asked))
