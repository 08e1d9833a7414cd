"""Arrays that are read in pieces: the numbers and the refusals are those of the whole."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_samples import FLAT, Y, many, one, problem

from mizzle import errors
from mizzle.data.arrays import check_pair

SPACE = st.text(" \t\n\r", max_size=3)
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**53), 2**53).map(str),
    st.sampled_from(["-0", "0", "1E5", "1e-400", "0.1e+1", "123456789012345678.0", "5e-324"]),
)


@st.composite
def tables(draw):
    """The text of an array of numbers, spaced anyhow."""
    rows, width = draw(st.integers(10, 30)), draw(st.sampled_from([0, 1, 2, 5]))
    between = st.tuples(SPACE, SPACE).map(",".join)

    def joined(parts):
        text = draw(SPACE)
        for i, part in enumerate(parts):
            text += (draw(between) if i else "") + part
        return f"[{text}{draw(SPACE)}]"

    if width == 0:
        return joined([draw(NUMBER) for _ in range(rows)])
    return joined([joined([draw(NUMBER) for _ in range(width)]) for _ in range(rows)])


@given(tables(), SPACE)
def test_numbers_are_those_of_pythons_parser(table, space):
    body = f'{space}{{{space}"y"{space}:{table}{space},{space}"x":{space}{table}{space}}}{space}'
    expected = check_pair(json.loads(table), json.loads(table))[0]
    asked = one(body)
    assert asked.x.tobytes() == asked.y.tobytes() == expected.tobytes()
    (again,) = many(f'{{"problems":{space}[{body}]{space}}}')
    assert again.x.tobytes() == expected.tobytes()


ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=8,
)


@given(st.lists(ODD, max_size=14))
def test_whatever_stands_in_an_array_gets_one_refusal_or_none(rows):
    """As if the array had been read whole."""
    try:
        check_pair(rows, list(range(len(rows))))
        expected = None
    except errors.InvalidInput as error:
        expected = type(error)
    try:
        one(json.dumps({"x": rows, "y": list(range(len(rows)))}))
        found = None
    except errors.InvalidInput as error:
        found = type(error)
    assert (found is None) == (expected is None)


LONG = 20_000  # several pieces of rows, and of cells


def _cells(n, cell=None, at=0):
    cells = [f"{i / 8}" for i in range(n)]
    return ", ".join([*cells[:at], cell, *cells[at + 1 :]] if cell else cells)


def _rows(n, row=None, at=0):
    rows = [f"[{i}, -{i}.5]" for i in range(n)]
    return ",".join([*rows[:at], row, *rows[at + 1 :]] if row else rows)


def test_long_arrays_come_whole():
    asked = one(problem(_rows(LONG), _cells(LONG)))
    np.testing.assert_array_equal(asked.x, [[i, -(i + 0.5)] for i in range(LONG)])
    np.testing.assert_array_equal(asked.y, np.arange(LONG)[:, None] / 8)


PLACES = [0, 1, 510, 511, 512, 513, 1023, 1024, 8191, 8192, 8193, LONG - 1]


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        ('[0, "1"]', errors.NotNumeric, "x row {}, column 1"),
        ("[0, true]", errors.NotNumeric, "x row {}, column 1"),
        ("[0, NaN]", errors.NotFinite, "x row {}, column 1"),
        ("[1e999, 0]", errors.NotFinite, "x row {}, column 0"),
        ("[0, 9007199254740993]", errors.PrecisionLoss, "x row {}, column 1"),
        ("[0, [1]]", errors.InvalidShape, "x row {}, column 1"),
    ],
)
def test_places_count_from_the_beginning(at, row, error, words):
    with pytest.raises(error, match=words.format(at)):
        one(problem(_rows(LONG, row, at), _cells(LONG)))


@pytest.mark.parametrize("at", PLACES[1:])
@pytest.mark.parametrize("row", ["[0]", "[0, 1, 2]", "0", "[]", "{}"])
def test_a_row_unlike_the_others(at, row):
    with pytest.raises(errors.InvalidShape, match=f"x row {at} "):
        one(problem(_rows(LONG, row, at), _cells(LONG)))


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ('"1"', errors.NotNumeric),
        ("{}", errors.NotNumeric),
        ("-Infinity", errors.NotFinite),
        ("[0]", errors.InvalidShape),
    ],
)
def test_places_of_cells(at, cell, error):
    with pytest.raises(error, match="y row"):
        one(problem(_rows(LONG), _cells(LONG, cell, at)))


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("row", ["", "[0 1]", "[0,]", "[01]", "]", "[", "1 2"])
def test_damage_in_a_long_array(at, row):
    text = problem(_rows(LONG, row or " ", at))
    with pytest.raises(errors.Malformed, match="no JSON"):
        one(text)


def test_what_is_wrong_first_is_said():
    rows = _rows(LONG, "[0, null]", 700).replace("[3, -3.5]", "[NaN, 0]")
    with pytest.raises(errors.NotFinite, match="x row 3, column 0"):
        one(problem(rows, _cells(LONG)))


def test_wide_rows_are_a_matter_of_the_model():
    wide = json.dumps([[0.125] * 20_000] * 10)
    assert one(f'{{"x": {wide}, "y": {Y[:10]}}}').x.shape == (10, 20_000)


def test_numbers_of_any_length_are_numbers():
    asked = one(problem(x=FLAT.replace("11", "0." + "1" * 100_000)))
    assert asked.x[-1, 0] == 1 / 9
