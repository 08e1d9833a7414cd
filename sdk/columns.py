"""Frames of any library as named columns of floats, each with the mask of what is missing.

pandas, polars, pyarrow and torch are recognised by the module of the value's class and never imported. Text
and booleans become integer codes, equal cells equal codes: in the sorted order of the labels, so that neither
the order of the rows nor that of a category's declaration counts; an ordered category keeps its own order.
Messages name the column, and never a cell.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle import cells, frames
from mizzle.arrays import FloatArray
from mizzle.errors import InvalidShape, MizzleError, NotFinite, NotNumeric, PrecisionLoss

Mask = NDArray[np.bool]
_LONGEST_NAME = 60
_FRAME = "a DataFrame, an Arrow table, a dict of columns or an array of shape (n, p)"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        values: shape (n,), finite, 0 where missing.
        missing: shape (n,), true where there is no value.
        labels: how many different labels were coded, 0 for a column of numbers.
    """

    name: str
    values: FloatArray
    missing: Mask
    labels: int = 0


def named(frame: object) -> dict[str, Any]:
    """The columns of a frame by name, in its order, as they are: `column` reads one.

    Args:
        frame: pandas or polars DataFrame, pyarrow Table or RecordBatch, mapping of names to columns, or an
            array, tensor or list of rows of shape (n, p), whose columns are then called c0, c1, ..

    Raises:
        InvalidShape: no table, or two columns of one name.
    """
    found = _split(frame)
    twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
    if twice:
        raise InvalidShape(f"several columns are called {shown(twice[0])}; rename all but one")
    return dict(found)


def shown(name: str) -> str:
    """A column's name on one line of bounded length, control characters escaped."""
    return repr(name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 2] + "..")


def libraries_of(value: object) -> set[str]:
    """The top modules of a value's class and of its bases."""
    return {cls.__module__.partition(".")[0] for cls in type(value).__mro__}


def _split(frame: Any) -> list[tuple[str, Any]]:
    """Names and columns of a frame."""
    libraries = libraries_of(frame)
    if "pandas" in libraries and hasattr(frame, "iloc") and frame.ndim == 2:
        return [(str(name), frame.iloc[:, j]) for j, name in enumerate(frame.columns)]
    if "polars" in libraries and hasattr(frame, "get_columns"):
        return [(column.name, column) for column in frame.get_columns()]
    if "pyarrow" in libraries and hasattr(frame, "column_names"):
        return list(zip(frame.column_names, frame.columns, strict=True))
    if isinstance(frame, Mapping):
        return [(str(name), values) for name, values in frame.items()]
    if libraries & {"pandas", "polars", "pyarrow"}:
        raise InvalidShape(f"the frame is no table with columns; pass {_FRAME}")
    return [(f"c{j}", part) for j, part in enumerate(_parts(frame, libraries))]


def _parts(frame: Any, libraries: set[str]) -> list[Any]:
    """The columns of an array or of a list of rows."""
    if "torch" in libraries:
        frame = frames.tensor(frame, "the frame")
    if isinstance(frame, list | tuple):
        return _turned(frame)
    if not hasattr(frame, "__array__"):
        raise InvalidShape(f"the frame is {cells.kind(frame)}; pass {_FRAME}")
    array = frame if isinstance(frame, np.ma.MaskedArray) else np.asarray(frame)
    if array.ndim != 2:
        raise InvalidShape(f"the frame has {array.ndim} dimensions; shape (n, p) is needed")
    return [array[:, j] for j in range(array.shape[1])]


def _turned(rows: list[Any] | tuple[Any, ...]) -> list[Any]:
    """Columns of rows of equal length."""
    try:
        return [list(part) for part in zip(*rows, strict=True)]
    except (TypeError, ValueError):
        raise InvalidShape(
            "the frame's rows are no lists of equal length; every row needs every column"
        ) from None


def column(name: str, values: Any) -> Column:
    """One column of any library: Series, Arrow column, tensor, array or list of n cells.

    Raises:
        InvalidShape, NotNumeric, NotFinite, PrecisionLoss: with the column's name in front.
    """
    libraries = libraries_of(values)
    readers: dict[str, Callable[[str, Any], Column]] = {
        "pandas": _pandas,
        "polars": _polars,
        "pyarrow": _pyarrow,
    }
    reader = next((read for library, read in readers.items() if library in libraries), None)
    if reader is not None and hasattr(values, "to_numpy") and getattr(values, "ndim", 1) == 1:
        return reader(name, values)
    if "torch" in libraries:
        values = frames.tensor(values, f"column {shown(name)}")
    if isinstance(values, list | tuple | range):
        return _objects(name, list(values))
    if reader is not None or not hasattr(values, "__array__"):
        raise _refused(InvalidShape, name, "is no column; an array, a Series or a list of n cells is needed")
    return _array(name, values)


def _pandas(name: str, series: Any) -> Column:
    missing = np.asarray(series.isna(), dtype=bool)
    if hasattr(series, "cat"):
        labels = None if series.cat.ordered else list(series.cat.categories)
        return _categories(name, np.asarray(series.cat.codes), labels, missing)
    kind = getattr(series.dtype, "kind", "O")
    if isinstance(series.dtype, np.dtype) and kind != "O":
        return _array(name, series.to_numpy(), missing)
    if kind in "iuf":  # nullable numbers, whose 0 stands in for what is missing
        return _array(name, series.fillna(0).to_numpy(dtype=f"{kind}8"), missing)
    return _objects(name, series.astype(object).tolist(), missing)


