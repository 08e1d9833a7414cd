"""Frames of every library become the same variables, and what is odd about a column is said or refused."""

import datetime
import decimal
import fractions
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mizzle import errors
from mizzle.tables.variables import variables

VALUES = np.array([[1.0, 2.0], [3.5, 4.0], [-5.0, 6.0]])
NAMED = {"a": VALUES[:, 0], "b": VALUES[:, 1]}
FRAMES = {
    "dict of arrays": NAMED,
    "dict of lists": {name: values.tolist() for name, values in NAMED.items()},
    "dict of tensors": {name: torch.tensor(values, requires_grad=True) for name, values in NAMED.items()},
    "dict of Series": {"a": pd.Series(NAMED["a"], index=[5, 5, 1]), "b": pl.Series(NAMED["b"])},
    "dict of columns (n, 1)": {name: values[:, None] for name, values in NAMED.items()},
    "pandas": pd.DataFrame(NAMED, index=[9, 9, 2]),
    "pandas nullable": pd.DataFrame(NAMED).astype("Float64"),
    "pandas object": pd.DataFrame(NAMED).astype(object),
    "polars": pl.DataFrame(NAMED),
    "pyarrow": pa.table(NAMED),
    "pyarrow batch": pa.record_batch(NAMED),
    "pyarrow chunks": pa.concat_tables([pa.table(NAMED).slice(0, 2), pa.table(NAMED).slice(2)]),
}
ARRAYS = {
    "numpy": VALUES,
    "fortran": np.asfortranarray(VALUES),
    "float32": VALUES.astype(np.float32),
    "torch": torch.tensor(VALUES),
    "rows": VALUES.tolist(),
    "masked": np.ma.masked_array(VALUES),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_every_library_are_the_same(kind: str) -> None:
    found = variables(FRAMES[kind])
    assert [one.name for one in found] == ["a", "b"]
    np.testing.assert_array_equal(np.hstack([one.values for one in found]), VALUES)
    for one in found:
        assert one.missing is None
        assert one.notes == ()
        assert one.values.shape == (3, 1)
        assert not one.values.flags.writeable


@pytest.mark.parametrize("kind", ARRAYS)
def test_columns_of_an_array_are_numbered(kind: str) -> None:
    found = variables(ARRAYS[kind])
    assert [one.name for one in found] == ["c0", "c1"]
    np.testing.assert_array_equal(np.hstack([one.values for one in found]), VALUES)


INTEGERS = {
    "numpy": {"a": np.array([3, 1, 2], np.int8)},
    "big endian": {"a": np.array([3, 1, 2], ">i4")},
    "unsigned": {"a": np.array([3, 1, 2], np.uint64)},
    "pandas": pd.DataFrame({"a": [3, 1, 2]}),
    "pandas nullable": pd.DataFrame({"a": pd.array([3, 1, 2], "UInt8")}),
    "pandas arrow": pd.DataFrame({"a": pd.array([3, 1, 2], pd.ArrowDtype(pa.int32()))}),
    "pandas index": {"a": pd.Index([3, 1, 2])},
    "polars": pl.DataFrame({"a": [3, 1, 2]}),
    "polars of 128 bits": pl.DataFrame({"a": pl.Series([3, 1, 2], dtype=pl.Int128)}),
    "pyarrow": pa.table({"a": pa.array([3, 1, 2], pa.uint16())}),
    "lists": {"a": [3, np.int64(1), 2]},
}


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_are_numbers(kind: str) -> None:
    [one] = variables(INTEGERS[kind])
    assert one.values[:, 0].tolist() == [3, 1, 2]
    assert one.notes == ()


WITH_GAPS = {
    "numpy": {"a": np.array([1.0, np.nan, 3.0])},
    "list": {"a": [1, None, 3]},
    "list with NaN": {"a": [1, float("nan"), 3]},
    "masked": {"a": np.ma.masked_array([1, 99, 3], [False, True, False])},
    "pandas": pd.DataFrame({"a": [1.0, None, 3.0]}),
    "pandas nullable": pd.DataFrame({"a": pd.array([1, None, 3], "Int64")}),
    "pandas arrow": pd.DataFrame({"a": pd.array([1, None, 3], pd.ArrowDtype(pa.float64()))}),
    "pandas object": pd.DataFrame({"a": pd.Series([1, pd.NA, 3], dtype=object)}),
    "polars": pl.DataFrame({"a": [1, None, 3]}),
    "polars NaN": pl.DataFrame({"a": [1.0, float("nan"), 3.0]}),
    "pyarrow": pa.table({"a": [1, None, 3]}),
    "pyarrow floats": pa.table({"a": [1.0, None, 3.0]}),
}


@pytest.mark.parametrize("kind", WITH_GAPS)
def test_missing_cells_are_refused_or_marked(kind: str) -> None:
    with pytest.raises(
        errors.NotFinite, match=r"column 'a' has 1 missing cells, the first in row 1 .*; missing='drop'"
    ):
        variables(WITH_GAPS[kind])
    [one] = variables(WITH_GAPS[kind], missing="drop")
    assert one.missing is not None
    assert one.missing.tolist() == [False, True, False]
    assert one.values[:, 0].tolist() == [1, 0, 3]


LABELS = {
    "list": {"a": ["b", "a", "b"]},
    "numpy": {"a": np.array(["b", "a", "b"])},
    "numpy strings": {"a": np.array(["b", "a", "b"], dtype=np.dtypes.StringDType())},
    "numpy objects": {"a": np.array(["b", "a", "b"], dtype=object)},
    "pandas": pd.DataFrame({"a": ["b", "a", "b"]}),
    "pandas categories": pd.DataFrame({"a": pd.Categorical(["b", "a", "b"], ["b", "c", "a"])}),
    "pandas index of categories": {"a": pd.CategoricalIndex(["b", "a", "b"], ["b", "c", "a"])},
    "polars": pl.DataFrame({"a": ["b", "a", "b"]}),
    "polars categories": pl.DataFrame({"a": pl.Series(["b", "a", "b"], dtype=pl.Categorical)}),
    "pyarrow": pa.table({"a": ["b", "a", "b"]}),
    "pyarrow categories": pa.table({"a": pa.array(["b", "a", "b"]).dictionary_encode()}),
    "bytes": {"a": [b"b", b"a", b"b"]},
    "numpy bytes": {"a": np.array([b"b", b"a", b"b"])},
    "pyarrow bytes": pa.table({"a": [b"b", b"a", b"b"]}),
    "polars bytes": pl.DataFrame({"a": [b"b", b"a", b"b"]}),
    "identifiers of a few things": {"a": [uuid.UUID(int=i) for i in (7, 8, 7)]},
    "booleans": {"a": [False, True, False]},
    "numpy booleans": {"a": np.array([False, True, False])},
    "pandas booleans": pd.DataFrame({"a": pd.array([False, True, False], "boolean")}),
    "polars booleans": pl.DataFrame({"a": [False, True, False]}),
    "pyarrow booleans": pa.table({"a": [False, True, False]}),
    "arrow numbers as categories": pa.table({"a": pa.array([20, 7, 20]).dictionary_encode()}),
    "numbers as categories": pd.DataFrame({"a": pd.Categorical([20, 7, 20], [20, 7])}),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_coded_by_falling_count_and_this_is_said(kind: str) -> None:
    [one] = variables(LABELS[kind])
    assert one.values[:, 0].tolist() == [0, 1, 0]
    [note] = one.notes
    assert note.code == "coded"
    assert "column 'a' has 2 different labels" in note.message


ORDERED = {
    "pandas": pd.DataFrame({"a": pd.Categorical(["lo", "hi", None], ["lo", "mid", "hi"], ordered=True)}),
    "polars": pl.DataFrame({"a": pl.Series(["lo", "hi", None], dtype=pl.Enum(["lo", "mid", "hi"]))}),
    "pyarrow": pa.table(
        {
            "a": pa.DictionaryArray.from_arrays(
                pa.array([0, 2, None], pa.int8()), pa.array(["lo", "mid", "hi"]), ordered=True
            )
        }
    ),
}


@pytest.mark.parametrize("kind", ORDERED)
def test_an_ordered_category_keeps_its_order(kind: str) -> None:
    [one] = variables(ORDERED[kind], missing="drop")
    assert one.values[:2, 0].tolist() == [0, 2]
    assert one.missing is not None
    assert one.missing.tolist() == [False, False, True]
    assert [note.code for note in one.notes] == ["coded"]


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=20), st.permutations("abcde"))
def test_the_codes_of_labels_follow_neither_rows_nor_declarations(labels, declared) -> None:
    [plain] = variables({"a": labels})
    [category] = variables(pd.DataFrame({"a": pd.Categorical(labels, list(declared))}))
    [turned] = variables({"a": labels[::-1]})
    np.testing.assert_array_equal(
        np.argsort(plain.values, axis=0, kind="stable"), np.argsort(category.values, axis=0, kind="stable")
    )
    np.testing.assert_array_equal(plain.values, turned.values[::-1])
    assert [note.message for note in plain.notes] == [note.message for note in category.notes]


