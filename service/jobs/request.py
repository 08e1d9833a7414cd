"""Parse the request of a job: a table in one of three formats, and what is to be computed of it.

The fields are those of `mizzle.matrix` and `mizzle.rank`. Pure functions of bytes. Names of columns are data:
no error here repeats one; columns are counted from 0 instead.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mizzle.data.arrays import MIN_ROWS
from mizzle.data.frames import named_columns
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
from mizzle.service.formats.json_reader import parse_json
from mizzle.service.formats.registry import JSON, MEDIA_TYPES, NPY, SAFETENSORS
from mizzle.tables.plan import Plan
from mizzle.tables.results import check_threshold
from mizzle.tables.variables import variables
from mizzle.types import DEFAULT_LEVEL, DEFAULT_THRESHOLD, DEFAULT_UNIT, interval_levels

MAX_JSON_BYTES = 256 * 1024  # such a body becomes Python objects in one piece
MAX_NAME_LENGTH = 200
_TABLE, _METADATA = "table", "job"
_FIELDS = ("columns", "what", "target", "groups", "missing", "level", "unit", "threshold")
_QUERY = ("what", "target", "missing", "level", "unit", "threshold")
_MAX_INTEGER = 2**53  # a larger one may be more than a float can hold
_NUMBER = re.compile(r"[0-9]{0,30}\.?[0-9]{1,30}(?:[eE][+-]?[0-9]{1,3})?")
_CHOICES = {"what": ("matrix", "rank"), "missing": ("raise", "drop"), "unit": ("nats", "bits")}


@dataclass(frozen=True)
class JobSpec:
    """A table and what is to be computed of it.

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
    level: float = DEFAULT_LEVEL
    unit: Any = DEFAULT_UNIT
    threshold: float = DEFAULT_THRESHOLD

    def without_names(self) -> "JobSpec":
        """Return the same with columns c0, c1, .. and groups g0, g1, .., so that no error repeats a name."""
        columns = {name: f"c{j}" for j, name in enumerate(self.table)}
        groups = {name: f"g{k}" for k, name in enumerate(self.groups)}
        return replace(
            self,
            table={columns[name]: cells for name, cells in self.table.items()},
            groups={groups[name]: [columns[part] for part in parts] for name, parts in self.groups.items()},
            target=None if self.target is None else (columns | groups)[self.target],
        )


@dataclass(frozen=True)
class JobBounds:
    """What one job may hold.

    Attributes:
        cells: of its table, where a column counts again in every group that has it.
    """

    pairs: int = 20_000
    cells: int = 4_000_000

    @property
    def columns(self) -> int:
        """Of its table: as many as a ranking may have."""
        return self.pairs + 1

    def check_table(self, rows: int, columns: int) -> None:
        """Check the size of a table, before there is an object for every column.

        Raises:
            TooLarge: it has too many cells or columns.
        """
        if rows * columns > self.cells:
            raise TooLarge(f"the table has more than {self.cells} cells; send fewer rows or columns")
        if columns > self.columns:
            raise TooLarge(f"the table has more than {self.columns} columns; send fewer columns")

    def check_pairs(self, count: int) -> None:
        """Check the number of pairs.

        Raises:
            TooLarge: there are too many.
        """
        if count > self.pairs:
            raise TooLarge(f"the job has {count} pairs; this service takes {self.pairs}: send fewer columns")


def parse(media: str, content: bytes, query: Mapping[str, str], bounds: JobBounds | None = None) -> JobSpec:
    """Return what a body specifies.

    Args:
        query: parameters of the address, which only .npy has; it has no place for names.

    Raises:
        InvalidInput: the body cannot be read, or is not of the documented form.
    """
    bounds = bounds or JobBounds()
    if media not in MEDIA_TYPES:
        raise UnsupportedMedia(f"the media type must be one of {', '.join(sorted(MEDIA_TYPES))}")
    if media != NPY and query:
        raise InvalidRequest(f"the address has parameters; only {NPY} takes any, others have fields")
    if media == NPY:
        return _make_spec(_columns(npy_problem.read_array(content), bounds), _query_fields(query))
    table, fields = _json(content) if media == JSON else _safetensors(content, bounds)
    return _make_spec(table, fields)


