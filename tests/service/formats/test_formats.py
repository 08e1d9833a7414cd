"""Laws over every encoding: the same data mean the same, and the same mistake gets the same refusal.

What is particular to one encoding stands in its own file.
"""

import json
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save as save_tensors

from mizzle import errors, wire
from mizzle.service.formats.registry import MEDIA_TYPES, Problem, parse_batch, parse_problem

JSON, NPY, TENSORS = "application/json", "application/x-npy", "application/x-safetensors"
GRID = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
MOST = 8
ROWS = 12
CANARY = 31337.4242
GOOD = np.array([[0.5 * i, (-1.0) ** i] for i in range(ROWS)])
COLUMN = np.arange(float(ROWS))[:, None]


def _npy_bytes(array):
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    text = (str(header) + "\n").encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + array.tobytes()


def _as_json(x, y, levels=None):
    fields = {"x": np.asarray(x).tolist(), "y": np.asarray(y).tolist()}
    return json.dumps(fields | ({} if levels is None else {"levels": levels})).encode(), {}


def _as_npy(x, y, levels=None):
    both = np.concatenate([np.asarray(x), np.asarray(y)], axis=1)
    query = {"dim_x": str(np.shape(x)[1])}
    return _npy_bytes(both), query | ({} if levels is None else {"levels": _text(levels)})


def _as_tensors(x, y, levels=None):
    metadata = None if levels is None else {"levels": _text(levels)}
    return save_tensors({"x": np.array(x, order="C"), "y": np.array(y, order="C")}, metadata), {}


def _text(levels):
    return levels if isinstance(levels, str) else ",".join(map(repr, levels))


def _many_json(problems, levels=None):
    listed = [json.loads(_as_json(x, y)[0]) for x, y in problems]
    return json.dumps({"problems": listed} | ({} if levels is None else {"levels": levels})).encode()


def _many_tensors(problems, levels=None):
    sides: dict[str, np.ndarray] = {}
    for i, (x, y) in enumerate(problems):
        sides |= {f"x.{i}": np.array(x, order="C"), f"y.{i}": np.array(y, order="C")}
    return save_tensors(sides, None if levels is None else {"levels": _text(levels)})


ONE = {JSON: _as_json, NPY: _as_npy, TENSORS: _as_tensors}
MANY = {JSON: _many_json, TENSORS: _many_tensors}


def ask(media, x, y, levels=None):
    content, query = ONE[media](x, y, levels)
    return parse_problem(media, content, query, GRID)


def ask_many(media, problems, levels=None, most=MOST):
    return parse_batch(media, MANY[media](problems, levels), {}, GRID, most)


def same(asked, x, y, levels=wire.DEFAULT_LEVELS) -> None:
    assert type(asked) is Problem
    for found, sent in ((asked.x, x), (asked.y, y)):
        assert found.dtype == np.float64
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, np.asarray(sent, dtype=float).reshape(len(sent), -1))
    assert asked.levels == levels


def _with(array, value, row=3, column=1):
    changed = np.array(array, dtype=getattr(value, "dtype", float))
    changed[row, column] = value
    return changed


