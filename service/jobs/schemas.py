"""The JSON objects of jobs, for answers and for /openapi.json."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mizzle.data.arrays import MIN_ROWS
from mizzle.service.formats.registry import JSON, NPY, SAFETENSORS
from mizzle.service.http import openapi
from mizzle.service.jobs.repository import Job
from mizzle.service.jobs.request import MAX_NAME_LENGTH
from mizzle.service.jobs.result_formats import CSV
from mizzle.types import DEFAULT_LEVEL, DEFAULT_THRESHOLD, DEFAULT_UNIT, Unit
from mizzle.wire import JobState

_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
_Row = Annotated[list[float | bool | _Name | None], Field(min_length=2)]


class JobRequest(BaseModel):
    """A table, and what is asked about it; the fields are those of `mizzle.matrix` and `mizzle.rank`."""

    model_config = ConfigDict(extra="forbid")

    table: Annotated[list[_Row], Field(min_length=MIN_ROWS)] = Field(
        description="n rows of p cells each; a column holds numbers (of integers beyond 2**53 the order "
        "counts), labels (text or booleans) or dates of ISO 8601, and null where a value is missing. A "
        "column of free text or identifiers is left out, which the result's notices say"
    )
    columns: list[_Name] = Field(description="names of the p columns, each once; c0, c1, .. where left out")
    what: Literal["matrix", "rank"] = Field(
        "matrix", description="all pairs, or every variable against the target"
    )
    target: _Name = Field(description="for rank: the name of a column or group")
    groups: dict[_Name, Annotated[list[_Name], Field(min_length=1)]] = Field(
        {}, description="columns that count as one variable, by its name"
    )
    missing: Literal["raise", "drop"] = Field(
        "raise", description="refuse missing cells, or leave their rows out, pair by pair"
    )
    level: float = Field(DEFAULT_LEVEL, gt=0, lt=1, description="of the interval from low to high")
    unit: Unit = DEFAULT_UNIT
    threshold: float = Field(DEFAULT_THRESHOLD, ge=0, description="of `below`, in the unit")


class JobError(BaseModel):
    """Why a job failed."""

    code: str
    detail: str


class JobAnswer(BaseModel):
    """A job as it stands."""

    id: str
    what: Literal["matrix", "rank"]
    state: JobState
    pairs: int
    done: int = Field(description="pairs that are answered")
    failed: int = Field(description="of these, pairs that have an error in place of an estimate")
    revision: int = Field(description="rises with every change; the id of the event that told of it")
    created: datetime
    started: datetime | None
    ended: datetime | None
    expires: datetime | None = Field(description="when it will be forgotten; known once it has ended")
    error: JobError | None


class JobList(BaseModel):
    """The caller's jobs, the newest first."""

    jobs: list[JobAnswer]


class PairRecord(BaseModel):
    """One pair; the numbers are null where there is an error."""

    x: str
    y: str
    mi: float | None
    low: float | None
    high: float | None
    median: float | None
    below: float | None = Field(description="share of the predictive distribution below the threshold")
    n: int | None
    dropped: int
    in_range: bool | None
    warnings: str = Field(description="codes, between spaces")
    error: str | None


class JobResult(BaseModel):
    """The answers of all pairs of a job; those of rank strongest first."""

    what: Literal["matrix", "rank"]
    names: list[str] = Field(description="the variables; a target is the last")
    target: str | None = None
    level: float
    unit: Unit
    threshold: float
    model: dict[str, str]
    notices: list[dict[str, str]] = Field(
        description="about the table as a whole: which columns were left out"
    )
    pairs: list[PairRecord]


