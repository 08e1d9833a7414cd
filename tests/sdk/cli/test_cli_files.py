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
