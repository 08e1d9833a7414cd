"""An SQLite database for jobs: made, opened, checked, and set aside when it is damaged.

For one process, and in it for one thread. Whatever is deleted is overwritten and the file shrinks. A file of
another version or program is left alone.
"""

import errno
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mizzle.errors import JobsUnavailable, StorageFull

_log = logging.getLogger(__name__)
NAME, DAMAGED = "jobs.sqlite3", "damaged-jobs.sqlite3"
_APPLICATION, _VERSION = 0x6D7A6A62, 1
_SETTINGS = (
    "locking_mode=EXCLUSIVE",  # two processes would do the same job twice
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "foreign_keys=ON",
    "trusted_schema=OFF",
)
_TABLES = """
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL,
  what TEXT NOT NULL, state TEXT NOT NULL, pairs INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 1,
  created REAL NOT NULL, started REAL, ended REAL, error TEXT, UNIQUE (owner, id)) STRICT;
CREATE TABLE inputs (
  job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, media TEXT NOT NULL, query TEXT NOT NULL,
  body BLOB NOT NULL) STRICT;
CREATE TABLE heads (
  job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, about TEXT NOT NULL, basis TEXT NOT NULL) STRICT;
CREATE TABLE answers (
  job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, x INTEGER NOT NULL, y INTEGER NOT NULL,
  numbers BLOB, n INTEGER NOT NULL, dim_x INTEGER NOT NULL, dim_y INTEGER NOT NULL, in_range INTEGER NOT NULL,
  warnings TEXT NOT NULL, notes TEXT NOT NULL, error TEXT, dropped INTEGER NOT NULL,
  PRIMARY KEY (job, x, y)) STRICT, WITHOUT ROWID;
"""
_CANNOT = "the jobs file cannot be used; the log says more"
_DAMAGED = "the jobs file is damaged; it is set aside when the service starts again"
_FULL = "there is no room for jobs now; ask again later"


class Damaged(JobsUnavailable):
    """The file is no sound SQLite file any more."""


class Held(JobsUnavailable):
    """Another process has the file."""


class Database:
    """The database in a folder.

    Raises:
        JobsUnavailable: from every method: StorageFull, Damaged, Held, or for another reason.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Make the file, or take what is there; a damaged one is set aside for an empty one."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            os.close(os.open(self._folder / NAME, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            _log.error("the folder of the jobs: %s", error.strerror)
            raise _refusal(error.errno in (errno.ENOSPC, errno.EDQUOT)) from None
        try:
            self._connect()
        except Damaged:
            _log.error("the jobs file is damaged; it is set aside as %s", DAMAGED)
            self._set_aside()
            self._connect()

    def close(self) -> None:
        """Let the file go."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def all(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with _told():
            return self._connection.execute(text, values).fetchall()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """All that is done with the connection happens, or nothing of it."""
        with _told():
            db = self._connection
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def shrink(self) -> None:
        """Give back the room of what was deleted, in the file and in the log in front of it."""
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def drop_damaged(self, older: float) -> None:
        """Delete what was set aside so many seconds ago."""
        for path in self._folder.glob(DAMAGED + "*"):
            with suppress(OSError):
                if time.time() - path.stat().st_ctime > older:
                    path.unlink()

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise JobsUnavailable("the jobs file is not open yet; ask again in a moment")
        return self._db

    def _connect(self) -> None:
        with _told():
            self._db = sqlite3.connect(self._folder / NAME, timeout=0, isolation_level=None)
            try:
                self._check(self._db)
            except BaseException:
                self.close()
                raise

    def _check(self, db: sqlite3.Connection) -> None:
        """Whether the file is sound and ours; an empty one becomes ours."""
        new = not _pragma(db, "schema_version")
        marks = (_pragma(db, "application_id"), _pragma(db, "user_version"))
        if not new and marks != (_APPLICATION, _VERSION):  # before any setting, which would be written
            _log.error("the jobs file is of another version or program; it was left alone")
            raise JobsUnavailable(_CANNOT)
        for setting in _SETTINGS:
            db.execute(f"PRAGMA {setting}").fetchall()
        if _pragma(db, "quick_check") != "ok":
            raise Damaged(_DAMAGED)
        if new:
            with self.changing():
                _make(db)

    def _set_aside(self) -> None:
        for tail in ("", "-wal"):
            with suppress(FileNotFoundError):
                (self._folder / (NAME + tail)).replace(self._folder / (DAMAGED + tail))


def _make(db: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";")[:-1]:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    db.execute(f"PRAGMA user_version = {_VERSION}")


def _pragma(db: sqlite3.Connection, name: str) -> Any:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def _refusal(full: bool) -> JobsUnavailable:
    return StorageFull(_FULL) if full else JobsUnavailable(_CANNOT)


@contextmanager
def _told() -> Iterator[None]:
    """SQLite's errors as ours; the log gets their names, and none of their texts."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what extends it
        if code == sqlite3.SQLITE_BUSY:
            raise Held("another process has the jobs file; ask again in a moment") from None
        _log.error("the jobs file: %s", getattr(error, "sqlite_errorname", type(error).__name__))
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise Damaged(_DAMAGED) from None
        raise _refusal(code == sqlite3.SQLITE_FULL) from None
