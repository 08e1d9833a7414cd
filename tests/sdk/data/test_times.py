"""Dates, times and time differences of every library become seconds in their order."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mizzle import errors
from mizzle.tables.variables import variables

DAYS = [datetime.date(2020, 1, 3), datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]
MOMENTS = np.array(DAYS, "M8[us]")
ZONE = datetime.timezone(datetime.timedelta(hours=5))
SPANS = [datetime.timedelta(days=2), datetime.timedelta(0), datetime.timedelta(days=1)]
TIMES = {
    "dates": DAYS,
    "numpy dates": np.array(DAYS, "M8[D]"),
    "numpy nanoseconds": MOMENTS.astype("M8[ns]"),
    "numpy cells": list(MOMENTS),
    "numpy months": np.array(["2020-03", "2020-01", "2020-02"], "M8[M]"),
    "times": MOMENTS.tolist(),
    "times of a zone": [one.replace(tzinfo=ZONE) for one in MOMENTS.tolist()],
    "times of a zone at the end of all years": [
        datetime.datetime.max.replace(day=day, tzinfo=datetime.timezone(datetime.timedelta(hours=-9)))
        for day in (31, 29, 30)
    ],
    "times of several zones": [
        datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=hours)))
        for hours in (1, 3, 2)
    ],
    "times of day": [datetime.time(3), datetime.time(1), datetime.time(2)],
    "pandas": pd.Series(MOMENTS),
    "pandas in a zone": pd.Series(MOMENTS).dt.tz_localize("Europe/Berlin"),
    "pandas objects": pd.Series(DAYS, dtype=object),
    "pandas arrow": pd.Series(DAYS, dtype=pd.ArrowDtype(pa.date32())),
    "polars": pl.Series(MOMENTS),
    "polars dates": pl.Series(DAYS),
    "polars times of day": pl.Series([datetime.time(3), datetime.time(1), datetime.time(2)]),
    "pyarrow": pa.array(MOMENTS),
    "pyarrow in a zone": pa.array(MOMENTS, pa.timestamp("ms", "Europe/Berlin")),
    "pyarrow dates": pa.array(DAYS),
    "pyarrow times of day": pa.array([3, 1, 2], pa.time32("s")),
    "pandas periods": pd.Series(pd.PeriodIndex(DAYS, freq="D")),
    "nanoseconds apart": np.array([2**60 + 2, 2**60, 2**60 + 1], "M8[ns]"),
    "nanoseconds of pandas' cells": [pd.Timestamp(2**60 + i) for i in (2, 0, 1)],
    "nanoseconds of numpy's cells": list(np.array([2**60 + 2, 2**60, 2**60 + 1], "M8[ns]")),
    "nanoseconds of durations": [pd.Timedelta(2**60 + i) for i in (2, 0, 1)],
    "text": [day.isoformat() for day in DAYS],
    "text of a zone": [f"2020-01-01T00:00:00+0{hours}:00" for hours in (1, 3, 2)],
    "text of pandas": pd.Series([f"{day} 12:00:00" for day in DAYS]),
    "text as bytes": np.array([day.isoformat().encode() for day in DAYS]),
    "durations": SPANS,
    "numpy durations": np.array(SPANS, "m8[s]"),
    "pandas durations": pd.Series(SPANS),
    "polars durations": pl.Series(SPANS),
    "pyarrow durations": pa.array(SPANS),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_are_seconds_in_their_order_and_this_is_said(kind: str) -> None:
    [one] = variables({"a": TIMES[kind]})
    assert np.argsort(one.values[:, 0]).tolist() == [1, 2, 0]
    assert [note.code for note in one.notes] == ["time"]
    assert "column 'a' holds dates or times" in one.notes[0].message


@pytest.mark.parametrize("kind", ["numpy dates", "dates", "pandas", "polars", "polars dates", "pyarrow"])
def test_the_same_day_is_the_same_number_in_every_frame(kind: str) -> None:
    [one] = variables({"a": TIMES[kind]})
    assert (one.values[:, 0] - one.values[1, 0]).tolist() == [2 * 86400, 0, 86400]


@pytest.mark.parametrize(
    "values",
    [
        [DAYS[0], None, DAYS[1]],
        np.array(["2020-01-03", "NaT", "2020-01-01"], "M8[D]"),
        np.array([2, "NaT", 1], "m8[s]"),
        [MOMENTS[0], np.datetime64("NaT"), MOMENTS[1]],
        pd.Series(["2020-01-03", None, "2020-01-01"], dtype="datetime64[us, UTC]"),
        pl.Series([DAYS[0], None, DAYS[1]]),
        pa.array([DAYS[0], None, DAYS[1]]),
    ],
    ids=lambda values: type(values).__module__,
)
def test_a_time_may_be_missing(values) -> None:
    with pytest.raises(errors.NotFinite, match="1 missing"):
        variables({"a": values})
    [one] = variables({"a": values}, missing="drop")
    assert one.missing is not None
    assert one.missing.tolist() == [False, True, False]
    assert one.values[0, 0] > one.values[2, 0]
