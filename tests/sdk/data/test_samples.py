"""One column in many forms is one sample: the same ranks, the same notices, whoever reads it."""

import datetime
import decimal
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse

from mizzle import errors
from mizzle.data.integers import dense_ranks
from mizzle.data.samples import read_sample
from mizzle.tables.variables import variables

N = 12
Y = np.arange(float(N))
ORDER = [3, 1, 2, 2, 0, 3, 1, 3, 3, 3, 0, 3]  # ranks of every column below; of labels, by falling count
BY_COUNT = [0, 2, 3, 3, 1, 0, 2, 0, 0, 0, 1, 0]  # of which 0 and 1 stand in two rows, as does 2
ID = 1_700_000_000_000_000_000
IDS = [ID + place for place in ORDER]
MONEY = [decimal.Decimal(place) / 8 + decimal.Decimal("0.1") for place in ORDER]
LONG_MONEY = [decimal.Decimal(f"{ID}.{place}") for place in ORDER]
DAYS = [datetime.date(2020, 1, 1 + place) for place in ORDER]
MOMENTS = np.array(DAYS, "M8[us]")
WORDS = [("able", "baker", "charlie", "dog")[place] for place in ORDER]

NUMBERS = {
    "floats": np.array(ORDER, float),
    "mixed": [float(place) if place > 1 else place for place in ORDER],
    "mixed with decimals": [decimal.Decimal(place) if place > 1 else place for place in ORDER],
    "pandas objects": pd.Series(MONEY, dtype=object),
    "polars decimals": pl.Series(MONEY, dtype=pl.Decimal(18, 3)),
    "arrow decimals": pa.array(MONEY, pa.decimal128(18, 3)),
    "arrow decimals of 256 bits": pa.array(MONEY, pa.decimal256(40, 3)),
    "arrow decimals in pandas": pd.Series(MONEY, dtype=pd.ArrowDtype(pa.decimal128(18, 3))),
    "arrow decimals in chunks": pa.chunked_array([MONEY[:5], MONEY[5:]], pa.decimal128(18, 3)),
    "long decimals": LONG_MONEY,
    "long arrow decimals": pa.array(LONG_MONEY, pa.decimal128(38, 3)),
    "int64": np.array(IDS),
    "uint64": np.array(IDS, np.uint64),
    "lowest": np.array([np.iinfo(np.int64).min + place for place in ORDER]),
    "highest": np.array([2**64 - 4 + place for place in ORDER], np.uint64),
    "python": IDS,
    "longer than a float": [10**400 + place for place in ORDER],
    "numpy objects": np.array(IDS, dtype=object),
    "numpy cells": list(np.array(IDS)),
    "pandas": pd.Series(IDS),
    "pandas nullable": pd.Series(IDS, dtype="Int64"),
    "pandas in arrow": pd.Series(IDS, dtype=pd.ArrowDtype(pa.int64())),
    "polars": pl.Series(IDS),
    "polars of 128 bits": pl.Series([ID * 1000 + place for place in ORDER], dtype=pl.Int128),
    "small polars of 128 bits": pl.Series(ORDER, dtype=pl.Int128),
    "pyarrow": pa.array(IDS),
    "torch": torch.tensor(IDS),
    "sparse pandas": pd.Series(pd.arrays.SparseArray(ORDER, fill_value=0)),
    "long double": np.array(ORDER, np.longdouble),
}
TIMES = {
    "dates": DAYS,
    "numpy": np.array(DAYS, "M8[D]"),
    "nanoseconds": np.array(IDS, "M8[ns]"),
    "nanoseconds of differences": np.array(IDS, "m8[ns]"),
    "nanoseconds of pandas": pd.Series(np.array(IDS, "M8[ns]")).dt.tz_localize("Europe/Berlin"),
    "nanoseconds of objects": pd.Series(np.array(IDS, "M8[ns]")).astype(object),
    "nanoseconds of polars": pl.Series(np.array(IDS, "M8[ns]")),
    "nanoseconds of arrow": pa.array(np.array(IDS, "M8[ns]")),
    "pandas in a zone": pd.Series(MOMENTS).dt.tz_localize("Europe/Berlin"),
    "polars in a zone": pl.Series(MOMENTS).dt.replace_time_zone("Europe/Berlin"),
    "arrow in a zone": pa.array(MOMENTS, pa.timestamp("us", "Europe/Berlin")),
    "times of day": [datetime.time(place) for place in ORDER],
    "durations": [datetime.timedelta(place) for place in ORDER],
    "periods": pd.Series(pd.PeriodIndex(DAYS, freq="D")),
    "ISO text": [day.isoformat() for day in DAYS],
}
LABELS = {
    "list": WORDS,
    "numpy": np.array(WORDS),
    "numpy strings": np.array(WORDS, dtype=np.dtypes.StringDType()),
    "bytes": [word.encode() for word in WORDS],
    "numpy bytes": np.array([word.encode() for word in WORDS]),
    "pandas": pd.Series(WORDS),
    "pandas bytes": pd.Series([word.encode() for word in WORDS]),
    "pandas categories": pd.Series(WORDS, dtype="category"),
    "pandas categories otherwise": pd.Series(pd.Categorical(WORDS, ["dog", "x", "able", "charlie", "baker"])),
    "pandas categories of numbers": pd.Series(ORDER, dtype="category"),
    "pandas categories of several kinds": pd.Series([(4,), 2.5, b"3", "5"])[ORDER].astype("category"),
    "polars": pl.Series(WORDS),
    "polars bytes": pl.Series([word.encode() for word in WORDS]),
    "polars categories": pl.Series(WORDS, dtype=pl.Categorical),
    "pyarrow": pa.array(WORDS),
    "pyarrow bytes": pa.array([word.encode() for word in WORDS]),
    "pyarrow categories": pa.array(WORDS).dictionary_encode(),
    "pyarrow categories of numbers": pa.array(ORDER).dictionary_encode(),
    "identifiers that repeat": [uuid.UUID(int=place) for place in ORDER],
}
ORDERED = {
    "pandas": pd.Series(pd.Categorical(WORDS, sorted(set(WORDS)), ordered=True)),
    "polars": pl.Series(WORDS, dtype=pl.Enum(sorted(set(WORDS)))),
    "intervals": pd.Series(pd.cut(ORDER, 4)),
}
BOOLEANS = {
    "list": [place == 3 for place in ORDER],
    "numpy": np.array(ORDER) == 3,
    "torch": torch.tensor(ORDER) == 3,
    "pandas": pd.Series(ORDER) == 3,
    "pandas nullable": (pd.Series(ORDER) == 3).astype("boolean"),
    "polars": pl.Series(ORDER) == 3,
    "pyarrow": pa.array([place == 3 for place in ORDER]),
}
CODES = {
    "numbers": (),
    "times": ("time",),
    "labels": ("coded",),
    "ordered": ("coded",),
    "booleans": ("coded",),
}
RANKS = {
    "numbers": ORDER,
    "times": ORDER,
    "labels": BY_COUNT,
    "ordered": ORDER,
    "booleans": [int(place == 3) for place in ORDER],
}
ALL = {"numbers": NUMBERS, "times": TIMES, "labels": LABELS, "ordered": ORDERED, "booleans": BOOLEANS}
CASES = [(kind, form) for kind, forms in ALL.items() for form in forms]


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_one_column_in_every_form_has_one_order_and_one_notice(kind: str, form: str) -> None:
    sample = read_sample(ALL[kind][form], Y)
    assert dense_ranks(sample.x[:, 0]).tolist() == RANKS[kind]
    assert tuple(notice.code for notice in sample.notices) == CODES[kind]
    assert sample.x.flags.c_contiguous
    assert read_sample(Y, ALL[kind][form]).y.tolist() == sample.x.tolist()


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_a_table_reads_the_same_as_an_estimate(kind: str, form: str) -> None:
    [variable] = variables({"a": ALL[kind][form]})
    sample = read_sample(ALL[kind][form], Y)
    assert dense_ranks(variable.values[:, 0]).tolist() == dense_ranks(sample.x[:, 0]).tolist()
    assert tuple(notice.code for notice in variable.notes) == CODES[kind]