def test_what_came_instead_of_a_word_is_said() -> None:
    with pytest.raises(errors.InvalidInput, match="missing is 'skip'; it must be"):
        variables(NAMED, missing="skip")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="missing is something else"):
        variables(NAMED, missing="x" * 100)  # type: ignore[arg-type]


TEXT = [f"patient {i}" for i in range(30)]
NUMBERS = np.arange(30.0)


def test_free_text_is_left_out_and_all_of_it_is_named() -> None:
    frame = {"a": NUMBERS, "name": TEXT, "b": NUMBERS[::-1], "key": [uuid.UUID(int=i) for i in range(30)]}
    result = variables(frame)
    assert [variable.name for variable in result] == ["a", "b"]
    [notice] = result.notices
    assert notice.code == "left_out"
    assert notice.message.startswith("columns 'name' and 'key' are left out: ")
    assert variables({"a": NUMBERS, "b": NUMBERS}).notices == ()


@pytest.mark.parametrize(
    "how",
    [
        {"strict": True},
        {"groups": {"both": ["name", "key"]}},
        {"columns": ["a", "name", "key"]},  # a single variable would be left
    ],
    ids=str,
)
def test_free_text_that_cannot_be_left_out_is_refused_at_once(how) -> None:
    frame = {"a": NUMBERS, "name": TEXT, "key": TEXT[::-1]} | ({} if "columns" in how else {"b": NUMBERS})
    with pytest.raises(errors.NotNumeric) as caught:
        variables(frame, **how)
    text = "holds free text, 30 different values in 30 rows"
    assert str(caught.value).startswith(f"column 'name' {text}; column 'key' {text}; convert it")


