"""The command: exit codes, both forms of output, here and at a service."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import mizzle
from mizzle import cli, local
from mizzle import estimator as estimators
from mizzle.service.auth import Keys


@pytest.fixture
def model(fake, monkeypatch):
    """The fake in place of the shared estimator."""
    monkeypatch.setattr(local, "_shared", None)
    monkeypatch.setattr(estimators, "load", lambda: fake)
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    return fake


@pytest.fixture
def data(tmp_path, draw):
    """A CSV file of three columns."""
    x, y = draw(n=60)
    path = tmp_path / "data.csv"
    np.savetxt(path, np.hstack([x, y]), delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    return str(path)


@pytest.fixture
def run(capsys, model):
    def run(*arguments):
        try:
            code = cli.main(arguments)
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return run


def _columns(path):
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :2], table[:, 2:]


def test_the_report_says_the_estimate(run, data, model):
    code, out, err = run("estimate", data, "--x", "a,b", "--y", "c")
    estimate = model.estimate(*_columns(data))
    low, high = estimate.interval(0.9)
    assert (code, err) == (0, "")
    assert f"I(a, b; c) = {estimate.mi:.4g} nats" in out
    assert f"90% interval  {low:.4g} to {high:.4g} nats" in out
    assert "60 rows, 2 + 1 columns" in out


def test_json_is_the_answer_of_the_service(run, data, model, serve_here, settings):
    code, out, _ = run("estimate", data, "--x", "a,b", "--y", "c", "--json")
    with serve_here(settings, model) as url:
        code_there, out_there, _ = run("estimate", data, "--x", "a,b", "--y", "c", "--json", "--url", url)
    assert code == code_there == 0
    assert json.loads(out) == json.loads(out_there)
    answer = json.loads(out)
    names = "mi median quantiles unit n dim_x dim_y in_range warnings model"
    assert " ".join(answer) == names
    assert answer["mi"] == model.estimate(*_columns(data)).mi


def test_level_and_unit(run, data):
    code, out, _ = run("estimate", data, "--x=a", "--y=c", "--level=0.8", "--unit=bits", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["unit"] == "bits"
    assert {"0.1", "0.9", "0.5"} <= set(answer["quantiles"])
    _, out, _ = run("estimate", data, "--x=a", "--y=c", "--level=0.8", "--unit=bits")
    assert "80% interval" in out
    assert "bits" in out


def test_the_environment_names_the_service(run, data, served, monkeypatch):
    monkeypatch.setenv("MIZZLE_BASE_URL", served)
    monkeypatch.setattr(mizzle, "estimate", lambda *_: pytest.fail("estimated here"))
    code, out, _ = run("estimate", data, "--x=a", "--y=c")
    assert code == 0
    assert "I(a; c)" in out


def test_warnings_are_printed(run, tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("a,b\n" + "".join(f"{i},1\n" for i in range(20)))
    code, out, _ = run("estimate", str(path), "--x=a", "--y=b")
    assert code == 0
    assert "warning       y does not vary" in out


def test_names_with_commas_are_quoted(run, tmp_path):
    path = tmp_path / "comma.csv"
    path.write_text('"a,b",c\n' + "".join(f"{i},{i * i}\n" for i in range(20)))
    code, out, _ = run("estimate", str(path), "--x", '"a,b"', "--y", "c")
    assert code == 0
    assert "1 + 1 columns" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--x=z", "--y=c"], "no column 'z'; the file has 'a', 'b', 'c'"),
        (["--x=a", "--y=a,c"], "column 'a' is named twice"),
        (["--x=a,a", "--y=c"], "column 'a' is named twice"),
        (["--x=a", "--y=c", "--level=1.5"], "interval level is 1.5"),
        (["--x=a", "--y=c", "--level=0.9999"], "covers at most 0.99"),
        (["--x=a", "--y=c", "--level=high"], "invalid float"),
        (["--x=a", "--y=c", "--unit=bans"], "invalid choice"),
        (["--x=a", "--y="], "column names"),
        (["--x=a,,b", "--y=c"], "column names"),
        (["--x=a"], "--y"),
        (["--x=a", "--y=c", "--url=mizzle"], "address"),
    ],
)
def test_bad_usage_is_2(run, data, options, words):
    code, out, err = run("estimate", data, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_our_faults_are_1(run, data, model):
    model.distort = lambda _: (_ for _ in ()).throw(mizzle.InferenceFailed("our fault"))
    code, out, err = run("estimate", data, "--x=a", "--y=c")
    assert (code, out, err) == (1, "", "mizzle: error: our fault\n")


def test_no_service_is_1(run, data, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    code, _, err = run("estimate", data, "--x=a", "--y=c", "--url=http://127.0.0.1:9")
    assert code == 1
    assert "cannot be reached" in err


def test_no_torch_is_1(run, data, monkeypatch):
    def missing():
        raise mizzle.MissingExtra("pip install")

    monkeypatch.setattr(estimators, "load", missing)
    assert run("estimate", data, "--x=a", "--y=c")[0] == 1


def test_an_interrupt_is_130(run, data, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(mizzle, "estimate", interrupt)
    assert run("estimate", data, "--x=a", "--y=c") == (130, "", "")


def test_version(run):
    assert run("--version") == (0, f"mizzle {mizzle.__version__}\n", "")


def test_no_command_is_2(run):
    assert run()[0] == 2


def test_without_a_reader_it_ends_quietly(data, served):
    """The reading end of the pipe is closed before the command writes."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "mizzle", "estimate", data, "--x=a", "--y=c", "--url", served],
        stdout=write_end,
        stderr=subprocess.PIPE,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_key_is_shown_once_and_only_its_hash_goes_into_the_file(capsys):
    assert cli.main(["key", "alice"]) == 0
    key, line = (row.split()[-1] for row in capsys.readouterr().out.splitlines())
    keys = Keys.parse(line)
    assert keys.name_of(key.encode()) == "alice"
    assert key not in line
    assert cli.main(["key", "not a name"]) == 2
