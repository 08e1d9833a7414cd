"""Arrays that every task needs, in one file that workers map into their memory: one copy for a whole machine.

Tasks carry the name of the file and where each array begins, never the numbers. Where the file lies in
/dev/shm it is shared memory; in a folder that several machines see, it is what they share.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import ExecutorFailed, InvalidFile

Arrays = Mapping[str, NDArray[Any]]
_MEMORY = Path("/dev/shm")
_SHARE = 2  # of the room there, at most one part in so many is taken
_ALIGNED = 64  # bytes, at which every array begins


class Placed(NamedTuple):
    """Where an array lies in the file."""

    name: str
    start: int
    dtype: str
    shape: tuple[int, ...]


class Mapped(NamedTuple):
    """Arrays in a file, small enough to be part of every task."""

    path: str
    places: tuple[Placed, ...]

    def open(self) -> Arrays:
        """The arrays, read-only; opened once in a process.

        Raises:
            ExecutorFailed: this worker does not see the file.
        """
        return _opened(self)


@lru_cache(1)
def _opened(mapped: Mapped) -> Arrays:
    try:
        content = np.memmap(mapped.path, np.uint8, "r")
    except OSError as error:
        text = f"a worker cannot read what all share ({error.strerror}); workers of other machines need"
        raise ExecutorFailed(f"{text} folder= to name a folder that all of them see") from None
    return {place.name: _array(content, place) for place in mapped.places}


def _array(content: NDArray[np.uint8], place: Placed) -> NDArray[Any]:
    size = int(np.prod(place.shape)) * np.dtype(place.dtype).itemsize
    part: NDArray[Any] = content[place.start : place.start + size].view(place.dtype).reshape(place.shape)
    return part


@contextmanager
def mapped(arrays: Arrays, folder: Path | None = None) -> Iterator[Mapped]:
    """The arrays in a file as long as the context lasts.

    Args:
        folder: for the file; None for shared memory where there is room, or else for that of temporary files.

    Raises:
        InvalidFile: it cannot be written.
    """
    places, total = _placed(arrays)
    own = _temporary(total, folder)
    try:
        path = own / "arrays"
        _write(path, arrays, places)
        yield Mapped(str(path), places)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _placed(arrays: Arrays) -> tuple[tuple[Placed, ...], int]:
    places, end = [], 0
    for name, array in arrays.items():
        start = -(-end // _ALIGNED) * _ALIGNED
        places.append(Placed(name, start, array.dtype.str, array.shape))
        end = start + array.nbytes
    return tuple(places), end


def _write(path: Path, arrays: Arrays, places: tuple[Placed, ...]) -> None:
    try:
        with path.open("wb") as file:
            for place in places:
                file.seek(place.start)
                np.ascontiguousarray(arrays[place.name]).tofile(file)
            file.truncate(max(1, file.tell()))
    except OSError as error:
        text = f"what workers share cannot be written: {error.strerror or 'the disk is full'}"
        raise InvalidFile(f"{text}; make room, or name another folder (TMPDIR for temporary files)") from None


def _temporary(size: int, folder: Path | None) -> Path:
    """A new folder that only this user can read."""
    if folder is None and os.access(_MEMORY, os.W_OK) and _SHARE * size < shutil.disk_usage(_MEMORY).free:
        folder = _MEMORY
    return Path(tempfile.mkdtemp(prefix=".mizzle-", dir=folder))
