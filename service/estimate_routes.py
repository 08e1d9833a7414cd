"""POST /v1/estimate and /v1/estimate:batch: problems in three formats, answers in JSON."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mizzle import wire
from mizzle.errors import MizzleError
from mizzle.service import body, formats, openapi, schemas
from mizzle.service.context import caller, while_connected
from mizzle.service.engine import Engine
from mizzle.service.observer import Observer
from mizzle.service.settings import Settings

T = TypeVar("T")
_REFUSALS = (400, 401, 403, 408, 413, 415, 421, 422, 429, 431, 500, 503, 504)


def router(engine: Engine, settings: Settings, observer: Observer) -> APIRouter:
    """The routes that estimate."""
    routes = APIRouter(tags=["estimate"])

    async def read(request: Request) -> tuple[str, bytes]:
        limit, seconds = settings.max_body_bytes, settings.body_seconds
        return await body.read(request, formats.MEDIA_TYPES, limit, seconds)

    async def parsed(parse: Callable[..., T], media: str, content: bytes, *rest: Any) -> T:
        """What a body holds; large ones are read beside the event loop."""
        start = time.perf_counter()
        try:
            if len(content) <= formats.INLINE_BYTES:
                return parse(media, content, *rest)
            return await asyncio.to_thread(parse, media, content, *rest)
        finally:
            observer.decoded(media, time.perf_counter() - start)

    @routes.post(
        wire.PATH,
        operation_id="estimate",
        summary="Mutual information of one sample",
        response_model=schemas.EstimateAnswer,
        openapi_extra=openapi.request("EstimateRequest"),
        responses=openapi.refusals(*_REFUSALS),
    )
    async def estimate(request: Request) -> Response:
        who, levels = caller(request, settings.request_seconds), engine.levels
        engine.knock(who)
        media, content = await read(request)
        asked = await parsed(formats.read_one, media, content, request.query_params, levels)
        answer = await while_connected(request, engine.estimate(asked, who))
        return _json(wire.answer(answer, asked.levels))

    @routes.post(
        wire.BATCH_PATH,
        operation_id="estimate_batch",
        summary="Mutual information of many samples, of any shapes, answers in order",
        response_model=schemas.BatchAnswer,
        openapi_extra=openapi.request("BatchRequest"),
        responses=openapi.refusals(*_REFUSALS),
    )
    async def estimate_batch(request: Request) -> Response:
        who, levels = caller(request, settings.request_seconds), engine.levels
        engine.knock(who)
        media, content = await read(request)
        most = settings.max_request_problems
        asked = await parsed(formats.read_many, media, content, request.query_params, levels, most)
        answers = await while_connected(request, engine.estimate_many(asked, who))
        chosen = [getattr(one, "levels", None) for one in asked]
        return _json({"answers": [_one(a, q) for a, q in zip(answers, chosen, strict=True)]})

    return routes


def _one(answer: Any, levels: tuple[float, ...] | None) -> dict[str, Any]:
    """An answer of a batch: an estimate, or what became of it instead."""
    if isinstance(answer, MizzleError):
        return {"error": wire.error(answer)}
    return {"estimate": wire.answer(answer, levels)}


def _json(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value, allow_nan=False).encode(), media_type="application/json")
