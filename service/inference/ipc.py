"""What the service and its worker process tell each other: a line of JSON, then the numbers as they are.

No pickle: bytes from a process that handles foreign data are read as data alone. An estimate travels in the
form of the public interface, at every level of the model, so it arrives bit for bit.
"""

import asyncio
import json
import socket
from collections.abc import Sequence
from io import BufferedRWPair
from typing import Any, NamedTuple

import numpy as np

from mizzle import wire
from mizzle.data.arrays import FloatArray
from mizzle.errors import InferenceFailed, MizzleError, by_code
from mizzle.types import Estimate

_LENGTH_BYTES = 8  # before every frame, big-endian
FAILED = "the model failed on this problem; the fault is ours, please report it"


class Pair(NamedTuple):
    """A checked problem: x of shape (n, dx), y of shape (n, dy), float64."""

    x: FloatArray
    y: FloatArray


class Pipe:
    """The service's end of the socket to a worker, read and written by the event loop itself: a thread that
    waits in its place costs each batch a fifth of a millisecond.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connected: socket.socket) -> "Pipe":
        """The pipe over a socket, which it closes."""
        return cls(*await asyncio.open_connection(sock=connected))

    async def send(self, frame: bytes) -> None:
        """Send a frame.

        Raises:
            OSError: the other end has closed.
        """
        self._writer.writelines([len(frame).to_bytes(_LENGTH_BYTES, "big"), frame])
        await self._writer.drain()

    async def receive(self) -> bytes:
        """The next frame.

        Raises:
            EOFError, OSError: the other end has closed.
        """
        length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
        return await self._reader.readexactly(length)

    def close(self) -> None:
        """At once; what was not sent is dropped."""
        self._writer.transport.abort()


def write_frame(pipe: BufferedRWPair, frame: bytes) -> None:
    """Send a frame; the worker's end, which has nothing else to do meanwhile.

    Raises:
        OSError: the service has gone.
    """
    pipe.write(len(frame).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(frame)
    pipe.flush()


def read_frame(pipe: BufferedRWPair) -> bytes:
    """The next frame, at the worker's end.

    Raises:
        EOFError, OSError: the service has gone.
    """
    length = pipe.read(_LENGTH_BYTES)
    frame = pipe.read(int.from_bytes(length, "big"))
    if len(length) < _LENGTH_BYTES or len(frame) < int.from_bytes(length, "big"):
        raise EOFError
    return frame


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
