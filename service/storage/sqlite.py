"""The SQLite database of jobs: created, opened, checked, and set aside when it is damaged.

One process has it, and uses it from one thread. Deleted content is overwritten and the file shrinks. A file
of another version or program is left alone.
"""

import errno
import itertools
import logging
import math
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from mizzle.errors import JobsUnavailable, StorageFull
from mizzle.service.storage import disk, schema
from mizzle.service.storage.interface import Damaged, Locked, Removed, Session

_log = logging.getLogger(__name__)
T = TypeVar("T")
_MAX_DAMAGED = 5  # files that are set aside, of which the oldest goes first
NAME, DAMAGED_NAME = "jobs.sqlite3", "damaged-jobs.sqlite3"
_APPLICATION = 0x6D7A6A62
_SETTINGS = (
    "locking_mode=EXCLUSIVE",  # two processes would do the same job twice
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "wal_autocheckpoint=128",  # pages: what waits in the log needs room in the file, too
    "synchronous=FULL",
    "secure_delete=ON",
    "foreign_keys=ON",
    "trusted_schema=OFF",
)
_CHECKPOINT = "wal_checkpoint(TRUNCATE)"
_UNUSABLE_TEXT = "the jobs file cannot be used; the log says more"
_DAMAGED_TEXT = "the jobs file is damaged; it is set aside when the service starts again"
_REMOVED_TEXT = "the jobs file was removed; ask again when its folder is there"
_FULL_TEXT = "there is no room for jobs now; ask again later"


