"""More work than the model can do: some of it is answered, the rest is refused at once, nothing is lost.

The model works by turns that the test gives: one run each. Between two turns come twice or five times as many
requests as a run holds, so that what is let in is known, and does not depend on any clock.
"""

import asyncio
import threading
from collections import Counter
from typing import Any

import httpx2
import pytest
from fakes import FakeEstimator
from live import INFER, PATHS, bodies, client, living, until
from raw import HOST, WHOLE

from mizzle import wire
from mizzle.service.app import create_app
from mizzle.service.formats.problem import Problem
from mizzle.service.inference import batcher, runner
from mizzle.service.inference.engine import Caller
from mizzle.service.inference.warm_up import Measured
from mizzle.service.settings import Settings
from mizzle.service.transport.shedding import LoadShedder

TURNS, RUN, FEW = 6, 4, 16  # runs; problems of a run; problems that may wait whatever the pace
CELLS_PER_SECOND, BATCH_CELLS = 1e6, 10**6
# No room to wait beyond the first few; no deadline, since turns take as long as the test wants.
NARROW = Settings(max_batch_items=RUN, max_wait_seconds=1e-9, request_seconds=1e9)


class Turnstile:
    """Stands for the fake's gate: one run passes for each turn, or every one while it is open."""

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)
        self.open = True

    def wait(self, timeout):
        return self.open or self._turns.acquire(timeout=timeout)

    def turn(self) -> None:
        self._turns.release()

    def set(self) -> None:
        self.open = True
        self.turn()


@pytest.fixture
def turns(fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch):
    """The fake works by turns, at a speed that no clock has measured; no burst is admitted any more."""
    monkeypatch.setattr(batcher, "_BURST_ITEMS", 0)
    monkeypatch.setattr(runner, "measured", lambda _: Measured(CELLS_PER_SECOND, 0.0, BATCH_CELLS))
    gate: Any = Turnstile()
    fake.gate = gate
    return gate


@pytest.mark.parametrize(("path", "door"), [*((path, False) for path in PATHS), (wire.PATH, True)])
@pytest.mark.parametrize("times", [2, 5])
def test_a_flood_is_answered_or_refused_and_leaves_nothing(
    turns, fake: FakeEstimator, draw, path, times: int, door
) -> None:
    app, content = create_app(NARROW, fake), bodies(draw())[path]
    found: list[httpx2.Response] = []
    tasks: list[asyncio.Task[None]] = []

    async def ask(http) -> None:
        found.append(await http.post(path, content=content))

    async def flood(http) -> None:
        waiting = app.state.engine.batcher.waiting
        for turn in range(1, TURNS + 1):
            tasks.extend(asyncio.create_task(ask(http)) for _ in range(times * RUN))
            await until(lambda due=turn: len(fake.batches) == due)
            await until(lambda: refused(found) + len(waiting) + sum(fake.batches) == len(tasks))
            turns.turn()
            let_in = sum(fake.batches[:turn])
            await until(lambda due=let_in: len(found) - refused(found) == due)
        turns.set()
        await asyncio.gather(*tasks)

    async def scenario():
        async with living(app, LoadShedder(app.state.engine, app.state.metrics) if door else None) as address:
            fake.forget()
            turns.open = False
            async with client(address) as http:
                await flood(http)
                return await http.post(path, content=content)

    after = asyncio.run(scenario())
    assert Counter(answer.status_code for answer in found).keys() == {200, 429}
    for answer in found:
        assert answer.status_code == 200 or usable(answer)
    assert all(size == RUN for size in fake.batches[1:TURNS]), "the model did less than it could"
    assert sum(fake.batches) == len(found) - refused(found) + 1, "what was let in was not answered"
    assert after.status_code == 200


