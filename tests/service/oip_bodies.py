"""Requests of the Open Inference Protocol, and what is in its answers; none of the code under test."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import numpy as np

from mizzle.types import Estimate

Tensor = tuple[dict[str, Any], bytes]  # an entry of the header, and its bytes
INFER = "/v2/models/fake/infer"
LENGTH = "inference-header-content-length"
CANARY = "31337"
ROWS = 12
DEFAULT = (0.05, 0.25, 0.5, 0.75, 0.95)
TENSORS = {"mi": "FP64", "median": "FP64", "quantiles": "FP64", "levels": "FP64"} | {
    "in_range": "BOOL",
    "warnings": "BYTES",
}
DTYPES = {"FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "INT32": np.int32, "INT64": np.int64}


def tensor(name: str, array: np.ndarray, datatype: str = "FP64", way: str = "flat") -> Tensor:
    """An input, and its bytes where it has any."""
    entry = {"name": name, "datatype": datatype, "shape": list(array.shape)}
    raw = np.ascontiguousarray(array, DTYPES[datatype]).tobytes() if way == "binary" else b""
    if way == "binary":
        return entry | {"parameters": {"binary_data_size": len(raw)}}, raw
    typed = array.astype(DTYPES[datatype])
    return entry | {"data": (typed if way == "nested" else typed.ravel()).tolist()}, raw


def body_of(*tensors: Tensor, **more: Any) -> tuple[bytes, dict[str, str]]:
    """A body and its headers."""
    text = json.dumps({"inputs": [entry for entry, _ in tensors], **more}).encode()
    raw = b"".join(part for _, part in tensors)
    return text + raw, {LENGTH: str(len(text))} if raw else {}


def outputs_of(response: httpx2.Response) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The outputs of an answer as arrays and lists, each of the shape and length that it says."""
    assert response.status_code == 200, response.text
    length = response.headers.get(LENGTH)
    media = "application/json" if length is None else "application/octet-stream"
    assert response.headers["content-type"] == media
    end = len(response.content) if length is None else int(length)
    answer, rest, found = json.loads(response.content[:end]), response.content[end:], {}
    for output in answer["outputs"]:
        assert output["datatype"] == TENSORS[output["name"]]
        assert ("data" in output) != ("parameters" in output)
        if "data" in output:
            values = np.array(output["data"])
        else:
            size = output["parameters"]["binary_data_size"]
            values, rest = _unpacked(output["datatype"], rest[:size]), rest[size:]
        found[output["name"]] = values.reshape(output["shape"])
    assert rest == b""
    return answer, found


def _unpacked(datatype: str, raw: bytes) -> np.ndarray:
    if datatype != "BYTES":
        return np.frombuffer(raw, {"FP64": "<f8", "BOOL": "?"}[datatype])
    found = []
    while raw:
        size = int.from_bytes(raw[:4], "little")
        found.append(raw[4 : 4 + size].decode())
        raw = raw[4 + size :]
    return np.array(found)


def assert_answers(
    outputs: Mapping[str, np.ndarray], estimates: Sequence[Estimate], levels: Sequence[float] = DEFAULT
) -> None:
    """Whether the outputs say exactly what the estimates say."""
    assert outputs["mi"].tolist() == [e.mi for e in estimates]
    assert outputs["median"].tolist() == [e.median for e in estimates]
    assert outputs["quantiles"].tolist() == [[e.quantile(q) for q in levels] for e in estimates]
    assert outputs["levels"].tolist() == list(levels)
    assert outputs["in_range"].tolist() == [e.in_range for e in estimates]
    notices = [[w._asdict() for w in e.warnings] for e in estimates]
    assert [json.loads(text) for text in outputs["warnings"]] == notices


def refused(response: httpx2.Response, status: int, code: str, words: str = "") -> dict[str, Any]:
    """The problem in a refusal, which is also an error of the protocol, and repeats no data."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["content-length"]) == len(response.content) < 4096
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert words in problem["detail"]
    assert problem["error"] == problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert CANARY not in response.text.replace(response.headers["x-request-id"], "")
    return problem


def send(http: Any, content: str | bytes, headers: Any = (), path: str = INFER) -> Any:
    return http.post(path, content=content, headers=dict(headers))
