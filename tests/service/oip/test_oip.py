"""The Open Inference Protocol: whatever the way of a tensor, the answer is the estimator's."""

import json
import re
import threading
from typing import Any

import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator
from fastapi import FastAPI
from oip_bodies import (
    DEFAULT,
    DTYPES,
    INFER,
    LENGTH,
    ROWS,
    TENSORS,
    assert_answers,
    body_of,
    outputs_of,
    refused,
    send,
    tensor,
)
from raw import call
from starlette.responses import Response

from mizzle.service.app import create_app
from mizzle.service.http.auth import Keys, new_key
from mizzle.service.http.dependencies import Service
from mizzle.service.http.memory import RequestMemory
from mizzle.service.http.problem_details import problem_for
from mizzle.service.oip import protocol, routes
from mizzle.service.oip import tensors as oip_tensors
from mizzle.service.oip.errors import Errors
from mizzle.service.settings import Settings
from mizzle.service.telemetry.metrics import Metrics

GRID = (0.005, *DEFAULT, 0.995)
WAYS = ["flat", "nested", "binary"]
TEXT = json.dumps({"inputs": [tensor(side, np.arange(float(ROWS)))[0] for side in "xy"]})


@pytest.fixture(scope="module")
def http(serve_here, new_fake: type[FakeEstimator]):
    """A connection to one service, for the tests that need none of their own."""
    with serve_here(Settings(), new_fake()) as url, httpx2.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture
def ask(http):
    """The answer to one body."""

    def run(content, headers=(), path=INFER):
        return send(http, content, headers, path)

    return run


@pytest.fixture
def pair(draw):
    """Integers, so that every datatype holds them."""
    x, y = draw(ROWS)
    return (8 * x).round(), (8 * y).round()


@pytest.mark.parametrize("datatype", DTYPES)
@pytest.mark.parametrize("way_of_x", WAYS)
@pytest.mark.parametrize("way_of_y", WAYS)
def test_every_datatype_in_every_way(
    ask, fake: FakeEstimator, pair, datatype, way_of_x: str, way_of_y: str
) -> None:
    x, y = pair
    content, headers = body_of(tensor("x", x, datatype, way_of_x), tensor("y", y, "FP64", way_of_y))
    answer, outputs = outputs_of(ask(content, headers))
    assert_answers(outputs, [fake.estimate(x, y)])
    assert list(outputs) == list(TENSORS)
    assert (answer["model_name"], answer["model_version"]) == ("fake", "0.0.1")
    assert answer["parameters"] == {"unit": "nats"}
    assert "id" not in answer


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("datatype", ["FP16", "FP32"])
def test_a_number_is_what_its_datatype_makes_of_it(
    ask, fake: FakeEstimator, draw, way: str, datatype: str
) -> None:
    """0.1 as FP32 is the nearest float32, whether it comes as JSON or as bytes."""
    x, y = draw(ROWS)
    entry, raw = tensor("x", x, datatype, way)
    if way != "binary":
        entry["data"] = (x if way == "nested" else x.ravel()).tolist()
    expected = fake.estimate(x.astype(DTYPES[datatype]).astype(np.float64), y)
    assert expected.mi != fake.estimate(x, y).mi
    content, headers = body_of((entry, raw), tensor("y", y))
    assert_answers(outputs_of(ask(content, headers))[1], [expected])


def test_an_integer_may_be_written_with_a_point(ask, fake: FakeEstimator, pair) -> None:
    """JSON has one kind of numbers."""
    x, y = pair
    entry, _ = tensor("x", x, "INT64")
    content, _ = body_of((entry | {"data": x.ravel().tolist()}, b""), tensor("y", y))
    assert b".0" in content
    assert_answers(outputs_of(ask(content))[1], [fake.estimate(x, y)])


