"""The variables of a table: its columns and groups of columns, with what was noticed about them.

Missing cells are refused or, where the caller says so, marked; `mizzle.tables.plan` then leaves their rows
out.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mizzle.data.arrays import FloatArray
from mizzle.data.columns import (
    Column,
    Mask,
    column,
    named,
    no_column,
    shown,
)
from mizzle.errors import InvalidInput, InvalidShape, LengthMismatch, NotFinite
from mizzle.types import Notice, short_repr

Missing = Literal["raise", "drop"]
Groups = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Variable:
    """One column, or a group of columns that counts as one variable.

    Attributes:
        values: shape (n, d), read-only, 0 where missing.
        missing: shape (n,), true for rows where a column has no value; None for a complete variable.
    """

    name: str
    values: FloatArray
    missing: Mask | None
    notes: tuple[Notice, ...]


def variables(
    frame: object,
    columns: Sequence[str] | None = None,
    groups: Groups | None = None,
    missing: Missing = "raise",
    target: str | None = None,
) -> list[Variable]:
    """The chosen columns, then the groups, of a frame of any library; `target`, if any, comes last.

    Args:
        columns: which columns stand by themselves; None for all that are in no group.
        groups: names of new variables, and the columns that each consists of.

    Raises:
        MissingColumn: a name that the frame does not have.
        InvalidInput: names that repeat, an empty group, missing cells under "raise", columns of different
            lengths, or a column that holds neither numbers, labels nor times.
    """
    if missing not in ("raise", "drop"):
        raise InvalidInput(f"missing is {short_repr(missing)}; it must be 'raise' or 'drop'")
    found = named(frame)
    parts = _chosen(found, columns, groups or {}, target)
    used = dict.fromkeys(name for names in parts.values() for name in names)
    read = {name: column(name, _find(name, found)) for name in used}
    _check_lengths(list(read.values()))
    if missing == "raise":
        _refuse_missing(read.values())
    notes = _notes(list(read.values()))
    return [_variable(name, [read[n] for n in names], notes) for name, names in parts.items()]


def _chosen(
    found: Mapping[str, Any], columns: Sequence[str] | None, groups: Groups, target: str | None
) -> dict[str, list[str]]:
    """Every variable's name with its columns, in order."""
    grouped = {str(name): _names(names, f"group {shown(str(name))}") for name, names in groups.items()}
    inside = {name for names in grouped.values() for name in names}
    single = [n for n in found if n not in inside] if columns is None else _names(columns, "columns")
    parts = {name: [name] for name in single}
    for name, names in grouped.items():
        if name in parts or not names:
            reason = (
                "is also the name of a column; rename it" if names else "has no columns; name at least one"
            )
            raise InvalidInput(f"group {shown(name)} {reason}")
        parts[name] = names
    if target is not None:
        last = parts.pop(str(target), [str(target)])
        parts[str(target)] = last
    return parts


def _names(names: Sequence[str], what: str) -> list[str]:
    """A list of names, each once."""
    if isinstance(names, str | bytes) or not hasattr(names, "__iter__"):
        raise InvalidInput(f"{what} must be a list of column names")
    listed = [str(name) for name in names]
    if len(set(listed)) < len(listed):
        twice = next(name for name in listed if listed.count(name) > 1)
        raise InvalidInput(f"{what} names column {shown(twice)} twice")
    return listed


def _find(name: str, found: Mapping[str, Any]) -> Any:
    if name not in found:
        raise no_column(name, found)
    return found[name]


def _check_lengths(found: list[Column]) -> None:
    if not found:
        raise InvalidShape("the table has no columns; at least two are needed")
    for one in found:
        if len(one.values) != len(found[0].values):
            raise LengthMismatch(
                f"column {shown(one.name)} has {len(one.values)} rows and column {shown(found[0].name)} has "
                f"{len(found[0].values)}; all columns need the same rows"
            )


def _refuse_missing(found: Any) -> None:
    lacking = [one for one in found if one.missing.any()]
    if lacking:
        first, more = lacking[0], len(lacking) - 1
        others = f", and {more} other column(s) have some" if more else ""
        count, row = int(first.missing.sum()), int(first.missing.argmax())
        where = f"{count} missing cells, the first in row {row} (counted from 0){others}"
        remedy = "missing='drop' (--missing drop in the shell) leaves their rows out, pair by pair"
        raise NotFinite(f"column {shown(first.name)} has {where}; {remedy}, or impute them first")


def _variable(name: str, parts: list[Column], notes: Mapping[str, list[Notice]]) -> Variable:
    values = np.ascontiguousarray(np.column_stack([part.values for part in parts]))
    values.setflags(write=False)
    missing = np.logical_or.reduce([part.missing for part in parts])
    noticed = tuple(note for part in parts for note in notes[part.name])
    return Variable(name, values, missing if missing.any() else None, noticed)


def _notes(found: list[Column]) -> dict[str, list[Notice]]:
    """What was noticed about each column: coded labels, times, a constant, a copy of another."""
    alike: dict[bytes, list[str]] = {}
    for one in found:
        alike.setdefault(_digest(one), []).append(one.name)
    return {
        one.name: [*_coded(one), *_timed(one), *_constant(one), *_copy(one, alike[_digest(one)])]
        for one in found
    }


def _coded(one: Column) -> list[Notice]:
    if not one.labels:
        return []
    order = "in their order; labels without one are sorted, and another order may give another estimate"
    text = f"column {shown(one.name)} has {one.labels} different labels, which became integers {order}"
    return [Notice("coded", text)]


def _timed(one: Column) -> list[Notice]:
    if not one.timed:
        return []
    text = f"column {shown(one.name)} holds dates or times, which became seconds; only their order counts"
    return [Notice("time", text)]


def _constant(one: Column) -> list[Notice]:
    if not _is_constant(one):
        return []
    return [Notice("constant", f"column {shown(one.name)} is constant: it says nothing about any other")]


def _copy(one: Column, names: list[str]) -> list[Notice]:
    other = next((name for name in names if name != one.name), None)
    if other is None or _is_constant(one):
        return []
    text = f"column {shown(one.name)} holds the same values as column {shown(other)}"
    return [Notice("duplicate", text)]


def _is_constant(one: Column) -> bool:
    present = one.values[~one.missing]
    return bool(len(present) and (present == present[0]).all())


def _digest(one: Column) -> bytes:
    return hashlib.sha256(one.values.tobytes() + one.missing.tobytes()).digest()
