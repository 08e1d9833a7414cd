"""What a request asks for once its body is read, whatever its format."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from mizzle import wire
from mizzle.data.arrays import FloatArray
from mizzle.data.samples import Missing, Sample, read_sample, read_triple
from mizzle.errors import InvalidInput, InvalidLevel, InvalidRequest, TooLarge, TooManyColumns
from mizzle.estimator import TripleLike, triple
from mizzle.types import DEFAULT_UNIT, Estimate, Notice, Unit

Error = TypeVar("Error", bound=BaseException)
MAX_LEVELS = 99
LEVEL_PATTERN = r"[0-9]{0,3}\.?[0-9]{1,30}([eE][+-]?[0-9]{1,3})?"  # /openapi.json says so


_MAX_READ_COLUMNS = 256  # of labels, times or gaps: more than any model covers, in some 20 ms
_WORDS = {"missing": ("raise", "drop"), "unit": ("nats", "bits")}


class Options(NamedTuple):
    """What a request says besides its samples.

    Attributes:
        levels: to answer at; None for the model's own grid.
        missing: what becomes of rows with missing cells.
        unit: of the answer.
    """

    levels: tuple[float, ...] | None
    missing: Missing = "raise"
    unit: Unit = DEFAULT_UNIT


class Problem(NamedTuple):
    """A checked request: two tables and the levels to answer at (None: the model's own grid).

    The arrays are float64 of shape (n, dx) and (n, dy). They may share the body's memory, and then cannot be
    written to.

    Attributes:
        unit: of the answer.
        notices: what was assumed about the tables or left out of them.
        triple: the problem with what is given, where I(X;Y|Z) is asked for; it has problems of its own.
    """

    x: FloatArray
    y: FloatArray
    levels: tuple[float, ...] | None
    unit: Unit = DEFAULT_UNIT
    notices: tuple[Notice, ...] = ()
    triple: TripleLike | None = None

    def answer(self, estimate: Estimate) -> dict[str, Any]:
        """The estimate of this problem, as the JSON object of the interface."""
        noted = Sample(self.x, self.y, self.notices).noted(estimate)
        return wire.answer(noted.to(self.unit), self.levels)


def held_bytes(problems: Iterable[Problem | InvalidInput]) -> int:
    """What the arrays of problems take."""
    return sum(
        sum(side.nbytes for pair in ((p.x, p.y), *(p.triple.problems if p.triple else ())) for side in pair)
        for p in problems
        if isinstance(p, Problem)
    )


def checked_problem(x: Any, y: Any, options: Options, z: Any = None) -> Problem:
    """A problem of two arrays of any kind, or of three.

    Raises:
        InvalidInput: as `mizzle.data.samples.read_sample`; TooManyColumns of what is given.
    """
    if z is not None:
        read = read_triple(x, y, z, options.missing, _MAX_READ_COLUMNS)
        if read.z.shape[1] > _MAX_READ_COLUMNS:
            raise TooManyColumns(f"given has {read.z.shape[1]} columns; choose fewer")
        prepared = triple(read.x, read.y, read.z)
        return Problem(read.x, read.y, options.levels, options.unit, read.notices, prepared)
    sample = read_sample(x, y, options.missing, _MAX_READ_COLUMNS)
    return Problem(sample.x, sample.y, options.levels, options.unit, sample.notices)


def check_words(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields `missing` and `unit` of those that a request has.

    Raises:
        InvalidRequest: one is none of its words.
    """
    words = {name: fields[name] for name in _WORDS if name in fields}
    for name, word in words.items():
        if word not in _WORDS[name]:
            raise InvalidRequest(f"{name} must be one of {', '.join(_WORDS[name])}")
    return words


def problem_or_error(make: Callable[..., Problem], *arguments: Any) -> Problem | InvalidInput:
    """What `make` answers, or the refusal that it raises: of many problems, each has its own."""
    try:
        return make(*arguments)
    except InvalidInput as error:
        return as_answer(error)


def as_answer(error: Error) -> Error:
    """An error that is given as an answer: without the frames that it went through, which hold the data."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


def check_count(count: int, max_problems: int) -> None:
    """Whether a request may ask for so many problems.

    Raises:
        InvalidRequest, TooLarge: for none, and for too many.
    """
    if count == 0:
        raise InvalidRequest("there is no problem in the request; send at least one")
    if count > max_problems:
        raise TooLarge(
            f"the request has more than {max_problems} problems; send at most {max_problems} at once"
        )


def check_levels(value: Any, grid: Sequence[float]) -> tuple[float, ...] | None:
    """Quantile levels: "all" (None), or an increasing list inside the model's grid.

    Raises:
        InvalidLevel: neither.
    """
    if value == wire.ALL:
        return None
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_LEVELS:
        raise InvalidLevel(f'levels must be "all" or a list of 1 to {MAX_LEVELS} numbers')
    if not all(type(q) in (float, int) and grid[0] <= q <= grid[-1] for q in value):
        raise InvalidLevel(f"every level must be a number from {grid[0]} to {grid[-1]}")
    if any(a >= b for a, b in pairwise(value)):
        raise InvalidLevel("levels must increase, without repeats")
    return tuple(map(float, value))


def parse_levels(text: str | None, grid: Sequence[float]) -> tuple[float, ...] | None:
    """Quantile levels from a text: numbers between commas, or "all"; the default where there is no text.

    Raises:
        InvalidLevel: neither.
    """
    if text is None:
        return check_levels(list(wire.DEFAULT_LEVELS), grid)
    if text == wire.ALL:
        return None
    parts = text.split(",", MAX_LEVELS)
    # float() would take underscores, spaces and words.
    if not all(re.fullmatch(LEVEL_PATTERN, part) for part in parts):
        raise InvalidLevel(f'levels must be "all" or 1 to {MAX_LEVELS} numbers between commas')
    return check_levels(list(map(float, parts)), grid)
