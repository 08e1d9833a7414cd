"""Life and readiness: the probe goes the way of every request, so it fails when they would."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from mizzle import estimator as estimators
from mizzle.errors import ModelUnavailable
from mizzle.service import probe
from mizzle.service.app import create_app


@pytest.fixture
def ask(in_lifespan, connect):
    """GETs paths of an application; the responses."""

    def run(app, *paths, before=None):
        async def scenario(app):
            if before:
                await before(app)
            async with connect(app) as http:
                return [await http.get(path) for path in paths]

        return in_lifespan(app, scenario)

    return run


def _not_ready(response, code="not_ready"):
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert response.json()["code"] == code
    assert len(response.content) < 4096


def test_a_sound_service_is_ready(ask, settings, fake):
    live, ready = ask(create_app(settings, fake), "/livez", "/readyz")
    assert live.json() == {"status": "alive"}
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert fake.batches == [1]  # through the batcher


def test_the_probe_has_the_truth_in_its_sample():
    x, y = probe.sample()
    assert x.shape == y.shape == (200, 1)
    assert np.corrcoef(x[:, 0], y[:, 0])[0, 1] == pytest.approx(0.8, abs=1e-12)
    assert pytest.approx(0.5108, abs=1e-4) == probe.TRUTH


def _raise(estimate):
    raise RuntimeError("secret")


@pytest.mark.parametrize(
    "distort",
    [
        _raise,
        lambda e: replace(e, mi=e.mi + 0.3),
        lambda e: replace(e, mi=0.0),
        lambda e: replace(e, mi=float("nan")),
    ],
)
def test_a_broken_model_is_alive_and_not_ready(ask, settings, fake, distort):
    fake.distort = distort
    live, ready = ask(create_app(settings, fake), "/livez", "/readyz")
    assert live.status_code == 200
    _not_ready(ready)
    assert "secret" not in ready.text


def test_a_recovered_model_is_ready_again(ask, settings, fake):
    app = create_app(settings, fake)
    answers = iter([_raise, lambda e: e])
    fake.distort = lambda e: next(answers)(e)
    broken, sound = ask(app, "/readyz", "/readyz")
    assert (broken.status_code, sound.status_code) == (503, 200)


def test_a_stuck_model_is_alive_and_not_ready(settings, fake, in_lifespan, connect):
    app = create_app(settings.model_copy(update={"probe_seconds": 0.01}), fake)

    async def scenario(app):
        fake.gate.clear()
        async with connect(app) as http:
            answers = [await http.get(path) for path in ("/readyz", "/livez")]
        fake.gate.set()
        return answers

    ready, live = in_lifespan(app, scenario)
    assert live.status_code == 200
    _not_ready(ready)


def test_many_probes_are_one_problem(settings, fake, in_lifespan):
    async def scenario(app):
        fake.gate.clear()
        probes = [asyncio.create_task(app.state.engine.prove()) for _ in range(50)]
        await fake.begun()
        fake.gate.set()
        await asyncio.gather(*probes)

    in_lifespan(create_app(settings, fake), scenario)
    assert fake.batches == [1]


def test_while_loading_it_is_alive_and_not_ready(settings, fake, draw, monkeypatch, in_lifespan, connect):
    loaded = threading.Event()

    def load(_):
        assert loaded.wait(20)
        return fake

    monkeypatch.setattr(estimators, "load", load)
    x, y = draw()
    body = {"x": x.tolist(), "y": y.tolist()}

    async def scenario(app):
        async with connect(app) as http:
            early = [await http.get("/livez"), await http.get("/readyz")]
            early.append(await http.post("/v1/estimate", json=body))
            loaded.set()
            await app.state.engine._loading
            return *early, await http.get("/readyz"), await http.post("/v1/estimate", json=body)

    live, not_ready, refused, ready, answered = in_lifespan(create_app(settings), scenario)
    assert live.status_code == ready.status_code == answered.status_code == 200
    _not_ready(not_ready)
    _not_ready(refused)


@pytest.mark.parametrize("error", [ModelUnavailable("no file /a/secret"), OSError("/a/secret")])
def test_without_a_model_it_is_alive_and_says_so(settings, ask, monkeypatch, caplog, error):
    def load(_):
        raise error

    async def wait(app):
        await app.state.engine._loading

    monkeypatch.setattr(estimators, "load", load)
    live, ready = ask(create_app(settings), "/livez", "/readyz", before=wait)
    assert live.status_code == 200
    _not_ready(ready, "model_unavailable")
    assert "secret" not in ready.text
    assert "secret" in caplog.text


def test_stopping_refuses_what_waits(settings, fake, draw, connect):
    """The application ends while one problem runs and one waits; both are settled."""
    app = create_app(settings, fake)
    x, y = draw()
    body = {"x": x.tolist(), "y": y.tolist()}

    async def live():
        async with connect(app) as http:
            async with app.router.lifespan_context(app):
                fake.gate.clear()
                tasks = [asyncio.create_task(http.post("/v1/estimate", json=body))]
                await fake.begun()
                tasks.append(asyncio.create_task(http.post("/v1/estimate", json=body)))
                while not len(app.state.engine._batcher):
                    await asyncio.sleep(0)
                tasks[1].add_done_callback(lambda _: fake.gate.set())
            return await asyncio.gather(*tasks)

    ran, waited = asyncio.run(asyncio.wait_for(live(), 20))
    assert ran.status_code == 200
    _not_ready(waited)
