"""Tables in files: CSV, TSV, Parquet, Arrow (Feather), npy and npz, by path or from standard input.

Parquet and Arrow are read by pyarrow. CSV and TSV are not: pyarrow names no line of a cell that it cannot
use, reads 007 as 7 and an integer beyond 64 bits as a rounded float, and makes dates of what looks like one.
"""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from mizzle.data import npy_files
from mizzle.data.frames import named_columns
from mizzle.data.names import no_column, quoted_name
from mizzle.errors import InvalidFile, InvalidInput
from mizzle.extras import load
from mizzle.files import compression, csv_reader
from mizzle.files.csv_columns import TextFormat

Format = Literal["csv", "tsv", "parquet", "arrow", "npy", "npz"]
STDIN = "-"
_ZIP = b"PK\x03\x04"
TEXT = {"csv": None, "tsv": "\t"}  # None: the first line decides
_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".npy": "npy",
    ".npz": "npz",
}


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Attributes:
        frame: columns by name, as `mizzle.matrix` takes them.
        groups: names of arrays with several columns, which are one variable (npz only).
        notes: what was assumed to read it, in words.
    """

    frame: Any
    groups: Mapping[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def columns_of(self, names: Sequence[str]) -> list[str]:
        """The columns that these names stand for, where a name may be that of a group."""
        return [column for name in names for column in self.groups.get(name, [name])]

    def without(self, names: Collection[str]) -> "Table":
        """The table without these columns and groups.

        Raises:
            MissingColumn: one of them is not there.
        """
        columns = named_columns(self.frame)
        for name in names:
            if name not in columns and name not in self.groups:
                raise no_column(name, columns)
        gone = {*names, *self.columns_of(list(names))}
        frame = {name: cells for name, cells in columns.items() if name not in gone}
        groups = {group: [n for n in names if n not in gone] for group, names in self.groups.items()}
        return Table(frame, {group: names for group, names in groups.items() if names})


def read(
    source: str,
    kind: Format | None = None,
    names: Sequence[str] | None = None,
    form: TextFormat | None = None,
    exclude: Collection[str] = (),
    required: Collection[str] | None = (),
) -> Table:
    """The table in a file, which may be packed with gzip, bzip2, xz, zstandard or zip.

    Args:
        source: its path, or "-" for standard input, of which `kind` must be given.
        kind: the format; None for what the suffix says.
        names, required: as in `csv_reader.read`; files of other formats are read whole.
        form: how the cells of CSV and TSV are written; None for files of other formats.
        exclude: columns or arrays that are left out.

    Raises:
        InvalidFile: it cannot be read as such a table.
        InvalidInput: the format is not known.
        MissingExtra: it needs pyarrow, which is not installed.
        MissingColumn, NotNumeric, NotFinite, PrecisionLoss: as `csv_reader.read`.
    """
    kind = kind or kind_of(source)
    content = _content(source)
    if kind != "npz":  # which is a zip by itself
        content = compression.unpacked(content)
    if kind in TEXT:
        form = form or TextFormat()
        form = replace(form, separator=form.separator or TEXT[kind])
        text = csv_reader.read(content, names, form, exclude, required)
        return Table(text.columns, notes=text.notes)
    readers: dict[str, Callable[[bytes], Table]] = {
        "parquet": _parquet,
        "arrow": _arrow,
        "npy": _npy,
        "npz": _npz,
    }
    table = readers[kind](content)
    return table.without(exclude) if exclude else table


def kind_of(source: str) -> Format:
    """What the suffix of a file says, below that of a packed one.

    Raises:
        InvalidInput: it says nothing that is known.
    """
    formats = ", ".join(get_args(Format))
    if source == STDIN:
        raise InvalidInput(f"standard input has no suffix; say --format, one of {formats}")
    path = Path(source)
    packed = path.suffix.lower() in compression.SUFFIXES
    kind = _SUFFIXES.get(Path(path.stem if packed else path).suffix.lower())
    if kind is None:
        known, packers = ", ".join(_SUFFIXES), ", ".join(compression.SUFFIXES)
        text = f"the file's suffix is none of {known}, with or without {packers}"
        raise InvalidInput(f"{text}; say --format, one of {formats}")
    return kind


def _content(source: str) -> bytes:
    """All bytes: pipes cannot be read in any other order."""
    if source == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidFile(f"there is no file {quoted_name(source)}") from None
    except IsADirectoryError:
        raise InvalidFile(f"{quoted_name(source)} is a directory; name a file") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or "it is no path"
        raise InvalidFile(f"{quoted_name(source)} cannot be read: {reason}") from None


def _parquet(content: bytes) -> Table:
    arrow = _pyarrow()
    parquet = load("pyarrow.parquet", "pip install 'mizzle[cli]'")
    # A ParquetFile, not read_table: that one makes columns of the words of a path.
    return _of_arrow("Parquet", lambda: parquet.ParquetFile(arrow.BufferReader(content)).read())


def _arrow(content: bytes) -> Table:
    arrow = _pyarrow()
    feather = load("pyarrow.feather", "pip install 'mizzle[cli]'")
    source = arrow.BufferReader(content)
    if content[:4] in (b"ARRO", b"FEA1"):
        return _of_arrow("Arrow", lambda: feather.read_table(source))
    return _of_arrow("Arrow", lambda: arrow.ipc.open_stream(source).read_all())


def _of_arrow(kind: str, opened: Callable[[], Any]) -> Table:
    arrow = _pyarrow()
    try:
        table = opened()
        table.validate(full=True)  # offsets and codes beyond their ends, which would be read otherwise
    except (arrow.ArrowException, OSError, ValueError, KeyError, NotImplementedError):
        raise InvalidFile(f"the file is no {kind}, damaged, or of a kind that cannot be read here") from None
    return Table(table)


def _pyarrow() -> Any:
    return load("pyarrow", "pip install 'mizzle[cli]'")


def _npy(content: bytes) -> Table:
    if content.startswith(_ZIP):
        raise InvalidFile("the file is no .npy; say --format npz if it holds several arrays")
    try:
        array = npy_files.read_npy(content)
    except ValueError:
        raise InvalidFile("the file is no .npy of numbers or text, or damaged") from None
    _check_dimensions(array, "the array")
    if array.dtype.names:
        return Table({name: array[name] for name in array.dtype.names})
    return Table({f"c{j}": array[:, j] for j in range(array.shape[1])} if array.ndim == 2 else {"c0": array})


def _npz(content: bytes) -> Table:
    """Every array is one variable; the columns of one of shape (n, d) are called name0, name1, .."""
    try:
        arrays = npy_files.read_npz(content)
    except ValueError:
        raise InvalidFile("the file is no .npz of numbers or text, or damaged") from None
    for name, array in arrays.items():
        _check_dimensions(array, f"array {quoted_name(name)}")
    groups = {name: [f"{name}{j}" for j in range(a.shape[1])] for name, a in arrays.items() if a.ndim == 2}
    names = [column for name in arrays for column in groups.get(name, [name])]
    twice = [name for name, count in Counter([*names, *groups]).items() if count > 1]
    if twice:
        raise InvalidFile(
            f"several arrays or columns of the file are called {quoted_name(twice[0])}; rename one"
        )
    cells = [part for name, a in arrays.items() for part in (a.T if name in groups else [a])]
    return Table(dict(zip(names, cells, strict=True)), groups)


def _check_dimensions(array: np.ndarray, what: str) -> None:
    if array.ndim not in (1, 2):
        text = f"{what} of the file has {array.ndim} dimensions; shape (n,) or (n, d) is needed"
        raise InvalidFile(f"{text}, one row per observation")
