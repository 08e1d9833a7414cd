"""Frames of any library as named columns of floats, each with the mask of what is missing.

pandas, polars, pyarrow and torch are recognised by the module of the value's class and never imported. Text
and booleans become integer codes, equal cells equal codes: in the sorted order of the labels, so that neither
the order of the rows nor that of a category's declaration counts; an ordered category keeps its own order.
Text that is no labels (`mizzle.data.labels`) is refused unless it was declared to be. Dates and times become
seconds. Messages name the column, and never a cell.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.data import cells, frames, kinds, times
from mizzle.data.arrays import FloatArray
from mizzle.data.labels import Labels, other_than_labels
from mizzle.errors import InvalidShape, MissingColumn, MizzleError, NotFinite, NotNumeric, PrecisionLoss

Mask = NDArray[np.bool]
_LONGEST_NAME = 60
_LISTED = 12
_REMEDY = "convert it to numbers, leave it out, or make it a category if these are labels"
_FRAME = "a DataFrame, an Arrow table, a dict of columns or an array of shape (n, p)"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        values: shape (n,), finite, 0 where missing.
        missing: shape (n,), true where there is no value.
        labels: how many different labels were coded, 0 for a column of numbers.
        timed: whether the values are dates, times or time differences, in seconds.
    """

    name: str
    values: FloatArray
    missing: Mask
    labels: int = 0
    timed: bool = False


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


def no_column(name: str, names: Iterable[str]) -> MissingColumn:
    """The error that says which columns there are instead."""
    known = list(names)
    listed = ", ".join(map(shown, known[:_LISTED]))
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {shown(close[0])}?" if close else ""
    return MissingColumn(f"there is no column {shown(name)}; the table has {listed}{more}{hint}")


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
        return _objects(name, list(values), declared=isinstance(values, Labels))
    if reader is not None or not hasattr(values, "__array__"):
        raise _refused(InvalidShape, name, "is no column; an array, a Series or a list of n cells is needed")
    return _array(name, values)


def _pandas(name: str, series: Any) -> Column:
    missing = np.asarray(series.isna(), dtype=bool)
    if hasattr(series, "cat"):
        labels = None if series.cat.ordered else list(series.cat.categories)
        return _categories(name, np.asarray(series.cat.codes), labels, missing)
    kind = getattr(series.dtype, "kind", "O")
    if getattr(series.dtype, "tz", None) is not None:
        series = series.dt.tz_convert(None)
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
    if kind.startswith(("Date", "Duration")):
        return _array(name, series.to_numpy(), missing)
    return _objects(name, series.to_list(), missing, declared=kind.startswith("Categorical"))


def _pyarrow(name: str, values: Any) -> Column:
    missing, kind = values.is_null().to_numpy(zero_copy_only=False), str(values.type)
    if kind.startswith(("int", "uint", "float", "halffloat", "double")):
        return _array(name, values.fill_null(0).to_numpy(zero_copy_only=False), missing)
    if kind.startswith(("date", "timestamp", "duration")):
        return _array(name, values.to_numpy(zero_copy_only=False), missing)
    category = kind.startswith("dictionary")
    if not (category and values.type.ordered):
        return _objects(name, values.to_pylist(), missing, declared=category)
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
    if array.dtype.kind in "mM":
        return _times(name, array, absent)
    if array.dtype.kind not in "iuf":
        kind = "complex numbers" if array.dtype.kind == "c" else "records"
        raise _refused(NotNumeric, name, f"holds {kind}; {kinds.TAKEN}")
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


def _times(name: str, array: NDArray[Any], missing: Mask) -> Column:
    """Dates, times or time differences of numpy's types; NaT is missing."""
    missing = missing | np.isnat(array)
    values = np.zeros(len(array))
    values[~missing], distinct = times.seconds(array[~missing])
    if not distinct:
        text = "holds times closer together than a 64-bit float can tell; subtract the first of them"
        raise _refused(PrecisionLoss, name, text)
    return Column(name, values, missing, timed=True)


def _objects(name: str, found: list[Any], missing: Mask | None = None, declared: bool = False) -> Column:
    """Python cells of one kind, besides None and NaN; `declared`: text is labels, whatever it looks like."""
    absent = np.fromiter(map(kinds.absent, found), bool, len(found))
    absent = absent if missing is None else absent | missing
    present = [cell for cell, gone in zip(found, absent, strict=True) if not gone]
    kind = _kind_of(name, present)
    if kind == kinds.NUMBERS:
        values = np.zeros(len(found))
        values[~absent] = _floats(name, present)
        return _numbers(name, values, absent)
    if kind in times.KINDS:
        array = np.zeros(len(found), dtype="m8[us]" if kind == times.DIFFERENCE else "M8[us]")
        array[~absent] = times.array(kind, present)
        return _times(name, array, absent)
    labels, codes = np.unique(np.array(present, dtype=None if present else float), return_inverse=True)
    if kind == kinds.TEXT and not declared:
        _check_labels(name, labels.tolist(), len(present))
    return _coded(name, codes, len(labels), absent)


def _check_labels(name: str, labels: list[str], rows: int) -> None:
    found = other_than_labels(labels, rows)
    if found is not None:
        raise _refused(NotNumeric, name, f"holds {found}; {_REMEDY}")


def _kind_of(name: str, found: list[Any]) -> str | None:
    try:
        return kinds.kind_of(found)
    except NotNumeric as error:
        raise _refused(NotNumeric, name, str(error)) from None


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
        _kind_of(name, labels)
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
