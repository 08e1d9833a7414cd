"""Results as records, frames, files and pictures: the same numbers everywhere, and names as they are."""

import csv
import io
import json
import math
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tabled import FakeBackend, frame

from mizzle import errors
from mizzle.display import formats
from mizzle.display.plots import similar
from mizzle.tables import matrix, rank
from mizzle.tables.results import KEYS, SHARED, Library, Matrix, Ranking

HOSTILE = ["<script>alert(1)</script>", 'a"b', "$\\frac{1$", "x\ny", "=1+1", "&amp;", "é" * 80, "%s {0}", "'"]


@pytest.fixture
def found() -> Matrix:
    """With a constant, a pair of too few rows, and dropped rows."""
    columns = frame()
    columns["a"][:30], columns["b"][25:] = np.nan, np.nan
    columns["c"][:] = 3.0
    return matrix(columns, missing="drop", backend=FakeBackend())


@pytest.fixture
def ranked() -> Ranking:
    return rank(frame(), "c", backend=FakeBackend())


def hostile() -> Matrix:
    rng = np.random.default_rng(0)
    return matrix({name: rng.normal(size=20) for name in HOSTILE}, backend=FakeBackend())


def test_records_have_the_keys_and_plain_values(found: Matrix) -> None:
    for pair, record in zip(found, found.records(), strict=True):
        assert tuple(record) == KEYS
        assert all(value is None or type(value) in (str, float, int, bool) for value in record.values())
        assert (record["mi"] is None) == (record["error"] is not None) == (pair.estimate is None)
        assert not any(isinstance(v, float) and math.isnan(v) for v in record.values())
        if pair.estimate:
            assert record["mi"] == pair.estimate.mi
            assert (record["low"], record["high"]) == pair.estimate.interval(0.9)
            assert record["below"] == pair.estimate.below(0.02)
    assert found["a", "b"].record(0.9, 0.02)["error"].startswith("too_few_samples: ")
    assert "constant" in found["a", "c"].record(0.9, 0.02)["warnings"].split()


def test_json_and_csv_read_back_as_the_records(found: Matrix) -> None:
    whole = json.loads(found.to_json())
    assert whole["kind"] == "matrix"
    assert whole["names"] == list("abcdef")
    assert (whole["level"], whole["unit"], whole["threshold"]) == (0.9, "nats", 0.02)
    assert found.model
    assert whole["model"] == found.model._asdict()
    assert whole["pairs"] == found.records()
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    weights = f"{found.model.name} {found.model.version} {found.model.sha256[:12]}"
    shared = dict(zip(SHARED, ("nats", "0.9", "0.02", weights), strict=True))
    for line, record in zip(lines, found.records(), strict=True):
        assert line == {key: "" if value is None else str(value) for key, value in record.items()} | shared


def test_a_parquet_file_says_what_its_numbers_mean(ranked: Ranking) -> None:
    head = json.loads(ranked.to_frame("pyarrow").schema.metadata[b"mizzle"])
    whole = json.loads(ranked.to_json())
    assert head == {key: value for key, value in whole.items() if key != "pairs"}


def test_without_any_estimate_there_are_no_weights() -> None:
    empty = Ranking((), 0.9, "nats", 0.02, "t")
    assert empty.model is json.loads(empty.to_json())["model"] is None
    assert empty.to_csv().count("\n") == 1


