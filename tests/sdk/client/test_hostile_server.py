"""A service that means harm, or is none: the client ends in time, in little memory, with words for it."""

import asyncio
import gzip
import json
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import numpy as np
import pytest
from fakes import PATIENCE, FakeEstimator
from scripted import URL, Scripted

import mizzle
from mizzle import wire
from mizzle.backends.exchange import exchange, exchange_async
from mizzle.backends.retry import Reply
from mizzle.client.jobs import Jobs

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MIB = 2**20
MEMORY = 1500 * MIB  # of address space; numpy's threads reserve some hundred
ESCAPES = "\x1b]0;own\x07\x1b[2J\x9b31m\u202e\u200b\r\nmizzle: all is well \ud800"
Say = Callable[[socket.socket], None]


@contextmanager
def answering(say: Say) -> Iterator[str]:
    """The address of a server on the loopback interface that says the same to everybody."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(PATIENCE)
                    connection.recv(65536)
                    say(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


def saying(text: bytes) -> Say:
    """Says these bytes."""
    return lambda connection: connection.sendall(text)


def whole(body: bytes, coding: str = "identity", status: str = "200 OK") -> Say:
    """Says a body that is complete."""
    head = f"HTTP/1.1 {status}\r\ncontent-encoding: {coding}\r\ncontent-length: {len(body)}\r\n\r\n"
    return saying(head.encode() + body)


def endless(head: bytes, part: bytes = b" " * MIB, size: int = 3 * 2**30) -> Say:
    """Says a body that does not end, or not before the caller's memory."""

    def say(connection: socket.socket) -> None:
        connection.sendall(head + b"\r\n")
        for _ in range(size // len(part)):
            connection.sendall(part)

    return say


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A gibibyte of spaces in a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * MIB) for _ in range(1024)) + packer.flush()


SAYS: dict[str, Callable[[bytes], Say]] = {
    "gzip": lambda bomb: whole(bomb, "gzip"),
    "gzip of gzip": lambda bomb: whole(gzip.compress(bomb, 9), "gzip, gzip"),
    "gzip without end": lambda bomb: endless(HEAD + b"content-encoding: gzip\r\n", bomb),
    "deflate": lambda bomb: whole(zlib.compress(b" " * (512 * MIB), 9), "deflate"),
    "a refusal in gzip": lambda bomb: whole(bomb, "gzip", "422 No"),
    "without end": lambda bomb: endless(HEAD),
    "a refusal without end": lambda bomb: endless(HEAD.replace(b"200 OK", b"422 No")),
    "a line without end": lambda bomb: endless(HEAD, b"data:" + b"1" * MIB),
    "of a length that is not kept": lambda bomb: endless(HEAD + b"content-length: 9999999999999\r\n"),
}
BLOCKING = "mizzle.Client(url, timeout=20).estimate(x, x)"
ASYNCHRONOUS = "asyncio.run(mizzle.AsyncClient(url, timeout=20).estimate(x, x))"
JOBS = "Jobs(url, timeout=20).find('a')"
EVENTS = "list(Jobs(url, timeout=20).follow('a'))"
RESULT = "Jobs(url, timeout=20).result('a')"
PROGRAM = """
import asyncio, resource, sys
import mizzle
from mizzle.client.jobs import Jobs
x, url = list(range(20)), sys.argv[1]
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    {question}
except mizzle.MizzleError as error:
    print("refused:", error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS limits memory on Linux alone")
@pytest.mark.parametrize("question", [BLOCKING, ASYNCHRONOUS, JOBS, EVENTS, RESULT])
@pytest.mark.parametrize("name", SAYS)
def test_no_answer_takes_all_memory(name: str, question: str, bomb: bytes) -> None:
    """In a process of little memory, as an error in words and no MemoryError."""
    with answering(SAYS[name](bomb)) as url:
        program = [sys.executable, "-c", PROGRAM.format(question=question), url, str(MEMORY)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=6 * PATIENCE)
    assert done.stdout.startswith("refused: "), done.stderr[-2000:]


def ask(url: str, timeout: float) -> None:
    with mizzle.Client(url, timeout=timeout) as client:
        client.limits()


def test_decompressing_counts_towards_the_deadline(bomb: bytes) -> None:
    """Though all bytes are there at once, and whatever their number may be."""

    async def exchanged() -> Reply:
        async with httpx2.AsyncClient(trust_env=False) as http:
            return await exchange_async(http, http.build_request("GET", url, timeout=0.1), 2**40)

    with answering(whole(bomb, "gzip")) as url, httpx2.Client(trust_env=False) as http:
        replies = exchange(http, http.build_request("GET", url, timeout=0.1), 2**40), asyncio.run(exchanged())
    assert all("did not answer in time" in (reply.failure or "") for reply in replies)


@pytest.fixture
def answer(fake: FakeEstimator, draw: Any) -> dict[str, Any]:
    """A good answer's object."""
    answer: dict[str, Any] = wire.answer(fake.estimate(*draw()))
    return answer


