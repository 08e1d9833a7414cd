"""Jobs: whole tables whose answers are fetched later, stored in a file and run beside everybody's requests.

A job belongs to the name of the key that it came with. The jobs of one owner run one after another, those of
different owners take turns.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from mizzle.errors import (
    Draining,
    InternalError,
    JobCancelled,
    JobConflict,
    JobFailed,
    JobsUnavailable,
    JobUnfinished,
    MizzleError,
    NoSuchJob,
    TooManyJobs,
)
from mizzle.service.formats.registry import INLINE_BYTES
from mizzle.service.http.deadline import run_in_thread_if_large
from mizzle.service.inference.engine import Engine
from mizzle.service.inference.observer import Observer
from mizzle.service.inference.shares import Shares
from mizzle.service.jobs import request
from mizzle.service.jobs.memory import to_the_end
from mizzle.service.jobs.rendered import RenderedResult, RenderedResults
from mizzle.service.jobs.repository import Job, JobDraft, JobRepository, StoredInput
from mizzle.service.jobs.rows import encode_error
from mizzle.service.jobs.runner import JobRunner
from mizzle.service.jobs.schedule import Schedule
from mizzle.service.jobs.store import JobStore, wait_for_change
from mizzle.service.settings import Settings
from mizzle.service.storage.postgres import PostgresDatabase
from mizzle.service.storage.sqlite import SqliteDatabase

_log = logging.getLogger(__name__)
_TICK_SECONDS = 0.5  # between two looks at the state of the service
_EXPIRY_TICKS = 60
_PAUSE_SECONDS = 1.0  # until a job is tried again that could not go on
_TRANSIENT_STATUSES = (429, 503)  # of errors that speak of the moment
_RENEWAL_SHARE = 0.1  # of the time that a lease lasts, after which it is renewed
_NO_ROOM_RETRY_SECONDS = 30.0  # after which there may be room for another job


class Submission(NamedTuple):
    """A request for a job."""

    owner: str
    id: str
    media: str
    query: Mapping[str, str]
    body: bytes

    @property
    def digest(self) -> bytes:
        """Equal for equal jobs."""
        head = json.dumps([self.media, sorted(self.query.items())])
        return hashlib.sha256(head.encode() + b"\n" + self.body).digest()


class Jobs:
    """All jobs of one service.

    Args:
        settings: that have jobs.

    Attributes:
        streams: of events that callers follow.
    """

    def __init__(self, settings: Settings, engine: Engine, observer: Observer) -> None:
        self.settings = settings
        self._engine = engine
        self.store = JobStore(_repository(settings), observer)
        self._runner = JobRunner(engine, self.store, settings)
        self._schedule = Schedule(settings)
        self._results = RenderedResults(self.store)
        self.streams = Shares(settings.max_streams)
        self._bounds = request.JobBounds(settings.jobs_max_pairs, settings.jobs_max_cells)
        self._checking = asyncio.Lock()  # of submissions: the tables of one at a time are in memory
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to open the file or database, and go on with the jobs in it."""
        self._tasks.append(asyncio.create_task(self._run_jobs(), name="mizzle-jobs"))
        if self.store.is_shared:
            self._tasks.append(asyncio.create_task(self._keep_leases(), name="mizzle-leases"))

    async def close(self) -> None:
        """Save what is answered so far, and close the file."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._interrupt(*self._schedule.running)
        await self.store.close()

    @property
    def stopping(self) -> bool:
        """Whether nothing will happen to any job any more in this process."""
        return self._engine.state not in ("starting", "ready")

    async def check_room(self, owner: str, id: str) -> None:
        """Check that a job may come, before its body is read. One that is stored may come again.

        Raises:
            TooManyJobs: there is no room.
            Fault: it cannot be taken now.
        """
        assert self._engine.facts  # raises what is the matter while there are none
        if await self.store.read(JobRepository.find, owner, id) is None:
            if self.stopping:
                raise Draining("the service is stopping; ask again in a moment")
            self._check_counts(*await self.store.read(JobRepository.count, owner))

    async def submit(self, submission: Submission) -> Job:
        """Store a job, and return it; one that is stored already is returned as it stands.

        Raises:
            JobConflict: there is another one of this id.
            InvalidInput: it cannot be done.
            Fault: it cannot be taken now.
        """
        size = len(submission.body)
        digest = await run_in_thread_if_large(size, lambda: submission.digest)
        job = await self.store.read(JobRepository.find, submission.owner, submission.id)
        if job is None:
            draft = await self._checked(submission, digest)
            limits = (self.settings.jobs_max_per_key, self.settings.jobs_max)
            job = await self.store.change(JobRepository.find_or_add, draft, *limits)
        if job is None:
            raise _no_room()
        if job.digest != digest:
            raise JobConflict(
                "this id belongs to a job with another body; choose another id, or delete that job"
            )
        return job

    async def find(self, owner: str, id: str) -> Job:
        """Return a job of the owner.

        Raises:
            NoSuchJob: there is none.
        """
        job = await self.store.read(JobRepository.find, owner, id)
        if job is None:
            raise NoSuchJob("there is no such job; it was never made, was forgotten, or has expired")
        return job

    async def of_owner(self, owner: str) -> list[Job]:
        """Return the jobs of an owner, the newest first."""
        return await self.store.read(JobRepository.of_owner, owner)

    async def drop(self, owner: str, id: str) -> Job | None:
        """Cancel a job and return it, or forget one that has ended.

        Raises:
            NoSuchJob: as `find`.
        """
        job = await self.find(owner, id)
        if job.ended is not None:
            self._results.forget(job.number)
            await self.store.change(JobRepository.forget, job.number)
            return None
        # First in the database, or it would be taken up again.
        await self.store.change(JobRepository.cancel, job.number)
        await self._interrupt(job.number)
        return await self.find(owner, id)

    async def result(self, owner: str, id: str, media: str) -> RenderedResult:
        """Return the result of a job in one of the formats of `result_formats`.

        Raises:
            JobUnfinished, JobCancelled, JobFailed: there is none.
            NoSuchJob: as `find`.
            JobsUnavailable: too many others are being read.
        """
        job = await self.find(owner, id)
        _check_done(job)
        return await self._results.get(job.number, media)

    async def _checked(self, submission: Submission, digest: bytes) -> JobDraft:
        if len(submission.body) <= INLINE_BYTES:
            return self._draft(submission, digest)
        async with self._checking:
            return await to_the_end(self._draft, submission, digest)

    def _draft(self, submission: Submission, digest: bytes) -> JobDraft:
        """Parse and check a job; slow where it is large."""
        owner, id, media, query, body = submission
        spec = request.parse(media, body, query, self._bounds)
        pairs = request.count_pairs(spec, self._engine.levels, self._bounds)
        stored_input = StoredInput(media, json.dumps(dict(query)), body)
        return JobDraft(owner, id, digest, spec.what, pairs, stored_input)

    def _check_counts(self, own: int, total: int) -> None:
        if own >= self.settings.jobs_max_per_key or total >= self.settings.jobs_max:
            raise _no_room()

    async def _run_jobs(self) -> None:
        """Open the file, and run jobs until this task is cancelled."""
        try:
            await self.store.open()
            await self._run_ticks()
        except JobsUnavailable as error:
            _log.error("there will be no jobs: %s", error)

    async def _run_ticks(self) -> None:
        ticks = 0
        while True:
            changed = self.store.changed
            try:
                await self._tick(expire=ticks % _EXPIRY_TICKS == 0)
            except JobsUnavailable as error:
                _log.error("jobs do not go on: %s", error)
                await asyncio.sleep(_PAUSE_SECONDS)
            if self.store.is_removed:
                await self._interrupt(*self._schedule.running)
                await self.store.reopen()
            ticks += 1
            await wait_for_change(changed, _TICK_SECONDS)

    async def _tick(self, expire: bool) -> None:
        """Start or interrupt jobs as the state of the service demands, and forget expired ones."""
        if expire:
            self._results.forget()
            await self.store.change(JobRepository.forget_expired)
        if self.stopping:
            await self._interrupt(*self._schedule.running)
            self.store.notify()
        elif self._engine.state == "ready":
            await self._start_queued()
        if self.store.is_shared:
            await self.store.look_for_changes()

    async def _keep_leases(self) -> None:
        """Say again and again which jobs run here, interrupt those that no longer may, free abandoned."""
        while True:
            await asyncio.sleep(self.settings.jobs_lease_seconds * _RENEWAL_SHARE)
            with suppress(JobsUnavailable):
                running = list(self._schedule.running)
                ours = await self.store.read(JobRepository.renew, running)
                await self._interrupt(*(set(running) - ours))
                if await self.store.read(JobRepository.requeue_abandoned):
                    self.store.notify()

    async def _start_queued(self) -> None:
        """Start whose turn it is, if there is room, and make some for those who have waited long enough."""
        if await self._runs_suspect():
            return
        schedule = self._schedule
        waiting = await self.store.read(JobRepository.queued)
        if any(queued.job.starts for queued in waiting):  # of another process, or they would have come first
            await self._interrupt(*schedule.running)
        for queued in schedule.candidates(waiting):
            if not schedule.fits(queued):
                await self._interrupt(*schedule.to_give_way(queued))
            if schedule.fits(queued) and await self._claim(queued.job):
                schedule.add(queued, asyncio.create_task(self._run(queued.job), name="mizzle-job"))

    async def _claim(self, job: Job) -> bool:
        """Return whether a job is this process's to run."""
        try:
            return await self.store.change(JobRepository.start, job.number)
        except asyncio.CancelledError:  # what was begun in the thread is done
            await self._pause(job)
            raise

    async def _runs_suspect(self) -> bool:
        """Return whether a job runs that may have ended the service, and so runs alone."""
        running = list(self._schedule.running)
        return len(running) == 1 and await self.store.read(JobRepository.is_suspect, *running)

    async def _run(self, job: Job) -> None:
        """Run one job, whose failure is nobody else's."""
        try:
            await self._run_to_end(job)
        except MizzleError as error:
            _log.warning("job %d waits: %s", job.number, error.code)
            await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            try:
                await self._pause(job)
            finally:
                self._schedule.remove(job.number)
                self.store.notify()

    async def _pause(self, job: Job) -> None:
        if self._engine.failure is None:  # a job that may be the reason must not be blameless
            with suppress(JobsUnavailable):
                await self.store.change(JobRepository.pause, job.number)

    async def _run_to_end(self, job: Job) -> None:
        """Run a job; what is wrong with it ends it, what is wrong with the moment is raised."""
        try:
            await self._runner.run(job, lambda: self._schedule.note_answers(job.number))
        except MizzleError as error:
            if error.status in _TRANSIENT_STATUSES:
                raise
            await self._fail(job, error)
        except Exception:
            _log.exception("a job failed")
            await self._fail(job, InternalError("the service failed on this job; the fault is ours"))

    async def _fail(self, job: Job, error: MizzleError) -> None:
        await self.store.change(JobRepository.end, job.number, "failed", json.dumps(encode_error(error)))

    async def _interrupt(self, *numbers: int) -> None:
        """Interrupt jobs; the answers of each are saved."""
        running = self._schedule.running
        tasks = [running[number].task for number in numbers if number in running]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _repository(settings: Settings) -> JobRepository:
    """The jobs where the settings say.

    Raises:
        InvalidInput, MissingExtra: as `PostgresDatabase`.
    """
    options = settings.jobs_ttl_seconds, None, settings.jobs_max_bytes, settings.jobs_lease_seconds
    if settings.jobs_url is not None:
        return JobRepository(PostgresDatabase(settings.jobs_url.get_secret_value()), *options)
    assert settings.jobs_dir is not None
    return JobRepository(SqliteDatabase(settings.jobs_dir), *options)


def _no_room() -> TooManyJobs:
    error = TooManyJobs("there is no room for another job; DELETE forgets one that has ended")
    error.retry_after = _NO_ROOM_RETRY_SECONDS
    return error


def _check_done(job: Job) -> None:
    if job.state == "cancelled":
        raise JobCancelled("the job was cancelled; there is no result")
    if job.state == "failed":
        raise JobFailed("the job failed; its error says why, and there is no result")
    if job.state != "done":
        raise JobUnfinished("the job is not done yet; follow its events, or ask again later")
