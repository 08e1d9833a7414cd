"""The clients' own duties, one request at a time: what is sent, tries, deadlines, typed errors."""

import io
import json

import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator
from scripted import URL, Scripted, problem

import mizzle
from mizzle import errors, wire
from mizzle.backends.retry import Attempts, Reply, retry_after


@pytest.fixture
def answer(fake: FakeEstimator, draw):
    """A good answer's body."""
    return json.dumps(wire.answer(fake.estimate(*draw()))).encode()


@pytest.fixture(params=["ask", "ask_async"])
def ask(request: pytest.FixtureRequest):
    """Both shells."""
    return lambda server, pair, **options: getattr(server, request.param)(pair, **options)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_passing_trouble_is_tried_again(ask, draw, answer, status: int) -> None:
    server = Scripted(httpx2.Response(status), httpx2.Response(status), httpx2.Response(200, content=answer))
    assert ask(server, draw()).n == 50
    first, second = server.waits
    assert 0.375 <= first <= 0.625  # 0.5 s give or take a quarter
    assert 0.75 <= second <= 1.25


def test_two_retries_are_the_most_without_a_word_from_the_server(ask, draw) -> None:
    server = Scripted(*[problem(429, "queue_full")] * 3)
    with pytest.raises(mizzle.QueueFull, match="words"):
        ask(server, draw())
    assert server.requests == 3


def test_no_connection_is_tried_again_and_then_explained(ask, draw) -> None:
    server = Scripted(*[httpx2.ConnectError("no route")] * 3)
    with pytest.raises(mizzle.ServiceUnreachable, match=r"http://mizzle\.test.*mizzle serve"):
        ask(server, draw())
    assert server.requests == 3


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: problem(500, "inference_failed"), mizzle.InferenceFailed),
        (lambda: problem(422, "not_finite"), mizzle.NotFinite),
        (lambda: problem(413, "too_large"), mizzle.TooLarge),
        (lambda: problem(422, "code_of_next_year"), mizzle.InvalidInput),
        (lambda: problem(404, "not_found"), errors.NotFound),
        (lambda: problem(500, "internal_error"), errors.InternalError),
        (lambda: problem(421, "wrong_host"), errors.WrongHost),
        (lambda: httpx2.Response(404, text="<html>"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(401, text="<html>"), mizzle.Unauthorized),
        (lambda: httpx2.Response(403, text="<html>"), mizzle.Forbidden),
        (lambda: httpx2.Response(413, text="<html>"), mizzle.TooLarge),
        (lambda: httpx2.Response(500, text="<html>"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(301, headers={"location": "/"}), mizzle.ServiceUnreachable),
        (lambda: httpx2.ReadTimeout("slow"), mizzle.ServiceUnreachable),
        (lambda: httpx2.ReadError("gone"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, text="<html>"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, text="[" * 100_000), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, json={}), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, json=[1]), mizzle.ServiceUnreachable),
    ],
)
def test_lasting_trouble_is_asked_once(ask, draw, make, error) -> None:
    server = Scripted(make())
    with pytest.raises(error) as caught:
        ask(server, draw())
    assert type(caught.value) is error
    assert server.requests == 1


@pytest.mark.parametrize("spoil", [{"mi": None}, {"quantiles": {}}, {"unit": "bans"}, {"n": "x"}])
def test_half_an_answer_is_none(ask, draw, answer, spoil) -> None:
    body = json.dumps(json.loads(answer) | spoil)
    with pytest.raises(mizzle.ServiceUnreachable, match="not of the form"):
        ask(Scripted(httpx2.Response(200, text=body)), draw())


def test_not_a_number_in_an_answer_is_refused(ask, draw, answer) -> None:
    body = json.dumps(json.loads(answer) | {"mi": float("nan")})
    with pytest.raises(mizzle.ServiceUnreachable):
        ask(Scripted(httpx2.Response(200, text=body)), draw())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "1", "retry-after-ms": "120"}, 0.12),
        ({"retry-after": "3", "retry-after-ms": "soon"}, 3.0),
    ],
)
def test_the_servers_wait_is_honoured(ask, draw, answer, headers, seconds: float) -> None:
    server = Scripted(problem(503, "not_ready", **headers), httpx2.Response(200, content=answer))
    ask(server, draw())
    assert server.waits == [seconds]


