"""pandas, polars, pyarrow and torch values as numpy arrays, recognised without importing those libraries."""

import re
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mizzle.data.cells import place
from mizzle.errors import InvalidShape, NotNumeric

_ARROW_NUMBERS = {
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *("halffloat", "float", "double"),
}


def columns(value: Any, libraries: set[str], name: str) -> list[NDArray[Any]]:
    """The columns of a frame of pandas, polars or pyarrow, each an array of its own dtype.

    Args:
        value: Series or DataFrame; of pyarrow Array, ChunkedArray, RecordBatch or Table.
        libraries: the modules of the value's class and of its bases.

    Raises:
        InvalidShape: another object of these libraries.
        NotNumeric: a missing value, or a dtype that is no number.
    """
    if "pyarrow" in libraries:
        return [_pyarrow(column, name, j) for j, column in enumerate(_split_pyarrow(value, name))]
    one, split = (_pandas, _split_pandas) if "pandas" in libraries else (_polars, _split_polars)
    if not hasattr(value, "to_numpy") or not hasattr(value, "shape"):
        raise InvalidShape(f"{name} is no Series and no DataFrame; collect or convert it first")
    return [one(column, name, j) for j, column in enumerate(split(value))]


def tensor(value: Any, name: str) -> NDArray[Any]:
    """A torch tensor of any device, with or without gradient, as a numpy array."""
    try:
        plain = value.detach().cpu().resolve_neg().resolve_conj()
        if str(plain.dtype) == "torch.bfloat16":  # numpy has no such type; float32 holds it exactly
            plain = plain.float()
        return cast("NDArray[Any]", plain.numpy())
    except (AttributeError, TypeError, RuntimeError, NotImplementedError):
        raise InvalidShape(f"{name} is no dense tensor with values; try .to_dense()") from None


def _split_pandas(value: Any) -> list[Any]:
    if value.ndim == 1:
        return [value]
    return [value.iloc[:, j] for j in range(value.shape[1])]  # by position: labels may repeat


def _split_polars(value: Any) -> list[Any]:
    return list(value.get_columns()) if hasattr(value, "get_columns") else [value]


def _pandas(column: Any, name: str, j: int) -> NDArray[Any]:
    if not isinstance(column.dtype, np.dtype):  # nullable, categorical, text, time zones
        if getattr(column.dtype, "kind", "O") not in "iuf":
            raise _wrong_dtype(column.dtype, name, j)
        _refuse_missing(np.asarray(column.isna()), name, j)
    return np.asarray(column)


def _polars(column: Any, name: str, j: int) -> NDArray[Any]:
    if column.null_count():
        _refuse_missing(column.is_null().to_numpy(), name, j)
    if not (column.dtype.is_integer() or column.dtype.is_float()):
        raise _wrong_dtype(column.dtype, name, j)
    if column.dtype.is_integer() and "128" in str(column.dtype):
        raise _wrong_dtype(column.dtype, name, j)
    return cast("NDArray[Any]", column.to_numpy())


def _split_pyarrow(value: Any, name: str) -> list[Any]:
    columns = getattr(value, "columns", [value])  # a Table and a RecordBatch have some
    if not isinstance(columns, list) or not all(hasattr(column, "null_count") for column in columns):
        raise InvalidShape(f"{name} is no Array, ChunkedArray, RecordBatch or Table; convert it first")
    return columns


def _pyarrow(column: Any, name: str, j: int) -> NDArray[Any]:
    if str(column.type) not in _ARROW_NUMBERS:
        raise _wrong_dtype(column.type, name, j)
    if column.null_count:
        _refuse_missing(column.is_null().to_numpy(zero_copy_only=False), name, j)
    return cast("NDArray[Any]", column.to_numpy(zero_copy_only=False))


def _refuse_missing(missing: NDArray[np.bool], name: str, j: int) -> None:
    if missing.any():
        row = int(missing.argmax())
        raise NotNumeric(f"{place(name, row, j)} is a missing value; pass complete rows only")


def _wrong_dtype(dtype: object, name: str, j: int) -> NotNumeric:
    """The dtype's first words only: some spell out their categories or fields, which are data."""
    word = "".join(c for c in re.split(r"[(\[<]", str(dtype))[0] if c.isalnum())[:20]
    return NotNumeric(
        f"{name} column {j} (counted from 0) has dtype {word}; integers or floats of up to 64 bits are needed"
    )