def replaced(answer: dict[str, Any], spoil: Any) -> bytes:
    spoilt = spoil(answer) if callable(spoil) else answer | spoil
    return json.dumps(spoilt).encode()


SPOILT: dict[str, Any] = {
    "mi below 0": {"mi": -0.1},
    "mi infinite": {"mi": float("inf")},
    "mi as text": {"mi": "much"},
    "mi beyond floats": {"mi": 10**400},
    "a quantile below 0": lambda a: a | {"quantiles": {"0.05": -0.1, "0.5": 0.1}},
    "quantiles that fall": {"quantiles": {"0.05": 0.9, "0.5": 0.5, "0.95": 0.1}},
    "quantiles that fall at the end": {"quantiles": {"0.05": 0.1, "0.5": 0.5, "0.95": 0.49}},
    "a level twice": {"quantiles": {"0.5": 0.1, "0.50": 0.2}},
    "a level of 0": {"quantiles": {"0": 0.1, "0.5": 0.2}},
    "a level of 1": {"quantiles": {"0.5": 0.1, "1": 0.2}},
    "a level of 7": {"quantiles": {"0.5": 0.1, "7": 0.2}},
    "a level that is none": {"quantiles": {"0.5": 0.1, "nan": 0.2}},
    "fewer rows": {"n": 49},
    "rows in halves": {"n": 50.5},
    "rows as text": {"n": "50"},
    "other columns of x": {"dim_x": 9},
    "other columns of y": {"dim_y": 2},
    "in range as text": {"in_range": "false"},
    "another unit": {"unit": "hartleys"},
    "a list in the place of warnings": {"warnings": [1]},
    "no model": {"model": {}},
    "no object": lambda a: [a],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_can_be_no_answer_is_none(answer: dict[str, Any], draw: Any, spoil: Any) -> None:
    body = replaced(answer, spoil)
    for shell in ("ask", "ask_async"):
        server = Scripted(httpx2.Response(200, content=body))
        with pytest.raises(mizzle.ServiceUnreachable, match="not of the form"):
            getattr(server, shell)(draw())


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_can_be_no_answer_is_none_among_many(answer: dict[str, Any], draw: Any, spoil: Any) -> None:
    body = {"answers": [{"estimate": answer}, {"estimate": json.loads(replaced(answer, spoil))}]}
    shape = (answer["n"], answer["dim_x"], answer["dim_y"])
    form = lambda value: wire.estimates(value, [shape, shape])  # noqa: E731
    with pytest.raises(mizzle.ServiceUnreachable, match="not of the form"):
        wire.read(json.dumps(body).encode(), form)


LIMITS = {"min_rows": 10, "max_columns": 64, "levels": [0.005, 0.995]}


@pytest.mark.parametrize(
    "spoil",
    [
        {"levels": [0.9, 0.1]},
        {"levels": [float("nan"), 1]},
        {"levels": [-1, 2]},
        {"max_columns": -1},
        {"max_columns": 2.5},
        {"cells_per_second": 10**400},
        {"max_request_problems": -5},
        {"max_body_bytes": "many"},
        {"queue_cells": [1]},
    ],
)
def test_what_can_be_no_limits_are_none(spoil: dict[str, Any], draw: Any) -> None:
    body = json.dumps(LIMITS | spoil).encode()
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, content=body)))
    with http, mizzle.Client(URL, http_client=http) as client:
        for call in (client.limits, lambda: client.estimate_many([draw()])):
            with pytest.raises(mizzle.ServiceUnreachable, match="not of the form"):
                call()


def test_words_of_a_service_cannot_steer_a_terminal(answer: dict[str, Any], draw: Any) -> None:
    codes = ((422, "invalid_input"), (422, "code of next year"), (401, "unauthorized"), (404, 5))
    bodies = [(status, json.dumps({"code": code, "detail": ESCAPES}).encode()) for status, code in codes]
    headers = {"x-request-id": "\x1b[2J"}
    refusals = [
        *(httpx2.Response(status, content=body, headers=headers) for status, body in bodies),
        httpx2.Response(422, content=b'{"code": "invalid_input", "detail": "\xc2\x9b31m \xe2\x80\xae"}'),
    ]
    for refusal in refusals:
        with pytest.raises(mizzle.MizzleError) as caught:
            Scripted(refusal).ask(draw())
        assert str(caught.value).isprintable()
        assert str(caught.value.request_id).isprintable()
    warnings, model = [{"code": ESCAPES, "message": ESCAPES}], dict.fromkeys(answer["model"], ESCAPES)
    body = json.dumps(answer | {"warnings": warnings, "model": model}).encode()
    estimate = Scripted(httpx2.Response(200, content=body)).ask(draw())
    assert all(text.isprintable() for text in (*estimate.warnings[0], *estimate.model))
    assert estimate.warnings[0].message.startswith("\\x1b]0;own")


