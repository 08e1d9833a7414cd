"""One column of any library as floats, with the mask of what is missing: the reader of all columns.

Labels become integer codes, equal labels equal codes: by falling count and, where counts are equal, by the
alphabet, so that neither the order of the rows nor that of a category's declaration counts, and names do as
little as they can; an ordered category keeps its own order. Text of ISO dates is dates; other text that is no
labels (`mizzle.data.labels`) is marked as such unless it was declared to be. Dates and times become seconds.
Of numbers and times that float64 cannot hold apart the ranks are taken, since only their order counts.
Messages name the column, and never a cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.data import cells, frames, times
from mizzle.data.arrays import FloatArray
from mizzle.data.frames import Form, FrameColumn, Mask
from mizzle.data.integers import EXACT, dense_ranks
from mizzle.data.labels import FREE, Labels, other_than_labels
from mizzle.errors import InvalidShape, NotFinite, NotNumeric

_NO_COLUMN = "is no column; an array, a Series or a list of n cells is needed"
_REMEDY = "convert it to numbers, leave it out, or make it a category if these are labels"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        values: shape (n,), finite, 0 where missing.
        missing: shape (n,), true where there is no value.
        labels: how many different labels were coded, 0 for a column of numbers.
        timed: whether the values are dates, times or time differences, in seconds.
        text: of a column of text that is no labels, what it holds; the values mean nothing then.
    """

    values: FloatArray
    missing: Mask
    labels: int = 0
    timed: bool = False
    text: str | None = None

    @property
    def is_free_text(self) -> bool:
        """Whether this is free text, or identifiers."""
        return self.text is not None and self.text.startswith(FREE)

    @property
    def refusal(self) -> NotNumeric | None:
        """Why this column is of no use, in words that begin with a verb."""
        return None if self.text is None else NotNumeric(f"holds {self.text}; {_REMEDY}")


def notices_of(column: Column) -> list[tuple[str, str]]:
    """What was assumed about a column, as codes and words that begin with a verb."""
    notices = []
    if column.labels:
        what = f"has {column.labels} different labels, which became integers by falling count"
        notices.append(("coded", f"{what} (of ordered categories, in their order); nothing needs to be done"))
    if column.timed:
        notices.append(("time", "holds dates or times, which became seconds; only their order counts"))
    return notices


def read(values: Any) -> Column:
    """One column: Series, Arrow array, tensor, array of shape (n,) or (n, 1), list of n cells.

    Raises:
        InvalidShape, NotNumeric, NotFinite: what is wrong, in words that begin with a verb, whose subject is
            the column.
    """
    framed = frames.column(values)
    if framed is not None:
        return _of_frame(framed)
    if frames.library_of(values) == "torch":
        values = frames.tensor(values, "")
    values = frames.dense(values, "")
    if isinstance(values, list | tuple | range):
        return _objects(list(values), declared=isinstance(values, Labels))
    if frames.library_of(values) is not None or not hasattr(values, "__array__"):
        raise InvalidShape(_NO_COLUMN)
    return _array(values)


def _of_frame(framed: FrameColumn) -> Column:
    cells_of, missing = framed.read(), framed.missing()
    if framed.form is Form.CODES:
        return _categories(cells_of, framed.categories, missing)
    if framed.form in (Form.LABELS, Form.CELLS):
        return _objects(cells_of, missing, declared=framed.form is Form.LABELS)
    return _array(cells_of, missing)


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
    if kind == "b":
        return _booleans(array[~absent], absent)
    if kind in "OUST":
        return _objects(array.tolist(), absent)
    if kind in "mM":
        return _times(array, absent)
    if kind in "iuf":
        return _numbers(array, absent)
    raise NotNumeric(f"holds {'complex numbers' if kind == 'c' else 'records'}; {cells.TAKEN}")