INTEGERS = np.arange(2 * ROWS).reshape(ROWS, 2)
# name: (x, y, class, words); arrays of the same number of rows and of one type can be an .npy.
TABLE = {
    "nan": (_with(GOOD, np.nan), COLUMN, errors.NotFinite, "x row 3, column 1"),
    "infinity": (_with(GOOD, -np.inf), COLUMN, errors.NotFinite, "x row 3, column 1"),
    "nan in y": (COLUMN, _with(GOOD, np.nan, 11, 0), errors.NotFinite, "y row 11, column 0"),
    "no rows": (GOOD[:0], COLUMN[:0], errors.TooFewSamples, "x has no rows"),
    "one row": (GOOD[:1], COLUMN[:1], errors.TooFewSamples, "1 rows; at least 10"),
    "9 rows": (GOOD[:9], COLUMN[:9], errors.TooFewSamples, "9 rows; at least 10"),
    "unequal": (GOOD, COLUMN[:-1], errors.LengthMismatch, "12 rows and y has 11"),
    "no columns": (GOOD[:, :0], COLUMN, errors.InvalidShape, "x has rows without columns"),
    "0-d": (np.array(1.0), COLUMN, errors.InvalidShape, "x "),
    "3-d": (GOOD[:, :, None], COLUMN, errors.InvalidShape, "x "),
}
NO_NPY = {"unequal", "no columns", "0-d", "3-d", "no rows"}  # it has one array; `test_npy` has these
BAD_LEVELS = {
    "word": "most",
    "none": [],
    "many": [0.3 + i / 1000 for i in range(100)],
    "0": [0.0],
    "1": [0.5, 1.0],
    "outside": [0.001],
    "nan": [float("nan")],
    "falling": [0.5, 0.25],
    "repeated": [0.5, 0.5],
}


@pytest.mark.parametrize("media", ONE)
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (3, 5)])
@pytest.mark.parametrize("levels", [(0.05, 0.5), None])
def test_the_same_data_in_every_encoding(media, shape, levels) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, shape[0])), 1e300 * rng.standard_normal((40, shape[1]))
    same(ask(media, x, y, "all" if levels is None else list(levels)), x, y, levels)
    same(ask(media, x, y), x, y)


@pytest.mark.parametrize("media", ONE)
@pytest.mark.parametrize("value", [2**53 - 1, 2**53, -(2**53)])
def test_integers_that_a_float_holds(media, value) -> None:
    x = _with(INTEGERS, np.int64(value))
    asked = ask(media, x, INTEGERS)
    same(asked, x, INTEGERS)
    assert int(asked.x[3, 1]) == value


@pytest.mark.parametrize("media", ONE)
@pytest.mark.parametrize("value", [5e-324, -0.0, 1.7976931348623157e308, 0.1])
def test_every_float_arrives_bit_for_bit(media, value: float) -> None:
    x = _with(GOOD, value)
    assert ask(media, x, COLUMN).x.tobytes() == x.tobytes()


@pytest.mark.parametrize("media", ONE)
@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
def test_of_longer_integers_the_order_counts(media, value) -> None:
    x = _with(INTEGERS, np.int64(value))
    asked = ask(media, x, INTEGERS)
    np.testing.assert_array_equal(np.argsort(asked.x, axis=0), np.argsort(x, axis=0))
    assert asked.notices == ()


@pytest.mark.parametrize("media", [JSON, TENSORS])
def test_booleans_are_labels(media) -> None:
    asked = ask(media, COLUMN > 3, COLUMN)
    np.testing.assert_array_equal(asked.x, COLUMN > 3)
    assert [notice.code for notice in asked.notices] == ["coded"]


def test_cells_of_json_may_be_labels_dates_and_null() -> None:
    words, days = [["b", "a", "b"][i % 3] for i in range(ROWS)], [f"2020-01-{i + 1:02}" for i in range(ROWS)]
    body = {"x": [list(row) for row in zip(words, days, strict=True)], "y": [None, *range(1, ROWS)]}
    with pytest.raises(errors.NotNumeric, match=r"y row 0, column 0 .* is null; missing='drop'"):
        parse_problem(JSON, json.dumps(body).encode(), {}, GRID)
    asked = parse_problem(JSON, json.dumps(body | {"missing": "drop", "unit": "bits"}).encode(), {}, GRID)
    assert asked.x[:, 0].tolist() == [int(word == "a") for word in words[1:]]
    assert (np.diff(asked.x[:, 1]) == 86400).all()
    assert asked.unit == "bits"
    assert [notice.code for notice in asked.notices] == ["coded", "time", "dropped"]


