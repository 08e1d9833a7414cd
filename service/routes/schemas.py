"""The JSON objects of the interface, for answers and for /openapi.json.

Requests are documented here and checked in `formats`: pydantic is slow on numbers by the million,
takes some that are none, and would repeat the data in its complaints.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mizzle import wire
from mizzle.data.arrays import MIN_ROWS
from mizzle.data.samples import Missing
from mizzle.service.formats.problem import LEVEL_PATTERN, MAX_LEVELS
from mizzle.service.http import openapi
from mizzle.service.jobs.limits import JobLimits
from mizzle.types import DEFAULT_UNIT, Unit
from mizzle.wire import DEFAULT_LEVELS, JSON, NPY, SAFETENSORS

_Cell = float | bool | str | None
_Row = Annotated[list[_Cell], Field(min_length=1)]
_Rows = Field(min_length=MIN_ROWS)  # of either kind of table: of their union, pydantic would make minLength
_Table = Annotated[list[_Row], _Rows] | Annotated[list[_Cell], _Rows]
_Level = Annotated[float, Field(gt=0, lt=1)]


class EstimateRequest(BaseModel):
    """One problem: row i of x was observed together with row i of y."""

    model_config = ConfigDict(extra="forbid")

    x: _Table = Field(
        description="n rows of d cells each, or n cells for one column, of at most as many columns as "
        "/v1/limits says. A column holds finite numbers (of integers beyond 2**53 the order counts), labels "
        "(text or booleans) or dates of ISO 8601; what was assumed of it is among the answer's warnings. "
        "Free text and identifiers are refused; null is as well, unless `missing` is drop."
    )
    y: _Table = Field(description="As x, with as many rows.")
    given: _Table | None = Field(
        None, description="A third side Z, as x: the answer is then the conditional information I(X;Y|Z)."
    )
    levels: Literal["all"] | Annotated[list[_Level], Field(max_length=MAX_LEVELS, min_length=1)] = Field(
        list(DEFAULT_LEVELS),
        description="Increasing quantile levels to answer at, within the model's own; "
        '"all" for every level of the model.',
    )
    missing: Missing = Field(
        "raise", description="Refuse missing cells, or leave out their rows, which a warning counts."
    )
    unit: Unit = Field(DEFAULT_UNIT, description="Of the answer.")


class BatchRequest(BaseModel):
    """Many problems, of any shapes."""

    model_config = ConfigDict(extra="forbid")

    problems: Annotated[list[EstimateRequest], Field(min_length=1)] = Field(
        description="At most as many as /v1/limits says. One that is not of this form, or that cannot be "
        "estimated, has an error in its place among the answers; the others are not touched by it."
    )
    levels: Literal["all"] | Annotated[list[_Level], Field(max_length=MAX_LEVELS, min_length=1)] = Field(
        list(DEFAULT_LEVELS), description="For the problems that name none of their own."
    )
    missing: Missing = Field("raise", description="For the problems that do not say it themselves.")
    unit: Unit = Field(DEFAULT_UNIT, description="For the problems that do not say it themselves.")


class Notice(BaseModel):
    """Something that was noticed about the sample."""

    code: str
    message: str


class ModelInfo(BaseModel):
    """The weights that answered."""

    name: str
    version: str
    sha256: str


class EstimateAnswer(BaseModel):
    """The posterior of the mutual information, given the sample."""

    mi: float = Field(description="posterior mean")
    median: float = Field(description="posterior median")
    quantiles: dict[str, float] = Field(
        description="posterior quantiles by level",
        examples=[{"0.05": 0.41, "0.25": 0.47, "0.5": 0.51, "0.75": 0.55, "0.95": 0.62}],
    )
    unit: Unit
    n: int = Field(description="rows")
    dim_x: int = Field(description="columns of x")
    dim_y: int = Field(description="columns of y")
    dim_z: int | None = Field(None, description="columns of what was given, where that was asked for")
    in_range: bool = Field(description="whether the model was trained on samples like this one")
    warnings: list[Notice]
    model: ModelInfo


class ItemError(BaseModel):
    """Why one problem of a batch has no estimate; the others are not touched by it."""

    code: str
    status: int = Field(description="the HTTP status that this problem alone would have got")
    detail: str


class BatchItem(BaseModel):
    """What became of one problem: `estimate` or `error`."""

    estimate: EstimateAnswer | None = None
    error: ItemError | None = None


class BatchAnswer(BaseModel):
    """One item for each problem, in the order of the request."""

    answers: list[BatchItem]


class ModelCard(ModelInfo):
    """A model: its weights, what it was trained on, and where it runs."""

    rows: list[int] | None = Field(description="smallest and largest n of the training")
    columns: list[int] | None = Field(description="fewest and most columns of a side in training")
    training: dict[str, Any] | None = Field(description="how the weights were made")
    levels: list[float] = Field(description="quantile levels of the answers")
    device: str
    threads: int


class Models(BaseModel):
    """The models of this service; the first answers requests that name none."""

    models: list[ModelCard]


class Limits(BaseModel):
    """What this service takes at once. Cells are padded: `cells` says how."""

    media_types: list[str]
    min_rows: int
    max_columns: int = Field(description="of one side")
    max_body_bytes: int
    max_json_bytes: int = Field(description="of a body in JSON; the binary formats take max_body_bytes")
    max_problem_cells: int
    max_request_cells: int = Field(description="of all problems of one request together")
    max_request_problems: int
    queue_cells: int = Field(description="cells that may wait at the present pace")
    cells_per_second: int = Field(description="the present pace")
    always_admitted_problems: int = Field(description="problems that may wait, whatever they cost")
    max_request_seconds: float
    levels: list[float] = Field(description="lowest and highest quantile level")
    cells: str = Field(description="how the cells of a problem are counted")
    jobs: JobLimits | None = Field(description="of /v1/jobs; null where this service takes no jobs")


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable, `detail` says what to change."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not_finite"])
    request_id: str | None = Field(description="as in the header x-request-id and in the log")
    error: str | None = Field(None, description="under /v2: what `detail` says")
    retry_after_s: float | None = Field(None, description="when the same request may fare better")


class Health(BaseModel):
    """The state of the service."""

    status: Literal["alive", "started", "ready"]


# Models that /openapi.json refers to, and that no route declares.
UNDECLARED = (EstimateRequest, BatchRequest, Problem)
_SAMPLE = {"x": [[i / 8] for i in range(12)], "y": [(-1) ** i * i / 4 for i in range(12)]}
_EXAMPLES: dict[str, Any] = {"EstimateRequest": _SAMPLE, "BatchRequest": {"problems": [_SAMPLE, _SAMPLE]}}
_METADATA = (
    '`__metadata__` may hold `levels`, as text: numbers between commas, or "all"; and `missing` and `unit`, '
    "as in JSON."
)
# What a schema cannot say of a body that is no JSON, by media type.
_BINARY = {
    "EstimateRequest": {
        SAFETENSORS: f"Two tensors, x and y, of shape [n] or [n, d] each, or three with given. {_METADATA}",
        NPY: "One array of shape [n, d]: the first `dim_x` columns are x, the others y, of which the last "
        "`dim_given`, if that is there, are given.",
    },
    "BatchRequest": {
        SAFETENSORS: "Tensors x.0, y.0, x.1, y.1 and so on, of shape [n] or [n, d] each; beside any pair "
        f"there may be given.0 and so on. {_METADATA}",
    },
}
_ONLY_NPY = f"Only with a body of {NPY}; with any other media type an address that has this is refused (422)."
_QUERY: dict[str, dict[str, Any]] = {
    "dim_x": {
        "type": "integer",
        "minimum": 1,
        "description": "How many of the first columns are x; "
        "of two columns, the first where this is missing.",
    },
    "dim_given": {
        "type": "integer",
        "minimum": 1,
        "description": "How many of the last columns are given; none where this is missing.",
    },
    "levels": {
        "type": "string",
        "pattern": f"^(all|{LEVEL_PATTERN}(,{LEVEL_PATTERN}){{0,{MAX_LEVELS - 1}}})$",
        "description": 'Increasing quantile levels within the model\'s own, or "all" for all of these.',
    },
    "missing": {"type": "string", "enum": ["raise", "drop"], "description": "Refuse NaN, or drop its rows."},
    "unit": {"type": "string", "enum": ["nats", "bits"], "description": "Of the answer."},
}
_MODEL: dict[str, Any] = {
    "name": wire.MODEL,
    "in": "query",
    "required": False,
    "description": "Name of the model that answers, of those in /v1/models; the first where it is missing.",
    "schema": {"type": "string"},
}


def request(model: str) -> dict[str, Any]:
    """The documented body and parameters of a route that takes JSON and binary formats."""
    example = {"schema": {"$ref": openapi.REFERENCE.format(model=model)}, "example": _EXAMPLES[model]}
    content = {JSON: example} | {media: _bytes(text) for media, text in _BINARY[model].items()}
    parameters = [openapi.TIMEOUT, _MODEL]
    if NPY in content:
        parameters += [_query(name, schema) for name, schema in _QUERY.items()]
    return {"requestBody": {"required": True, "content": content}, "parameters": parameters}


def _bytes(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "description": description}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of the address; `schema` says what it is, in words."""
    words = f"{schema['description']} {_ONLY_NPY}"
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": "query", "required": False, "description": words, "schema": rest}
