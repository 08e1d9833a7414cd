"""Many requests at once: shared runs, isolated poison, bounded queue, callers who leave."""

import asyncio
import json
import socket
from typing import Any

from fakes import FakeEstimator

import mizzle
from mizzle import wire
from mizzle.service.app import create_app
from mizzle.service.inference import batcher
from mizzle.service.settings import Settings


def test_requests_during_a_run_share_the_next(play, draw, fake: FakeEstimator, as_body) -> None:
    """Natural batching over HTTP: 1 + 15 concurrent requests are 2 runs."""

    async def scenario(http):
        fake.gate.clear()
        pairs = [draw(seed=i) for i in range(16)]
        first = asyncio.create_task(http.post(wire.PATH, json=as_body(pairs[0])))
        await fake.begun()
        rest = [asyncio.create_task(http.post(wire.PATH, json=as_body(p))) for p in pairs[1:]]
        engine = http._transport.app.state.engine
        while len(engine.batcher.waiting) < 15:
            await asyncio.sleep(0)
        fake.gate.set()
        return pairs, await asyncio.gather(first, *rest)

    pairs, answers = play(scenario)
    assert fake.batches == [1, 15]
    for pair, answer in zip(pairs, answers, strict=True):
        assert answer.json()["mi"] == fake.estimate(*pair).mi


def test_a_poisonous_request_fails_alone(
    play, draw, fake: FakeEstimator, poison, as_body, check_problem
) -> None:
    async def scenario(http):
        fake.gate.clear()
        x, y = draw()
        bodies = [as_body((x, y)), *[as_body(draw(seed=i)) for i in range(8)], as_body((poison(x), y))]
        tasks = [asyncio.create_task(http.post(wire.PATH, json=body)) for body in bodies]
        await fake.begun()
        fake.gate.set()
        return await asyncio.gather(*tasks)

    *good, bad = play(scenario)
    assert {answer.status_code for answer in good} == {200}
    problem = check_problem(bad, 500, "inference_failed")
    for secret in ("666", "secret", "RuntimeError", "Traceback", ".py"):
        assert secret not in json.dumps(problem)


def test_the_queue_says_how_full_it_is(
    settings: Settings, fake: FakeEstimator, draw, in_lifespan, as_body, connect
) -> None:
    async def scenario(app):
        engine, fills = app.state.engine, [app.state.engine.queue_fill]
        fake.gate.clear()
        async with connect(app) as http:
            tasks = [asyncio.create_task(http.post(wire.PATH, json=as_body(draw())))]
            await fake.begun()
            fills.append(engine.queue_fill)  # what runs does not wait
            tasks += [asyncio.create_task(http.post(wire.PATH, json=as_body(draw()))) for _ in range(2)]
            while len(engine.batcher.waiting) < 2:
                await asyncio.sleep(0)
            fills += [engine.queue_fill, engine.batcher.waiting.cells / engine.batcher.capacity]
            fake.gate.set()
            await asyncio.gather(*tasks)
        return fills

    idle, running, waiting, share = in_lifespan(create_app(settings, fake), scenario)
    assert idle == running == 0
    assert 0 < waiting == share < 1
    hasty = settings.model_copy(update={"max_wait_seconds": 1e-9})
    assert in_lifespan(create_app(hasty, fake), scenario)[2] == 1


def test_a_full_queue_is_429_with_a_time_to_come_back(
    settings: Settings, fake: FakeEstimator, draw, in_lifespan, as_body, check_problem, connect, monkeypatch
) -> None:
    monkeypatch.setattr(batcher, "_BURST_ITEMS", 0)  # this is an overload already
    app = create_app(settings.model_copy(update={"max_wait_seconds": 1e-9}), fake)

    async def scenario(app):
        fake.gate.clear()
        async with connect(app) as http:
            tasks = [asyncio.create_task(http.post(wire.PATH, json=as_body(draw())))]
            await fake.begun()
            tasks += [asyncio.create_task(http.post(wire.PATH, json=as_body(draw()))) for _ in range(16)]
            while len(app.state.engine.batcher.waiting) < 16:
                await asyncio.sleep(0)
            refused = await http.post(wire.PATH, json=as_body(draw()))
            fake.gate.set()
            return refused, await asyncio.gather(*tasks)

    refused, answers = in_lifespan(app, scenario)
    check_problem(refused, 429, "queue_full")
    assert refused.headers["retry-after"] == "1"
    assert {answer.status_code for answer in answers} == {200}


