"""Who is at the service's door: an honest caller, a flood, and peers that say less than they should.

The honest caller and the flood come from two addresses of the loopback network, so that a service without
keys can tell them apart. The flood is a process of its own of low priority: on the machine of an attacker it
would not take processor time from the service.
"""

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import http_load as http

from attacks.service import ATTACKER, HONEST, Reply, Service

RATE = 5.0  # requests a second of the honest caller
_FLOOD = """
import asyncio, os, sys
import http_load
os.nice(10)
port, connections, seconds, source = sys.argv[1:]
body = sys.stdin.buffer.read()
answers = asyncio.run(http_load.closed(int(port), [body], int(connections), float(seconds), source))
print(http_load.counted(answers))
"""


class HonestCaller(threading.Thread):
    """Asks at a fixed rate, one request after the other, until told to stop.

    Attributes:
        answers: all that came, as `http_load` counts them.
    """

    def __init__(self, service: Service, **options: Any) -> None:
        super().__init__(daemon=True)
        self.answers: list[http.Answer] = []
        self._service, self._options, self._ended = service, options, threading.Event()

    def run(self) -> None:
        """What the thread does."""
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            start = time.monotonic()
            reply = self._service.estimate(**self._options)
            self.answers.append(http.Answer(reply.status, start, reply.seconds))
            due = max(due + 1 / RATE, time.monotonic())

    def stop(self) -> list[http.Answer]:
        """Its answers, once the last one is there."""
        self._ended.set()
        self.join()
        return self.answers


def asked_for(service: Service, seconds: float, **options: Any) -> list[http.Answer]:
    """The answers that the honest caller gets in so many seconds."""
    caller = HonestCaller(service, **options)
    caller.start()
    time.sleep(seconds)
    return caller.stop()


@contextmanager
def flooding(
    port: int, request: bytes, connections: int, seconds: float, source: str = ATTACKER
) -> Iterator[None]:
    """So many connections that ask as fast as they are answered, for so many seconds at most."""
    command = [sys.executable, "-c", _FLOOD, *map(str, (port, connections, seconds, source))]
    folder = Path(http.__file__).parent
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=folder, env={**os.environ}
    )
    try:
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.close()
        time.sleep(1.0)  # until it has begun
        yield
    finally:
        process.kill()
        process.wait()


def connected(port: int, count: int, data: bytes = b"", source: str = ATTACKER) -> list[socket.socket]:
    """Connections of one peer, on each of which the same was sent; fewer where some are refused."""
    sockets = []
    for _ in range(count):
        with suppress(OSError):
            sockets.append(connection := socket.create_connection((HONEST, port), 5, (source, 0)))
            connection.sendall(data)
            connection.setblocking(False)
    return sockets


def push(sockets: Sequence[socket.socket], size: int, seconds: float) -> int:
    """Sends so many bytes on each connection, as far as they are taken in time; how many MiB were."""
    left, block, end = dict.fromkeys(sockets, size), b" " * 2**20, time.monotonic() + seconds
    sent = 0
    while left and time.monotonic() < end:
        for connection in select.select([], list(left), [], 0.1)[1]:
            try:
                count = connection.send(block[: left[connection]])
            except BlockingIOError:
                continue
            except OSError:
                del left[connection]
                continue
            sent += count
            left[connection] -= count
            if not left[connection]:
                del left[connection]
    return sent >> 20


def open_ones(sockets: Sequence[socket.socket]) -> list[socket.socket]:
    """Those that the service has not closed, whether or not there is something to read."""
    poll = select.poll()
    for connection in sockets:
        poll.register(connection, select.POLLRDHUP)
    closed = {descriptor for descriptor, _ in poll.poll(0)}
    return [connection for connection in sockets if connection.fileno() not in closed]


def hang_up(sockets: Sequence[socket.socket]) -> None:
    """Closes all of them."""
    for connection in sockets:
        connection.close()


def read_all(sockets: Sequence[socket.socket], seconds: float) -> list[bytes]:
    """What comes on each connection until it is whole or closed, or for so many seconds."""
    received = {connection: bytearray() for connection in sockets}
    left, end = set(sockets), time.monotonic() + seconds
    while left and time.monotonic() < end:
        for connection in select.select(list(left), [], [], 0.1)[0]:
            try:
                piece = connection.recv(1 << 20)
            except OSError:
                piece = b""
            received[connection] += piece
            if not piece or is_whole(received[connection]):
                left.discard(connection)
    return [bytes(text) for text in received.values()]


def is_whole(answer: bytes | bytearray) -> bool:
    """Whether an answer has as many bytes as its head says."""
    head, separator, _ = bytes(answer[:4096]).partition(b"\r\n\r\n")
    length = http.header(head, b"content-length")
    return bool(separator) and bool(length) and len(answer) - len(head) - 4 >= int(length)


def exchange(port: int, data: bytes, seconds: float = 5.0, source: str = HONEST) -> bytes:
    """What is answered to these bytes, until the service closes, or the answer is whole."""
    with socket.create_connection((HONEST, port), seconds, (source, 0)) as connection:
        with suppress(OSError):
            connection.sendall(data)
        connection.setblocking(False)
        return read_all([connection], seconds)[0]


def status(answer: bytes) -> int:
    """The status of an answer; 0 where there is none."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) == 3 and words[1].isdigit() else 0


def probe(service: Service, path: str = "/livez") -> Reply:
    """The probe of an honest peer."""
    return service.ask("GET", path, timeout=10)
