"""The command `mizzle test`."""

import json
from pathlib import Path

import numpy as np
import pytest
from commanded import Run, runner, shared
from fakes import FakeEstimator


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch) -> Run:
    shared(fake, monkeypatch)
    return runner(capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    lines = [f"{a},{a + b},{b}" for a, b in zip(x, rng.normal(size=80), strict=True)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["a,b,c", *lines]))
    return path


def test_a_person_reads_the_pvalue_first(run: Run, file: Path) -> None:
    code, out, _ = run("test", file, "--x", "a", "--y", "b,c", "--n", 39, "--kind", "block", "--block", 10)
    assert code == 0
    assert out.startswith("p = 0.025, I(a; b,c) = ")
    assert "39 of kind block, of 10 rows" in out


def test_json_has_all_of_it(run: Run, file: Path) -> None:
    code, out, _ = run("test", file, "--x", "a", "--y", "b", "--n", 19, "--seed", 3, "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["pvalue"] == 0.05
    assert len(answer["null"]) == answer["n"] == 19
    assert run("test", file, "--x", "a", "--y", "b", "--n", 19, "--seed", 3, "--json")[1] == out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--n", "0"], "19 to 99,999"),
        (["--n", "1000000"], "19 to 99,999"),
        (["--block", "5"], "leave it out"),
        (["--kind", "block", "--block", "70"], "at most half"),
        (["--kind", "other"], "shuffle"),
        (["--seed", "-1"], "rng is -1"),
    ],
)
def test_wrong_options_end_with_2(run: Run, file: Path, words: list[str], message: str) -> None:
    code, out, err = run("test", file, "--x", "a", "--y", "b", *words)
    assert code == 2
    assert out == ""
    assert message in err


def test_a_column_on_both_sides_is_refused(run: Run, file: Path) -> None:
    code, _, err = run("test", file, "--x", "a", "--y", "a")
    assert code == 2
    assert "named twice" in err
