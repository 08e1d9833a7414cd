"""/v2: the Open Inference Protocol over HTTP, for the clients of KServe and Triton.

A refusal is a problem (RFC 9457) with one more member `error`, the form that this protocol gives its errors;
see `mizzle.service.oip.errors`, which has to stand around these routes.
"""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mizzle.errors import MizzleError, NoSuchModel
from mizzle.service.formats.problem import held_bytes
from mizzle.service.http import body, openapi
from mizzle.service.http.auth import caller_name
from mizzle.service.http.deadline import run_in_thread_if_large, while_connected
from mizzle.service.http.dependencies import Service, ServiceDep, admitted_caller
from mizzle.service.http.memory import Charge
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.oip import protocol, schemas
from mizzle.service.oip.errors import ROOT
from mizzle.service.oip.tensors import HEADER, of_problem
from mizzle.types import Estimate, ModelInfo
from mizzle.version import __version__
from mizzle.wire import BINARY, JSON

PROBES = (f"{ROOT}/health/live", f"{ROOT}/health/ready")
_MODEL = "/models/{name}"
_VERSION = _MODEL + "/versions/{version}"
_INDEX_BYTES = 1024
_NUMBER_BYTES = 24  # of a float as JSON, at most
_AXES = {"levels": 1, "quantiles": 2}  # of outputs that have not one number for each problem
_BODY_REFUSALS = (400, 401, 403, 408, 413, 415, 421, 422, 429, 431)
# Never 422, as any text may stand in an address; unsaid, FastAPI would document it, in a form of its own.
_MODEL_REFUSALS = openapi.refusals(401, 403, 404, 422, 503)
_READY: dict[str, Any] = {
    "summary": "Whether the model answers a known problem rightly",
    "responses": _MODEL_REFUSALS,
}
_INFER: dict[str, Any] = {
    "summary": "Mutual information of the samples in x and y",
    "response_model": schemas.InferenceAnswer,
    "openapi_extra": schemas.inference_body(HEADER),
    "responses": openapi.refusals(*_BODY_REFUSALS, 404, 500, 503, 504) | schemas.binary_answer(HEADER),
}

router = APIRouter(prefix=ROOT, tags=["open inference protocol"])
# Its functions have a summary and no docstring, which the document would publish.


async def _model(name: str, service: ServiceDep) -> Engine:
    """The engine of the model that was named.

    Raises:
        HTTPException: 404, there is no such model.
        NotReady, ModelUnavailable: there is none, yet or for good.
    """
    try:
        return service.models.named(name)
    except NoSuchModel:
        raise HTTPException(404) from None


ModelDep = Annotated[Engine, Depends(_model)]


async def _version(name: str, version: str, service: ServiceDep) -> Engine:
    """As `_model`, in the version that was named."""
    engine = await _model(name, service)
    if version != engine.info.version:
        raise HTTPException(404)
    return engine


VersionDep = Annotated[Engine, Depends(_version)]


async def _let_in(request: Request, engine: ModelDep, service: ServiceDep) -> Caller:
    return admitted_caller(request, service, engine=engine)


AdmittedCaller = Annotated[Caller, Depends(_let_in)]


@router.get(
    "",
    operation_id="oip_server",
    summary="The server, and the extensions of the protocol that it knows",
    responses=openapi.refusals(401, 403),
)
async def server() -> schemas.ServerMetadata:
    return schemas.ServerMetadata(name="mizzle", version=__version__, extensions=["binary_tensor_data"])


@router.get(
    "/health/live",
    operation_id="oip_live",
    summary="Whether the process answers",
    responses=openapi.refusals(401, 403),
)
async def live() -> schemas.ServerLive:
    return schemas.ServerLive(live=True)


@router.get(
    "/health/ready",
    operation_id="oip_ready",
    summary="Whether a problem with a known answer is answered rightly",
    responses=openapi.refusals(401, 403, 503),
)
async def ready(service: ServiceDep) -> schemas.ServerReady:
    await service.models.check_health()
    return schemas.ServerReady(ready=True)


@router.get(_MODEL, operation_id="oip_model", summary="A model", responses=_MODEL_REFUSALS)
async def model(engine: ModelDep) -> schemas.ModelMetadata:
    return _metadata(engine.info)


@router.get(_VERSION, operation_id="oip_version", summary="A version of a model", responses=_MODEL_REFUSALS)
async def version(engine: VersionDep) -> schemas.ModelMetadata:
    return _metadata(engine.info)


@router.get(_MODEL + "/ready", operation_id="oip_model_ready", **_READY)
async def model_ready(engine: ModelDep) -> schemas.ModelReady:
    return await _ready(engine)


