"""Files of numpy, .npy and .npz, in no more memory than they are long.

`numpy.load` believes the header of an array before it has read a number: a hundred bytes may ask for
terabytes, or for a million columns of no rows. Python's own parser, which reads that header, fails in many
ways on a text made for that, and so do archives; here all of them are a ValueError.
"""

import io
import math
import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

MAX_BYTES = 2**30  # of the arrays of an archive
_MAX_HEADER = 10_000  # as numpy has it
_CHUNK = 2**20
HEADER_READERS = {  # by version of the format
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
    (3, 0): npy_format.read_array_header_2_0,  # sizes are the same where names of fields are not ASCII
}

Array = np.ndarray[Any, Any]


def read_npy(content: bytes) -> Array:
    """The array in a .npy file; pickled objects are refused.

    Raises:
        ValueError: there is none of numbers, times or text, or the file is cut.
    """
    try:
        return _array(content)
    except Exception as error:  # not ValueError alone, see above
        raise ValueError("no .npy file") from error


def read_npz(content: bytes, max_bytes: int = MAX_BYTES) -> dict[str, Array]:
    """The arrays in a .npz file by their names.

    Args:
        max_bytes: of all arrays, unpacked.

    Raises:
        ValueError: it is no archive of nothing but such arrays, is damaged, or holds more.
    """
    arrays: dict[str, Array] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                part = _unpacked(archive, info, max_bytes)
                max_bytes -= len(part)
                arrays[info.filename.removesuffix(".npy")] = _array(part)
    except Exception as error:
        raise ValueError("no .npz file") from error
    return arrays


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> bytes:
    if info.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):  # others need room for a dictionary
        raise ValueError("packed otherwise than numpy does it")
    out = bytearray()
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            out += chunk
            if len(out) > max_bytes:
                raise ValueError("too large")
    return bytes(out)


def _array(content: bytes) -> Array:
    file = io.BytesIO(content)
    shape, _, dtype = HEADER_READERS[npy_format.read_magic(file)](file, max_header_size=_MAX_HEADER)
    size = len(content) - file.tell()
    # Every row and column has a byte at least: without rows, a header might still say any number of columns.
    if dtype.hasobject or dtype.itemsize * math.prod(shape) > size or max(shape, default=0) > len(content):
        raise ValueError("longer than the file")
    file.seek(0)
    array: Array = npy_format.read_array(file, allow_pickle=False, max_header_size=_MAX_HEADER)
    return array
