"""Large problems run beside small ones: nobody waits for the long work of another caller."""

import asyncio
import os
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEstimator

from mizzle import cost
from mizzle.errors import Draining, ModelUnavailable, QueueFull
from mizzle.service.formats.problem import Problem
from mizzle.service.inference import batcher, runner
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.inference.runner import InProcess
from mizzle.service.inference.warm_up import Measured
from mizzle.service.inference.worker import Worker
from mizzle.service.settings import Settings
from mizzle.service.telemetry.metrics import Metrics

HERE = Path(__file__).parents[1]
SMALL, LARGE = 50, 20_000  # rows
PATIENT = Settings(request_seconds=1e9)


@pytest.fixture
def play(fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch):
    """Runs `await scenario(engine)` with an engine whose large problems have a fake of their own."""
    monkeypatch.setattr(runner, "measured", lambda _: Measured(1e6, 0.0, 10_000))

    def run(scenario, large=None, settings=PATIENT):
        async def live():
            engine = Engine(settings, InProcess(fake), Metrics(), large)
            engine.start()
            while engine.state != "ready":
                await asyncio.sleep(0)
            try:
                return await asyncio.wait_for(scenario(engine), 60)
            finally:
                await engine.close()

        return asyncio.run(live())

    return run


@pytest.fixture
def busy() -> FakeEstimator:
    """A fake that runs nothing until its gate opens."""
    fake = FakeEstimator()
    fake.gate.clear()
    return fake


def problem(n: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return Problem(rng.standard_normal((n, 1)), rng.standard_normal((n, 1)), None)


def test_small_problems_are_answered_while_a_large_one_runs(play, busy: FakeEstimator) -> None:
    async def scenario(engine):
        large = asyncio.create_task(engine.estimate(problem(LARGE), Caller("a")))
        await busy.begun()
        small = [await engine.estimate(problem(SMALL, i), Caller("b")) for i in range(3)]
        assert engine.busy
        assert not large.done()
        busy.gate.set()
        return small, await large

    small, large = play(scenario, InProcess(busy))
    assert [answer.n for answer in small] == [SMALL] * 3
    assert large.n == LARGE


def test_of_one_request_every_problem_goes_where_it_belongs(play, fake: FakeEstimator) -> None:
    large = FakeEstimator()

    async def scenario(engine):
        fake.forget()
        problems = [problem(n, n) for n in (SMALL, LARGE, SMALL + 1, LARGE + 1)]
        return await engine.estimate_many(problems, Caller("a"))

    answers = play(scenario, InProcess(large))
    assert [answer.n for answer in answers] == [SMALL, LARGE, SMALL + 1, LARGE + 1]
    assert sum(fake.batches) == sum(large.batches) == 2


def test_what_waits_for_the_other_process_does_not_make_small_problems_wait(
    play, busy: FakeEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by deadlines nor by refusals: a queue of large ones, which takes a minute, is not theirs."""
    monkeypatch.setattr(runner, "measured", lambda _: Measured(1e4, 0.0, 10_000))

    async def scenario(engine):
        tasks = [asyncio.create_task(engine.estimate(problem(LARGE), Caller("a"))) for _ in range(16)]
        await busy.begun()
        engine.check_capacity(Caller("a"))
        soon = time.monotonic() + 30
        assert (await engine.estimate(problem(SMALL), Caller("a", soon))).n == SMALL
        busy.gate.set()
        return await asyncio.gather(*tasks)

    assert len(play(scenario, InProcess(busy))) == 16


def test_a_caller_who_leaves_takes_a_large_problem_along(play, busy: FakeEstimator) -> None:
    async def scenario(engine):
        first = asyncio.create_task(engine.estimate(problem(LARGE), Caller("a")))
        await busy.begun()
        gone = asyncio.create_task(engine.estimate(problem(LARGE + 1), Caller("a")))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        busy.gate.set()
        await first
        assert not engine.busy

    play(scenario, InProcess(busy))
    assert sum(busy.batches) == 1


def test_closing_settles_both_queues(play, busy: FakeEstimator) -> None:
    settings = Settings(request_seconds=1e9, grace_seconds=1)
    tasks: list[asyncio.Task[object]] = []

    async def scenario(engine):
        tasks.extend(asyncio.create_task(engine.estimate(problem(LARGE + i), Caller())) for i in range(3))
        await busy.begun()
        await engine.close()
        busy.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(error) for error in play(scenario, InProcess(busy), settings)} == {Draining}


def test_without_a_process_of_their_own_large_problems_take_turns_with_small_ones(
    play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of them may be asked again, as its refusal says; nothing else is refused."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    worker = Worker("estimators:missing", {"threads": 1}, Metrics())

    async def scenario(engine):
        with pytest.raises((ModelUnavailable, Draining)):
            await engine.estimate(problem(LARGE), Caller())
        large = await engine.estimate(problem(LARGE), Caller())
        return large, await engine.estimate(problem(SMALL), Caller())

    large, small = play(scenario, worker)
    assert (large.n, small.n) == (LARGE, SMALL)


def test_the_time_of_a_start_is_no_price(play, fake: FakeEstimator) -> None:
    """Nor is that of a pause a reason to run elsewhere from then on."""
    large = InProcess(FakeEstimator())
    large.up = False  # as before its first run

    async def scenario(engine):
        size = cost.size(LARGE, 1, 1)
        before = engine._large_batcher.prices.cells(size)
        slow = engine._large_batcher._run

        async def run(pairs):
            await asyncio.sleep(0.3)
            return await slow(pairs)

        engine._large_batcher._run = engine.batcher._run = run
        await engine.estimate(problem(LARGE), Caller())
        assert engine._large_batcher.prices.cells(size) == before
        for _ in range(3):
            await engine.estimate(problem(SMALL), Caller())
        small = cost.size(SMALL, 1, 1)
        assert engine.batcher.prices.cells(small) > small.cells
        assert engine._batcher_of(small.cells) is engine.batcher

    play(scenario, large)


def test_a_full_queue_of_large_problems_is_known_before_a_body_is_read(
    play, busy: FakeEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "_BURST_ITEMS", 0)
    limited = Settings(request_seconds=1e9, max_wait_seconds=1e-9)

    async def scenario(engine):
        tasks = [asyncio.create_task(engine.estimate(problem(LARGE), Caller())) for _ in range(16)]
        await busy.begun()
        tasks.append(asyncio.create_task(engine.estimate(problem(LARGE), Caller())))
        engine.check_capacity(Caller(), least_cells=100)
        with pytest.raises(QueueFull):
            engine.check_capacity(Caller(), least_cells=10**6)
        busy.gate.set()
        await asyncio.gather(*tasks)

    play(scenario, InProcess(busy), limited)


def test_the_process_for_large_problems_starts_with_the_first_and_gives_way(
    play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    worker = Worker("estimators:fake", {"niceness": 3}, Metrics())

    async def scenario(engine):
        await engine.estimate(problem(SMALL), Caller())
        assert worker.pid is None
        await engine.estimate(problem(LARGE), Caller())
        pid = worker.pid
        assert pid is not None
        return os.getpriority(os.PRIO_PROCESS, pid)

    assert play(scenario, worker) == min(os.getpriority(os.PRIO_PROCESS, 0) + 3, 19)
    assert worker.pid is None


def test_the_device_of_others_than_cpus_is_not_shared(
    play, fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEstimator, "device", "cuda")
    large = FakeEstimator()

    async def scenario(engine):
        return await engine.estimate(problem(LARGE), Caller())

    assert play(scenario, InProcess(large)).n == LARGE
    assert large.batches == []