def make_plan(spec: JobSpec, bounds: JobBounds) -> Plan:
    """Return the pairs that are to be estimated.

    Raises:
        InvalidInput: the table cannot be used; TooLarge for more pairs or cells than `bounds`.
    """
    _check_size(spec, bounds)
    used = variables(spec.table, None, spec.groups, spec.missing, spec.target)
    rows = used[0].rows
    if rows < MIN_ROWS:
        raise TooFewSamples(f"the table has {rows} rows; at least {MIN_ROWS} are needed")
    bounds.check_pairs(_pairs(spec, len(used)))
    return Plan.all_pairs(used) if spec.target is None else Plan.with_last(used)


def count_pairs(spec: JobSpec, levels: Sequence[float], bounds: JobBounds) -> int:
    """Check that this service can do a job, and return how many pairs it has.

    Args:
        levels: quantile levels of the model.

    Raises:
        InvalidInput: it cannot be done; the message names no column.
    """
    _check_size(spec, bounds)
    low, high = interval_levels(spec.level)
    if low < levels[0] or high > levels[-1]:
        raise InvalidLevel(f"level must be at most {round(1 - 2 * levels[0], 12)}, which the model covers")
    return len(make_plan(spec.without_names(), bounds).places)


def _check_size(spec: JobSpec, bounds: JobBounds) -> None:
    """Count pairs and cells from the names alone, before any column is read.

    Raises:
        TooLarge: there are too many; of pairs only where no column of text may be left out yet.
    """
    first = next(iter(spec.table.values()), ())
    bounds.check_table(len(first), len(spec.table))
    grouped = {part for parts in spec.groups.values() for part in parts}
    alone = len(spec.table) - len(grouped) + (spec.target in grouped and spec.target not in spec.groups)
    cells = len(first) * (alone + sum(map(len, spec.groups.values())))
    if cells > bounds.cells:
        raise TooLarge(
            f"columns and groups have more than {bounds.cells} cells; send fewer or smaller groups"
        )
    if isinstance(first, np.ndarray):
        bounds.check_pairs(_pairs(spec, alone + len(spec.groups)))


def _pairs(spec: JobSpec, p: int) -> int:
    """Return how many pairs p variables have."""
    return p - 1 if spec.target is not None else p * (p - 1) // 2


def _columns(array: np.ndarray[Any, Any], bounds: JobBounds) -> dict[str, Any]:
    bounds.check_table(*array.shape)
    return named_columns(array)


def _json(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(content) > MAX_JSON_BYTES:
        raise TooLarge(
            f"a job in JSON has at most {MAX_JSON_BYTES} bytes; send a larger table as {SAFETENSORS}"
        )
    fields = _object(parse_json(content), "the body")
    rows = fields.pop(_TABLE, None)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise InvalidShape("the field table must be a list of rows, each a list with a cell for every column")
    if any(isinstance(cell, str) and len(cell) > MAX_NAME_LENGTH for row in rows for cell in row):
        raise InvalidRequest(f"a cell of the table is a text of more than {MAX_NAME_LENGTH} characters")
    return named_columns(rows), fields


def _safetensors(content: bytes, bounds: JobBounds) -> tuple[dict[str, Any], dict[str, Any]]:
    tensors, metadata = safetensors_problem.read_tensors(content)
    if set(tensors) != {_TABLE} or not set(metadata) <= {_METADATA}:
        raise InvalidRequest(
            f"the file must hold one tensor, {_TABLE}, and in its metadata nothing but {_METADATA}"
        )
    table, text = tensors[_TABLE], metadata.get(_METADATA, "{}")
    if table.ndim != 2:
        raise InvalidShape(f"the tensor {_TABLE} has {table.ndim} dimensions; send one of shape [n, p]")
    if table.dtype.kind == "b":
        table = table.astype(np.uint8)  # by the million, Python's own booleans would take seconds
    return _columns(table, bounds), _object(parse_json(text.encode()), _METADATA)


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} is JSON, but no object; send the documented fields")
    return value


