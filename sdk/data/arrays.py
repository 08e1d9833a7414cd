"""Arrays of any library in one form: float64, shape (n, d), C-contiguous, finite.

Axes: `n` row (sample), `d` column (variable). Rows and columns are counted from 0, as in the arrays
themselves. Errors name the place of the first offender and never its value. Nothing is imputed,
rounded, parsed from text or dropped: whatever needs that is for `mizzle.data.samples`.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.data import cells, frames
from mizzle.data.frames import Form, FrameColumn
from mizzle.data.integers import EXACT
from mizzle.errors import (
    InvalidShape,
    LengthMismatch,
    NotFinite,
    NotNumeric,
    PrecisionLoss,
    TooFewSamples,
    TooManyColumns,
)

FloatArray = NDArray[np.float64]
MIN_ROWS = 10
_KINDS = {"b": "a boolean", "c": "a complex number", "M": "a date", "m": "a time difference"}
_KINDS |= dict.fromkeys("SUT", "text")


def check_pair(x: object, y: object) -> tuple[FloatArray, FloatArray]:
    """One problem's two tables, row i of `x` beside row i of `y` (by position, never by index).

    Raises:
        InvalidInput: as `as_table`; LengthMismatch and TooFewSamples for the pair.
    """
    left, right = as_table(x, "x"), as_table(y, "y")
    check_rows(left, right)
    return left, right


def check_rows(x: FloatArray, y: FloatArray) -> None:
    """Check that two tables, shape (n, dx) and (n, dy), have the same rows and at least `MIN_ROWS` of them.

    Raises:
        LengthMismatch, TooFewSamples: they do not.
    """
    if len(x) != len(y):
        raise LengthMismatch(
            f"x has {len(x)} rows and y has {len(y)}; row i of x and row i of y must be one observation"
        )
    if len(x) < MIN_ROWS:
        raise TooFewSamples(f"x and y have {len(x)} rows; at least {MIN_ROWS} are needed")


def check_columns(x: FloatArray, y: FloatArray, limit: int) -> None:
    """Check that neither table, shape (n, d), has more columns than a model covers.

    Args:
        limit: the columns on one side that the model covers.

    Raises:
        TooManyColumns: one of them has.
    """
    for name, side in (("x", x), ("y", y)):
        if side.shape[1] > limit:
            raise TooManyColumns(
                f"{name} has {side.shape[1]} columns; this model covers at most "
                f"{limit} on each side: choose fewer columns, or pass reduce='auto' "
                "(in Python, by a client too; --reduce auto in the shell)"
            )


def as_table(value: object, name: str) -> FloatArray:
    """`value` as float64 of shape (n, d); a value of shape (n,) is one column.

    The answer may share memory with `value`.

    Args:
        value: array or nested lists of shape (n,) or (n, d); Series, DataFrame, Arrow table, tensor, or
            sparse array of scipy.
        name: what to call it in messages, "x" or "y".

    Raises:
        InvalidInput: InvalidShape, TooFewSamples (no rows), NotNumeric, NotFinite, PrecisionLoss, TooLarge (a
            sparse array).
    """
    library = frames.library_of(value)
    value = frames.dense(value, name)
    if library == "torch":
        return _from_array(frames.tensor(value, name), name)
    if library is not None:
        return _from_frame(value, name, library)
    if isinstance(value, list | tuple | range):
        return _from_rows(value, name)
    if hasattr(value, "__array__") or isinstance(value, memoryview):
        return _from_array(_unmasked(value, name), name)
    raise InvalidShape(f"{name} is {cells.in_words(value)}; an array of shape (n,) or (n, d) is needed")


def _from_frame(value: object, name: str, library: str) -> FloatArray:
    """A frame's columns, each with its own dtype, side by side; or a single column."""
    named = frames.columns(value)
    columns = [value] if named is None else [column for _, column in named]
    parts = [_from_column(column, name, j, library) for j, column in enumerate(columns)]
    if not parts:
        raise InvalidShape(f"{name} has no columns; at least one is needed")
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _from_column(value: object, name: str, j: int, library: str) -> FloatArray:
    """A frame's column of complete numbers, at place `j` of the table."""
    column = frames.column(value)
    if column is None:
        whole = "Series and no DataFrame; collect or convert"
        if library == "pyarrow":
            whole = "Array, ChunkedArray, RecordBatch or Table; convert"
        raise InvalidShape(f"{name} is no {whole} it first")
    if column.form is not Form.NUMPY:
        _check_numbers(column, name, j)
    return _from_array(column.read(), name, at=j)


