"""matrix and rank as commands: what is asked, where it goes, and how it goes on after an interruption."""

import csv
import json
import re
import sys
from pathlib import Path

import commanded
import numpy as np
import pyarrow.parquet
import pytest
from fakes import FakeEstimator
from tabled import frame

from mizzle import tables
from mizzle.client import Client
from mizzle.tables.results import KEYS, SHARED
from mizzle.wire import printable

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "[bold]x[/bold]",
    "[/]",
    "line\nbreak",
    "\u202egnp.exe",
    "<script>alert(1)</script>",
    "=cmd()",
    ":smile:",
    "\\[x]",
]


@pytest.fixture
def model(fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch):
    return commanded.shared(fake, monkeypatch)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], model):
    return commanded.runner(capsys)


@pytest.fixture
def data(tmp_path: Path):
    return write(tmp_path / "data.csv", frame(p=4))


def write(path, columns):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(cells).tolist() for cells in columns.values()), strict=True))
    return path


def test_free_text_is_left_out_with_a_word_or_refused(run, tmp_path: Path) -> None:
    file, columns = tmp_path / "data.parquet", {**frame(p=3), "who": [f"patient {i}" for i in range(60)]}
    columns = {name: np.asarray(cells)[:60] for name, cells in columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    code, out, err = run("matrix", file, "--json")
    assert code == 0
    assert err.startswith("mizzle: column 'who' is left out: free text and identifiers have no order")
    assert json.loads(out)["notices"][0]["code"] == "left_out"
    assert run("rank", file, "--target=a", "--quiet")[2] == ""
    for command in (("matrix", file, "--strict"), ("rank", file, "--target=a", "--strict")):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert "column 'who' holds free text, 60 different values in 60 rows" in err


def test_json_is_that_of_the_functions(run, data) -> None:
    columns, backend = frame(p=4), Client.local()
    code, out, err = run("matrix", data, "--json", "--unit=bits", "--level=0.5", "--threshold=0.1")
    assert (code, err) == (0, "")
    options = {"unit": "bits", "level": 0.5, "threshold": 0.1}
    assert json.loads(out) == json.loads(backend.matrix(columns, **options).to_json())
    code, out, err = run("rank", data, "--target=b", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(backend.rank(columns, "b").to_json())


def test_a_service_answers_the_same(run, data, served: str) -> None:
    assert run("matrix", data, "--json", "--url", served)[1] == run("matrix", data, "--json")[1]


def test_columns_and_groups(run, data) -> None:
    _, out, _ = run("matrix", data, "--columns=a", "--group=g=b,c", "--group", "h = d", "--json")
    assert json.loads(out)["names"] == ["a", "g", "h"]
    _, out, _ = run("rank", data, "--target=g", "--columns=a", "--group=g=b,c", "--json")
    assert [pair["x"] for pair in json.loads(out)["pairs"]] == ["a"]
    _, out, _ = run("rank", data, "--target=d", "--columns=a,b", "--json")
    assert {pair["x"] for pair in json.loads(out)["pairs"]} == {"a", "b"}


def test_arrays_of_a_file_are_variables(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "t.npz", x=rng.normal(size=(30, 2)), y=rng.normal(size=30), z=rng.normal(size=30))
    _, out, _ = run("matrix", tmp_path / "t.npz", "--json")
    assert set(json.loads(out)["names"]) == {"x", "y", "z"}
    _, out, _ = run("matrix", tmp_path / "t.npz", "--columns=x,z", "--json")
    assert set(json.loads(out)["names"]) == {"x", "z"}
    _, out, _ = run("rank", tmp_path / "t.npz", "--target=x", "--columns=y", "--json")
    assert [(pair["x"], pair["y"]) for pair in json.loads(out)["pairs"]] == [("y", "x")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--group=g"], "NAME=A,B"),
        (["--group==a"], "NAME=A,B"),
        (["--group=g="], "column names"),
        (["--group=g=a", "--group=g=b"], "group 'g' is given twice"),
        (["--columns=z"], "no column 'z'"),
        (["--columns="], "column names"),
        (["--columns=a,a"], "twice"),
        (["--level=2"], "interval level"),
    ],
)
def test_bad_usage_is_2(run, data, options, words: str) -> None:
    code, out, err = run("matrix", data, *options)
    assert (code, out) == (2, "")
    assert words in err


def test_the_table_in_a_pipe_is_plain_and_whole(run, data) -> None:
    """No box, no colour, no line that is cut or folded, whatever the width of a terminal."""
    long = {"n" * 300: frame(p=3)["a"], **frame(p=3)}
    _, out, _ = run("matrix", write(data, long))
    lines = out.splitlines()
    assert lines[0].split() == ["x", "y", "nats", "90%", "interval", "below", "0.02", "rows", "noticed"]
    assert len(lines) == 7
    assert sum("n" * 300 in line for line in lines) == 3
    assert out.isascii()
    assert "\x1b" not in out
    assert "duplicate" in out


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(run, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(tmp_path / "data.csv", {name: frame()["a"], "b": frame()["b"]})
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal, where markup and escapes would count
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = run("rank", data, "--target=b")
    assert printable(name) in out
    assert "\u202e" not in out
    assert "\x1b[31m" not in out
    _, out, _ = run("rank", data, "--target=b", "--json")
    assert json.loads(out)["pairs"][0]["x"] == name.strip()


def test_no_color_is_obeyed(run, data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in run("matrix", data)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in run("matrix", data)[1]


def test_a_terminal_shows_the_strongest(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mizzle.cli.output.is_terminal", lambda: True)
    _, out, _ = run("matrix", write(tmp_path / "data.csv", frame(p=10)))
    assert "and 5 weaker pairs; --out FILE.csv or --json gives all" in out


def test_pairs_without_an_estimate_say_why(run, tmp_path: Path) -> None:
    columns = {**frame(p=2), "c": ["", *[1.0] * 4, *[""] * 55]}
    data = write(tmp_path / "data.csv", columns)
    code, out, _ = run("matrix", data, "--missing=drop")
    assert code == 0
    assert out.count("values in 4 of 60 rows") == 2
    code, out, err = run("rank", data, "--target=c", "--missing=drop")
    assert (code, out) == (2, "")
    assert "values in 4 of 60 rows" in err


SUFFIXES = ["csv", "parquet", "json", "html", "png"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("command", [["matrix"], ["rank", "--target=a"], ["estimate", "--x=a,b", "--y=c"]])
def test_every_format_can_be_written(run, data, tmp_path: Path, suffix: str, command) -> None:
    out = tmp_path / f"out.{suffix.upper()}"
    code, text, err = run(*command, data, "--out", out)
    assert code == 0
    if command[0] == "estimate":
        assert text
        assert err == f"written to {out}\n"
    else:  # one line, and not one for every pair
        assert text == ""
        assert re.fullmatch(rf"written to {out}: \d+ pairs, the strongest '\w' and '\w' with .* nats\n", err)
    assert run(*command, data, "--out", out, "--force", "--quiet") == (0, "", "")
    content = out.read_bytes()
    if suffix == "csv":
        assert tuple(next(csv.reader([content.decode().splitlines()[0]]))) == (*KEYS, *SHARED)
    if suffix == "json":
        assert json.loads(content) == json.loads(run(*command, data, "--json")[1])
    if suffix == "parquet":
        assert pyarrow.parquet.read_table(out).column_names == list(KEYS)
    if suffix == "html":
        assert content.startswith(b"<!doctype html>")
        assert b"http" not in content
    if suffix == "png":
        assert content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("out.xlsx", "must end in one of .csv"),
        ("out", "must end in one of"),
        ("data.csv", "reads; name another"),
        ("none/out.csv", "does not exist"),
        ("there.csv", "exists already"),
        ("folder.csv", "is a folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(
    run, data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, words: str
) -> None:
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.setattr(tables, "matrix", lambda *_, **__: pytest.fail("worked"))
    forced = ["--force"] if out == "data.csv" else []
    code, text, err = run("matrix", data, "--out", tmp_path / out, *forced)
    assert (code, text) == (2, "")
    assert words in err
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_what_came_into_being_meanwhile_is_left_alone(run, data, tmp_path: Path, model) -> None:
    out = tmp_path / "out.csv"

    def meddle(estimate):
        out.write_text("mine")
        return estimate

    model.distort = meddle
    code, _, err = run("matrix", data, "--out", out)
    assert code == 2
    assert "left alone" in err
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("library", "suffix", "extra"), [("pyarrow", "parquet", "cli"), ("matplotlib", "png", "plot")]
)
def test_missing_libraries_are_named_before_any_work(
    run, data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, suffix: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    code, _, err = run("matrix", data, "--out", tmp_path / f"out.{suffix}")
    assert code == 1
    assert f"pip install 'mizzle[{extra}]'" in err


def test_an_interrupted_matrix_goes_on(run, data, tmp_path: Path, model) -> None:
    whole = run("matrix", data, "--json")[1]
    checkpoint, count = tmp_path / "kept", 0

    def interrupt(estimate):
        nonlocal count
        count += 1
        if count > 1:
            raise KeyboardInterrupt
        return estimate

    model.distort = interrupt
    code, out, err = run("matrix", data, "--checkpoint", checkpoint, "--json")
    assert (code, out) == (130, "")
    assert err == "mizzle: interrupted; the same command goes on from the checkpoint\n"
    assert checkpoint.exists()
    model.distort = lambda estimate: estimate
    assert run("matrix", data, "--checkpoint", checkpoint, "--json") == (0, whole, "")
    model.distort = interrupt
    assert "--checkpoint FILE" in run("matrix", data)[2]


@pytest.mark.parametrize("command", [["matrix"], ["rank", "--target=a"]])
def test_an_interrupted_folder_goes_on(run, data, tmp_path: Path, model, command: list[str]) -> None:
    name, *rest = command
    whole = run(name, data, *rest, "--json")[1]
    options = (name, data, *rest, "--folder", tmp_path / "kept", "--json")

    def interrupt(estimate):
        raise KeyboardInterrupt

    model.distort = interrupt
    code, out, err = run(*options)
    assert (code, out) == (130, "")
    assert err == "mizzle: interrupted; the same command goes on from the folder\n"
    model.distort = lambda estimate: estimate
    assert run(*options) == (0, whole, "")
    model.distort = interrupt  # nothing is asked any more
    assert run(*options) == (0, whole, "")


def test_options_of_large_tables_reach_the_functions(run, data, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, object]] = []

    def listen(function):
        def listening(*arguments, executor, **options):
            heard.append({"executor": executor, **options})
            return function(*arguments, **options)

        return listening

    for name in ("matrix", "rank"):
        monkeypatch.setattr(tables, name, listen(getattr(tables, name)))
    assert run("matrix", data, "--executor=local", "--screen=auto", "--rows=500", "--quiet")[0] == 0
    assert run("matrix", data, "--executor=ray", "--screen=12", "--quiet")[0] == 0
    assert run("rank", data, "--target=a", "--executor=ray", "--quiet")[0] == 0
    taken = [tuple(options.get(name) for name in ("executor", "screen", "rows")) for options in heard]
    assert taken == [("local", "auto", 500), ("ray", 12, None), ("ray", None, None)]


def test_a_screened_matrix_is_that_of_the_function(run, tmp_path: Path) -> None:
    columns = frame(n=150, p=20)
    code, out, err = run(
        "matrix", write(tmp_path / "wide.csv", columns), "--screen=2", "--rows=100", "--json"
    )
    assert code == 0
    assert "pairs were answered, which a cheap pass chose" in err
    assert json.loads(out) == json.loads(Client.local().matrix(columns, screen=2, rows=100).to_json())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--screen=some"], "--screen needs auto, or how many partners"),
        (["--screen=0"], "--screen needs auto, or how many partners"),
        (["--screen=-3"], "--screen needs auto, or how many partners"),
        (["--rows=500"], "--rows is of the pass that chooses pairs; leave it out, or add --screen auto"),
        (["--screen=2", "--rows=5"], "rows must be a whole number from 100"),
        (["--folder=there", "--checkpoint=kept"], "--checkpoint and --folder do not go together"),
        (["--folder=there", "--pvalues=19"], "--pvalues and --folder do not go together"),
        (["--executor=dask"], "'dask' is not one of 'local', 'ray'"),
        (["--executor=local", "--url=http://127.0.0.1:9"], "--executor is for estimates made here: leave"),
        (["--folder=there", "--url=http://127.0.0.1:9"], "--folder is for estimates made here: leave it out"),
    ],
)
def test_options_of_large_tables_that_make_no_sense_are_2(
    run, data, options, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("matrix", data, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv"]


def test_progress_goes_to_terminals_only(run, data) -> None:
    assert run("matrix", data)[2] == ""


COMMANDS = [["matrix"], ["rank", "--target=a"], ["estimate", "--x=b,c", "--y=a"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_copies_of_rows_are_left_out_and_this_is_said(run, tmp_path: Path, command: list[str]) -> None:
    single = write(tmp_path / "one.csv", frame(p=3))
    copied = write(tmp_path / "two.csv", {name: np.tile(cells, 2) for name, cells in frame(p=3).items()})
    name, *rest = command
    _, expected, _ = run(name, single, *rest, "--quiet")
    code, out, err = run(name, copied, *rest, "--deduplicate", "--quiet")
    assert code == 0
    said = out if name == "estimate" else err
    assert "rows repeat another row and were left out" in said
    if name != "estimate":
        assert out == expected
    code, out, _ = run(name, copied, *rest, "--deduplicate", "--json")
    assert "deduplicated" in out


def test_a_table_explains_what_it_shows_once_on_stderr(run, data) -> None:
    copy = {**frame(p=3), "copy": frame(p=3)["a"]}
    _, out, err = run("rank", write(data, copy), "--target=b", "--quiet")
    assert "duplicate" in out
    assert [line.partition(":")[0] for line in err.splitlines()] == ["duplicate"]
    assert "leave one of them out" in err


def test_facts_are_said_and_stand_in_no_line(run, data) -> None:
    labelled = {"label": ["no", "yes"] * 15, **{name: cells[:30] for name, cells in frame(p=2).items()}}
    _, out, err = run("matrix", write(data, labelled), "--quiet")
    assert "coded" not in out
    assert err.startswith("coded: column 'label' has 2 different labels")
