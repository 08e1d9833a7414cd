"""What questions do with samples and arguments that they cannot use: one error, or one notice, in words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from commanded import runner, shared

import mizzle
from mizzle.errors import InvalidInput, TooFewSamples

RNG = np.random.default_rng(8)
X, Y, Z = RNG.standard_normal((3, 60))
GAPS = [np.where(np.arange(60) == i, np.nan, side) for i, side in enumerate((X, Y, Z))]
SHORT = X[:40], Y[:40]

Call = Callable[[], Any]
REFUSED: dict[str, tuple[Call, type[Exception], str]] = {
    "a lag as long as the series": (
        lambda: mizzle.lagged(X, Y, lags=[60]),
        InvalidInput,
        "lag 60 is as long as the series, which has 60 rows; shorten it",
    ),
    "lags that leave too few rows": (
        lambda: mizzle.lagged(X, Y, lags=range(12)),
        TooFewSamples,
        "leave 49 of 60 rows; at least 50 are needed",
    ),
    "a history that leaves too few rows": (
        lambda: mizzle.lagged(X, Y, lags=[1], history=11),
        TooFewSamples,
        "with history 11 leave 49 of 60 rows",
    ),
    "a test of few rows": (lambda: mizzle.test(*SHORT), TooFewSamples, "40 rows; a test needs at least 50"),
    "a conditional test of few rows": (
        lambda: mizzle.test(*SHORT, given=Z[:40]),
        TooFewSamples,
        "40 rows; a test needs at least 50",
    ),
    "no surrogates": (lambda: mizzle.test(X, Y, n=0), InvalidInput, "n is 0; .* from 19 to 99,999"),
    "no local surrogates": (lambda: mizzle.test(X, Y, given=Z, n=0), InvalidInput, "n is 0; .* from 19"),
    "a million surrogates": (lambda: mizzle.test(X, Y, n=10**6), InvalidInput, "n is 1000000; .* to 99,999"),
    "a million shifts": (lambda: mizzle.lagged(X, Y, pvalues=10**6), InvalidInput, "pvalues is 1000000"),
    "no p-values of a table": (
        lambda: mizzle.matrix({"x": X, "y": Y}, pvalues=0),
        InvalidInput,
        "pvalues is 0; .* from 19",
    ),
    "blocks as long as the series": (
        lambda: mizzle.test(X, Y, kind="block", block=61),
        InvalidInput,
        "block is 61 rows and the sample has 60; at most half of them, 30",
    ),
    "blocks of shuffles": (lambda: mizzle.test(X, Y, block=5), InvalidInput, "block is for kind='block'"),
    "missing values among three sides": (
        lambda: mizzle.estimate(X, GAPS[1], given=GAPS[2]),
        InvalidInput,
        "missing",
    ),
    "missing values of a test": (lambda: mizzle.test(X, Y, given=GAPS[2]), InvalidInput, "missing"),
    "missing values of lags": (lambda: mizzle.lagged(GAPS[0], Y, lags=[1]), InvalidInput, "missing"),
    "missing values of a check": (lambda: mizzle.check(GAPS[0], Y), InvalidInput, "missing"),
    "missing values of a difference": (
        lambda: mizzle.difference((X, Y), (GAPS[2], Y)),
        InvalidInput,
        "missing",
    ),
    "given of another length": (
        lambda: mizzle.estimate(X, Y, given=Z[:50]),
        InvalidInput,
        "x and y have 60 rows and given has 50",
    ),
    "a difference of other lengths": (lambda: mizzle.difference((X, Y), (Z[:50], Y)), InvalidInput, "rows"),
    "a check of few rows": (lambda: mizzle.check(X[:19], Y[:19]), TooFewSamples, "19 rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_gets_one_clear_error(name: str) -> None:
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1


NOTICED: dict[str, tuple[Call, str]] = {
    "z that determines x": (lambda: mizzle.estimate(X, Y, given=X), "determined"),
    "z that determines x, tested": (lambda: mizzle.test(X, Y, given=X, n=19), "determined"),
    "constant z": (lambda: mizzle.estimate(X, Y, given=np.ones(60)), "constant_given"),
    "constant z, tested": (lambda: mizzle.test(X, Y, given=np.ones(60), n=19), "constant_given"),
    "gaps on three sides": (
        lambda: mizzle.estimate(GAPS[0], GAPS[1], given=GAPS[2], missing="drop"),
        "dropped",
    ),
    "gaps on three sides, tested": (
        lambda: mizzle.test(GAPS[0], GAPS[1], given=GAPS[2], missing="drop", n=19),
        "dropped",
    ),
    "gaps of two features": (
        lambda: mizzle.difference((GAPS[0], Y), (GAPS[2], Y), missing="drop"),
        "dropped",
    ),
}


@pytest.mark.parametrize("name", NOTICED)
def test_what_changes_the_answer_is_noticed(name: str) -> None:
    call, code = NOTICED[name]
    assert [notice.code for notice in call().warnings].count(code) == 1


def test_gaps_of_lags_are_noticed_once() -> None:
    result = mizzle.lagged(GAPS[0], GAPS[1], lags=[0, 1], given=GAPS[2], missing="drop")
    assert [notice.code for notice in result.notices].count("dropped") == 1


@pytest.fixture
def run(fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    shared(fake, monkeypatch)
    return runner(capsys)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    lines = [f"{a},{b},{c}" for a, b, c in zip(X, X + Y, Z, strict=True)]
    path.write_text("\n".join(["x,y,z", *lines]))
    return path


def test_the_command_tests_with_what_is_given(run, table) -> None:
    code, out, err = run("test", table, "--x=x", "--y=y", "--given=z", "--n=19")
    assert code == 0, err
    assert "I(x; y | z) = " in out
    assert "19 of kind local" in out
    code, _, err = run("test", table, "--x=x", "--y=y", "--given=z", "--kind=shift")
    assert code == 2
    assert "kind='local'" in err


def test_the_commands_of_tables_have_pvalues(run, table) -> None:
    code, out, err = run("matrix", table, "--pvalues=19", "--kind=block")
    assert code == 0, err
    assert "p (BH)" in out
    assert "0.05" in out
    code, out, err = run("rank", table, "--target=y", "--given=z", "--pvalues=19", "--json")
    assert code == 0, err
    assert '"surrogates": {"kind": "local", "n": 19}' in out


@pytest.mark.parametrize("arguments", [["--kind=shift"], ["--pvalues=0"], ["--pvalues=1000000"]])
def test_pvalues_that_cannot_be_had_are_refused_before_any_work(run, table, arguments) -> None:
    for command in (["matrix", table], ["rank", table, "--target=y"]):
        code, out, err = run(*command, *arguments)
        assert (code, out) == (2, "")
        assert "--pvalues" in err


def test_an_interrupted_test_leaves_no_file(run, fake, table, tmp_path, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "result.csv"
    monkeypatch.setattr("mizzle.tables.pvalues.chunks", interrupt)
    code, printed, _ = run("matrix", table, "--pvalues=19", "--out", out)
    assert (code, printed) == (130, "")
    assert not out.exists()
    assert list(tmp_path.glob("*.part")) == []


def test_the_command_of_lags_takes_what_is_given(run, table) -> None:
    code, plain, err = run("lagged", table, "--x=x", "--y=y", "--lags=0:2", "--csv")
    assert code == 0, err
    code, given, err = run("lagged", table, "--x=x", "--y=y", "--lags=0:2", "--given=z", "--csv")
    assert code == 0, err
    assert len(given.splitlines()) == len(plain.splitlines()) == 4
    assert given != plain
