"""The variables of a table: its columns and groups of columns, with what was noticed about them.

Missing cells are refused or, where the caller says so, marked; `mizzle.tables.plan` then leaves their rows
out. Columns of free text and of identifiers are left out, and this is said; what else cannot be used is
refused, all in one message.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mizzle.data import copies
from mizzle.data.arrays import FloatArray
from mizzle.data.columns import Column, notices_of, read
from mizzle.data.frames import Mask, named_columns
from mizzle.data.names import no_column, quoted_name, quoted_names
from mizzle.data.samples import Missing as Missing
from mizzle.data.samples import check_missing
from mizzle.errors import InvalidInput, InvalidShape, LengthMismatch, NotFinite
from mizzle.types import Notice

Groups = Mapping[str, Sequence[str]]
_NAMED = 50  # columns that an error names


@dataclass(frozen=True)
class Variable:
    """One column, or a group of columns that counts as one variable.

    Attributes:
        columns: of which it consists. A group is no copy of them: ten thousand may hold the same ones.
    """

    name: str
    columns: tuple[Column, ...]
    notes: tuple[Notice, ...]

    @property
    def rows(self) -> int:
        """Its length n."""
        return len(self.columns[0].values)

    @property
    def size(self) -> int:
        """Its cells, n times d."""
        return self.rows * len(self.columns)

    @property
    def values(self) -> FloatArray:
        """Shape (n, d), read-only, 0 where missing; of a group, made anew by every call."""
        parts = [column.values for column in self.columns]
        values = parts[0].reshape(-1, 1) if len(parts) == 1 else np.column_stack(parts)
        values = np.ascontiguousarray(values).view()  # a column itself is not made read-only
        values.setflags(write=False)
        return values

    @cached_property
    def missing(self) -> Mask | None:
        """Shape (n,), true for rows where a column has no value; None for a complete variable."""
        missing = np.zeros(self.rows, bool)
        for column in self.columns:
            missing |= column.missing
        return missing if missing.any() else None


class Variables(list[Variable]):
    """The variables of a table.

    Attributes:
        notices: about what of the table was left out.
    """

    notices: tuple[Notice, ...] = ()


def variables(
    frame: object,
    columns: Sequence[str] | None = None,
    groups: Groups | None = None,
    missing: Missing = "raise",
    target: str | None = None,
    strict: bool = False,
    deduplicate: bool = False,
) -> Variables:
    """The chosen columns, then the groups, of a frame of any library; `target`, if any, comes last.

    Args:
        columns: which columns stand by themselves; None for all that are in no group.
        groups: names of new variables, and the columns that each consists of.
        strict: whether columns of free text are refused. Without it they are left out, unless the target or
            a group needs them.
        deduplicate: whether each different row of all these columns is taken once; a column that only numbers
            the rows does not make them different.

    Raises:
        MissingColumn: a name that the frame does not have.
        InvalidInput: names that repeat, an empty group, missing cells under "raise", columns of different
            lengths, or columns that hold neither numbers, labels nor times.
    """
    check_missing(missing)
    table = named_columns(frame)
    parts = _parts(table, columns, groups or {}, target)
    chosen = _read(dict.fromkeys(name for names in parts.values() for name in names), table)
    _check_lengths(chosen)
    refusals = {name: column.refusal for name, column in chosen.items() if column.refusal is not None}
    needed = {n for name, names in parts.items() for n in names if names != [name] or name == target}
    free = [name for name, column in chosen.items() if column.is_free_text]
    left_out = [] if strict else [name for name in free if name not in needed]
    if len(parts) - len(left_out) < 2:
        left_out = []
    _refuse({name: error for name, error in refusals.items() if name not in left_out})
    parts = {name: names for name, names in parts.items() if name not in left_out}
    chosen = {name: column for name, column in chosen.items() if name not in left_out}
    if missing == "raise":
        _refuse_missing(chosen)
    notes = _notes(chosen)
    if deduplicate:
        chosen, copied = _without_copies(chosen)
        notes = {name: [*copied, *of_column] for name, of_column in notes.items()}
    result = Variables(_variable(name, names, chosen, notes) for name, names in parts.items())
    result.notices = _left_out(left_out)
    return result


def _read(names: Iterable[str], table: Mapping[str, object]) -> dict[str, Column]:
    """The columns of these names.

    Raises:
        MissingColumn, InvalidInput: some are not there, or of no use; all of these are named.
    """
    chosen: dict[str, Column] = {}
    refused: dict[str, InvalidInput] = {}
    for name in names:
        if name not in table:
            raise no_column(name, table)
        try:
            chosen[name] = read(table[name])
        except InvalidInput as error:
            refused[name] = error
    _refuse(refused)
    return chosen


def _refuse(errors: Mapping[str, InvalidInput]) -> None:
    """Raise what is wrong with columns, if anything is, as one error, each remedy behind its columns."""
    remedies: dict[str, list[str]] = {}
    for name, error in list(errors.items())[:_NAMED]:
        what, _, remedy = str(error).partition("; ")
        remedies.setdefault(remedy, []).append(f"column {quoted_name(name)} {what}")
    texts = ["; ".join([*whats, remedy]) for remedy, whats in remedies.items()]
    if len(errors) > _NAMED:
        texts.append(f"so do {len(errors) - _NAMED} more columns")
    if errors:
        kinds = {type(error) for error in errors.values()}
        raise (kinds.pop() if len(kinds) == 1 else InvalidInput)("; ".join(texts))


def _left_out(names: Sequence[str]) -> tuple[Notice, ...]:
    if not names:
        return ()
    what = f"column {quoted_names(names)} is" if len(names) == 1 else f"columns {quoted_names(names)} are"
    text = f"{what} left out: free text and identifiers have no order, and are too many to be labels"
    return (Notice("left_out", f"{text}; make a column a category (--labels in the shell) if they are"),)


def _parts(
    table: Iterable[str], columns: Sequence[str] | None, groups: Groups, target: str | None
) -> dict[str, list[str]]:
    """Every variable's name with its columns, in order."""
    grouped = {str(name): _names(names, f"group {quoted_name(str(name))}") for name, names in groups.items()}
    inside = {name for names in grouped.values() for name in names}
    single = [n for n in table if n not in inside] if columns is None else _names(columns, "columns")
    parts = {name: [name] for name in single}
    for name, names in grouped.items():
        if not names:
            raise InvalidInput(f"group {quoted_name(name)} has no columns; name at least one")
        if name in parts:
            raise InvalidInput(f"group {quoted_name(name)} is also the name of a column; rename it")
        parts[name] = names
    if target is not None:
        parts[str(target)] = parts.pop(str(target), [str(target)])
    return parts


