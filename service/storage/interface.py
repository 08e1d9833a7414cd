"""What a database of jobs can do, and what may be the matter with it.

Statements are written once, in what SQLite and PostgreSQL both understand, with a question mark for each
value.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from mizzle.errors import JobsUnavailable

T = TypeVar("T")


class Damaged(JobsUnavailable):
    """The file is no sound SQLite file any more."""


class Locked(JobsUnavailable):
    """Another process has the file, or kept the database busy for too long."""


class Removed(JobsUnavailable):
    """The file, or its folder, is not there any more."""


class Unreachable(JobsUnavailable):
    """The server of the database does not answer."""


class Rows(Protocol):
    """What a statement gives."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""


class Session(Protocol):
    """A connection within a transaction."""

    def execute(self, query: str, values: Sequence[Any] = (), /) -> Rows:
        """Carry out one statement."""

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Carry out one statement for every row of values."""


class Database(Protocol):
    """A database of jobs, used from one thread.

    Attributes:
        is_shared: whether other processes use it, too.

    Raises:
        JobsUnavailable: from every method: StorageFull, one of the above, or for another reason.
    """

    is_shared: bool

    def open(self) -> None:
        """Make it usable; one that is new gets its tables."""

    def close(self) -> None:
        """Let it go."""

    def fetch_all(self, query: str, *values: Any) -> list[Any]:
        """Return all rows of a query."""

    def transaction(self) -> AbstractContextManager[Session]:
        """Commit all that is done in the block, or nothing; one transaction runs at a time."""

    def delete(self, work: Callable[[Session], T]) -> T:
        """Return the result of work that makes room, in a transaction."""

    def checkpoint(self) -> None:
        """After large rows came: keep what is on the disk small."""

    def shrink(self) -> None:
        """Give back the room of deleted rows."""

    def hold_reserve(self, size: int) -> bool:
        """Hold so many bytes for deletions; return whether there is room for them."""

    def drop_damaged(self, before: float) -> None:
        """Delete damaged files that were set aside before then, in seconds since 1970."""

    def time(self) -> float | None:
        """Seconds since 1970 by the clock that all who share it go by; None where nobody does."""

    @property
    def size(self) -> int:
        """Bytes that rows take."""

    @property
    def free(self) -> int:
        """Bytes that may still be written."""

    @property
    def connected_seconds(self) -> float:
        """For how long the connection has stood."""
