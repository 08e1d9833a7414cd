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
from typing import Any, Self

from mizzle.errors import InvalidFile
from mizzle.extras import load

MAX_BYTES = 2**30
SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".zip")
_CHUNK = 2**20
_MAX_DICTIONARY = 256 * 2**20  # of xz, whose header may ask for 4 GiB; xz -9 makes 64 MiB of it
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


class _Xz:
    """The streams of an xz file, as LZMAFile reads them, which has no limit of memory."""

    def __init__(self, content: bytes) -> None:
        self._rest = content
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def read(self, size: int) -> bytes:
        """Some bytes; none at the end.

        Raises:
            EOFError, lzma.LZMAError: the file is cut, or is damaged.
        """
        while True:
            if self._stream.eof:
                self._rest = self._stream.unused_data.lstrip(b"\0")  # padding may follow
                if not self._rest:
                    return b""
                self._begin()
            elif self._stream.needs_input and not self._rest:
                raise EOFError
            content, self._rest = self._rest, b""
            if chunk := self._stream.decompress(content, size):
                return chunk

    def _begin(self) -> None:
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_DICTIONARY)


def _zip(content: bytes) -> Any:
    archive = zipfile.ZipFile(io.BytesIO(content))
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise InvalidFile(f"the zip holds {len(names)} files; unpack it and name one of them")
    if archive.getinfo(names[0]).compress_type == zipfile.ZIP_LZMA:
        # Python reads it in as much memory as the file asks for, whatever it holds.
        raise InvalidFile("the zip is packed with LZMA, which is not read; unpack it, or pack it as .xz")
    return archive.open(names[0])


_OPENED: dict[bytes, Callable[[bytes], Any]] = {  # by a pattern of the first bytes
    rb"\x1f\x8b": lambda content: gzip.GzipFile(fileobj=io.BytesIO(content)),
    rb"BZh[1-9]1AY&SY": lambda content: bz2.BZ2File(io.BytesIO(content)),
    rb"\xfd7zXZ\0": _Xz,
    rb"\x28\xb5\x2f\xfd": _zstandard,
    rb"PK\x03\x04": _zip,
}