@pytest.mark.parametrize("options", [{"missing": "drop", "unit": "bits"}, {"unit": "bits"}, {}])
def test_options_of_every_encoding(options) -> None:
    x = COLUMN.copy()
    x[0] = np.nan
    fields = {"x": x.tolist(), "y": COLUMN.tolist(), **options}
    tensors = save_tensors({"x": x, "y": COLUMN}, options or None)
    bodies: list[tuple[str, bytes, dict[str, Any]]] = [
        (JSON, json.dumps(fields).encode(), {}),
        (TENSORS, tensors, {}),
    ]
    bodies.append((NPY, _npy_bytes(np.hstack([x, COLUMN])), options))
    for body in bodies:
        if "missing" not in options:
            with pytest.raises(errors.NotFinite, match="x row 0"):
                parse_problem(*body, GRID)
            continue
        asked = parse_problem(*body, GRID)
        assert (asked.unit, len(asked.x), asked.notices[0].code) == ("bits", ROWS - 1, "dropped")


def test_options_of_many_are_those_of_problems_without_their_own() -> None:
    gap = {"x": [None, *range(1, ROWS)], "y": list(range(ROWS))}
    body = {
        "problems": [gap, {**gap, "missing": "raise"}, {**gap, "unit": "nats"}],
        "missing": "drop",
        "unit": "bits",
    }
    first, second, third = parse_batch(JSON, json.dumps(body).encode(), {}, GRID, MOST)
    assert isinstance(first, Problem)
    assert isinstance(third, Problem)
    assert (len(first.x), first.unit, third.unit) == (ROWS - 1, "bits", "nats")
    assert type(second) is errors.NotNumeric


@pytest.mark.parametrize(
    "options", [{"missing": "skip"}, {"unit": "hartley"}, {"missing": None}, {"unit": ["bits"]}]
)
def test_options_are_words(options) -> None:
    with pytest.raises(errors.InvalidRequest, match="must be one of"):
        parse_problem(
            JSON, json.dumps({"x": COLUMN.tolist(), "y": COLUMN.tolist(), **options}).encode(), {}, GRID
        )


def test_a_wide_body_of_labels_is_not_read_column_by_column() -> None:
    wide = json.dumps({"x": [["a"] * 257] * ROWS, "y": list(range(ROWS))}).encode()
    with pytest.raises(errors.NotNumeric, match="x row 0, column 0"):
        parse_problem(JSON, wide, {}, GRID)


CASES = [(media, case) for media in ONE for case in TABLE if media != NPY or case not in NO_NPY]


@pytest.mark.parametrize(("media", "case"), CASES)
def test_one_mistake(media, case) -> None:
    x, y, error, words = TABLE[case]
    with pytest.raises(error, match=words) as caught:
        ask(media, x, y)
    assert type(caught.value) is error


@pytest.mark.parametrize("media", MANY)
@pytest.mark.parametrize("case", TABLE)
def test_a_mistake_among_many(media, case: str) -> None:
    """The others are as they would be alone, and the order is kept."""
    x, y, error, words = TABLE[case]
    first, bad, last = ask_many(media, [(GOOD, COLUMN), (x, y), (COLUMN, GOOD)])
    same(first, GOOD, COLUMN)
    same(last, COLUMN, GOOD)
    assert type(bad) is error
    assert words in str(bad)


@pytest.mark.parametrize("media", MANY)
def test_many_of_any_shapes(media) -> None:
    rng = np.random.default_rng(0)
    problems = [(rng.standard_normal((10 + i, 1 + i)), rng.standard_normal((10 + i, 3))) for i in range(5)]
    for asked, (x, y) in zip(ask_many(media, problems, [0.5]), problems, strict=True):
        same(asked, x, y, (0.5,))
    assert [asked.levels for asked in ask_many(media, problems, "all")] == [None] * 5


@pytest.mark.parametrize("media", MANY)
def test_all_may_be_wrong(media) -> None:
    found = ask_many(media, [(GOOD[:9], COLUMN[:9])] * MOST)
    assert [type(one) for one in found] == [errors.TooFewSamples] * MOST


