"""Few words that come again are labels; numbers, dates and free text in text are refused by what they are."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mizzle import errors
from mizzle.tables.variables import variables

MANY = range(30)
NO_LABELS = {
    "numbers with commas": [f"{i},5" for i in MANY],
    "few numbers with commas": ["9,5", "12,5"] * 50,
    "numbers with currency signs": [f"${i}.50" for i in MANY],
    "numbers with percent signs": [f"{i}.5%" for i in MANY],
    "numbers with commas and currency signs": [f"€{i}.234,50" for i in MANY],
    "numbers with spaces": [f"{i} 000" for i in MANY],
    "numbers as text": [str(i) for i in MANY],
    "dates as text": [f"01/{i:02}/2020" for i in MANY],
    "few dates as text": ["01.02.2020", "02.01.2020"] * 50,
    "free text": [f"patient {i}" for i in MANY],
}


@pytest.mark.parametrize("frame", [dict, pd.DataFrame, pl.DataFrame, pa.table], ids=lambda f: f.__name__)
@pytest.mark.parametrize("what", NO_LABELS)
def test_text_that_is_no_labels_is_refused_by_what_it_is(frame, what: str) -> None:
    """It would become integers in alphabetical order, and the answer would be sure and wrong."""
    cells = NO_LABELS[what]
    words = f"'x' holds {what.removeprefix('few ')}, {len(set(cells))} different values in {len(cells)} rows"
    with pytest.raises(errors.NotNumeric, match=words):
        variables(frame({"x": cells}))


FEW = {
    "words": ["yes", "no"] * 50,
    "many words of long columns": [f"town {i % 90}" for i in range(900)],
    "postcodes": ["10115", "80331", "01067"] * 30,
    "ranges": ["10-20", "5-10"] * 30,
    "few rows": list("abcdefghij"),
}


@pytest.mark.parametrize("what", FEW)
def test_few_words_are_labels(what: str) -> None:
    [one] = variables({"x": FEW[what]})
    assert [note.code for note in one.notes] == ["coded"]


@pytest.mark.parametrize(
    "texts", [["2020-01", "2019-12"], ["2020/01/31", "2019/12/01"], ["2020-01-31", "2019-12-01"]]
)
def test_text_that_says_times_is_times(texts: list[str]) -> None:
    [one] = variables({"x": texts * 30})
    assert [note.code for note in one.notes] == ["time"]
    assert one.values[0, 0] > one.values[1, 0]


@pytest.mark.parametrize(
    "declared",
    [
        pd.Series(NO_LABELS["free text"], dtype="category"),
        pl.Series(NO_LABELS["free text"], dtype=pl.Categorical),
        pa.array(NO_LABELS["free text"]).dictionary_encode(),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
def test_a_category_is_labels_whatever_it_looks_like(declared) -> None:
    [one] = variables({"x": declared})
    assert [note.code for note in one.notes] == ["coded"]
