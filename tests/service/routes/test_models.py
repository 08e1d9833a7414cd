"""Several models in one service: requests name one, or get the first."""

import io
from collections.abc import Callable
from typing import Any

import httpx2
import numpy as np
import pytest
from safetensors.numpy import save

import mizzle
from mizzle import errors
from mizzle.service.app import create_app
from mizzle.service.inference import runner
from mizzle.service.inference.warm_up import Measured
from mizzle.types import ModelInfo

Play = Callable[..., Any]
DIGEST = "1" * 64


def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 2))
    return x, x[:, :1] + rng.standard_normal((50, 1))


def _others(kind: Any, *names: str) -> list[Any]:
    """Fakes of these names."""
    estimators = [kind() for _ in names]
    for name, estimator in zip(names, estimators, strict=True):
        estimator.info = ModelInfo(name, "1.0", DIGEST)
    return estimators


@pytest.fixture(autouse=True)
def paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured here: two models at once take each other's time."""
    speed = Measured(cells_per_second=1e7, overhead=0.0, batch_cells=10**6)
    monkeypatch.setattr(runner, "measured", lambda _: speed)


@pytest.fixture
def app(settings: Any, fake: Any) -> Any:
    return create_app(settings, [fake, *_others(type(fake), "cells")])


def _body(pair: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    return {"x": pair[0].tolist(), "y": pair[1].tolist()}


def _requests() -> list[tuple[str, dict[str, Any]]]:
    """The same problem in every format, alone and among others."""
    x, y = sample()
    file = io.BytesIO()
    np.save(file, np.hstack([x, y]))
    packed = save({"x.0": x, "y.0": y})
    return [
        ("/v1/estimate", {"json": _body((x, y))}),
        ("/v1/estimate:batch", {"json": {"problems": [_body((x, y))]}}),
        (
            "/v1/estimate?dim_x=2",
            {"content": file.getvalue(), "headers": {"content-type": "application/x-npy"}},
        ),
        ("/v1/estimate:batch", {"content": packed, "headers": {"content-type": "application/x-safetensors"}}),
    ]


def _model_of(answer: dict[str, Any]) -> str:
    estimate = answer["answers"][0]["estimate"] if "answers" in answer else answer
    return str(estimate["model"]["name"])


@pytest.mark.parametrize("place", range(4))
def test_a_request_names_the_model_that_answers(play: Play, place: int) -> None:
    path, body = _requests()[place]
    mark = "&" if "?" in path else "?"

    async def scenario(http: httpx2.AsyncClient) -> list[str]:
        paths = (path, f"{path}{mark}model=cells", f"{path}{mark}model=fake")
        return [_model_of((await http.post(own, **body)).json()) for own in paths]

    assert play(scenario) == ["fake", "cells", "fake"]


def test_they_are_listed_the_first_first(play: Play) -> None:
    async def scenario(http: httpx2.AsyncClient) -> Any:
        listed = (await http.get("/v1/models")).json()["models"]
        one = (await http.get("/v1/models/cells")).json()
        index = (await http.post("/v2/repository/index", json={})).json()
        return [card["name"] for card in listed], one["sha256"], [entry["name"] for entry in index]

    assert play(scenario) == (["fake", "cells"], DIGEST, ["fake", "cells"])


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("model=other", 404, "no_such_model"), ("model=fake&model=cells", 422, "invalid_request")],
)
def test_what_is_no_model_is_one_clear_error(play: Play, query: str, status: int, code: str) -> None:
    async def scenario(http: httpx2.AsyncClient) -> httpx2.Response:
        return await http.post(f"/v1/estimate?{query}", json=_body(sample()))

    answer = play(scenario)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "other" not in answer.json()["detail"]  # nothing of a request is repeated
    assert status != 404 or "it has fake, cells" in answer.json()["detail"]


def test_the_open_inference_protocol_finds_it_by_its_path(play: Play) -> None:
    x, y = sample()
    inputs = [
        {"name": name, "shape": [1, *side.shape], "datatype": "FP64", "data": side.ravel().tolist()}
        for name, side in (("x", x), ("y", y))
    ]

    async def scenario(http: httpx2.AsyncClient) -> Any:
        answers = [
            await http.post(f"/v2/models/{name}/infer", json={"inputs": inputs}) for name in ("cells", "no")
        ]
        ready = (await http.get("/v2/models/cells/ready")).json()
        return answers[0].json()["model_name"], answers[1].status_code, ready["name"]

    assert play(scenario) == ("cells", 404, "cells")


@pytest.mark.parametrize("path", ["/v1/estimate?model={}", "/v2/models/{}/infer"])
def test_a_full_queue_refuses_requests_for_its_own_model(app: Any, play: Play, path: str) -> None:
    """And before their bodies are read, which here are none."""

    def refuse(*_: Any, **__: Any) -> None:
        raise errors.QueueFull("full")

    async def scenario(http: httpx2.AsyncClient) -> list[int]:
        app.state.models.engines[1].check_capacity = refuse
        return [(await http.post(path.format(name), json={})).status_code for name in ("cells", "fake")]

    assert play(scenario) == [429, 422]


def test_a_client_names_a_model(settings: Any, fake: Any, serve_here: Any) -> None:
    with serve_here(settings, [fake, *_others(type(fake), "two words & more")]) as url:
        with mizzle.Client(url, model="two words & more") as client:
            names = [client.estimate(*sample()).model.name, client.info().info.name]
            names += [own.model.name for own in client.estimate_many([sample()] * 2)]
            assert set(names) == {"two words & more"}
        with mizzle.Client(url, model="none") as client, pytest.raises(errors.NoSuchModel):
            client.estimate(*sample())


def test_a_service_is_ready_when_all_models_are(app: Any, play: Play) -> None:
    async def scenario(http: httpx2.AsyncClient) -> list[Any]:
        states = []
        for _ in range(2):
            states.append((await http.get("/readyz")).status_code)
            states.append("mizzle_ready 1.0" in (await http.get("/metrics")).text)
            app.state.models.engines[1].drain()
        return states

    assert play(scenario) == [200, True, 503, False]


def test_two_models_of_one_name_are_refused(settings: Any, fake: Any, in_lifespan: Any) -> None:
    app = create_app(settings, [fake, *_others(type(fake), "fake")])

    async def scenario(_: Any) -> str:
        await app.state.models.engines[1]._loading
        return str(app.state.models.failure)

    assert "two weights files hold a model called fake" in in_lifespan(app, scenario)