@pytest.mark.parametrize("many", [False, True])
def test_requests_of_one_moment_do_not_overfill_the_queue(
    turns, fake: FakeEstimator, draw, in_lifespan, many: bool
) -> None:
    x, y = draw()
    app, asked = create_app(NARROW, fake), Problem(x, y, None)

    async def scenario(app):
        engine, longest = app.state.engine, 0
        turns.open = False
        work = [engine.estimate_many([asked], Caller()) for _ in range(5 * FEW if many else 0)]
        work += [estimated(engine, asked) for _ in range(0 if many else 5 * FEW)]
        tasks = list(map(asyncio.ensure_future, work))
        for _ in range(10):
            await asyncio.sleep(0)
            longest = max(longest, len(engine.batcher.waiting))
        turns.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return longest

    assert in_lifespan(app, scenario) <= FEW


async def estimated(engine, problem):
    return await engine.estimate(problem, Caller())


def test_what_comes_in_one_round_of_the_loop_is_let_in_only_as_far_as_there_is_room(
    turns, fake: FakeEstimator, in_lifespan
) -> None:
    """All of it is read before the first of it is in the queue, and the usual way would refuse most."""
    app = create_app(NARROW, fake)

    async def scenario(app):
        shedder = LoadShedder(app.state.engine, app.state.metrics)
        rounds = []
        for _ in range(2):
            answers = [shedder.refusal(WHOLE, (), ("192.0.2.1", 1)) for _ in range(5 * FEW)]
            rounds.append(answers.count(None))
            await asyncio.sleep(0)
        return rounds

    assert in_lifespan(app, scenario) == [FEW, FEW]


def test_of_one_round_every_caller_has_a_share(
    turns, fake: FakeEstimator, draw, in_lifespan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "_BURST_ITEMS", 1)
    app = create_app(NARROW, fake)
    x, y = draw()

    async def scenario(app):
        engine = app.state.engine
        shedder = LoadShedder(engine, app.state.metrics)
        turns.open = False
        problem = Problem(x, y, None)
        tasks = [asyncio.ensure_future(engine.estimate(problem, Caller("flood"))) for _ in range(FEW)]
        await asyncio.sleep(0)
        answers = [shedder.refusal(WHOLE, (), ("192.0.2.1", 1)) for _ in range(5 * FEW)]
        other = shedder.refusal(WHOLE, (), ("192.0.2.2", 1))
        turns.set()
        await asyncio.gather(*tasks)
        return answers.count(None), other

    own, other = in_lifespan(app, scenario)
    assert 1 <= own <= FEW
    assert other is None


def refused(found):
    """How many answers are refusals."""
    return sum(answer.status_code != 200 for answer in found)


def usable(answer):
    """Whether a refusal says when to come back, in both units."""
    seconds, milliseconds = answer.headers["retry-after"], answer.headers["retry-after-ms"]
    return (
        seconds.isdecimal()
        and milliseconds.isdecimal()
        and int(seconds) >= 1
        and 1 <= int(milliseconds) <= 1000 * int(seconds)
        and answer.json()["code"] == "queue_full"
    )


@pytest.mark.parametrize("path", [*PATHS, INFER.replace("/infer", "/versions/0.0.1/infer")])
def test_no_byte_of_a_body_is_asked_for_while_the_queue_is_full(
    turns, fake: FakeEstimator, draw, path
) -> None:
    """A server that wants a body says 100 to a caller who waits for that; this one says 429 at once."""
    app, content = create_app(NARROW, fake), bodies(draw())[wire.PATH]
    head = f"POST {path} HTTP/1.1\r\n".encode() + HOST.replace(b"mizzle.test", b"localhost")
    head += b"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n"

    async def scenario():
        async with living(app) as address:
            fake.forget()
            turns.open = False
            async with client(address) as http:
                waiting = app.state.engine.batcher.waiting
                tasks = [asyncio.create_task(http.post(wire.PATH, content=content))]
                await until(fake.started.is_set)
                tasks += [asyncio.create_task(http.post(wire.PATH, content=content)) for _ in range(FEW)]
                await until(lambda: len(waiting) == FEW)
                reader, writer = await asyncio.open_connection(*address)
                writer.write(head)
                first = await reader.readline()
                writer.close()
                turns.set()
                await asyncio.gather(*tasks)
                return first

    assert asyncio.run(scenario()).startswith(b"HTTP/1.1 429 ")
