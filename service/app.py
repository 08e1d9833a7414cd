"""The application: what stands around the routes, and the life of the model behind them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI

from mizzle.estimator import EstimatorLike
from mizzle.service.http import openapi, problem_details
from mizzle.service.http.access_log import AccessLog
from mizzle.service.http.auth import Auth, Keys, is_loopback
from mizzle.service.http.cors import Cors
from mizzle.service.http.dependencies import Service
from mizzle.service.http.head import HeadAsGet
from mizzle.service.http.headers import SecurityHeaders
from mizzle.service.http.http_metrics import HttpMetrics
from mizzle.service.http.memory import RequestMemory
from mizzle.service.http.origin import Guard
from mizzle.service.http.quota import Quota, Quotas
from mizzle.service.http.request_id import RequestId
from mizzle.service.inference.engine import Engine
from mizzle.service.inference.models import Models
from mizzle.service.inference.runner import InProcess
from mizzle.service.inference.worker import Worker
from mizzle.service.jobs import routes as job_routes
from mizzle.service.jobs.manager import Jobs
from mizzle.service.oip import errors
from mizzle.service.oip import routes as oip_routes
from mizzle.service.routes import about, estimate, page, schemas
from mizzle.service.settings import Settings, names
from mizzle.service.telemetry import otel
from mizzle.service.telemetry.metrics import Metrics, sample_lag
from mizzle.version import __version__

LOADER = "mizzle.estimator:load"
PROBES = (*about.PROBES, *oip_routes.PROBES)


def create_app(
    settings: Settings | None = None,
    estimator: EstimatorLike | Sequence[EstimatorLike] | None = None,
    loader: str = LOADER,
    keys: Keys | None = None,
) -> FastAPI:
    """The service as an ASGI application.

    Args:
        settings: read from the environment when left out.
        estimator: a model to run in this process, or several; else they are loaded in worker processes.
        loader: what the worker process loads it with, `module:function`.
        keys: who may ask; everybody, when left out or empty.
    """
    settings, metrics = settings or Settings(), Metrics()
    models = Models(_engines(settings, estimator, loader, metrics))
    engine = models.first
    jobs = Jobs(settings, engine, metrics) if settings.has_jobs else None
    # The documentation pages of FastAPI load scripts from elsewhere; ours, at /docs, does not.
    app = FastAPI(
        title="mizzle",
        version=__version__,
        summary="Mutual information with calibrated intervals.",
        lifespan=_lifespan(models, jobs, metrics),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        **otel.options(settings.telemetry, (*PROBES, about.METRICS)),
    )
    app.state.models, app.state.engine, app.state.jobs, app.state.metrics = models, engine, jobs, metrics
    app.state.service = Service(models, settings, metrics, RequestMemory(settings))
    problem_details.install(app, metrics)
    for router in (
        estimate.router,
        about.router,
        job_routes.router,
        about.health,
        page.router,
        oip_routes.router,
    ):
        app.include_router(router)
    openapi.install(app, schemas.UNDECLARED)
    _add_middleware(app, settings, keys or Keys(), metrics)
    return app


def create_admin_app(app: FastAPI, settings: Settings) -> FastAPI:
    """The probes and metrics of an application as one of their own, without keys.

    On an address of this machine alone, pages must not read metrics under a false name; where the operator
    opened it to others, they ask by addresses that nobody knows before.
    """
    admin = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    admin.state = app.state
    admin.include_router(about.health)
    problem_details.install(admin, app.state.metrics)
    nameless = about.PROBES if is_loopback(settings.admin_host) else (*about.PROBES, about.METRICS)
    admin.add_middleware(HeadAsGet)
    admin.add_middleware(problem_details.Faults)
    admin.add_middleware(Guard, hosts=names(settings.hosts), nameless=nameless)
    admin.add_middleware(SecurityHeaders)
    admin.add_middleware(RequestId)
    return admin


def _engines(
    settings: Settings,
    estimator: EstimatorLike | Sequence[EstimatorLike] | None,
    loader: str,
    metrics: Metrics,
) -> list[Engine]:
    """One for each model, of which the first has `weights`, or those that ship."""
    if estimator is not None:
        estimators = estimator if isinstance(estimator, Sequence) else [estimator]
        metrics.expect(len(estimators))
        return [Engine(settings, InProcess(own), metrics) for own in estimators]
    first = _loader_options(settings)
    others = {name: value for name, value in first.items() if name != "sha256"}  # that of the first
    options = [first, *({**others, "path": path} for path in names(settings.models))]
    metrics.expect(len(options))
    workers = [Worker(loader, own, metrics) for own in options]
    metrics.watch_worker(lambda: workers[0].pid)
    # The second process of each starts with the first large problem, and leaves the cores to small ones.
    large = (Worker(loader, {**own, "niceness": 5}, metrics) for own in options)
    return [Engine(settings, own, metrics, other) for own, other in zip(workers, large, strict=True)]


def _loader_options(settings: Settings) -> dict[str, Any]:
    weights = str(settings.weights) if settings.weights else None
    options = {"path": weights, "device": settings.device, "threads": settings.threads}
    options["log_json"] = settings.log_json
    if settings.weights_sha256:
        options["sha256"] = settings.weights_sha256
    if settings.engine != "auto":  # which loaders of others need not know
        options["engine"] = settings.engine
    return options


def _lifespan(models: Models, jobs: Jobs | None, metrics: Metrics) -> Any:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        models.start()
        if jobs is not None:
            jobs.start()
        lag = asyncio.create_task(sample_lag(metrics, 0.5), name="mizzle-lag")
        try:
            yield
        finally:
            lag.cancel()
            with suppress(asyncio.CancelledError):
                await lag
            if jobs is not None:
                await jobs.close()
            await models.close()

    return life


def _add_middleware(app: FastAPI, settings: Settings, keys: Keys, metrics: Metrics) -> None:
    """What every request passes; what is added last is passed first."""
    hosts, origins = names(settings.hosts), names(settings.origins)
    Guard(app, hosts, origins)  # a bad name is an error now, and not at the first request
    unlocked = (*PROBES, *page.PATHS)
    if settings.metrics_open:
        unlocked = (*unlocked, about.METRICS)
    # Without keys all have the same name: a limit that nobody set would be one of the whole service.
    limited = bool(keys) or "key_concurrency" in settings.model_fields_set
    quotas = Quotas(settings.key_concurrency if limited else 0, settings.key_rate)
    app.add_middleware(HeadAsGet)
    app.add_middleware(problem_details.Faults)
    app.add_middleware(Quota, quotas=quotas, exempt=unlocked, refused=metrics.refused)
    app.add_middleware(Auth, keys=keys, open_paths=unlocked, refused=metrics.refused)
    if origins:  # inside the guard, which refuses all others; outside of keys, which a preflight has not
        app.add_middleware(Cors, origins=origins)
    app.add_middleware(Guard, hosts=hosts, origins=origins, nameless=PROBES, pages=page.PATHS)
    app.add_middleware(errors.Errors)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HttpMetrics, metrics=metrics)
    app.add_middleware(AccessLog)
    app.add_middleware(RequestId)
