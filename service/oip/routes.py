"""/v2: the Open Inference Protocol over HTTP, for the clients of KServe and Triton.

A refusal is a problem (RFC 9457) with one more member `error`, the form that this protocol gives its errors;
see `oip_errors`.
"""

import time
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mizzle.errors import MizzleError
from mizzle.service.http import body, openapi
from mizzle.service.http.deadline import beside, caller, while_connected
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.inference.observer import Observer
from mizzle.service.oip import protocol, schemas
from mizzle.service.oip.errors import ROOT
from mizzle.service.oip.tensors import HEADER, of_problem
from mizzle.service.settings import Settings
from mizzle.types import Estimate, ModelInfo
from mizzle.version import __version__

T = TypeVar("T")
PROBES = (f"{ROOT}/health/live", f"{ROOT}/health/ready")
_JSON, _BINARY = "application/json", "application/octet-stream"
_MODEL = "/models/{name}"
_VERSION = _MODEL + "/versions/{version}"
_INDEX_BYTES = 1024
_NUMBER_BYTES = 24  # of a float as JSON, at most
_READ = (400, 401, 403, 408, 413, 415, 421, 422, 429, 431)


def install(app: FastAPI, engine: Engine, settings: Settings, observer: Observer | None = None) -> None:
    """Adds the routes to an application; `oip_errors.Errors` has to stand around it."""
    served = Served(engine, settings, observer or Observer())
    for routes in (_server(engine), _models(served), _inferences(served)):
        app.include_router(routes)


class Served:
    """The one model of the service, as this protocol sees it.

    Args:
        observer: told of the bodies that were read.
    """

    def __init__(self, engine: Engine, settings: Settings, observer: Observer) -> None:
        self._engine = engine
        self._settings = settings
        self._observer = observer

    def model(self, name: str, version: str | None = None) -> ModelInfo:
        """The model, if it is the one that was named.

        Raises:
            HTTPException: 404, it is not.
            NotReady, ModelUnavailable: there is none, yet or for good.
        """
        info = self._engine.info
        if name != info.name or version not in (None, info.version):
            raise HTTPException(404)
        return info

    def metadata(self, name: str, version: str | None = None) -> schemas.ModelMetadata:
        """What the model takes and gives; errors as `model`."""
        info = self.model(name, version)
        axes = {"levels": 1, "quantiles": 2}
        return schemas.ModelMetadata(
            name=info.name,
            versions=[info.version],
            platform="mizzle_safetensors",
            inputs=[_tensor(side, "FP64", 3) for side in "xy"],
            outputs=[_tensor(output, kind, axes.get(output, 1)) for output, kind in protocol.OUTPUTS.items()],
        )

    async def ready(self, name: str, version: str | None = None) -> schemas.ModelReady:
        """Whether the model answers rightly; errors as `model`."""
        info = self.model(name, version)
        await self._engine.check_health()
        return schemas.ModelReady(name=info.name, ready=True)

    async def index(self, request: Request) -> list[schemas.IndexEntry]:
        """The models of the service; errors as `model`, and those of a body."""
        info = self._engine.info
        protocol.check_index(await self._body(request, _INDEX_BYTES))
        return [schemas.IndexEntry(name=info.name, version=info.version, state="READY", reason="")]

    async def infer(self, request: Request, name: str, version: str | None = None) -> Response:
        """The answer to an inference.

        Raises:
            MizzleError: of the request as a whole, or of the first problem that has no estimate.
        """
        start, info = time.monotonic(), self.model(name, version)
        who = caller(request, self._settings.request_seconds)
        self._engine.check_capacity(who)  # no body is read while there is no room for any answer
        content = await self._body(request, self._settings.max_body_bytes)
        asked = await self._read(content, request.headers.getlist(HEADER), info)
        if asked.seconds is not None:
            who = who._replace(deadline=min(who.deadline, start + asked.seconds))
        estimates = await while_connected(request, self._estimates(asked, who))
        size = _NUMBER_BYTES * len(estimates) * len(asked.problems[0].levels or estimates[0].levels)
        return _response(*await beside(size, protocol.write, asked, estimates))

    async def _body(self, request: Request, most: int) -> bytes:
        """The clients of Triton name no media type; where it is missing the content has to tell."""
        media_types = {_JSON, _BINARY} | ({""} if not request.headers.get("content-type") else set())
        _, content = await body.read(request, media_types, most, self._settings.body_seconds)
        return content

    async def _read(self, content: bytes, lengths: list[str], info: ModelInfo) -> protocol.Inference:
        start, length = time.perf_counter(), ",".join(lengths) if lengths else None  # of two, none is valid
        levels, s = self._engine.levels, self._settings
        limits = s.max_request_problems, s.max_json_bytes
        try:
            return await beside(len(content), protocol.read, content, length, info, levels, *limits)
        finally:
            media = _JSON if length is None else _BINARY
            self._observer.decoded(media, time.perf_counter() - start)

    async def _estimates(self, asked: protocol.Inference, who: Caller) -> list[Estimate]:
        if len(asked.problems) == 1:
            return [await self._engine.estimate(asked.problems[0], who)]
        found = []
        for i, answer in enumerate(await self._engine.estimate_many(asked.problems, who)):
            if isinstance(answer, MizzleError):
                raise of_problem(i, answer)
            found.append(answer)
        return found


