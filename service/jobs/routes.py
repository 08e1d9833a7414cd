"""/v1/jobs: whole tables, submitted once and fetched later."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.requests import Request
from starlette.responses import Response

from mizzle.errors import JobsOff, MizzleError
from mizzle.service.formats.registry import MEDIA_TYPES
from mizzle.service.http import body
from mizzle.service.http.auth import key_name
from mizzle.service.inference.throughput import whole_seconds
from mizzle.service.jobs import result_formats, schemas
from mizzle.service.jobs.manager import Jobs, Submission
from mizzle.service.jobs.repository import Job
from mizzle.service.jobs.store import heard
from mizzle.service.settings import Settings
from mizzle.wire import JOB_ID, JOBS

_JOB = JOBS + "/{id}"
_PING_SECONDS = 15.0  # of silence, after which proxies might think that nobody is there
_RETRY_MS = 2000  # after which a browser connects again
_SOONEST, _LATEST = 1.0, 60.0  # seconds until a caller should ask again
_UNKNOWN = 2.0  # while nothing is known
_Id = Annotated[
    str,
    Path(pattern=f"^{JOB_ID}$", description="chosen by the caller: letters, digits, _, . and -; 64 at most"),
]


def router(jobs: Jobs | None, settings: Settings) -> APIRouter:
    """The routes of jobs; without any, they answer that there are none."""
    routes, door = APIRouter(tags=["jobs"]), JobDoor(jobs, settings)
    made = {"model": schemas.JobAnswer, "description": "It is not done yet; see Location."}

    @routes.get(
        JOBS,
        operation_id="list_jobs",
        summary="The caller's own jobs, the newest first",
        response_model=schemas.JobList,
        responses=schemas.refusals(),
    )
    async def listed(request: Request) -> Response:
        return await door.listed(request)

    @routes.put(
        _JOB,
        operation_id="submit_job",
        summary="All pairs of a table, or each column against a target, to be fetched later",
        response_model=schemas.JobAnswer,
        openapi_extra=schemas.request(),
        responses={202: made, **schemas.refusals(400, 408, 409, 413, 415, 422)},
    )
    async def submit(request: Request, id: _Id) -> Response:
        return await door.submit(request, id)

    @routes.get(
        _JOB,
        operation_id="job",
        summary="A job as it stands",
        response_model=schemas.JobAnswer,
        responses=schemas.refusals(422),
    )
    async def job(request: Request, id: _Id) -> Response:
        return await door.job(request, id)

    @routes.delete(
        _JOB,
        operation_id="delete_job",
        summary="Cancel a job that has not ended, or forget one that has",
        response_model=schemas.JobAnswer,
        responses={204: {"description": "It is forgotten."}, **schemas.refusals(422)},
    )
    async def delete(request: Request, id: _Id) -> Response:
        return await door.delete(request, id)

    @routes.get(
        _JOB + "/events",
        operation_id="job_events",
        summary="A job as it goes on, as server-sent events; the last one is called end",
        response_class=Response,
        responses={**schemas.events(), **schemas.refusals(422)},
    )
    async def events(request: Request, id: _Id) -> Response:
        return await door.events(request, id)

    @routes.get(
        _JOB + "/result",
        operation_id="job_result",
        summary="The answers of a job, as JSON, CSV or safetensors",
        response_model=schemas.JobResult,
        responses={**schemas.result(), **schemas.refusals(406, 409, 422)},
    )
    async def result(request: Request, id: _Id) -> Response:
        return await door.result(request, id)

    return routes


class JobDoor:
    """From a request about jobs to its answer."""

    def __init__(self, jobs: Jobs | None, settings: Settings) -> None:
        self._found = jobs
        self._settings = settings

    async def listed(self, request: Request) -> Response:
        """The caller's jobs."""
        found = await self._jobs.of(key_name(request.scope))
        return _json({"jobs": list(map(self._shown, found))})

    async def submit(self, request: Request, id: str) -> Response:
        """The job, new or as it stands."""
        jobs, owner, s = self._jobs, key_name(request.scope), self._settings
        await jobs.check_room(owner, id)
        media, content = await body.read(request, MEDIA_TYPES, s.max_body_bytes, s.body_seconds)
        asked = Submission(owner, id, media, request.query_params, content)
        return self._standing(await jobs.submit(asked), unfinished=202)

    async def job(self, request: Request, id: str) -> Response:
        """A job as it stands."""
        return self._standing(await self._jobs.find(key_name(request.scope), id))

    async def delete(self, request: Request, id: str) -> Response:
        """A job that is cancelled, or nothing for one that is forgotten."""
        found = await self._jobs.drop(key_name(request.scope), id)
        return Response(status_code=204) if found is None else self._standing(found)

    async def events(self, request: Request, id: str) -> Response:
        """What happens to a job from now on, or since the event that the caller saw last."""
        job = await self._jobs.find(key_name(request.scope), id)
        seen = request.headers.get("last-event-id")
        if job.ended is not None and seen == str(job.revision):
            return Response(status_code=204)  # which tells a browser not to come back
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return EventSourceResponse(self._events(job, seen), headers=headers)

    async def result(self, request: Request, id: str) -> Response:
        """The answers of a job."""
        media = result_formats.chosen(",".join(request.headers.getlist("accept")))
        found = await self._jobs.result(key_name(request.scope), id, media)
        return Response(found, media_type=media, headers={"vary": "accept"})

    @property
    def _jobs(self) -> Jobs:
        if self._found is None:
            raise JobsOff("this service takes no jobs; its operator can allow them (MIZZLE_JOBS_DIR)")
        return self._found

    def _standing(self, job: Job, unfinished: int = 200) -> Response:
        """A job with the status and the headers that it deserves."""
        headers = {"location": f"{JOBS}/{job.id}"}
        if job.ended is None:
            headers["retry-after"] = str(whole_seconds(_left(job, time.time())))
        return _json(self._shown(job), 200 if job.ended is not None else unfinished, headers)

    def _shown(self, job: Job) -> dict[str, Any]:
        return schemas.answer(job, self._settings.jobs_ttl_seconds)

    async def _events(self, job: Job, seen: str | None) -> AsyncIterator[bytes]:
        """Events from the first that the caller has not seen, until the job ends or the service stops."""
        jobs, told, quiet = self._jobs, seen, time.monotonic()
        news = _heard_already()  # the job may have changed since it was looked up
        while True:
            if str(job.revision) != told:
                yield self._event(job)
                told, quiet = str(job.revision), time.monotonic()
            if job.ended is not None or jobs.stopping:
                return
            if time.monotonic() - quiet >= _PING_SECONDS:
                yield KEEPALIVE_COMMENT
                quiet = time.monotonic()
            await heard(news, _PING_SECONDS)
            news = jobs.store.news
            try:
                job = await jobs.find(job.owner, job.id)
            except MizzleError:  # forgotten since, or out of reach: nothing more can be told
                return

    def _event(self, job: Job) -> bytes:
        return format_sse_event(
            data_str=json.dumps(self._shown(job)),
            event="progress" if job.ended is None else "end",
            id=str(job.revision),
            retry=_RETRY_MS,
        )


def _heard_already() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


def _left(job: Job, now: float) -> float:
    """Seconds until a caller should ask again: until half of what is left should be done."""
    if not job.done or job.started is None or now <= job.started:
        return _UNKNOWN
    each = (now - job.started) / job.done
    return min(max(each * (job.pairs - job.done) / 2, _SOONEST), _LATEST)


def _json(value: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(value).encode(), status, headers, "application/json")
