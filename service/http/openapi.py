"""What /openapi.json says beyond what FastAPI finds by itself: the requests, and every refusal."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mizzle.service.formats.registry import JSON, MAX_LEVELS, NPY, SAFETENSORS
from mizzle.service.http import problem_details
from mizzle.service.routes import schemas

_TEMPLATE = "#/components/schemas/{model}"
_SAMPLE = {"x": [[i / 8] for i in range(12)], "y": [(-1) ** i * i / 4 for i in range(12)]}
_EXAMPLES: dict[str, Any] = {"EstimateRequest": _SAMPLE, "BatchRequest": {"problems": [_SAMPLE, _SAMPLE]}}
_METADATA = '`__metadata__` may hold `levels`, as text: numbers between commas, or "all".'
# What a schema cannot say of a body that is no JSON, by media type.
_BINARY = {
    "EstimateRequest": {
        SAFETENSORS: f"Two tensors, x and y, of shape [n] or [n, d] each. {_METADATA}",
        NPY: "One array of shape [n, d]: the first `dim_x` columns are x, the others y.",
    },
    "BatchRequest": {
        SAFETENSORS: f"Tensors x.0, y.0, x.1, y.1 and so on, of shape [n] or [n, d] each. {_METADATA}",
    },
}
_ONLY_NPY = f"Only with a body of {NPY}; with any other media type an address that has this is refused (422)."
_LEVEL = r"[0-9]{0,3}\.?[0-9]{1,30}([eE][+-]?[0-9]{1,3})?"  # as `asked` reads it
_LEVELS = {
    "type": "string",
    "pattern": f"^(all|{_LEVEL}(,{_LEVEL}){{0,{MAX_LEVELS - 1}}})$",
    "description": 'Increasing quantile levels within the model\'s own, or "all" for all of these.',
}
_DIM_X = {
    "type": "integer",
    "minimum": 1,
    "description": "How many of the first columns are x; of two columns, the first where this is missing.",
}
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


def request(model: str) -> dict[str, Any]:
    """The documented body and parameters of a route that takes JSON and binary formats."""
    example = {"schema": {"$ref": _TEMPLATE.format(model=model)}, "example": _EXAMPLES[model]}
    content = {JSON: example} | {media: _bytes(text) for media, text in _BINARY[model].items()}
    parameters = [TIMEOUT]
    if NPY in content:
        parameters += [_query("dim_x", _DIM_X), _query("levels", _LEVELS)]
    return {"requestBody": {"required": True, "content": content}, "parameters": parameters}


def _bytes(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "description": description}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of the address; `schema` says what it is, in words."""
    words = f"{schema['description']} {_ONLY_NPY}"
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": "query", "required": False, "description": words, "schema": rest}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route."""
    schema = {"$ref": _TEMPLATE.format(model="Problem")}
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {problem_details.MEDIA_TYPE: {"schema": schema}},
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
    for model in (schemas.EstimateRequest, schemas.BatchRequest, schemas.Problem):
        described = model.model_json_schema(ref_template=_TEMPLATE)
        known |= described.pop("$defs", {})
        known[model.__name__] = described
    known_schemes = document["components"].setdefault("securitySchemes", {})
    known_schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    known_schemes["header"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    document["security"] = [{}, {"bearer": []}, {"header": []}]
    return document
