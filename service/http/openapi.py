"""What /openapi.json says beyond what FastAPI finds by itself: every refusal, and models of requests."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.responses import Response

from mizzle.service.http import problem_details

PATH = "/openapi.json"
REFERENCE = "#/components/schemas/{model}"
_MEANINGS = {
    400: "The body cannot be read as the format that it claims to be.",
    401: "No valid API key came with the request.",
    403: "The request comes from a page of another site.",
    404: "There is no such model.",
    408: "The body took too long to arrive.",
    413: "The body, or the problem in it, is larger than this service takes.",
    415: "The body is of another media type, or is encoded.",
    421: "This service does not answer for the host that was named.",
    422: "The body is no valid problem; `code` says of which kind and `detail` where.",
    429: "Too much work is waiting, or this key has asked too often; see Retry-After.",
    431: "The request has more or longer headers than this service takes.",
    500: "The service failed; the fault is ours.",
    503: "The service is loading, stopping or without a model; see Retry-After.",
    504: "The answer was not there in the time that X-Request-Timeout gave.",
}
TIMEOUT = {
    "name": "X-Request-Timeout",
    "in": "header",
    "required": False,
    "description": "Seconds after which an answer is of no use to the caller.",
    "schema": {"type": "number", "exclusiveMinimum": 0},
}


def refusals(*statuses: int, meanings: Mapping[int, str] | None = None) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route.

    Args:
        meanings: of statuses that mean something else there.
    """
    words = {**_MEANINGS, **(meanings or {})}
    schema = {"$ref": REFERENCE.format(model="Problem")}
    return {
        status: {
            "description": words[status],
            "content": {problem_details.MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a request, without references: no route declares the models that it is made of."""
    schema = model.model_json_schema()
    known = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        target = known.get(str(part.get("$ref", "")).rpartition("/")[2], {})
        return {key: resolved(value) for key, value in (target | part).items() if key != "$ref"}

    inlined_schema: dict[str, Any] = resolved(schema)
    return inlined_schema


def install(app: FastAPI, models: Iterable[type[BaseModel]]) -> None:
    """Adds the schemas of models that no route declares to the document, and serves it at `PATH`."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, models)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend

    @cache
    def text() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()

    # FastAPI's own route would write the document for every reader, which holds all others up for ten
    # milliseconds each time.
    @app.get(PATH, include_in_schema=False)
    async def described() -> Response:
        return Response(text(), media_type="application/json")


def _document(app: FastAPI, models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    known = document.setdefault("components", {}).setdefault("schemas", {})
    for model in models:
        described = model.model_json_schema(ref_template=REFERENCE)
        known |= described.pop("$defs", {})
        known[model.__name__] = described
    known_schemes = document["components"].setdefault("securitySchemes", {})
    known_schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    known_schemes["header"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    document["security"] = [{}, {"bearer": []}, {"header": []}]
    return document
