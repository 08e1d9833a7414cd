"""What a request asks for once its body is read, whatever its format."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from mizzle import wire
from mizzle.data.arrays import FloatArray, check_pair
from mizzle.errors import InvalidLevel, InvalidRequest, TooLarge

MAX_LEVELS = 99
LEVEL_PATTERN = r"[0-9]{0,3}\.?[0-9]{1,30}([eE][+-]?[0-9]{1,3})?"  # /openapi.json says so


class Problem(NamedTuple):
    """A checked request: two tables and the levels to answer at (None: the model's own grid).

    The arrays are float64 of shape (n, dx) and (n, dy). They may share the body's memory, and then cannot be
    written to.
    """

    x: FloatArray
    y: FloatArray
    levels: tuple[float, ...] | None


def check_count(count: int, most: int) -> None:
    """Whether a request may ask for so many problems.

    Raises:
        InvalidRequest, TooLarge: for none, and for too many.
    """
    if count == 0:
        raise InvalidRequest("there is no problem in the request; send at least one")
    if count > most:
        raise TooLarge(f"the request has more than {most} problems; send at most {most} at once")


def checked(x: Any, y: Any, levels: tuple[float, ...] | None) -> Problem:
    """A request of two arrays of any kind.

    Raises:
        InvalidInput: as `mizzle.data.arrays.check_pair`.
    """
    return Problem(*check_pair(x, y), levels)


def levels_of(asked: Any, grid: Sequence[float]) -> tuple[float, ...] | None:
    """Quantile levels: "all", or an increasing list inside the model's grid.

    Raises:
        InvalidLevel: neither.
    """
    if asked == wire.ALL:
        return None
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_LEVELS:
        raise InvalidLevel(f'levels must be "all" or a list of 1 to {MAX_LEVELS} numbers')
    if not all(type(q) in (float, int) and grid[0] <= q <= grid[-1] for q in asked):
        raise InvalidLevel(f"every level must be a number from {grid[0]} to {grid[-1]}")
    if any(a >= b for a, b in pairwise(asked)):
        raise InvalidLevel("levels must increase, without repeats")
    return tuple(map(float, asked))


def levels_in_text(text: str | None, grid: Sequence[float]) -> tuple[float, ...] | None:
    """Levels between commas, or "all"; the default where there is no text.

    Raises:
        InvalidLevel: neither.
    """
    if text is None:
        return levels_of(list(wire.DEFAULT_LEVELS), grid)
    if text == wire.ALL:
        return None
    parts = text.split(",", MAX_LEVELS)
    # float() would take underscores, spaces and words.
    if not all(re.fullmatch(LEVEL_PATTERN, part) for part in parts):
        raise InvalidLevel(f'levels must be "all" or 1 to {MAX_LEVELS} numbers between commas')
    return levels_of(list(map(float, parts)), grid)
