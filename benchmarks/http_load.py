"""A light HTTP/1.1 client for load on loopback: requests made beforehand, answers read by length alone."""

import asyncio
import io
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Answer(NamedTuple):
    """What came back: status 0 for a connection that broke; `start` in seconds of `time.monotonic`."""

    status: int
    start: float
    seconds: float
    retry_after: str = ""


def post(path: str, media: str, body: bytes, more: str = "") -> bytes:
    """A request as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media}\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    """A request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def npy(n: int, dim_x: int, dim_y: int, seed: int) -> bytes:
    """A request for one estimate of a correlated normal sample."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, 1))
    table = shared + rng.standard_normal((n, dim_x + dim_y))
    file = io.BytesIO()
    np.save(file, table)
    return post(f"/v1/estimate?dim_x={dim_x}", "application/x-npy", file.getvalue())


class Connection:
    """One connection, opened when first needed and again after it broke."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer."""
        start = time.monotonic()
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            status, headers = await self._head(reader)
            await reader.readexactly(int(headers.get("content-length", 0)))
            if headers.get("connection") == "close":
                self.close()
            wait = headers.get("retry-after", "")
            return Answer(status, start, time.monotonic() - start, wait)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self.close()
            return Answer(0, start, time.monotonic() - start)

    async def _head(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        return int(head[0].split()[1]), {name.lower(): value.strip() for name, value in pairs}

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def closed(port: int, requests: Sequence[bytes], concurrency: int, seconds: float) -> list[Answer]:
    """So many clients, each asking as soon as it has its answer."""
    end = time.monotonic() + seconds
    answers: list[Answer] = []

    async def client(place: int) -> None:
        connection = Connection(port)
        while time.monotonic() < end:
            answers.append(await connection.ask(requests[place % len(requests)]))
            place += concurrency
        connection.close()

    await asyncio.gather(*(client(place) for place in range(concurrency)))
    return answers


async def opened(
    port: int, requests: Sequence[bytes], rate: float, seconds: float, seed: int
) -> list[Answer]:
    """Arrivals at random times, whether or not earlier ones have been answered (Poisson)."""
    rng, begin, due = random.Random(seed), time.monotonic(), 0.0
    idle: list[Connection] = []
    answers: list[Answer] = []
    tasks: set[asyncio.Task[None]] = set()

    async def one(request: bytes) -> None:
        connection = idle.pop() if idle else Connection(port)
        answers.append(await connection.ask(request))
        idle.append(connection)

    count = 0
    while (due := due + rng.expovariate(rate)) < seconds:
        await asyncio.sleep(max(0.0, begin + due - time.monotonic()))
        task = asyncio.create_task(one(requests[count % len(requests)]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        count += 1
    await asyncio.gather(*tasks)
    for connection in idle:
        connection.close()
    return answers


async def probing(port: int, path: str, every: float, until: Callable[[], bool]) -> list[Answer]:
    """One probe after the other."""
    connection, answers = Connection(port), []
    while not until():
        answers.append(await connection.ask(get(path)))
        await asyncio.sleep(every)
    connection.close()
    return answers


def percentile(answers: Sequence[Answer], share: float) -> float:
    """Milliseconds below which this share of the answers came; nan without any."""
    times = sorted(answer.seconds for answer in answers)
    return 1000 * times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")


def with_status(answers: Sequence[Answer], *statuses: int) -> list[Answer]:
    """Those with one of these statuses."""
    return [answer for answer in answers if answer.status in statuses]


def counted(answers: Sequence[Answer]) -> dict[str, int]:
    """How many of every status."""
    return {str(status): count for status, count in sorted(Counter(a.status for a in answers).items())}
