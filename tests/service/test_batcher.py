"""Laws of natural batching, with a run that waits at a gate instead of a clock."""

import asyncio
import threading

import pytest

from mizzle.errors import InferenceFailed, NotReady, QueueFull
from mizzle.service.batcher import Batcher, Limits

WIDE = Limits(batch_items=64, batch_cost=10**6, queue_items=1000, queue_cost=10**6)


class Doubler:
    """Doubles numbers; waits at a gate; fails on the items in `poison`."""

    def __init__(self, poison=(), error=ValueError):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()
        self.poison = set(poison)
        self.error = error

    def __call__(self, items):
        self.batches.append(list(items))
        self.started.set()
        assert self.gate.wait(20), "the gate stayed shut"
        if self.poison & set(items):
            raise self.error("poison")
        return [2 * item for item in items]

    async def busy(self, batcher):
        """Occupies the worker with item -1 until the gate opens."""
        self.gate.clear()
        self.started.clear()
        task = asyncio.create_task(batcher.submit(-1))
        assert await asyncio.to_thread(self.started.wait, 20), "no run began"
        return task


def play(scenario, run, limits=WIDE):
    """Runs `await scenario(batcher)` and closes the batcher; nothing may be left unsettled."""

    async def live():
        batcher = Batcher(run, limits)
        batcher.start()
        try:
            return await asyncio.wait_for(scenario(batcher), 20)
        finally:
            run.gate.set()
            await batcher.close(5)
            assert len(asyncio.all_tasks()) == 1

    return asyncio.run(live())


async def _submit_all(batcher, items, costs=None):
    """Submits without waiting, in order; the tasks."""
    costs = costs or [1] * len(items)
    tasks = [asyncio.create_task(batcher.submit(i, c)) for i, c in zip(items, costs, strict=True)]
    await asyncio.sleep(0)  # each task runs up to its future
    return tasks


def test_an_idle_worker_takes_an_item_at_once():
    run = Doubler()
    assert play(lambda batcher: batcher.submit(21), run) == 42
    assert run.batches == [[21]]


def test_what_arrives_during_a_run_is_one_batch():
    run = Doubler()

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, range(40))
        run.gate.set()
        return await asyncio.gather(first, *tasks)

    assert play(scenario, run) == [-2, *range(0, 80, 2)]
    assert run.batches == [[-1], list(range(40))]


def test_batches_keep_their_limits_and_the_order():
    run = Doubler()
    limits = Limits(batch_items=3, batch_cost=10**6, queue_items=100, queue_cost=10**6)

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, range(8))
        run.gate.set()
        return await asyncio.gather(first, *tasks)

    play(scenario, run, limits)
    assert run.batches == [[-1], [0, 1, 2], [3, 4, 5], [6, 7]]


def test_the_oldest_goes_whatever_its_cost_and_the_rest_fills_up():
    run = Doubler()
    limits = Limits(batch_items=64, batch_cost=10, queue_items=100, queue_cost=10**6)

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, range(5), [6, 99, 4, 7, 1])
        run.gate.set()
        return await asyncio.gather(first, *tasks)

    play(scenario, run, limits)
    assert run.batches == [[-1], [0, 2], [1], [3, 4]]


@pytest.mark.parametrize("error", [ValueError, MemoryError, StopIteration, SystemExit])
@pytest.mark.parametrize("poison", [[0], [7], [31], [3, 4], [0, 31]])
def test_only_the_poison_fails(error, poison):
    run = Doubler(poison, error)

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, range(32))
        run.gate.set()
        await first
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return outcomes, await batcher.submit(50)

    outcomes, after = play(scenario, run)
    for i, outcome in enumerate(outcomes):
        assert isinstance(outcome, Exception) if i in poison else outcome == 2 * i
    assert after == 100
    # One batch of 32 with one poison takes at most 2 log2(32) further runs.
    assert len(run.batches) <= 2 + 1 + 10 * len(poison)


@pytest.mark.parametrize("results", [[], [1, 2, 3], None])
def test_a_run_with_the_wrong_number_of_results_fails(results):
    class Wrong(Doubler):
        def __call__(self, items):
            return results

    async def scenario(batcher):
        with pytest.raises((InferenceFailed, TypeError)):
            await batcher.submit(1)

    play(scenario, Wrong())


def test_an_item_whose_caller_has_gone_is_not_run():
    run = Doubler()

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, range(4))
        tasks[1].cancel()
        await asyncio.sleep(0)
        assert len(batcher) == 3  # its place is free at once
        run.gate.set()
        return await asyncio.gather(first, *tasks, return_exceptions=True)

    outcomes = play(scenario, run)
    assert isinstance(outcomes[2], asyncio.CancelledError)
    assert run.batches == [[-1], [0, 2, 3]]


def test_a_caller_who_leaves_during_the_run_harms_nobody():
    run = Doubler()

    async def scenario(batcher):
        first = await run.busy(batcher)
        first.cancel()
        await asyncio.sleep(0)
        run.gate.set()
        return await batcher.submit(4)

    assert play(scenario, run) == 8


def test_the_queue_is_bounded_in_items():
    run = Doubler()
    limits = Limits(batch_items=8, batch_cost=100, queue_items=3, queue_cost=100)

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, range(3))
        with pytest.raises(QueueFull):
            await batcher.submit(3)
        run.gate.set()
        await asyncio.gather(first, *tasks)
        return await batcher.submit(3)

    assert play(scenario, run, limits) == 6


def test_the_queue_is_bounded_in_cost_but_never_shut_to_one():
    run = Doubler()
    limits = Limits(batch_items=8, batch_cost=100, queue_items=30, queue_cost=10)

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, [0], [50])
        with pytest.raises(QueueFull):
            await batcher.submit(1)
        run.gate.set()
        return await asyncio.gather(first, *tasks)

    assert play(scenario, run, limits) == [-2, 0]


def test_closing_settles_everything():
    run = Doubler()

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks = await _submit_all(batcher, range(3))
        closing = asyncio.create_task(batcher.close(20))
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, NotReady) for outcome in outcomes)
        with pytest.raises(NotReady):
            await batcher.submit(9)
        run.gate.set()
        await closing
        return await first  # what ran is finished

    assert play(scenario, run) == -2
    assert run.batches == [[-1]]


def test_closing_does_not_wait_for_a_run_that_hangs():
    run = Doubler()

    async def scenario(batcher):
        first = await run.busy(batcher)
        await batcher.close(0)
        with pytest.raises(NotReady):
            await first

    play(scenario, run)


def test_closing_before_starting_and_twice():
    async def live():
        batcher = Batcher(lambda items: items, WIDE)
        await batcher.close(1)
        await batcher.close(1)

    asyncio.run(live())
