"""Room on the disk: what is free, and a reserve that a full disk leaves to those who delete.

To delete is to write first: the old content is overwritten in a write-ahead log. So a file holds as much room
as that takes, and gives it back when the disk is full otherwise.
"""

import os
from contextlib import suppress
from pathlib import Path

NAME = "reserve"
_PIECE = bytes(2**20)
_FULL_BYTES = 2**16  # less than this is a full disk, whatever the error was called


def free_bytes(folder: Path) -> int:
    """Return what this process may still write there; 0 where there is no such folder.

    Args:
        folder: of the jobs.
    """
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def is_full(folder: Path) -> bool:
    """Return whether there is a folder, on a disk without room."""
    return folder.is_dir() and free_bytes(folder) < _FULL_BYTES


class DiskReserve:
    """A file of zeros in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    @property
    def size(self) -> int:
        """Its bytes; 0 where it is given back, or not there."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def release(self) -> None:
        """Give the room back."""
        with suppress(OSError):
            os.truncate(self._path, 0)

    def resize(self, size: int) -> bool:
        """Hold so many bytes; return whether there is room for them. Without it, what is held stays."""
        before = self.size
        try:
            with os.fdopen(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                if size < before:
                    file.truncate(size)
                file.seek(min(before, size))
                while file.tell() < size:
                    file.write(_PIECE[: size - file.tell()])
        except OSError:
            with suppress(OSError):
                os.truncate(self._path, before)
            return False
        return True