def test_who_hangs_up_is_not_computed(
    fake: FakeEstimator, settings: Settings, draw, in_lifespan, as_body
) -> None:
    """The caller of the second request leaves while the first one runs: one run of one problem."""
    app = create_app(settings, fake)

    async def scenario(app):
        fake.gate.clear()
        first = asyncio.create_task(_raw(app, as_body(draw()), asyncio.Event()))
        await fake.begun()
        left = asyncio.Event()
        second = asyncio.create_task(_raw(app, as_body(draw()), left))
        waiting = app.state.engine.batcher.waiting
        while len(waiting) < 1:
            await asyncio.sleep(0)
        left.set()
        await second
        assert len(waiting) == 0
        fake.gate.set()
        return await first

    assert in_lifespan(app, scenario) == 200
    assert fake.batches == [1]


async def _raw(app, body, left):
    """One request as an ASGI server would bring it; `left` is the end of the connection."""
    content = json.dumps(body).encode()
    messages = [{"type": "http.request", "body": content}]
    status = []

    async def receive():
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message) -> None:
        status.append(message.get("status"))

    headers = [(b"content-type", b"application/json"), (b"host", b"localhost")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": wire.PATH, "headers": headers}
    scope |= {"query_string": b"", "root_path": "", "http_version": "1.1", "scheme": "http"}
    await app(scope | {"server": ("localhost", 80), "client": None}, receive, send)
    return status[0]


def test_a_socket_that_breaks_off_leaves_the_service_well(served: str, draw, fake: FakeEstimator) -> None:
    """500 bytes announced, 9 sent, connection reset; then a good request."""
    host, port = served.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(
                b"POST /v1/estimate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b'Content-Length: 500\r\n\r\n{"x": [1,'
            )
    with mizzle.Client(served) as client:
        assert client.estimate(*draw()).n == 50
    assert fake.batches == [1]


def test_sixty_four_callers_at_once_are_answered(
    settings: Settings, fake: FakeEstimator, draw, in_lifespan, as_body, connect
) -> None:
    """A burst on an idle service is no overload, however little work may wait."""
    app = create_app(settings.model_copy(update={"max_wait_seconds": 1e-9}), fake)

    async def scenario(app):
        fake.gate.clear()
        async with connect(app) as http:
            posts = [http.post(wire.PATH, json=as_body(draw(seed=seed))) for seed in range(64)]
            tasks = list(map(asyncio.ensure_future, posts))
            while len(app.state.engine.batcher.waiting) < 63:
                await asyncio.sleep(0)
            fake.gate.set()
            return await asyncio.gather(*tasks)

    assert {answer.status_code for answer in in_lifespan(app, scenario)} == {200}


def test_what_would_take_the_model_too_long_is_refused_by_what_it_takes(
    settings: Settings, fake: FakeEstimator, draw, in_lifespan, as_body, connect, check_problem
) -> None:
    """At 1e7 cells a second one problem of 50 rows takes 64 microseconds, and thirty of them do not pass."""
    app = create_app(settings.model_copy(update={"max_compute_seconds": 1e-3}), fake)

    async def scenario(app):
        async with connect(app) as http:
            answered = await http.post(wire.PATH, json=as_body(draw()))
            many = [as_body(draw())] * 30
            return answered, await http.post(wire.BATCH_PATH, json={"problems": many})

    answered, refused = in_lifespan(app, scenario)
    assert answered.status_code == 200
    assert "seconds" in check_problem(refused, 413, "too_large")["detail"]