def test_a_target_of_free_text_is_refused() -> None:
    with pytest.raises(errors.NotNumeric, match=r"^column 'name' holds free text, [^']*$"):
        variables({"a": NUMBERS, "b": NUMBERS, "name": TEXT, "key": TEXT}, target="name")


def test_what_cannot_be_used_is_refused_in_one_message() -> None:
    frame = {"a": NUMBERS, "i": NUMBERS * 1j, "mixed": [1, *TEXT[1:]], "j": NUMBERS * 1j, "deep": [[1]] * 30}
    with pytest.raises(errors.NotNumeric) as caught:
        variables(frame)
    for name in ("'i'", "'mixed'", "'j'", "'deep'"):
        assert f"column {name} h" in str(caught.value)
    with pytest.raises(errors.InvalidInput, match=r"'i' holds complex.*'wide' has 2 dimensions"):
        variables({"i": NUMBERS * 1j, "wide": np.zeros((30, 2))})
    with pytest.raises(errors.InvalidInput, match="so do 10 more columns"):
        variables({f"c{i}": NUMBERS * 1j for i in range(60)})


REFUSED = {
    "infinite": ([1.0, float("inf"), 2.0], errors.NotFinite),
    "mixed": ([1.0, "two", 3.0], errors.NotNumeric),
    "boolean beside number": ([True, 2, 3], errors.NotNumeric),
    "complex": (np.array([1j, 2, 3]), errors.NotNumeric),
    "dates beside times": ([datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 2)], errors.NotNumeric),
    "polars lists": (pl.Series([[1], [2], [3]]), errors.NotNumeric),
    "polars structs": (pl.Series([{"k": 1}] * 3), errors.NotNumeric),
    "decimal commas": (["31337,5", "12,5", "9,5"], errors.NotNumeric),
    "fractions": ([fractions.Fraction(1, 3)] * 3, errors.NotNumeric),
    "infinite decimals": ([decimal.Decimal("inf")] * 3, errors.NotFinite),
    "bytes beside numbers": ([b"two", 2, 3], errors.NotNumeric),
    "lists": ([[1], [2], [3]], errors.NotNumeric),
    "wide": (np.zeros((3, 2)), errors.InvalidShape),
    "scalar": (7.0, errors.InvalidShape),
    "text": ("secret", errors.InvalidShape),
    "none": (None, errors.InvalidShape),
    "a pandas frame": (pd.DataFrame({"k": [1, 2, 3]}), errors.InvalidShape),
    "a polars frame": (pl.DataFrame({"k": [1, 2, 3]}), errors.InvalidShape),
    "an arrow table": (pa.table({"k": [1, 2, 3]}), errors.InvalidShape),
    "a time": (pd.Timestamp("2020"), errors.InvalidShape),
    "an index of pairs": (pd.MultiIndex.from_product([["secret"], [1, 2, 3]]), errors.NotNumeric),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_column_is_refused_by_name_and_without_its_cells(kind: str) -> None:
    values, error = REFUSED[kind]
    with pytest.raises(error) as found:
        variables({"fine": [1.0, 2.0, 3.0], "odd one": values})
    assert "'odd one'" in str(found.value)
    for cell in ("secret", "two", "2020", "31337", str(2**53 + 1), str(2**70), str(2**60)):
        assert cell not in str(found.value)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_column_that_is_not_chosen_is_not_read(kind: str) -> None:
    found = variables({"fine": [1.0, 2.0, 3.0], "odd one": REFUSED[kind][0]}, columns=["fine"])
    assert [one.name for one in found] == ["fine"]


