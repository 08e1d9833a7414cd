"""Callers who send a whole request and hang up: nothing of it is computed, and nothing of it stays."""

import asyncio
import os
import resource
import socket
import threading

import numpy as np
import pytest
from counted import value
from fakes import FakeEstimator
from live import PATHS, RESET, bodies, client, living, request, until

from mizzle import wire
from mizzle.service.app import create_app
from mizzle.service.settings import Settings

CALLERS = 500
ROOM = Settings(max_wait_seconds=1e6, request_seconds=1e9)  # for all of them


@pytest.fixture(autouse=True)
def descriptors():
    """Both ends of every connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * CALLERS)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def app(fake: FakeEstimator):
    return create_app(ROOM, fake)


def held():
    """What a leak would add to: tasks, threads, descriptors."""
    return np.array([len(asyncio.all_tasks()), threading.active_count(), len(os.listdir("/proc/self/fd"))])


async def called(address, content, count=CALLERS):
    """Connections on each of which a request was sent."""
    return [await _called(address, content) for _ in range(count)]


async def _called(address, content):
    connection = socket.socket()
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, address)
    await loop.sock_sendall(connection, content)
    return connection


def hang_up(connections) -> None:
    """Every other one closes, the others are torn off."""
    for i, connection in enumerate(connections):
        if i % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()


async def answered(address, path, content):
    """Whether a caller who stays is answered."""
    async with client(address) as http:
        response = await http.post(path, content=content)
    return response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_work_that_waits_is_dropped_with_its_caller(app, fake: FakeEstimator, draw, path) -> None:
    content = bodies(draw())[path]
    metrics, engine = app.state.metrics, app.state.engine

    async def scenario() -> None:
        async with living(app) as address:
            assert await answered(address, path, content)
            fake.forget()
            before = held()
            fake.gate.clear()
            stays = asyncio.create_task(answered(address, path, content))
            await until(fake.started.is_set)
            waiting = engine.batcher.waiting
            callers = await called(address, request(path, content))
            await until(lambda: len(waiting) == CALLERS)
            hang_up(callers)
            await until(lambda: len(waiting) == 0)
            assert waiting.cells == 0
            fake.gate.set()
            assert await stays
            assert await answered(address, path, content)
            await until(lambda: (held() <= before).all())

    asyncio.run(scenario())
    assert fake.batches == [1, 1]
    assert value(metrics, "mizzle_cancelled_total", stage="queued") == CALLERS
    assert value(metrics, "mizzle_cancelled_total", stage="running") == 0


def test_work_that_runs_is_given_up_with_its_caller(app, fake: FakeEstimator, draw) -> None:
    content = bodies(draw())[wire.PATH]

    async def scenario() -> None:
        async with living(app) as address:
            fake.forget()
            before = held()
            fake.gate.clear()
            caller = await called(address, request(wire.PATH, content), 1)
            await until(fake.started.is_set)
            hang_up(caller)
            await until(lambda: value(app.state.metrics, "mizzle_cancelled_total", stage="running") == 1)
            fake.gate.set()
            assert await answered(address, wire.PATH, content)
            await until(lambda: (held() <= before).all())

    asyncio.run(scenario())


@pytest.mark.parametrize("path", PATHS)
def test_whenever_they_hang_up_nothing_stays(app, draw, path) -> None:
    """The model runs: a request may be unread, waiting, running or answered when its caller leaves."""
    content = bodies(draw())[path]

    async def scenario() -> None:
        async with living(app) as address:
            assert await answered(address, path, content)
            before = held()
            for _ in range(CALLERS // 50):
                hang_up(await called(address, request(path, content), 50))
            assert await answered(address, path, content)
            await until(lambda: (held() <= before).all() and not app.state.engine.batcher.waiting)

    asyncio.run(scenario())
