"""NumPy's .npy: one array of shape (n, dx + dy), read by an allow-list and not by numpy.

Format: a magic string, the version, the length of a header and the header, which is the text of a Python
dictionary of three entries; then the numbers. `numpy.load` evaluates that text, believes it before it has
seen a number (a hundred bytes may ask for terabytes) and reads objects, text, dates and structures.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mizzle.errors import InvalidRequest, InvalidShape, Malformed, UnsupportedMedia
from mizzle.service.formats.problem import Problem, checked, levels_in_text

_MAGIC = b"\x93NUMPY"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}  # by version
_LONGEST_HEADER = 4096
_DTYPES = (b"<f4", b"<f8", b"<i4", b"<i8")
_SIZE = rb"(?:0|[1-9][0-9]{0,17})"
_HEADER = re.compile(
    rb"\{'descr': ?'([<>|=]?[a-zA-Z][0-9]{1,4})', ?'fortran_order': ?(True|False), ?"
    rb"'shape': ?\(((?:" + _SIZE + rb", ?){0,32}" + _SIZE + rb"?)\)(?:, ?)?\} *\n?"
)
_PARAMETERS = {"dim_x", "levels"}
_DIM_X = re.compile(r"[0-9]{1,5}")


def one(content: bytes, query: Mapping[str, str], grid: Sequence[float]) -> Problem:
    """The problem in a file: of its columns the first `dim_x` are x; see `formats.read_one`.

    Args:
        query: dim_x, which only two columns can do without, and levels (between commas, or "all").
    """
    if not set(query) <= _PARAMETERS or _repeats(query):
        raise InvalidRequest("the address has other parameters than dim_x and levels, or one of them twice")
    levels = levels_in_text(query.get("levels"), grid)
    table = array(content)
    dim_x = _dim_x(query.get("dim_x"), table.shape[1])
    return checked(table[:, :dim_x], table[:, dim_x:], levels)


def array(content: bytes) -> np.ndarray[Any, Any]:
    """The array in a file, of two dimensions and without a copy.

    Raises:
        Malformed: it is no .npy of plain numbers, exactly as long as it says.
        InvalidShape: it has not two dimensions.
        UnsupportedMedia: it is an archive (.npz).
    """
    if content.startswith(_ZIP):
        raise UnsupportedMedia("the body is an archive, as .npz is; send one array as .npy")
    descr, fortran, shape, start = _header(content)
    dtype = np.dtype(descr)
    if len(content) - start != dtype.itemsize * math.prod(shape):
        raise Malformed("the .npy is not as long as its header says; send it whole and alone")
    if len(shape) != 2:
        raise InvalidShape(
            f"the array has {len(shape)} dimensions; send one of two, a row for each observation and the "
            "columns of x before those of y"
        )
    flat = np.frombuffer(content, dtype, count=math.prod(shape), offset=start)
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(content: bytes) -> tuple[str, bool, tuple[int, ...], int]:
    """Type, order and shape, and where the numbers begin."""
    size = _LENGTH_BYTES.get(content[6:8])
    if not content.startswith(_MAGIC) or size is None:
        raise Malformed("the body is no .npy file of version 1, 2 or 3; numpy.save makes one")
    length = int.from_bytes(content[8 : 8 + size], "little")
    start = 8 + size + length
    if length > _LONGEST_HEADER or start > len(content):
        raise Malformed(f"the header of the .npy is cut, or longer than {_LONGEST_HEADER} bytes")
    found = _HEADER.fullmatch(content, 8 + size, start)
    if found is None:
        raise Malformed("the header of the .npy is not that of an array of numbers, as numpy.save writes it")
    descr, fortran, sizes = found.groups()
    if descr not in _DTYPES:
        raise Malformed(
            "the array is of a type that is not read; save it as little-endian <f8, <f4, <i8 or <i4"
        )
    return descr.decode(), fortran == b"True", tuple(map(int, re.findall(rb"[0-9]+", sizes))), start


def _dim_x(text: str | None, columns: int) -> int:
    if columns < 2:
        raise InvalidShape(f"the array has {columns} columns; x and y need at least one each")
    if text is None and columns == 2:
        return 1
    if text is None:
        raise InvalidRequest(f"the array has {columns} columns; say in dim_x how many of the first are x")
    if not _DIM_X.fullmatch(text) or not 0 < int(text) < columns:
        raise InvalidRequest(
            f"dim_x must be a whole number from 1 to {columns - 1}, since y needs a column too"
        )
    return int(text)


def _repeats(query: Mapping[str, str]) -> bool:
    """Whether a parameter came twice; a plain mapping cannot tell, the one of a request can."""
    pairs = getattr(query, "multi_items", query.items)()
    return len(pairs) > len(query)
