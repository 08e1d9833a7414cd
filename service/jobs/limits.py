"""The limits of jobs in /v1/limits."""

from typing import Any

from pydantic import BaseModel, Field

from mizzle.service.jobs.request import MAX_JSON_BYTES
from mizzle.service.settings import Settings


class JobLimits(BaseModel):
    """What jobs may hold."""

    max_pairs: int = Field(description="of one job")
    max_cells: int = Field(description="of its table, not padded")
    max_json_bytes: int = Field(description="of a body in JSON; the binary formats take max_body_bytes")
    max_jobs: int = Field(description="of one key, ended ones included")
    ttl_seconds: float = Field(description="for which a job is kept once it has ended")


def of(settings: Settings) -> dict[str, Any] | None:
    """Return the limits of jobs, with the fields of `JobLimits`; None where there are no jobs."""
    if not settings.has_jobs:
        return None
    return {
        "max_pairs": settings.jobs_max_pairs,
        "max_cells": settings.jobs_max_cells,
        "max_json_bytes": MAX_JSON_BYTES,
        "max_jobs": settings.jobs_max_per_key,
        "ttl_seconds": settings.jobs_ttl_seconds,
    }
