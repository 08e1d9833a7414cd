"""A stand-in for the model room, and servers to put it behind."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import hypothesis
import numpy as np
import pytest
import uvicorn
from fakes import PATIENCE, POISON, FakeEstimator, model_loaded

from mizzle.errors import ModelUnavailable
from mizzle.estimator import EstimatorLike
from mizzle.service.app import create_app
from mizzle.service.settings import Settings

# No clock decides about a test, and a run repeats itself.
hypothesis.settings.register_profile("mizzle", deadline=None, derandomize=True)
hypothesis.settings.load_profile("mizzle")


def no_model() -> FakeEstimator:
    """A load that fails."""
    raise ModelUnavailable("the weights are missing")


def poisoned(x: np.ndarray) -> np.ndarray:
    """A sample on which the fake's run fails."""
    bad = np.array(x, dtype=float)
    bad[0, 0] = POISON
    return bad


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the page last: Playwright keeps an event loop in this thread, beside which no other runs."""
    items.sort(key=lambda item: "page" in item.path.parent.name)


@pytest.fixture
def poison() -> Callable[[np.ndarray], np.ndarray]:
    return poisoned


@pytest.fixture(scope="session")
def new_fake() -> type[FakeEstimator]:
    """The fake's class, for fixtures that outlive a test."""
    return FakeEstimator


@pytest.fixture
def fake() -> Iterator[FakeEstimator]:
    estimator = FakeEstimator()
    yield estimator
    estimator.gate.set()


@pytest.fixture
def fakes(request: pytest.FixtureRequest) -> list[FakeEstimator]:
    """The test's fake, if it has one."""
    return [request.getfixturevalue("fake")] if "fake" in request.fixturenames else []


@pytest.fixture
def settings() -> Settings:
    return Settings(
        max_body_bytes=200_000,
        max_problem_cells=50_000,
        max_wait_seconds=60,
        grace_seconds=1,
        health_ttl_seconds=0,
    )


def sample(n: int = 50, dx: int = 2, dy: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two dependent sides."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dx))
    return x, x[:, :1] + rng.standard_normal((n, dy))


@pytest.fixture
def draw() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return sample


@contextmanager
def running(settings: Settings, estimator: EstimatorLike | None) -> Iterator[str]:
    """The service on a real socket of the loopback interface; the url of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(settings, estimator),
        http="h11",
        lifespan="on",
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        _until_ready(url)
        yield url
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the server did not stop"


def _until_ready(url: str) -> None:
    """The model loads in the background; requests before that are refused."""
    with httpx2.Client(base_url=url, trust_env=False) as http:
        end = time.monotonic() + PATIENCE
        while http.get("/startupz").status_code != 200:
            assert time.monotonic() < end, "the service did not start"


@pytest.fixture
def served(settings: Settings, fake: FakeEstimator) -> Iterator[str]:
    with running(settings, fake) as url:
        fake.forget()
        yield url


@pytest.fixture(scope="session")
def serve_here() -> Callable[..., Any]:
    """`running`, for tests that choose settings and estimator."""
    return running


@pytest.fixture
def in_lifespan(fakes: list[FakeEstimator]) -> Callable[..., Any]:
    """Runs `await scenario(app)` inside the life of an application, model loaded and warm if `settled`."""

    def run(app: Any, scenario: Callable[[Any], Any], settled: bool = True) -> Any:
        async def live() -> Any:
            async with app.router.lifespan_context(app), asyncio.timeout(PATIENCE):
                if settled:
                    await model_loaded()
                    for fake in fakes:
                        fake.forget()
                return await scenario(app)

        return asyncio.run(live())

    return run
