"""Arrays of every library give the same table, and every defect is refused with its place."""

import datetime
import decimal

import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mizzle import errors
from mizzle.data.arrays import as_table, check_pair

_ROWS = [[1.0, 2.0], [3.0, 4.5], [-5.0, 6.0]]
_INTS = [[1, 2], [3, 4], [-5, 6]]

SAME = {
    "lists": _ROWS,
    "tuples": tuple(map(tuple, _ROWS)),
    "numpy": np.array(_ROWS),
    "fortran": np.asfortranarray(_ROWS),
    "float32": np.array(_ROWS, dtype=np.float32),
    "big endian": np.array(_ROWS, dtype=">f8"),
    "long double": np.array(_ROWS, dtype=np.longdouble),
    "object": np.array(_ROWS, dtype=object),
    "strided": np.repeat(np.array(_ROWS), 2, axis=0)[::2],
    "unmasked": np.ma.masked_array(_ROWS),
    "list of arrays": [np.array(row) for row in _ROWS],
    "list of numpy scalars": [[np.float64(cell) for cell in row] for row in _ROWS],
    "pandas": pd.DataFrame(_ROWS),
    "pandas nullable": pd.DataFrame(_ROWS).astype("Float64"),
    "pandas same labels": pd.DataFrame(_ROWS, columns=["a", "a"], index=[7, 7, 1]),
    "polars": pl.DataFrame(np.array(_ROWS)),
    "pyarrow": pa.table({"a": [1.0, 3.0, -5.0], "b": [2.0, 4.5, 6.0]}),
    "pyarrow batch": pa.record_batch({"a": [1.0, 3.0, -5.0], "b": [2.0, 4.5, 6.0]}),
    "pyarrow chunks": pa.concat_tables([pa.table({"a": [a], "b": [b]}) for a, b in _ROWS]),
    "torch": torch.tensor(_ROWS),
    "torch grad": torch.tensor(_ROWS, dtype=torch.float64, requires_grad=True),
    "torch bfloat16": torch.tensor(_ROWS, dtype=torch.bfloat16),
    "memoryview": np.array(_ROWS).data,
}
SAME_INTS = {
    "lists": _INTS,
    "int8": np.array(_INTS, dtype=np.int8),
    "int64": np.array(_INTS),
    "pandas": pd.DataFrame(_INTS),
    "pandas nullable": pd.DataFrame(_INTS, dtype="Int64"),
    "pandas mixed": pd.DataFrame({"a": [1, 3, -5], "b": pd.array([2.0, 4.0, 6.0], "Float64")}),
    "polars": pl.DataFrame({"a": [1, 3, -5], "b": [2.0, 4.0, 6.0]}),
    "pyarrow": pa.table({"a": pa.array([1, 3, -5], pa.int8()), "b": pa.array([2, 4, 6], pa.float16())}),
    "torch": torch.tensor(_INTS),
}
COLUMN = {
    "list": [1, 2.5],
    "numpy": np.array([1, 2.5]),
    "pandas": pd.Series([1, 2.5]),
    "polars": pl.Series([1.0, 2.5]),
    "pyarrow": pa.array([1, 2.5]),
    "pyarrow chunks": pa.chunked_array([[1], [2.5]], pa.float64()),
    "torch": torch.tensor([1, 2.5]),
    "tensors": [torch.tensor(1.0), torch.tensor(2.5)],
}


@pytest.mark.parametrize("form", SAME)
def test_every_library_gives_the_same_table(form: str) -> None:
    table = as_table(SAME[form], "x")
    assert table.dtype == np.float64
    assert table.flags.c_contiguous
    np.testing.assert_array_equal(table, _ROWS)


@pytest.mark.parametrize("form", SAME_INTS)
def test_integers_become_floats(form: str) -> None:
    table = as_table(SAME_INTS[form], "x")
    assert table.dtype == np.float64
    np.testing.assert_array_equal(table, _INTS)


@pytest.mark.parametrize("form", COLUMN)
def test_one_dimension_is_one_column(form: str) -> None:
    np.testing.assert_array_equal(as_table(COLUMN[form], "x"), [[1.0], [2.5]])


