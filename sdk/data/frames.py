"""Frames of pandas, polars and pyarrow: their columns by name, and what each column holds. The only reader.

The libraries, and torch, are recognised by the module of a value's class and never imported. What a column
may hold is for the caller to say: `mizzle.data.arrays` takes complete numbers alone, `mizzle.data.columns`
takes labels, times and gaps as well. Cells are read when they are wanted: what is refused by its type is not
read.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mizzle.data import cells
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidShape, TooLarge

Mask = NDArray[np.bool]
MAX_DENSE_BYTES = 2**30  # of a sparse array that is made dense
_FRAME = "a DataFrame, an Arrow table, a dict of columns or an array of shape (n, p)"


class Form(Enum):
    """The form in which a column's cells are read."""

    NUMPY = "an array of a dtype of numpy, whose gaps are cells: None, NaN or NaT"
    NUMBERS = "an array of integers or floats, 0 in gaps"
    TIMES = "an array of datetime64 or timedelta64, NaT in gaps"
    CODES = "an array of places among categories, anything in gaps"
    LABELS = "a list of cells that are declared to be labels, None in gaps"
    CELLS = "a list of Python objects"


@dataclass(frozen=True)
class FrameColumn:
    """One column of n cells, as its library has it.

    Attributes:
        dtype: the library's own type.
        missing: reads where the library has no value, as a mask of shape (n,).
        form: of what `read` reads.
        read: reads the n cells.
        categories: of CODES: what they stand for, where the order of the categories means nothing.
    """

    dtype: Any
    missing: Callable[[], Mask]
    form: Form
    read: Callable[[], Any]
    categories: list[Any] | None = None


def library_of(value: object) -> str | None:
    """Which of pandas, polars, pyarrow and torch a value's class or one of its bases is of, if any."""
    modules = {cls.__module__.partition(".")[0] for cls in type(value).__mro__}
    return next((library for library in (*_READERS, "torch") if library in modules), None)


def column(value: Any) -> FrameColumn | None:
    """A Series, an Index, or an Arrow array, chunked or not; None for any other value."""
    library = library_of(value)
    if library is None or library not in _READERS:
        return None
    read, mark = _READERS[library]
    whole = hasattr(value, mark) and hasattr(value, "to_numpy") and getattr(value, "ndim", 1) == 1
    return read(value) if whole else None


def columns(value: Any) -> list[tuple[str, Any]] | None:
    """Names, which may repeat, and columns of a DataFrame, Table or RecordBatch; None for any other value.

    Raises:
        TooLarge: a DataFrame of sparse columns that would have more than `MAX_DENSE_BYTES`.
    """
    library = library_of(value)
    if library == "pandas" and hasattr(value, "iloc") and value.ndim == 2:
        if hasattr(value, "sparse"):  # all of its columns are
            _check_dense(value, "the frame")
        return [(str(name), value.iloc[:, j]) for j, name in enumerate(value.columns)]
    if library == "polars" and hasattr(value, "get_columns"):
        return [(series.name, series) for series in value.get_columns()]
    if library == "pyarrow" and hasattr(value, "column_names"):
        return list(zip(value.column_names, value.columns, strict=True))
    return None


def named_columns(frame: object) -> dict[str, Any]:
    """The columns of anything that has some, by name, in order and unread.

    Args:
        frame: pandas or polars DataFrame, pyarrow Table or RecordBatch, mapping of names to columns, or an
            array, tensor or list of rows of shape (n, p), whose columns are then called c0, c1, ..

    Raises:
        InvalidShape: no table, or two columns of one name.
    """
    frame = dense(frame, "the frame")  # first: one of its kinds is a Mapping
    named = columns(frame)
    if named is None and isinstance(frame, Mapping):
        named = [(str(name), values) for name, values in frame.items()]
    if named is None:
        named = [(f"c{j}", part) for j, part in enumerate(_numbered(frame))]
    repeated = [name for name, count in Counter(name for name, _ in named).items() if count > 1]
    if repeated:
        raise InvalidShape(f"several columns are called {quoted_name(repeated[0])}; rename all but one")
    return dict(named)


def columns_of_side(value: Any) -> list[Any]:
    """The columns of n cells that one side of a problem has: of one column, itself.

    Raises:
        InvalidShape: it has none.
    """
    value = dense(value, "the array")
    named = columns(value)
    if named is not None:
        return [part for _, part in named]
    nested = isinstance(value, list | tuple) and any(
        isinstance(row, list | tuple | np.ndarray) for row in value
    )
    if nested or getattr(value, "ndim", 1) == 2:
        return _numbered(value)
    return [value]


def _numbered(frame: Any) -> list[Any]:
    """The columns of an array or of a list of rows."""
    library = library_of(frame)
    if library == "torch":
        frame = tensor(frame, "the frame")
    elif library is not None:
        raise InvalidShape(f"the frame is no table with columns; pass {_FRAME}")
    if isinstance(frame, list | tuple):
        return _transposed(frame)
    if not hasattr(frame, "__array__"):
        raise InvalidShape(f"the frame is {cells.in_words(frame)}; pass {_FRAME}")
    array = frame if isinstance(frame, np.ma.MaskedArray) else np.asarray(frame)
    if array.ndim != 2:
        raise InvalidShape(f"the frame has {array.ndim} dimensions; shape (n, p) is needed")
    return [array[:, j] for j in range(array.shape[1])]