def test_members_may_come_in_any_order(ask, fake: FakeEstimator, pair) -> None:
    x, y = pair
    inputs = [dict(reversed(tensor(name, side)[0].items())) for name, side in (("x", x), ("y", y))]
    content = json.dumps({"parameters": {"levels": "all"}, "id": "1", "inputs": inputs}, indent=1)
    assert_answers(outputs_of(ask(content))[1], [fake.estimate(x, y)], GRID)


@pytest.mark.parametrize("way", WAYS)
def test_the_inputs_may_come_in_any_order(ask, fake: FakeEstimator, pair, way: str) -> None:
    x, y = pair
    content, headers = body_of(tensor("y", y, "FP32", way), tensor("x", x, "INT32", way))
    assert_answers(outputs_of(ask(content, headers))[1], [fake.estimate(x, y)])


@pytest.mark.parametrize("way", WAYS)
def test_one_dimension_is_one_column(ask, fake: FakeEstimator, pair, way: str) -> None:
    x, y = pair
    content, headers = body_of(tensor("x", x[:, 0], way=way), tensor("y", y, way=way))
    assert_answers(outputs_of(ask(content, headers))[1], [fake.estimate(x[:, :1], y)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_has_an_answer_for_each_problem(ask, fake: FakeEstimator, draw, way: str, count: int) -> None:
    pairs = [draw(ROWS, seed=seed) for seed in range(count)]
    x, y = (np.stack(side) for side in zip(*pairs, strict=True))
    content, headers = body_of(tensor("x", x, way=way), tensor("y", y, way=way))
    assert_answers(outputs_of(ask(content, headers))[1], [fake.estimate(*p) for p in pairs])


@pytest.mark.parametrize("way", WAYS)
def test_large_bodies_are_read_beside_the_event_loop(ask, fake: FakeEstimator, draw, way: str) -> None:
    x, y = draw(1000, dx=8)
    content, headers = body_of(tensor("x", x, way=way), tensor("y", y, way=way))
    assert len(content) > 64 * 1024
    assert_answers(outputs_of(ask(content, headers))[1], [fake.estimate(x, y)])


@pytest.mark.parametrize(("rows", "beside"), [(12, False), (2000, True)])
def test_only_large_bodies_leave_the_event_loop(
    play, draw, monkeypatch: pytest.MonkeyPatch, rows: int, beside: bool
) -> None:
    threads, read = [], protocol.read

    def watched(*arguments):
        threads.append(threading.current_thread())
        return read(*arguments)

    monkeypatch.setattr(protocol, "read", watched)
    x, y = draw(rows)
    content, _ = body_of(tensor("x", x), tensor("y", y))
    assert (len(content) > 64 * 1024) is beside
    play(lambda http: send(http, content))
    assert [thread is not threading.main_thread() for thread in threads] == [beside]


def test_what_was_read_is_told(app: Any, settings: Settings, pair, in_lifespan, connect) -> None:
    """Of good bodies and of bad ones, once each."""
    told = []

    class Watching(Metrics):
        def decoded(self, media, seconds) -> None:
            told.append(media)

    async def scenario(app) -> None:
        other = FastAPI()
        other.state.service = Service(app.state.models, settings, Watching(), RequestMemory(settings))
        other.include_router(routes.router)
        async with connect(other) as http:
            for way in ("flat", "binary"):
                await send(http, *body_of(tensor("x", pair[0], way=way), tensor("y", pair[1], way=way)))
            await send(http, "{")

    in_lifespan(app, scenario)
    assert told == ["application/json", "application/octet-stream", "application/json"]


@pytest.mark.parametrize(
    ("levels", "chosen"), [("all", GRID), ("0.05,0.5", (0.05, 0.5)), ("0.995", (0.995,)), (None, DEFAULT)]
)
def test_levels_are_chosen(ask, fake: FakeEstimator, pair, levels: str | None, chosen) -> None:
    parameters = {} if levels is None else {"levels": levels}
    content, _ = body_of(tensor("x", pair[0]), tensor("y", pair[1]), parameters=parameters)
    assert_answers(outputs_of(ask(content))[1], [fake.estimate(*pair)], chosen)


@pytest.mark.parametrize("usual", [None, False, True])
@pytest.mark.parametrize("own", [None, False, True])
def test_binary_outputs_are_those_that_were_asked_for(
    ask, fake: FakeEstimator, pair, usual: bool | None, own: bool | None
) -> None:
    """`binary_data` of an output stands above `binary_data_output` of the request."""
    parameters = {} if usual is None else {"binary_data_output": usual}
    wanted = {"warnings": own, "quantiles": None, "in_range": own}
    outputs = [
        {"name": n} | ({} if b is None else {"parameters": {"binary_data": b}}) for n, b in wanted.items()
    ]
    x, y = pair
    request = body_of(tensor("x", x), tensor("y", np.zeros_like(y)), parameters=parameters, outputs=outputs)
    answer, found = outputs_of(ask(*request))
    binary = {output["name"]: "parameters" in output for output in answer["outputs"]}
    assert list(binary.items()) == [(n, bool(usual if b is None else b)) for n, b in wanted.items()]
    estimate = fake.estimate(x, np.zeros_like(y))
    assert found["quantiles"].tolist() == [[estimate.quantile(q) for q in DEFAULT]]
    assert found["in_range"].tolist() == [True]
    assert json.loads(found["warnings"][0]) == [
        {"code": "constant_y", "message": "y does not vary"},
    ]


def test_all_outputs_in_binary(ask, fake: FakeEstimator, pair) -> None:
    content, _ = body_of(tensor("x", pair[0]), tensor("y", pair[1]), parameters={"binary_data_output": True})
    answer, outputs = outputs_of(ask(content))
    assert_answers(outputs, [fake.estimate(*pair)])
    assert not any("data" in output for output in answer["outputs"])


@pytest.mark.parametrize("text", ["", "42", "ü\U0001f600\0", "a" * 256])
def test_the_id_comes_back(ask, pair, text) -> None:
    content, _ = body_of(tensor("x", pair[0]), tensor("y", pair[1]), id=text, outputs=[{"name": "mi"}])
    assert outputs_of(ask(content))[0]["id"] == text


@pytest.mark.parametrize("version", ["", "0.0.1"])
def test_the_model_may_be_named_once_more(ask, fake: FakeEstimator, pair, version: str) -> None:
    named = {"model_name": "fake", "model_version": version}
    content, _ = body_of(tensor("x", pair[0]), tensor("y", pair[1]), outputs=[], **named)
    response = ask(content, path="/v2/models/fake/versions/0.0.1/infer")
    assert_answers(outputs_of(response)[1], [fake.estimate(*pair)])


@pytest.mark.parametrize("media", ["application/json", "application/octet-stream", "", None])
@pytest.mark.parametrize("way", ["flat", "binary"])
def test_the_header_and_not_the_media_type_tells_what_a_body_is(
    ask, fake: FakeEstimator, pair, media: str | None, way: str
) -> None:
    """Triton's client names no media type, aiohttp one that does not fit, KServe's the documented."""
    content, headers = body_of(tensor("x", pair[0], way=way), tensor("y", pair[1]))
    headers |= {} if media is None else {"content-type": media}
    assert_answers(outputs_of(ask(content, headers))[1], [fake.estimate(*pair)])


def test_a_problem_that_fails_fails_its_request(ask, poison, pair) -> None:
    x, y = pair
    content, _ = body_of(tensor("x", np.stack([x, poison(x)])), tensor("y", np.stack([y, y])))
    problem = refused(ask(content), 500, "inference_failed", "problem 1 (counted from 0)")
    for secret in ("666", "secret", "RuntimeError"):
        assert secret not in json.dumps(problem)


@pytest.mark.parametrize(("microseconds", "status"), [(1, 504), (60_000_000, 200)])
def test_the_timeout_of_the_protocol_is_a_deadline(
    play, pair, fake: FakeEstimator, microseconds: int, status: int
) -> None:
    x, y = pair
    content, _ = body_of(tensor("x", x), tensor("y", y), parameters={"timeout": microseconds})
    response = play(lambda http: send(http, content))
    assert response.status_code == status
    assert fake.batches == ([1] if status == 200 else [])
    if status == 504:
        refused(response, 504, "deadline_exceeded")


def test_server_and_model_describe_themselves(http) -> None:
    paths = ("", "/models/fake", "/models/fake/versions/0.0.1")
    server, model, version = [http.get("/v2" + path).json() for path in paths]
    assert server["name"] == "mizzle"
    assert server["extensions"] == ["binary_tensor_data"]
    assert model == version
    assert (model["name"], model["versions"]) == ("fake", ["0.0.1"])
    sides = [{"name": side, "datatype": "FP64", "shape": [-1, -1, -1]} for side in "xy"]
    assert model["inputs"] == sides
    assert {o["name"]: o["datatype"] for o in model["outputs"]} == TENSORS
    assert {o["name"]: len(o["shape"]) for o in model["outputs"]}["quantiles"] == 2


def test_health(play, fake: FakeEstimator) -> None:
    async def scenario(http):
        paths = ("/health/live", "/health/ready", "/models/fake/ready", "/models/fake/versions/0.0.1/ready")
        return [(await http.get("/v2" + path)).json() for path in paths]

    named = {"name": "fake", "ready": True}
    assert play(scenario) == [{"live": True}, {"ready": True}, named, named]
    assert fake.batches == [1, 1, 1]  # through the batcher


def test_a_service_without_a_model_lives_and_is_not_ready(
    settings: Settings, fake: FakeEstimator, in_lifespan, connect
) -> None:
    app = create_app(settings, fake)

    async def scenario(app):
        fake.gate.clear()
        async with connect(app) as http:
            live = await http.get("/v2/health/live")
            paths = ("/health/ready", "/models/fake", "/models/fake/ready")
            others = [await http.get("/v2" + path) for path in paths]
            others += [await send(http, TEXT), await http.post("/v2/repository/index")]
            fake.gate.set()
            return live, others

    live, others = in_lifespan(app, scenario, settled=False)
    assert live.status_code == 200
    for response in others:
        refused(response, 503, "not_ready")
        assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("body", ["", "{}", '{"ready": true}', '{"ready": 1, "ready": false}'])
def test_the_index_lists_the_model(ask, body: str) -> None:
    entry = {"name": "fake", "version": "0.0.1", "state": "READY", "reason": ""}
    assert ask(body, path="/v2/repository/index").json() == [entry]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("[]", 422, "invalid_request"),
        ('{"ready": 1}', 422, "invalid_request"),
        ('{"name": "31337"}', 422, "invalid_request"),
        ("{", 400, "malformed"),
        (" " * 1025, 413, "too_large"),
    ],
)
def test_another_body_asks_for_no_index(ask, body, status: int, code: str) -> None:
    refused(ask(body, path="/v2/repository/index"), status, code)


