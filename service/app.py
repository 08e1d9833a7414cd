"""The application: what stands around the routes, and the life of the model behind them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI

from mizzle.estimator import EstimatorLike
from mizzle.service import (
    about_routes,
    estimate_routes,
    job_routes,
    oip_errors,
    oip_routes,
    openapi,
    page_routes,
    problems,
    telemetry,
)
from mizzle.service.auth import Auth, Keys
from mizzle.service.cors import Cors
from mizzle.service.engine import Engine
from mizzle.service.guard import Guard
from mizzle.service.headers import SecurityHeaders
from mizzle.service.http_metrics import HttpMetrics
from mizzle.service.jobs import Jobs
from mizzle.service.logs import AccessLog
from mizzle.service.metrics import Metrics, sample_lag
from mizzle.service.quota import Quota, Quotas
from mizzle.service.request_id import RequestId
from mizzle.service.runner import InProcess, Runner
from mizzle.service.settings import Settings, names
from mizzle.service.worker import Worker
from mizzle.version import __version__

LOADER = "mizzle.estimator:load"
PROBES = (*about_routes.PROBES, *oip_routes.PROBES)


def create_app(
    settings: Settings | None = None,
    estimator: EstimatorLike | None = None,
    loader: str = LOADER,
    keys: Keys | None = None,
) -> FastAPI:
    """The service as an ASGI application.

    Args:
        settings: read from the environment when left out.
        estimator: a model to run in this process; else one is loaded in a worker process.
        loader: what the worker process loads it with, `module:function`.
        keys: who may ask; everybody, when left out or empty.
    """
    chosen = settings or Settings()
    counted = Metrics()
    engine = Engine(chosen, _runner(chosen, estimator, loader, counted), counted)
    jobs = Jobs(chosen, engine, counted) if chosen.jobs_dir else None
    # The documentation pages of FastAPI load scripts from elsewhere; ours, at /docs, does not.
    app = FastAPI(
        title="mizzle",
        version=__version__,
        summary="Mutual information with calibrated intervals.",
        lifespan=_life(engine, jobs, counted),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        **telemetry.options(chosen.telemetry, (*PROBES, about_routes.METRICS)),
    )
    app.state.engine, app.state.jobs, app.state.metrics = engine, jobs, counted
    problems.install(app, counted)
    for routes in (
        estimate_routes.router(engine, chosen, counted),
        about_routes.facts(engine, chosen),
        job_routes.router(jobs, chosen),
        about_routes.probes(engine),
        about_routes.exposition(counted),
        page_routes.router(),
    ):
        app.include_router(routes)
    oip_routes.install(app, engine, chosen, counted)
    openapi.install(app)
    _surround(app, chosen, keys or Keys(), counted)
    return app


def _runner(settings: Settings, estimator: EstimatorLike | None, loader: str, counted: Metrics) -> Runner:
    if estimator is not None:
        return InProcess(estimator)
    weights = str(settings.weights) if settings.weights else None
    options = {"path": weights, "device": settings.device, "threads": settings.threads}
    options["log_json"] = settings.log_json
    return Worker(loader, options, counted)


def _life(engine: Engine, jobs: Jobs | None, counted: Metrics) -> Any:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        engine.start()
        if jobs is not None:
            jobs.start()
        lag = asyncio.create_task(sample_lag(counted, 0.5), name="mizzle-lag")
        try:
            yield
        finally:
            lag.cancel()
            with suppress(asyncio.CancelledError):
                await lag
            if jobs is not None:
                await jobs.close()
            await engine.close()

    return life


def _surround(app: FastAPI, settings: Settings, keys: Keys, counted: Metrics) -> None:
    """What every request passes; what is added last is passed first."""
    hosts, origins = names(settings.hosts), names(settings.origins)
    Guard(app, hosts, origins)  # a bad name is an error now, and not at the first request
    unlocked = (*PROBES, *page_routes.PATHS)
    if settings.metrics_open:
        unlocked = (*unlocked, about_routes.METRICS)
    quotas = Quotas(settings.key_concurrency, settings.key_rate)
    app.add_middleware(problems.Faults)
    app.add_middleware(Quota, quotas=quotas, exempt=unlocked, refused=counted.refused)
    app.add_middleware(Auth, keys=keys, open_paths=unlocked, refused=counted.refused)
    if origins:  # inside the guard, which refuses all others; outside of keys, which a preflight has not
        app.add_middleware(Cors, origins=origins)
    app.add_middleware(Guard, hosts=hosts, origins=origins, nameless=PROBES, pages=page_routes.PATHS)
    app.add_middleware(oip_errors.Errors)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HttpMetrics, metrics=counted)
    app.add_middleware(AccessLog)
    app.add_middleware(RequestId)
