"""What /openapi.json says beyond what FastAPI finds by itself: the request, and every refusal."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mizzle.service import problems, schemas

_TEMPLATE = "#/components/schemas/{model}"
_EXAMPLE = {"x": [[i / 8] for i in range(12)], "y": [(-1) ** i * i / 4 for i in range(12)]}
REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": _TEMPLATE.format(model="EstimateRequest")},
                "example": _EXAMPLE,
            }
        },
    }
}
_MEANINGS = {
    408: "The body took too long to arrive.",
    413: "The body, or the problem in it, is larger than this service takes.",
    415: "The body is not application/json in UTF-8.",
    422: "The body is no valid problem; `code` says of which kind and `detail` where.",
    429: "Too many problems are waiting; see Retry-After.",
    500: "The service failed; the fault is ours.",
    503: "The service is loading, stopping or without a model; see Retry-After.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route."""
    schema = {"$ref": _TEMPLATE.format(model="Problem")}
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {problems.MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Adds the schemas that no route declares to the document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    known = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (schemas.EstimateRequest, schemas.Problem):
        known[model.__name__] = model.model_json_schema(ref_template=_TEMPLATE)
    return document
