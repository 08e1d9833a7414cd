"""How the commands read a table: what separates cells, what is left out, and what is no checkpoint."""

import json
from pathlib import Path

import commanded
import numpy as np
import pyarrow.parquet
import pytest
from fakes import FakeEstimator
from tabled import frame
from test_cli_tables import write


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch):
    commanded.shared(fake, monkeypatch)
    return commanded.runner(capsys)


@pytest.fixture
def data(tmp_path: Path):
    return write(tmp_path / "data.csv", frame(p=4))


def test_columns_can_be_left_out(run, data, tmp_path: Path) -> None:
    for command in (["matrix"], ["rank", "--target=a"]):
        code, out, _ = run(*command, data, "--exclude=b", "--exclude=d", "--json")
        assert code == 0
        assert {name for pair in json.loads(out)["pairs"] for name in (pair["x"], pair["y"])} == {"a", "c"}
    np.savez(tmp_path / "t.npz", x=np.ones((30, 2)), y=np.arange(30.0), z=np.arange(30.0))
    _, out, _ = run("matrix", tmp_path / "t.npz", "--exclude=x", "--json")
    assert json.loads(out)["names"] == ["y", "z"]
    for file in (data, tmp_path / "t.npz"):
        code, _, err = run("matrix", file, "--exclude=a,nowhere")
        assert code == 2
        assert "there is no column" in err


@pytest.mark.parametrize(("mark", "option"), [(";", []), ("\t", []), ("|", ["--sep=|"])])
def test_cells_are_separated_as_the_first_line_or_the_option_says(
    run, tmp_path: Path, mark: str, option
) -> None:
    lines = (f"{i}.5{mark}{i * i}{mark}{'xy'[i % 2]}" for i in range(30))
    (tmp_path / "t.csv").write_text("\n".join([f"a{mark}b{mark}kind", *lines]))
    code, out, _ = run("matrix", tmp_path / "t.csv", *option, "--json")
    assert code == 0
    assert json.loads(out)["names"] == ["a", "b", "kind"]


def test_decimal_commas_are_numbers_or_an_error(run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\n" + "".join(f"{i},5;{i * i}\n" for i in range(30)))
    for command in (["matrix"], ["rank", "--target=b"], ["estimate", "--x=a", "--y=b"]):
        code, _, err = run(*command, tmp_path / "t.csv")
        assert code == 2
        assert "--decimal ," in err
        code, out, _ = run(*command, tmp_path / "t.csv", "--decimal=,", "--json")
        assert code == 0
        assert "coded" not in out


@pytest.mark.parametrize(
    "option",
    ["--sep=;;", "--sep=a", "--sep=", "--decimal=x", "--thousands=.", "--thousands=12", "--thousands=-"],
)
def test_options_of_text_must_make_sense(run, data, option: str) -> None:
    assert run("matrix", data, option)[0] == 2


@pytest.mark.parametrize(
    "option",
    ["--sep=;", "--decimal=,", "--thousands=,", "--labels=x", "--na-value=-9", "--no-default-na"],
)
def test_options_of_text_are_for_text(run, tmp_path: Path, option: str) -> None:
    np.savez(tmp_path / "t.npz", x=np.arange(30.0), y=np.arange(30.0))
    code, _, err = run("matrix", tmp_path / "t.npz", option)
    assert code == 2
    assert "CSV and TSV" in err


def as_written(tmp_path: Path) -> Path:
    """A table with an index, gaps, dates, free text and an identifier of 19 digits."""
    lines = [
        f"{i},{'NA' if i % 7 == 0 else i * i % 11},{'None' if i % 9 == 0 else 'xy'[i % 2]},"
        f"2020-01-{1 + i % 28:02}T10:00:00+02:00,person {i},{1_700_000_000_000_000_000 + i * 1_000_003}"
        for i in range(60)
    ]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([",a,g,day,who,id", *lines, ""]))
    return path


SAID = (
    "mizzle: left out the index 'Unnamed: 0', which only numbers or names the rows; "
    "read as missing: 9 x NA in 'a', 7 x None in 'g'; "
    "left out: 'who' (free text, 60 different values in 60 rows); "
    "--labels takes such a column as labels, --strict refuses the table"
)


def test_what_was_assumed_is_one_line_and_in_json(run, tmp_path: Path) -> None:
    path = as_written(tmp_path)
    for command in (["matrix"], ["rank", "--target=a"]):
        code, out, err = run(*command, path, "--missing=drop", "--json")
        assert (code, err) == (0, f"{SAID}\n")
        answer = json.loads(out)
        assert "; ".join(answer["assumed"]) == SAID.removeprefix("mizzle: ")
        assert {pair["x"] for pair in answer["pairs"]} <= {"a", "g", "day", "id"}
        assert run(*command, path, "--missing=drop", "--json", "--quiet")[2] == ""
    code, out, err = run("estimate", path, "--x=a", "--y=g", "--missing=drop", "--json")
    assert code == 0
    assert json.loads(out)["assumed"] == ["read as missing: 9 x NA in 'a', 7 x None in 'g'"]
    assert json.loads(out)["dropped"] == 15
    assert "assumed" not in json.loads(run("estimate", path, "--x=id", "--y=day", "--json")[1])


def test_markers_can_be_named_and_the_default_ones_left(run, tmp_path: Path) -> None:
    path = as_written(tmp_path)
    options = ["--x=id", "--y=g", "--missing=drop", "--json"]
    for more, dropped in (([], 7), (["--no-default-na"], 0), (["--no-default-na", "--na-value=x"], 26)):
        code, out, _ = run("estimate", path, *options, *more)
        assert (code, json.loads(out)["dropped"]) == (0, dropped)
    code, _, err = run("estimate", path, "--x=id", "--y=g")
    assert code == 2
    assert "column 'g' is missing (None), as are 6 more of its column; --missing drop" in err
    assert "--no-default-na" in err


def test_strict_refuses_what_would_be_left_out(run, tmp_path: Path) -> None:
    for command in (["matrix"], ["rank", "--target=a"]):
        code, out, err = run(*command, as_written(tmp_path), "--missing=drop", "--strict")
        assert (code, out) == (2, "")
        assert "column 'who' holds free text" in err


def test_dates_of_a_file_are_numbers_and_this_is_said(run, tmp_path: Path) -> None:
    days = np.datetime64("2020-01-01") + np.arange(30)
    pyarrow.parquet.write_table(pyarrow.table({"day": days, "a": np.arange(30.0)}), tmp_path / "t.parquet")
    code, out, _ = run("rank", tmp_path / "t.parquet", "--target=a", "--json")
    assert code == 0
    assert "time" in json.loads(out)["pairs"][0]["warnings"].split()


@pytest.mark.parametrize("command", [["matrix"], ["rank", "--target=a"]])
def test_a_file_that_is_no_checkpoint_is_left_alone_before_any_work(
    run, data, tmp_path: Path, command
) -> None:
    before = data.read_bytes()
    code, out, err = run(*command, tmp_path / "nowhere.csv", "--checkpoint", data)
    assert (code, out) == (2, "")
    assert "is no checkpoint of mizzle" in err
    assert "left alone; name another" in err
    assert data.read_bytes() == before