BIG = 2**53 + 1
PLACE = "x row 1, column 0 "
REFUSED = [
    # shape
    (None, errors.InvalidShape, "null"),
    (1.5, errors.InvalidShape, "single number"),
    ("abc", errors.InvalidShape, "text"),
    ({"a": [1]}, errors.InvalidShape, "mapping"),
    ((i for i in range(3)), errors.InvalidShape, "unknown kind"),
    (np.array(1.0), errors.InvalidShape, "0 dimensions"),
    (np.zeros((2, 2, 2)), errors.InvalidShape, "3 dimensions"),
    (torch.zeros(2, 2, 2), errors.InvalidShape, "3 dimensions"),
    ([[[1.0]]], errors.InvalidShape, "nest"),
    ([[1, 2], [3]], errors.InvalidShape, "x row 1 "),
    ([[1], 2], errors.InvalidShape, "x row 1 "),
    ([1, [2]], errors.InvalidShape, "x row 0 "),
    ([np.array([1, 2]), np.array([1])], errors.InvalidShape, "x row 1 "),
    ([[], []], errors.InvalidShape, "columns"),
    (np.zeros((3, 0)), errors.InvalidShape, "columns"),
    (pd.DataFrame(), errors.InvalidShape, "columns"),
    (pa.table({}), errors.InvalidShape, "columns"),
    (pa.schema([("a", pa.int64())]), errors.InvalidShape, "convert"),
    (pa.scalar(31337), errors.InvalidShape, "convert"),
    (pl.DataFrame({"a": [1]}).lazy(), errors.InvalidShape, "collect"),
    (pl.col("a"), errors.InvalidShape, "collect"),
    (pd.Timestamp(0), errors.InvalidShape, "convert"),
    (torch.zeros(2, device="meta"), errors.InvalidShape, "dense"),
    (torch.zeros(2).to_sparse(), errors.InvalidShape, "dense"),
    ([], errors.TooFewSamples, "no rows"),
    (np.zeros((0, 3)), errors.TooFewSamples, "no rows"),
    # cells that are no numbers
    ([1, True], errors.NotNumeric, PLACE),
    ([[1.0], [np.True_]], errors.NotNumeric, PLACE),
    (np.array([1, True], dtype=object), errors.NotNumeric, PLACE),
    (np.array([True, False]), errors.NotNumeric, r"boolean.*; x\.astype\(float\) makes numbers of"),
    (np.array([1, np.nan, np.inf]), errors.NotFinite, PLACE + ".*, as are 1 more cells; drop such rows"),
    (pd.Series([True, False]), errors.NotNumeric, "boolean"),
    (pd.Series([True], dtype="boolean"), errors.NotNumeric, "boolean"),
    (torch.zeros(2, dtype=torch.bool), errors.NotNumeric, "boolean"),
    ([1, None], errors.NotNumeric, PLACE),
    ([1, "31337"], errors.NotNumeric, PLACE),
    (np.array(["31337"]), errors.NotNumeric, "text"),
    (pd.Series(["31337"]), errors.NotNumeric, "dtype str"),
    (pd.Series([31337], dtype="category"), errors.NotNumeric, "dtype category"),
    (pl.Series(["31337"]), errors.NotNumeric, "dtype String"),
    (pl.Series(["31337", None]), errors.NotNumeric, "dtype String"),  # complete rows would not help
    (pl.Series([[1, 2]]), errors.NotNumeric, "dtype List"),
    (pa.array(["31337"]), errors.NotNumeric, "dtype string"),
    (pa.array([True]), errors.NotNumeric, "dtype bool"),
    (pa.array([{"31337": 1}]), errors.NotNumeric, "dtype struct"),
    (pa.array([decimal.Decimal(1)]), errors.NotNumeric, "dtype decimal"),
    (pa.array(["31337"]).dictionary_encode(), errors.NotNumeric, "dtype dictionary"),
    (pa.table({"a": [1, 2], "b": [datetime.date(2020, 1, 1)] * 2}), errors.NotNumeric, "column 1 "),
    (pl.Series([1], dtype=pl.Int128), errors.NotNumeric, "dtype Int128"),
    ([1, 1j], errors.NotNumeric, PLACE),
    (np.array([1j]), errors.NotNumeric, "complex"),
    (torch.zeros(2, dtype=torch.complex64), errors.NotNumeric, "complex"),
    ([1, datetime.date(2020, 1, 1)], errors.NotNumeric, "date"),
    ([1, np.timedelta64(1, "s")], errors.NotNumeric, "time difference"),
    (np.array(["2020-01-01"], dtype="M8[D]"), errors.NotNumeric, "date"),
    (pd.DataFrame({"a": [1], "b": [pd.Timestamp(0)]}), errors.NotNumeric, "column 1 "),
    ([1, decimal.Decimal(1)], errors.NotNumeric, PLACE),
    ([1, {}], errors.NotNumeric, PLACE),
    (np.array([(1, 2)], dtype=[("a", int), ("b", int)]), errors.NotNumeric, "record"),
    (pd.Series([1, None], dtype="Int64"), errors.NotNumeric, PLACE),
    (pl.Series([1, None]), errors.NotNumeric, PLACE),
    (pa.array([1, None]), errors.NotNumeric, PLACE),
    (pa.chunked_array([[1.5], [None]], pa.float64()), errors.NotNumeric, PLACE),
    (pl.DataFrame({"a": [1, 2], "b": [None, 1.5]}), errors.NotNumeric, "row 0, column 1 "),
    (np.ma.masked_array([1.0, 2.0], mask=[False, True]), errors.NotNumeric, PLACE),
    # not finite
    ([1, float("nan")], errors.NotFinite, PLACE),
    ([[1, 2], [3, float("inf")]], errors.NotFinite, "row 1, column 1 "),
    (np.array([[1, 2], [-np.inf, np.nan]]), errors.NotFinite, PLACE),
    (np.array([1, np.nan], dtype=np.float16), errors.NotFinite, PLACE),
    (np.array([1, np.longdouble("1e4000")]), errors.NotFinite, PLACE),
    (pd.Series([1, None]), errors.NotFinite, PLACE),
    (pa.array([1, float("nan")]), errors.NotFinite, PLACE),
    (torch.tensor([1, torch.nan]), errors.NotFinite, PLACE),
    # integers that a float rounds
    ([1, BIG], errors.PrecisionLoss, PLACE),
    ([1.5, -BIG], errors.PrecisionLoss, PLACE),
    ([1, 10**5000], errors.PrecisionLoss, PLACE),
    ([[1, 2], [1e300, 2**63]], errors.PrecisionLoss, "row 1, column 1 "),
    (np.array([1, BIG]), errors.PrecisionLoss, PLACE),
    (np.array([1, -BIG]), errors.PrecisionLoss, PLACE),
    (np.array([1, 2**64 - 1], dtype=np.uint64), errors.PrecisionLoss, PLACE),
    (pd.DataFrame({"a": [0.5, 1], "b": [1, BIG]}), errors.PrecisionLoss, "row 1, column 1 "),
    (pa.array([1, BIG]), errors.PrecisionLoss, PLACE),
    (torch.tensor([1, BIG]), errors.PrecisionLoss, PLACE),
]