def test_a_ranking_names_its_target(ranked: Ranking) -> None:
    whole = json.loads(ranked.to_json())
    assert (whole["kind"], whole["target"]) == ("ranking", "c")
    assert len(ranked) == len(whole["pairs"]) == 5


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_hold_the_records(found: Matrix, library: Library) -> None:
    made = found.to_frame(library)
    assert type(made).__module__.startswith(library)
    names = made.column_names if library == "pyarrow" else list(made.columns)
    assert tuple(names) == KEYS
    for key in KEYS:
        wanted = [record[key] for record in found.records()]
        if library == "pandas":
            got = [None if gone else value for value, gone in zip(made[key], made[key].isna(), strict=True)]
        else:
            got = made[key].to_list() if library == "polars" else made[key].to_pylist()
        assert got == wanted


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_the_types_of_a_frame_do_not_depend_on_its_values(
    found: Matrix, ranked: Ranking, library: Library
) -> None:
    def types(frame):
        if library == "pandas":
            return frame.dtypes.to_dict()
        return str(frame.schema if library == "polars" else frame.schema.remove_metadata())

    empty = Ranking((), 0.9, "nats", 0.02, "t")
    assert types(ranked.to_frame(library)) == types(found.to_frame(library)) == types(empty.to_frame(library))


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_an_estimate_is_a_frame_of_one_row(found: Matrix, library: Library) -> None:
    estimate = found["d", "e"].estimate
    assert estimate
    made = estimate.to_frame(library)
    assert len(made) == 1
    [mi] = made["mi"].to_list() if library != "pyarrow" else made["mi"].to_pylist()
    assert mi == found["d", "e"].mi


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "matplotlib.figure"])
def test_a_missing_library_is_named_with_the_command(
    found: Matrix, monkeypatch: pytest.MonkeyPatch, library: Any
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(errors.MissingExtra, match="pip install"):
        found.plot() if "." in library else found.to_frame(library)


def test_other_libraries_are_refused(found: Matrix) -> None:
    with pytest.raises(errors.InvalidInput, match="pandas"):
        found.to_frame("dask")  # type: ignore[arg-type]


def test_a_pair_is_found_by_its_names_in_either_order(found: Matrix) -> None:
    assert found["a", "d"] is found["d", "a"]
    for names in (("a", "a"), ("a", "z")):
        with pytest.raises(errors.MissingColumn):
            found[names]


def test_html_escapes_names_and_lists_the_strongest(found: Matrix) -> None:
    text = hostile().to_html()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "&amp;amp;" in text
    assert found.to_html().count("<tr>") == 1 + 15
    assert matrix(frame(p=8), backend=FakeBackend())._repr_html_().count("<tr>") == 1 + 20
    assert "are needed" in found._repr_html_()  # the error of a pair in words
    estimate = found["d", "e"].estimate
    assert estimate
    assert estimate._repr_html_().count("<tr>") == 2


def drawn(figure) -> np.ndarray:
    """The figure's pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_everything_can_be_drawn(found: Matrix, ranked: Ranking) -> None:
    for shown in (found, ranked, found["d", "e"].estimate, found["a", "c"].estimate):
        assert shown
        assert drawn(shown.plot()).std() > 0


def test_names_are_drawn_as_they_are() -> None:
    shown = hostile()
    drawn(shown.plot())
    figure = rank({name: np.arange(20.0) for name in HOSTILE}, HOSTILE[2], backend=FakeBackend()).plot()
    drawn(figure)
    [axes] = figure.axes
    assert "x y" in [label.get_text() for label in axes.get_yticklabels()]
    assert not any(label.get_parse_math() for label in axes.get_yticklabels())


def test_a_picture_of_a_table_without_any_answer(found: Matrix) -> None:
    columns = {name: np.where(np.arange(30) % 3 == j, 1.0, np.nan) for j, name in enumerate("ab")}
    lost = matrix({**columns, "c": columns["a"]}, columns=["a", "b"], missing="drop", backend=FakeBackend())
    drawn(lost.plot())
    drawn(Ranking(lost.pairs, 0.9, "nats", 0.02, "b").plot())


def test_variables_that_share_much_stand_together() -> None:
    values = np.full((6, 6), 0.01)
    for group in ([0, 3, 5], [1, 2, 4]):
        values[np.ix_(group, group)] = 1.0
    np.fill_diagonal(values, np.nan)
    order = similar(values)
    assert sorted(order) == list(range(6))
    assert {frozenset(order[:3]), frozenset(order[3:])} == {frozenset([0, 3, 5]), frozenset([1, 2, 4])}


def test_what_is_printed_is_short(found: Matrix, ranked: Ranking) -> None:
    assert repr(found) == "Matrix(6 variables, 15 pairs, nats)"
    assert repr(ranked) == "Ranking(5 variables against 'c', nats)"


def test_what_is_printed_begins_with_the_strongest(found: Matrix, ranked: Ranking) -> None:
    lines = str(ranked).splitlines()
    assert lines[0] == repr(ranked)
    assert len(lines) == 1 + 5
    best = ranked.pairs[0]
    assert lines[1].startswith(f"  {best.x!r}: {best.mi:.3f} nats, 90% [")
    lines = str(found).splitlines()
    assert len(lines) == 1 + 10 + 1
    assert lines[-1] == "  and 5 more; to_frame() has all"
    assert "\x1b" not in str(matrix({"\x1b[31m": range(20), "b": range(20)}, backend=FakeBackend()))


def test_every_key_has_a_type() -> None:
    assert set(KEYS) <= set(formats._KINDS)