def _numbers(array: NDArray[Any], missing: Mask) -> Column:
    """Numbers; NaN is missing, infinity is refused; of integers that float64 would round, the ranks."""
    if array.dtype.kind == "f":
        missing = missing | np.isnan(array)
    present = array[~missing] if missing.any() else array
    ends = [int(present.min()), int(present.max())] if array.dtype.kind in "iu" and len(present) else []
    if any(abs(end) > EXACT for end in ends):
        return _column(dense_ranks(present), missing)
    with np.errstate(over="ignore"):  # a long double may overflow, and is then infinite
        return _column(present.astype(np.float64), missing)


def _times(array: NDArray[Any], missing: Mask) -> Column:
    """Dates, times or time differences of numpy's types; NaT is missing."""
    missing = missing | np.isnat(array)
    values, distinct = times.seconds(array[~missing])
    return _column(values if distinct else dense_ranks(array[~missing]), missing, timed=True)


def _objects(objects: Sequence[Any], missing: Mask | None = None, declared: bool = False) -> Column:
    """Python cells of one kind, besides None and NaN; `declared`: labels, whatever they look like."""
    absent = cells.missing(objects)
    absent = absent if missing is None else absent | missing
    present = [objects[i] for i in np.flatnonzero(~absent).tolist()] if absent.any() else objects
    if declared:
        return _labels(cells.texts(present), absent)
    kind = cells.common_kind(present)
    if kind is None:
        return Column(np.zeros(len(objects)), absent)
    if kind == cells.TEXT:
        return _texts(cells.texts(present), absent)
    if kind == cells.BOOLEANS:
        return _booleans(np.array(present, dtype=bool), absent)
    if kind == cells.NUMBERS:
        return _column(cells.floats(present), absent)
    array = times.array(kind, present)
    spread = np.zeros(len(objects), dtype=array.dtype)
    spread[~absent] = array
    return _times(spread, absent)


def _booleans(present: Mask, missing: Mask) -> Column:
    codes = present.astype(np.float64)
    return _column(codes, missing, labels=len(np.unique(codes)))


def _texts(present: Sequence[str], missing: Mask) -> Column:
    """Text: dates, labels, or neither."""
    distinct = set(present)
    dates = times.of_text(distinct)
    if dates is not None:
        array = np.array([dates[text] for text in present])
        spread = np.zeros(len(missing), dtype=array.dtype)
        spread[~missing] = array
        return _times(spread, missing)
    text = other_than_labels(distinct, len(present))
    return _labels(present, missing) if text is None else Column(np.zeros(len(missing)), missing, text=text)


def _labels(present: Sequence[Any], missing: Mask) -> Column:
    """Cells that are labels without an order, as codes."""
    try:
        places = {label: place for place, label in enumerate(dict.fromkeys(present))}
    except TypeError:
        raise NotNumeric(f"has a cell that is no label; {cells.TAKEN}") from None
    codes = np.array([places[label] for label in present], dtype=np.intp)
    return _coded(codes, cells.texts(list(places)), missing)


def _categories(codes: NDArray[Any], categories: list[Any] | None, missing: Mask) -> Column:
    """Places among declared categories; where these are given, their order means nothing."""
    present = codes[~missing]
    if categories is not None:
        return _coded(present, cells.texts(categories), missing)
    return _column(present.astype(np.float64), missing, len(np.unique(present)))


def _coded(places: NDArray[Any], names: Sequence[str], missing: Mask) -> Column:
    """Places among labels, whose order means nothing, as codes by falling count."""
    counts = np.bincount(places, minlength=len(names))
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda place: (-counts[place], names[place]))
    codes = np.zeros(len(names))
    codes[order] = np.arange(len(order))
    return _column(codes[places], missing, len(order))


def _column(present: FloatArray, missing: Mask, labels: int = 0, timed: bool = False) -> Column:
    """The column of the values of those cells that have one.

    Raises:
        NotFinite: one is infinite.
    """
    infinite = np.isinf(present)
    if infinite.any():
        raise NotFinite(f"has {int(infinite.sum())} infinite cells; replace them, or drop their rows")
    if len(present) < len(missing):
        values = np.zeros(len(missing))
        values[~missing] = present
    else:
        values = present
    return Column(values + 0.0, missing, labels, timed)  # -0.0 becomes 0.0: the two are equal
