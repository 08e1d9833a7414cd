"""The JSON objects of the Open Inference Protocol, for answers and for /openapi.json.

Requests are documented here and checked in `protocol`, for the reasons that `routes.schemas` gives.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mizzle.service.http import openapi
from mizzle.service.oip.protocol import LONGEST_ID
from mizzle.wire import BINARY, DEFAULT_LEVELS, JSON

_Datatype = Literal["FP16", "FP32", "FP64", "INT32", "INT64"]
_OutputName = Literal["mi", "median", "quantiles", "levels", "in_range", "warnings"]
_Size = Annotated[int, Field(ge=1, lt=2**48)]
_STRICT = ConfigDict(extra="forbid")


def _optional(**more: Any) -> Any:
    """A member that may be left out, and is never null."""
    return Field(None, json_schema_extra=_without_default, **more)


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class ServerMetadata(BaseModel):
    """The server and what it can do beyond the protocol."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """The server answers."""

    live: bool


class ServerReady(BaseModel):
    """The server can estimate."""

    ready: bool


class ModelReady(BaseModel):
    """The model can estimate."""

    name: str
    ready: bool


class TensorMetadata(BaseModel):
    """A tensor; -1 stands for any size."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """A model. Inputs may also have another datatype, or no batch axis; see the request."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class IndexEntry(BaseModel):
    """A model in the index."""

    name: str
    version: str
    state: Literal["READY"]
    reason: str


class IndexRequest(BaseModel):
    """Which models to list; there is one, so both answers are the same."""

    model_config = _STRICT

    ready: bool = False


class InputParameters(BaseModel):
    """How an input is sent."""

    model_config = _STRICT

    binary_data_size: int = _optional(
        ge=1, description="bytes that stand for the tensor behind the JSON object"
    )


class RequestInput(BaseModel):
    """x or y: `data`, or its bytes behind the JSON object."""

    model_config = _STRICT

    name: Literal["x", "y"]
    datatype: _Datatype
    shape: list[_Size] = Field(
        min_length=1,
        max_length=3,
        description="[n] or [n, d] for n rows of d columns, [b, n, d] for b problems of one shape",
    )
    data: list[Any] = _optional(
        description="finite numbers, row by row: flat, or nested as the shape. INT takes integers.",
    )
    parameters: InputParameters = _optional()


class OutputParameters(BaseModel):
    """How an output is answered."""

    model_config = _STRICT

    binary_data: bool = False


class RequestOutput(BaseModel):
    """An output to answer."""

    model_config = _STRICT

    name: _OutputName
    parameters: OutputParameters = _optional()


class RequestParameters(BaseModel):
    """What else may be asked of an inference."""

    model_config = _STRICT

    levels: str = Field(
        ",".join(map(repr, DEFAULT_LEVELS)),
        description='increasing quantile levels between commas, or "all" for every level of the model',
    )
    timeout: int = _optional(
        gt=0, lt=2**63, description="microseconds after which no answer is of use, written without a point"
    )
    binary_data_output: bool = Field(False, description="for the outputs that say nothing themselves")


class InferenceRequest(BaseModel):
    """Problems of one shape: row i of x was observed together with row i of y."""

    model_config = _STRICT

    id: str = _optional(max_length=LONGEST_ID, description="sent back as it came")
    model_name: str = _optional(description="as in the address")
    model_version: str = Field("", description="as in the address, or empty")
    parameters: RequestParameters = _optional()
    inputs: list[RequestInput] = Field(min_length=2, max_length=2)
    outputs: list[RequestOutput] = Field([], description="all of them where none is named")


class AnswerOutput(BaseModel):
    """An output: `data`, row by row, or the size of its bytes behind the JSON object."""

    name: str
    datatype: Literal["FP64", "BOOL", "BYTES"]
    shape: list[int]
    data: list[float] | list[bool] | list[str] | None = None
    parameters: dict[str, int] | None = None


class InferenceAnswer(BaseModel):
    """The estimates of b problems at q levels.

    `mi` (posterior mean), `median`, `in_range` and `warnings` (text: a JSON list of objects with `code` and
    `message`) have shape [b], `quantiles` [b, q] and `levels` [q].
    """

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, str] = Field(examples=[{"unit": "nats"}])
    outputs: list[AnswerOutput]


_BYTES = {"schema": {"type": "string", "format": "binary"}}
_SAMPLE = {"x": [i / 8 for i in range(12)], "y": [(-1) ** i * i / 4 for i in range(12)]}
_EXAMPLE = {
    "inputs": [
        {"name": name, "datatype": "FP64", "shape": [12, 1], "data": data} for name, data in _SAMPLE.items()
    ]
}


def inference_body(header: str) -> dict[str, Any]:
    """The documented body of an inference, and its headers."""
    length = {
        "name": header,
        "in": "header",
        "required": False,
        "description": "Bytes of the JSON object, where binary data stand behind it; at most the body's.",
        "schema": {"type": "integer", "minimum": 1},
    }
    content = {
        JSON: {"schema": openapi.inlined(InferenceRequest), "example": _EXAMPLE},
        BINARY: _BYTES,
    }
    body = {"required": True, "content": content}
    return {"requestBody": body, "parameters": [openapi.TIMEOUT, length]}


def binary_answer(header: str) -> dict[int | str, dict[str, Any]]:
    """What is documented of an answer besides its JSON."""
    length = {"description": "bytes of the JSON object", "schema": {"type": "integer"}}
    return {200: {"content": {BINARY: _BYTES}, "headers": {header: length}}}
