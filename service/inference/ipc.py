"""What the service and its worker process tell each other: a line of JSON, then the numbers as they are.

No pickle: bytes from a process that handles foreign data are read as data alone. An estimate travels in the
form of the public interface, at every level of the model, so it arrives bit for bit.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mizzle import wire
from mizzle.data.arrays import FloatArray
from mizzle.errors import InferenceFailed, MizzleError, by_code
from mizzle.types import Estimate

FAILED = "the model failed on this problem; the fault is ours, please report it"


class Pair(NamedTuple):
    """A checked problem: x of shape (n, dx), y of shape (n, dy), float64."""

    x: FloatArray
    y: FloatArray


def request(pairs: Sequence[Pair]) -> bytes:
    """A batch to run."""
    shapes = [[len(x), x.shape[1], y.shape[1]] for x, y in pairs]
    numbers = [np.ascontiguousarray(side).tobytes() for pair in pairs for side in pair]
    return b"\n".join([json.dumps({"run": shapes}).encode(), b"".join(numbers)])


def read_request(frame: bytes) -> list[Pair]:
    """The batch in a frame; none in a ping. The arrays share the frame's memory."""
    head, _, body = frame.partition(b"\n")
    shapes = json.loads(head)["run"]
    pairs, start = [], 0
    for n, dim_x, dim_y in shapes:
        if min(n, dim_x, dim_y) < 0:
            raise ValueError("no shape")  # numpy would take whatever there is
        sides = []
        for dim in (dim_x, dim_y):
            sides.append(np.frombuffer(body, count=n * dim, offset=start).reshape(n, dim))
            start += 8 * n * dim
        pairs.append(Pair(*sides))
    return pairs


def reply(results: Sequence[Estimate | Exception]) -> bytes:
    """What came of a batch."""
    return _line({"done": [_error(r) if isinstance(r, Exception) else wire.answer(r) for r in results]})


def out_of_memory() -> bytes:
    """The device had no room for the batch."""
    return _line({"out_of_memory": True})


def failed(error: MizzleError) -> bytes:
    """The worker cannot work at all."""
    return _line({"failed": _error(error)})


def ready(facts: dict[str, Any]) -> bytes:
    """The worker can work."""
    return _line({"ready": facts})


def read(frame: bytes) -> dict[str, Any]:
    """The object in a frame from the worker."""
    message = json.loads(frame)
    assert isinstance(message, dict)
    return message


def results(done: list[dict[str, Any]]) -> list[Estimate | Exception]:
    """The estimates and errors that `reply` wrote."""
    return [error(item) if "error" in item else wire.estimate(item) for item in done]


def error(written: dict[str, Any]) -> MizzleError:
    """The error that was written; what no class of ours has a code for is a failed inference."""
    kind = by_code(written["error"]) or InferenceFailed
    return kind(written["detail"])


def _error(error: Exception) -> dict[str, str]:
    if isinstance(error, MizzleError):
        return {"error": error.code, "detail": str(error)}
    return {"error": InferenceFailed.code, "detail": FAILED}


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
