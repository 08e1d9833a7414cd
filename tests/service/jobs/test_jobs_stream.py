"""Callers who follow a job and hang up wherever they are: the job goes on, and nothing of them stays."""

import asyncio
import os
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEstimator
from job_bodies import SAFETENSORS, ended, events, opened, table, tensor_body
from live import RESET, client, living, until

from mizzle.service.app import create_app
from mizzle.service.inference.shares import Shares
from mizzle.service.jobs import runner
from mizzle.service.settings import Settings

CALLERS = 100
MOST = 6  # events that a caller waits for
EVENTS = "/v1/jobs/one/events"
REQUEST = f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@pytest.fixture
def app(fake: FakeEstimator, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With an event for every four pairs."""
    monkeypatch.setattr(runner, "_SAVE_SECONDS", 0.0)
    return create_app(settings.model_copy(update={"jobs_dir": tmp_path / "jobs", "max_batch_items": 8}), fake)


def held():
    """What a leak would add to: tasks, descriptors."""
    return np.array([len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))])


async def hung_up(address, i) -> None:
    """A caller who leaves after the event i % MOST, before one with a part of a request, somehow."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, address)
        await loop.sock_sendall(connection, REQUEST if i % MOST else REQUEST[: i % len(REQUEST) + 1])
        seen = b""
        while seen.count(b"event: ") < i % MOST and b"event: end" not in seen:
            seen += await loop.sock_recv(connection, i + 1)
        if i % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def began(http, fake) -> None:
    """A job whose first batch waits at the gate."""
    await opened(http)
    fake.forget()
    fake.gate.clear()
    sent = {"content": tensor_body(table(40, 12)), "headers": {"content-type": SAFETENSORS}}
    assert (await http.put("/v1/jobs/one", **sent)).status_code == 202
    await fake.begun()


def test_whenever_they_hang_up_nothing_stays(app, fake: FakeEstimator) -> None:
    """The job stands still for those who want one event at most, and then runs to its end."""
    early = [i for i in range(CALLERS) if i % MOST <= 1]
    late = [i for i in range(CALLERS) if i % MOST > 1]

    async def scenario():
        async with living(app) as address, client(address) as http:
            await began(http, fake)
            before = held()
            await asyncio.gather(*(hung_up(address, i) for i in early))
            await until(lambda: (held() <= before).all())
            stays = asyncio.create_task(http.get(EVENTS))
            callers = [asyncio.create_task(hung_up(address, i)) for i in late]
            fake.gate.set()
            await asyncio.gather(*callers)
            job, stream, again = await ended(http, "one"), await stays, await http.get(EVENTS)
            await http.aclose()
            await until(lambda: (held() <= before).all())
        return job, events(stream.text), events(again.text)

    job, told, told_again = asyncio.run(scenario())
    assert (job["state"], job["done"], job["failed"]) == ("done", 66, 0)
    assert {event["event"] for event in told[:-1]} <= {"progress"}
    assert [event["event"] for event in told_again] == ["end"]
    assert told[-1] == told_again[-1]


@asynccontextmanager
async def following(address, **headers):
    """A caller who follows the job: the status, and what comes."""
    async with client(address) as http, http.stream("GET", EVENTS, headers=headers) as response:
        yield response


def limited(app, fake, scenario, **limits):
    """Runs `scenario(address, http)` while a job of a service with these limits stands still."""
    app.state.jobs.settings = app.state.jobs.settings.model_copy(update=limits)
    app.state.jobs.streams = Shares(app.state.jobs.settings.max_streams)

    async def run():
        async with living(app) as address, client(address) as http:
            await began(http, fake)
            await scenario(address, http)
            fake.gate.set()

    asyncio.run(run())
    assert app.state.jobs.streams.used == 0


def test_one_caller_does_not_follow_on_all_streams(app, fake: FakeEstimator) -> None:
    """The next is refused until one has ended, however it ended; asking for the job itself goes on."""

    async def scenario(address, http):
        streams = app.state.jobs.streams
        async with following(address) as first:
            assert first.status_code == 200
            async with following(address) as second:
                assert second.status_code == 200
                refused = await http.get(EVENTS)
                assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
                assert int(refused.headers["retry-after"]) >= 1
                assert (await http.get("/v1/jobs/one")).status_code == 200
            await until(lambda: streams.used == 1)
            async with following(address) as third:
                assert third.status_code == 200
        await until(lambda: streams.used == 0)
        assert (await http.head(EVENTS)).status_code == 200
        await until(lambda: streams.used == 0)

    limited(app, fake, scenario, max_streams=4)


@pytest.mark.parametrize("limits", [{"stream_seconds": 1e-9}, {"stream_idle_seconds": 1e-9}])
def test_a_stream_has_its_time(app, fake: FakeEstimator, limits) -> None:
    """What is known comes first; the caller connects again, and is told nothing twice."""

    async def scenario(address, http):
        async with following(address) as response:
            [event] = events((await response.aread()).decode())
        assert event["event"] == "progress"
        async with following(address, **{"last-event-id": event["id"]}) as response:
            assert events((await response.aread()).decode()) == []

    limited(app, fake, scenario, **limits)
