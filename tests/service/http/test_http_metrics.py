"""Requests are counted by the template of their route, whatever callers write."""

import asyncio
import random
from typing import Any

import pytest
from counted import series, value
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from mizzle.service.http.http_metrics import HttpMetrics
from mizzle.service.inference.batcher import ALWAYS_ADMITTED
from mizzle.service.telemetry import metrics as metrics_module
from mizzle.service.telemetry.instruments import OTHER
from mizzle.service.telemetry.metrics import Metrics


class Wire:
    """An application behind `HttpMetrics`, asked without a socket.

    Attributes:
        sent: the statuses that came back.
    """

    def __init__(self, app) -> None:
        self.metrics = Metrics()
        self.sent: list[int] = []
        self._app = HttpMetrics(app, self.metrics)

    async def ask(self, path, method="GET", kind="http", headers=()) -> None:
        scope = {"type": kind, "path": path, "method": method, "headers": headers, "query_string": b"canary"}
        await self._app(scope, self._receive, self._send)

    async def _receive(self):
        return {"type": "http.request"}

    async def _send(self, message) -> None:
        if "status" in message:
            self.sent.append(message["status"])

    def count(self, route, method, status):
        labels = {"route": route, "method": method, "status": status}
        return value(self.metrics, "mizzle_http_requests_total", **labels)


async def _ok(_):
    return Response()


ROUTED = Starlette(routes=[Route("/items/{name}", _ok, methods=["POST"])])


def test_requests_are_counted_by_template() -> None:
    wire = Wire(ROUTED)
    for path, method in (("/items/a", "POST"), ("/items/b", "POST"), ("/items/c", "PUT"), ("/d", "BREW")):
        asyncio.run(wire.ask(path, method))
    assert wire.sent == [200, 200, 405, 404]
    assert wire.count("/items/{name}", "POST", "200") == 2
    assert wire.count("/items/{name}", "PUT", "405") == 1
    assert wire.count("unmatched", OTHER, "404") == 1
    assert value(wire.metrics, "mizzle_http_request_duration_seconds_count", route="/items/{name}") == 3


def test_a_hundred_thousand_callers_make_no_series() -> None:
    rng, wire = random.Random(0), Wire(ROUTED)
    known = [*metrics_module.METHODS, "X"]

    async def calls(count) -> None:
        for i in range(count):
            word = f"{rng.getrandbits(64):x}"
            method = rng.choice(known) if i % 2 else word
            await wire.ask(
                rng.choice(["/", "/items/"]) + word, method, headers=[(b"user-agent", word.encode())]
            )

    asyncio.run(calls(500))
    before = series(wire.metrics)
    asyncio.run(calls(100_000))
    assert series(wire.metrics) == before


async def _breaks(scope, receive, send) -> None:
    raise RuntimeError("canary")


async def _breaks_late(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("canary")


async def _stopped(scope, receive, send) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("app", "error", "status"),
    [
        (_breaks, RuntimeError, "500"),
        (_breaks_late, RuntimeError, "200"),
        (_stopped, asyncio.CancelledError, "none"),
    ],
)
def test_what_ends_badly_counts_too(app, error, status: str) -> None:
    wire = Wire(app)
    with pytest.raises(error):
        asyncio.run(wire.ask("/"))
    assert wire.count("unmatched", "GET", status) == 1


def test_what_is_not_http_passes() -> None:
    async def silent(scope, receive, send) -> None:
        pass

    wire = Wire(silent)
    before = series(wire.metrics)
    asyncio.run(wire.ask("/", kind="lifespan"))
    assert series(wire.metrics) == before


def test_every_route_has_its_own_template_as_its_name(app: Any, play) -> None:
    paths = app.openapi()["paths"]

    async def ask_all(http):
        for path, methods in paths.items():
            for method in methods:
                await http.request(method.upper(), path)
        return (await http.get("/metrics")).text

    text = play(ask_all)
    for path in paths:
        assert f'route="{path}"' in text or path == "/metrics"  # counted when it has ended
    named = {labels for _, labels in series(app.state.metrics)}
    routes = {dict(labels).get("route") for labels in named} - {None}
    assert routes == set(paths)


def test_nothing_that_a_caller_wrote_is_in_the_metrics(app: Any, play, draw, as_body) -> None:
    x, y = draw()
    x[0, 0] = 31337.4242

    async def ask(http):
        headers = {"user-agent": "canary", "x-request-id": "canary", "accept": "text/canary"}
        for path in ("/v1/estimate", "/v1/estimate?canary=1", "/v1/estimate/canary", "/v1/models/canary"):
            await http.post(path, json=as_body((x, y)), headers=headers)
        await http.request("CANARY", "/canary", headers=headers)
        return (await http.get("/metrics", headers=headers)).text

    text = play(ask)
    assert 'route="/v1/estimate",status="200"} 1.0' in text
    assert "canary" not in text.lower()
    assert "31337" not in text


def test_the_service_tells_of_its_queue_its_model_and_its_formats(app: Any, play) -> None:
    async def ask(http):
        limits, text = (await http.get("/v1/limits")).json(), (await http.get("/metrics")).text
        return limits, text, value(app.state.metrics, "mizzle_queue_capacity_cells")

    limits, text, capacity = play(ask)
    assert set(limits["media_types"]) <= set(metrics_module.FORMATS)
    assert limits["queue_cells"] == capacity > 0
    assert limits["always_admitted_problems"] == ALWAYS_ADMITTED == 16
    assert 'mizzle_model_info{device="cpu",name="fake"' in text
    assert "mizzle_ready 1.0" in text
