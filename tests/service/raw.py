"""Requests as bytes and scopes, below what an HTTP library would let through, and servers to send them to."""

import asyncio
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import uvicorn

from mizzle.service.transport.protocol import protocol_class

HOST = b"Host: mizzle.test\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
GET = b"GET / HTTP/1.1\r\n" + HOST
ASK = b"POST /v1/estimate HTTP/1.1\r\nHost: localhost\r\n"
WHOLE = ASK + b"Content-Length: 2\r\n\r\n{}"
LAST = b"Connection: close\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENCE = 20.0  # seconds after which a test that waits for another thread has failed
_PACE = 0.01  # seconds between two bytes of a slow sender


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self, status: int, code: str) -> dict[str, Any]:
        """The problem that it holds, its form checked."""
        assert (self.status, self.headers["content-type"]) == (status, "application/problem+json")
        assert len(self.body) < 4096
        found: dict[str, Any] = json.loads(self.body)
        assert found.keys() >= {"type", "title", "status", "detail", "code", "request_id"}
        assert (found["status"], found["code"]) == (status, code)
        return found


def answers(received: bytes) -> list[Answer]:
    """The responses in what was received on one connection, each with a Content-Length."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", len(rest)))
        found.append(Answer(int(first.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return found


@contextmanager
def listening(
    app: Any, header_seconds: float = PATIENCE, body_seconds: float = PATIENCE, door: Any = None, **more: Any
) -> Iterator[tuple[str, int]]:
    """An application behind our protocol on the loopback interface; the address of it."""
    config = uvicorn.Config(
        app,
        http=protocol_class(header_seconds, body_seconds, 100, door),
        h11_max_incomplete_event_size=16 * 1024,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        **more,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the service does
        address = listener.getsockname()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive(), "the server did not stop"


def opened(address: tuple[str, int], *pieces: bytes, source: tuple[str, int] | None = None) -> socket.socket:
    """A connection on which something was sent already."""
    connection = socket.create_connection(address, timeout=PATIENCE, source_address=source)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(ConnectionError):  # refused before the end
        for piece in pieces:
            connection.sendall(piece)
    return connection


def until_closed(connection: socket.socket) -> bytes:
    """All that the server still sends; it has to close the connection."""
    received = bytearray()
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return bytes(received)


def once(connection: socket.socket, *pieces: bytes) -> Answer:
    """What is answered on a connection that stays open; the answer has a Content-Length."""
    for piece in pieces:
        connection.sendall(piece)
    received = b""
    while True:
        received += connection.recv(65536)
        found = answers(received)
        if found and len(found[0].body) == int(found[0].headers.get("content-length", -1)):
            return found[0]


def exchange(address: tuple[str, int], *pieces: bytes) -> list[Answer]:
    """What is answered to these bytes, on a connection that the server closes."""
    with opened(address, *pieces) as connection:
        return answers(until_closed(connection))


def trickle(connection: socket.socket, more: bytes = b"a") -> bytes:
    """Send `more` again and again until the server answers or closes; what it sends."""
    for _ in range(round(PATIENCE / _PACE)):
        if select.select([connection], [], [], _PACE)[0]:
            return until_closed(connection)
        with suppress(ConnectionError):
            connection.sendall(more)
    raise AssertionError("a slow sender was not cut")


def call(
    app: Callable[..., Any],
    *headers: tuple[str, str],
    method: str = "GET",
    path: str = "/",
    body: bytes = b"",
    **scope: Any,
) -> Answer:
    """What an application answers to a scope, without a server."""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    whole = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw, **scope}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(whole, receive, send))
    start, *rest = sent
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], fields, b"".join(message.get("body", b"") for message in rest))


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads what it is sent, and says how much it was."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
