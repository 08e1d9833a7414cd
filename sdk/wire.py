"""The HTTP interface as bytes and objects, without a transport: both ends read and write it here.

Request:  {"x": [[..]], "y": [[..]], "levels": [0.05, 0.5, 0.95]}   levels: a list, "all", or none
          {"problems": [{"x", "y", "levels"}, ..], "levels": ..} for many, answered by
          {"answers": [{"estimate": answer} or {"error": {"code", "status", "detail"}}, ..]}
          `mizzle.backends.encode` writes the same as numbers in binary
Answer:   {"mi", "median", "quantiles": {"0.05": ..}, "unit", "n", "dim_x", "dim_y", "in_range",
           "warnings": [{"code", "message"}], "model": {"name", "version", "sha256"}}
          and "dim_z" where the problem has a third side, "given": the estimate is that of I(X;Y|Z)
          and "reduced": {"x", "y", "ladder"} where the columns were reduced, which no service does
Problem:  {"type", "title", "status", "detail", "code", "request_id"} (RFC 9457)

A float is written in the shortest form that reads back as itself, so an estimate survives the trip
bit for bit.
"""

import json
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import index
from typing import Any, Literal, TypeVar, get_args

from mizzle.errors import (
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    MizzleError,
    QueueFull,
    RequestTimeout,
    ServiceUnreachable,
    TooLarge,
    Unauthorized,
    by_code,
)
from mizzle.types import Estimate, ModelInfo, Notice, Reduced, ReducedSide, Rung

T = TypeVar("T")
Shape = tuple[int, int, int]  # rows of a problem, columns of x and of y

PATH = "/v1/estimate"
BATCH_PATH = "/v1/estimate:batch"
LIMITS = "/v1/limits"
MODELS = "/v1/models"
READY = "/readyz"
MODEL = "model"  # the parameter of an address that names one
JOBS = "/v1/jobs"
JOB_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"  # a pattern for the whole of it
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
# The last three are final. Both ends tell by the time `ended`, which a job has in these and no other.
JOB_STATES: tuple[JobState, ...] = get_args(JobState)
JSON, NPY, SAFETENSORS = "application/json", "application/x-npy", "application/x-safetensors"
BINARY = "application/octet-stream"  # of /v2, whose tensors stand behind a JSON object
ALL = "all"
DEFAULT_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_LONGEST_MESSAGE = 2000
_BY_STATUS: dict[int, type[MizzleError]] = {
    401: Unauthorized,
    403: Forbidden,
    408: RequestTimeout,
    413: TooLarge,
    422: InvalidInput,
    429: QueueFull,
    504: DeadlineExceeded,
}


def answer(estimate: Estimate, levels: Sequence[float] | None = None) -> dict[str, Any]:
    """An estimate as the JSON object of the interface.

    Args:
        levels: which quantiles to name; None for the estimate's own grid.

    Raises:
        InvalidLevel: a level outside the estimate's grid.
    """
    reduced = {} if estimate.reduced is None else {"reduced": _reduced_answer(estimate.reduced)}
    condition = {} if estimate.dim_z is None else {"dim_z": estimate.dim_z}
    return {
        "mi": estimate.mi,
        "median": estimate.median,
        "quantiles": {repr(q): estimate.quantile(q) for q in levels or estimate.levels},
        "unit": estimate.unit,
        "n": estimate.n,
        "dim_x": estimate.dim_x,
        "dim_y": estimate.dim_y,
        **condition,
        "in_range": estimate.in_range,
        "warnings": [notice._asdict() for notice in estimate.warnings],
        "model": estimate.model._asdict(),
        **reduced,
    }


def _reduced_answer(reduced: Reduced) -> dict[str, Any]:
    """What is left of the columns, as a JSON object."""
    sides = {"x": reduced.x, "y": reduced.y}
    ladder = [[rung._asdict() for rung in half] for half in reduced.ladder]
    return {name: side and side._asdict() for name, side in sides.items()} | {"ladder": ladder}


def _reduced(answer: dict[str, Any] | None) -> Reduced | None:
    """What is left of the columns, in an answer's JSON object."""
    if answer is None:
        return None
    first, second = (tuple(Rung(**rung) for rung in half) for half in answer["ladder"])
    return Reduced(_side(answer["x"]), _side(answer["y"]), (first, second))


def _side(answer: dict[str, Any] | None) -> ReducedSide | None:
    if answer is None:
        return None
    halves = {name: tuple(answer[name]) for name in ("method", "components")}
    return ReducedSide(**{**answer, **halves})


def error(failure: MizzleError) -> dict[str, Any]:
    """An error among the answers of a batch, as a JSON object."""
    return {"code": failure.code, "status": failure.status, "detail": str(failure)}


