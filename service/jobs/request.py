"""What a job asks for: a table in one of three formats, and how it is to be read.

The fields are those of `mizzle.matrix` and `mizzle.rank`. Pure functions of bytes. Names of columns are data:
no error here repeats one; columns are counted from 0 instead.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mizzle.data.arrays import MIN_ROWS
from mizzle.data.columns import named
from mizzle.errors import (
    InvalidLevel,
    InvalidRequest,
    InvalidShape,
    MissingColumn,
    TooFewSamples,
    TooLarge,
    UnsupportedMedia,
)
from mizzle.service.formats import npy_problem, safetensors_problem
from mizzle.service.formats.json_reader import parsed
from mizzle.service.formats.registry import JSON, MEDIA_TYPES, NPY, SAFETENSORS
from mizzle.tables.plan import Plan
from mizzle.tables.results import check_threshold
from mizzle.tables.variables import variables
from mizzle.types import interval_levels

LONGEST_JSON = 256 * 1024  # bytes; such a body becomes Python objects in one piece
LONGEST_NAME = 200
TABLE, METADATA = "table", "job"
_FIELDS = ("columns", "what", "target", "groups", "missing", "level", "unit", "threshold")
_QUERY = ("what", "target", "missing", "level", "unit", "threshold")
_LARGEST = 2**53
_NUMBER = re.compile(r"[0-9]{0,30}\.?[0-9]{1,30}(?:[eE][+-]?[0-9]{1,3})?")
WORDS = {"what": ("matrix", "rank"), "missing": ("raise", "drop"), "unit": ("nats", "bits")}


@dataclass(frozen=True)
class JobAsk:
    """A table and what is asked about it.

    Attributes:
        table: columns by name, each an array or a list of n cells.
        groups: names of further variables, each with the columns that it consists of.
        target: for "rank", the name of a column or group; None for "matrix".
    """

    table: Mapping[str, Any]
    groups: Mapping[str, list[str]]
    what: str = "matrix"
    target: str | None = None
    missing: Any = "raise"
    level: float = 0.9
    unit: Any = "nats"
    threshold: float = 0.02

    def nameless(self) -> "JobAsk":
        """The same with columns c0, c1, .. and groups g0, g1, ..: what is said of it repeats no name."""
        columns = {name: f"c{j}" for j, name in enumerate(self.table)}
        groups = {name: f"g{k}" for k, name in enumerate(self.groups)}
        return replace(
            self,
            table={columns[name]: cells for name, cells in self.table.items()},
            groups={groups[name]: [columns[part] for part in parts] for name, parts in self.groups.items()},
            target=None if self.target is None else (columns | groups)[self.target],
        )


def read(media: str, content: bytes, query: Mapping[str, str]) -> JobAsk:
    """What a body asks for.

    Args:
        query: parameters of the address, which only .npy has; it has no place for names.

    Raises:
        InvalidInput: the body cannot be read, or is not of the documented form.
    """
    if media not in MEDIA_TYPES:
        raise UnsupportedMedia(f"the media type must be one of {', '.join(sorted(MEDIA_TYPES))}")
    if media != NPY and query:
        raise InvalidRequest(f"the address has parameters; only {NPY} takes any, others have fields")
    if media == NPY:
        return _ask(named(npy_problem.array(content)), _queried(query))
    table, fields = _json(content) if media == JSON else _safetensors(content)
    return _ask(table, fields)


def plan_of(ask: JobAsk, most_pairs: int) -> Plan:
    """The pairs that are to be asked.

    Raises:
        InvalidInput: the table cannot be used; TooLarge for more pairs than that.
    """
    found = variables(ask.table, None, ask.groups, ask.missing, ask.target)
    if len(found[0].values) < MIN_ROWS:
        raise TooFewSamples(f"the table has {len(found[0].values)} rows; at least {MIN_ROWS} are needed")
    count = len(found) - 1 if ask.target is not None else len(found) * (len(found) - 1) // 2
    if count > most_pairs:
        raise TooLarge(f"the job has {count} pairs; this service takes {most_pairs}: send fewer columns")
    return Plan.all_pairs(found) if ask.target is None else Plan.with_last(found)


def check(ask: JobAsk, levels: Sequence[float], most_cells: int, most_pairs: int) -> int:
    """How many pairs a job has that this service can do.

    Args:
        levels: the model's.

    Raises:
        InvalidInput: it cannot be done; the message names no column.
    """
    first = next(iter(ask.table.values()), ())
    if len(first) * len(ask.table) > most_cells:
        raise TooLarge(f"the table has more than {most_cells} cells; send fewer rows or columns")
    low, high = interval_levels(ask.level)
    if low < levels[0] or high > levels[-1]:
        raise InvalidLevel(f"level must be at most {round(1 - 2 * levels[0], 12)}, which the model covers")
    return len(plan_of(ask.nameless(), most_pairs).places)


def _json(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(content) > LONGEST_JSON:
        raise TooLarge(
            f"a job in JSON has at most {LONGEST_JSON} bytes; send a larger table as {SAFETENSORS}"
        )
    fields = _object(parsed(content), "the body")
    rows = fields.pop(TABLE, None)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise InvalidShape("the field table must be a list of rows, each a list with a cell for every column")
    if any(isinstance(cell, str) and len(cell) > LONGEST_NAME for row in rows for cell in row):
        raise InvalidRequest(f"a cell of the table is a text of more than {LONGEST_NAME} characters")
    return named(rows), fields


def _safetensors(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    found, metadata = safetensors_problem.parts(content)
    if set(found) != {TABLE} or not set(metadata) <= {METADATA}:
        raise InvalidRequest(
            f"the file must hold one tensor, {TABLE}, and in its metadata nothing but {METADATA}"
        )
    if found[TABLE].ndim != 2:
        raise InvalidShape(f"the tensor {TABLE} has {found[TABLE].ndim} dimensions; send one of shape [n, p]")
    table, text = found[TABLE], metadata.get(METADATA, "{}")
    if table.dtype.kind == "b":
        table = table.astype(np.uint8)  # by the million, Python's own booleans would take seconds
    return named(table), _object(parsed(text.encode(errors="surrogatepass")), METADATA)


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} is JSON, but no object; send the documented fields")
    return value


def _queried(query: Mapping[str, str]) -> dict[str, Any]:
    pairs = getattr(query, "multi_items", query.items)()
    if not set(query) <= set(_QUERY) or len(pairs) > len(query):
        raise InvalidRequest(f"the address takes the parameters {', '.join(_QUERY)}, each once")
    numbers = {name: _number(name, query[name]) for name in ("level", "threshold") if name in query}
    return {**query, **numbers}


def _number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):  # float() would take underscores, spaces and words
        raise InvalidRequest(f"{name} must be a number")
    return float(text)


def _ask(table: dict[str, Any], fields: dict[str, Any]) -> JobAsk:
    """The table under its columns' names, and the fields, checked."""
    if not set(fields) <= set(_FIELDS):
        raise InvalidRequest(f"there is an unknown field; the fields are {', '.join((TABLE, *_FIELDS))}")
    names = _names(fields.pop("columns", list(table)), "columns")
    if len(names) != len(table):
        raise InvalidRequest(f"there are {len(names)} names of columns and {len(table)} columns")
    groups = _groups(fields.pop("groups", {}), names)
    for name, words in WORDS.items():
        if name in fields and fields[name] not in words:
            raise InvalidRequest(f"{name} must be one of {', '.join(words)}")
    _check_numbers(fields)
    found = JobAsk(dict(zip(names, table.values(), strict=True)), groups, **fields)
    _check_target(found)
    return found