def job_object(job: Job, ttl: float) -> dict[str, Any]:
    """Return a job as the JSON object of the interface, with the fields of `JobAnswer`.

    Args:
        ttl: seconds for which it is kept once it has ended.
    """
    error = None if job.error is None else dict(zip(("code", "detail"), json.loads(job.error), strict=True))
    plain = {key: getattr(job, key) for key in ("id", "what", "state", "pairs", "done", "failed", "revision")}
    times = {key: _time(getattr(job, key)) for key in ("created", "started", "ended")}
    expires = None if job.ended is None else job.ended + ttl
    return {**plain, **times, "expires": _time(expires), "error": error}


def _time(seconds: float | None) -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    )


_ROWS = [[i / 8, (-1) ** i * i / 4, float(i % 3)] for i in range(12)]
_EXAMPLE = {"table": _ROWS, "columns": ["height", "weight", "age"], "what": "rank", "target": "age"}
_QUERY = {
    "what": {"type": "string", "enum": ["matrix", "rank"]},
    "target": {"type": "string", "pattern": "^c(0|[1-9][0-9]{0,6})$"},
    "missing": {"type": "string", "enum": ["raise", "drop"]},
    "level": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "unit": {"type": "string", "enum": ["nats", "bits"]},
    "threshold": {"type": "number", "minimum": 0},
}
_BINARY = {
    SAFETENSORS: "One tensor, `table`, of shape [n, p]; NaN is missing. `__metadata__` may hold `job`: the "
    "other fields of the JSON form as a JSON object in a text.",
    NPY: "One array of shape [n, p]; NaN is missing. Columns are called c0, c1, ..; the parameters of the "
    "address are fields of the JSON form.",
}


def request() -> dict[str, Any]:
    """Return the documented body and parameters of a submission."""
    content: dict[str, Any] = {JSON: {"schema": _schema(), "example": _EXAMPLE}}
    content |= {media: {"schema": _bytes(text)} for media, text in _BINARY.items()}
    only = f"Only with a body of {NPY}."
    parameters = [
        {"name": name, "in": "query", "required": False, "description": only, "schema": schema}
        for name, schema in _QUERY.items()
    ]
    return {"requestBody": {"required": True, "content": content}, "parameters": parameters}


def _schema() -> dict[str, Any]:
    """Return the JSON form; two fields have defaults that a schema cannot tell."""
    schema = openapi.inlined(JobRequest)
    schema["required"] = ["table"]
    return schema


def _bytes(text: str) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "description": text}


def result() -> dict[int | str, dict[str, Any]]:
    """Return the documented formats of a result besides JSON."""
    texts = "The records, with a header line; a text like a formula has an apostrophe in front."
    tensors = "pairs, mi, low, high, median, below, n, dropped, in_range, quantiles and levels; the rest, as "
    return {
        200: {
            "content": {
                CSV: {"schema": {"type": "string", "description": texts}},
                SAFETENSORS: {"schema": _bytes(tensors + "JSON, in `__metadata__`: job, warnings, error.")},
            }
        }
    }


def events() -> dict[int | str, dict[str, Any]]:
    """Return the documented stream of events."""
    text = "Events progress and end, whose data is a job as it stands and whose id is its revision."
    schema = {"type": "string", "description": text}
    return {
        200: {"content": {"text/event-stream": {"schema": schema}}},
        204: {"description": "The job has ended, and Last-Event-ID names that event."},
    }


_MEANINGS = {  # of statuses that mean something else here than elsewhere
    404: "The caller has no such job, or this service takes no jobs; `code` says which.",
    406: "The result comes in none of the formats of the header Accept.",
    409: "The id belongs to another job, or the job has no result, yet or for good; `code` says which.",
    413: "The body, its table, or the number of its pairs is larger than this service takes.",
    422: "The id or the body is not of the documented form; `code` and `detail` say what to change.",
    429: "There is no room for another job, or this key has asked too often; see Retry-After.",
    503: "The jobs cannot be reached, or there is no room for them now; see Retry-After.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documented refusals of a route."""
    always = (401, 403, 404, 421, 429, 431, 500, 503)
    return openapi.refusals(*sorted({*always, *statuses}), meanings=_MEANINGS)