@pytest.mark.parametrize(("value", "error", "words"), REFUSED)
def test_defects_are_refused_with_their_place_and_without_their_value(value, error, words) -> None:
    with pytest.raises(error, match=words) as caught:
        as_table(value, "x")
    assert type(caught.value) is error
    assert "31337" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("exact", [2**53, -(2**53), 0])
def test_integers_up_to_the_limit_are_exact(exact) -> None:
    for value in ([exact], np.array([exact]), pd.Series([exact], dtype="Int64")):
        assert as_table(value, "x")[0, 0] == exact


def test_large_floats_beside_integers_are_fine() -> None:
    assert as_table([[1e300, 1], [2.0**60, 2]], "x")[0, 0] == 1e300


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats()))
def test_lists_and_arrays_agree_on_every_float(array) -> None:
    """Law: the nested list of an array has the same table, or the same refusal."""
    assert _outcome(array) == _outcome(array.tolist())


@given(hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2)))
def test_lists_and_arrays_agree_on_every_integer(array) -> None:
    assert _outcome(array) == _outcome(array.tolist())


_CELLS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(), st.lists(st.integers()))


@given(st.lists(st.one_of(_CELLS, st.lists(_CELLS, max_size=3)), max_size=5))
def test_any_nested_list_is_a_table_or_refused(value) -> None:
    kind, *_ = _outcome(value)
    assert kind == "table" or issubclass(kind, errors.InvalidInput)


def _outcome(value):
    try:
        table = as_table(value, "x")
    except errors.InvalidInput as error:
        return type(error), str(error)
    assert np.isfinite(table).all()
    return "table", table.tobytes()


def test_pairs_must_have_equally_many_rows() -> None:
    with pytest.raises(errors.LengthMismatch, match="12 rows and y has 11"):
        check_pair(np.zeros(12), np.zeros((11, 2)))


@pytest.mark.parametrize("n", range(1, 10))
def test_pairs_need_ten_rows(n: int) -> None:
    with pytest.raises(errors.TooFewSamples, match="at least 10"):
        check_pair([0.0] * n, [0.0] * n)
    assert len(check_pair([0.0] * 10, [0.0] * 10)[0]) == 10


def test_the_offending_side_is_named() -> None:
    bad = np.zeros((12, 2))
    bad[3, 1] = np.nan
    with pytest.raises(errors.NotFinite, match="y row 3, column 1 "):
        check_pair(np.zeros(12), bad)