def _polars(name: str, series: Any) -> Column:
    missing, kind = series.is_null().to_numpy(), str(series.dtype)
    if kind.startswith("Enum"):
        return _categories(name, series.to_physical().fill_null(0).to_numpy(), None, missing)
    if series.dtype.is_numeric() and not kind.startswith("Decimal"):
        return _array(name, series.fill_null(0).to_numpy(), missing)
    return _objects(name, series.to_list(), missing)


def _pyarrow(name: str, values: Any) -> Column:
    missing, kind = values.is_null().to_numpy(zero_copy_only=False), str(values.type)
    if kind.startswith(("int", "uint", "float", "halffloat", "double")):
        return _array(name, values.fill_null(0).to_numpy(zero_copy_only=False), missing)
    if not (kind.startswith("dictionary") and values.type.ordered):
        return _objects(name, values.to_pylist(), missing)
    whole = values.unify_dictionaries().combine_chunks() if hasattr(values, "chunks") else values
    codes = whole.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return _categories(name, codes, None, missing)


def _array(name: str, values: Any, missing: Mask | None = None) -> Column:
    """A numpy array of shape (n,) or (n, 1), NaN for what is missing; masked cells are missing, too."""
    hidden = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array = np.ma.getdata(values) if hidden is not None else np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array, hidden = array[:, 0], None if hidden is None else hidden[:, 0]
    if array.ndim != 1:
        raise _refused(InvalidShape, name, f"has {array.ndim} dimensions; n cells are needed")
    absent = np.zeros(len(array), bool) if missing is None else missing
    absent = absent if hidden is None else absent | hidden
    if array.dtype.kind == "O" or array.dtype.kind in "bUST":
        return _objects(name, array.tolist(), absent)
    if array.dtype.kind not in "iuf":
        raise _refused(NotNumeric, name, "holds no numbers and no labels; convert it, or leave it out")
    return _numbers(name, array, absent)


def _numbers(name: str, array: NDArray[Any], missing: Mask) -> Column:
    """Numbers; NaN is missing, infinity is refused, and integers must survive the way to float64."""
    if array.dtype.kind == "f":
        missing = missing | np.isnan(array)
    present = array[~missing]
    ends = [int(present.min()), int(present.max())] if array.dtype.kind in "iu" and len(present) else []
    if any(abs(end) > cells.EXACT for end in ends):
        raise _too_long(name)
    with np.errstate(over="ignore"):  # a long double may overflow, and is then infinite
        values = np.where(missing, 0, array).astype(np.float64)
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise _refused(NotFinite, name, f"has {infinite} infinite cells; replace them, or drop their rows")
    return Column(name, values + 0.0, missing)  # -0.0 becomes 0.0: the two are equal


def _objects(name: str, found: list[Any], missing: Mask | None = None) -> Column:
    """Python cells: all numbers, all text or all booleans, besides None and NaN."""
    absent = np.fromiter(map(_absent, found), bool, len(found))
    absent = absent if missing is None else absent | missing
    present = [cell for cell, gone in zip(found, absent, strict=True) if not gone]
    if _kinds(name, present) == {"number"}:
        values = np.zeros(len(found))
        values[~absent] = _floats(name, present)
        return _numbers(name, values, absent)
    labels, codes = np.unique(np.array(present, dtype=None if present else float), return_inverse=True)
    return _coded(name, codes, len(labels), absent)


def _absent(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float | np.floating) and bool(np.isnan(cell)))


def _kinds(name: str, found: list[Any]) -> set[str]:
    """What the cells are: one kind at most."""
    kinds = {_kind(cell) for cell in found}
    if len(kinds) > 1 or "other" in kinds:
        text = "holds neither numbers nor labels throughout; convert it, or leave it out"
        raise _refused(NotNumeric, name, text)
    return kinds


def _kind(cell: Any) -> str:
    if isinstance(cell, bool | np.bool):
        return "boolean"
    if isinstance(cell, str):
        return "text"
    return "number" if isinstance(cell, int | float | np.integer | np.floating) else "other"


def _floats(name: str, found: list[Any]) -> FloatArray:
    """Python numbers as floats."""
    try:
        return cells.Rows.read(found, "", 0).floats()[:, 0]
    except PrecisionLoss:
        raise _too_long(name) from None


def _categories(name: str, codes: NDArray[Any], labels: list[Any] | None, missing: Mask) -> Column:
    """Codes of declared categories. With labels, these decide about the order: it was declared at will."""
    codes = np.asarray(codes)[~missing]
    if labels:
        _kinds(name, labels)
        codes = np.unique(np.array(labels), return_inverse=True)[1][codes]
    return _coded(name, codes, len(np.unique(codes)), missing)


def _coded(name: str, codes: NDArray[Any], labels: int, missing: Mask) -> Column:
    values = np.zeros(len(missing))
    values[~missing] = codes
    return Column(name, values, missing, labels)


def _refused(kind: type[MizzleError], name: str, text: str) -> MizzleError:
    return kind(f"column {shown(name)} {text}")


def _too_long(name: str) -> MizzleError:
    return _refused(PrecisionLoss, name, f"holds{cells.TOO_LONG.removeprefix('is')}")
