"""What is kept of jobs, and every change to it. Times are seconds since 1970.

All of it is called from one thread. A job that has ended does not change any more: whatever comes late for it
is dropped.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from mizzle.service.jobs.database import Database
from mizzle.service.jobs.rows import Answer
from mizzle.tables.plan import PairIndex
from mizzle.wire import JOB_STATES, JobState


class Job(NamedTuple):
    """A job as it is kept. `error` is JSON, its code and its text; `revision` rises with every change."""

    number: int
    owner: str
    id: str
    digest: bytes
    what: str
    state: JobState
    pairs: int
    done: int
    failed: int
    starts: int
    revision: int
    created: float
    started: float | None
    ended: float | None
    error: str | None


class Given(NamedTuple):
    """What came with a job: the body, its media type, and the parameters of the address as JSON."""

    media: str
    query: str
    body: bytes


class New(NamedTuple):
    """A job to be: whose, under which id, the digest of what was given, and how many pairs that makes."""

    owner: str
    id: str
    digest: bytes
    what: str
    pairs: int
    given: Given


_ANSWER = ", ".join(Answer._fields)
_PUT = f"INSERT OR IGNORE INTO answers (job, {_ANSWER}) VALUES (?{', ?' * len(Answer._fields)})"
_LATEST = "SELECT max(max(created, ifnull(started, 0), ifnull(ended, 0))) FROM jobs"


class Clock:
    """The time of day, as it was read once: whoever sets the day's clock later changes nothing here."""

    def __init__(
        self, day: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._steady = steady
        self._start = day() - steady()

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self._start + self._steady()

    def not_before(self, seconds: float) -> None:
        """It is at least so late: something is known to have happened then."""
        self._start = max(self._start, seconds - self._steady())


class JobFile:
    """The jobs in a folder.

    Args:
        ttl: seconds for which a job is kept once it has ended.

    Raises:
        JobsUnavailable: from every method, as `job_database.Database`.
    """

    def __init__(self, folder: Path, ttl: float, clock: Clock | None = None) -> None:
        self._base = Database(folder)
        self._ttl = ttl
        self._now = clock or Clock()

    def open(self) -> None:
        """Open the file; jobs that ran when the last process ended wait again."""
        self._base.open()
        [[latest]] = self._base.all(_LATEST)
        self._now.not_before(latest or 0.0)
        with self._base.changing() as db:
            db.execute("UPDATE jobs SET state = 'queued', revision = revision + 1 WHERE state = 'running'")

    def close(self) -> None:
        """Let the file go."""
        self._base.close()

    def find(self, owner: str, id: str) -> Job | None:
        """A job that has not expired."""
        return next(iter(self._jobs("owner = ? AND id = ?", owner, id)), None)

    def of(self, owner: str) -> list[Job]:
        """The jobs of an owner, the newest first."""
        return self._jobs("owner = ? ORDER BY number DESC", owner)

    def queued(self) -> list[Job]:
        """What waits, the oldest first."""
        return self._jobs("state = 'queued' ORDER BY number")

    def counts(self) -> dict[str, int]:
        """How many jobs there are, by state."""
        found = dict(self._base.all("SELECT state, count(*) FROM jobs GROUP BY state"))
        return {state: found.get(state, 0) for state in JOB_STATES}

    def room(self, owner: str) -> tuple[int, int]:
        """How many jobs the owner has, and how many there are."""
        kept = "FROM jobs WHERE (ended IS NULL OR ended > ?)"
        text = f"SELECT ifnull(sum(owner = ?), 0), count(*) {kept}"
        [found] = self._base.all(text, owner, self._now() - self._ttl)
        return found[0], found[1]

    def take(self, new: New, most_own: int, most: int) -> Job | None:
        """The job of this id, there already or made now; None where there is no room for it."""
        own, everybodys = self.room(new.owner)
        found = self.find(new.owner, new.id)
        if found is None and own < most_own and everybodys < most:
            self._add(new)
            found = self.find(new.owner, new.id)
        return found

    def _add(self, new: New) -> None:
        self._forget_expired()  # one of the same id among them, perhaps
        text = (
            "INSERT INTO jobs (owner, id, digest, what, pairs, state, created) VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        with self._base.changing() as db:
            row = db.execute(text, (*new[:5], "queued", self._now())).lastrowid
            db.execute("INSERT INTO inputs VALUES (?, ?, ?, ?)", (row, *new.given))

    def given(self, number: int) -> Given | None:
        """What came with a job, while it has not ended."""
        found = self._base.all("SELECT media, query, body FROM inputs WHERE job = ?", number)
        return Given(*found[0]) if found else None

    def begin(self, number: int, about: str, basis: str) -> set[PairIndex]:
        """The job runs; the places of the answers that stand. Those on another basis are deleted."""
        with self._base.changing() as db:
            started = "state = 'running', starts = starts + 1, started = ifnull(started, ?)"
            if not _set(db, number, started, self._now()):
                return set()
            old = db.execute("SELECT basis FROM heads WHERE job = ?", (number,)).fetchone()
            if old and old[0] != basis:
                db.execute("DELETE FROM answers WHERE job = ?", (number,))
            db.execute("INSERT OR REPLACE INTO heads VALUES (?, ?, ?)", (number, about, basis))
            _recount(db, number)
            return set(db.execute("SELECT x, y FROM answers WHERE job = ?", (number,)).fetchall())

    def save(self, number: int, answers: Iterable[Answer]) -> None:
        """Keep answers of a job that runs."""
        with self._base.changing() as db:
            if _set(db, number, "starts = 0"):
                db.executemany(_PUT, [(number, *answer) for answer in answers])
                _recount(db, number)

    def pause(self, number: int) -> None:
        """A job that runs is to wait, through no fault of its own."""
        with self._base.changing() as db:
            _set(db, number, "state = 'queued', starts = 0")

    def end(self, number: int, state: JobState, error: str | None = None) -> None:
        """A job has ended: its table is deleted, and its answers too unless it is "done"."""
        with self._base.changing() as db:
            if not _set(db, number, "state = ?, error = ?, ended = ?", state, error, self._now()):
                return
            for table in ("inputs",) if state == "done" else ("inputs", "heads", "answers"):
                db.execute(f"DELETE FROM {table} WHERE job = ?", (number,))
        self._base.shrink()

    def forget(self, number: int) -> None:
        """As if it had never been."""
        with self._base.changing() as db:
            db.execute("DELETE FROM jobs WHERE number = ?", (number,))
        self._base.shrink()

    def expire(self) -> None:
        """Forget what has expired."""
        if self._forget_expired():
            self._base.shrink()
        self._base.drop_damaged(self._ttl)

    def head(self, number: int) -> tuple[str, str] | None:
        """What the answers of a job have in common, and their basis."""
        found = self._base.all("SELECT about, basis FROM heads WHERE job = ?", number)
        return (found[0][0], found[0][1]) if found else None

    def answers(self, number: int) -> list[Answer]:
        """The answers of a job in the order of their places."""
        text = f"SELECT {_ANSWER} FROM answers WHERE job = ? ORDER BY x, y"
        return [Answer(*one) for one in self._base.all(text, number)]

    def _jobs(self, where: str, *values: Any) -> list[Job]:
        fields = ", ".join(Job._fields)
        text = f"SELECT {fields} FROM jobs WHERE (ended IS NULL OR ended > ?) AND {where}"
        return [Job(*one) for one in self._base.all(text, self._now() - self._ttl, *values)]

    def _forget_expired(self) -> int:
        with self._base.changing() as db:
            return db.execute("DELETE FROM jobs WHERE ended <= ?", (self._now() - self._ttl,)).rowcount


def _set(db: Any, number: int, what: str, *values: Any) -> bool:
    """Whether the job has not ended, and so was changed."""
    text = f"UPDATE jobs SET {what}, revision = revision + 1 WHERE number = ? AND ended IS NULL"
    return bool(db.execute(text, (*values, number)).rowcount)


def _recount(db: Any, number: int) -> None:
    of = "FROM answers WHERE job = number"
    _set(db, number, f"done = (SELECT count(*) {of}), failed = (SELECT count(error) {of})")
