"""The JSON objects of the interface, for answers and for /openapi.json.

Requests are documented here and checked in `body`: pydantic is slow on numbers by the million,
takes some that are none, and would repeat the data in its complaints.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mizzle.arrays import MIN_ROWS
from mizzle.service.body import MAX_LEVELS
from mizzle.wire import DEFAULT_LEVELS

_Matrix = list[list[float]] | list[float]
_Level = Annotated[float, Field(gt=0, lt=1)]


class EstimateRequest(BaseModel):
    """One problem: row i of x was observed together with row i of y."""

    model_config = ConfigDict(extra="forbid")

    x: Annotated[_Matrix, Field(min_length=MIN_ROWS)] = Field(
        description="n rows of d finite numbers each, or n numbers for one column. Integers beyond "
        "2**53, booleans, text and null are refused."
    )
    y: Annotated[_Matrix, Field(min_length=MIN_ROWS)] = Field(description="As x, with as many rows.")
    levels: Literal["all"] | Annotated[list[_Level], Field(max_length=MAX_LEVELS, min_length=1)] = Field(
        list(DEFAULT_LEVELS),
        description="Increasing quantile levels to answer at, within the model's own; "
        '"all" for every level of the model.',
    )


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
    unit: Literal["nats", "bits"]
    n: int = Field(description="rows")
    dim_x: int = Field(description="columns of x")
    dim_y: int = Field(description="columns of y")
    in_range: bool = Field(description="whether the model was trained on samples like this one")
    warnings: list[Notice]
    model: ModelInfo


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable, `detail` says what to change."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not_finite"])


class Health(BaseModel):
    """The state of the service."""

    status: Literal["alive", "ready"]
