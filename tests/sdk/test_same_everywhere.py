"""One suite for every way to an estimate: in process, over ASGI and over a socket, sync and async."""

import asyncio
from collections.abc import Callable

import httpx2
import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

import mizzle
from mizzle import estimator as estimators
from mizzle import local
from mizzle.service.app import create_app

HERE = "http://localhost"


class Local:
    """The functions of the package."""

    def __init__(self, fake, settings, monkeypatch, request):
        monkeypatch.setattr(local, "_shared", None)
        monkeypatch.setattr(estimators, "load", lambda: fake)
        self.estimate = mizzle.estimate
        self.estimate_many = mizzle.estimate_many


class Sync:
    """A client without a socket."""

    def __init__(self, fake, settings, monkeypatch, request):
        http = TestClient(create_app(settings, fake), HERE)
        request.addfinalizer(http.__exit__)
        client = mizzle.Client(HERE, http_client=http.__enter__())
        while http.get("/startupz").status_code != 200:
            pass
        self.estimate = client.estimate
        self.estimate_many = client.estimate_many


class Async:
    """An asynchronous client without a socket."""

    def __init__(self, fake, settings, monkeypatch, request):
        self.made = lambda: create_app(settings, fake)

    def estimate(self, x, y):
        return asyncio.run(self._ask(lambda client: client.estimate(x, y)))

    def estimate_many(self, pairs):
        return asyncio.run(self._ask(lambda client: client.estimate_many(pairs)))

    async def _ask(self, ask: Callable):
        app = self.made()
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport) as http,
            mizzle.AsyncClient(HERE, http_client=http) as client,
        ):
            await app.state.engine.settled()
            return await ask(client)


class SyncSocket:
    """A client and a server."""

    def __init__(self, fake, settings, monkeypatch, request):
        client = mizzle.Client(request.getfixturevalue("served"))
        request.addfinalizer(client.close)
        self.estimate = client.estimate
        self.estimate_many = client.estimate_many


class AsyncSocket(Async):
    """An asynchronous client and a server."""

    def __init__(self, fake, settings, monkeypatch, request):
        self.url = request.getfixturevalue("served")

    async def _ask(self, ask):
        async with mizzle.AsyncClient(self.url) as client:
            return await ask(client)


@pytest.fixture(params=[Local, Sync, Async, SyncSocket, AsyncSocket])
def way(request, fake, settings, monkeypatch):
    return request.param(fake, settings, monkeypatch, request)


@pytest.fixture
def direct(fake):
    """The model's own answer."""

    def ask(x, y):
        return fake.estimate(np.array(x, float), np.array(y, float))

    return ask


def test_the_estimate_is_the_models_to_the_last_bit(way, direct, draw):
    x, y = draw(n=40, dx=3, dy=2)
    assert way.estimate(x, y) == direct(x, y)


def test_units_intervals_and_quantiles_agree(way, direct, draw):
    x, y = draw()
    there, here = way.estimate(x, y).to("bits"), direct(x, y).to("bits")
    assert there.interval(0.9) == here.interval(0.9)
    assert there.quantile(0.3) == here.quantile(0.3)
    assert there.quantile(np.float32(0.5)) == here.median  # any real number, not Python's alone
    assert repr(there) == repr(here)


def test_warnings_travel(way, draw):
    x, _ = draw()
    estimate = way.estimate(x, np.ones(len(x)))
    assert [w.code for w in estimate.warnings] == ["constant_y"]
    assert estimate.mi == 0.0
    assert not way.estimate(*draw(n=1500)).in_range


def test_frames_are_arrays(way, direct, draw):
    x, y = draw()
    assert way.estimate(pd.DataFrame(x), pd.Series(y[:, 0])) == direct(x, y)


def test_extreme_floats_survive(way, direct):
    x = np.array([1e-320, 5e-324, 1.7e308, -1.7e308, 0.1, 1 / 3, 2.0**53, 0.0, -0.0, 1, 2, 3])
    assert way.estimate(x * 1e-160, x[::-1] * 1e-160) == direct(
        (x * 1e-160)[:, None], (x[::-1] * 1e-160)[:, None]
    )


def test_many_keep_their_order(way, direct, draw):
    pairs = [draw(n=20 + i, dx=1 + i % 3, seed=i) for i in range(12)]
    assert way.estimate_many(iter(pairs)) == [direct(x, y) for x, y in pairs]


def test_none_of_many_is_an_empty_list(way):
    assert way.estimate_many([]) == []


@pytest.mark.parametrize(
    ("break_it", "error", "words"),
    [
        (lambda x, y: (x[:5], y[:5]), mizzle.TooFewSamples, "at least 10"),
        (lambda x, y: (x, y[:-1]), mizzle.LengthMismatch, "50 rows and y has 49"),
        (lambda x, y: (x, [None] * 50), mizzle.NotNumeric, "y row 0"),
        (lambda x, y: (x * np.nan, y), mizzle.NotFinite, "x row 0"),
        (lambda x, y: (np.zeros((50, 65)), y), mizzle.TooManyColumns, "65 columns"),
    ],
)
def test_refusals_are_the_same_class_with_the_same_words(way, draw, break_it, error, words):
    x, y = draw()
    with pytest.raises(error, match=words) as caught:
        way.estimate(*break_it(x, y))
    assert type(caught.value) is error
    with pytest.raises(error, match=f"pair 1 .*{words}"):
        way.estimate_many([(x, y), break_it(x, y)])
    assert way.estimate(x, y).n == 50


def test_a_pair_that_is_none_is_named(way, draw):
    with pytest.raises(mizzle.InvalidInput, match=r"pair 1 .*not a pair"):
        way.estimate_many([draw(), (1, 2, 3)])
