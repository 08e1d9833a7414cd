"""Tables in files of every format: the same columns come out, and whatever is no table is refused."""

import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from mizzle import errors
from mizzle.data.columns import read as read_column
from mizzle.data.frames import named_columns
from mizzle.files import reader as files

COLUMNS: dict[str, Any] = {"a": [1.5, 2.0, 3.0], "b": ["x", "y", "x"]}


def _arrow_stream(path) -> None:
    table = pa.table(COLUMNS)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "t.csv": lambda path: path.write_text("a,b\n1.5,x\n2.0,y\n3.0,x\n"),
    "t.tsv": lambda path: path.write_text("a\tb\n1.5\tx\n2.0\ty\n3.0\tx\n"),
    "t.parquet": lambda path: pa.parquet.write_table(pa.table(COLUMNS), path),
    "t.feather": lambda path: pa.feather.write_feather(pa.table(COLUMNS), path),
    "t.arrows": _arrow_stream,
    "t.npz": lambda path: np.savez(path, **COLUMNS),
    "t.npy": lambda path: np.save(
        path, np.array(list(zip(*COLUMNS.values(), strict=True)), [("a", float), ("b", "U1")])
    ),
}


def read_columns(table):
    return {name: read_column(cells) for name, cells in named_columns(table.frame).items()}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("way", ["suffix", "stdin", "format"])
def test_every_format_gives_the_same_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    kind = files.kind_of(name)
    if way == "suffix":
        result = files.read(str(path))
    elif way == "format":
        other = path.rename(tmp_path / "data")
        result = files.read(str(other), kind)
    else:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        result = files.read("-", kind)
    a, b = read_columns(result).values()
    np.testing.assert_array_equal(a.values, COLUMNS["a"])
    np.testing.assert_array_equal(b.values, [0, 1, 0])
    assert (a.labels, b.labels) == (0, 2)


def test_a_pipe_is_a_file() -> None:
    content = io.BytesIO()
    np.save(content, np.arange(6.0).reshape(3, 2))
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as end:
        end.write(content.getvalue())
    try:
        assert list(files.read(f"/dev/fd/{reading}", "npy").frame) == ["c0", "c1"]
    finally:
        os.close(reading)


def test_columns_of_a_path_are_none_of_the_table(tmp_path: Path) -> None:
    """pyarrow's read_table would find a column `year` here."""
    folder = tmp_path / "year=2019"
    folder.mkdir()
    WRITERS["t.parquet"](folder / "t.parquet")
    assert list(named_columns(files.read(str(folder / "t.parquet")).frame)) == ["a", "b"]


def test_an_array_of_several_columns_is_one_variable(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, x=np.zeros((5, 3)), y=np.ones(5))
    result = files.read(str(path))
    assert list(result.frame) == ["x0", "x1", "x2", "y"]
    assert result.groups == {"x": ["x0", "x1", "x2"]}
    assert result.columns_of(["y", "x"]) == ["y", "x0", "x1", "x2"]


def test_two_arrays_may_not_make_one_name(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, x=np.zeros((5, 2)), x1=np.ones(5))
    with pytest.raises(errors.InvalidFile, match="called 'x1'"):
        files.read(str(path))


@pytest.mark.parametrize("name", [name for name in WRITERS if not name.endswith((".csv", ".tsv"))])
@pytest.mark.parametrize("spoil", ["empty", "noise", "half", "other"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, name, spoil: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    whole = path.read_bytes()
    spoiled = {"empty": b"", "noise": b"\x93NUMPY" + bytes(range(256)), "half": whole[: len(whole) // 2]}
    path.write_bytes(spoiled.get(spoil, b"a,b\n1,2\n"))
    with pytest.raises(errors.InvalidFile, match="the file is no"):
        files.read(str(path))


def test_an_array_of_three_dimensions_is_none_of_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.zeros((3, 2, 2)))
    np.savez(tmp_path / "t.npz", fine=np.zeros(3), cube=np.zeros((3, 2, 2)))
    for name, words in (("t.npy", "the array of the file"), ("t.npz", "array 'cube' of the file")):
        with pytest.raises(errors.InvalidFile, match=f"{words} has 3 dimensions; shape"):
            files.read(str(tmp_path / name))


def test_columns_are_left_out_of_every_format(tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        write(tmp_path / name)
        assert list(named_columns(files.read(str(tmp_path / name), exclude=["b"]).frame)) == ["a"]
        with pytest.raises(errors.MissingColumn, match="the table has 'a', 'b'"):
            files.read(str(tmp_path / name), exclude=["z"])


def test_pickles_are_refused(tmp_path: Path) -> None:
    for name, save in (("t.npy", np.save), ("t.npz", np.savez)):
        save(tmp_path / name, np.array([{}], dtype=object), allow_pickle=True)
        with pytest.raises(errors.InvalidFile):
            files.read(str(tmp_path / name))


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidFile, match="no file"):
        files.read(str(tmp_path / "none.csv"))
    with pytest.raises(errors.InvalidFile, match="directory"):
        files.read(str(tmp_path), "csv")
    with pytest.raises(errors.InvalidFile, match="cannot be read"):
        files.read("nul\0.csv")


def test_a_format_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="standard input has no suffix; say --format"):
        files.read("-")
    with pytest.raises(errors.InvalidInput, match="suffix is none of"):
        files.read("data.txt")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    WRITERS["t.parquet"](tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(errors.MissingExtra, match=r"pip install 'mizzle\[cli\]'"):
        files.read(str(tmp_path / "t.parquet"))
