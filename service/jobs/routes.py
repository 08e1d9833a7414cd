"""/v1/jobs: whole tables, submitted once and fetched later."""

import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from mizzle.errors import JobsOff, MizzleError
from mizzle.service.formats.registry import MEDIA_TYPES
from mizzle.service.http import body
from mizzle.service.http.auth import caller_name, key_name
from mizzle.service.http.dependencies import ServiceDep
from mizzle.service.http.problem_details import whole_seconds
from mizzle.service.jobs import result_formats, schemas
from mizzle.service.jobs.manager import Jobs, Submission
from mizzle.service.jobs.repository import Job
from mizzle.service.jobs.store import wait_for_change
from mizzle.wire import JOB_ID, JOBS, JSON

_JOB = JOBS + "/{id}"
_PING_SECONDS = 15.0  # of silence, after which proxies might think that nobody is there
_RECONNECT_MS = 2000  # after which a browser connects again
_MIN_RETRY_SECONDS, _MAX_RETRY_SECONDS = 1.0, 60.0  # until a caller should ask again
_UNKNOWN_RETRY_SECONDS = 2.0  # while no pair is done
_TOO_MANY_STREAMS = (
    "as many jobs are followed as can be, or as one caller may; ask for the job itself, or wait"
)
_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}

router = APIRouter(tags=["jobs"])
# Its functions have a summary and no docstring, which the document would publish.


async def _jobs(request: Request) -> Jobs:
    """The jobs of the application.

    Raises:
        JobsOff: it has none.
    """
    jobs: Jobs | None = request.app.state.jobs
    if jobs is None:
        raise JobsOff(
            "this service takes no jobs; its operator can allow them (MIZZLE_JOBS_DIR or MIZZLE_JOBS_URL)"
        )
    return jobs


async def _owner(request: Request) -> str:
    """The name of the caller's key, to whom their jobs belong."""
    return key_name(request.scope)


_JobsDep = Annotated[Jobs, Depends(_jobs)]
_OwnerDep = Annotated[str, Depends(_owner)]
_JobId = Annotated[
    str,
    Path(pattern=f"^{JOB_ID}$", description="chosen by the caller: letters, digits, _, . and -; 64 at most"),
]


@router.get(
    JOBS,
    operation_id="list_jobs",
    summary="The caller's own jobs, the newest first",
    response_model=schemas.JobList,
    responses=schemas.refusals(),
)
async def list_jobs(jobs: _JobsDep, owner: _OwnerDep) -> Response:
    return _json({"jobs": [_as_object(jobs, job) for job in await jobs.of_owner(owner)]})


@router.put(
    _JOB,
    operation_id="submit_job",
    summary="All pairs of a table, or each column against a target, to be fetched later",
    response_model=schemas.JobAnswer,
    openapi_extra=schemas.request(),
    responses={
        202: {"model": schemas.JobAnswer, "description": "It is not done yet; see Location."},
        **schemas.refusals(400, 408, 409, 413, 415, 422),
    },
)
async def submit_job(
    request: Request, service: ServiceDep, jobs: _JobsDep, owner: _OwnerDep, id: _JobId
) -> Response:
    await jobs.check_room(owner, id)  # before the body is read
    settings = service.settings
    with service.memory.charged(caller_name(request.scope)) as charge:
        media, content = await body.read(request, MEDIA_TYPES, charge, settings, settings.max_body_bytes)
        job = await jobs.submit(Submission(owner, id, media, request.query_params, content))
    return _job_response(jobs, job, unfinished=202)


@router.get(
    _JOB,
    operation_id="job",
    summary="A job as it stands",
    response_model=schemas.JobAnswer,
    responses=schemas.refusals(422),
)
async def get_job(jobs: _JobsDep, owner: _OwnerDep, id: _JobId) -> Response:
    return _job_response(jobs, await jobs.find(owner, id))


@router.delete(
    _JOB,
    operation_id="delete_job",
    summary="Cancel a job that has not ended, or forget one that has",
    response_model=schemas.JobAnswer,
    responses={204: {"description": "It is forgotten."}, **schemas.refusals(422)},
)
async def delete_job(jobs: _JobsDep, owner: _OwnerDep, id: _JobId) -> Response:
    job = await jobs.drop(owner, id)
    return Response(status_code=204) if job is None else _job_response(jobs, job)


