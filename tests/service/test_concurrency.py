"""Many requests at once: shared runs, isolated poison, bounded queue, callers who leave."""

import asyncio
import json
import socket

import httpx2
import pytest

import mizzle
from mizzle import wire
from mizzle.service.app import create_app

URL = "http://mizzle.test"


@pytest.fixture
def app(settings, fake):
    return create_app(settings, fake)


@pytest.fixture
def play(app, in_lifespan):
    """Runs `await scenario(http)` against the application."""

    def run(scenario):
        async def connect(app):
            transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url=URL) as http:
                return await scenario(http)

        return in_lifespan(app, connect)

    return run


def _body(pair, **more):
    x, y = pair
    return {"x": x.tolist(), "y": y.tolist(), **more}


def _problem(response, status, code):
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) < 4096
    problem = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


def test_requests_during_a_run_share_the_next(play, draw, fake):
    """Natural batching over HTTP: 1 + 20 concurrent requests are 2 runs."""

    async def scenario(http):
        fake.gate.clear()
        pairs = [draw(seed=i) for i in range(21)]
        first = asyncio.create_task(http.post(wire.PATH, json=_body(pairs[0])))
        await asyncio.to_thread(fake.started.wait)
        rest = [asyncio.create_task(http.post(wire.PATH, json=_body(p))) for p in pairs[1:]]
        engine = http._transport.app.state.engine
        while len(engine._batcher) < 20:
            await asyncio.sleep(0)
        fake.gate.set()
        return pairs, await asyncio.gather(first, *rest)

    pairs, answers = play(scenario)
    assert fake.batches == [1, 20]
    for pair, answer in zip(pairs, answers, strict=True):
        assert answer.json()["mi"] == fake.estimate(*pair).mi


def test_a_poisonous_request_fails_alone(play, draw, fake, poison):
    async def scenario(http):
        fake.gate.clear()
        x, y = draw()
        bodies = [_body((x, y)), *[_body(draw(seed=i)) for i in range(8)], _body((poison(x), y))]
        tasks = [asyncio.create_task(http.post(wire.PATH, json=body)) for body in bodies]
        await asyncio.to_thread(fake.started.wait)
        fake.gate.set()
        return await asyncio.gather(*tasks)

    *good, bad = play(scenario)
    assert {answer.status_code for answer in good} == {200}
    problem = _problem(bad, 500, "inference_failed")
    for secret in ("666", "secret", "RuntimeError", "Traceback", ".py"):
        assert secret not in json.dumps(problem)


def test_a_full_queue_is_429_with_a_time_to_come_back(settings, fake, draw, in_lifespan):
    app = create_app(settings.model_copy(update={"max_queue_items": 2}), fake)

    async def scenario(app):
        fake.gate.clear()
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=URL) as http:
            tasks = [asyncio.create_task(http.post(wire.PATH, json=_body(draw())))]
            await asyncio.to_thread(fake.started.wait)
            tasks += [asyncio.create_task(http.post(wire.PATH, json=_body(draw()))) for _ in "12"]
            while len(app.state.engine._batcher) < 2:
                await asyncio.sleep(0)
            refused = await http.post(wire.PATH, json=_body(draw()))
            fake.gate.set()
            return refused, await asyncio.gather(*tasks)

    refused, answers = in_lifespan(app, scenario)
    _problem(refused, 429, "queue_full")
    assert refused.headers["retry-after"] == "1"
    assert {answer.status_code for answer in answers} == {200}


def test_who_hangs_up_is_not_computed(fake, settings, draw, in_lifespan):
    """The caller of the second request leaves while the first one runs: one run of one problem."""
    app = create_app(settings, fake)

    async def scenario(app):
        fake.gate.clear()
        first = asyncio.create_task(_raw(app, draw(), asyncio.Event()))
        await asyncio.to_thread(fake.started.wait)
        left = asyncio.Event()
        second = asyncio.create_task(_raw(app, draw(), left))
        batcher = app.state.engine._batcher
        while len(batcher) < 1:
            await asyncio.sleep(0)
        left.set()
        await second
        assert len(batcher) == 0
        fake.gate.set()
        return await first

    assert in_lifespan(app, scenario) == 200
    assert fake.batches == [1]


async def _raw(app, pair, left):
    """One request as an ASGI server would bring it; `left` is the end of the connection."""
    content = json.dumps(_body(pair)).encode()
    messages = [{"type": "http.request", "body": content}]
    status = []

    async def receive():
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        status.append(message.get("status"))

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": wire.PATH, "headers": headers}
    scope |= {"query_string": b"", "root_path": "", "http_version": "1.1", "scheme": "http"}
    await app(scope | {"server": ("mizzle.test", 80), "client": None}, receive, send)
    return status[0]


def test_a_socket_that_breaks_off_leaves_the_service_well(served, draw, fake):
    """500 bytes announced, 9 sent, connection reset; then a good request."""
    host, port = served.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(
                b"POST /v1/estimate HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\n"
                b'Content-Length: 500\r\n\r\n{"x": [1,'
            )
    with mizzle.Client(served) as client:
        assert client.estimate(*draw()).n == 50
    assert fake.batches == [1]
