"""A stand-in for the model room, and servers to put it behind."""

import asyncio
import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import hypothesis
import numpy as np
import pytest
import uvicorn

from mizzle.errors import ModelUnavailable, TooManyColumns
from mizzle.estimator import EstimatorLike
from mizzle.service.app import create_app
from mizzle.service.settings import Settings
from mizzle.types import Estimate, ModelInfo, Notice

# No clock decides about a test, and a run repeats itself.
hypothesis.settings.register_profile("mizzle", deadline=None, derandomize=True)
hypothesis.settings.load_profile("mizzle")
PATIENCE = 20.0  # seconds after which a test that waits for another thread has failed
_POISON = 666.0
_Z = {0.005: -2.576, 0.05: -1.645, 0.25: -0.674, 0.5: 0.0, 0.75: 0.674, 0.95: 1.645, 0.995: 2.576}


class FakeTable(NamedTuple):
    """What `prepare` makes of a problem."""

    x: np.ndarray
    y: np.ndarray

    @property
    def cost(self) -> int:
        return self.x.size + self.y.size


class FakeEstimator:
    """The interface of `mizzle.model.Estimator` over the Gaussian formula, without torch.

    I = -sum ln(1 - r_i^2) / 2 over the canonical correlations r_i of the sample.

    Attributes:
        batches: the sizes of all runs so far.
        gate: runs wait here; open from the start.
        started: set as soon as a run has begun.
        distort: what to do to every answer, say to spoil it.
    """

    min_rows = 10
    max_columns = 64
    levels = tuple(_Z)
    info = ModelInfo("fake", "0.0.1", "0" * 64)

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()
        self.distort: Callable[[Estimate], Estimate] = lambda estimate: estimate

    def prepare(self, x: np.ndarray, y: np.ndarray) -> FakeTable:
        assert x.dtype == y.dtype == np.float64
        assert x.ndim == y.ndim == 2
        for name, side in (("x", x), ("y", y)):
            if side.shape[1] > self.max_columns:
                raise TooManyColumns(f"{name} has {side.shape[1]} columns; at most 64 are covered")
        return FakeTable(x, y)

    def run(self, tables: list[FakeTable]) -> list[Estimate]:
        self.batches.append(len(tables))
        self.started.set()
        assert self.gate.wait(PATIENCE), "the gate stayed shut"
        for table in tables:
            if table.x[0, 0] == _POISON:
                raise RuntimeError(f"poison {_POISON} in /a/secret/path")
        return [self.distort(_gaussian(table, self.levels, self.info)) for table in tables]

    async def begun(self) -> None:
        """Until a run has begun."""
        assert await asyncio.to_thread(self.started.wait, PATIENCE), "no run began"

    def estimate(self, x: np.ndarray, y: np.ndarray) -> Estimate:
        return self.run([self.prepare(x, y)])[0]


def _gaussian(table: FakeTable, levels: tuple[float, ...], info: ModelInfo) -> Estimate:
    x, y = (side - side.mean(axis=0) for side in table)
    n = len(x)
    warnings = tuple(
        Notice(f"constant_{name}", f"{name} does not vary")
        for name, side in (("x", x), ("y", y))
        if not side.any()
    )
    if warnings:
        mi = 0.0
    else:
        qx, qy = np.linalg.qr(x)[0], np.linalg.qr(y)[0]
        r = np.clip(np.linalg.svd(qx.T @ qy, compute_uv=False), 0, 1 - 1e-12)
        mi = float(-np.log1p(-(r**2)).sum() / 2)
    width = 0.0 if warnings else math.sqrt(min(mi, 1) / n)
    values = tuple(max(0.0, mi + _Z[q] * width) for q in levels)
    shape = (n, table.x.shape[1], table.y.shape[1])
    return Estimate(mi, levels, values, *shape, n <= 1000, warnings, info)


def no_model() -> FakeEstimator:
    """A load that fails."""
    raise ModelUnavailable("the weights are missing")


def poisoned(x: np.ndarray) -> np.ndarray:
    """A sample on which the fake's run fails."""
    bad = np.array(x, dtype=float)
    bad[0, 0] = _POISON
    return bad


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
def settings() -> Settings:
    return Settings(max_body_bytes=200_000, max_batch_cost=20_000, grace_seconds=1)


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
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture
def served(settings: Settings, fake: FakeEstimator) -> Iterator[str]:
    with running(settings, fake) as url:
        yield url


@pytest.fixture(scope="session")
def serve_here() -> Callable[..., Any]:
    """`running`, for tests that choose settings and estimator."""
    return running


@pytest.fixture
def in_lifespan() -> Callable[..., Any]:
    """Runs `await scenario(app)` inside the life of an application, model loaded."""

    def run(app: Any, scenario: Callable[[Any], Any]) -> Any:
        async def live() -> Any:
            async with app.router.lifespan_context(app), asyncio.timeout(PATIENCE):
                return await scenario(app)

        return asyncio.run(live())

    return run
