"""The service on Ray Serve: `serve run mizzle.service.ray:app`.

A replica is a whole service, with an engine and a queue of its own: Serve routes requests, and adds, replaces
and removes replicas. The settings are those of the environment that replicas have. What listens are Serve's
proxies, so limits of connections, and deadlines of heads and bodies, are theirs.
"""

import logging
import math
from typing import Any

from fastapi import FastAPI

from mizzle import extras
from mizzle.errors import InvalidInput
from mizzle.service.app import create_app
from mizzle.service.http.auth import Keys, check_bind
from mizzle.service.http.memory import configure_allocator
from mizzle.service.inference.batcher import ALWAYS_ADMITTED
from mizzle.service.settings import Settings, read, unknown_variables

try:
    import ray
    from ray import serve
except ModuleNotFoundError as error:
    remedy = "pip install 'mizzle[ray-serve]'"
    raise extras.missing(error, "the service on Ray Serve", remedy) from None

_log = logging.getLogger(__name__)
_CORES = 2  # of a replica: one for HTTP, one for the model
# Requests that Serve lets through to a replica at once: our own queue refuses, and says when to come again.
_MAX_REQUESTS = 256
_QUEUE_FILL = "queue_fill"
_TARGET_FILL = 0.5  # of the queues, on average


def build() -> FastAPI:
    """The application of a replica, which calls this once.

    Raises:
        InvalidInput: settings or keys cannot be read, or are not for several replicas.
    """
    context: Any = ray.get_runtime_context()
    settings = _settings(context.get_assigned_resources().get("CPU", 1.0))
    keys = Keys.read(settings.keys_file) if settings.keys_file else Keys()
    check_bind(settings.host, keys, settings.insecure)
    for sentence in (*unknown_variables(), *keys.warnings()):
        _log.warning(sentence)
    configure_allocator()
    return create_app(settings, keys=keys)


def _settings(cores: float) -> Settings:
    """Those of the environment; unless set there, threads are as many as the replica has cores beside HTTP's.

    Raises:
        InvalidInput: they cannot be read, or keep jobs where one process alone can.
    """
    settings = read()
    if settings.jobs_dir is not None:
        raise InvalidInput(
            "MIZZLE_JOBS_DIR is for one process, and Ray Serve has several: unset it, and for jobs set "
            "MIZZLE_JOBS_URL, which replicas keep together in PostgreSQL"
        )
    if "threads" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"threads": max(1, math.ceil(cores) - 1)})


class Replica:
    """What Serve asks of a replica beside requests.

    Attributes:
        app: its application, which `serve.ingress` sets.
    """

    app: FastAPI

    async def check_health(self) -> None:
        """Return when all models are loaded; a replica gets no requests before that.

        Raises:
            ModelUnavailable: one is missing, and will be: Serve starts another replica instead.
        """
        await self.app.state.models.loaded()

    def record_autoscaling_stats(self) -> dict[str, float]:
        """What `wanted_replicas` decides by; Serve averages it over time."""
        return {_QUEUE_FILL: self.app.state.models.queue_fill}


def wanted_replicas(context: Any) -> tuple[float, dict[str, Any]]:
    """How many replicas there should be, and what Serve is to remember, which is nothing.

    As many as bring queues to half of what may wait there, or requests to their target, whichever is more:
    an empty queue does not say how many replicas could be spared, requests under way do.

    Args:
        context: Serve's `AutoscalingContext`.
    """
    fills = (context.aggregated_metrics or {}).get(_QUEUE_FILL, {}).values()
    by_requests = context.total_num_requests / context.config.target_ongoing_requests
    return max(sum(fills) / _TARGET_FILL, by_requests), {}


deployment: Any = serve.deployment(
    serve.ingress(build)(Replica),
    name="Mizzle",
    max_ongoing_requests=_MAX_REQUESTS,
    ray_actor_options={"num_cpus": _CORES},
    autoscaling_config={
        "min_replicas": 1,
        "max_replicas": 8,
        "target_ongoing_requests": ALWAYS_ADMITTED,
        "policy": {"policy_function": wanted_replicas},
    },
)
app = deployment.bind()