@router.get(
    _JOB + "/events",
    operation_id="job_events",
    summary="A job as it goes on, as server-sent events; the last one is called end",
    response_class=Response,
    responses={**schemas.events(), **schemas.refusals(422)},
)
async def stream_events(request: Request, jobs: _JobsDep, owner: _OwnerDep, id: _JobId) -> Response:
    job = await jobs.find(owner, id)
    last_id = request.headers.get("last-event-id")
    if job.ended is not None and last_id == str(job.revision):
        return Response(status_code=204)  # which tells a browser not to come back
    return _EventStream(jobs, caller_name(request.scope), _events(jobs, job, last_id))


@router.get(
    _JOB + "/result",
    operation_id="job_result",
    summary="The answers of a job, as JSON, CSV or safetensors",
    response_model=schemas.JobResult,
    responses={**schemas.result(), **schemas.refusals(406, 409, 422)},
)
async def get_result(request: Request, jobs: _JobsDep, owner: _OwnerDep, id: _JobId) -> Response:
    media = result_formats.preferred_media(",".join(request.headers.getlist("accept")))
    result = await jobs.result(owner, id, media)
    headers = {"vary": "accept", "content-length": str(len(result.content))}
    return StreamingResponse(result.chunks(), media_type=media, headers=headers)


def _job_response(jobs: Jobs, job: Job, unfinished: int = 200) -> Response:
    """A job as it stands; `unfinished` is the status of one that has not ended."""
    headers = {"location": f"{JOBS}/{job.id}"}
    if job.ended is not None:
        return _json(_as_object(jobs, job), 200, headers)
    headers["retry-after"] = str(whole_seconds(_seconds_to_retry(job, jobs.store.now())))
    return _json(_as_object(jobs, job), unfinished, headers)


class _EventStream(EventSourceResponse):
    """A stream of events, one of those that callers share from its first byte to its end."""

    def __init__(self, jobs: Jobs, caller: str, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers=_STREAM_HEADERS)
        self._streams = jobs.streams
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI.

        Raises:
            QueueFull: there are as many streams as may be, or as this caller may have.
        """
        with self._streams.taken(self._caller, _TOO_MANY_STREAMS):
            await super().__call__(scope, receive, send)


async def _events(jobs: Jobs, job: Job, last_id: str | None) -> AsyncIterator[bytes]:
    """Events from the first after `last_id`, until the job ends, the service stops or the time is over."""
    sent_id, sent_at = last_id, time.monotonic()
    end, idle_seconds = sent_at + jobs.settings.stream_seconds, jobs.settings.stream_idle_seconds
    last_event = sent_at
    while True:
        changed = jobs.store.changed  # taken before the look, so that no change is missed
        try:
            job = await jobs.find(job.owner, job.id)
        except MizzleError:  # forgotten since, or out of reach: there is nothing more to say
            return
        if str(job.revision) != sent_id:
            yield _event(jobs, job)
            sent_id, sent_at = str(job.revision), time.monotonic()
            last_event = sent_at
        elif time.monotonic() - sent_at >= _PING_SECONDS:
            yield KEEPALIVE_COMMENT
            sent_at = time.monotonic()
        rest = min(end, last_event + idle_seconds) - time.monotonic()
        if job.ended is not None or jobs.stopping or rest <= 0:
            return
        await wait_for_change(changed, min(_PING_SECONDS, rest))


def _event(jobs: Jobs, job: Job) -> bytes:
    return format_sse_event(
        data_str=json.dumps(_as_object(jobs, job)),
        event="progress" if job.ended is None else "end",
        id=str(job.revision),
        retry=_RECONNECT_MS,
    )


def _as_object(jobs: Jobs, job: Job) -> dict[str, Any]:
    return schemas.job_object(job, jobs.settings.jobs_ttl_seconds)


def _seconds_to_retry(job: Job, now: float) -> float:
    """Seconds until half of what is left should be done, when a caller should ask again."""
    if not job.done or job.started is None or now <= job.started:
        return _UNKNOWN_RETRY_SECONDS
    seconds_per_pair = (now - job.started) / job.done
    half_left = seconds_per_pair * (job.pairs - job.done) / 2
    return min(max(half_left, _MIN_RETRY_SECONDS), _MAX_RETRY_SECONDS)


def _json(value: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(value).encode(), status, headers, JSON)
