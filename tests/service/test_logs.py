"""The log: one line a request, whatever is in it, and nothing of what is in it."""

import io
import json
import logging
import re
import uuid
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from raw import call, exchange, listening, plain
from starlette.requests import Request
from starlette.responses import Response

from mizzle.errors import InvalidInput
from mizzle.service.http import problem_details
from mizzle.service.http.access_log import AccessLog
from mizzle.service.http.auth import Auth, Keys, new_key
from mizzle.service.http.request_id import RequestId, id_of
from mizzle.service.logs import Lines, configure, request_id
from mizzle.service.telemetry.metrics import Metrics

CANARY = "31337.4242"
ALICE, LINE = new_key("alice")
NASTY = ["a\r\nb", "a%0d%0ab", "\x1b[31m", "a\nlevel=error", "a" * 65, "", "a b", "é", '"', "\u2028", "a;b"]


class Log(io.StringIO):
    """What is written, and how."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json


@pytest.fixture(params=[True, False], ids=["json", "text"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """What the service writes, at level info; `log.as_json` tells how."""
    stream, root = Log(request.param), logging.getLogger()
    kept, level = root.handlers[:], root.level
    configure("info", request.param)
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


@pytest.fixture
def said(log):
    """The lines of requests so far, as dictionaries."""

    def read():
        return [_parsed(line, log.as_json) for line in log.getvalue().splitlines() if "mizzle.access" in line]

    return read


def _parsed(line, as_json):
    if as_json:
        return json.loads(line)
    first, _, fields = line.partition(": request ")
    time, level, logger = first.split()
    found = dict(field.split("=") for field in fields.split())
    numbers = {"status": int, "bytes_in": int, "bytes_out": int, "duration_ms": float}
    typed = {name: numbers.get(name, str)(value) for name, value in found.items()}
    return {"time": time, "level": level, "logger": logger, "message": "request", **typed}


@pytest.fixture
def app():
    """The whole outer part of a service, with routes that answer, fail and refuse."""
    app = FastAPI(docs_url=None)
    problem_details.install(app, Metrics())

    @app.post("/v1/models/{name}")
    async def model(name: str, request: Request) -> int:
        return len(await request.body())

    @app.get("/fail")
    async def fail() -> None:
        raise ValueError(f"could not convert {CANARY} of /a/path")

    @app.get("/problem")
    async def problem() -> Response:
        return problem_details.problem_for(404)

    return RequestId(AccessLog(Auth(app, Keys.parse(LINE), ["/livez"])))


def ask(app, *headers, **scope):
    return call(app, ("X-API-Key", ALICE), *headers, root_path="", **scope)


def test_a_request_is_one_line(app, said) -> None:
    ask(app, method="POST", path="/v1/models/some", body=b"12345")
    [line] = said()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert re.fullmatch(r"[0-9a-f]{32}", line.pop("request_id"))
    assert line.pop("duration_ms") >= 0
    assert line == {
        "level": "info",
        "logger": "mizzle.access",
        "message": "request",
        "method": "POST",
        "route": "/v1/models/{name}",
        "status": 200,
        "bytes_in": 5,
        "bytes_out": 1,
        "key": "alice",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("GET", "/nothing", 404, "unmatched"),
        ("DELETE", "/v1/models/some", 405, "/v1/models/{name}"),
        (CANARY, "/fail", 405, "/fail"),
    ],
)
def test_so_is_a_refusal(app, said, method, path: str, status: int, route: str) -> None:
    ask(app, method=method, path=path)
    [line] = said()
    known = "OTHER" if method == CANARY else method
    assert (line["method"], line["status"], line["route"]) == (known, status, route)


def test_so_is_a_request_without_a_key(app, said) -> None:
    call(app, path="/v1/models/some")
    [line] = said()
    assert (line["status"], line["route"], line["key"]) == (401, "unmatched", "anonymous")


def test_so_is_a_failure(app, said) -> None:
    with pytest.raises(ValueError, match="convert"):
        ask(app, path="/fail")
    [line] = said()
    assert (line["status"], line["route"]) == (500, "/fail")


def test_a_life_is_none(app, said) -> None:
    async def alive(scope, receive, send) -> None:
        assert scope["type"] == "lifespan"

    with pytest.raises(StopIteration):
        RequestId(AccessLog(alive))({"type": "lifespan"}, None, None).send(None)  # type: ignore[arg-type]
    assert said() == []


@pytest.mark.parametrize("given", ["a", "A-b_9", str(uuid.UUID(int=2**100)), "a" * 64])
def test_the_callers_id_is_in_answer_problem_and_line(app, said, given) -> None:
    answer = ask(app, ("X-Request-ID", given), path="/problem")
    problem = answer.problem(404, "not_found")
    assert answer.headers["x-request-id"] == problem["request_id"] == said()[0]["request_id"] == given


@pytest.mark.parametrize("given", NASTY)
def test_another_one_is_replaced(app, said, given) -> None:
    raw = given.encode().decode("latin-1")
    answer = ask(app, ("X-Request-ID", raw), path="/problem")
    problem = answer.problem(404, "not_found")
    assert re.fullmatch("[0-9a-f]{32}", problem["request_id"])
    assert answer.headers["x-request-id"] == problem["request_id"] == said()[0]["request_id"]


def test_two_ids_are_none(app) -> None:
    twice = ask(app, ("X-Request-ID", "a"), ("X-Request-ID", "a"), path="/problem")
    assert len(twice.headers["x-request-id"]) == 32


def test_the_id_is_known_to_all_that_serves_a_request() -> None:
    seen = []

    async def inner(scope, receive, send) -> None:
        seen.extend([request_id.get(), id_of(scope)])
        await plain(scope, receive, send)

    call(RequestId(inner), ("X-Request-ID", "mine"))
    assert seen == ["mine", "mine"]
    assert request_id.get() is None


@pytest.mark.parametrize("nasty", NASTY)
def test_no_header_path_or_method_makes_a_second_line(app, log, said, nasty) -> None:
    raw = nasty.encode().decode("latin-1")
    headers = [(name, raw) for name in ("User-Agent", "Referer", "Host", "X-Request-ID", "Accept", "Cookie")]
    ask(app, *headers, method=raw, path="/" + nasty, query_string=nasty.encode())
    assert len(log.getvalue().splitlines()) == len(said()) == 1
    assert log.getvalue().isascii()


def test_messages_are_one_line_without_control_characters(log) -> None:
    logging.getLogger("x").warning("%s", "a\r\nb\x1b[31m\x7f\x85\u2028c\0")
    [line] = log.getvalue().splitlines()
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028]", line)
    assert "\\u001b[31m\\u007f" in line


def test_a_traceback_is_in_the_log_without_the_data(log) -> None:
    try:
        try:
            float(CANARY + "x")
        except ValueError as error:
            raise ExceptionGroup(f"of {CANARY}", [KeyError(CANARY), InvalidInput("our own words")]) from error
    except ExceptionGroup:
        logging.getLogger("x").exception("it failed")
    text = log.getvalue()
    for word in ("it failed", "ValueError", "KeyError", "ExceptionGroup", "InvalidInput: our own words"):
        assert word in text
    assert "test_a_traceback_is_in_the_log_without_the_data" in text
    assert CANARY not in text
    if log.as_json:
        assert len(text.splitlines()) == 1
    else:
        assert all(line.startswith("    ") for line in text.splitlines()[1:])


def test_an_exception_that_is_its_own_cause_ends(log) -> None:
    error = ValueError()
    error.__cause__ = error
    logging.getLogger("x").error("it failed", exc_info=error)
    assert log.getvalue().count("ValueError") == 1


def test_at_level_debug_exceptions_are_quoted() -> None:
    record = logging.LogRecord(
        "x", logging.ERROR, "", 1, "it failed", (), (ValueError, ValueError(CANARY), None)
    )
    assert CANARY in Lines(True, quoting=True).format(record)
    assert CANARY not in Lines(True).format(record)


@pytest.mark.parametrize("level", ["critical", "error", "warning", "info", "debug"])
def test_levels_are_those_of_logging(log, level: str) -> None:
    configure(level, True)
    assert logging.getLogger().level == getattr(logging, level.upper())


def test_nothing_of_a_request_is_logged_on_a_socket(app, log, said) -> None:
    """The canary is in every part of a request, good or bad; and uvicorn logs nothing of its own."""
    fields = "".join(
        f"{name}: {CANARY}\r\n" for name in ("X-Request-ID", "User-Agent", "Cookie", "Origin", "X-A")
    )
    head = f"Host: a\r\nX-API-Key: {ALICE}\r\nConnection: close\r\n{fields}"
    body = f"Content-Length: {len(CANARY)}\r\n\r\n{CANARY}"
    requests = {
        f"POST /v1/models/{CANARY}?{CANARY} HTTP/1.1\r\n{head}{body}": 200,
        f"GET /{CANARY} HTTP/1.1\r\n{head}\r\n": 404,
        f"GET /fail HTTP/1.1\r\n{head}\r\n": 500,
        f"GET / HTTP/1.1\r\n{head}X: y\r\n {CANARY}\r\n\r\n": 400,
        f"GET /{CANARY}": 408,
        f"{CANARY} /fail HTTP/1.1\r\n{head}\r\n": 405,
        f"{CANARY}\r\n\r\n": 400,
        f"POST /v1/models/a HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n{CANARY}\r\n": 400,
    }
    with listening(app, header_seconds=0.5) as address:
        for asked, status in requests.items():
            [answer] = exchange(address, asked.encode())
            assert answer.status == status, asked
            assert CANARY not in str(answer.headers)
    text = log.getvalue()
    assert [line["status"] for line in said()] == list(requests.values())
    assert CANARY not in text
    assert ALICE not in text
    assert "127.0.0.1" not in text
    assert "ValueError" in text  # of the route that fails
