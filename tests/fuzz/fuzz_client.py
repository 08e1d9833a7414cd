"""What a client reads: answers, refusals, events and results of any server, packed or not."""

import math
import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx2
import numpy as np
from mutator import PLAIN, TENSORS
from target import Target

import mizzle
from mizzle import wire
from mizzle.backends.retry import Attempts, Reply, retry_after
from mizzle.client import jobs as client_jobs
from mizzle.client.jobs import Jobs
from mizzle.errors import MizzleError
from mizzle.types import Estimate

_URL = "http://mizzle.test"
_TIMEOUT = 5.0
_MAX_ANSWERS = 3  # after which the server is gone
_X = np.arange(12.0)
_LIMITS = {"min_rows": 10, "max_columns": 64, "levels": [0.005, 0.995], "max_body_bytes": 10**6}
_ENDED = {
    **dict.fromkeys(client_jobs._KEYS),
    "id": "a",
    "what": "matrix",
    "state": "done",
    "pairs": 1,
    "done": 1,
    "failed": 0,
    "ended": "now",
}


class _Pieces(httpx2.SyncByteStream):
    """A body as it comes from a connection: not read before somebody wants it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), 1000):
            yield self._content[start : start + 1000]


class _Server:
    """Answers every request alike.

    Attributes:
        content: a status, lines of headers, a blank line and a body; see `_response`.
        answers: that it still has; afterwards nobody is there.
        waits: of the client, in seconds.
    """

    def __init__(self) -> None:
        self.content = b""
        self.answers = 0
        self.waits: list[float] = []

    def begin(self, content: bytes) -> None:
        self.content, self.answers, self.waits = content, _MAX_ANSWERS, []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path == wire.LIMITS and self.answers == _MAX_ANSWERS and b"answers" in self.content:
            return httpx2.Response(200, json=_LIMITS)
        if path == f"{wire.JOBS}/ended":
            return httpx2.Response(200, json=_ENDED)
        self.answers -= 1
        if self.answers < 0:
            raise httpx2.ConnectError("nobody is there")
        return _response(self.content)

    def wait(self, seconds: float) -> None:
        assert 0 < seconds < _TIMEOUT
        self.waits.append(seconds)


def _response(content: bytes) -> httpx2.Response:
    head, _, body = content.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    status = int(first) if first.isdigit() and 200 <= int(first[:9]) <= 599 else 200
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    return httpx2.Response(status, headers=[pair for pair in headers if pair[0]], stream=_Pieces(body))


@cache
def _ends() -> tuple[_Server, mizzle.Client, Jobs]:
    """A server, and both clients of it."""
    for name in ("MIZZLE_API_KEY", "MIZZLE_BASE_URL"):
        os.environ.pop(name, None)
    server = _Server()
    http = httpx2.Client(transport=httpx2.MockTransport(server))
    client = mizzle.Client(_URL, timeout=_TIMEOUT, concurrency=1, http_client=http)
    jobs = Jobs(_URL, _TIMEOUT)
    jobs._http = http
    client._sleep = jobs._sleep = server.wait  # type: ignore[assignment]  # time.sleep takes more
    return server, client, jobs


def _is_clean(text: str) -> bool:
    """Whether a terminal shows a text as it is."""
    return text.isprintable()


def _check_estimate(estimate: Any) -> None:
    assert isinstance(estimate, Estimate)
    assert wire.is_sound(estimate)
    assert (estimate.n, estimate.dim_x, estimate.dim_y) == (12, 1, 1)
    assert all(_is_clean(text) for notice in estimate.warnings for text in notice)
    assert all(map(_is_clean, estimate.model))
    assert _is_clean(repr(estimate))
    assert estimate._repr_html_()
    assert estimate.median >= 0


def _refused(error: MizzleError) -> str:
    """The word for an error, whose text is harmless."""
    assert _is_clean(str(error)), repr(str(error))
    assert _is_clean(error.request_id or "")
    assert len(str(error)) < 4000
    return type(error).__name__


def _check_many(outcomes: list[Any]) -> str:
    assert len(outcomes) == 2
    for outcome in outcomes:
        if not isinstance(outcome, MizzleError):
            _check_estimate(outcome)
    return max(_refused(outcome) if isinstance(outcome, MizzleError) else "read" for outcome in outcomes)


def _check_about(_: Any) -> None:
    """Of limits and cards any are right."""


def _check_jobs(jobs: list[dict[str, Any]]) -> None:
    for job in jobs:
        assert set(client_jobs._KEYS) <= set(job)
        assert all(_is_clean(value) for value in job.values() if isinstance(value, str))


def _check_result(result: Any) -> None:
    for pair in result:
        assert (pair.estimate is None) != (pair.error is None)
        if pair.estimate is not None:
            assert wire.is_sound(pair.estimate)
        assert isinstance(pair.x, str)
        assert isinstance(pair.y, str)
    assert isinstance(repr(result), str)
    result.to_json()
    result.to_csv()


def _client(
    name: str, call: Callable[[mizzle.Client, Jobs], Any], check: Callable[[Any], str | None]
) -> Target:
    def run(content: bytes) -> str:
        server, client, jobs = _ends()
        server.begin(content)
        try:
            answer = call(client, jobs)
        except MizzleError as error:
            return _refused(error)
        return check(answer) or "read"

    return Target(name, run, PLAIN, _HTTP, executions=600, peak=(3000, 4 * 2**20))


def _check_packed_result(content: bytes) -> str:
    """A result by itself, whose structure is then damaged more often."""
    server, _, jobs = _ends()
    server.begin(b"200\n\n" + content)
    try:
        _check_result(jobs.result("a"))
    except MizzleError as error:
        return _refused(error)
    return "read"


def _check_retry_after(content: bytes) -> str:
    """Two lines: Retry-After, and retry-after-ms."""
    line, _, more = content.decode("latin-1").partition("\n")
    headers = {"retry-after": line} | ({"retry-after-ms": more} if more else {})
    seconds = retry_after(headers)
    assert seconds is None or 0 <= seconds < math.inf
    wait = Attempts(_TIMEOUT, clock=lambda: 0.0, random=lambda: 0.5).wait(Reply(429, b"", seconds))
    assert wait is None or 0.05 <= wait < _TIMEOUT
    return "none" if seconds is None else "read"


_HTTP = (
    *b"200 204 301 401 413 422 429 500 503 retry-after: retry-after-ms: content-encoding: gzip".split(),
    *b'"code" "detail" "status" "mi" "quantiles" "0.5" "warnings" "model" "reduced" "answers"'.split(),
    *b'"estimate" "job" "names" "pairs" "error" "ended" "queue_full" "too_large" "notices"'.split(),
    b"data:",
    b"event: end\n",
    *(b"\\u001b[2J", b"\\u202e", b"\xe2\x80\xae", b"x-request-id: a\x1b"),
)
TARGETS = (
    _client("client-estimate", lambda client, _: client.estimate(_X, _X[::-1]), _check_estimate),
    _client(
        "client-many",
        lambda client, _: client.estimate_many([(_X, _X), (_X, _X)], errors="return", progress=False),
        _check_many,
    ),
    _client("client-limits", lambda client, _: client.limits(), _check_about),
    _client("client-info", lambda client, _: client.info(), _check_about),
    _client("client-job", lambda _, jobs: [jobs.find("a")], _check_jobs),
    _client("client-jobs", lambda _, jobs: jobs.all(), _check_jobs),
    _client("client-events", lambda _, jobs: list(jobs.follow("ended")), _check_jobs),
    _client("client-result", lambda _, jobs: jobs.result("a"), _check_result),
    Target("result", _check_packed_result, TENSORS, _HTTP, executions=1000, peak=(3000, 4 * 2**20)),
    Target(
        "retry-after", _check_retry_after, PLAIN, b"Mon, 30 Nov 2026 GMT +9999 -0001 1e308 nan inf".split()
    ),
)
