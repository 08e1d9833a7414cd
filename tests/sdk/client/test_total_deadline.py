"""A call ends when its time is over, however the bytes of the answer come."""

import asyncio
import socket
import threading

import pytest
from fakes import PATIENCE

import mizzle
from mizzle.backends import remote

_BYTE_SECONDS = 0.005  # seconds between two bytes: each of them comes in time
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
READY = HEAD + b"Content-Length: 2\r\n\r\n{}"
BEGINNINGS = {"head": HEAD + b"X-Slow: ", "body": HEAD + b"Content-Length: 10000\r\n\r\n"}


class Trickling:
    """A server on the loopback interface whose answers have no end, except to /readyz.

    Attributes:
        left: set when a caller hangs up in the middle of an answer.
    """

    def __init__(self, beginning) -> None:
        self.left = threading.Event()
        self._beginning = beginning
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        return self

    def __exit__(self, *error) -> None:
        self._thread.join(PATIENCE)
        self._listener.close()

    def _serve(self) -> None:
        """One caller on one connection."""
        connection, _ = self._listener.accept()
        with connection:
            while b"/readyz" in connection.recv(10_000):
                connection.sendall(READY)
            try:
                connection.sendall(self._beginning)
                self._trickle(connection)
            except OSError:
                self.left.set()

    def _trickle(self, connection) -> None:
        for _ in range(int(PATIENCE / 2 / _BYTE_SECONDS)):
            connection.sendall(b"1")
            self.left.wait(_BYTE_SECONDS)


@pytest.fixture(params=BEGINNINGS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remote, "_GRACE_SECONDS", 0.0)
    with Trickling(BEGINNINGS[request.param]) as server:
        yield server


def _blocking(url, again) -> None:
    with mizzle.Client(url, timeout=0.2) as client:
        assert not again or client.ready()
        client.limits()


def _asynchronous(url, again) -> None:
    async def ask() -> None:
        async with mizzle.AsyncClient(url, timeout=0.2) as client:
            assert not again or await client.ready()
            await client.limits()

    asyncio.run(ask())


@pytest.mark.parametrize("again", [False, True], ids=["a new connection", "one that was used"])
@pytest.mark.parametrize("ask", [_blocking, _asynchronous])
def test_bytes_that_trickle_in_do_not_move_the_deadline(server, ask, again: bool) -> None:
    """The call ends while the server still sends, and the connection is given up."""
    with pytest.raises(mizzle.ServiceUnreachable, match="did not answer in time"):
        ask(server.url, again)
    assert server.left.wait(PATIENCE)
