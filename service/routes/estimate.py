"""POST /v1/estimate and /v1/estimate:batch: problems in three formats, answers in JSON."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from mizzle import wire
from mizzle.errors import InvalidInput, InvalidRequest, MizzleError
from mizzle.service.formats import registry
from mizzle.service.formats.problem import Problem, held_bytes
from mizzle.service.http import body, openapi
from mizzle.service.http.deadline import while_connected
from mizzle.service.http.dependencies import Service, admitted_caller, service_of
from mizzle.service.http.memory import Charge
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.routes import conditional, schemas
from mizzle.types import Estimate

T = TypeVar("T")
_REFUSALS = openapi.refusals(400, 401, 403, 404, 408, 413, 415, 421, 422, 429, 431, 500, 503, 504)

router = APIRouter(tags=["estimate"])
# Its functions have a summary and no docstring, which the document would publish.


@router.post(
    wire.PATH,
    operation_id="estimate",
    summary="Mutual information of one sample",
    response_model=schemas.EstimateAnswer,
    openapi_extra=schemas.request("EstimateRequest"),
    responses=_REFUSALS,
)
async def estimate(request: Request) -> Response:
    service, engine, caller = _let_in(request, body.least_numbers(request))
    with service.memory.charged(caller.key) as charge:
        problem = await _parsed(request, service, engine, charge, registry.parse_problem)
        charge.resize(held_bytes([problem]))
        answering = (
            engine.estimate(problem, caller)
            if problem.triple is None
            else _conditional(engine, problem, caller)
        )
        return _json(problem.answer(await while_connected(request, answering)))


@router.post(
    wire.BATCH_PATH,
    operation_id="estimate_batch",
    summary="Mutual information of many samples, of any shapes, answers in order",
    response_model=schemas.BatchAnswer,
    openapi_extra=schemas.request("BatchRequest"),
    responses=_REFUSALS,
)
async def estimate_batch(request: Request) -> Response:
    service, engine, caller = _let_in(request)
    with service.memory.charged(caller.key) as charge:
        limit = service.settings.max_request_problems
        problems = await _parsed(request, service, engine, charge, registry.parse_batch, limit)
        charge.resize(held_bytes(problems))
        answers = await while_connected(request, conditional.estimate_many(engine, problems, caller))
        return _json({"answers": [_item(*pair) for pair in zip(answers, problems, strict=True)]})


async def _conditional(engine: Engine, problem: Problem, caller: Caller) -> Estimate:
    """The estimate of one problem with what is given."""
    [answer] = await conditional.estimate_many(engine, [problem], caller)
    if isinstance(answer, MizzleError):
        raise answer
    return answer


def _let_in(request: Request, least_cells: int = 0) -> tuple[Service, Engine, Caller]:
    """Called and not depended upon: FastAPI's way to the same takes as long as reading the sample."""
    service = service_of(request)
    engine = service.models.named(_model(request))
    return service, engine, admitted_caller(request, service, least_cells, engine)


def _model(request: Request) -> str | None:
    """The model that a request names.

    Raises:
        InvalidRequest: it names several.
    """
    named = request.query_params.getlist(wire.MODEL)
    if len(named) > 1:
        raise InvalidRequest("the address names several models; name one")
    return named[0] if named else None


async def _parsed(
    request: Request, service: Service, engine: Engine, charge: Charge, parse: Callable[..., T], *options: Any
) -> T:
    """What the body of a request holds, as `parse` reads it."""
    settings, levels = service.settings, engine.levels
    query = request.query_params
    if wire.MODEL in query:
        query = QueryParams([item for item in query.multi_items() if item[0] != wire.MODEL])
    limits = settings.max_body_bytes, settings.max_json_bytes
    media, content = await body.read(request, registry.MEDIA_TYPES, charge, settings, *limits)
    start = time.perf_counter()
    try:
        arguments = media, content, query, levels, *options
        return await service.memory.read(charge, len(content), parse, *arguments)
    finally:
        service.metrics.decoded(media, time.perf_counter() - start)


def _item(answer: Estimate | MizzleError, problem: Problem | InvalidInput) -> dict[str, Any]:
    """An answer of a batch: an estimate, or what became of it instead."""
    if isinstance(answer, MizzleError):
        return {"error": wire.error(answer)}
    assert isinstance(problem, Problem)
    return {"estimate": problem.answer(answer)}


def _json(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value, allow_nan=False).encode(), media_type=wire.JSON)