def _query_fields(query: Mapping[str, str]) -> dict[str, Any]:
    pairs = getattr(query, "multi_items", query.items)()
    if not set(query) <= set(_QUERY) or len(pairs) > len(query):
        raise InvalidRequest(f"the address takes the parameters {', '.join(_QUERY)}, each once")
    numbers = {name: _number(name, query[name]) for name in ("level", "threshold") if name in query}
    return {**query, **numbers}


def _number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):  # float() would take underscores, spaces and words
        raise InvalidRequest(f"{name} must be a number")
    return float(text)


def _make_spec(table: dict[str, Any], fields: dict[str, Any]) -> JobSpec:
    """Check the fields, and name the columns of the table by them."""
    if not set(fields) <= set(_FIELDS):
        raise InvalidRequest(f"there is an unknown field; the fields are {', '.join((_TABLE, *_FIELDS))}")
    names = _names(fields.pop("columns", list(table)), "columns")
    if len(names) != len(table):
        raise InvalidRequest(f"there are {len(names)} names of columns and {len(table)} columns")
    groups = _groups(fields.pop("groups", {}), names)
    for name, words in _CHOICES.items():
        if name in fields and fields[name] not in words:
            raise InvalidRequest(f"{name} must be one of {', '.join(words)}")
    _check_numbers(fields)
    spec = JobSpec(dict(zip(names, table.values(), strict=True)), groups, **fields)
    _check_target(spec)
    return spec


def _names(value: Any, what: str) -> list[str]:
    """Check that a field is a list of different names."""
    if not isinstance(value, list) or not all(map(_is_name, value)):
        raise InvalidRequest(f"{what} must be a list of names: texts of 1 to {MAX_NAME_LENGTH} characters")
    if len(set(value)) < len(value):
        raise InvalidRequest(f"{what} has a name twice; every name may occur once")
    return value


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 1 <= len(name) <= MAX_NAME_LENGTH


def _groups(value: Any, names: list[str]) -> dict[str, list[str]]:
    if not isinstance(value, dict) or not all(map(_is_name, value)):
        raise InvalidRequest("groups must be an object of names, each with a list of names of columns")
    groups = {name: _names(parts, "a group") for name, parts in value.items()}
    grouped = {part for parts in groups.values() for part in parts}
    if not all(groups.values()) or set(groups) & (set(names) - grouped):
        raise InvalidRequest("a group is empty, or has the name of a column that stands by itself")
    if not grouped <= set(names):
        raise MissingColumn("a group names a column that the table does not have")
    return groups


def _check_numbers(fields: dict[str, Any]) -> None:
    level = fields.get("level", DEFAULT_LEVEL)
    if type(level) not in (int, float) or not 0 < level < 1:
        raise InvalidLevel("level must be a number between 0 and 1, say 0.9")
    threshold = fields.get("threshold", 0.0)
    if type(threshold) is int and threshold > _MAX_INTEGER:
        raise InvalidRequest("threshold must be a number in the unit of the answer, say 0.02")
    if "threshold" in fields:
        fields["threshold"] = check_threshold(threshold)


def _check_target(spec: JobSpec) -> None:
    if (spec.what == "rank") != (spec.target is not None):
        raise InvalidRequest("rank needs a target, the name of a column or group; matrix takes none")
    if spec.target is not None and (
        not isinstance(spec.target, str) or spec.target not in {*spec.table, *spec.groups}
    ):
        raise MissingColumn("target names neither a column nor a group")