def read(body: bytes, form: Callable[[Any], T]) -> T:
    """The object in a body of JSON.

    Args:
        form: makes the object of what the JSON says.

    Raises:
        ServiceUnreachable: the body is no answer of this interface.
    """
    try:
        return form(_loaded(body))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise ServiceUnreachable("the answer is not of the form of a mizzle service") from None


def estimates(answer: dict[str, Any], shapes: Sequence[Shape]) -> list[Estimate | MizzleError]:
    """The estimate or the error of each problem of a batch, in an answer's JSON object.

    Args:
        shapes: of the problems.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the object is no such answer.
    """
    return [
        _refusal(item["error"]) if item.get("error") else estimate_of(item["estimate"], shape)
        for item, shape in zip(answer["answers"], shapes, strict=True)
    ]


def estimate_of(answer: dict[str, Any], shape: Shape) -> Estimate:
    """The estimate of a problem of this shape, in an answer's JSON object; errors as `estimate`."""
    result = estimate(answer)
    if (result.n, result.dim_x, result.dim_y) != shape:
        raise ValueError("the answer to another problem")
    return result


def estimate(answer: dict[str, Any]) -> Estimate:
    """The estimate in an answer's JSON object.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the object is no such answer.
    """
    quantiles = sorted((float(level), float(q)) for level, q in answer["quantiles"].items())
    result = Estimate(
        mi=float(answer["mi"]),
        levels=tuple(level for level, _ in quantiles),
        values=tuple(q for _, q in quantiles),
        n=index(answer["n"]),
        dim_x=index(answer["dim_x"]),
        dim_y=index(answer["dim_y"]),
        in_range=answer["in_range"],
        warnings=tuple(Notice(str(w["code"]), str(w["message"])) for w in answer["warnings"]),
        model=ModelInfo(**{key: str(answer["model"][key]) for key in ModelInfo._fields}),
        unit=answer["unit"],
        reduced=_reduced(answer.get("reduced")),
        dim_z=None if answer.get("dim_z") is None else index(answer["dim_z"]),
    )
    if not is_sound(result):
        raise ValueError("no usable numbers")
    return result


def is_sound(estimate: Estimate) -> bool:
    """Whether an estimate can be one: information is not below 0, its quantiles do not fall, and their levels
    reach from end to end of the interval that every text about it has.
    """
    return (
        finite(estimate)
        and len(estimate.levels) == len(estimate.values)
        and estimate.unit in ("nats", "bits")
        and isinstance(estimate.in_range, bool)
        and min(estimate.mi, *estimate.values) >= 0
        and all(low <= high for low, high in pairwise(estimate.values))
        and all(low < high for low, high in pairwise((0.0, *estimate.levels, 1.0)))
        and estimate.levels[0] <= DEFAULT_LEVELS[0]
        and estimate.levels[-1] >= DEFAULT_LEVELS[-1]
    )


def finite(estimate: Estimate) -> bool:
    """Whether every number of an estimate is finite, and there is at least one quantile."""
    return bool(estimate.values) and all(map(math.isfinite, (estimate.mi, *estimate.values)))


def read_problem(status: int, body: bytes) -> MizzleError:
    """The typed error in an answer that is no estimate."""
    return _refusal(_object(body), status)


def _refusal(problem: dict[str, Any], status: int = 0) -> MizzleError:
    """The error that a problem document, or an item of a batch, describes."""
    kind = by_code(problem.get("code"))
    detail = str(problem.get("detail", ""))[:_LONGEST_MESSAGE]
    if kind is not None and detail:
        return kind(detail)
    return _untyped(status or int(problem["status"]), detail)


def _untyped(status: int, detail: str) -> MizzleError:
    """A refusal without a known code: of another version, a proxy, or not mizzle at all."""
    text = f"HTTP {status}" + (f": {detail}" if detail else "")
    if status in _BY_STATUS:
        return _BY_STATUS[status](text)
    return ServiceUnreachable(f"{text}; is there a mizzle service at this address?")


def printable(text: str) -> str:
    """Text in which every control character, and what else turns or hides text, is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _loaded(body: bytes) -> Any:
    """The object in a body of JSON, whose text cannot steer a terminal.

    Raises:
        ValueError, RecursionError: there is none.
    """
    text = body.decode()
    value = json.loads(text)
    return value if "\\" not in text and text.isprintable() else _printable(value)


def _printable(value: Any) -> Any:
    """An object of JSON with every text in it `printable`."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {printable(name): _printable(item) for name, item in value.items()}
    return value


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = _loaded(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
