"""Routes, answers, batching and faults of the service over HTTP."""

import asyncio
import json
import re
import socket
from dataclasses import replace

import httpx2
import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

import mizzle
from mizzle import wire
from mizzle.service.app import create_app
from mizzle.service.settings import Settings, read

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


def test_the_answer_has_the_documented_form(play, draw, fake):
    answer = play(lambda http: http.post(wire.PATH, json=_body(draw()))).json()
    estimate = fake.estimate(*draw())
    assert answer == {
        "mi": estimate.mi,
        "median": estimate.median,
        "quantiles": {str(q): estimate.quantile(q) for q in (0.05, 0.25, 0.5, 0.75, 0.95)},
        "unit": "nats",
        "n": 50,
        "dim_x": 2,
        "dim_y": 1,
        "in_range": True,
        "warnings": [],
        "model": {"name": "fake", "version": "0.0.1", "sha256": "0" * 64},
    }


@pytest.mark.parametrize(
    ("levels", "keys"),
    [
        ([0.1, 0.5], ["0.1", "0.5"]),
        ([0.005, 0.995], ["0.005", "0.995"]),
        ("all", ["0.005", "0.05", "0.25", "0.5", "0.75", "0.95", "0.995"]),
    ],
)
def test_levels_are_chosen(play, draw, levels, keys):
    answer = play(lambda http: http.post(wire.PATH, json=_body(draw(), levels=levels))).json()
    assert list(answer["quantiles"]) == keys
    values = list(answer["quantiles"].values())
    assert values == sorted(values)


def test_one_dimension_is_one_column(play, draw):
    x, y = draw(dx=1)
    flat = {"x": x[:, 0].tolist(), "y": y[:, 0].tolist()}

    async def both(http):
        return [(await http.post(wire.PATH, json=body)).json() for body in (flat, _body((x, y)))]

    one, two = play(both)
    assert one == two


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/secret/31337", 404, "not_found"),
        ("POST", "/v1/estimate/", 404, "not_found"),
        ("GET", "/v1/estimate", 405, "method_not_allowed"),
        ("DELETE", "/v1/estimate", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
    ],
)
def test_the_frameworks_refusals_are_problems_too(play, method, path, status, code):
    response = play(lambda http: http.request(method, path))
    _problem(response, status, code)
    assert "31337" not in response.text
    assert ("allow" in response.headers) == (status == 405)


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


@pytest.mark.parametrize("spoilt", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["mi", "values"])
def test_an_answer_that_is_not_finite_is_our_fault(play, draw, fake, spoilt, where):
    def distort(estimate):
        value = spoilt if where == "mi" else (*estimate.values[:-1], spoilt)
        return replace(estimate, **{where: value})

    fake.distort = distort
    response = play(lambda http: http.post(wire.PATH, json=_body(draw())))
    _problem(response, 500, "inference_failed")


def test_a_bug_of_ours_is_a_problem_without_details(play, draw, app, monkeypatch):
    async def fail(_):
        raise KeyError("/a/secret/path")

    monkeypatch.setattr(app.state.engine, "answer", fail)
    response = play(lambda http: http.post(wire.PATH, json=_body(draw())))
    _problem(response, 500, "internal_error")
    for secret in ("secret", "KeyError", "Traceback"):
        assert secret not in response.text


def test_too_many_cells_are_413(fake, draw):
    """A problem that no batch has room for is refused, however few bytes it has."""
    with TestClient(create_app(Settings(max_batch_cost=100), fake)) as http:
        response = http.post(wire.PATH, json=_body(draw()))
    problem = _problem(response, 413, "too_large")
    assert "150 cells; this service takes 100" in problem["detail"]
    assert fake.batches == []


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


def test_a_body_that_never_ends_is_408(fake, in_lifespan):
    app = create_app(Settings(body_seconds=0.01), fake)

    async def trickle():
        yield b"{"
        await asyncio.Event().wait()

    async def scenario(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=URL) as http:
            headers = {"content-type": "application/json"}
            return await http.post(wire.PATH, content=trickle(), headers=headers)

    _problem(in_lifespan(app, scenario), 408, "request_timeout")


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


def test_the_document_covers_request_answer_and_refusals(play):
    document = play(lambda http: http.get("/openapi.json")).json()
    operation = document["paths"]["/v1/estimate"]["post"]
    statuses = {"200", "408", "413", "415", "422", "429", "500", "503"}
    assert set(operation["responses"]) == statuses
    for status, response in operation["responses"].items():
        if status != "200":
            assert list(response["content"]) == ["application/problem+json"]
    [request] = operation["requestBody"]["content"].values()
    known = document["components"]["schemas"]
    used = re.findall("#/components/schemas/([A-Za-z]+)", json.dumps(document))
    assert set(used) <= set(known)
    assert set(known["EstimateRequest"]["properties"]) == {"x", "y", "levels"}
    assert set(document["paths"]) == {"/v1/estimate", "/livez", "/readyz"}
    assert request["example"]["x"]


def test_the_documents_example_is_answered(play):
    async def scenario(http):
        document = (await http.get("/openapi.json")).json()
        [request] = document["paths"]["/v1/estimate"]["post"]["requestBody"]["content"].values()
        return await http.post(wire.PATH, json=request["example"])

    assert play(scenario).status_code == 200


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MIZZLE_PORT", "9000")
    monkeypatch.setenv("MIZZLE_BASE_URL", "http://elsewhere")
    monkeypatch.setenv("MIZZLE_HOST", "")
    assert read().port == 9000
    assert read().host == "127.0.0.1"
    assert read(port=7).port == 7
    with pytest.raises(mizzle.InvalidInput, match="MIZZLE_PORT"):
        read(port=70000)
    with pytest.raises(ValidationError):
        Settings().port = 5
