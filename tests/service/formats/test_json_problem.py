"""JSON as a format of problems: the fields, the numbers, and the problems of a batch."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_samples import FLAT, GOOD, X, Y, batch, many, one, problem

from mizzle import errors, wire
from mizzle.data.samples import read_sample

# Problems that can be read: (body, class, words).
WRONG = {
    "nan as text": (problem(x='"NaN", 1'), errors.NotNumeric, "x row 0, column 0"),
    "text": (problem(x='0, "1"'), errors.NotNumeric, "x row 1, column 0"),
    "bracket in text": (problem(x='1, "],["'), errors.NotNumeric, "x row 1, column 0"),
    "true": (problem(x="0, 1, true"), errors.NotNumeric, "x row 2, column 0"),
    "null": (problem(y="null"), errors.NotNumeric, "y row 0, column 0"),
    "null in a row": (problem(y="[1], [null]"), errors.NotNumeric, "y row 1, column 0"),
    "object": (problem(x='{"a": 1}'), errors.NotNumeric, "x row 0, column 0"),
    "NaN": (problem(x="1, NaN"), errors.NotFinite, "x row 1, column 0"),
    "Infinity": (problem(x="[1, Infinity]"), errors.NotFinite, "x row 0, column 1"),
    "-Infinity": (problem(x="[-Infinity]"), errors.NotFinite, "x row 0, column 0"),
    "1e999": (problem(x="1e999"), errors.NotFinite, "x row 0, column 0"),
    "1e400": (problem(x="[0, 1e400]"), errors.NotFinite, "x row 0, column 1"),
    "-1e999": (problem(x="0,-1e999"), errors.NotFinite, "x row 1, column 0"),
    "1e308 with a tail": (problem(x="1.7976931348623159e308"), errors.NotFinite, "x row 0, column 0"),
    "3-d": (problem(x="[[1], [2]], [[3], [4]]"), errors.InvalidShape, "x row 0, column 0"),
    "ragged": (problem(x="[1, 2], [3]"), errors.InvalidShape, "x row 1"),
    "cell beside rows": (problem(x="[1], 2"), errors.InvalidShape, "x row 1"),
    "row beside cells": (problem(x="1, 2, [3]"), errors.InvalidShape, "x row 0"),
    "empty rows": (problem(x="[], []"), errors.InvalidShape, "x has rows without columns"),
    "number": ('{"x": 1, "y": [1]}', errors.InvalidShape, "x is a single number"),
    "no finite number": ('{"x": NaN, "y": [1]}', errors.InvalidShape, "x is a single number"),
    "null array": ('{"x": null, "y": [1]}', errors.InvalidShape, "x is null"),
    "text array": ('{"x": "[1]", "y": [1]}', errors.InvalidShape, "x is text"),
    "object array": ('{"x": {"0": [1]}, "y": [1]}', errors.InvalidShape, "x is a mapping"),
    "true array": ('{"x": true, "y": [1]}', errors.InvalidShape, "x is a boolean"),
    "no rows": (problem(x=" "), errors.TooFewSamples, "x has no rows"),
    "unequal": (problem(x=FLAT + ", 12"), errors.LengthMismatch, "13 rows and y has 12"),
    "no x": (f'{{"y": [{FLAT}]}}', errors.InvalidRequest, "field x is missing"),
    "no y": (f'{{"x": [{FLAT}]}}', errors.InvalidRequest, "field y is missing"),
    "nothing": ("{}", errors.InvalidRequest, "field x is missing"),
    "unknown": (problem(rest=', "z": [[1]]'), errors.InvalidRequest, "unknown field"),
    "upper case": (problem().replace("x", "X"), errors.InvalidRequest, "unknown field"),
    "many fields": (
        "{" + ",".join(f'"{i}": 0' for i in range(10_000)) + "}",
        errors.InvalidRequest,
        "unknown field",
    ),
    "levels null": (problem(rest=', "levels": null'), errors.InvalidLevel, "levels must be"),
    "levels number": (problem(rest=', "levels": 0.5'), errors.InvalidLevel, "levels must be"),
    "levels text": (problem(rest=', "levels": "0.5"'), errors.InvalidLevel, "levels must be"),
    "level text": (problem(rest=', "levels": ["0.5"]'), errors.InvalidLevel, "every level"),
    "level true": (problem(rest=', "levels": [true]'), errors.InvalidLevel, "every level"),
    "level list": (problem(rest=', "levels": [[0.5]]'), errors.InvalidLevel, "every level"),
    "level digits": (problem(rest=f', "levels": [{"9" * 4000}]'), errors.InvalidLevel, "every level"),
    "level NaN": (problem(rest=', "levels": [NaN]'), errors.InvalidLevel, "every level"),
    "many levels": (problem(rest=f', "levels": {[0.5] * 5000}'), errors.InvalidLevel, "1 to 99"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case: str) -> None:
    body, error, words = WRONG[case]
    with pytest.raises(error, match=re.escape(words)) as caught:
        one(body)
    assert type(caught.value) is error


@pytest.mark.parametrize("case", WRONG)
def test_wrong_among_many(case: str) -> None:
    """Neighbours are read as if they were alone."""
    body, error, words = WRONG[case]
    first, bad, last = many(batch(GOOD, body, problem()))
    assert type(bad) is error
    assert words in str(bad)
    np.testing.assert_array_equal(first.x, X)
    np.testing.assert_array_equal(last.x[:, 0], Y)


@pytest.mark.parametrize("value", ["1", "null", '"x"', "[]", "[[1]]", "true", "NaN", f"[{FLAT}]"])
def test_a_problem_is_an_object(value) -> None:
    with pytest.raises(errors.InvalidRequest, match="no object"):
        one(value)
    with pytest.raises(errors.InvalidRequest, match="no object"):
        many(value)
    first, bad = many(batch(GOOD, value))
    assert type(bad) is errors.InvalidRequest
    np.testing.assert_array_equal(first.x, X)


@pytest.mark.parametrize(
    "body", ["{}", '{"problems": []}', '{"problems": {}}', '{"problems": null}', '{"levels": "all"}']
)
def test_a_batch_has_problems(body: str) -> None:
    with pytest.raises(errors.InvalidRequest, match="no problem"):
        many(body)


@pytest.mark.parametrize("body", [GOOD, batch(GOOD, rest=', "x": 1'), batch(GOOD, rest=', "a": [1]')])
def test_a_batch_has_no_other_fields(body) -> None:
    with pytest.raises(errors.InvalidRequest, match="the fields are problems, levels, missing, unit"):
        many(body)


def test_levels_of_a_batch_are_the_default_of_its_problems() -> None:
    own = problem(rest=', "levels": [0.25]')
    assert [asked.levels for asked in many(batch(own, GOOD, rest=', "levels": "all"'))] == [(0.25,), None]
    assert [asked.levels for asked in many(batch(own, GOOD))] == [(0.25,), wire.DEFAULT_LEVELS]
    assert [a.levels for a in many('{"levels": [0.5], "problems": [' + GOOD + "]}")] == [(0.5,)]
    with pytest.raises(errors.InvalidLevel):
        many(batch(own, rest=', "levels": [7]'))


def test_a_batch_that_is_too_long() -> None:
    """Not one of its problems is looked at."""
    with pytest.raises(errors.TooLarge, match="at most 2 at once"):
        many('{"problems": [1, 2, null]}', most=2)


@pytest.mark.parametrize("case", WRONG)
def test_data_are_never_repeated(case: str) -> None:
    body, error, _ = WRONG[case]
    if error is not errors.InvalidLevel:
        body = body.replace("1", "31337").replace('"a"', '"31337"')
    with pytest.raises(errors.InvalidInput) as caught:
        one(body)
    assert "31337" not in str(caught.value)
    assert len(str(caught.value)) < 400


SPACE = st.text(" \t\n\r", max_size=3)
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**53), 2**53).map(str),
    st.sampled_from(["-0", "-0.0", "1E5", "1e-400", "0.1e+1", "123456789012345678.0", "5e-324"]),
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
def test_numbers_are_those_of_pythons_parser(table, space) -> None:
    """Bit by bit, also where they are -0.0 or as small as numbers can be."""
    body = f'{space}{{{space}"y"{space}:{table}{space},{space}"x":{space}{table}{space}}}{space}'
    expected = read_sample(json.loads(table), json.loads(table)).x
    answer = one(body)
    assert answer.x.tobytes() == answer.y.tobytes() == expected.tobytes()
    (again,) = many(f'{{"problems":{space}[{body}]{space}}}')
    assert again.x.tobytes() == expected.tobytes()


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=14))
def test_whatever_stands_in_an_array_is_refused_as_in_a_list(rows) -> None:
    """The messages are those of `mizzle.estimate`."""
    y = list(range(len(rows)))
    try:
        read_sample(rows, y)
        expected = ""
    except errors.InvalidInput as error:
        expected = str(error)
    try:
        one(json.dumps({"x": rows, "y": y}))
        refusal = ""
    except errors.InvalidInput as error:
        refusal = str(error)
    assert refusal == expected


def test_wide_rows_are_a_matter_of_the_model() -> None:
    wide = json.dumps([[0.125] * 20_000] * 10)
    assert one(f'{{"x": {wide}, "y": {Y[:10]}}}').x.shape == (10, 20_000)


def test_numbers_of_any_length_are_numbers() -> None:
    answer = one(problem(x=FLAT.replace("11", "0." + "1" * 100_000)))
    assert answer.x[-1, 0] == 1 / 9


def test_of_two_fields_of_one_name_the_last_counts() -> None:
    assert one(problem(x="0", rest=f', "\\u0078": [{FLAT}]')).x[:, 0].tolist() == Y
    assert one(problem(rest=', "levels": [0.5], "levels": "all"')).levels is None
    (answer,) = many('{"problems": [], "problems": [' + GOOD + "]}")
    np.testing.assert_array_equal(answer.x, X)
