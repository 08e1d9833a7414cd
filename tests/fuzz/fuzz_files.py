"""Files of tables, packed files and checkpoints: a table, or one of the documented errors."""

import bz2
import csv
import gzip
import io
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mutator import NPY, PLAIN, Form
from target import Target, refusal

from mizzle.data.frames import named_columns
from mizzle.errors import (
    InvalidFile,
    InvalidInput,
    InvalidShape,
    MissingColumn,
    NotFinite,
    NotNumeric,
    PrecisionLoss,
)
from mizzle.files import compression, csv_reader, reader
from mizzle.files.csv_columns import TextFormat
from mizzle.files.markers import is_number
from mizzle.tables.checkpoint import Checkpoint, check_file
from mizzle.types import Estimate, ModelInfo

_CSV_ERRORS = (InvalidFile, MissingColumn, NotNumeric, NotFinite, PrecisionLoss)
_MAX_UNPACKED = 2**20
_FINGERPRINT = "0123456789abcdef"
_MODEL = ModelInfo("fake", "0.0.1", "0" * 64)


@cache
def _folder() -> Path:
    """Of this process, for what has to be a file."""
    return Path(tempfile.mkdtemp(prefix="mizzle-fuzz-"))


def _file(name: str, content: bytes) -> Path:
    file = _folder() / name
    file.write_bytes(content)
    return file


def _check_csv(content: bytes) -> str:
    """The numbers of a table are those of Python's own reader of CSV."""
    try:
        table = csv_reader.read(content, None, TextFormat(missing="drop"))
    except InvalidInput as error:
        return refusal(error, *_CSV_ERRORS)
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = content.decode(encoding)
    mark = next((m for m in ",;\t" if m in text.partition("\n")[0]), ",")
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if row]
    lengths = {len(cells) for cells in table.columns.values()}
    assert len(lengths) == 1
    assert all(note.isprintable() for note in table.notes)
    if lengths == {len(rows) - 1} and len({len(row) for row in rows}) == 1:
        _check_numbers(table.columns, rows)
    return "read"


def _check_numbers(columns: dict[str, Any], rows: list[list[str]]) -> None:
    header = [name.strip() for name in rows[0]]
    for name, cells in columns.items():
        if isinstance(cells, np.ndarray) and cells.dtype == np.float64 and header.count(name) == 1:
            texts = [row[header.index(name)].strip() for row in rows[1:]]
            plain = [i for i, text in enumerate(texts) if is_number(text) and abs(float(text)) < 2**53]
            if len(plain) == len(texts):
                assert cells.tolist() == [float(text) for text in texts]


def _check_options(content: bytes) -> str:
    """Decimal commas, marks of thousands and labels; the first line names them."""
    line, _, body = content.partition(b"\n")
    words = line.decode("latin-1").split()
    form = TextFormat(
        separator=";" if "semicolon" in words else None,
        decimal="," if "comma" in words else ".",
        thousands=next((m for m, w in ((" ", "space"), (".", "point"), ("'", "quote")) if w in words), None),
        labels=[word.removeprefix("label=") for word in words if word.startswith("label=")],
        missing="raise" if "raise" in words else "drop",
    )
    try:
        csv_reader.read(body, None, form, required=None if "strict" in words else ())
    except InvalidInput as error:
        return refusal(error, *_CSV_ERRORS)
    return "read"


def _check_packed(content: bytes) -> str:
    try:
        unpacked = compression.unpacked(content, _MAX_UNPACKED)
    except InvalidFile as error:
        return refusal(error, InvalidFile)
    assert len(unpacked) <= max(_MAX_UNPACKED, len(content))
    others: dict[bytes, Callable[[bytes], bytes]] = {
        b"\x1f\x8b": gzip.decompress,
        b"BZh": bz2.decompress,
        b"\xfd7zXZ": lzma.decompress,
    }
    for magic, other in others.items():
        if content.startswith(magic) and unpacked != content:
            assert other(content) == unpacked
    if content.startswith(b"PK\x03\x04"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        assert archive.read(next(name for name in archive.namelist() if not name.endswith("/"))) == unpacked
    return "read"


def _table(kind: str, form: Form = PLAIN, executions: int = 1000) -> Target:
    def check(content: bytes) -> str:
        file = _file(f"table.{kind}", content)
        try:
            table = reader.read(str(file), exclude=["no such column"] if content[-1:] == b"!" else ())
            columns = named_columns(table.frame)
        except InvalidInput as error:
            return refusal(error, InvalidFile, MissingColumn, InvalidShape)
        assert len(columns) <= max(100, len(content))
        if kind == "npy" and len(columns) > 1:
            array = np.load(io.BytesIO(content), allow_pickle=False)
            if array.ndim == 2:
                for cells, column in zip(columns.values(), array.T, strict=True):
                    assert np.array_equal(cells, column, equal_nan=column.dtype.kind == "f")
        return "read"

    return Target(
        kind if kind != "npy" else "npy-file", check, form, executions=executions, peak=(2000, 4 * 2**20)
    )


def _check_checkpoint(content: bytes) -> str:
    """The estimates of a file, or an error that names it; the file stays as it was."""
    file = _file("table.checkpoint", content)
    checkpoint = Checkpoint(file, _FINGERPRINT)
    try:
        check_file(file)
        estimates = checkpoint.load()
    except InvalidFile as error:
        return refusal(error, InvalidFile)
    finally:
        assert file.read_bytes() == content
    for place, estimate in estimates.items():
        assert len(place) == 2
        assert all(type(i) is int for i in place)
        assert isinstance(estimate, Estimate)
        assert len(estimate.levels) == len(estimate.values) > 0
        assert estimate.mi >= 0
    copy = Checkpoint(_folder() / "copy.checkpoint", _FINGERPRINT)
    copy.save(estimates)
    assert copy.load() == estimates
    return "read"


_TEXT = (b",", b";", b"\t", b'"', b"\n", b"\r\n", b"NA", b"1e5", b"2024-01-31", b"\xff\xfe", b"\xef\xbb\xbf")
_OPTIONS = b"comma semicolon space point quote label=a raise strict 1.234,5 1'000 1,5".split()
_ZIP = (b"PK\x01\x02", b"PK\x05\x06", b"\x63\0", b"head.npy", b"(1000000000000,)", b"(0, 1000000000000)")
TARGETS = (
    Target("csv", _check_csv, PLAIN, _TEXT, executions=2000, peak=(2000, 4 * 2**20)),
    Target(
        "csv-options", _check_options, PLAIN, (*_TEXT, *_OPTIONS), executions=2000, peak=(2000, 4 * 2**20)
    ),
    Target("packed", _check_packed, PLAIN, _ZIP, executions=1000, peak=(400, 16 * 2**20)),
    _table("npy", NPY),
    _table("npz"),
    _table("parquet", executions=500),
    _table("arrow", executions=500),
    Target("checkpoint", _check_checkpoint, PLAIN, _ZIP, executions=1000, peak=(400, 4 * 2**20)),
)