def test_a_frame_may_hold_all_of_them() -> None:
    columns = {"n": pd.Series(IDS), "t": pd.Series(MOMENTS), "l": pd.Series(WORDS), "f": Y, "b": Y > 3}
    for frame in (pd.DataFrame(columns), pl.DataFrame({k: np.asarray(v) for k, v in columns.items()})):
        sample = read_sample(frame, Y)
        ranks = [dense_ranks(column).tolist() for column in sample.x.T]
        assert ranks == [ORDER, ORDER, BY_COUNT, Y.tolist(), (Y > 3).tolist()]
        assert [notice.code for notice in sample.notices] == ["time", "coded", "coded"]
        assert "x column 1 (counted from 0) holds dates" in sample.notices[0].message
    rows = read_sample([[place, word] for place, word in zip(IDS, WORDS, strict=True)], Y)
    assert dense_ranks(rows.x[:, 0]).tolist() == ORDER


GAPS = {
    "None": [None, *ORDER[1:]],
    "NaN": [np.nan, *ORDER[1:]],
    "numpy": np.array([np.nan, *ORDER[1:]]),
    "masked": np.ma.masked_array(ORDER, [True] + [False] * (N - 1)),
    "labels": [None, *WORDS[1:]],
    "times": [None, *DAYS[1:]],
    "decimals": [decimal.Decimal("NaN"), *MONEY[1:]],
    "NaT": np.array(["NaT", *DAYS[1:]], "M8[D]"),
    "NA": [pd.NA, *ORDER[1:]],
    "pandas": pd.Series([None, *WORDS[1:]]),
    "pandas nullable": pd.Series([None, *IDS[1:]], dtype="Int64"),
    "polars": pl.Series([None, *IDS[1:]]),
    "pyarrow": pa.array([None, *MONEY[1:]]),
}