NOWHERE = [
    "/v2/",
    "/v2/models",
    "/v2/models/31337",
    "/v2/models/31337/ready",
    "/v2/models/FAKE",
    "/v2/models/fake/",
    "/v2/models/fake%2f",
    "/v2/models/..%2ffake",
    "/v2/models/fake/versions/1",
    "/v2/models/fake/versions/31337/ready",
    "/v2/models/fake/config",
    "/v2/31337",
]


@pytest.mark.parametrize("path", NOWHERE)
def test_another_address_is_404(http, path: str) -> None:
    refused(http.get(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/v2/models/31337/infer", "/v2/models/fake/versions/31337/infer"])
def test_another_model_infers_nothing(ask, path: str) -> None:
    refused(ask(TEXT, path=path), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", INFER), ("POST", "/v2"), ("DELETE", "/v2/models/fake")])
def test_another_method_is_405(http, method: str, path) -> None:
    response = http.request(method, path)
    refused(response, 405, "method_not_allowed")
    assert "allow" in response.headers


def test_refusals_from_around_the_routes_are_errors_of_the_protocol_too(
    settings: Settings, fake: FakeEstimator, in_lifespan, connect
) -> None:
    app = create_app(settings, fake, keys=Keys.parse(new_key("alice")[1]))

    async def scenario(app):
        async with connect(app) as http:
            elsewhere = await http.get("/v2", headers={"host": "example.org"})
            return elsewhere, await send(http, TEXT), await http.post("/v1/estimate")

    elsewhere, unknown, ours = in_lifespan(app, scenario)
    refused(elsewhere, 421, "wrong_host")
    refused(unknown, 401, "unauthorized")
    assert unknown.headers["www-authenticate"] == "Bearer"
    assert "error" not in ours.json()


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/models/a", "/v2//"])
def test_a_problem_under_v2_is_an_error(path: str) -> None:
    answer = call(Errors(problem_for(404)), path=path)
    assert int(answer.headers["content-length"]) == len(answer.body)
    problem = answer.problem(404, "not_found")
    assert problem.pop("error") == problem["detail"]
    assert problem == call(problem_for(404)).problem(404, "not_found")


@pytest.mark.parametrize("path", ["/", "/v1", "/v22", "/v2x/models", "/V2", "/v1/v2", ""])
def test_a_problem_elsewhere_is_none(path: str) -> None:
    assert "error" not in call(Errors(problem_for(404)), path=path).problem(404, "not_found")


def test_a_problem_may_come_in_pieces() -> None:
    whole = problem_for(404)

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": whole.raw_headers})
        for byte in whole.body:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await send({"type": "http.response.body"})

    assert call(Errors(app), path="/v2").problem(404, "not_found")["error"]


def test_another_answer_stays_as_it_is() -> None:
    answer = call(Errors(Response(b'{"detail": 1}', 404, media_type="application/json")), path="/v2")
    assert answer.body == b'{"detail": 1}'


def test_a_bug_of_ours_is_an_error_of_the_protocol_without_details(
    play, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_) -> None:
        raise KeyError("/a/secret/path")

    monkeypatch.setattr(app.state.engine, "estimate", fail)
    response = play(lambda http: send(http, TEXT))
    refused(response, 500, "internal_error")
    assert "secret" not in response.text


def test_the_document_covers_the_protocol(http) -> None:
    document = http.get("/openapi.json").json()
    ours = {path: item for path, item in document["paths"].items() if path.startswith("/v2")}
    assert {
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/{name}",
        "/v2/models/{name}/infer",
        "/v2/models/{name}/ready",
        "/v2/models/{name}/versions/{version}",
        "/v2/models/{name}/versions/{version}/infer",
        "/v2/models/{name}/versions/{version}/ready",
        "/v2/repository/index",
    } == set(ours)
    operations = [operation for item in ours.values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        for status, response in operation["responses"].items():
            if status != "200":
                assert list(response["content"]) == ["application/problem+json"]
    used = set(re.findall('#/components/schemas/([A-Za-z]+)"', json.dumps(ours)))
    assert used <= set(document["components"]["schemas"])
    infer = ours["/v2/models/{name}/infer"]["post"]
    statuses = "200 400 401 403 404 408 413 415 421 422 429 431 500 503 504"
    assert set(infer["responses"]) == set(statuses.split())
    assert {p["name"].lower() for p in infer["parameters"]} == {"name", "x-request-timeout", LENGTH}
    request = infer["requestBody"]["content"]["application/json"]["schema"]
    tensors = request["properties"]["inputs"]["items"]["properties"]
    assert set(tensors["datatype"]["enum"]) == set(oip_tensors.DATATYPES)
    names = request["properties"]["outputs"]["items"]["properties"]["name"]["enum"]
    assert names == list(protocol.OUTPUTS) == list(TENSORS)


def test_the_documents_example_is_answered(http) -> None:
    document = http.get("/openapi.json").json()
    content = document["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    response = http.post(INFER, json=content["application/json"]["example"])
    assert len(outputs_of(response)[1]["mi"]) == 1
