"""The Open Inference Protocol, version 2, as KServe and Triton speak it: bytes and objects, no transport.

Request:  {"id", "parameters": {"levels", "timeout", "binary_data_output"},
           "inputs": [{"name", "datatype", "shape", "data"}, ..], "outputs": [{"name", "parameters"}, ..]}
Answer:   {"model_name", "model_version", "id", "parameters": {"unit"},
           "outputs": [{"name", "datatype", "shape", "data"}, ..]}

The inputs are x and y, of shape [n] or [n, d] for one problem, or [b, n, d] for b problems at once. `levels`
is text, numbers between commas or "all"; `timeout` is in microseconds. Tensors may travel as binary data,
which is `tensors`' matter; the header Inference-Header-Content-Length then says where the object ends.

An answer has one place for each problem and none for an error, so a problem that fails fails its request.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from mizzle.data.arrays import check_pair
from mizzle.errors import InvalidInput, InvalidLevel, InvalidRequest, InvalidShape, Malformed, TooLarge
from mizzle.service.formats.json_reader import parse_json
from mizzle.service.formats.problem import Problem, check_count, parse_levels
from mizzle.service.oip.tensors import (
    HEADER,
    Tensor,
    inputs,
    members,
    of_problem,
    packed,
    parameters,
)
from mizzle.types import Estimate, ModelInfo

OUTPUTS = {
    "mi": "FP64",
    "median": "FP64",
    "quantiles": "FP64",
    "levels": "FP64",
    "in_range": "BOOL",
    "warnings": "BYTES",
}
LONGEST_ID = 256
_REQUEST = ("id", "model_name", "model_version", "parameters", "inputs", "outputs")
_PARAMETERS = ("levels", "timeout", "binary_data_output")


class Inference(NamedTuple):
    """A checked request.

    Attributes:
        problems: one for each place of the batch axis.
        outputs: the names to answer, in order, and whether as binary data.
        id: to be sent back.
        seconds: after which an answer is of no use to the caller, if they said so.
    """

    problems: list[Problem]
    outputs: Mapping[str, bool]
    id: str | None
    seconds: float | None


def read(
    content: bytes,
    length: str | None,
    info: ModelInfo,
    grid: Sequence[float],
    max_problems: int,
    max_json_bytes: int,
) -> Inference:
    """The problems in a body, and what to answer.

    Args:
        length: the header Inference-Header-Content-Length; None where it is missing.
        info: the model that the request was sent to.
        grid: the model's levels, which bound the levels that can be asked for.
        max_problems: how many problems a request may hold.
        max_json_bytes: of the JSON object; binary data behind it may be longer.

    Raises:
        InvalidInput: Malformed where the body cannot be read, else what is wrong with the request or with a
            problem in it; TooLarge for a longer object, and for more problems.
    """
    end = _end_of_object(content, length)
    if end > max_json_bytes:
        raise TooLarge(
            f"the JSON object has {end} bytes and may have {max_json_bytes}; send the numbers as binary "
            "data, with the parameter binary_data_size"
        )
    fields = members(parse_json(content[:end]), _REQUEST, "the request")
    _check_model(fields, info)
    chosen = parameters(fields, _PARAMETERS, "the request")
    levels, seconds, request_id = _levels(chosen, grid), _seconds(chosen), _id(fields)
    outputs = _outputs(fields.get("outputs", []), _flag(chosen, "binary_data_output", False))
    x, y = inputs(fields.get("inputs"), content, end, max_problems)
    return Inference(_problems(x, y, levels, max_problems), outputs, request_id, seconds)


def check_index(content: bytes) -> None:
    """Whether a body can ask for the index of models: nothing, or an object that may hold `ready`.

    Raises:
        InvalidInput: it cannot.
    """
    if content:
        _flag(members(parse_json(content), ("ready",), "the request"), "ready", False)


def _end_of_object(content: bytes, length: str | None) -> int:
    if length is None:
        return len(content)
    if not re.fullmatch("[0-9]{1,12}", length) or int(length) > len(content):
        raise Malformed(f"the header {HEADER} must be the bytes of the JSON object that the body begins with")
    return int(length)


def _flag(fields: dict[str, Any], name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false")
    return value


def _check_model(fields: dict[str, Any], info: ModelInfo) -> None:
    """Some clients name the model once more; an empty version means any."""
    if fields.get("model_name", info.name) != info.name:
        raise InvalidRequest("model_name is not the model that the request was sent to; leave it out")
    if fields.get("model_version", "") not in ("", info.version):
        raise InvalidRequest("model_version is not the version of the model; leave it out")


def _levels(chosen: dict[str, Any], grid: Sequence[float]) -> tuple[float, ...] | None:
    text = chosen.get("levels")
    if "levels" in chosen and not isinstance(text, str):
        raise InvalidLevel('the parameter levels must be text: "all", or numbers between commas')
    return parse_levels(text, grid)


def _seconds(chosen: dict[str, Any]) -> float | None:
    if "timeout" not in chosen:
        return None
    microseconds = chosen["timeout"]
    if type(microseconds) is not int or not 0 < microseconds < 2**63:
        raise InvalidRequest("the parameter timeout must be a positive whole number of microseconds")
    return microseconds / 1e6


def _id(fields: dict[str, Any]) -> str | None:
    request_id = fields.get("id")
    if "id" in fields and not (isinstance(request_id, str) and len(request_id) <= LONGEST_ID):
        raise InvalidRequest(f"id must be text of at most {LONGEST_ID} characters")
    return request_id


def _outputs(listed: Any, default: bool) -> dict[str, bool]:
    """Names and whether as binary data; all of them where none is named."""
    if not isinstance(listed, list):
        raise InvalidRequest("outputs must be a list of objects with a name")
    outputs: dict[str, bool] = {}
    for entry in listed:
        fields = members(entry, ("name", "parameters"), "an output")
        name = fields.get("name")
        if name not in tuple(OUTPUTS) or name in outputs:
            raise InvalidRequest(f"the outputs are {', '.join(OUTPUTS)}; each may be named once")
        outputs[name] = _flag(parameters(fields, ("binary_data",), "an output"), "binary_data", default)
    return outputs or dict.fromkeys(OUTPUTS, default)


def _problems(x: Tensor, y: Tensor, levels: tuple[float, ...] | None, max_problems: int) -> list[Problem]:
    if not x.batched and not y.batched:
        return [Problem(*check_pair(x.values, y.values), levels)]
    if not x.batched or not y.batched or len(x.values) != len(y.values):
        raise InvalidShape("x and y must have the same batch axis, or none: [b, n, d] both, or neither")
    check_count(len(x.values), max_problems)
    return [_problem(i, *pair, levels) for i, pair in enumerate(zip(x.values, y.values, strict=True))]


def _problem(i: int, x: NDArray[Any], y: NDArray[Any], levels: tuple[float, ...] | None) -> Problem:
    try:
        return Problem(*check_pair(x, y), levels)
    except InvalidInput as error:
        raise of_problem(i, error) from None


def write(inference: Inference, estimates: Sequence[Estimate]) -> tuple[bytes, int | None]:
    """The body of an answer, and the length of its JSON object where binary data follow.

    Raises:
        InvalidLevel: a level outside the estimates' grid.
    """
    first, levels = estimates[0], inference.problems[0].levels or estimates[0].levels
    described, binary = [], []
    for name, as_binary in inference.outputs.items():
        tensor, values = _tensor(name, len(estimates), len(levels)), _values(name, estimates, levels)
        if as_binary:
            binary.append(packed(OUTPUTS[name], values))
            described.append(tensor | {"parameters": {"binary_data_size": len(binary[-1])}})
        else:
            described.append(tensor | {"data": values})
    answer: dict[str, Any] = {"model_name": first.model.name, "model_version": first.model.version}
    answer |= {} if inference.id is None else {"id": inference.id}
    answer |= {"parameters": {"unit": first.unit}, "outputs": described}
    text = json.dumps(answer, allow_nan=False).encode()
    return b"".join([text, *binary]), len(text) if binary else None


def _tensor(name: str, problems: int, levels: int) -> dict[str, Any]:
    shape = {"levels": [levels], "quantiles": [problems, levels]}.get(name, [problems])
    return {"name": name, "datatype": OUTPUTS[name], "shape": shape}


def _values(name: str, estimates: Sequence[Estimate], levels: Sequence[float]) -> list[Any]:
    """The elements of an output, flat."""
    if name == "levels":
        return list(levels)
    if name == "quantiles":
        return [estimate.quantile(q) for estimate in estimates for q in levels]
    if name == "warnings":
        return [json.dumps([notice._asdict() for notice in estimate.warnings]) for estimate in estimates]
    return [getattr(estimate, name) for estimate in estimates]