def _names(names: Sequence[str], what: str) -> list[str]:
    """A list of names, each once."""
    if isinstance(names, str | bytes) or not hasattr(names, "__iter__"):
        raise InvalidInput(f"{what} must be a list of column names")
    listed = [str(name) for name in names]
    if len(set(listed)) < len(listed):
        repeated = next(name for name in listed if listed.count(name) > 1)
        raise InvalidInput(f"{what} names column {quoted_name(repeated)} twice")
    return listed


def _check_lengths(columns: Mapping[str, Column]) -> None:
    if not columns:
        raise InvalidShape("the table has no columns; at least two are needed")
    lengths = {name: len(column.values) for name, column in columns.items()}
    first, rows = next(iter(lengths.items()))
    for name, length in lengths.items():
        if length != rows:
            raise LengthMismatch(
                f"column {quoted_name(name)} has {length} rows and column {quoted_name(first)} has {rows}; "
                "all columns need the same rows"
            )


def _refuse_missing(columns: Mapping[str, Column]) -> None:
    gaps = {name: column.missing for name, column in columns.items() if column.missing.any()}
    if gaps:
        name, mask = next(iter(gaps.items()))
        others = f", and {len(gaps) - 1} other column(s) have some" if len(gaps) > 1 else ""
        count, row = int(mask.sum()), int(mask.argmax())
        where = f"{count} missing cells, the first in row {row} (counted from 0){others}"
        remedy = "missing='drop' (--missing drop in the shell) leaves their rows out, pair by pair"
        raise NotFinite(f"column {quoted_name(name)} has {where}; {remedy}, or impute them first")


def _without_copies(columns: Mapping[str, Column]) -> tuple[dict[str, Column], tuple[Notice, ...]]:
    """The columns with each different row once, and the notice about the rows that were left out."""
    compared = [column for column in columns.values() if not _numbers_rows(column)]
    compared = compared if len(compared) > 1 else list(columns.values())
    parts = [part for column in compared for part in (column.values, column.missing)]
    table: FloatArray = np.column_stack(parts).astype(np.float64)
    rows = copies.first_places(table)
    left = {
        name: replace(column, values=column.values[rows], missing=column.missing[rows])
        for name, column in columns.items()
    }
    return left, copies.left_out(len(table), len(rows))


def _numbers_rows(column: Column) -> bool:
    """Whether the values are successive whole numbers, in any order."""
    values = np.sort(column.values)
    return not column.missing.any() and bool((np.diff(values) == 1.0).all())


def _variable(
    name: str, names: list[str], columns: Mapping[str, Column], notes: Mapping[str, list[Notice]]
) -> Variable:
    noticed = tuple(note for part in names for note in notes[part])
    return Variable(name, tuple(columns[part] for part in names), noticed)


def _notes(columns: Mapping[str, Column]) -> dict[str, list[Notice]]:
    """What was noticed about each column: coded labels, times, a constant, a copy of another."""
    digests = {name: _digest(column) for name, column in columns.items()}
    alike: dict[bytes, list[str]] = {}
    for name, digest in digests.items():
        alike.setdefault(digest, []).append(name)
    return {name: _notes_of(name, column, alike[digests[name]]) for name, column in columns.items()}


def _notes_of(name: str, column: Column, alike: Sequence[str]) -> list[Notice]:
    """The notes of a column; `alike` are the names of all columns with its values."""
    texts = dict(notices_of(column))
    other = next((twin for twin in alike if twin != name), None)
    if _is_constant(column):
        texts["constant"] = "is constant and says nothing about any other; leave it out"
    elif other is not None:
        texts["duplicate"] = f"holds the same values as column {quoted_name(other)}; leave one of them out"
    return [Notice(code, f"column {quoted_name(name)} {text}") for code, text in texts.items()]


def _is_constant(column: Column) -> bool:
    present = column.values[~column.missing]
    return bool(len(present) and (present == present[0]).all())


def _digest(column: Column) -> bytes:
    return hashlib.sha256(column.values.tobytes() + column.missing.tobytes()).digest()