@pytest.mark.parametrize(
    "at_once", [{"retry-after": "0"}, {"retry-after-ms": "0"}, {"retry-after-ms": "1e-9"}]
)
@pytest.mark.parametrize("busy", [(429, "queue_full"), (503, "not_ready")])
def test_at_once_is_not_at_once(ask, draw, answer, at_once, busy) -> None:
    """A floor, and never the same moment for all."""
    waits = set()
    for _ in range(10):
        server = Scripted(problem(*busy, **at_once), httpx2.Response(200, content=answer))
        ask(server, draw())
        waits |= set(server.waits)
    assert len(waits) == 10
    assert min(waits) >= 0.05
    assert max(waits) <= 0.1


def test_at_once_again_and_again_is_obeyed_ever_more_slowly() -> None:
    """So a minute of refusals is not a thousand requests."""
    now = [0.0]
    attempts, tries = Attempts(60.0, clock=lambda: now[0]), 0
    while (wait := attempts.wait(Reply(429, retry_after=0.0))) is not None:
        now[0] += wait
        tries += 1
    assert 20 <= tries <= 70


def test_a_busy_server_that_says_when_is_asked_until_the_deadline(ask, draw, answer) -> None:
    busy = [problem(429, "queue_full", **{"retry-after-ms": "200"})] * 9
    server = Scripted(*busy, httpx2.Response(200, content=answer))
    assert ask(server, draw()).n == 50
    assert server.waits == [0.2] * 9


def test_the_last_refusal_says_when_and_under_which_id(ask, draw) -> None:
    headers = {"retry-after": "120", "x-request-id": "abc"}
    with pytest.raises(mizzle.RateLimited) as caught:
        ask(Scripted(problem(429, "rate_limited", **headers)), draw())
    assert (caught.value.retry_after, caught.value.request_id) == (120.0, "abc")


def test_a_wait_beyond_the_deadline_is_not_waited(ask, draw) -> None:
    server = Scripted(problem(503, "not_ready", **{"retry-after": "120"}))
    with pytest.raises(mizzle.NotReady):
        ask(server, draw(), timeout=60)
    assert server.waits == []


def test_the_deadline_covers_all_tries() -> None:
    now = [0.0]
    attempts = Attempts(1.0, clock=lambda: now[0], random=lambda: 0.5)
    assert attempts.wait(Reply(503)) == 0.5
    now[0] = 0.75
    assert attempts.remaining() == 0.25
    assert attempts.wait(Reply(503)) is None
    now[0] = 5.0
    assert (attempts.remaining() or 0) > 0


def test_retry_after_reads_seconds_and_dates() -> None:
    assert retry_after({"retry-after": "7"}) == 7.0
    assert retry_after({"retry-after": "1.5"}) == 1.5
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert (retry_after({"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}) or 0) > 1e6
    for value in ("soon", "", "nan", "inf", "-1"):
        assert retry_after({"retry-after": value}) is retry_after({}) is None


def test_the_service_is_told_the_time_that_is_left(ask, draw, answer) -> None:
    server = Scripted(httpx2.Response(200, content=answer))
    ask(server, draw(), timeout=30)
    assert 25 < float(server.request.headers["x-request-timeout"]) <= 30


def test_the_body_is_binary_and_asks_for_the_whole_grid(ask, draw, answer) -> None:
    server, (x, y) = Scripted(httpx2.Response(200, content=answer)), draw()
    ask(server, (x, y))
    assert server.request.url == URL + "/v1/estimate?dim_x=2&levels=all"
    assert server.request.headers["content-type"] == "application/x-npy"
    sent = np.load(io.BytesIO(server.request.content), allow_pickle=False)
    np.testing.assert_array_equal(sent, np.hstack([x, y]))
    assert sent.dtype == np.float64
