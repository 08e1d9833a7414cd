"""Bodies of /v1 and /v2: what is read is what the library of the format, which trusts more, reads in it."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mutator import NPY, PLAIN, TENSORS, Form
from target import Target, refusal

from mizzle import wire
from mizzle.data.integers import dense_ranks
from mizzle.errors import InvalidInput
from mizzle.service.formats.problem import Problem
from mizzle.service.formats.registry import parse_batch, parse_problem
from mizzle.service.oip import protocol, tensors
from mizzle.types import Estimate, ModelInfo

GRID = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
INFO = ModelInfo("fake", "0.0.1", "0" * 64)
MAX_PROBLEMS = 4
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BOOL": "?",
    **{f"I{8 * n}": f"<i{n}" for n in (1, 2, 4, 8)},
}
_TYPES |= {f"U{8 * n}": f"<u{n}" for n in (1, 2, 4, 8)}
Sides = list[tuple[Any, Any]]
Outcome = Problem | InvalidInput


def tensors_of(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors and metadata of a safetensors file, by its description alone."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    metadata = header.pop("__metadata__", None) or {}
    return {name: _tensor(content[end:], **entry) for name, entry in header.items()}, metadata


def _tensor(numbers: bytes, dtype: str, shape: list[int], data_offsets: list[int], **_: Any) -> np.ndarray:
    raw = numbers[slice(*data_offsets)]
    if dtype == "BF16":
        return np.frombuffer(
            b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2)), "<f4"
        ).reshape(shape)
    return np.frombuffer(raw, _TYPES[dtype]).reshape(shape)


def _json_sides(content: bytes) -> Sides:
    body = json.loads(content)
    problems = body.get("problems", [body])
    return [(p["x"], p["y"]) for p in problems if isinstance(p, dict) and {"x", "y"} <= set(p)]


def _npy_sides(content: bytes) -> Sides:
    array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return [(array[:, :1], array[:, 1:])]


def _tensor_sides(content: bytes) -> Sides:
    tensors, _ = tensors_of(content)
    names = [("x", "y")] if "x" in tensors else [(f"x.{i}", f"y.{i}") for i in range(len(tensors) // 2)]
    return [(tensors[x], tensors[y]) for x, y in names]


def check_outcome(outcome: Outcome) -> str:
    """A problem that is right, or what is wrong with it."""
    if isinstance(outcome, InvalidInput):
        return refusal(outcome)
    assert type(outcome) is Problem
    for side in (outcome.x, outcome.y):
        assert side.dtype == np.float64
        assert side.ndim == 2
        assert np.isfinite(side).all()
    assert len(outcome.x) == len(outcome.y) >= 10
    assert outcome.levels is None or all(GRID[0] <= q <= GRID[-1] for q in outcome.levels)
    return "read"


def check_same(outcomes: Sequence[Outcome], sides: Sides) -> None:
    """The problems that were read, as others read them; one that is wrong may be missing there."""
    if len(outcomes) == len(sides):
        for outcome, (x, y) in zip(outcomes, sides, strict=True):
            if type(outcome) is Problem and not _is_shortened(outcome):
                assert _alike(outcome.x, x)
                assert _alike(outcome.y, y)
    assert sum(type(outcome) is Problem for outcome in outcomes) <= len(sides) <= len(outcomes)


def _is_shortened(problem: Problem) -> bool:
    """Whether rows were left out, as the request wished."""
    return any(notice.code.startswith("dropped") for notice in problem.notices)


def _alike(side: np.ndarray, loaded: Any) -> bool:
    """The same numbers, or their ranks where an integer is beyond a float; labels by who is alike."""
    if side.ravel().tolist() == np.ravel(loaded).tolist():
        return True
    texts = [cell for cell in np.ravel(np.array(loaded, dtype=object)) if isinstance(cell, str)]
    if any(text[:1].isdigit() for text in texts):  # times, of which several texts may be one
        return True
    if texts:
        return len(set(zip(side.ravel(), np.ravel(loaded), strict=True))) == len(set(side.ravel()))
    columns = np.array(loaded, dtype=object).reshape(side.shape).T
    return all((dense_ranks(a) == dense_ranks(b)).all() for a, b in zip(side.T, columns, strict=True))


def _body(
    name: str,
    read: Callable[[bytes], list[Outcome]],
    sides: Callable[[bytes], Sides],
    form: Form = PLAIN,
    executions: int = 30_000,
) -> Target:
    def check(content: bytes) -> str:
        try:
            outcomes = read(content)
        except InvalidInput as error:
            return refusal(error)
        words = {check_outcome(outcome) for outcome in outcomes}
        if "read" in words:
            check_same(outcomes, sides(content))
        return max(words)  # "read" comes after every name of a class

    return Target(name, check, form, executions=executions, read_share=1 / 30)


def _problem(media: str, query: dict[str, str]) -> Callable[[bytes], list[Outcome]]:
    return lambda content: [parse_problem(media, content, query, GRID)]


def _batch(media: str) -> Callable[[bytes], list[Outcome]]:
    return lambda content: parse_batch(media, content, {}, GRID, MAX_PROBLEMS)


def _check_oip(content: bytes) -> str:
    """The first line is the header that says how long the JSON object is, or empty where there is none."""
    line, _, body = content.partition(b"\n")
    length = line.decode("latin-1") or None
    try:
        inference = protocol.read(body, length, INFO, GRID, MAX_PROBLEMS, 2**20)
    except InvalidInput as error:
        return refusal(error)
    assert {check_outcome(problem) for problem in inference.problems} == {"read"}
    assert len(inference.problems) <= MAX_PROBLEMS
    end = len(body) if length is None else int(length)
    x, y = _inputs(json.loads(body[:end]), body[end:])
    check_same(inference.problems, [(x, y)] if np.ndim(x) < 3 else list(zip(x, y, strict=True)))
    _check_answer(inference)
    return "read"


def _inputs(fields: dict[str, Any], binary: bytes) -> list[np.ndarray]:
    """x and y, as the protocol describes them."""
    arrays = {}
    for entry in fields["inputs"]:
        dtype = tensors.DATATYPES[entry["datatype"]]
        size = entry.get("parameters", {}).get("binary_data_size", 0)
        values = np.array(entry["data"], float) if "data" in entry else np.frombuffer(binary[:size], dtype)
        with np.errstate(all="ignore"):
            arrays[entry["name"]] = values.reshape(entry["shape"]).astype(dtype)
        binary = binary[size:]
    assert not binary
    return [arrays["x"], arrays["y"]]


def _check_answer(inference: protocol.Inference) -> None:
    """The answer is JSON that says what was asked, and as long as it says."""
    values = tuple(float(i) for i in range(len(GRID)))
    estimates = [Estimate(3.0, GRID, values, len(p.x), 1, 1, True, (), INFO) for p in inference.problems]
    written, length = protocol.write(inference, estimates)
    answer = json.loads(written[:length])
    assert answer.get("id") == inference.id
    assert [output["name"] for output in answer["outputs"]] == list(inference.outputs)
    sizes = [output.get("parameters", {}).get("binary_data_size", 0) for output in answer["outputs"]]
    assert sum(sizes) == (0 if length is None else len(written) - length)


def _check_index(content: bytes) -> str:
    try:
        protocol.check_index(content)
    except InvalidInput as error:
        return refusal(error)
    assert not content or set(json.loads(content.removeprefix(b"\xef\xbb\xbf"))) <= {"ready"}
    return "read"


_OIP = (
    b'"inputs" "outputs" "name" "datatype" "shape" "data" "parameters" "binary_data_size" "FP16" "INT32"'
).split()
TARGETS = (
    _body("json", _problem(wire.JSON, {}), _json_sides),
    _body("json-batch", _batch(wire.JSON), _json_sides),
    _body("npy", _problem(wire.NPY, {"dim_x": "1"}), _npy_sides, NPY),
    _body("safetensors", _problem(wire.SAFETENSORS, {}), _tensor_sides, TENSORS),
    _body("safetensors-batch", _batch(wire.SAFETENSORS), _tensor_sides, TENSORS),
    Target("oip", _check_oip, tokens=_OIP, executions=6000),
    Target("oip-index", _check_index),
)
