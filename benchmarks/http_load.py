"""A light HTTP/1.1 client for load on loopback: requests made beforehand, answers read by length alone."""

import asyncio
import io
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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


class Wire(asyncio.Protocol):
    """One open connection; a request at a time. Streams would cost more than the answers do."""

    def __init__(self) -> None:
        self.transport: Any = None  # uvloop's are no asyncio.Transport
        self.open = False
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers the connection."""
        self.transport, self.open = transport, True

    def data_received(self, data: bytes) -> None:
        """Settles the request once the whole answer is there."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end >= 0 and len(self._received) >= end + 4 + _length(self._received[:end]):
            self._settle(self._received[:end])

    def connection_lost(self, _: Exception | None) -> None:
        """Settles the request with nothing."""
        self.open = False
        self._settle(b"")

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        """The head of the answer; empty where the connection ended first."""
        self._received, self._answer = b"", asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def _settle(self, head: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(head)


class Connection:
    """One connection, opened when first needed and again after it ended."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self._port, self._source = port, source
        self._wire: Wire | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer; again on a new connection where a kept one had ended."""
        start, reused = time.monotonic(), self._wire is not None and self._wire.open
        head = await self._send(request)
        if not head and reused:
            head = await self._send(request)
        status = int(head.split(b" ", 2)[1]) if head else 0
        wait = header(head, b"retry-after").decode() if status == 429 else ""
        return Answer(status, start, time.monotonic() - start, wait)

    async def _send(self, request: bytes) -> bytes:
        try:
            if self._wire is None or not self._wire.open:
                loop = asyncio.get_running_loop()
                own = (self._source, 0)
                _, self._wire = await loop.create_connection(Wire, "127.0.0.1", self._port, local_addr=own)
            head = await self._wire.ask(request)
        except OSError:
            head = b""
        if not head or b"\r\nconnection: close" in head.lower():
            self.close()
        return head

    def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            self._wire.transport.close()
        self._wire = None


def _length(head: bytes) -> int:
    return int(header(head, b"content-length") or b"0")


def header(head: bytes, name: bytes) -> bytes:
    """The value of a header of an answer's head, or nothing."""
    _, separator, rest = head.lower().partition(b"\r\n" + name + b": ")
    return rest.partition(b"\r\n")[0] if separator else b""


async def closed(
    port: int, requests: Sequence[bytes], concurrency: int, seconds: float, source: str = "127.0.0.1"
) -> list[Answer]:
    """So many clients at one address, each asking as soon as it has its answer."""
    end = time.monotonic() + seconds
    answers: list[Answer] = []

    async def client(place: int) -> None:
        connection = Connection(port, source)
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

    async def send(request: bytes) -> None:
        connection = idle.pop() if idle else Connection(port)
        answers.append(await connection.ask(request))
        idle.append(connection)

    count = 0
    while (due := due + rng.expovariate(rate)) < seconds:
        await asyncio.sleep(max(0.0, begin + due - time.monotonic()))
        task = asyncio.create_task(send(requests[count % len(requests)]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        count += 1
    await asyncio.gather(*tasks)
    for connection in idle:
        connection.close()
    return answers


async def under_load(
    port: int, requests: list[bytes], share: float, capacity: float, seconds: float, seed: int
) -> dict[str, Any]:
    """Random arrivals at this share of the capacity; then, how soon a single request is fast again."""
    answers = await opened(port, requests, share * capacity, seconds, seed)
    good, refused = with_status(answers, 200), with_status(answers, 429)
    others = [a for a in answers if a.status not in (200, 429, 503, 504)]
    after = await closed(port, requests, 1, 1.0)
    return {
        "load": share,
        "asked": len(answers),
        "goodput": len(good) / seconds,
        "p50": percentile(good, 0.5),
        "p99": percentile(good, 0.99),
        "refused": len(refused),
        "refused_p99": percentile(refused, 0.99),
        "with_retry_after": sum(a.retry_after.isdecimal() for a in refused),
        "others": len(others),
        "single_after": percentile(with_status(after, 200), 0.5),
    }


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
