"""Packed files: each way of packing gives the same table; what is damaged or too large is refused."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from mizzle import errors
from mizzle.files import compression, reader

CONTENT = b"a,b\n" + b"1.5,x\n2.5,y\n" * 50


def zipped(content: bytes, *names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("t.csv",):
            archive.writestr(name, content)
    return out.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
    ".zip": zipped,
}


def test_every_suffix_has_its_packer() -> None:
    assert set(PACKERS) == set(compression.SUFFIXES)


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("name", ["t.csv", "t.TSV"])
def test_a_packed_table_is_that_table(tmp_path: Path, monkeypatch, suffix: str, name: str) -> None:
    content = CONTENT if name == "t.csv" else CONTENT.replace(b",", b"\t")
    path = tmp_path / f"{name}{suffix}"
    path.write_bytes(PACKERS[suffix](content))
    assert len(reader.read(str(path)).frame["a"]) == 100
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert list(reader.read("-", reader.kind_of(name)).frame) == ["a", "b"]


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_damaged_is_refused(suffix: str) -> None:
    packed = PACKERS[suffix](CONTENT)
    with pytest.raises(errors.InvalidFile, match="damaged or cut short"):
        compression.unpacked(packed[:-7])


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_unpacks_to_too_much_is_refused(suffix: str) -> None:
    bomb = PACKERS[suffix](bytes(3 * 2**20))
    assert len(bomb) < 2**14
    with pytest.raises(errors.InvalidFile, match="more than 2 MiB"):
        compression.unpacked(bomb, 2 * 2**20)


def test_parts_that_were_joined_are_one_file() -> None:
    for suffix in (".gz", ".bz2", ".xz", ".zst"):
        assert compression.unpacked(PACKERS[suffix](b"a") + PACKERS[suffix](b"b")) == b"ab"


def test_a_zip_of_several_files_is_none() -> None:
    with pytest.raises(errors.InvalidFile, match="holds 2 files; unpack it"):
        compression.unpacked(zipped(CONTENT, "a.csv", "b.csv"))


def test_other_bytes_stay_as_they_are() -> None:
    for content in (b"", b"BZhang,b\n1,2\n", b"PK,b\n1,2\n", CONTENT):
        assert compression.unpacked(content) == content


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = PACKERS[".zst"](CONTENT)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(errors.MissingExtra, match=r"pip install 'mizzle\[cli\]'"):
        compression.unpacked(packed)