@router.get(_VERSION + "/ready", operation_id="oip_version_ready", **_READY)
async def version_ready(engine: VersionDep) -> schemas.ModelReady:
    return await _ready(engine)


@router.post(
    "/repository/index",
    operation_id="oip_index",
    summary="The models of this service",
    openapi_extra={"requestBody": {"content": {JSON: {"schema": openapi.inlined(schemas.IndexRequest)}}}},
    responses=openapi.refusals(*_BODY_REFUSALS, 503),
)
async def index(request: Request, service: ServiceDep) -> list[schemas.IndexEntry]:
    infos = [engine.info for engine in service.models.engines]
    with service.memory.charged(caller_name(request.scope)) as charge:
        protocol.check_index(await _body(request, _INDEX_BYTES, service, charge))
    return [
        schemas.IndexEntry(name=info.name, version=info.version, state="READY", reason="") for info in infos
    ]


@router.post(_MODEL + "/infer", operation_id="oip_infer", **_INFER)
async def infer(request: Request, engine: ModelDep, service: ServiceDep, caller: AdmittedCaller) -> Response:
    with service.memory.charged(caller.key) as charge:
        return await _inferred(request, engine, service, caller, charge)


@router.post(_VERSION + "/infer", operation_id="oip_version_infer", **_INFER)
async def version_infer(
    request: Request, engine: VersionDep, service: ServiceDep, caller: AdmittedCaller
) -> Response:
    with service.memory.charged(caller.key) as charge:
        return await _inferred(request, engine, service, caller, charge)


def _metadata(info: ModelInfo) -> schemas.ModelMetadata:
    """What the model takes and gives."""
    return schemas.ModelMetadata(
        name=info.name,
        versions=[info.version],
        platform="mizzle_safetensors",
        inputs=[_tensor(side, "FP64", 3) for side in "xy"],
        outputs=[_tensor(output, kind, _AXES.get(output, 1)) for output, kind in protocol.OUTPUTS.items()],
    )


def _tensor(name: str, datatype: str, axes: int) -> schemas.TensorMetadata:
    return schemas.TensorMetadata(name=name, datatype=datatype, shape=[-1] * axes)


async def _ready(engine: Engine) -> schemas.ModelReady:
    await engine.check_health()
    return schemas.ModelReady(name=engine.info.name, ready=True)


async def _inferred(
    request: Request, engine: Engine, service: Service, caller: Caller, charge: Charge
) -> Response:
    """The answer to an inference.

    Raises:
        MizzleError: of the request as a whole, or of the first problem that has no estimate.
    """
    start = time.monotonic()
    content = await _body(request, service.settings.max_body_bytes, service, charge)
    inference = await _read(content, request.headers.getlist(HEADER), engine, service, charge)
    del content
    charge.resize(held_bytes(inference.problems))
    if inference.seconds is not None:
        caller = caller._replace(deadline=min(caller.deadline, start + inference.seconds))
    estimates = await while_connected(request, _estimates(inference, caller, engine))
    levels = inference.problems[0].levels or estimates[0].levels
    size = _NUMBER_BYTES * len(estimates) * len(levels)
    return _response(*await run_in_thread_if_large(size, protocol.write, inference, estimates))


async def _body(request: Request, max_bytes: int, service: Service, charge: Charge) -> bytes:
    """The clients of Triton name no media type; where it is missing the content has to tell."""
    media_types = {JSON, BINARY} | ({""} if not request.headers.get("content-type") else set())
    _, content = await body.read(request, media_types, charge, service.settings, max_bytes)
    return content


async def _read(
    content: bytes, lengths: list[str], engine: Engine, service: Service, charge: Charge
) -> protocol.Inference:
    start, length = time.perf_counter(), ",".join(lengths) if lengths else None  # of two, none is valid
    settings = service.settings
    limits = settings.max_request_problems, settings.max_json_bytes
    try:
        arguments = content, length, engine.info, engine.levels, *limits
        return await service.memory.read(charge, len(content), protocol.read, *arguments)
    finally:
        service.metrics.decoded(JSON if length is None else BINARY, time.perf_counter() - start)


async def _estimates(inference: protocol.Inference, caller: Caller, engine: Engine) -> list[Estimate]:
    if len(inference.problems) == 1:
        return [await engine.estimate(inference.problems[0], caller)]
    estimates = []
    for i, answer in enumerate(await engine.estimate_many(inference.problems, caller)):
        if isinstance(answer, MizzleError):
            raise of_problem(i, answer)
        estimates.append(answer)
    return estimates


def _response(content: bytes, length: int | None) -> Response:
    if length is None:
        return Response(content, media_type=JSON)
    return Response(content, headers={HEADER: str(length)}, media_type=BINARY)
