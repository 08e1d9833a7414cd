"""One column of any library as floats, with the mask of what is missing.

Text and booleans become integer codes, equal cells equal codes: in the sorted order of the labels, so that
neither the order of the rows nor that of a category's declaration counts; an ordered category keeps its own
order. Text that is no labels (`mizzle.data.labels`) is refused unless it was declared to be. Dates and times
become seconds. Messages name the column, and never a cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.data import cells, frames, times
from mizzle.data.arrays import FloatArray
from mizzle.data.frames import Form, FrameColumn, Mask
from mizzle.data.labels import Labels, other_than_labels
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput, InvalidShape, NotFinite, NotNumeric, PrecisionLoss

_NO_COLUMN = "is no column; an array, a Series or a list of n cells is needed"
_REMEDY = "convert it to numbers, leave it out, or make it a category if these are labels"
_TOO_CLOSE = "holds times closer together than a 64-bit float can tell; subtract the first of them"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        values: shape (n,), finite, 0 where missing.
        missing: shape (n,), true where there is no value.
        labels: how many different labels were coded, 0 for a column of numbers.
        timed: whether the values are dates, times or time differences, in seconds.
    """

    values: FloatArray
    missing: Mask
    labels: int = 0
    timed: bool = False


def column(name: str, values: Any) -> Column:
    """One column of any library: Series, Arrow array, tensor, array of shape (n,) or (n, 1), list of n cells.

    Raises:
        InvalidShape, NotNumeric, NotFinite, PrecisionLoss: with the column's name in front.
    """
    if frames.library_of(values) == "torch":
        values = frames.tensor(values, f"column {quoted_name(name)}")
    try:
        return _column(values)
    except InvalidInput as error:
        raise type(error)(f"column {quoted_name(name)} {error}") from None


def _column(values: Any) -> Column:
    """As `column`; what is raised begins with a verb, whose subject is the column."""
    framed = frames.column(values)
    if framed is not None:
        return _of_frame(framed)
    if isinstance(values, list | tuple | range):
        return _objects(list(values), declared=isinstance(values, Labels))
    if frames.library_of(values) is not None or not hasattr(values, "__array__"):
        raise InvalidShape(_NO_COLUMN)
    return _array(values)


def _of_frame(framed: FrameColumn) -> Column:
    read, missing = framed.read(), framed.missing()
    if framed.form is Form.CODES:
        return _categories(read, framed.categories, missing)
    if framed.form in (Form.LABELS, Form.CELLS):
        return _objects(read, missing, declared=framed.form is Form.LABELS)
    return _array(read, missing)


def _array(values: Any, missing: Mask | None = None) -> Column:
    """An array of shape (n,) or (n, 1), NaN for what is missing; masked cells are missing, too."""
    masked = isinstance(values, np.ma.MaskedArray)
    array = np.asarray(values.data if masked else values)
    absent = np.ma.getmaskarray(values) if masked else np.zeros(array.shape, bool)
    if array.ndim == 2 and array.shape[1] == 1:
        array, absent = array[:, 0], absent[:, 0]
    if array.ndim != 1:
        raise InvalidShape(f"has {array.ndim} dimensions; n cells are needed")
    if missing is not None:
        absent = absent | missing
    kind = array.dtype.kind
    if kind in "ObUST":
        return _objects(array.tolist(), absent)
    if kind in "mM":
        return _times(array, absent)
    if kind in "iuf":
        return _numbers(array, absent)
    raise NotNumeric(f"holds {'complex numbers' if kind == 'c' else 'records'}; {cells.TAKEN}")


def _numbers(array: NDArray[Any], missing: Mask) -> Column:
    """Numbers; NaN is missing, infinity is refused, and integers must survive the way to float64."""
    if array.dtype.kind == "f":
        missing = missing | np.isnan(array)
    present = array[~missing]
    ends = [int(present.min()), int(present.max())] if array.dtype.kind in "iu" and len(present) else []
    if any(abs(end) > cells.EXACT for end in ends):
        raise PrecisionLoss(f"holds {cells.TOO_LONG}")
    with np.errstate(over="ignore"):  # a long double may overflow, and is then infinite
        values = np.where(missing, 0, array).astype(np.float64)
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise NotFinite(f"has {infinite} infinite cells; replace them, or drop their rows")
    return Column(values + 0.0, missing)  # -0.0 becomes 0.0: the two are equal


def _times(array: NDArray[Any], missing: Mask) -> Column:
    """Dates, times or time differences of numpy's types; NaT is missing."""
    missing = missing | np.isnat(array)
    values = np.zeros(len(array))
    values[~missing], distinct = times.seconds(array[~missing])
    if not distinct:
        raise PrecisionLoss(_TOO_CLOSE)
    return Column(values, missing, timed=True)


def _objects(objects: Sequence[Any], missing: Mask | None = None, declared: bool = False) -> Column:
    """Python cells of one kind, besides None and NaN; `declared`: text is labels, whatever it looks like."""
    absent = np.fromiter(map(cells.is_missing, objects), bool, len(objects))
    absent = absent if missing is None else absent | missing
    present = [cell for cell, gone in zip(objects, absent, strict=True) if not gone]
    kind = cells.common_kind(present)
    if kind == cells.NUMBERS:
        values = np.zeros(len(objects))
        values[~absent] = _floats(present)
        return _numbers(values, absent)
    if kind in times.KINDS:
        array = np.zeros(len(objects), dtype="m8[us]" if kind == times.DIFFERENCE else "M8[us]")
        array[~absent] = times.array(kind, present)
        return _times(array, absent)
    labels, codes = np.unique(np.array(present, dtype=None if present else float), return_inverse=True)
    other = other_than_labels(labels.tolist(), len(present)) if kind == cells.TEXT and not declared else None
    if other is not None:
        raise NotNumeric(f"holds {other}; {_REMEDY}")
    return _coded(codes, len(labels), absent)


def _floats(numbers: Sequence[Any]) -> FloatArray:
    """Python numbers as floats."""
    try:
        return cells.Rows.read(numbers, "", 0).floats()[:, 0]
    except PrecisionLoss:
        raise PrecisionLoss(f"holds {cells.TOO_LONG}") from None


def _categories(codes: NDArray[Any], categories: list[Any] | None, missing: Mask) -> Column:
    """Codes of declared categories; where these are given, it is their sorted order that counts."""
    present = codes[~missing]
    if categories:
        cells.common_kind(categories)
        present = np.unique(np.array(categories), return_inverse=True)[1][present]
    return _coded(present, len(np.unique(present)), missing)


def _coded(codes: NDArray[Any], labels: int, missing: Mask) -> Column:
    values = np.zeros(len(missing))
    values[~missing] = codes
    return Column(values, missing, labels)
