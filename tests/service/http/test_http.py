"""Routes, answers, batching and faults of the service over HTTP."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from fakes import FakeEstimator
from pydantic import ValidationError

import mizzle
from mizzle import wire
from mizzle.service.app import create_app
from mizzle.service.http.problem_details import whole_seconds
from mizzle.service.settings import Settings, read


def test_the_answer_has_the_documented_form(play, draw, fake: FakeEstimator, as_body) -> None:
    answer = play(lambda http: http.post(wire.PATH, json=as_body(draw()))).json()
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
def test_levels_are_chosen(play, draw, levels, keys, as_body) -> None:
    answer = play(lambda http: http.post(wire.PATH, json=as_body(draw(), levels=levels))).json()
    assert list(answer["quantiles"]) == keys
    values = list(answer["quantiles"].values())
    assert values == sorted(values)


def test_one_dimension_is_one_column(play, draw, as_body) -> None:
    x, y = draw(dx=1)
    flat = {"x": x[:, 0].tolist(), "y": y[:, 0].tolist()}

    async def both(http):
        return [(await http.post(wire.PATH, json=body)).json() for body in (flat, as_body((x, y)))]

    one, two = play(both)
    assert one == two


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/secret/31337", 404, "not_found"),
        ("POST", "/v1/estimate/", 404, "not_found"),
        ("GET", "/v1/estimate", 405, "method_not_allowed"),
        ("DELETE", "/v1/estimate", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
    ],
)
def test_the_frameworks_refusals_are_problems_too(
    play, method: str, path: str, status: int, code: str, check_problem
) -> None:
    response = play(lambda http: http.request(method, path))
    check_problem(response, status, code)
    assert "31337" not in response.text
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("spoilt", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["mi", "values"])
def test_an_answer_that_is_not_finite_is_our_fault(
    play, draw, fake: FakeEstimator, spoilt, where: str, as_body, check_problem
) -> None:
    def distort(estimate):
        value = spoilt if where == "mi" else (*estimate.values[:-1], spoilt)
        return replace(estimate, **{where: value})

    async def scenario(http):
        fake.distort = distort
        return await http.post(wire.PATH, json=as_body(draw()))

    check_problem(play(scenario), 500, "non_finite_answer")


def test_a_bug_of_ours_is_a_problem_without_details(
    play, draw, app: Any, monkeypatch: pytest.MonkeyPatch, as_body, check_problem
) -> None:
    async def fail(*_) -> None:
        raise KeyError("/a/secret/path")

    monkeypatch.setattr(app.state.engine, "estimate", fail)
    response = play(lambda http: http.post(wire.PATH, json=as_body(draw())))
    check_problem(response, 500, "internal_error")
    for secret in ("secret", "KeyError", "Traceback"):
        assert secret not in response.text


def test_too_many_cells_are_413(
    settings: Settings, fake: FakeEstimator, draw, as_body, check_problem, connect, in_lifespan
) -> None:
    """A problem that no batch has room for is refused, however few bytes it has."""
    app = create_app(settings.model_copy(update={"max_problem_cells": 100}), fake)

    async def scenario(app):
        async with connect(app) as http:
            return await http.post(wire.PATH, json=as_body(draw()))

    problem = check_problem(in_lifespan(app, scenario), 413, "too_large")
    assert "768 cells, padded; this service takes 100" in problem["detail"]
    assert fake.batches == []


def test_a_body_that_never_ends_is_408(fake: FakeEstimator, in_lifespan, check_problem, connect) -> None:
    app = create_app(Settings(body_seconds=0.01), fake)

    async def trickle():
        yield b"{"
        await asyncio.Event().wait()

    async def scenario(app):
        async with connect(app) as http:
            headers = {"content-type": "application/json"}
            return await http.post(wire.PATH, content=trickle(), headers=headers)

    check_problem(in_lifespan(app, scenario), 408, "request_timeout")


def test_the_document_covers_request_answer_and_refusals(play) -> None:
    document = play(lambda http: http.get("/openapi.json")).json()
    operation = document["paths"]["/v1/estimate"]["post"]
    statuses = "200 400 401 403 404 408 413 415 421 422 429 431 500 503 504"
    assert set(operation["responses"]) == set(statuses.split())
    for status, response in operation["responses"].items():
        if status != "200":
            assert list(response["content"]) == ["application/problem+json"]
    request = operation["requestBody"]["content"]["application/json"]
    known = document["components"]["schemas"]
    used = re.findall("#/components/schemas/([A-Za-z]+)", json.dumps(document))
    assert set(used) <= set(known)
    assert set(known["EstimateRequest"]["properties"]) == {
        *("x", "y", "given", "levels", "missing", "unit"),
    }
    assert {"/v1/estimate", "/v1/estimate:batch", "/v1/models", "/v1/limits"} <= set(document["paths"])
    assert request["example"]["x"]


def test_the_document_is_written_once(app, play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a caller who asks for it again and again would hold all others up."""

    async def scenario(http):
        first = await http.get("/openapi.json")
        monkeypatch.setattr(app, "openapi", lambda: pytest.fail("written again"))
        return first, await http.get("/openapi.json"), await http.head("/openapi.json")

    first, second, head = play(scenario)
    assert first.content == second.content
    assert first.headers["content-type"] == head.headers["content-type"] == "application/json"
    assert json.loads(first.content)["paths"]


def test_the_documents_example_is_answered(play) -> None:
    async def scenario(http):
        document = (await http.get("/openapi.json")).json()
        content = document["paths"]["/v1/estimate"]["post"]["requestBody"]["content"]
        return await http.post(wire.PATH, json=content["application/json"]["example"])

    assert play(scenario).status_code == 200


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize(("seconds", "whole"), [(0.01, 1), (1.0, 1), (1.01, 2), (60.0, 60)])
def test_retry_after_is_in_whole_seconds_and_never_zero(seconds: float, whole: int) -> None:
    assert whole_seconds(seconds) == whole