def _names(found: Any, what: str) -> list[str]:
    """A list of different names."""
    if not isinstance(found, list) or not all(map(_is_name, found)):
        raise InvalidRequest(f"{what} must be a list of names: texts of 1 to {LONGEST_NAME} characters")
    if len(set(found)) < len(found):
        raise InvalidRequest(f"{what} has a name twice; every name may occur once")
    return found


def _is_name(name: Any) -> bool:
    """Whether it is text that can be written as UTF-8, of bounded length."""
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _groups(found: Any, names: list[str]) -> dict[str, list[str]]:
    if not isinstance(found, dict) or not all(map(_is_name, found)):
        raise InvalidRequest("groups must be an object of names, each with a list of names of columns")
    groups = {name: _names(parts, "a group") for name, parts in found.items()}
    inside = {part for parts in groups.values() for part in parts}
    if not all(groups.values()) or set(groups) & (set(names) - inside):
        raise InvalidRequest("a group is empty, or has the name of a column that stands by itself")
    if not inside <= set(names):
        raise MissingColumn("a group names a column that the table does not have")
    return groups


def _check_numbers(fields: dict[str, Any]) -> None:
    level = fields.get("level", 0.9)
    if type(level) not in (int, float) or not 0 < level < 1:
        raise InvalidLevel("level must be a number between 0 and 1, say 0.9")
    threshold = fields.get("threshold", 0.0)
    if type(threshold) is int and threshold > _LARGEST:  # more than a float could hold, perhaps
        raise InvalidRequest("threshold must be a number in the unit of the answer, say 0.02")
    if "threshold" in fields:
        fields["threshold"] = check_threshold(threshold)


def _check_target(ask: JobAsk) -> None:
    if (ask.what == "rank") != (ask.target is not None):
        raise InvalidRequest("rank needs a target, the name of a column or group; matrix takes none")
    if ask.target is not None and (
        not isinstance(ask.target, str) or ask.target not in {*ask.table, *ask.groups}
    ):
        raise MissingColumn("target names neither a column nor a group")


def head(ask: JobAsk, plan: Plan) -> str:
    """What the result says besides its pairs, as JSON."""
    rest = {"level": ask.level, "unit": ask.unit, "threshold": ask.threshold}
    return json.dumps({"what": ask.what, "names": plan.names, **rest})
