"""The application as a whole tells its metrics of what happens."""

import math
from dataclasses import replace
from typing import Any

from counted import value
from fakes import FakeEstimator

from mizzle.errors import ModelUnavailable
from mizzle.service.app import create_app
from mizzle.service.http.auth import Keys, new_key
from mizzle.service.settings import Settings
from mizzle.service.telemetry import metrics as metrics_module


def test_metrics_are_there_without_a_model(app: Any, in_lifespan, connect) -> None:
    async def scenario(app):
        app.state.engine.fail(ModelUnavailable("gone"))
        async with connect(app) as http:
            return await http.get("/metrics")

    answer = in_lifespan(app, scenario)
    assert answer.status_code == 200
    assert "mizzle_ready 0.0" in answer.text


def test_an_answer_that_is_not_finite_counts(app: Any, play, fake: FakeEstimator, draw, as_body) -> None:
    async def ask(http):
        fake.distort = lambda estimate: replace(estimate, mi=math.nan)
        return await http.post("/v1/estimate", json=as_body(draw()))

    assert play(ask).status_code == 500
    assert value(app.state.metrics, "mizzle_nonfinite_total") == 1


def test_every_refusal_counts_under_its_reason(
    settings: Settings, fake: FakeEstimator, in_lifespan, connect, draw, as_body
) -> None:
    key, line = new_key("me")
    app = create_app(settings, fake, keys=Keys.parse(line))
    mine = {"x-api-key": key}

    async def scenario(app) -> None:
        async with connect(app) as http:
            await http.post("/v1/estimate")
            typed = {**mine, "content-type": "application/json"}
            await http.post("/v1/estimate", content=b" " * 300_000, headers=typed)
            await http.post("/v1/estimate", json=as_body(draw(9000, 1, 1)), headers=mine)
            late = {**mine, "x-request-timeout": "1e-9"}
            await http.post("/v1/estimate", json=as_body(draw()), headers=late)
            app.state.engine.fail(ModelUnavailable("gone"))
            await http.post("/v1/estimate", json=as_body(draw()), headers=mine)

    in_lifespan(app, scenario)
    found = {r: value(app.state.metrics, "mizzle_rejected_total", reason=r) for r in metrics_module.REASONS}
    expected = {"unauthorized": 1, "too_large": 2, "deadline": 1, "not_ready": 1}
    assert {reason: count for reason, count in found.items() if count} == expected
