"""NumPy's .npy: one array of shape (n, dx + dy), its header read by numpy and its numbers as they lie there.

Format: a magic string, the version, the length of a header and the header, which is the text of a Python
dictionary of three entries; then the numbers. `numpy.load` believes that text before it has seen a number
(a hundred bytes may ask for terabytes), so only the header is left to numpy, and its length is limited.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from mizzle.data.npy_files import HEADER_READERS
from mizzle.errors import InvalidRequest, InvalidShape, Malformed, UnsupportedMedia
from mizzle.service.formats.problem import Options, Problem, check_words, checked_problem, parse_levels

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MAX_HEADER = 4096
_MAX_SIZE = 2**48  # of one dimension; numpy refuses larger ones even where another is 0
_DTYPES = ("<f4", "<f8", "<i4", "<i8")
_PREFIX = {b"\x01": 10}  # bytes before the header by major version: two for its length, else four
_PARAMETERS = ("dim_x", "dim_given", *Options._fields)
_DIM_X = re.compile(r"[0-9]{1,5}")


def parse_problem(content: bytes, query: Mapping[str, str], grid: Sequence[float]) -> Problem:
    """The problem in a file: of its columns the first `dim_x` are x, and the last `dim_given` given.

    Args:
        query: dim_x, which only two columns can do without, dim_given, levels (between commas, or "all"),
            and the words missing and unit; see `registry.parse_problem`.
    """
    if not set(query) <= set(_PARAMETERS) or _repeats(query):
        known = ", ".join(_PARAMETERS)
        raise InvalidRequest(f"the address has other parameters than {known}, or one of them twice")
    options = Options(parse_levels(query.get("levels"), grid), **check_words(query))
    table = read_array(content)
    last = table.shape[1] - _dim_given(query.get("dim_given"), table.shape[1])
    dim_x = _dim_x(query.get("dim_x"), last)
    third = table[:, last:] if last < table.shape[1] else None
    return checked_problem(table[:, :dim_x], table[:, dim_x:last], options, third)


def read_array(content: bytes) -> np.ndarray[Any, Any]:
    """The array in a file, of two dimensions and without a copy.

    Raises:
        Malformed: it is no .npy of plain numbers, exactly as long as it says.
        InvalidShape: it has not two dimensions.
        UnsupportedMedia: it is an archive (.npz).
    """
    if content.startswith(_ZIP):
        raise UnsupportedMedia("the body is an archive, as .npz is; send one array as .npy")
    shape, fortran, dtype, start = _header(content)
    if dtype.str not in _DTYPES:
        raise Malformed(
            "the array is of a type that is not read; save it as little-endian <f8, <f4, <i8 or <i4"
        )
    fits = all(0 <= size < _MAX_SIZE for size in shape)
    if not fits or len(content) - start != dtype.itemsize * math.prod(shape):
        raise Malformed("the .npy is not as long as its header says; send it whole and alone")
    if len(shape) != 2:
        raise InvalidShape(
            f"the array has {len(shape)} dimensions; send one of two, a row for each observation and the "
            "columns of x before those of y"
        )
    flat = np.frombuffer(content, dtype, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, order and type, and where the numbers begin."""
    prefix = _PREFIX.get(content[6:7], 12)
    length = int.from_bytes(content[8:prefix], "little")
    head = content[: prefix + min(length, _MAX_HEADER + 1)]
    try:
        return *_parsed(head), len(head)
    except Exception:  # not ValueError alone: Python's parser fails in many ways on a text made for that
        raise Malformed(
            "the body is no .npy file of version 1, 2 or 3 with a header that numpy.save writes, of at most "
            f"{_MAX_HEADER} bytes"
        ) from None


@lru_cache(256)  # callers send many arrays of one shape, and numpy's reader takes as long as all the rest
def _parsed(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    file = io.BytesIO(head)
    shape, fortran, dtype = HEADER_READERS[npy_format.read_magic(file)](file, max_header_size=_MAX_HEADER)
    return shape, fortran, dtype


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


def _dim_given(text: str | None, columns: int) -> int:
    if text is None:
        return 0
    if not _DIM_X.fullmatch(text) or not 0 < int(text) <= columns - 2:
        raise InvalidRequest(
            f"dim_given must be a whole number from 1 to {max(columns - 2, 1)}, as x and y need one each"
        )
    return int(text)


def _repeats(query: Mapping[str, str]) -> bool:
    """Whether a parameter came twice; a plain mapping cannot tell, the one of a request can."""
    pairs = getattr(query, "multi_items", query.items)()
    return len(pairs) > len(query)
