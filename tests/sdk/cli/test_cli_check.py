"""The command that says whether to believe an estimate: exit codes, words, JSON."""

import json
from pathlib import Path

import commanded
import numpy as np
import pytest

from mizzle.questions import reliability


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> commanded.Run:
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    return commanded.runner(capsys)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 2))
    y = x[:, :1] + rng.standard_normal((300, 1))
    path = tmp_path / "t.csv"
    np.savetxt(path, np.hstack([x, y]), delimiter=",", header="a,b,c", comments="")
    return path


def test_says_that_an_estimate_is_reliable_and_ends_with_0(run: commanded.Run, data: Path) -> None:
    code, out, err = run("check", data, "--x=a,b", "--y=c")
    assert (code, err) == (0, "")
    assert "the estimate is reliable" in out
    assert "halves of the rows" in out


def test_ends_with_1_where_it_is_not(run: commanded.Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "LIMIT", -1e9)
    code, out, _ = run("check", data, "--x=a,b", "--y=c")
    assert code == 1
    assert "failed" in out
    assert "not reliable" in out


def test_gives_one_object_of_json(run: commanded.Run, data: Path) -> None:
    code, out, _ = run("check", data, "--x=a,b", "--y=c", "--unit=bits", "--json")
    answer = json.loads(out)
    assert (code, answer["reliable"], answer["unit"], answer["n"]) == (0, True, "bits", 300)


@pytest.mark.parametrize("words", [["--x=a,c", "--y=c"], ["--x=a", "--y=nowhere"]])
def test_bad_input_ends_with_2(run: commanded.Run, data: Path, words: list[str]) -> None:
    code, out, err = run("check", data, *words)
    assert (code, out) == (2, "")
    assert err.startswith("mizzle: error:")
