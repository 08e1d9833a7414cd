"""What can be set from outside; the only reader of the service's environment (MIZZLE_*)."""

import math
import os
import warnings
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mizzle.errors import InvalidInput

_PREFIX = "MIZZLE_"
_ADMIN_DISTANCE = 10_000  # services on neighbouring ports do not get into each other's way
_RENAMED = {"MIZZLE_PROOF_SECONDS": "MIZZLE_HEALTH_TTL_SECONDS"}
# What the client, the command and the compiled engine read.
_ELSEWHERE = ("MIZZLE_BASE_URL", "MIZZLE_API_KEY", "MIZZLE_NATIVE_LIBRARY")
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
_MAX_PORT = 65_535
Port = Annotated[int, Field(ge=0, le=_MAX_PORT)]
_POSTGRES = ("postgresql://", "postgres://")
Names = Annotated[str, Field(max_length=4096)]


def _cores() -> float:
    """Cores that this process may use, and that its control group pays for."""
    if not hasattr(os, "sched_getaffinity"):  # macOS
        return os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return min(allowed, int(quota) / int(period))
    except (OSError, ValueError):  # no control group of version 2, or no limit
        return allowed


def _threads() -> int:
    """One core is for HTTP, the others are for the worker."""
    return max(1, math.ceil(_cores()) - 1)