@pytest.mark.parametrize("form", GAPS)
def test_missing_cells_are_refused_or_dropped_and_counted(form: str) -> None:
    with pytest.raises((errors.NotNumeric, errors.NotFinite), match=r"x row 0, column 0 .*missing='drop'"):
        read_sample(GAPS[form], Y)
    sample = read_sample(GAPS[form], Y, missing="drop")
    assert sample.x.shape == sample.y.shape == (N - 1, 1)
    assert sample.y[:, 0].tolist() == Y[1:].tolist()
    *_, notice = sample.notices
    assert notice == ("dropped", "1 of 12 rows were left out, in which a value is missing")


def test_rows_are_dropped_from_both_sides() -> None:
    x, y = np.stack([Y, Y], axis=1), Y.copy()
    x[1, 1] = y[2] = np.nan
    sample = read_sample(x, y, missing="drop")
    assert sample.x[:, 0].tolist() == [0, *range(3, N)] == sample.y[:, 0].tolist()
    x[3:, 0] = np.nan
    with pytest.raises(errors.TooFewSamples, match="1 rows"):
        read_sample(x, y, missing="drop")
    with pytest.raises(errors.LengthMismatch, match="12 rows and y has 11"):
        read_sample(x, y[1:], missing="drop")


REFUSED = {
    "free text": ([f"patient {i}" for i in range(30)], "x column 0 .* holds free text, 30 different"),
    "identifiers": ([uuid.UUID(int=i) for i in range(30)], "x column 0 .* holds free text"),
    "numbers as text": ([str(i) for i in range(30)], "x column 0 .* holds numbers as text, 30 different"),
    "mixed": ([*range(29), "a"], "x row 29, column 0 .* is text"),
    "mixed with times": ([datetime.date(2020, 1, 1), *range(29)], "x row 0, column 0 .* is a date"),
    "times of two kinds": ([datetime.date(2020, 1, 1), *[datetime.datetime(2020, 1, 1)] * 29], "x row 0"),
    "complex": (np.arange(30) * 1j, "x row 0, column 0 .* is a complex number"),
    "infinite": (np.array([*range(29), np.inf]), "x row 29, column 0 .* infinite"),
    "infinite beside text": (pd.DataFrame({"a": ["u"] * 30, "b": [np.inf] * 30}), "x column 0"),
    "objects": ([object()] * 30, "x row 0, column 0 .* is of an unknown kind"),
    "lists": (pl.Series([[1]] * 30), "x column 0 .* has dtype List"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_column_is_refused_with_its_place(what: str) -> None:
    values, words = REFUSED[what]
    with pytest.raises(errors.InvalidInput, match=words):
        read_sample(values, np.arange(30))


def test_missing_is_one_of_two_words() -> None:
    with pytest.raises(errors.InvalidInput, match="missing is 'skip'; it must be"):
        read_sample(Y, Y, missing="skip")  # type: ignore[arg-type]


def test_plain_numbers_are_not_copied() -> None:
    table = np.zeros((N, 2))
    assert np.shares_memory(read_sample(table, Y).x, table)


SPARSE = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


@pytest.mark.parametrize(
    "kind", [*(f"{kind}_matrix" for kind in SPARSE), *(f"{kind}_array" for kind in SPARSE)]
)
def test_sparse_arrays_of_every_kind_are_made_dense(kind: str) -> None:
    counts = np.random.default_rng(0).poisson(0.3, (N, 3))
    array = getattr(sparse, kind)(counts)
    np.testing.assert_array_equal(read_sample(array, Y).x, counts)
    np.testing.assert_array_equal(np.hstack([one.values for one in variables(array)]), counts)
    assert read_sample(Y, getattr(sparse, kind)(counts[:, :1] > 0)).notices[0].code == "coded"


def test_sparse_frames_of_pandas_are_read_as_others() -> None:
    counts = np.random.default_rng(0).poisson(0.3, (N, 3))
    frame = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(counts))
    np.testing.assert_array_equal(read_sample(frame, Y).x, counts)
    np.testing.assert_array_equal(np.hstack([one.values for one in variables(frame)]), counts)


def test_what_is_too_large_to_be_made_dense_is_refused_with_its_size() -> None:
    words = sparse.csr_matrix((10_000_000, 1000))
    with pytest.raises(errors.TooLarge, match=r"x is sparse, and would have 74\.5 GiB"):
        read_sample(words, Y)
    with pytest.raises(errors.TooLarge, match=r"the frame is sparse, and would have 74\.5 GiB"):
        variables(words)
    with pytest.raises(errors.TooLarge, match=r"column 'a' is sparse, and would have 74\.5 GiB"):
        variables({"a": words})
