"""POST /v1/estimate and /v1/estimate:batch: problems in three formats, answers in JSON."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mizzle import wire
from mizzle.errors import MizzleError
from mizzle.service.formats import registry
from mizzle.service.http import body, openapi
from mizzle.service.http.deadline import beside, caller, while_connected
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.inference.observer import Observer
from mizzle.service.routes import schemas
from mizzle.service.settings import Settings

T = TypeVar("T")
_REFUSALS = (400, 401, 403, 408, 413, 415, 421, 422, 429, 431, 500, 503, 504)


def router(engine: Engine, settings: Settings, observer: Observer) -> APIRouter:
    """The routes that estimate."""
    routes, estimates = APIRouter(tags=["estimate"]), Estimates(engine, settings, observer)

    @routes.post(
        wire.PATH,
        operation_id="estimate",
        summary="Mutual information of one sample",
        response_model=schemas.EstimateAnswer,
        openapi_extra=openapi.request("EstimateRequest"),
        responses=openapi.refusals(*_REFUSALS),
    )
    async def estimate(request: Request) -> Response:
        return await estimates.one(request)

    @routes.post(
        wire.BATCH_PATH,
        operation_id="estimate_batch",
        summary="Mutual information of many samples, of any shapes, answers in order",
        response_model=schemas.BatchAnswer,
        openapi_extra=openapi.request("BatchRequest"),
        responses=openapi.refusals(*_REFUSALS),
    )
    async def estimate_batch(request: Request) -> Response:
        return await estimates.many(request)

    return routes


class Estimates:
    """From a request to its answer, for one problem and for many.

    Args:
        observer: told of the bodies that were read.
    """

    def __init__(self, engine: Engine, settings: Settings, observer: Observer) -> None:
        self._engine = engine
        self._settings = settings
        self._observer = observer

    async def one(self, request: Request) -> Response:
        """The estimate of a problem."""
        who, asked = await self._asked(request, registry.parse_problem)
        answer = await while_connected(request, self._engine.estimate(asked, who))
        return _json(wire.answer(answer, asked.levels))

    async def many(self, request: Request) -> Response:
        """What became of each of many problems."""
        most = self._settings.max_request_problems
        who, asked = await self._asked(request, registry.parse_batch, most)
        answers = await while_connected(request, self._engine.estimate_many(asked, who))
        chosen = [getattr(one, "levels", None) for one in asked]
        return _json({"answers": [_one(a, q) for a, q in zip(answers, chosen, strict=True)]})

    async def _asked(self, request: Request, parse: Callable[..., T], *rest: Any) -> tuple[Caller, T]:
        """Who asks, and what their body holds; not read while there is no room for any answer."""
        s, engine = self._settings, self._engine
        who, levels = caller(request, s.request_seconds), engine.levels
        engine.check_capacity(who)
        limits = s.max_body_bytes, s.body_seconds, s.max_json_bytes
        media, content = await body.read(request, registry.MEDIA_TYPES, *limits)
        start = time.perf_counter()
        try:
            arguments = (media, content, request.query_params, levels, *rest)
            return who, await beside(len(content), parse, *arguments)
        finally:
            self._observer.decoded(media, time.perf_counter() - start)


def _one(answer: Any, levels: tuple[float, ...] | None) -> dict[str, Any]:
    """An answer of a batch: an estimate, or what became of it instead."""
    if isinstance(answer, MizzleError):
        return {"error": wire.error(answer)}
    return {"estimate": wire.answer(answer, levels)}


def _json(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value, allow_nan=False).encode(), media_type="application/json")