def test_words_of_a_service_that_steer_nothing_stay(answer: dict[str, Any], draw: Any) -> None:
    text = "Größe „x“ \\ 90 % 数"
    server = Scripted(httpx2.Response(200, json=answer | {"warnings": [{"code": "a", "message": text}]}))
    assert server.ask(draw()).warnings[0].message == text


def test_no_words_of_a_service_break_the_client(draw: Any) -> None:
    """Whatever stands where an error's fields should."""
    values: list[Any] = [None, 5, [], {}, [1], {"a": 1}, "", "x" * 10**5, True, 1e400, "\ud800"]
    for code in values:
        for detail in values:
            refusal = httpx2.Response(418, content=json.dumps({"code": code, "detail": detail}).encode())
            with pytest.raises(mizzle.MizzleError):
                Scripted(refusal).ask(draw())


def test_no_head_breaks_the_client() -> None:
    """Whatever stands in a header that the client reads."""
    texts = [
        "\x1b[2J",
        "x" * 5000,
        "1e400",
        "-0",
        "nan",
        "0x10",
        "Mon, 99 Foo 99999 99:99:99 GMT",
        "٣",
        "1_0",
    ]
    texts += ["Mon, 01 Jan 0001 00:00:00 -9999", "Mon, 01 Jan 99999999999 00:00:00", "(", ",", "1;2", " "]
    for name in ("retry-after", "retry-after-ms", "x-request-id", "content-type", "location", "set-cookie"):
        for text in texts:
            say = f"HTTP/1.1 302 X\r\n{name}: {text}\r\ncontent-length: 0\r\n\r\n".encode()
            with answering(saying(say)) as url, pytest.raises(mizzle.MizzleError):
                ask(url, 20)


def test_a_jobs_words_cannot_steer_a_terminal() -> None:
    times = dict.fromkeys(("created", "started", "ended", "expires"), ESCAPES)
    job = {"id": ESCAPES, "what": ESCAPES, "state": ESCAPES, "pairs": 1, "done": 1, "failed": 0, **times}
    body = json.dumps(job | {"error": {"code": "a", "detail": ESCAPES}}).encode()
    with answering(whole(body)) as url, Jobs(url) as jobs:
        read = jobs.find("a")
    assert all(str(value).isprintable() for value in read.values())
    assert read["error"]["detail"].isprintable()


@pytest.mark.parametrize(
    "spoil",
    [{"pairs": "x"}, {"done": -1}, {"failed": "x"}, {"ended": 5}, {"error": 5}, {"error": {"detail": 5}}],
)
def test_what_can_be_no_job_is_none(spoil: dict[str, Any]) -> None:
    job = {"id": "a", "what": "rank", "state": "done", "pairs": 1, "done": 1, "failed": 0, "error": None}
    times = dict.fromkeys(("created", "started", "ended", "expires"))
    body = json.dumps(job | times | spoil).encode()
    refused = pytest.raises(mizzle.ServiceUnreachable, match="not of the form")
    with answering(whole(body)) as url, Jobs(url) as jobs, refused:
        jobs.find("a")


def test_what_can_be_no_result_of_a_job_is_none() -> None:
    from safetensors.numpy import save

    job = {"names": ["a", "b"], "what": "matrix", "level": 0.9, "unit": "nats", "threshold": 0.02}
    job["model"] = {"name": "m", "version": "1", "sha256": "0"}
    good: dict[str, Any] = {
        "pairs": np.array([[0, 1]]),
        "mi": np.array([0.5]),
        "quantiles": np.array([[0.1, 0.5, 0.9]]),
        "levels": np.array([0.05, 0.5, 0.95]),
        "n": np.array([50]),
        "dropped": np.array([0]),
        "in_range": np.array([True]),
    }

    def result(**spoil: Any) -> Any:
        metadata = {"job": json.dumps(job), "warnings": '[""]', "error": "[null]"}
        with answering(whole(save({**good, **spoil}, metadata))) as url, Jobs(url) as jobs:
            return jobs.result("a")

    assert result().pairs[0].estimate.mi == 0.5
    spoilt = {
        "mi": [np.array([-0.5]), np.array([np.nan]), np.array([[0.5]])],
        "quantiles": [np.array([[0.9, 0.5, 0.1]]), np.array([[0.1, 0.5]]), np.array([0.1])],
        "levels": [np.array([0.5, 0.5, 0.95]), np.array([0.0, 0.5, 0.95]), np.array([0.5])],
        "pairs": [np.array([[0, 9]]), np.array([[0, -1]]), np.array([[0]])],
        "in_range": [np.array([2])],
    }
    for name, values in spoilt.items():
        for value in values:
            with pytest.raises(mizzle.ServiceUnreachable, match="not of the form"):
                result(**{name: value})