@pytest.mark.parametrize(
    "frame",
    [
        *(
            5,
            None,
            "text",
            np.zeros(3),
            np.zeros((2, 2, 2)),
            [1.0, 2.0],
            [[1.0], [2.0, 3.0]],
            pd.Series([1.0]),
        ),
        *(pl.Series([1.0]), pl.LazyFrame({"a": [1]}), pa.array([1.0]), {}, np.zeros((3, 0)), []),
        pd.DataFrame(np.zeros((3, 2)), columns=["a", "a"]),
        pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
        {1: [1.0], "1": [2.0]},
    ],
    ids=str,
)
def test_what_is_no_table_is_refused(frame) -> None:
    with pytest.raises(errors.InvalidShape):
        variables(frame)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(errors.LengthMismatch, match="column 'b' has 4 rows and column 'a' has 3"):
        variables({"a": [1.0, 2, 3], "b": [1.0, 2, 3, 4]})


def test_constants_and_copies_are_said() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20))
    found = {
        one.name: one
        for one in variables({"a": a, "b": b, "copy": a + 0.0, "k": [2.0] * 20, "l": [2.0] * 20})
    }
    assert [n.code for n in found["b"].notes] == []
    assert [n.message for n in found["a"].notes] == ["column 'a' holds the same values as column 'copy'"]
    assert [n.message for n in found["copy"].notes] == ["column 'copy' holds the same values as column 'a'"]
    assert [n.code for n in found["k"].notes] == [n.code for n in found["l"].notes] == ["constant"]


def test_zeros_are_equal_whatever_their_sign() -> None:
    one, other = variables({"a": [0.0, 1.0], "b": [-0.0, 1.0]})
    assert [note.code for note in (*one.notes, *other.notes)] == ["duplicate", "duplicate"]


def test_a_group_lacks_what_one_of_its_columns_lacks() -> None:
    columns = {"a": [1.0, None, 3.0], "b": [1.0, 2.0, None], "c": ["x", "y", "x"]}
    [one] = variables(columns, groups={"g": ["a", "b", "c"]}, missing="drop")
    assert one.name == "g"
    assert one.values.shape == (3, 3)
    assert one.missing is not None
    assert one.missing.tolist() == [False, True, True]
    assert [note.code for note in one.notes] == ["coded"]


def test_grouped_columns_stand_alone_only_when_asked_to() -> None:
    columns = {name: np.arange(4.0) * (i + 1) for i, name in enumerate("abc")}
    groups = {"g": ["a", "b"]}
    assert [one.name for one in variables(columns, groups=groups)] == ["c", "g"]
    assert [one.name for one in variables(columns, columns=["a"], groups=groups)] == ["a", "g"]
    assert [one.name for one in variables(columns, groups=groups, target="a")] == ["c", "g", "a"]


def test_a_column_without_any_value_is_marked_throughout() -> None:
    for empty in ([None] * 3, np.full(3, np.nan), pl.Series([None] * 3), pa.nulls(3), pd.Series([None] * 3)):
        one = variables({"a": [1.0, 2, 3], "b": empty}, missing="drop")[1]
        assert one.missing is not None
        assert one.missing.all()
        assert one.notes == ()


def test_long_and_hostile_names_are_shown_short() -> None:
    name = "x\n" + "y" * 500
    with pytest.raises(errors.NotNumeric) as found:
        variables({name: [1.0, "a"]})
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 300
