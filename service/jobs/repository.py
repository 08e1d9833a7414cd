"""The jobs in a database, and every change to them. Times are seconds since 1970.

All of it is called from one thread. A job that has ended does not change any more: whatever comes late for it
is dropped.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from mizzle.errors import StorageFull
from mizzle.service.jobs.rows import AnswerRow, answers_digest
from mizzle.service.storage.interface import Database, Session
from mizzle.service.storage.leases import Leases
from mizzle.tables.plan import PairIndex
from mizzle.wire import JOB_STATES, JobState


class Job(NamedTuple):
    """A job as it is stored.

    Attributes:
        number: its key in the database; never used again.
        owner: the name of the key that it came with.
        digest: of the request that it came with.
        what: "matrix" or "rank".
        pairs, done, failed: pairs in all, answered, and answered by an error.
        starts: how often it was begun since its last answer was saved.
        revision: rises with every change.
        created, started, ended: seconds since 1970.
        error: why it failed, as `rows.encode_error` has it, in JSON.
    """

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


class QueuedJob(NamedTuple):
    """A job that waits, and the length of its body."""

    job: Job
    body_bytes: int


class StoredInput(NamedTuple):
    """What came with a job: the body, its media type, and the parameters of the address as JSON."""

    media: str
    query: str
    body: bytes


class StoredHeader(NamedTuple):
    """What `rows.header_of` reads, and `rows.answers_digest` of a job that is done; None in those of 0.9."""

    about: str
    fingerprint: str
    digest: str | None


class JobDraft(NamedTuple):
    """A job before it is stored; the fields are those of `Job`, and its input."""

    owner: str
    id: str
    digest: bytes
    what: str
    pairs: int
    input: StoredInput


_NOT_EXPIRED = "(ended IS NULL OR ended > ?)"
_COLUMNS = ", ".join(AnswerRow._fields)
_INSERT_ANSWER = (
    f"INSERT INTO answers (job, {_COLUMNS}) VALUES (?{', ?' * len(AnswerRow._fields)}) ON CONFLICT DO NOTHING"
)
_SELECT_ANSWERS = f"SELECT {_COLUMNS} FROM answers WHERE job = ? ORDER BY x, y"
_INSERT_JOB = (
    "INSERT INTO jobs (owner, id, digest, what, pairs, state, created) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING RETURNING number"
)
_INSERT_HEAD = (
    "INSERT INTO heads (job, about, basis) VALUES (?, ?, ?)"
    " ON CONFLICT (job) DO UPDATE SET about = excluded.about, basis = excluded.basis"
)
_COUNT = f"SELECT count(*) FILTER (WHERE owner = ?), count(*) FROM jobs WHERE {_NOT_EXPIRED}"
_CHANGES = "SELECT count(*), coalesce(max(number), 0), coalesce(sum(revision), 0) FROM jobs"
_DIGEST_MARK = "\n"  # in the column `about` behind JSON, which has no such character
_LATEST = "SELECT max(created), max(started), max(ended) FROM jobs"


_PENDING_ANSWERS = "SELECT coalesce(sum(pairs - done), 0) FROM jobs WHERE ended IS NULL"
_LARGEST = "SELECT max(coalesce(length(body), 0) + pairs * ?) FROM jobs LEFT JOIN inputs ON job = number"
_ANSWER_BYTES = 1024  # of one pair
_COPIES = 2  # of a body that is stored: in the write-ahead log first
_MIN_RESERVE_BYTES, _RESERVE_SHARE = 2**21, 1.25  # what a deletion writes, by the bytes that are deleted
_NO_ROOM_TEXT = "there is no room for another job now; ask again later"


class Clock:
    """The time of day, read once: setting the system's clock later changes nothing here.

    Args:
        day: tells seconds since 1970.
        steady: tells seconds since some moment, and is never set.
    """

    def __init__(
        self, day: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._steady = steady
        self._start = day() - steady()

    def __call__(self) -> float:
        """Return seconds since 1970."""
        return self._start + self._steady()

    def not_before(self, seconds: float) -> None:
        """Advance to a time at which something is known to have happened, unless it is past."""
        self._start = max(self._start, seconds - self._steady())

    def set(self, seconds: float) -> None:
        """Go by another clock, which says so many seconds now."""
        self._start = seconds - self._steady()


class JobRepository:
    """The jobs in a database, as one process sees them.

    Args:
        ttl: seconds for which a job is kept once it has ended.
        max_bytes: of all jobs, with what answers are still to come.
        lease_seconds: after which a job of a process that is not heard of may go on in another.

    Attributes:
        now: tells seconds since 1970.

    Raises:
        JobsUnavailable: from every method, as `storage.interface.Database`.
    """

    def __init__(
        self,
        database: Database,
        ttl: float,
        clock: Clock | None = None,
        max_bytes: int = 2**32,
        lease_seconds: float = 15.0,
    ) -> None:
        self._database = database
        self._ttl = ttl
        self._max_bytes = max_bytes
        self._leases = Leases(database, lease_seconds)
        self.now = clock or Clock()

    @property
    def is_shared(self) -> bool:
        """Whether other processes change jobs, too."""
        return self._database.is_shared

    def open(self) -> None:
        """Open the database; jobs in a file that ran when the last process ended are queued again."""
        self._database.open()
        [latest] = self._database.fetch_all(_LATEST)
        self.now.not_before(max(moment or 0.0 for moment in latest))
        self._set_clock()
        if not self.is_shared:  # deletes nothing, but a full disk must not matter
            queued = "UPDATE jobs SET state = 'queued', revision = revision + 1 WHERE state = 'running'"
            self._database.delete(lambda db: db.execute(queued))
        self._restore_reserve()

    def close(self) -> None:
        """Close the database, and so unlock a file."""
        self._database.close()

    def renew(self, numbers: Sequence[int]) -> set[int]:
        """Say that jobs run here; return those that do. Another process has, or has ended, the others."""
        self._set_clock()
        return self._leases.renew(numbers, self.now())

    def requeue_abandoned(self) -> int:
        """Queue jobs again whose process has not been heard of for long; return how many."""
        return self._leases.requeue_expired(self.now())

    def changes(self) -> tuple[int, ...]:
        """Return what differs after any change."""
        return tuple(self._database.fetch_all(_CHANGES)[0])

    def _set_clock(self) -> None:
        """Go by the clock of a database that is shared."""
        seconds = self._database.time()
        if seconds is not None:
            self.now.set(seconds)

    def find(self, owner: str, id: str) -> Job | None:
        """Return a job that has not expired."""
        return next(iter(self._jobs("owner = ? AND id = ?", owner, id)), None)

    def of_owner(self, owner: str) -> list[Job]:
        """Return the jobs of an owner, the newest first."""
        return self._jobs("owner = ? ORDER BY number DESC", owner)

    def queued(self) -> list[QueuedJob]:
        """Return the jobs that wait, the oldest first."""
        lengths = dict(self._database.fetch_all("SELECT job, length(body) FROM inputs"))
        jobs = self._jobs("state = 'queued' ORDER BY number")
        return [QueuedJob(job, lengths.get(job.number, 0)) for job in jobs]

    def is_suspect(self, number: int) -> bool:
        """Return whether the service ended while a job ran that has saved no answer since."""
        return bool(self._jobs("number = ? AND state = 'running' AND starts > 1", number))

    def count_by_state(self) -> dict[JobState, int]:
        """Return how many jobs are in each state."""
        counts = dict(self._database.fetch_all("SELECT state, count(*) FROM jobs GROUP BY state"))
        return {state: counts.get(state, 0) for state in JOB_STATES}

    def count(self, owner: str) -> tuple[int, int]:
        """Return how many jobs the owner has, and how many there are in all."""
        [(own, total)] = self._database.fetch_all(_COUNT, owner, self.now() - self._ttl)
        return own, total

    def find_or_add(self, draft: JobDraft, max_own: int, max_total: int) -> Job | None:
        """Return the job of this id, which is added if there is none; None where there is no room for it."""
        job = self.find(draft.owner, draft.id)
        if job is None and _has_place(self.count(draft.owner), max_own, max_total):
            self._add(draft, max_own, max_total)
            job = self.find(draft.owner, draft.id)
        return job

    def _add(self, draft: JobDraft, max_own: int, max_total: int) -> None:
        """Store a job, unless another process was faster."""
        self._delete_expired()  # one of the same id among them, perhaps
        self._check_room(draft)
        *fields, stored_input = draft
        now = self.now()
        with self._database.transaction() as db:
            counts = db.execute(_COUNT, (draft.owner, now - self._ttl)).fetchone()
            if _has_place(counts, max_own, max_total):
                for (number,) in db.execute(_INSERT_JOB, (*fields, "queued", now)).fetchall():
                    db.execute("INSERT INTO inputs VALUES (?, ?, ?, ?)", (number, *stored_input))
        self._database.checkpoint()

    def _check_room(self, draft: JobDraft) -> None:
        """Check that a job fits on the disk, and its deletion too.

        Raises:
            StorageFull: it does not.
        """
        body_bytes, answer_bytes = len(draft.input.body), draft.pairs * _ANSWER_BYTES
        [[pending]] = self._database.fetch_all(_PENDING_ANSWERS)
        taken = self._database.size + pending * _ANSWER_BYTES
        if taken + body_bytes + answer_bytes > self._max_bytes:
            raise StorageFull(_NO_ROOM_TEXT)
        has_reserve = self._restore_reserve(body_bytes + answer_bytes)
        if not has_reserve or self._database.free < _COPIES * body_bytes + answer_bytes:
            self._restore_reserve()
            raise StorageFull(_NO_ROOM_TEXT)

    def _restore_reserve(self, job_bytes: int = 0) -> bool:
        """Hold as much room as the deletion of the largest job takes; return whether there is so much.

        Args:
            job_bytes: of a job that is to come.
        """
        [[largest]] = self._database.fetch_all(_LARGEST, _ANSWER_BYTES)
        size = _MIN_RESERVE_BYTES + round(_RESERVE_SHARE * max(largest or 0, job_bytes))
        return self._database.hold_reserve(size)

    def input(self, number: int) -> StoredInput | None:
        """Return what came with a job; None once it has ended."""
        rows = self._database.fetch_all("SELECT media, query, body FROM inputs WHERE job = ?", number)
        return StoredInput(*rows[0]) if rows else None

    def start(self, number: int) -> bool:
        """Count a start, before anything that may end the process; return whether the job may be run."""
        started, now = "state = 'running', starts = starts + 1, started = coalesce(started, ?)", self.now()
        with self._database.transaction() as db:
            is_ours = _update_unfinished(db, number, started, now, only=self._leases.free)
            if is_ours:
                self._leases.take(db, number, now)
            return is_ours

    def begin(self, number: int, about: str, fingerprint: str) -> set[PairIndex]:
        """Store what the answers of a job depend on.

        Args:
            about, fingerprint: the columns of its header, as `rows` has them.

        Returns:
            The pairs that are answered. Answers under another fingerprint are deleted.
        """
        with self._database.transaction() as db:
            if not self._update_ours(db, number, "state = 'running'"):
                return set()
            old = db.execute("SELECT basis FROM heads WHERE job = ?", (number,)).fetchone()
            if old and old[0] != fingerprint:
                db.execute("DELETE FROM answers WHERE job = ?", (number,))
            db.execute(_INSERT_HEAD, (number, about, fingerprint))
            _count_answers(db, number)
            return set(db.execute("SELECT x, y FROM answers WHERE job = ?", (number,)).fetchall())

    def save(self, number: int, answers: Iterable[AnswerRow]) -> None:
        """Store answers of a job that runs."""
        with self._database.transaction() as db:
            if self._update_ours(db, number, "starts = 0"):
                db.executemany(_INSERT_ANSWER, [(number, *answer) for answer in answers])
                _count_answers(db, number)

    def pause(self, number: int) -> None:
        """Queue a job again that runs, and does not stop through its own fault."""
        with self._database.transaction() as db:
            if self._update_ours(db, number, "state = 'queued', starts = 0"):
                self._leases.give_back(db, number)

    def cancel(self, number: int) -> None:
        """End a job, wherever it runs."""
        self._end(number, "cancelled", None, "")

    def end(self, number: int, state: JobState, error: str | None = None) -> None:
        """End a job that runs here: its table is deleted, and its answers too unless `state` is "done"."""
        self._end(number, state, error, self._leases.held)

    def _end(self, number: int, state: JobState, error: str | None, only: str) -> None:

        def end(db: Session) -> None:
            change = "state = ?, error = ?, ended = ?"
            if not _update_unfinished(db, number, change, state, error, self.now(), only=only):
                return
            self._leases.give_back(db, number)
            if state == "done":
                _store_digest(db, number)
            for table in ("inputs",) if state == "done" else ("inputs", "heads", "answers"):
                db.execute(f"DELETE FROM {table} WHERE job = ?", (number,))

        self._delete(end)

    def forget(self, number: int) -> None:
        """Delete a job with all that belongs to it."""
        self._delete(lambda db: db.execute("DELETE FROM jobs WHERE number = ?", (number,)))

    def forget_expired(self) -> None:
        """Delete jobs that have expired, and damaged files that were set aside as long ago."""
        self._delete_expired()
        self._database.drop_damaged(self.now() - self._ttl)
        self._restore_reserve()

    def header(self, number: int) -> StoredHeader | None:
        """Return the header of a job; None where it has none."""
        rows = self._database.fetch_all("SELECT about, basis FROM heads WHERE job = ?", number)
        return _header(*rows[0]) if rows else None

    def answers(self, number: int) -> list[AnswerRow]:
        """Return the answers of a job in the order of their pairs."""
        return [AnswerRow(*row) for row in self._database.fetch_all(_SELECT_ANSWERS, number)]

    def _update_ours(self, db: Session, number: int, change: str) -> bool:
        """Change a job that runs here, or in no other process, unless it has ended."""
        return _update_unfinished(db, number, change, only=self._leases.held)

    def _jobs(self, condition: str, *values: Any) -> list[Job]:
        columns = ", ".join(Job._fields)
        query = f"SELECT {columns} FROM jobs WHERE {_NOT_EXPIRED} AND {condition}"
        return [Job(*row) for row in self._database.fetch_all(query, self.now() - self._ttl, *values)]

    def _delete_expired(self) -> None:
        """Delete one job after the other, since the reserve is as large as one of them needs."""
        expired = "SELECT number FROM jobs WHERE ended <= ?"
        for (number,) in self._database.fetch_all(expired, self.now() - self._ttl):
            self.forget(number)

    def _delete(self, work: Callable[[Session], object]) -> None:
        self._database.delete(work)
        self._database.shrink()
        self._restore_reserve()


def _has_place(counts: tuple[int, int], max_own: int, max_total: int) -> bool:
    own, total = counts
    return own < max_own and total < max_total


def _update_unfinished(db: Session, number: int, change: str, *values: Any, only: str = "") -> bool:
    """Change a job unless it has ended; return whether it was changed.

    Args:
        only: a further condition, from `and` on.
    """
    statement = f"UPDATE jobs SET {change}, revision = revision + 1 WHERE number = ? AND ended IS NULL {only}"
    return bool(db.execute(statement, (*values, number)).rowcount)


def _count_answers(db: Session, number: int) -> None:
    answers = "FROM answers WHERE job = number"
    counts = f"done = (SELECT count(*) {answers}), failed = (SELECT count(error) {answers})"
    _update_unfinished(db, number, counts)


def _header(about: str, fingerprint: str) -> StoredHeader:
    text, _, digest = about.partition(_DIGEST_MARK)
    return StoredHeader(text, fingerprint, digest or None)


def _store_digest(db: Session, number: int) -> None:
    """Store a hash of all answers beside them, by which damage shows when they are read."""
    row = db.execute("SELECT about, basis FROM heads WHERE job = ?", (number,)).fetchone()
    if row:
        about, fingerprint, _ = _header(*row)
        answers = (AnswerRow(*row) for row in db.execute(_SELECT_ANSWERS, (number,)).fetchall())
        marked = about + _DIGEST_MARK + answers_digest(about, fingerprint, answers)
        db.execute("UPDATE heads SET about = ? WHERE job = ?", (marked, number))
