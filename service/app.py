"""The application: routes, their documentation, and the life of the model behind them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request

from mizzle import wire
from mizzle.estimator import EstimatorLike
from mizzle.service import body, openapi, problems, schemas
from mizzle.service.engine import Engine
from mizzle.service.settings import Settings
from mizzle.version import __version__


def create_app(settings: Settings | None = None, estimator: EstimatorLike | None = None) -> FastAPI:
    """The service as an ASGI application.

    Args:
        settings: read from the environment when left out.
        estimator: the model; loaded from `settings.weights` in the background when left out.
    """
    chosen = settings or Settings()
    engine = Engine(chosen, estimator)
    # The documentation pages of FastAPI load scripts from elsewhere; /openapi.json does not.
    app = FastAPI(
        title="mizzle",
        version=__version__,
        summary="Mutual information with calibrated intervals.",
        lifespan=_life(engine),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.engine = engine
    problems.install(app)
    _add_estimate(app, engine, chosen)
    _add_health(app, engine)
    openapi.install(app)
    return app


def _life(engine: Engine) -> Any:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        engine.start()
        try:
            yield
        finally:
            await engine.close()

    return life


def _add_estimate(app: FastAPI, engine: Engine, settings: Settings) -> None:
    @app.post(
        wire.PATH,
        operation_id="estimate",
        summary="Mutual information of one sample",
        tags=["estimate"],
        openapi_extra=openapi.REQUEST,
        responses=openapi.refusals(408, 413, 415, 422, 429, 500, 503),
    )
    async def estimate(request: Request) -> schemas.EstimateAnswer:
        content = await body.read(request, settings.max_body_bytes, settings.body_seconds)
        answer = await _while_connected(request, engine.answer(content))
        return schemas.EstimateAnswer.model_validate(answer)


def _add_health(app: FastAPI, engine: Engine) -> None:
    @app.get("/livez", operation_id="livez", summary="Whether the process answers", tags=["health"])
    async def livez() -> schemas.Health:
        return schemas.Health(status="alive")

    @app.get(
        wire.READY,
        operation_id="readyz",
        summary="Whether a problem with a known answer is answered rightly",
        tags=["health"],
        responses=openapi.refusals(503),
    )
    async def readyz() -> schemas.Health:
        await engine.prove()
        return schemas.Health(status="ready")


async def _while_connected(request: Request, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """The result of `work`, which is cancelled when the caller hangs up.

    Raises:
        ClientDisconnect: the caller has gone.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for pending in (task, gone):
            pending.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await pending


async def _disconnected(request: Request) -> None:
    """Returns when the connection ends; the body has been read, so nothing else can arrive."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