def _transposed(rows: list[Any] | tuple[Any, ...]) -> list[Any]:
    """Columns of rows of equal length."""
    try:
        return [list(part) for part in zip(*rows, strict=True)]
    except (TypeError, ValueError):
        text = "the frame's rows are no lists of equal length; every row needs every column"
        raise InvalidShape(text) from None


def tensor(value: Any, name: str) -> NDArray[Any]:
    """A torch tensor of any device, with or without gradient, as a numpy array.

    Args:
        name: what messages call it.

    Raises:
        InvalidShape: it is sparse, or has no values.
    """
    try:
        plain = value.detach().cpu().resolve_neg().resolve_conj()
        if str(plain.dtype) == "torch.bfloat16":  # numpy has no such type; float32 holds it exactly
            plain = plain.float()
        return cast("NDArray[Any]", plain.numpy())
    except (AttributeError, TypeError, RuntimeError, NotImplementedError):
        raise InvalidShape(f"{name} is no dense tensor with values; try .to_dense()") from None


def dense(value: Any, name: str) -> Any:
    """A sparse array of scipy as a dense one; any other value as it is.

    Args:
        name: what messages call it.

    Raises:
        TooLarge: it would have more than `MAX_DENSE_BYTES`.
    """
    if not is_sparse(value):
        return value
    _check_dense(value, name)
    return value.toarray()


def _check_dense(value: Any, name: str) -> None:
    size = 8 * math.prod(value.shape)
    subject = f"{name} " if name else ""  # a reader of columns has none yet
    if size > MAX_DENSE_BYTES:
        raise TooLarge(
            f"{subject}is sparse, and would have {size / 2**30:.1f} GiB as a dense array; at most "
            f"{MAX_DENSE_BYTES // 2**30} are made dense: choose fewer rows or columns, or convert it in parts"
        )


def is_sparse(value: object) -> bool:
    """Whether a value is a sparse array or matrix of scipy."""
    return type(value).__module__.startswith("scipy.sparse") and hasattr(value, "toarray")


def _pandas(series: Any) -> FrameColumn:
    if hasattr(series, "to_series"):  # an Index
        series = series.to_series()
    dtype, kind = series.dtype, getattr(series.dtype, "kind", "O")
    column = partial(FrameColumn, dtype, lambda: np.asarray(series.isna(), dtype=bool))
    if isinstance(dtype, np.dtype):
        return column(Form.NUMPY, series.to_numpy)
    if hasattr(series, "cat"):
        categories = None if series.cat.ordered else list(series.cat.categories)
        return column(Form.CODES, lambda: np.asarray(series.cat.codes), categories)
    if getattr(dtype, "tz", None) is not None and hasattr(series, "dt"):
        return column(Form.TIMES, lambda: series.dt.tz_convert(None).to_numpy())
    if str(dtype).startswith("period"):
        return column(Form.TIMES, lambda: series.dt.to_timestamp().to_numpy())
    if kind in "iuf":  # nullable numbers
        return column(Form.NUMBERS, lambda: series.fillna(0).to_numpy(dtype=f"{kind}8"))
    return column(Form.CELLS, lambda: series.astype(object).tolist())


def _polars(series: Any) -> FrameColumn:
    dtype, word = series.dtype, str(series.dtype)
    column = partial(FrameColumn, dtype, lambda: series.is_null().to_numpy())
    if word.startswith("Enum"):
        return column(Form.CODES, lambda: series.to_physical().fill_null(0).to_numpy())
    if (dtype.is_integer() or dtype.is_float()) and "128" not in word:  # of which numpy has none
        return column(Form.NUMBERS, lambda: series.fill_null(0).to_numpy())
    if word.startswith(("Date", "Duration")):
        return column(Form.TIMES, series.to_numpy)
    return column(Form.LABELS if word.startswith("Categorical") else Form.CELLS, series.to_list)


def _pyarrow(array: Any) -> FrameColumn:
    dtype, word = array.type, str(array.type)
    to_numpy = partial(array.to_numpy, zero_copy_only=False)
    column = partial(FrameColumn, dtype, lambda: array.is_null().to_numpy(zero_copy_only=False))
    if word.startswith(("int", "uint", "float", "halffloat", "double")):
        return column(Form.NUMBERS, lambda: array.fill_null(0).to_numpy(zero_copy_only=False))
    if word.startswith(("date", "timestamp", "duration")):
        return column(Form.TIMES, to_numpy)
    if word.startswith("dictionary"):
        return (
            column(Form.CODES, lambda: _codes(array))
            if dtype.ordered
            else column(Form.LABELS, array.to_pylist)
        )
    return column(Form.CELLS, array.to_pylist)


def _codes(array: Any) -> NDArray[Any]:
    """The codes of an Arrow dictionary array, whose chunks may have dictionaries of their own."""
    whole = array.unify_dictionaries().combine_chunks() if hasattr(array, "chunks") else array
    return cast("NDArray[Any]", whole.indices.fill_null(0).to_numpy(zero_copy_only=False))


# How a column of each library is read, and a method that its columns have and its other classes lack.
_READERS: dict[str, tuple[Callable[[Any], FrameColumn], str]] = {
    "pandas": (_pandas, "isna"),
    "polars": (_polars, "is_null"),
    "pyarrow": (_pyarrow, "is_null"),
}
