"""Jobs: whole tables whose answers are fetched later, kept in a file and done beside everybody's requests.

A job belongs to the name of the key that it came with. The jobs of one owner are done one after another,
those of different owners take turns.
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
from mizzle.service.http.deadline import beside
from mizzle.service.inference.engine import Engine
from mizzle.service.inference.observer import Observer
from mizzle.service.jobs import request
from mizzle.service.jobs.repository import (
    Clock,
    Given,
    Job,
    JobFile,
    New,
)
from mizzle.service.jobs.result_formats import WRITERS
from mizzle.service.jobs.rows import Answer, head_of, plain, result_of
from mizzle.service.jobs.runner import JobRunner
from mizzle.service.jobs.store import JobStore, heard
from mizzle.service.settings import Settings

_log = logging.getLogger(__name__)
_MOST_ACTIVE = 4  # jobs that take turns, each with its table in memory
_TICK = 0.5  # seconds between two looks at the state of the service
_EXPIRE_TICKS = 60
_AGAIN = 1.0  # seconds until a job is tried again that could not go on
_LATER = (429, 503)  # statuses of errors that speak of the moment
_ROOM_SECONDS = 30.0  # after which there may be room for another job


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
        settings: with a `jobs_dir`.
        clock: which says when a job expires.
    """

    def __init__(
        self, settings: Settings, engine: Engine, observer: Observer, clock: Clock | None = None
    ) -> None:
        assert settings.jobs_dir is not None
        self.settings = settings
        self._engine = engine
        self.store = JobStore(JobFile(settings.jobs_dir, settings.jobs_ttl_seconds, clock), observer)
        self._runner = JobRunner(engine, self.store, settings)
        self._active: dict[int, tuple[str, asyncio.Task[None]]] = {}
        self._life: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to open the file, and go on with what is in it."""
        self._life = asyncio.create_task(self._live(), name="mizzle-jobs")

    async def close(self) -> None:
        """Keep what is answered so far, and let the file go."""
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life
        await self._stop(*self._active)
        await self.store.close()

    @property
    def stopping(self) -> bool:
        """Whether nothing will happen to any job any more in this process."""
        return self._engine.state not in ("starting", "ready")

    async def check_room(self, owner: str, id: str) -> None:
        """Whether a job may come, asked before its body is read.

        Raises:
            TooManyJobs, Fault: it may not, and there is no such job already.
        """
        assert self._engine.facts  # or it raises what is the matter
        if await self.store.do(JobFile.find, owner, id) is None:
            if self.stopping:
                raise Draining("the service is stopping; ask again in a moment")
            self._check_room(*await self.store.do(JobFile.room, owner))

    async def submit(self, asked: Submission) -> Job:
        """The job, new or as it stands.

        Raises:
            JobConflict: there is another one of this id.
            InvalidInput: it cannot be done.
            Fault: it cannot be taken now.
        """
        digest = await beside(len(asked.body), lambda: asked.digest)
        found = await self.store.do(JobFile.find, asked.owner, asked.id)
        if found is None:
            new = await beside(len(asked.body), self._checked, asked, digest)
            limits = (self.settings.jobs_max_per_key, self.settings.jobs_max)
            found = await self.store.change(JobFile.take, new, *limits)
        if found is None:
            raise _no_room()
        return _same(found, digest)

    async def find(self, owner: str, id: str) -> Job:
        """A job of the owner.

        Raises:
            NoSuchJob: there is none.
        """
        found = await self.store.do(JobFile.find, owner, id)
        if found is None:
            raise NoSuchJob("there is no such job; it was never made, was forgotten, or has expired")
        return found

    async def of(self, owner: str) -> list[Job]:
        """The jobs of an owner, the newest first."""
        return await self.store.do(JobFile.of, owner)

    async def drop(self, owner: str, id: str) -> Job | None:
        """Cancel a job, which then is returned, or forget one that has ended; errors as `find`."""
        job = await self.find(owner, id)
        if job.ended is not None:
            await self.store.change(JobFile.forget, job.number)
            return None
        await self.store.change(JobFile.end, job.number, "cancelled")  # first, or it would be taken up again
        await self._stop(job.number)
        return await self.find(owner, id)

    async def result(self, owner: str, id: str, media: str) -> bytes:
        """The result of a job in one of the formats of `job_formats`.

        Raises:
            JobUnfinished, JobCancelled, JobFailed: there is none.
            NoSuchJob: as `find`.
        """
        job = await self.find(owner, id)
        _check_done(job)
        lines = await self.store.do(JobFile.head, job.number)
        answers = await self.store.do(JobFile.answers, job.number)
        if lines is None:  # expired since
            raise NoSuchJob("there is no such job any more")
        return await asyncio.to_thread(_written, media, lines, answers)

    def _checked(self, asked: Submission, digest: bytes) -> New:
        """What a job is and how many pairs it has; beside the event loop where it is large."""
        s = self.settings
        ask = request.read(asked.media, asked.body, asked.query)
        pairs = request.check(ask, self._engine.levels, s.jobs_max_cells, s.jobs_max_pairs)
        given = Given(asked.media, json.dumps(dict(asked.query)), asked.body)
        return New(asked.owner, asked.id, digest, ask.what, pairs, given)

    def _check_room(self, own: int, everybodys: int) -> None:
        if own >= self.settings.jobs_max_per_key or everybodys >= self.settings.jobs_max:
            raise _no_room()

    async def _live(self) -> None:
        try:
            await self.store.open()
        except JobsUnavailable as error:
            _log.error("there will be no jobs: %s", error)
            return
        ticks = 0
        while True:
            news = self.store.news
            try:
                await self._look(expire=ticks % _EXPIRE_TICKS == 0)
            except JobsUnavailable as error:
                _log.error("jobs do not go on: %s", error)
                await asyncio.sleep(_AGAIN)
            ticks += 1
            await heard(news, _TICK)

    async def _look(self, expire: bool) -> None:
        """Do what the state of the service and of the file asks for."""
        if expire:
            await self.store.change(JobFile.expire)
        if self.stopping:
            await self._stop(*self._active)
            self.store.tell()
        elif self._engine.state == "ready":
            await self._fill()

    async def _fill(self) -> None:
        """Let the oldest jobs run of owners who have none that runs."""
        for job in await self.store.do(JobFile.queued):
            owners = {owner for owner, _ in self._active.values()}
            if len(self._active) < _MOST_ACTIVE and job.owner not in owners:
                task = asyncio.create_task(self._run(job), name="mizzle-job")
                self._active[job.number] = job.owner, task

    async def _run(self, job: Job) -> None:
        """One job, whose failure is nobody else's."""
        try:
            await self._to_its_end(job)
        except MizzleError as error:
            _log.warning("job %d waits: %s", job.number, error.code)
            await asyncio.sleep(_AGAIN)
        finally:
            del self._active[job.number]
            if self._engine.failure is None:  # a job that may be the reason must not be blameless
                with suppress(JobsUnavailable):
                    await self.store.change(JobFile.pause, job.number)

    async def _to_its_end(self, job: Job) -> None:
        """Run a job; what is wrong with it ends it, what is wrong with the moment is raised."""
        try:
            await self._runner.run(job)
        except MizzleError as error:
            if error.status in _LATER:
                raise
            await self._fail(job, error)
        except Exception:
            _log.exception("a job failed")
            await self._fail(job, InternalError("the service failed on this job; the fault is ours"))

    async def _fail(self, job: Job, error: MizzleError) -> None:
        await self.store.change(JobFile.end, job.number, "failed", json.dumps(plain(error)))

    async def _stop(self, *numbers: int) -> None:
        """Interrupt jobs; each keeps what it has."""
        tasks = [self._active[number][1] for number in numbers if number in self._active]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _no_room() -> TooManyJobs:
    error = TooManyJobs("there is no room for another job; DELETE forgets one that has ended")
    error.retry_after = _ROOM_SECONDS
    return error


def _same(job: Job, digest: bytes) -> Job:
    if job.digest != digest:
        raise JobConflict("this id belongs to a job with another body; choose another id, or delete that job")
    return job


def _check_done(job: Job) -> None:
    if job.state == "cancelled":
        raise JobCancelled("the job was cancelled; there is no result")
    if job.state == "failed":
        raise JobFailed("the job failed; its error says why, and there is no result")
    if job.state != "done":
        raise JobUnfinished("the job is not done yet; follow its events, or ask again later")


def _written(media: str, lines: tuple[str, str], answers: list[Answer]) -> bytes:
    head = head_of(*lines)
    return WRITERS[media](head, result_of(head, answers))
