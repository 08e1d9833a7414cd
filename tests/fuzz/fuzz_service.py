"""Whole requests to the application, and settings: refused in the documented form, never with a 5xx."""

import asyncio
import io
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from fakes import FakeEstimator, FakeTable, model_loaded
from fuzz_bodies import GRID
from mutator import PLAIN
from target import Target, refusal

from mizzle import wire
from mizzle.errors import InvalidInput
from mizzle.service import settings
from mizzle.service.app import create_app
from mizzle.types import Estimate

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
_FAULTS = {"/readyz": (503,), "/v2/health/ready": (503,)}


class _Estimator(FakeEstimator):
    """Has an answer to any problem, as the model has."""

    def run(self, tables: list[FakeTable]) -> list[Estimate]:
        with suppress(RuntimeError, np.linalg.LinAlgError):
            estimates = super().run(tables)
            if all(map(wire.is_sound, estimates)):
                return estimates
        values = tuple(float(i) for i in range(len(GRID)))
        return [
            Estimate(3.0, GRID, values, len(x), x.shape[1], y.shape[1], True, (), self.info)
            for x, y in tables
        ]


class _Application:
    """The service without a socket, in an event loop that stays."""

    def __init__(self) -> None:
        chosen = settings.Settings(max_body_bytes=100_000, max_problem_cells=50_000, max_wait_seconds=60)
        self._app = create_app(chosen, _Estimator())
        self._loop = asyncio.new_event_loop()
        self._life = self._app.router.lifespan_context(self._app)
        self._loop.run_until_complete(self._start())

    async def _start(self) -> None:
        await self._life.__aenter__()
        await model_loaded()

    def answer(self, scope: dict[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to a request."""
        return self._loop.run_until_complete(self._answer(scope, body))

    async def _answer(self, scope: dict[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        received, sent = [body], []
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if received:
                return {"type": "http.request", "body": received.pop(), "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)  # type: ignore[arg-type]  # messages are plain dicts
        start, *rest = sent
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return start["status"], headers, b"".join(message.get("body", b"") for message in rest)


@cache
def _application() -> _Application:
    return _Application()


def _scope(head: bytes) -> dict[str, Any]:
    """What the server makes of the lines of a head, which is right in its form."""
    first, *lines = head.replace(b"\r", b"").split(b"\n")
    method, target, *_ = [*first.decode("latin-1").split(" "), "", ""]
    path, _, query = (target or "/").partition("?")
    fields = [
        (name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method if method in _METHODS else "POST",
        "scheme": "http",
        "path": path if path.startswith("/") else f"/{path}",
        "raw_path": path.encode("latin-1"),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(b"host", b"localhost"), *((name, value) for name, value in fields if name)],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


def _check_request(content: bytes) -> str:
    """Request line and headers, a blank line and the body."""
    head, _, body = content.partition(b"\n\n")
    scope = _scope(head)
    status, headers, answer = _application().answer(dict(scope), body)
    assert status < 500 or status in _FAULTS.get(scope["path"], ()), (status, answer)
    assert all(value.isprintable() for value in headers.values())
    assert headers["x-request-id"]
    if status < 400:
        return "read"
    if scope["method"] != "HEAD":
        assert headers["content-type"] == "application/problem+json"
        problem = json.loads(answer)
        assert set(problem) >= _MEMBERS
        assert problem["status"] == status
        assert problem["request_id"] == headers["x-request-id"]
        assert len(answer) < 4096
    return str(status)


def _check_settings(content: bytes) -> str:
    """Lines of names and values, as the environment may have them."""
    lines = content.decode(errors="replace").replace("\0", "").split("\n")
    pairs = [(name, value) for name, mark, value in (line.partition("=") for line in lines) if mark and name]
    chosen = {f"MIZZLE_{name.upper()}": value.encode(errors="replace").decode() for name, value in pairs}
    before = dict(os.environ)
    try:
        os.environ.update(chosen)
        read = settings.read()
    except InvalidInput as error:
        return refusal(error, InvalidInput)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert read.max_problem_cells <= read.max_request_cells
    assert 0 <= read.port <= 65535
    assert all(name.strip() for name in settings.names(read.hosts))
    for name in (
        "header_seconds",
        "body_seconds",
        "max_compute_seconds",
        "request_seconds",
        "jobs_ttl_seconds",
    ):
        assert 0 < getattr(read, name) < float("inf")
    return "read"


def _requests() -> Sequence[bytes]:
    """Of a body of numbers, which no text holds."""
    file = io.BytesIO()
    np.save(file, np.column_stack([np.arange(12.0), np.arange(12.0) ** 2]))
    return [b"POST /v1/estimate\ncontent-type: application/x-npy\n\n" + file.getvalue()]


_LINES = (
    *(
        b"content-type: application/json\n",
        b"x-request-timeout: 1\n",
        b"x-request-id: a\n",
        b"origin: null\n",
    ),
    *(b"content-length: 5\n", b"content-encoding: gzip\n", b"expect: 100-continue\n", b"accept: */*\n"),
    *(b"host: a\n", b"authorization: Bearer a\n", b"x-forwarded-for: a\n", b"traceparent: 00-0-0-0\n"),
    *(
        b"access-control-request-method: POST\n",
        b"charset=utf-8",
        b"charset=\xff",
        b"?levels=0.5",
        b"&dim_x=1",
    ),
    *(b"/v1/limits", b"/v1/models", b"/v2", b"/metrics", b"/readyz", b"/openapi.json", b"/..", b"%00", b"//"),
    *(
        b"if-none-match: *\n",
        b"range: bytes=0-\n",
        b"last-event-id: 1\n",
        b"inference-header-content-length: 5\n",
    ),
)
_SETTINGS = (b"PORT=", b"HOSTS=", b"WEIGHTS_SHA256=", b"LOG_JSON=", b"KEY_RATE=", b"=inf", b"=nan", b"=1e400")
TARGETS = (
    Target("service", _check_request, PLAIN, _LINES, _requests, executions=1000, peak=(4000, 16 * 2**20)),
    Target("settings", _check_settings, PLAIN, _SETTINGS, executions=600),
)
