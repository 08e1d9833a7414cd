"""What the service says of itself: probes, metrics, models and limits."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mizzle import cost, wire
from mizzle.data.arrays import MIN_ROWS
from mizzle.errors import NotReady
from mizzle.service.formats.registry import MEDIA_TYPES
from mizzle.service.http import openapi
from mizzle.service.http.dependencies import Service, ServiceDep
from mizzle.service.inference.batcher import ALWAYS_ADMITTED
from mizzle.service.inference.engine import Engine
from mizzle.service.jobs import limits as job_limits
from mizzle.service.routes import schemas
from mizzle.service.telemetry import metrics

METRICS = "/metrics"
PROBES = ("/livez", wire.READY, "/startupz")

router, health = APIRouter(tags=["about"]), APIRouter(tags=["health"])
# Their functions have a summary and no docstring, which the document would publish.


@router.get(
    wire.LIMITS,
    operation_id="limits",
    summary="What this service takes at once",
    responses=openapi.refusals(401, 403, 503),
)
async def limits(service: ServiceDep) -> schemas.Limits:
    return schemas.Limits(**_limits(service))


@router.get(
    wire.MODELS,
    operation_id="models",
    summary="The models of this service",
    responses=openapi.refusals(401, 403, 503),
)
async def models(service: ServiceDep) -> schemas.Models:
    return schemas.Models(models=list(map(_card, service.models.engines)))


@router.get(
    wire.MODELS + "/{name}",
    operation_id="model",
    summary="One model: its weights, what it was trained on, where it runs",
    response_model=schemas.ModelCard,
    responses=openapi.refusals(401, 403, 404, 503),
)
async def model(name: str, service: ServiceDep) -> schemas.ModelCard:
    return _card(service.models.named(name))


@health.get("/livez", operation_id="livez", summary="Whether the process answers")
async def livez() -> schemas.Health:
    return schemas.Health(status="alive")


@health.get(
    "/startupz",
    operation_id="startupz",
    summary="Whether the model is loaded and warm",
    responses=openapi.refusals(503),
)
async def startupz(service: ServiceDep) -> schemas.Health:
    if service.models.starting:
        raise NotReady("the service is loading its model; ask again in a moment")
    assert all(engine.facts for engine in service.models.engines)  # or it raises what is the matter
    return schemas.Health(status="started")


@health.get(
    wire.READY,
    operation_id="readyz",
    summary="Whether a problem with a known answer is answered rightly",
    responses=openapi.refusals(503),
)
async def readyz(service: ServiceDep) -> schemas.Health:
    await service.models.check_health()
    return schemas.Health(status="ready")


@health.get(
    METRICS,
    operation_id="metrics",
    summary="Metrics in the formats of Prometheus",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
async def exposition(request: Request, service: ServiceDep) -> Response:
    content, media = metrics.render(service.metrics, request.headers.get("accept", ""))
    return Response(content, media_type=media)


def _card(engine: Engine) -> schemas.ModelCard:
    facts = engine.facts
    return schemas.ModelCard(
        **facts.info._asdict(),
        rows=facts.card.get("rows"),
        columns=facts.card.get("columns"),
        training=facts.card.get("training"),
        levels=list(facts.levels),
        device=facts.device,
        threads=facts.threads,
    )


def _limits(service: Service) -> dict[str, Any]:
    facts, batcher, settings = service.engine.facts, service.engine.batcher, service.settings
    return {
        "media_types": sorted(MEDIA_TYPES),
        "min_rows": MIN_ROWS,
        "max_columns": facts.max_columns,
        "max_body_bytes": settings.max_body_bytes,
        "max_json_bytes": min(settings.max_json_bytes, settings.max_body_bytes),
        "max_problem_cells": settings.max_problem_cells,
        "max_request_cells": settings.max_request_cells,
        "max_request_problems": settings.max_request_problems,
        "queue_cells": batcher.capacity,
        "cells_per_second": round(batcher.throughput.cells_per_second),
        "always_admitted_problems": ALWAYS_ADMITTED,
        "max_request_seconds": settings.request_seconds,
        "levels": [facts.levels[0], facts.levels[-1]],
        "cells": (
            f"rows x (2 x columns of the larger side + {cost.DISTANCE_CELLS}), both rounded up; "
            f"at most {cost.BLOCK_CELLS} for the {cost.DISTANCE_CELLS} a row"
        ),
        "jobs": job_limits.of(settings),
    }