class Settings(BaseSettings):
    """Settings of one service process.

    Attributes:
        host, port: where to listen; port 0 takes any free one.
        weights: the weights file; None for the weights that ship with the package.
        models: further weights files, comma separated, that requests name by the model in them.
        weights_sha256: which `weights` must have, as hexadecimal digits; None for any that are whole.
        device: where the model runs.
        engine: what computes: native is the compiled engine, on CPUs alone; auto takes that where it was
            built, but torch for batches on a GPU, and torch otherwise.
        threads: of the worker process.
        max_body_bytes: the largest request body.
        max_json_bytes: the largest in JSON, which is read in one piece while everything else waits; the
            default takes 50 ms at most, whatever it holds.
        max_inflight_bytes: of all requests that arrive, are read or wait for their answers; one caller may
            have as many as are left for others, so half when alone.
        header_seconds, body_seconds: how long the head and the body of a request may take to arrive.
        min_body_rate: bytes in a second that a body must bring, behind which it may fall for ten seconds.
        max_headers: lines of a request's head.
        max_connections: open at once; fewer where the limit of open files (ulimit -n) leaves no room.
        max_peer_connections: of one address (of IPv6, a network of 64 bits); where it is not set, three times
            as many as are left for others, so three quarters when alone.
        max_streams: of events about jobs, for all callers at once; one may have as many as are left for
            others, so half when alone.
        stream_seconds, stream_idle_seconds: for which a stream of events may last, and may have no event; who
            follows a job then connects again.
        admin_port: where probes and metrics are answered through any flood, without keys; 0 for any free
            port, off for none. Where it is not set: 10,000 above MIZZLE_PORT, or any if that is taken.
        admin_host: where that listens; other machines could reach any but a loopback address.
        max_batch_items: problems of one run of the model; how many cells is found at warm-up.
        max_problem_cells: padded cells of the largest problem that is taken.
        max_request_cells, max_request_problems: of one request for many problems.
        max_compute_seconds: of the model that one request may take, by what its sizes were measured to take.
        max_wait_seconds: work that may wait for a run, beyond the first few problems, while there is an
            overload; a burst of some dozen callers is none.
        request_seconds: the longest time that a caller may wait, and the default.
        probe_seconds, health_ttl_seconds: how long the readiness probe may take, and for how long it stands.
        proof_seconds: the name of health_ttl_seconds in version 0.9, which goes with the next version.
        drain_seconds: how long a service that was told to stop still takes requests, not ready any more.
        grace_seconds: how long it then finishes what it has.
        hosts, origins: names and origins, comma separated, beyond the loopback names; "*" for any host.
        keys_file: API keys, one `name:sha256` a line; without keys everybody is served.
        insecure: whether to listen beyond this machine without keys.
        metrics_open: whether /metrics needs no key.
        jobs_dir: where jobs are kept, for this process alone; without it and jobs_url there are none.
        jobs_url: postgresql://user@host:5432/database, where replicas keep them together instead.
        jobs_lease_seconds: after which a job of a replica that is not heard of goes on in another.
        jobs_ttl_seconds: for which a job is kept once it has ended.
        jobs_max, jobs_max_per_key: jobs that are kept, ended ones included.
        jobs_max_bytes: of all jobs on the disk, with the answers that are still to come.
        jobs_max_pairs, jobs_max_cells: of one job, and of its table with its groups.
        jobs_memory_bytes: of all jobs that run at once, by a bound for each; others wait for their turn.
        key_concurrency, key_rate: requests of one key at once, and in a minute; 0 sets no limit. Without a
            keys file there is no limit but one that is set.
        log_level, log_json: of the service's log.
        telemetry: whether OpenTelemetry's spans are made; its exporter reads OTEL_*.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Port = 8000
    weights: Path | None = None
    models: Names = ""
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    engine: Literal["auto", "native", "torch"] = "auto"
    threads: Count = Field(default_factory=_threads)
    max_body_bytes: Count = 32 * 2**20
    max_json_bytes: Count = 2 * 2**20
    max_inflight_bytes: Count = 768 * 2**20
    header_seconds: Positive = 10.0
    body_seconds: Positive = 30.0
    min_body_rate: Count = 1024
    max_headers: Count = 100
    max_connections: Count = 1000
    max_peer_connections: Count | None = None
    max_streams: Count = 256
    stream_seconds: Positive = 3600.0
    stream_idle_seconds: Positive = 300.0
    admin_port: Port | Literal["off"] | None = None
    admin_host: str = "127.0.0.1"
    max_batch_items: Count = 128
    max_problem_cells: Count = 8_000_000
    max_request_cells: Count = 32_000_000
    max_request_problems: Count = 1024
    max_compute_seconds: Positive = 30.0
    max_wait_seconds: Positive = 0.015
    request_seconds: Positive = 60.0
    probe_seconds: Positive = 10.0
    proof_seconds: NotNegative | None = None
    health_ttl_seconds: NotNegative = 5.0
    drain_seconds: NotNegative = 5.0
    grace_seconds: Count = 10
    hosts: Names = ""
    origins: Names = ""
    keys_file: Path | None = None
    insecure: bool = False
    metrics_open: bool = False
    jobs_dir: Path | None = None
    jobs_url: SecretStr | None = None
    jobs_lease_seconds: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 15.0
    jobs_ttl_seconds: Positive = 86_400.0
    jobs_max: Count = 200
    jobs_max_per_key: Count = 20
    jobs_max_bytes: Count = 4 * 2**30
    jobs_max_pairs: Count = 20_000
    jobs_max_cells: Count = 4_000_000
    jobs_memory_bytes: Count = 768 * 2**20
    key_concurrency: Annotated[int, Field(ge=0)] = 64
    key_rate: Annotated[int, Field(ge=0)] = 0
    log_level: Literal["critical", "error", "warning", "info", "debug"] = "warning"
    log_json: bool = False
    telemetry: bool = False

    @property
    def has_jobs(self) -> bool:
        """Whether whole tables are taken as jobs."""
        return self.jobs_dir is not None or self.jobs_url is not None

    @property
    def bound_admin_port(self) -> int | None:
        """The port that probes and metrics are answered on besides; 0 for any, None for none."""
        if self.admin_port == "off":
            return None
        if self.admin_port is None:
            return self.port + _ADMIN_DISTANCE if 0 < self.port <= _MAX_PORT - _ADMIN_DISTANCE else 0
        return self.admin_port

    @model_validator(mode="before")
    @classmethod
    def _former_name(cls, values: dict[str, Any]) -> dict[str, Any]:
        former = values.get("proof_seconds")
        if former is None:
            return values
        warnings.warn("proof_seconds is now health_ttl_seconds", DeprecationWarning, stacklevel=2)
        return {"health_ttl_seconds": former, **values}

    @field_validator("jobs_url")
    @classmethod
    def _postgres(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(_POSTGRES):
            raise ValueError("jobs are shared in PostgreSQL alone, whose address begins with postgresql://")
        return url

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.max_problem_cells > self.max_request_cells:
            raise ValueError("max_problem_cells exceeds max_request_cells, so that no request could hold one")
        if self.jobs_dir is not None and self.jobs_url is not None:
            raise ValueError("MIZZLE_JOBS_DIR and MIZZLE_JOBS_URL are both set; jobs are kept in one place")
        return self


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


def unknown_variables() -> list[str]:
    """Sentences about variables MIZZLE_* that are no settings, and do nothing, or that have a new name."""
    known = [f"{_PREFIX}{name}".upper() for name in Settings.model_fields]
    unknown = sorted(
        name for name in os.environ if name.startswith(_PREFIX) and name not in (*known, *_ELSEWHERE)
    )
    sentences = [f"{name} is no setting and has no effect{_suggestion(name, known)}" for name in unknown]
    return sentences + [f"{old} is now {new}" for old, new in _RENAMED.items() if old in os.environ]


def _suggestion(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def names(listed: str) -> list[str]:
    """The names in a comma separated setting."""
    return [name.strip() for name in listed.split(",") if name.strip()]