class SqliteDatabase:
    """The database in a folder, with the reserve by which its rows can be deleted on a full disk.

    Raises:
        JobsUnavailable: from every method: StorageFull, Damaged, Locked, or for another reason.
    """

    is_shared = False
    connected_seconds = math.inf

    def __init__(self, folder: Path) -> None:
        self.reserve = disk.DiskReserve(folder)
        self._folder = folder
        self._was_open = False
        self._inode: tuple[int, int] | None = None
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open the file, which is created if there is none; a damaged one is set aside for an empty one.

        Raises:
            Removed: the folder was there before, and is not.
        """
        if self._was_open and not self._folder.is_dir():
            raise Removed(_REMOVED_TEXT)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            os.close(os.open(self._folder / NAME, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            _log.error("the folder of the jobs: %s", error.strerror)
            raise _unavailable(full=error.errno in (errno.ENOSPC, errno.EDQUOT)) from None
        try:
            self._with_reserve(self._connect)
        except Damaged:
            _log.error("the jobs file is damaged; it is set aside as %s", self._rename_damaged())
            self._with_reserve(self._connect)
        self._inode, self._was_open = self._stored_inode(), True

    def close(self) -> None:
        """Close the file, and so unlock it."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def fetch_all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._translated_errors():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all that is done with the connection, or nothing if an exception leaves the block."""
        with self._translated_errors():
            db = self._connection
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def delete(self, work: Callable[[Session], T]) -> T:
        """Return the result of work that makes room, in a transaction; on a full disk with the reserve."""

        def in_transaction() -> T:
            with self.transaction() as db:
                return work(db)

        return self._with_reserve(in_transaction)

    def checkpoint(self) -> None:
        """Empty the write-ahead log into the file."""
        with suppress(sqlite3.Error):
            self._connection.execute(f"PRAGMA {_CHECKPOINT}").fetchall()

    def shrink(self) -> None:
        """Give back the room of deleted rows, in the file and in its write-ahead log."""
        for pragma in (_CHECKPOINT, "incremental_vacuum", _CHECKPOINT):
            with suppress(sqlite3.Error):  # as a script: `execute` would free one page and stop
                self._connection.executescript(f"PRAGMA {pragma}")

    @property
    def size(self) -> int:
        """Bytes that rows take."""
        pages = "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count"
        [[count]] = self.fetch_all(pages)
        return int(count) * int(_pragma(self._connection, "page_size"))

    @property
    def free(self) -> int:
        """Bytes that the disk has left."""
        return disk.free_bytes(self._folder)

    def hold_reserve(self, size: int) -> bool:
        """Hold so many bytes for deletions; return whether there is room for them."""
        return self.reserve.size == size or self.reserve.resize(size)

    def time(self) -> None:
        """Nobody shares the file: its process has a clock."""

    def drop_damaged(self, before: float) -> None:
        """Delete files that were set aside before then, in seconds since 1970."""
        for path in self._folder.glob(DAMAGED_NAME + "*"):
            with suppress(OSError):
                if path.stat().st_ctime < before:
                    path.unlink()

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise JobsUnavailable("the jobs file is not open yet; ask again in a moment")
        if self._inode is not None and self._inode != self._stored_inode():
            raise Removed(_REMOVED_TEXT)  # what is written now would be gone with the process
        return self._db

    def _stored_inode(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._folder / NAME)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _with_reserve(self, work: Callable[[], T]) -> T:
        """Return the result of work, which has the reserve's room if there is no other."""
        try:
            return work()
        except StorageFull:
            if not self.reserve.size:
                raise
            self.reserve.release()
            return work()

    def _connect(self) -> None:
        self._inode = None
        with self._translated_errors():
            self._db = sqlite3.connect(self._folder / NAME, timeout=0, isolation_level=None)
            try:
                self._check(self._db)
            except BaseException:
                self.close()
                raise

    def _check(self, db: sqlite3.Connection) -> None:
        """Check that the file is sound and ours; an empty one becomes ours."""
        is_new = not _pragma(db, "schema_version")
        marks = (_pragma(db, "application_id"), _pragma(db, "user_version"))
        if not is_new and marks != (
            _APPLICATION,
            schema.VERSION,
        ):  # before any setting, which would be written
            _log.error("the jobs file is of another version or program; it was left alone")
            raise JobsUnavailable(_UNUSABLE_TEXT)
        for setting in _SETTINGS:
            db.execute(f"PRAGMA {setting}").fetchall()
        if _pragma(db, "quick_check") != "ok":
            raise Damaged(_DAMAGED_TEXT)
        if is_new:
            with self.transaction():
                _create_tables(db)

    def _rename_damaged(self) -> str:
        """Set the file aside under a name that no other has; return that."""
        earlier = sorted(self._damaged_files(), key=lambda path: path.stat().st_ctime, reverse=True)
        for path in earlier[_MAX_DAMAGED - 1 :]:
            path.unlink(missing_ok=True)
            path.with_name(path.name + "-wal").unlink(missing_ok=True)
        names = (f"{DAMAGED_NAME}.{number}" if number else DAMAGED_NAME for number in itertools.count())
        name = next(name for name in names if not (self._folder / name).exists())
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                (self._folder / (NAME + suffix)).replace(self._folder / (name + suffix))
        return name

    def _damaged_files(self) -> list[Path]:
        return [path for path in self._folder.glob(DAMAGED_NAME + "*") if not path.name.endswith("-wal")]

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Raise SQLite's errors as ours; the log gets their names, and none of their texts."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what extends it
            if code == sqlite3.SQLITE_BUSY:
                raise Locked("another process has the jobs file; ask again in a moment") from None
            _log.error("the jobs file: %s", getattr(error, "sqlite_errorname", type(error).__name__))
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise Damaged(_DAMAGED_TEXT) from None
            if self._inode is not None and self._inode != self._stored_inode():
                raise Removed(_REMOVED_TEXT) from None
            no_room = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and disk.is_full(self._folder)
            raise _unavailable(full=no_room or code == sqlite3.SQLITE_FULL) from None


def _create_tables(db: sqlite3.Connection) -> None:
    for statement in schema.statements(schema.SQLITE, leases=False):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    db.execute(f"PRAGMA user_version = {schema.VERSION}")


def _pragma(db: sqlite3.Connection, name: str) -> Any:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def _unavailable(*, full: bool) -> JobsUnavailable:
    return StorageFull(_FULL_TEXT) if full else JobsUnavailable(_UNUSABLE_TEXT)
