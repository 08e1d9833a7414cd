"""Packed files: gzip, bzip2, xz and zstandard by their first bytes, and a zip of one file.

What comes out is bounded, since a file of a few kilobytes may unpack to more than any memory holds.
"""

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from mizzle.errors import InvalidFile
from mizzle.extras import load

MAX_BYTES = 2**30
SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".zip")
_CHUNK = 2**20
_DAMAGED = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def unpacked(content: bytes, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a packed file; of any other, the same bytes.

    Raises:
        InvalidFile: it is damaged, unpacks to more than `max_bytes`, or is a zip of several files.
        MissingExtra: zstandard needs pyarrow, which is not installed.
    """
    opened = next((opened for magic, opened in _OPENED.items() if re.match(magic, content, re.DOTALL)), None)
    if opened is None:
        return content
    try:
        with opened(content) as stream:
            return _bounded(stream, max_bytes)
    except _DAMAGED as error:
        if isinstance(error, InvalidFile):
            raise
        raise InvalidFile(
            "the packed file is damaged or cut short; unpack it to see how much is left"
        ) from None


def _bounded(stream: Any, max_bytes: int) -> bytes:
    out = bytearray()
    while chunk := stream.read(_CHUNK):
        out += chunk
        if len(out) > max_bytes:
            text = f"the file unpacks to more than {max_bytes // 2**20} MiB"
            raise InvalidFile(f"{text}; unpack it yourself, or keep fewer rows or columns of it")
    return bytes(out)


def _zstandard(content: bytes) -> Any:
    arrow = load("pyarrow", "pip install 'mizzle[cli]'")
    return arrow.CompressedInputStream(arrow.BufferReader(content), "zstd")


def _zip(content: bytes) -> Any:
    archive = zipfile.ZipFile(io.BytesIO(content))
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise InvalidFile(f"the zip holds {len(names)} files; unpack it and name one of them")
    return archive.open(names[0])


_OPENED: dict[bytes, Callable[[bytes], Any]] = {  # by a pattern of the first bytes
    rb"\x1f\x8b": lambda content: gzip.GzipFile(fileobj=io.BytesIO(content)),
    rb"BZh[1-9]1AY&SY": lambda content: bz2.BZ2File(io.BytesIO(content)),
    rb"\xfd7zXZ\0": lambda content: lzma.LZMAFile(io.BytesIO(content)),  # noqa: SIM115  `unpacked` closes it
    rb"\x28\xb5\x2f\xfd": _zstandard,
    rb"PK\x03\x04": _zip,
}
