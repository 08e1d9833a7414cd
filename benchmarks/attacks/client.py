"""Part 8: a hostile server against the client, each question in a process of its own."""

import json
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import HONEST
from mizzle import estimator, wire

ROWS = 60
TIMEOUT_SECONDS = 3.0
MAX_SECONDS = TIMEOUT_SECONDS + 2.0  # one for the service's own word that time is over, one to begin
MAX_MIB = 400.0
MAX_REQUESTS = 60  # within the deadline
MIB = 2**20
Say = Callable[[socket.socket], None]
_ESCAPES = "\x1b]0;own\x07\x1b[2J\x9b31m‮mizzle: all is well"
_PROGRAM = """
import sys, time
import mizzle
from results import peak_mib
x = [float(i * 7919 % 1009) for i in range(int(sys.argv[2]))]
start = time.monotonic()
try:
    print("answered", mizzle.Client(sys.argv[1], timeout=float(sys.argv[3])).estimate(x, x))
except mizzle.MizzleError as error:
    print("refused", error)
print(time.monotonic() - start, peak_mib())
"""


def is_ended(figures: Figures) -> bool:
    """Whether the client ended in time, in little memory, by an error in words."""
    small = figures["seconds"] <= MAX_SECONDS and figures["peak_mib"] <= MAX_MIB
    return bool(figures["outcome"] == "refused" and small)


def is_patient(figures: Figures) -> bool:
    """The same, and it did not hammer."""
    return is_ended(figures) and figures["requests"] <= MAX_REQUESTS


def is_plain(figures: Figures) -> bool:
    """The same, and nothing that it printed can steer a terminal."""
    return is_ended(figures) and figures["printable"]


def is_none_believed(figures: Figures) -> bool:
    """Whether no false answer was taken for one, and the true one was."""
    return bool(figures["refused"] == figures["answers"] and figures["true_answer"] == "answered")


_BOUND = f"an error within {MAX_SECONDS:.0f} s (deadline {TIMEOUT_SECONDS:.0f} s) and {MAX_MIB:.0f} MiB"
_WORDS = "{outcome} after {seconds:.1f} s, {peak_mib:.0f} MiB"
BOMB = Attack(8, "an answer of 1 MB of gzip that is 1 GiB", _BOUND, _WORDS, is_ended)
ENDLESS = Attack(8, "an answer without end", _BOUND, _WORDS, is_ended)
DRIP = Attack(8, "an answer that comes byte by byte", _BOUND, _WORDS, is_ended)
HEAD_DRIP = Attack(8, "a head that comes line by line", _BOUND, _WORDS, is_ended)
AT_ONCE = Attack(
    8, "429 with Retry-After: 0, again and again", f"{_BOUND}, at most {MAX_REQUESTS} requests",
    _WORDS + ", {requests} requests", is_patient,
)  # fmt: skip
ESCAPES = Attack(
    8, "terminal escapes in a refusal", f"{_BOUND}, nothing but printable characters",
    _WORDS + ", printable: {printable}", is_plain,
)  # fmt: skip
FALSE = Attack(
    8, "answers that can be none (below 0, infinite, falling quantiles, other n)",
    "all refused, a true one taken", "{refused} of {answers} refused; the true one {true_answer}",
    is_none_believed,
)  # fmt: skip


def _hostile(quick: bool) -> Iterator[Outcome]:
    busy = json.dumps({"code": "queue_full", "detail": "x", "status": 429}).encode()
    refusal = json.dumps({"code": "invalid_input", "detail": _ESCAPES, "status": 422}).encode()
    servers = {
        BOMB: _whole(_bomb(), coding="gzip"),
        ENDLESS: _slowly(b" " * MIB, 0.0),
        DRIP: _slowly(b" ", 0.2),
        HEAD_DRIP: _slowly(b"a: b\r\n", 0.2, head=b"HTTP/1.1 200 OK\r\n"),
        AT_ONCE: _whole(busy, "429 X", more="retry-after-ms: 0\r\nretry-after: 0\r\n"),
        ESCAPES: _whole(refusal, "422 X"),
    }
    with ThreadPoolExecutor(2) as pool:  # most of it is waiting
        for attack, figures in zip(servers, pool.map(_asked, servers.values()), strict=True):
            yield attack.outcome(**figures)
    yield _false_answers(quick)


def _false_answers(quick: bool) -> Outcome:
    true = _true_answer()
    changes: list[dict[str, Any]] = [
        {"mi": -3.0},
        {"mi": 1e999},
        {"quantiles": {"0.05": 0.9, "0.95": 0.1}},
        {"n": ROWS - 1},
        {"quantiles": {"0.05": -0.5, "0.95": 0.1}},
        {"quantiles": {"7": 0.9, "nan": 0.1}},
        {"dim_x": 9},
    ]
    bodies = [json.dumps(true | change).encode() for change in changes[: 3 if quick else None]]
    outcomes = [_asked(_whole(body))["outcome"] for body in bodies]
    figures = {"answers": len(outcomes), "refused": outcomes.count("refused")}
    taken = _asked(_whole(json.dumps(true).encode()))["outcome"]
    return FALSE.outcome(true_answer=taken, **figures)


def _true_answer() -> dict[str, Any]:
    model = estimator.load()
    side = np.array([[float(i * 7919 % 1009)] for i in range(ROWS)])
    answer: dict[str, Any] = wire.answer(model.run([model.prepare(side, side)])[0], wire.DEFAULT_LEVELS)
    return answer


def _asked(say: Say) -> dict[str, Any]:
    """What the client makes of a server that says the same to everybody."""
    with _answering(say) as (url, requests):
        command = [sys.executable, "-c", _PROGRAM, url, str(ROWS), str(TIMEOUT_SECONDS)]
        folder = __file__.rpartition("attacks")[0] or "."
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60, check=False)
    *said, last = done.stdout.splitlines() or [done.stderr[-200:], "inf inf"]
    seconds, peak = map(float, last.split())
    text = " ".join(said)
    printable = text.isprintable()
    outcome = text.partition(" ")[0]
    figures = {"outcome": outcome, "seconds": seconds, "peak_mib": peak, "printable": printable}
    return figures | {"requests": len(requests)}


@contextmanager
def _answering(say: Say) -> Iterator[tuple[str, list[float]]]:
    """The address of a server on the loopback interface, and when it was asked."""
    times: list[float] = []
    with socket.create_server((HONEST, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.settimeout(20)
                while connection.recv(65536):
                    times.append(time.monotonic())
                    say(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://{HONEST}:{listener.getsockname()[1]}", times
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _whole(body: bytes, status: str = "200 OK", coding: str = "identity", more: str = "") -> Say:
    """Says a body that is complete."""
    fields = f"content-type: application/json\r\ncontent-encoding: {coding}\r\n{more}"
    head = f"HTTP/1.1 {status}\r\n{fields}content-length: {len(body)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


def _slowly(part: bytes, every: float, head: bytes = b"") -> Say:
    """Says the same again and again, without an end."""
    start = head or b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"

    def say(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(2048):
            connection.sendall(part)
            time.sleep(every)

    return say


def _bomb() -> bytes:
    """A gibibyte of spaces in a megabyte of gzip, whose checksum nobody gets to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return head + 1024 * piece + packer.flush()


GROUPS = (Group(_hostile, (BOMB, ENDLESS, DRIP, HEAD_DRIP, AT_ONCE, ESCAPES, FALSE)),)
