"""The application without a socket, and the form that every refusal has."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import numpy as np
import pytest

from mizzle.service.app import create_app
from mizzle.service.inference import runner
from mizzle.service.inference.warm_up import Measured, measured


@asynccontextmanager
async def connected(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """HTTP to an application that is alive already."""
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield http


@pytest.fixture(autouse=True)
def paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models in this process have a speed that no clock has measured: what a batch holds is known."""
    speed = Measured(cells_per_second=1e7, overhead=0.0, batch_cells=10**6)
    monkeypatch.setattr(runner, "measured", lambda estimator: measured(estimator) and speed)


@pytest.fixture
def connect() -> Callable[..., Any]:
    return connected


@pytest.fixture
def app(settings: Any, fake: Any) -> Any:
    return create_app(settings, fake)


@pytest.fixture
def play(app: Any, in_lifespan: Callable[..., Any]) -> Callable[..., Any]:
    """Runs `await scenario(http)` against `app`."""

    def run(scenario: Callable[[httpx2.AsyncClient], Any]) -> Any:
        async def live(app: Any) -> Any:
            async with connected(app) as http:
                return await scenario(http)

        return in_lifespan(app, live)

    return run


def body_of(pair: tuple[np.ndarray, np.ndarray], **more: object) -> dict[str, Any]:
    """The JSON object that asks about a sample."""
    x, y = pair
    return {"x": x.tolist(), "y": y.tolist(), **more}


@pytest.fixture
def as_body() -> Callable[..., dict[str, Any]]:
    return body_of


def problem_in(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in a refusal, its form checked."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) < 4096
    problem: dict[str, Any] = response.json()
    members = {"type", "title", "status", "detail", "code", "request_id"}
    assert set(problem) - {"retry_after_s"} == members
    assert ("retry_after_s" in problem) == ("retry-after" in response.headers) == (status in (429, 503))
    assert problem["request_id"] == response.headers["x-request-id"]
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


@pytest.fixture(scope="session")
def check_problem() -> Callable[..., dict[str, Any]]:
    return problem_in