def _check_numbers(column: FrameColumn, name: str, j: int) -> None:
    """Check that a column of a type that numpy lacks holds numbers without gaps."""
    if column.form is not Form.NUMBERS:
        # The first words only: some types spell out their categories or fields, which are data.
        word = "".join(c for c in re.split(r"[(\[<]", str(column.dtype))[0] if c.isalnum())[:20]
        text = f"{name} column {j} (counted from 0) has dtype {word}"
        raise NotNumeric(f"{text}; {cells.TAKEN}")
    missing = column.missing()
    if missing.any():
        place = cells.place(name, int(missing.argmax()), j)
        raise NotNumeric(f"{place} is a missing value; pass complete rows only")


def _from_array(array: NDArray[Any], name: str, at: int = 0) -> FloatArray:
    """A numpy array; `at` is the position of its first column in the table."""
    if array.ndim not in (1, 2):
        raise InvalidShape(
            f"{name} has {array.ndim} dimensions; shape (n,) or (n, d) is needed, one row per observation"
        )
    _check_size(*array.shape, name=name)
    if array.dtype.kind == "O":
        return _from_rows(array.tolist(), name, at)
    if array.dtype.kind not in "iuf":
        word = _KINDS.get(array.dtype.kind, "a record")
        hint = f"; {name}.astype(float) makes numbers of booleans" if array.dtype.kind == "b" else ""
        raise NotNumeric(f"{cells.place(name, 0, at)} is {word}; a real number is needed{hint}")
    table = array.reshape(len(array), -1)
    _check_exact(table, name, at)
    with np.errstate(over="ignore"):  # a long double may overflow; the next line reports it
        floats = np.ascontiguousarray(table, dtype=np.float64)
    _check_finite(floats, name, at)
    return floats


def _from_rows(rows: Any, name: str, at: int = 0) -> FloatArray:
    """Python lists, of numbers or of rows of numbers."""
    _check_size(len(rows), name=name)
    table = cells.Rows.read(rows, name, at)
    _check_size(len(rows), table.width, name=name)
    floats = table.floats()
    _check_finite(floats, name, at)
    return floats


def _check_size(n: int, d: int = 1, *, name: str) -> None:
    if n == 0:
        raise TooFewSamples(f"{name} has no rows; at least {MIN_ROWS} are needed")
    if d == 0:
        raise InvalidShape(f"{name} has rows without columns; at least one column is needed")


def _check_exact(table: NDArray[Any], name: str, at: int) -> None:
    """Integers must survive the way to float64: |i| <= 2**53."""
    if table.dtype.kind == "f" or table.dtype.itemsize < 8:
        return
    beyond = table > EXACT
    if table.dtype.kind == "i":
        beyond |= table < -EXACT
    if beyond.any():
        raise PrecisionLoss(f"{_first(beyond, name, at)} is {cells.TOO_LONG}")


def _check_finite(table: FloatArray, name: str, at: int) -> None:
    finite = np.isfinite(table)
    if not finite.all():
        rest = finite.size - int(finite.sum()) - 1
        more = f", as are {rest} more cells" if rest else ""
        raise NotFinite(
            f"{_first(~finite, name, at)} is NaN or infinite{more}; drop such rows of x and y, or impute "
            "them first (missing='drop' drops those with NaN)"
        )


def _first(mask: NDArray[np.bool], name: str, at: int) -> str:
    """The place of the first True of an (n, d) mask, in words."""
    row, column = divmod(int(mask.argmax()), mask.shape[1])
    return cells.place(name, row, column + at)


def _unmasked(value: object, name: str) -> NDArray[Any]:
    """Anything with `__array__`; a masked array only if nothing is masked."""
    if isinstance(value, np.ma.MaskedArray):
        hidden = np.atleast_1d(np.ma.getmaskarray(value))
        if hidden.any():
            mask = hidden.reshape(len(hidden), -1)
            raise NotNumeric(f"{_first(mask, name, 0)} is masked; pass complete rows only")
        return np.asarray(value.data)
    return np.asarray(value)
