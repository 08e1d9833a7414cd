"""Whole tables through every backend."""

import asyncio

import numpy as np
import pytest
from backend_fixtures import ASGI, LOCAL, SOCKET, opened
from fakes import FakeEstimator

import mizzle

TOLERANCE = 1e-5


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    a = rng.standard_normal(60)
    return {"a": a, "b": a + rng.standard_normal(60), "c": rng.standard_normal(60), "flat": np.ones(60)}


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("where", [LOCAL, ASGI, SOCKET])
def test_a_whole_table_is_the_same_everywhere(
    where, blocking: bool, fake: FakeEstimator, table, serve_here
) -> None:
    with opened(where, blocking, fake, serve_here) as backend:
        result = backend.ask(lambda client: client.matrix(table, progress=False))
        ranked = backend.ask(lambda client: client.rank(table, "a", progress=False))
    records = result.records()
    assert [(item["x"], item["y"]) for item in records][:3] == [("a", "b"), ("a", "c"), ("a", "flat")]
    for item in records:
        wanted = fake.estimate(table[item["x"]][:, None], table[item["y"]][:, None])
        assert abs(item["mi"] - wanted.mi) <= TOLERANCE
    assert ranked.records()[0]["mi"] == max(item["mi"] for item in records[:3])


def test_tables_that_are_read_at_once_do_not_wait_for_one_another(
    served: str, fake: FakeEstimator, table
) -> None:
    """More of them than asyncio has threads, each of which needs work done for it meanwhile."""

    async def ask():
        async with mizzle.AsyncClient(served) as client:
            return await asyncio.gather(*(client.rank(table, "a", progress=False) for _ in range(40)))

    assert len({str(item.records()) for item in asyncio.run(ask())}) == 1


def test_a_table_that_is_given_up_asks_no_more(served: str, fake: FakeEstimator, table) -> None:
    """The loop goes on after a cancellation: the thread that reads the table is let go."""
    fake.gate.clear()

    async def ask():
        async with mizzle.AsyncClient(served) as client:
            task = asyncio.create_task(client.matrix(table, progress=False))
            await fake.begun()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            fake.gate.set()
            return await client.ready()

    assert asyncio.run(ask())
