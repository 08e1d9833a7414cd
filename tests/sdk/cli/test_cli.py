"""The command: exit codes, both forms of output, here and at a service."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import commanded
import numpy as np
import pytest
from fakes import FakeEstimator

import mizzle
from mizzle import cli
from mizzle import estimator as estimators
from mizzle.cli.app import COMMANDS
from mizzle.client import sync
from mizzle.service.http.auth import Keys
from mizzle.service.settings import Settings

MIZZLE = [sys.executable, "-m", "mizzle"]


@pytest.fixture
def model(fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch):
    return commanded.shared(fake, monkeypatch)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], model):
    return commanded.runner(capsys)


@pytest.fixture
def data(tmp_path: Path, draw):
    """A CSV file of three columns."""
    x, y = draw(n=60)
    path = tmp_path / "data.csv"
    np.savetxt(path, np.hstack([x, y]), delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    return str(path)


def _columns(path):
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :2], table[:, 2:]


def test_columns_are_reduced_where_the_option_says_so(run, tmp_path: Path, draw) -> None:
    x, y = draw(n=60, dx=70)
    path = tmp_path / "wide.npz"
    names = [f"c{j}" for j in range(70)]
    np.savez(path, **dict(zip(names, x.T, strict=True)), y=y[:, 0])
    arguments = ("estimate", path, "--x", ",".join(names), "--y", "y")
    code, _, err = run(*arguments)
    assert (code, "70 columns" in err) == (2, True)
    code, out, err = run(*arguments, "--reduce", "auto", "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["reduced"]["x"]["columns"] == 70
    assert answer["reduced"]["y"] is None
    assert [notice["code"] for notice in answer["warnings"]] == ["reduced"]
    code, out, _ = run(*arguments, "--reduce", "pca")
    assert (code, "x: 70 columns to" in out) == (0, True)


def test_the_report_says_the_estimate(run, data, model) -> None:
    code, out, err = run("estimate", data, "--x", "a,b", "--y", "c")
    estimate = model.estimate(*_columns(data))
    low, high = estimate.interval(0.9)
    assert (code, err) == (0, "")
    assert f"I(a,b; c) = {estimate.mi:.4g} nats\n" in out
    assert f"90% interval     {low:.4g} to {high:.4g} nats" in out
    assert f"below 0.02 nats  {estimate.below(0.02):.1%} of the predictive distribution" in out
    assert "60 rows, 2 + 1 columns" in out


def test_json_is_the_answer_of_the_service_and_more(run, data, model, serve_here, settings: Settings) -> None:
    code, out, _ = run("estimate", data, "--x", "a,b", "--y", "c", "--json")
    with serve_here(settings, model) as url:
        code_there, out_there, _ = run("estimate", data, "--x", "a,b", "--y", "c", "--json", "--url", url)
    assert code == code_there == 0
    assert json.loads(out) == json.loads(out_there)
    answer = json.loads(out)
    names = "mi median quantiles unit n dim_x dim_y in_range warnings model"
    assert " ".join(answer) == f"{names} level threshold low high below dropped"
    estimate = model.estimate(*_columns(data))
    assert answer["mi"] == estimate.mi
    assert (answer["low"], answer["high"]) == estimate.interval(0.9)


def test_level_and_unit(run, data) -> None:
    code, out, _ = run("estimate", data, "--x=a", "--y=c", "--level=0.8", "--unit=bits", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["unit"] == "bits"
    assert {"0.1", "0.9", "0.5"} <= set(answer["quantiles"])
    _, out, _ = run("estimate", data, "--x=a", "--y=c", "--level=0.8", "--unit=bits")
    assert "80% interval" in out
    assert "bits" in out


def test_the_environment_names_the_service(run, data, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_BASE_URL", served)
    monkeypatch.setattr(estimators, "load", lambda *_: pytest.fail("estimated here"))
    code, out, _ = run("estimate", data, "--x=a", "--y=c")
    assert code == 0
    assert "I(a; c)" in out


def test_warnings_are_printed(run, tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("a,b\n" + "".join(f"{i},1\n" for i in range(20)))
    code, out, _ = run("estimate", path, "--x=a", "--y=b")
    assert code == 0
    assert "y does not vary" in out
    assert "column 'b' is constant" in out


def test_missing_rows_are_counted(run, tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i * i if i % 3 else ''}\n" for i in range(30)))
    code, out, err = run("estimate", path, "--x=a", "--y=b")
    assert (code, out) == (2, "")
    assert "line 2, column 'b' is missing, as are 9 more of its column; --missing drop" in err
    assert "20 rows, 10 more left out" in run("estimate", path, "--x=a", "--y=b", "--missing=drop")[1]


def test_labels_become_integers_and_that_is_said(run, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("a,b\n" + "".join(f"{'xyz'[i % 3]},{i % 3}\n" for i in range(30)))
    code, out, _ = run("estimate", path, "--x=a", "--y=b")
    assert code == 0
    assert "column 'a' has 3 different labels" in out


def test_arrays_are_sides(run, tmp_path: Path, draw, model) -> None:
    x, y = draw(n=60)
    np.savez(tmp_path / "data.npz", x=x, y=y[:, 0])
    _, out, _ = run("estimate", tmp_path / "data.npz", "--x=x", "--y=y", "--json")
    assert json.loads(out)["mi"] == model.estimate(x, y).mi


def test_names_with_commas_are_quoted(run, tmp_path: Path) -> None:
    path = tmp_path / "comma.csv"
    path.write_text('"a,b",c\n' + "".join(f"{i},{i * i}\n" for i in range(20)))
    code, out, _ = run("estimate", path, "--x", '"a,b"', "--y", "c")
    assert code == 0
    assert "1 + 1 columns" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--x=z", "--y=c"], "no column 'z'; the table has 'a', 'b', 'c'"),
        (["--x=a", "--y=a,c"], "column 'a' is named twice"),
        (["--x=a,a", "--y=c"], "column 'a' is named twice"),
        (["--x=a", "--y=c", "--level=1.5"], "interval level is 1.5"),
        (["--x=a", "--y=c", "--level=0.9999"], "covers at most 0.99"),
        (["--x=a", "--y=c", "--level=high"], "'--level'"),
        (["--x=a", "--y=c", "--threshold=-1"], "threshold"),
        (["--x=a", "--y=c", "--unit=bans"], "'--unit'"),
        (["--x=a", "--y=c", "--missing=skip"], "'--missing'"),
        (["--x=a", "--y=c", "--format=xlsx"], "'--format'"),
        (["--x=a", "--y="], "column names"),
        (["--x=a,,b", "--y=c"], "column names"),
        (['--x="a', "--y=c"], "column names"),
        (["--x=a"], "--y"),
        (["--x=a", "--y=c", "--url=mizzle"], "address"),
        (["--x=a", "--y=c", "--nonsense"], "--nonsense"),
    ],
)
def test_bad_usage_is_2(run, data, options, words: str) -> None:
    code, out, err = run("estimate", data, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("mizzle: error: ")
    assert "Traceback" not in err


def test_our_faults_are_1(run, data, model) -> None:
    model.distort = lambda _: (_ for _ in ()).throw(mizzle.InferenceFailed("our fault"))
    assert run("estimate", data, "--x=a", "--y=c") == (1, "", "mizzle: error: our fault\n")


def test_no_service_is_1(run, data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    code, _, err = run("estimate", data, "--x=a", "--y=c", "--url=http://127.0.0.1:9")
    assert code == 1
    assert "cannot be reached" in err


def test_no_torch_is_1(run, data, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise mizzle.MissingExtra("pip install")

    monkeypatch.setattr(estimators, "load", missing)
    assert run("estimate", data, "--x=a", "--y=c")[0] == 1


def test_an_interrupt_is_130(run, data, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_, **__) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sync.Client, "estimate", interrupt)
    assert run("estimate", data, "--x=a", "--y=c") == (130, "", "")


def test_version(run) -> None:
    assert run("--version") == (0, f"mizzle {mizzle.__version__}\n", "")


def test_no_command_and_a_wrong_one_are_2(run) -> None:
    assert run()[0] == run("estimat")[0] == 2


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_says_how_it_ends(run, command) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    words = " ".join(out.split())
    assert "0: done; 1: our fault" in words
    assert "130: interrupted; 141:" in words


def test_completion_knows_the_commands() -> None:
    environment = {
        **os.environ,
        "_MIZZLE_COMPLETE": "complete_bash",
        "COMP_WORDS": "mizzle ",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "mizzle"], env=environment, capture_output=True, text=True, check=False
    )
    assert {"estimate", "matrix", "rank", "jobs", "doctor"} <= set(done.stdout.split())


def test_without_typer_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['typer'] = None\n"
        "from mizzle import cli; sys.stderr = sys.stdout; print(cli.main(['serve']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "typer is not installed" in done.stdout
    assert "pip install 'mizzle[cli]'" in done.stdout
    assert done.stdout.endswith("\n1\n")


def test_asking_for_health_loads_no_more_than_it_needs() -> None:
    """A container asks twice a minute."""
    code = (
        "import sys; from mizzle import cli; cli.main(['healthcheck', '--port', '9'])\n"
        "print(sorted({'numpy', 'httpx2', 'torch', 'rich', 'pyarrow', 'fastapi'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


READERLESS = {
    "help": ["--help"],
    "help of a command": ["matrix", "--help"],
    "version": ["--version"],
    "estimate": ["estimate", "DATA", "--x=a", "--y=c", "--url=URL"],
    "rank": ["rank", "DATA", "--target=c", "--url=URL"],
    "matrix": ["matrix", "DATA", "--url=URL"],
    "matrix as JSON": ["matrix", "DATA", "--json", "--url=URL"],
}


@pytest.mark.parametrize("words", READERLESS.values(), ids=READERLESS)
def test_without_a_reader_it_ends_quietly(words, data, served: str) -> None:
    """As where head has seen enough, whoever of those who write finds that out."""
    words = [word.replace("DATA", str(data)).replace("URL", served) for word in words]
    with _nobody_reads() as pipe:
        done = subprocess.run([*MIZZLE, *words], stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("words", [["estimate"], ["matrix", "nowhere.csv"]])
def test_complaints_that_nobody_reads_end_quietly(words) -> None:
    with _nobody_reads() as pipe:
        assert subprocess.run([*MIZZLE, *words], stdout=pipe, stderr=pipe).returncode == 141


@contextmanager
def _nobody_reads():
    """A pipe whose reading end is closed."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    yield write_end
    os.close(write_end)


def test_a_key_is_shown_once_and_only_its_hash_goes_into_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["key", "alice"]) == 0
    key, line = (row.split()[-1] for row in capsys.readouterr().out.splitlines())
    keys = Keys.parse(line)
    assert keys.name_of(key.encode()) == "alice"
    assert key not in line
    assert cli.main(["key", "not a name"]) == 2


def test_info_is_the_same_here_and_there(run, served: str) -> None:
    here, there = run("info", "--json"), run("info", "--json", "--url", served)
    assert here[0] == there[0] == 0
    assert json.loads(here[1]) == json.loads(there[1])
    assert json.loads(here[1])["rows"] == [10, 1000]
    _, out, _ = run("info")
    assert "trained rows     10 to 1000" in out
    assert "0" * 64 in out