def _response(content: bytes, length: int | None) -> Response:
    if length is None:
        return Response(content, media_type=_JSON)
    return Response(content, headers={HEADER: str(length)}, media_type=_BINARY)


def _tensor(name: str, datatype: str, axes: int) -> schemas.TensorMetadata:
    return schemas.TensorMetadata(name=name, datatype=datatype, shape=[-1] * axes)


def _router() -> APIRouter:
    return APIRouter(prefix=ROOT, tags=["open inference protocol"])


def _server(engine: Engine) -> APIRouter:
    routes = _router()

    @routes.get(
        "",
        operation_id="oip_server",
        summary="The server, and the extensions of the protocol that it knows",
        responses=openapi.refusals(401, 403),
    )
    async def server() -> schemas.ServerMetadata:
        extensions = ["binary_tensor_data"]
        return schemas.ServerMetadata(name="mizzle", version=__version__, extensions=extensions)

    @routes.get(
        "/health/live",
        operation_id="oip_live",
        summary="Whether the process answers",
        responses=openapi.refusals(401, 403),
    )
    async def live() -> schemas.ServerLive:
        return schemas.ServerLive(live=True)

    @routes.get(
        "/health/ready",
        operation_id="oip_ready",
        summary="Whether a problem with a known answer is answered rightly",
        responses=openapi.refusals(401, 403, 503),
    )
    async def ready() -> schemas.ServerReady:
        await engine.check_health()
        return schemas.ServerReady(ready=True)

    return routes


def _models(served: Served) -> APIRouter:
    routes = _router()
    # Never 422, as any text may stand in an address; unsaid, FastAPI would document it, in a form of its own.
    refusals = openapi.refusals(401, 403, 404, 422, 503)

    @routes.get(_MODEL, operation_id="oip_model", summary="A model", responses=refusals)
    async def model(name: str) -> schemas.ModelMetadata:
        return served.metadata(name)

    @routes.get(_VERSION, operation_id="oip_version", summary="A version of a model", responses=refusals)
    async def version(name: str, version: str) -> schemas.ModelMetadata:
        return served.metadata(name, version)

    summary = "Whether the model answers a known problem rightly"

    @routes.get(_MODEL + "/ready", operation_id="oip_model_ready", summary=summary, responses=refusals)
    async def model_ready(name: str) -> schemas.ModelReady:
        return await served.ready(name)

    @routes.get(_VERSION + "/ready", operation_id="oip_version_ready", summary=summary, responses=refusals)
    async def version_ready(name: str, version: str) -> schemas.ModelReady:
        return await served.ready(name, version)

    @routes.post(
        "/repository/index",
        operation_id="oip_index",
        summary="The models of this service",
        openapi_extra={
            "requestBody": {"content": {_JSON: {"schema": schemas.inlined(schemas.IndexRequest)}}}
        },
        responses=openapi.refusals(*_READ, 503),
    )
    async def index(request: Request) -> list[schemas.IndexEntry]:
        return await served.index(request)

    return routes


def _inferences(served: Served) -> APIRouter:
    routes = _router()
    documented: dict[str, Any] = {
        "summary": "Mutual information of the samples in x and y",
        "response_model": schemas.InferenceAnswer,
        "openapi_extra": schemas.inference_body(HEADER),
        "responses": openapi.refusals(*_READ, 404, 500, 503, 504) | schemas.binary_answer(HEADER),
    }

    @routes.post(_MODEL + "/infer", operation_id="oip_infer", **documented)
    async def infer(request: Request, name: str) -> Response:
        return await served.infer(request, name)

    @routes.post(_VERSION + "/infer", operation_id="oip_version_infer", **documented)
    async def version_infer(request: Request, name: str, version: str) -> Response:
        return await served.infer(request, name, version)

    return routes
