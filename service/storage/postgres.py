"""The PostgreSQL database of jobs, which all replicas of a service share.

Its tables stand in a schema of their own, `mizzle`. Transactions that change jobs run one after another, as
in SQLite: each locks the one row that says which version the tables are of. A connection that is lost is made
again when it is needed, at most once a second, so that nobody waits for a server that is not there.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from mizzle.errors import InvalidInput, JobsUnavailable, MissingExtra, StorageFull
from mizzle.extras import load
from mizzle.service.storage import schema
from mizzle.service.storage.interface import Locked, Session, Unreachable

if TYPE_CHECKING:
    import psycopg

_log = logging.getLogger(__name__)
T = TypeVar("T")
_INSTALL = "pip install 'mizzle[postgres]'"
_SCHEMA = "mizzle"
_CREATING = 0x6D7A6A62  # the advisory lock of whoever creates tables
_DEFAULTS = {"connect_timeout": "3", "tcp_user_timeout": "5000", "application_name": "mizzle"}
_SESSION = (
    f"SET search_path TO {_SCHEMA}",
    "SET statement_timeout TO '15s'",
    "SET lock_timeout TO '10s'",
    "SET idle_in_transaction_session_timeout TO '10s'",  # who hangs in the middle must not hold all others up
    "SET default_transaction_isolation TO 'read committed'",
)
_RETRY_SECONDS = 1.0  # between two attempts to connect
_ANSWER_BYTES = 1024  # of one pair
_SIZE = f"""
SELECT coalesce((SELECT sum(length(body)) FROM inputs), 0)::bigint
  + {_ANSWER_BYTES}::bigint * coalesce(
      (SELECT sum(done) FROM jobs WHERE state IN ('queued', 'running', 'done')), 0)
