"""Life and readiness: the probe goes the way of every request, so it fails when they would."""

import asyncio
from dataclasses import replace

import pytest
from fakes import FakeEstimator, model_loaded

from mizzle.errors import ModelUnavailable
from mizzle.service.app import create_app
from mizzle.service.settings import Settings


@pytest.fixture
def ask(in_lifespan, connect):
    """GETs paths of an application; the responses."""

    def run(app, *paths, before=lambda: None, settled=True):
        async def scenario(app):
            before()
            async with connect(app) as http:
                return [await http.get(path) for path in paths]

        return in_lifespan(app, scenario, settled)

    return run


def _not_ready(response, code="not_ready") -> None:
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert response.json()["code"] == code
    assert len(response.content) < 4096


def test_a_sound_service_is_ready(ask, settings: Settings, fake: FakeEstimator) -> None:
    live, ready = ask(create_app(settings, fake), "/livez", "/readyz")
    assert live.json() == {"status": "alive"}
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert fake.batches == [1]  # through the batcher


def _raise(estimate) -> None:
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
def test_a_model_that_breaks_is_alive_and_not_ready_until_it_recovers(
    ask, settings: Settings, fake: FakeEstimator, distort
) -> None:
    answers = iter([distort, lambda e: e])

    def breaks() -> None:
        fake.distort = lambda e: next(answers)(e)

    app = create_app(settings, fake)
    broken, live, sound = ask(app, "/readyz", "/livez", "/readyz", before=breaks)
    assert (live.status_code, sound.status_code) == (200, 200)
    _not_ready(broken)
    assert "secret" not in broken.text


def test_a_model_that_is_wrong_from_the_start_ends_the_service(
    ask, settings: Settings, fake: FakeEstimator
) -> None:
    fake.distort = lambda e: replace(e, mi=e.mi + 0.3)
    failures: list[Exception] = []
    app = create_app(settings, fake)
    app.state.engine.on_failure = failures.append
    ready, started = ask(app, "/readyz", "/startupz")
    assert "answered wrongly" in str(failures)
    for answer in (ready, started):
        _not_ready(answer, "model_unavailable")


def test_a_model_is_waited_for_until_it_answers_or_fails(
    settings: Settings, fake: FakeEstimator, in_lifespan
) -> None:
    async def scenario(app) -> str:
        assert app.state.engine.state == "starting"
        await app.state.engine.loaded()
        return str(app.state.engine.state)

    assert in_lifespan(create_app(settings, fake), scenario, settled=False) == "ready"
    fake.distort = lambda e: replace(e, mi=e.mi + 0.3)
    with pytest.raises(ModelUnavailable, match="answered wrongly"):
        in_lifespan(create_app(settings, fake), scenario, settled=False)


def test_a_proof_stands_for_a_while(ask, settings: Settings, fake: FakeEstimator) -> None:
    app = create_app(settings.model_copy(update={"health_ttl_seconds": 1000}), fake)
    answers = ask(app, *["/readyz"] * 5)
    assert {answer.status_code for answer in answers} == {200}
    assert fake.batches == []  # the one of the start was enough


def test_a_stuck_model_is_alive_and_not_ready(ask, settings: Settings, fake: FakeEstimator) -> None:
    app = create_app(settings.model_copy(update={"probe_seconds": 0.05}), fake)
    ready, live = ask(app, "/readyz", "/livez", before=fake.gate.clear)
    fake.gate.set()
    assert live.status_code == 200
    _not_ready(ready)


def test_many_probes_are_one_problem(settings: Settings, fake: FakeEstimator, in_lifespan) -> None:
    async def scenario(app) -> None:
        fake.gate.clear()
        probes = [asyncio.create_task(app.state.engine.check_health()) for _ in range(50)]
        await fake.begun()
        fake.gate.set()
        await asyncio.gather(*probes)

    in_lifespan(create_app(settings, fake), scenario)
    assert fake.batches == [1]


def test_while_loading_it_is_alive_and_not_ready(
    settings: Settings, fake: FakeEstimator, draw, in_lifespan, connect
) -> None:
    """The warm-up waits at the gate."""
    x, y = draw()
    body = {"x": x.tolist(), "y": y.tolist()}

    async def scenario(app):
        async with connect(app) as http:
            early = [await http.get(path) for path in ("/livez", "/readyz", "/startupz", "/v1/limits")]
            early.append(await http.post("/v1/estimate", json=body))
            fake.gate.set()
            await model_loaded()
            late = [await http.get(path) for path in ("/readyz", "/startupz", "/v1/limits")]
            return early, [*late, await http.post("/v1/estimate", json=body)]

    fake.gate.clear()
    (live, *refused), late = in_lifespan(create_app(settings, fake), scenario, False)
    assert live.status_code == 200
    assert {answer.status_code for answer in late} == {200}
    for answer in refused:
        _not_ready(answer)


@pytest.mark.parametrize("error", [ModelUnavailable("no file /a/secret"), OSError("/a/secret")])
def test_without_a_model_it_is_alive_and_says_so(
    settings: Settings,
    fake: FakeEstimator,
    ask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error,
) -> None:
    def run(_) -> None:
        raise error

    monkeypatch.setattr(fake, "run", run)
    live, ready = ask(create_app(settings, fake), "/livez", "/readyz")
    assert live.status_code == 200
    _not_ready(ready, "model_unavailable")
    assert "secret" not in ready.text
    assert "secret" in caplog.text


def test_draining_is_not_ready_and_still_answers(
    settings: Settings, fake: FakeEstimator, draw, in_lifespan, connect
) -> None:
    x, y = draw()

    async def scenario(app):
        app.state.engine.drain()
        async with connect(app) as http:
            ready = await http.get("/readyz")
            return ready, await http.post("/v1/estimate", json={"x": x.tolist(), "y": y.tolist()})

    ready, answered = in_lifespan(create_app(settings, fake), scenario)
    _not_ready(ready, "draining")
    assert answered.status_code == 200


def test_stopping_answers_what_was_admitted(settings: Settings, fake: FakeEstimator, draw, connect) -> None:
    """The application ends while one problem runs and one waits; both are answered."""
    app = create_app(settings.model_copy(update={"grace_seconds": 20}), fake)
    x, y = draw()
    body = {"x": x.tolist(), "y": y.tolist()}

    async def live():
        async with connect(app) as http:
            async with app.router.lifespan_context(app):
                await model_loaded()
                fake.forget()
                fake.gate.clear()
                tasks = [asyncio.create_task(http.post("/v1/estimate", json=body))]
                await fake.begun()
                tasks.append(asyncio.create_task(http.post("/v1/estimate", json=body)))
                while not len(app.state.engine.batcher.waiting):
                    await asyncio.sleep(0)
                asyncio.get_running_loop().call_soon(fake.gate.set)
            return await asyncio.gather(*tasks)

    assert [answer.status_code for answer in asyncio.run(asyncio.wait_for(live(), 20))] == [200, 200]


def test_what_does_not_end_within_the_grace_is_refused(
    settings: Settings, fake: FakeEstimator, draw, connect
) -> None:
    app = create_app(settings, fake)
    x, y = draw()
    body = {"x": x.tolist(), "y": y.tolist()}

    async def live():
        async with connect(app) as http:
            async with app.router.lifespan_context(app):
                await model_loaded()
                fake.forget()
                fake.gate.clear()
                task = asyncio.create_task(http.post("/v1/estimate", json=body))
                await fake.begun()
            return await task

    _not_ready(asyncio.run(asyncio.wait_for(live(), 20)), "draining")
