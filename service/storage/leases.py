"""Who runs which job, where several processes share a database.

A lease says that a job runs in one process, until a time that this puts off as long as it lives. What it
writes counts only while it has the lease: who was away for longer, and comes back, changes nothing any more.
"""

from collections.abc import Sequence
from uuid import uuid4

from mizzle.service.storage.interface import Database, Session

_EXPIRED = "state = 'running' AND number NOT IN (SELECT job FROM leases WHERE expires > ?)"
_TAKE = (
    "INSERT INTO leases (job, holder, expires) VALUES (?, ?, ?)"
    " ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, expires = excluded.expires"
)


class Leases:
    """The leases of this process; nothing where nobody shares its database.

    Args:
        seconds: that a lease lasts.

    Attributes:
        held, free: conditions, from `and` on: that a job is this process's, and that it is nobody's.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._holder = uuid4().hex
        self.held = self.free = ""
        if database.is_shared:
            self.held = f"AND number IN (SELECT job FROM leases WHERE holder = '{self._holder}')"
            self.free = "AND state = 'queued'"

    def take(self, db: Session, number: int, now: float) -> None:
        """Have a job from now on."""
        if self._database.is_shared:
            db.execute(_TAKE, (number, self._holder, now + self._seconds))

    def give_back(self, db: Session, number: int) -> None:
        """End whosever lease of a job that is changed by right."""
        if self._database.is_shared:
            db.execute("DELETE FROM leases WHERE job = ?", (number,))

    def renew(self, numbers: Sequence[int], now: float) -> set[int]:
        """Put off the end of leases, over or not, unless somebody took them; return which there are."""
        if not self._database.is_shared or not numbers:
            return set(numbers)
        renew = "UPDATE leases SET expires = ? WHERE job = ? AND holder = ?"
        with self._database.transaction() as db:
            values = [(now + self._seconds, number, self._holder) for number in numbers]
            return {row[1] for row in values if db.execute(renew, row).rowcount}

    def requeue_expired(self, now: float) -> int:
        """Queue the jobs again whose lease is over; return how many.

        After the database was out of reach all leases are, so whoever comes back is given the time of one.
        """
        is_early = self._database.connected_seconds < self._seconds
        if not self._database.is_shared or is_early or not self._expired(now):
            return 0
        with self._database.transaction() as db:
            change = "UPDATE jobs SET state = 'queued', revision = revision + 1"
            count = db.execute(f"{change} WHERE {_EXPIRED}", (now,)).rowcount
            db.execute("DELETE FROM leases WHERE expires <= ?", (now,))
            return count

    def _expired(self, now: float) -> bool:
        return bool(self._database.fetch_all(f"SELECT 1 FROM jobs WHERE {_EXPIRED} LIMIT 1", now))
