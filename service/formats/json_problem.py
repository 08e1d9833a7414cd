"""JSON bodies: an object with x, y and options, or a list of such objects."""

from collections.abc import Sequence
from typing import Any

from mizzle import wire
from mizzle.errors import InvalidInput, InvalidRequest
from mizzle.service.formats.json_reader import parse_json
from mizzle.service.formats.problem import (
    Options,
    Problem,
    check_count,
    check_levels,
    check_words,
    checked_problem,
    problem_or_error,
)

_PROBLEM, _BATCH = ("x", "y", "given", *Options._fields), ("problems", *Options._fields)
_DEFAULT = list(wire.DEFAULT_LEVELS)


def parse_problem(content: bytes, grid: Sequence[float]) -> Problem:
    """The problem in a body; see `registry.parse_problem`."""
    return _problem(_object(content, "x and y"), {}, grid)


def parse_batch(content: bytes, grid: Sequence[float], max_problems: int) -> list[Problem | InvalidInput]:
    """The problems in a body; see `registry.parse_batch`."""
    fields = _object(content, "problems, a list of objects with x and y")
    _check_names(fields, _BATCH)
    problems = fields.pop("problems", None)
    if not isinstance(problems, list) or not problems:
        raise InvalidRequest(
            "the body has no problems; send the field problems, a list of objects with x and y"
        )
    check_count(len(problems), max_problems)
    _options(fields, grid)
    return [problem_or_error(_problem, problem, fields, grid) for problem in problems]


def _object(content: bytes, fields: str) -> dict[str, Any]:
    value = parse_json(content)
    if not isinstance(value, dict):
        raise InvalidRequest(f"the body is JSON, but no object; send a JSON object with {fields}")
    return value


def _problem(value: Any, defaults: dict[str, Any], grid: Sequence[float]) -> Problem:
    """One problem; `defaults` are the options of one that names none of its own."""
    if not isinstance(value, dict):
        raise InvalidRequest("the problem is no JSON object; send an object with x and y")
    _check_names(value, _PROBLEM)
    for name in ("x", "y"):
        if name not in value:
            raise InvalidRequest(f"the field {name} is missing; send x and y as lists of rows")
    options = _options({**defaults, **value}, grid)
    return checked_problem(value["x"], value["y"], options, value.get("given"))


def _options(fields: dict[str, Any], grid: Sequence[float]) -> Options:
    return Options(check_levels(fields.get("levels", _DEFAULT), grid), **check_words(fields))


def _check_names(fields: dict[str, Any], known: tuple[str, ...]) -> None:
    if not fields.keys() <= set(known):
        raise InvalidRequest(f"there is an unknown field; the fields are {', '.join(known)}")
