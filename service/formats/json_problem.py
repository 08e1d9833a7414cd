"""JSON bodies: an object with x, y and levels, or a list of such objects."""

from collections.abc import Sequence
from typing import Any

from mizzle import wire
from mizzle.errors import InvalidInput, InvalidRequest
from mizzle.service.formats.json_reader import JsonText
from mizzle.service.formats.problem import Problem, checked, levels_of

_PROBLEM, _BATCH = ("x", "y", "levels"), ("problems", "levels")
_USUAL = list(wire.DEFAULT_LEVELS)


def one(content: bytes, grid: Sequence[float]) -> Problem:
    """The problem in a body; see `formats.read_one`."""
    text = JsonText(content)
    _check_object(text, "x and y")
    fields = _fields(text)
    text.end()
    return _problem(fields, _USUAL, grid)


def many(content: bytes, grid: Sequence[float], most: int) -> list[Problem | InvalidInput]:
    """The problems in a body; see `formats.read_many`."""
    text = JsonText(content)
    _check_object(text, "problems, a list of objects with x and y")
    fields = text.fields({"problems": lambda: _problems(text, most), "levels": text.aside})
    text.end()
    _check_names(fields, _BATCH)
    problems, usual = fields.get("problems"), fields.get("levels", _USUAL)
    if not problems:
        raise InvalidRequest(
            "the body has no problems; send the field problems, a list of objects with x and y"
        )
    levels_of(usual, grid)
    return [_kept(problem, usual, grid) for problem in problems]


def _problems(text: JsonText, most: int) -> list[dict[str, Any] | None] | None:
    if text.at("["):
        return text.items(lambda: _problem_or_none(text), most)
    text.skip()
    return None


def _problem_or_none(text: JsonText) -> dict[str, Any] | None:
    if text.at("{"):
        return _fields(text)
    text.skip()
    return None


def _fields(text: JsonText) -> dict[str, Any]:
    return text.fields({"x": lambda: text.table("x"), "y": lambda: text.table("y"), "levels": text.aside})


def _kept(fields: dict[str, Any] | None, usual: Any, grid: Sequence[float]) -> Problem | InvalidInput:
    try:
        return _problem(fields, usual, grid)
    except InvalidInput as error:
        return error


def _problem(fields: dict[str, Any] | None, usual: Any, grid: Sequence[float]) -> Problem:
    if fields is None:
        raise InvalidRequest("the problem is no JSON object; send an object with x and y")
    _check_names(fields, _PROBLEM)
    levels = levels_of(fields.get("levels", usual), grid)
    return checked(_table(fields, "x"), _table(fields, "y"), levels)


def _table(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise InvalidRequest(f"the field {name} is missing; send x and y as lists of rows")
    if isinstance(fields[name], InvalidInput):
        raise fields[name]
    return fields[name]


def _check_object(text: JsonText, fields: str) -> None:
    if not text.at("{"):
        text.skip()
        text.end()
        raise InvalidRequest(f"the body is JSON, but no object; send a JSON object with {fields}")


def _check_names(fields: dict[str, Any], known: tuple[str, ...]) -> None:
    if not fields.keys() <= set(known):
        raise InvalidRequest(f"there is an unknown field; the fields are {', '.join(known)}")
