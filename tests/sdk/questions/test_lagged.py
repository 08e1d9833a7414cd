"""Lags: which rows meet, what is refused, how the test by shifts decides, and that all doors agree."""

import asyncio
import json
from types import SimpleNamespace

import commanded
import numpy as np
import pytest
from fakes import FakeEstimator

import mizzle
from mizzle import estimator as estimators
from mizzle.questions import lagged as module


def series(n: int = 300, lag: int = 5, seed: int = 0):
    """x, and y that follows it so many rows later."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, np.roll(x, lag) + 0.7 * rng.normal(size=n)


def autoregressive(rng, n, coefficient):
    noise, values = rng.normal(size=n + 200), np.zeros(n + 200)
    for t in range(1, n + 200):
        values[t] = coefficient * values[t - 1] + noise[t]
    return values[200:]


@pytest.fixture
def client(fake: FakeEstimator):
    return mizzle.Client.local(fake)


@pytest.mark.parametrize("lag", [-7, 0, 5])
def test_the_lag_is_that_by_which_x_comes_first(lag: int) -> None:
    result = mizzle.lagged(*series(lag=lag), lags=range(-10, 11))
    assert result.best.lag == lag
    assert len(result.records) == 21
    assert {record.n for record in result.records} == {280}


@pytest.mark.parametrize("lags", [range(-3, 6), [5], [-4, -2]])
def test_every_lag_is_the_estimate_of_its_rows(client, fake, lags) -> None:
    x, y = series(120)
    result = client.lagged(x, y, lags=lags)
    times = np.arange(max(0, *lags, 0), 120 + min(0, *lags, 0))
    for record in result.records:
        expected = fake.estimate(x[times - record.lag, None], y[times, None])
        assert (record.mi, record.n) == (expected.mi, len(times))
        assert (record.low, record.high) == expected.interval()


def test_rows_with_gaps_are_dropped_once_x_is_shifted(client, fake) -> None:
    x, y = series(120)
    x[30] = y[60] = np.nan
    result = client.lagged(x, y, lags=[0, 5], missing="drop")
    for record in result.records:
        times = np.setdiff1d(np.arange(5, 120), [30 + record.lag, 60])
        assert record.mi == fake.estimate(x[times - record.lag, None], y[times, None]).mi
    assert [notice.code for notice in result.notices] == ["left_out", "dropped"]
    with pytest.raises(mizzle.NotFinite, match="missing='drop'"):
        client.lagged(x, y, lags=[0, 5])


def test_several_columns_and_units(client) -> None:
    x, y = series(200)
    wide = np.column_stack([x, y[::-1]])
    nats, bits = (client.lagged(wide, y, lags=range(4), unit=unit) for unit in ("nats", "bits"))
    assert bits.best.mi == pytest.approx(nats.best.mi / np.log(2))
    assert nats.estimates[0].dim_x == 2


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"lags": [0, 1, 0]}, mizzle.InvalidInput, "lag 0 is named twice"),
        ({"lags": [0.5]}, mizzle.InvalidInput, "whole numbers"),
        ({"lags": [True]}, mizzle.InvalidInput, "whole numbers"),
        ({"lags": "1,2"}, mizzle.InvalidInput, "whole numbers"),
        ({"lags": []}, mizzle.InvalidInput, "range"),
        ({"lags": [300]}, mizzle.InvalidInput, "lag 300 is as long as the series, which has 300 rows"),
        ({"lags": [-5000]}, mizzle.InvalidInput, "lag -5000 is as long"),
        ({"lags": [-130, 130]}, mizzle.TooFewSamples, "leave 40 of 300 rows; at least 50"),
        ({"lags": [-250, 250]}, mizzle.TooFewSamples, "leave 0 of 300 rows"),
        ({"history": -1}, mizzle.InvalidInput, "history is -1"),
        ({"history": 1.5}, mizzle.InvalidInput, "history must be whole"),
        ({"history": 400}, mizzle.InvalidInput, "history 400 is as long"),
        ({"pvalues": 1}, mizzle.InvalidInput, "19 to 9999"),
        ({"pvalues": 10**6}, mizzle.InvalidInput, "19 to 9999"),
        ({"lags": [-130, 121]}, mizzle.TooFewSamples, "leave 49 of 300"),
        ({"pvalues": True, "lags": [145]}, mizzle.InvalidInput, "circular shifts beyond the lags"),
        ({"level": 1.0}, mizzle.InvalidLevel, "level"),
        ({"unit": "bit"}, mizzle.InvalidInput, "unit"),
        ({"missing": "skip"}, mizzle.InvalidInput, "missing"),
        ({"rng": "seed"}, mizzle.InvalidInput, "rng"),
        ({"given": [1.0, 2.0]}, mizzle.LengthMismatch, "given has 2 rows"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_any_work(client, fake, options, error, words) -> None:
    with pytest.raises(error, match=words):
        client.lagged(*series(), **options)
    assert fake.batches == []


def test_series_of_different_lengths_are_refused(client) -> None:
    with pytest.raises(mizzle.LengthMismatch, match="x has 300 rows, y has 299 rows"):
        client.lagged(series()[0], series()[1][1:])


def test_gaps_that_leave_too_few_rows_are_refused(client, fake) -> None:
    x, y = series(120)
    x[:60] = np.nan
    with pytest.raises(mizzle.TooFewSamples, match="at lag 20, 40 complete rows"):
        client.lagged(x, y, lags=[10, 20], missing="drop")
    assert fake.batches == []


def test_the_same_seed_gives_the_same_test(client) -> None:
    x, y = series()
    first, second, other = (client.lagged(x, y, lags=[0, 5], pvalues=30, rng=rng) for rng in (1, 1, 2))
    assert first == second
    assert first.null != other.null
    assert first.records[1].pvalue == 1 / 31
    assert first.records[0].pvalue_bh >= first.records[0].pvalue
    assert sum(value > first.band for value in first.null) == 0  # 5 % of 31, less the estimate itself


def test_no_shift_comes_near_the_lags() -> None:
    shifts = module._shifts(100, [-3, 10], 1000, np.random.default_rng(0))
    assert sorted(shifts) == list(range(11, 90))


def test_few_shifts_are_taken_all_with_a_word(client) -> None:
    result = client.lagged(*series(100), lags=[0, 20], pvalues=True)
    assert len(result.null) == 59
    assert "shifts" in [notice.code for notice in result.notices]


def test_the_test_holds_its_level_for_independent_series_that_are_slow() -> None:
    """AR(.9): of 60 samples, at most 5 % + 4 standard errors are rejected at lag 0, by any estimator."""
    rng = np.random.default_rng(0)
    client = mizzle.Client.local(FakeEstimator())
    pvalues = []
    for _ in range(60):
        x, y = (autoregressive(rng, 400, 0.9) for _ in range(2))
        pvalues.append(client.lagged(x, y, lags=[0], pvalues=39, rng=rng).records[0].pvalue)
    assert np.mean(np.array(pvalues) <= 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 60)


def test_history_is_conditioned_on(client, monkeypatch: pytest.MonkeyPatch) -> None:
    received = []

    def triple(x, y, z):
        received.append((x, y, z))
        return estimators.triple(x, y, z)

    monkeypatch.setattr("mizzle.questions.chunks.estimators", SimpleNamespace(triple=triple))
    x, y = series(120)
    result = client.lagged(x, y, lags=[1, 2], history=2, given=x**2)
    assert len(result.estimates) == 2
    past, times = received[0][2], np.arange(2, 120)
    np.testing.assert_array_equal(past, np.column_stack([y[times - 1], y[times - 2], x[times] ** 2]))
    np.testing.assert_array_equal(received[1][0][:, 0], x[times - 2])


def test_progress_counts_lags_and_an_interruption_passes(client) -> None:
    calls = []
    client.lagged(*series(), lags=range(5), progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (5, 5)

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.lagged(*series(), lags=range(5), progress=interrupt)
    assert client.lagged(*series(), lags=[5]).best.lag == 5


def test_all_doors_agree(fake, served: str) -> None:
    x, y = series(120)
    options = {"lags": range(-2, 7), "pvalues": 19}
    expected = mizzle.Client.local(fake).lagged(x, y, **options)
    with mizzle.Client(served) as remote:
        assert remote.lagged(x, y, **options).to_dict() == expected.to_dict()
    asynchronous = mizzle.AsyncClient.local(fake).lagged(x, y, **options)
    assert asyncio.run(asynchronous).to_dict() == expected.to_dict()


def test_as_a_frame_as_json_and_drawn(client) -> None:
    result = client.lagged(*series(), lags=range(-2, 7), pvalues=19)
    plain = client.lagged(*series(), lags=range(-2, 7))
    for library in ("pandas", "polars", "pyarrow"):
        assert len(result.to_frame(library)) == 9
    assert list(result.to_frame().columns) == ["lag", "mi", "low", "high", "n", "pvalue", "pvalue_bh"]
    assert list(plain.to_frame().columns) == ["lag", "mi", "low", "high", "n"]
    assert json.loads(result.to_json())["best"] == 5
    assert result.to_csv().splitlines()[0] == "lag,mi,low,high,n,pvalue,pvalue_bh"
    for drawn in (result, plain):
        assert type(drawn.plot()).__name__ == "Figure"
    assert "best 5" in repr(result)
    assert plain.band is None
    assert plain.best.pvalue is None


class TestCommand:
    @pytest.fixture
    def run(self, capsys, fake, monkeypatch):
        commanded.shared(fake, monkeypatch)
        return commanded.runner(capsys)

    @pytest.fixture
    def file(self, tmp_path):
        x, y = series()
        lines = [f"{a},{b}" for a, b in zip(x, y, strict=True)]
        lines[10] = ",1.5"
        path = tmp_path / "series.csv"
        path.write_text("\n".join(["a,b", *lines]))
        return path

    def test_text_csv_and_json(self, run, file) -> None:
        options = ("lagged", file, "--x", "a", "--y", "b", "--lags", "-3:6", "--missing", "drop")
        code, out, _ = run(*options, "--pvalues", 19)
        assert code == 0
        assert "largest at lag" in out
        assert run(*options, "--csv")[1].startswith("lag,mi,low,high,n\n-3,")
        answer = json.loads(run(*options, "--json")[1])
        assert answer["best"] == 5
        assert len(answer["lags"]) == 10

    @pytest.mark.parametrize("lags", ["", "a:b", "5:1", "1.5", "0:9999"])
    def test_bad_lags_are_refused(self, run, file, lags: str) -> None:
        code, out, err = run("lagged", file, "--x", "a", "--y", "b", "--lags", lags, "--missing", "drop")
        assert (code, out) == (2, "")
        assert "lag" in err

    def test_two_forms_at_once_are_refused(self, run, file) -> None:
        code, _, err = run("lagged", file, "--x", "a", "--y", "b", "--csv", "--json")
        assert code == 2
        assert "choose one" in err

    def test_a_difference(self, run, file) -> None:
        options = ("difference", file, "--x", "a", "--y", "b", "--x2", "b", "--y2", "a", "--missing", "drop")
        code, out, _ = run(*options)
        assert code == 0
        assert "first is larger" in out
        assert json.loads(run(*options, "--json")[1])["n"] == 299