"""
_GONE = ("08", "57P", "53300", "25006")  # SQLSTATEs: no connection, shutdown, too many, a standby
_BUSY = ("55P03", "57014", "40", "25P03")  # a lock or statement took too long, a deadlock
_UNREACHABLE_TEXT = "the jobs database cannot be reached now; ask again in a moment"
_BUSY_TEXT = "the jobs database is too busy now; ask again in a moment"
_UNUSABLE_TEXT = "the jobs database cannot be used; the log says more"
_FULL_TEXT = "there is no room for jobs now; ask again later"
_VERSION_TEXT = (
    "the jobs database is of another version of the service: its tables have version {found}, and this one "
    "knows {ours}; run one version, or give this one a database of its own"
)


class PostgresDatabase:
    """A database on a server.

    Args:
        url: postgresql://user@host:port/database, with a password if it has one, and libpq's parameters; what
            it leaves out comes from libpq's variables (PGPASSWORD, ..) and files.

    Raises:
        InvalidInput: the address cannot be read.
        MissingExtra: there is no psycopg.
        JobsUnavailable: from every method: Unreachable, Locked, StorageFull, or for another reason.
    """

    is_shared = True
    free = 2**62  # which the server knows, and says when there is no more

    def __init__(self, url: str) -> None:
        self._psycopg = _library()
        try:
            chosen = self._psycopg.conninfo.conninfo_to_dict(url)
        except self._psycopg.Error:
            raise InvalidInput(
                "MIZZLE_JOBS_URL cannot be read; it has the form postgresql://user@host:5432/database"
            ) from None
        self._address = {**_DEFAULTS, **chosen}
        self._db: psycopg.Connection[Any] | None = None
        self._connected_at = math.inf
        self._next_attempt = -math.inf

    def open(self) -> None:
        """Connect, and create the tables where there are none."""
        with self._translated_errors():
            self._connection()

    def close(self) -> None:
        """End the connection."""
        if self._db is not None:
            with suppress(self._psycopg.Error):
                self._db.close()
        self._db = None

    def fetch_all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query; a connection that turns out to be lost is made again once."""
        had_connection = self._db is not None
        try:
            return self._fetch(query, values)
        except Unreachable:
            if not had_connection:
                raise
            return self._fetch(query, values)

    def _fetch(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._translated_errors():
            return list(_Session(self._connection()).execute(query, values).fetchall())

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit all that is done in the block, or nothing; those of all replicas run one after another."""
        with self._translated_errors():
            db = self._connection()
            with db.transaction():
                _check_version(db, "FOR UPDATE")
                yield _Session(db)

    def delete(self, work: Callable[[Session], T]) -> T:
        """Return the result of work in a transaction."""
        with self.transaction() as db:
            return work(db)

    def checkpoint(self) -> None:
        """The server sees to it."""

    def shrink(self) -> None:
        """The server sees to it."""

    def hold_reserve(self, size: int) -> bool:
        """The server needs none of ours."""
        return True

    def drop_damaged(self, before: float) -> None:
        """There are none."""

    def time(self) -> float:
        """Seconds since 1970 by the server's clock."""
        [[seconds]] = self.fetch_all("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(seconds)

    @property
    def size(self) -> int:
        """Bytes that tables and answers take, without what the server adds."""
        return int(self.fetch_all(_SIZE)[0][0])

    @property
    def connected_seconds(self) -> float:
        """For how long the connection has stood."""
        return time.monotonic() - self._connected_at

    def _connection(self) -> "psycopg.Connection[Any]":
        if self._db is not None and not self._db.closed:
            return self._db
        if time.monotonic() < self._next_attempt:
            raise _unreachable()
        try:
            self._db = self._connect()
        except self._psycopg.OperationalError as error:
            self._next_attempt = time.monotonic() + _RETRY_SECONDS
            _log.error("the jobs database: %s", _first_line(error))
            raise _unreachable() from None
        self._connected_at = time.monotonic()
        return self._db

    def _connect(self) -> "psycopg.Connection[Any]":
        # Prepared statements would be another connection's behind a pooler.
        db: psycopg.Connection[Any] = self._psycopg.connect(
            **self._address, autocommit=True, prepare_threshold=None
        )
        try:
            for statement in _SESSION:
                db.execute(statement)
            with db.transaction():
                _create_if_missing(db)
                _check_version(db)
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Raise psycopg's errors as ours; the log gets their names, and none of their texts."""
        try:
            yield
        except self._psycopg.Error as error:
            state = error.sqlstate or ""
            _log.error("the jobs database: %s %s", type(error).__name__, state)
            if state.startswith(_GONE) or (not state and isinstance(error, self._psycopg.OperationalError)):
                self.close()
                raise _unreachable() from None
            if state.startswith(_BUSY):
                raise Locked(_BUSY_TEXT) from None
            raise StorageFull(_FULL_TEXT) if state == "53100" else JobsUnavailable(_UNUSABLE_TEXT) from None


class _Session:
    """A connection that takes statements with question marks."""

    def __init__(self, db: "psycopg.Connection[Any]") -> None:
        self._db = db

    def execute(self, query: str, values: Sequence[Any] = (), /) -> Any:
        """Carry out one statement."""
        return self._db.execute(_translated(query), values, binary=True)

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Carry out one statement for every row of values."""
        with self._db.cursor() as cursor:
            cursor.executemany(_translated(query), rows)


def _translated(query: str) -> Any:  # which psycopg wants to be a literal
    return query.replace("?", "%s")


def _create_if_missing(db: "psycopg.Connection[Any]") -> None:
    """Create the tables; whoever else would is waited for."""
    db.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATING,))
    if _exists(db, "regclass", f"{_SCHEMA}.version"):
        return
    if not _exists(db, "regnamespace", _SCHEMA):  # which one may be allowed to use, and not to create
        db.execute(f"CREATE SCHEMA {_SCHEMA}")
    for statement in schema.statements(schema.POSTGRES, leases=True):
        db.execute(_translated(statement))
    db.execute("CREATE TABLE version (version INTEGER NOT NULL)")
    db.execute("INSERT INTO version VALUES (%s)", (schema.VERSION,))


def _exists(db: "psycopg.Connection[Any]", kind: str, name: str) -> bool:
    row = db.execute(_translated(f"SELECT to_{kind}(?) IS NOT NULL"), (name,)).fetchone()
    return bool(row and row[0])


def _check_version(db: "psycopg.Connection[Any]", lock: str = "") -> None:
    """Check that the tables are ours; with a `lock`, that of the one row that says so.

    Raises:
        JobsUnavailable: they are of another version.
    """
    versions = [row[0] for row in db.execute(_translated(f"SELECT version FROM version {lock}")).fetchall()]
    if versions != [schema.VERSION]:
        text = _VERSION_TEXT.format(found=", ".join(map(str, versions)) or "unknown", ours=schema.VERSION)
        _log.error(text)
        raise JobsUnavailable(text)


def _library() -> Any:
    """psycopg, which may be missing, or there without the library of PostgreSQL that it needs."""
    try:
        return load("psycopg", _INSTALL)
    except MissingExtra as error:
        raise MissingExtra(f"{error}; MIZZLE_JOBS_URL needs it") from None
    except ImportError:
        raise MissingExtra(f"psycopg finds no libpq, and MIZZLE_JOBS_URL needs it: run {_INSTALL}") from None


def _unreachable() -> Unreachable:
    error = Unreachable(_UNREACHABLE_TEXT)
    error.retry_after = 2 * _RETRY_SECONDS
    return error


def _first_line(error: Exception) -> str:
    """What libpq says, which names host, port, user and database, and no password."""
    return (str(error).splitlines() or [type(error).__name__])[0]