@pytest.mark.parametrize("media", MANY)
def test_how_many(media) -> None:
    assert len(ask_many(media, [(GOOD, COLUMN)] * MOST)) == MOST
    with pytest.raises(errors.TooLarge, match="at most 8 at once"):
        ask_many(media, [(GOOD, COLUMN)] * (MOST + 1))
    with pytest.raises(errors.InvalidRequest, match="no problem"):
        ask_many(media, [])


@pytest.mark.parametrize("media", ONE)
@pytest.mark.parametrize("case", BAD_LEVELS)
def test_levels(media, case: str) -> None:
    with pytest.raises(errors.InvalidLevel):
        ask(media, GOOD, COLUMN, BAD_LEVELS[case])


@pytest.mark.parametrize("media", MANY)
@pytest.mark.parametrize("case", BAD_LEVELS)
def test_levels_of_many(media, case: str) -> None:
    with pytest.raises(errors.InvalidLevel):
        ask_many(media, [(GOOD, COLUMN)], BAD_LEVELS[case])


@pytest.mark.parametrize(
    "text", ["0.5,", ",", "", " 0.5", "0_0.5", "0x1p-1", "infinity", "\u0660.\u0665", "0.5;0.6", "1" * 9999]
)
@pytest.mark.parametrize("media", [NPY, TENSORS])
def test_levels_in_text_are_plain_numbers(media, text) -> None:
    """float() would take some of these."""
    with pytest.raises(errors.InvalidLevel):
        ask(media, GOOD, COLUMN, text)


@pytest.mark.parametrize("media", [JSON, TENSORS])
def test_only_npy_has_parameters(media) -> None:
    content, _ = ONE[media](GOOD, COLUMN)
    with pytest.raises(errors.InvalidRequest, match="the address has parameters"):
        parse_problem(media, content, {"levels": "0.5"}, GRID)
    with pytest.raises(errors.InvalidRequest, match="the address has parameters"):
        parse_batch(media, MANY[media]([(GOOD, COLUMN)]), {"dim_x": "1"}, GRID, MOST)


def test_one_npy_is_one_problem() -> None:
    with pytest.raises(errors.InvalidRequest, match="as JSON or as safetensors"):
        parse_batch(NPY, _as_npy(GOOD, COLUMN)[0], {}, GRID, MOST)


@pytest.mark.parametrize(
    "read", [lambda m: parse_problem(m, b"", {}, GRID), lambda m: parse_batch(m, b"", {}, GRID, 1)]
)
def test_other_media_types(read) -> None:
    with pytest.raises(errors.UnsupportedMedia):
        read("text/csv")


@pytest.mark.parametrize("media", sorted(MEDIA_TYPES))
@pytest.mark.parametrize("other", sorted(MEDIA_TYPES))
def test_one_format_is_not_another(media, other) -> None:
    if media != other:
        with pytest.raises(errors.Malformed):
            parse_problem(media, ONE[other](GOOD, COLUMN)[0], {}, GRID)


@pytest.mark.parametrize("media", ONE)
def test_no_part_of_a_body_is_whole(media) -> None:
    content, query = ONE[media](GOOD, COLUMN)
    for end in range(len(content)):
        with pytest.raises(errors.Malformed):
            parse_problem(media, content[:end], query, GRID)
    with pytest.raises(errors.Malformed):
        parse_problem(media, content + b"\0", query, GRID)


@pytest.mark.parametrize("media", MANY)
def test_no_part_of_many_is_whole(media) -> None:
    content = MANY[media]([(GOOD, COLUMN)] * 2)
    for end in range(len(content)):
        with pytest.raises(errors.Malformed):
            parse_batch(media, content[:end], {}, GRID, MOST)


@pytest.mark.parametrize("media", ONE)
@pytest.mark.parametrize("case", ["nan", "9 rows"])
def test_data_are_never_repeated(media, case: str) -> None:
    x, y, error, _ = TABLE[case]
    x = x + 0  # a copy
    x[0, 0] = CANARY if x.dtype.kind == "f" else 31337
    with pytest.raises(error) as caught:
        ask(media, x, y)
    assert "31337" not in str(caught.value)
    assert len(str(caught.value)) < 400
