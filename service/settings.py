"""What can be set from outside; the only reader of the service's environment (MIZZLE_*)."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mizzle.errors import InvalidInput


class Settings(BaseSettings):
    """Settings of one service process.

    Attributes:
        host, port: where to listen; port 0 takes any free one.
        weights: the weights file; None for the weights that ship with the package.
        max_body_bytes: the largest request body; reading one of this size stalls the service for
            a few tenths of a second.
        body_seconds: how long a body may take to arrive.
        max_batch_items, max_batch_cost: what one run of the model takes, in problems and cells;
            a problem of more cells than that is refused.
        max_queue_items, max_queue_cost: what may wait for a run.
        probe_seconds: how long the readiness probe may take.
        grace_seconds: how long a stopping service finishes what it has.
        log_level: of uvicorn and of the service.
    """

    model_config = SettingsConfigDict(
        env_prefix="MIZZLE_", env_ignore_empty=True, extra="forbid", frozen=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    weights: Path | None = None
    max_body_bytes: Annotated[int, Field(ge=1)] = 32 * 2**20
    body_seconds: Annotated[float, Field(gt=0)] = 60.0
    max_batch_items: Annotated[int, Field(ge=1)] = 64
    max_batch_cost: Annotated[int, Field(ge=1)] = 4_000_000
    max_queue_items: Annotated[int, Field(ge=1)] = 1024
    max_queue_cost: Annotated[int, Field(ge=1)] = 64_000_000
    probe_seconds: Annotated[float, Field(gt=0)] = 10.0
    grace_seconds: Annotated[int, Field(ge=1)] = 10
    log_level: Literal["critical", "error", "warning", "info", "debug"] = "warning"


def read(**chosen: Any) -> Settings:
    """The environment's settings, overridden by `chosen`.

    Raises:
        InvalidInput: a value that a setting cannot take; the message names its variable.
    """
    try:
        return Settings(**chosen)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(map(str, first["loc"])).upper()
        raise InvalidInput(f"setting MIZZLE_{name}: {first['msg']}") from None
