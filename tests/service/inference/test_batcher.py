"""Laws of natural batching, with a run that waits at a gate instead of a clock."""

# As of all tests; this one lends another its run, which names it without the folder.
# mypy: disable-error-code="abstract"

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

import pytest

from mizzle.cost import Size
from mizzle.errors import DeadlineExceeded, DeviceOutOfMemory, Draining, InferenceFailed, QueueFull
from mizzle.service.inference import batcher as batcher_module
from mizzle.service.inference.batcher import Batcher, BatchLimits, OutOfMemory, WorkerLost
from mizzle.service.inference.observer import Observer
from mizzle.service.inference.throughput import Throughput

WIDE = BatchLimits(items=64, cells=10**6, wait_seconds=10**6)
ONE = Size(1, 1)  # of 10 cells
ALIKE = [Size(rows, 1) for rows in (1, 2, 3, 5)]
Numbers = Batcher[int, int]
Outcome = TypeVar("Outcome")


class Doubler:
    """Doubles numbers; waits at a gate; `poison` fails, `deadly` kills, more than `room` are too many."""

    def __init__(
        self, poison: Collection[int] = (), deadly: Collection[int] = (), room: float = math.inf
    ) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self.poison, self.deadly, self.room = set(poison), set(deadly), room

    async def __call__(self, items: list[int]) -> Sequence[int | Exception]:
        self.batches.append(list(items))
        self.started.set()
        await self.gate.wait()
        if self.deadly & set(items):
            raise WorkerLost
        if len(items) > self.room:
            raise OutOfMemory
        return [ValueError("poison") if item in self.poison else 2 * item for item in items]

    async def busy(self, batcher: Numbers) -> asyncio.Task[int]:
        """Occupies the worker with item -1 until the gate opens."""
        self.gate.clear()
        self.started.clear()
        task = asyncio.create_task(batcher.submit(-1, ONE, 1))
        await self.started.wait()
        return task


class Counts(Observer):
    """What the batcher told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def cancelled(self, stage: str) -> None:
        self.told.append(("cancelled", stage))

    def out_of_memory(self) -> None:
        self.told.append("oom")

    def batch(self, items: int, cells: int, padded: int, budget: int, seconds: float) -> None:
        self.told.append(("batch", items, cells, padded))


def play(
    scenario: Callable[[Numbers], Awaitable[Outcome]],
    run: Doubler,
    limits: BatchLimits = WIDE,
    throughput: Throughput | None = None,
    observer: Observer | None = None,
) -> Outcome:
    """Runs `await scenario(batcher)` and closes the batcher; nothing may be left unsettled."""

    async def live() -> Outcome:
        batcher = Batcher(run, limits, throughput or Throughput(1000.0), observer or Counts())
        batcher.start()
        try:
            return await asyncio.wait_for(scenario(batcher), 20)
        finally:
            run.gate.set()
            await batcher.close(5)
            assert len(asyncio.all_tasks()) == 1
            assert len(batcher.waiting) == batcher.waiting.cells == 0

    return asyncio.run(live())


async def submit_all(
    batcher: Numbers, items: Sequence[int], sizes: Sequence[Size] | None = None, deadline: float = math.inf
) -> list[asyncio.Task[int]]:
    """Submits without waiting, in order; the tasks."""
    sizes = sizes or [ONE] * len(items)
    pairs = zip(items, sizes, strict=True)
    tasks = [asyncio.create_task(batcher.submit(i, size, 1, deadline)) for i, size in pairs]
    await asyncio.sleep(0)  # each task runs up to its future
    return tasks


def after_a_busy_start(
    run: Doubler,
    items: Sequence[int],
    sizes: Sequence[Size] | None = None,
    limits: BatchLimits = WIDE,
    observer: Observer | None = None,
) -> list[int | BaseException]:
    """Outcomes of items that were submitted while a batch ran."""

    async def scenario(batcher: Numbers) -> list[int | BaseException]:
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, items, sizes)
        run.gate.set()
        assert await first == -2
        return await asyncio.gather(*tasks, return_exceptions=True)

    return play(scenario, run, limits, observer=observer)


def test_an_idle_worker_takes_an_item_at_once() -> None:
    run = Doubler()
    assert play(lambda batcher: batcher.submit(21, ONE, 1), run) == 42
    assert run.batches == [[21]]


def test_what_arrives_during_a_run_is_one_batch() -> None:
    run = Doubler()
    assert after_a_busy_start(run, range(40)) == [*range(0, 80, 2)]
    assert run.batches == [[-1], list(range(40))]


def test_batches_keep_their_number_of_items_and_the_order() -> None:
    run = Doubler()
    after_a_busy_start(run, range(8), limits=BatchLimits(3, 10**6, 10**6))
    assert run.batches == [[-1], [0, 1, 2], [3, 4, 5], [6, 7]]


def test_batches_keep_their_cells_after_padding() -> None:
    run = Doubler()
    after_a_busy_start(run, range(8), limits=BatchLimits(64, 5 * ONE.cells, 10**6))
    assert run.batches == [[-1], [0, 1, 2, 3, 4], [5, 6, 7]]


def test_equal_sizes_share_a_batch_and_the_oldest_goes_first() -> None:
    run = Doubler()
    sizes = [ALIKE[i % 4] for i in range(12)]
    after_a_busy_start(run, range(12), sizes)
    assert run.batches == [[-1], [0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]


def test_small_items_pass_large_ones_and_a_large_one_waits_for_two_batches_at_most() -> None:
    run = Doubler()
    limits = BatchLimits(items=1, cells=1000, wait_seconds=10**6)
    large = Size(50, 1)
    after_a_busy_start(run, [100, 101, *range(8)], [large, large, *[ONE] * 8], limits)
    assert run.batches == [[-1], [0], [100], [1], [2], [101], [3], [4], [5], [6], [7]]


def test_an_item_beyond_the_budget_goes_alone() -> None:
    run = Doubler()
    limits = BatchLimits(items=64, cells=2 * ONE.cells, wait_seconds=10**6)
    after_a_busy_start(run, [7, 8], [Size(10**6, 1)] * 2, limits)
    assert run.batches == [[-1], [7], [8]]


def test_the_error_of_an_item_is_its_own() -> None:
    outcomes = after_a_busy_start(Doubler(poison={3, 31}), range(32))
    assert [i for i, outcome in enumerate(outcomes) if isinstance(outcome, ValueError)] == [3, 31]
    assert [outcome for outcome in outcomes if not isinstance(outcome, ValueError)] == [
        2 * i for i in range(32) if i not in (3, 31)
    ]


@pytest.mark.parametrize("deadly", [0, 7, 31])
def test_the_item_that_loses_two_workers_fails_and_the_others_are_answered(deadly: int) -> None:
    run = Doubler(deadly={deadly})
    outcomes = after_a_busy_start(run, range(32))
    assert isinstance(outcomes[deadly], InferenceFailed)
    assert [o for i, o in enumerate(outcomes) if i != deadly] == [2 * i for i in range(32) if i != deadly]
    assert run.batches == [[-1], list(range(32)), *[[i] for i in range(32)]]  # two losses, not more


def test_what_was_lost_goes_before_what_came_later() -> None:
    run = Doubler(deadly={0})

    async def scenario(batcher: Numbers) -> list[int | BaseException]:
        first = await run.busy(batcher)
        lost = await submit_all(batcher, [0, 1])
        run.gate.set()
        await first
        later = await submit_all(batcher, [2])
        return await asyncio.gather(*lost, *later, return_exceptions=True)

    outcomes = play(scenario, run)
    assert isinstance(outcomes[0], InferenceFailed)
    assert outcomes[1:] == [2, 4]
    assert run.batches == [[-1], [0, 1], [0], [1], [2]]


def test_a_batch_too_large_for_the_device_is_halved_and_the_budget_falls() -> None:
    run, counts = Doubler(room=5), Counts()
    limits = BatchLimits(items=64, cells=100 * ONE.cells, wait_seconds=10**6)

    async def scenario(batcher: Numbers) -> tuple[list[int], float]:
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, range(16))
        run.gate.set()
        await first
        return await asyncio.gather(*tasks), batcher.budget

    answers, budget = play(scenario, run, limits, observer=counts)
    assert answers == [2 * i for i in range(16)]
    assert budget == pytest.approx(0.7**3 * limits.cells)
    assert counts.told.count("oom") == 3  # of 16, 8 and 8


def test_an_item_too_large_for_the_device_is_told_so() -> None:
    async def scenario(batcher: Numbers) -> None:
        with pytest.raises(DeviceOutOfMemory):
            await batcher.submit(1, ONE, 1)

    play(scenario, Doubler(room=0))


@pytest.mark.parametrize("results", [[], [1, 2, 3], None])
def test_a_run_with_the_wrong_number_of_results_fails(results: Any) -> None:
    class Wrong(Doubler):
        async def __call__(self, items: list[int]) -> Any:
            return results

    async def scenario(batcher: Numbers) -> None:
        with pytest.raises((InferenceFailed, TypeError)):
            await batcher.submit(1, ONE, 1)
        with pytest.raises((InferenceFailed, TypeError)):  # the loop goes on
            await batcher.submit(2, ONE, 1)

    play(scenario, Wrong())


def test_an_item_whose_caller_has_gone_is_not_run() -> None:
    run, counts = Doubler(), Counts()

    async def scenario(batcher: Numbers) -> list[int | BaseException]:
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, range(4))
        tasks[1].cancel()
        await asyncio.sleep(0)
        assert len(batcher.waiting) == 3  # its place is free at once
        run.gate.set()
        return await asyncio.gather(first, *tasks, return_exceptions=True)

    outcomes = play(scenario, run, observer=counts)
    assert isinstance(outcomes[2], asyncio.CancelledError)
    assert run.batches == [[-1], [0, 2, 3]]
    assert ("cancelled", "queued") in counts.told


def test_a_caller_who_leaves_during_the_run_harms_nobody() -> None:
    run, counts = Doubler(), Counts()

    async def scenario(batcher: Numbers) -> int:
        first = await run.busy(batcher)
        first.cancel()
        await asyncio.sleep(0)
        run.gate.set()
        return await batcher.submit(4, ONE, 1)

    assert play(scenario, run, observer=counts) == 8
    assert ("cancelled", "running") in counts.told


def test_an_item_whose_time_is_over_is_not_run() -> None:
    run = Doubler()

    async def scenario(batcher: Numbers) -> list[int | BaseException]:
        first = await run.busy(batcher)
        late = await submit_all(batcher, [1], deadline=time.monotonic() - 1)
        fine = await submit_all(batcher, [2])
        run.gate.set()
        return await asyncio.gather(first, *late, *fine, return_exceptions=True)

    outcomes = play(scenario, run)
    assert isinstance(outcomes[1], DeadlineExceeded)
    assert run.batches == [[-1], [2]]


def test_a_deadline_ends_the_wait_for_a_run() -> None:
    run = Doubler()

    async def scenario(batcher: Numbers) -> None:
        run.gate.clear()
        with pytest.raises(DeadlineExceeded):
            await batcher.submit(1, ONE, 1, deadline=time.monotonic() + 0.01)

    play(scenario, run)


@pytest.fixture
def two_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items may wait, whatever they cost, and no burst of more."""
    monkeypatch.setattr(batcher_module, "ALWAYS_ADMITTED", 2)
    monkeypatch.setattr(batcher_module, "_BURST_ITEMS", 0)


def test_the_queue_is_bounded_by_the_work_that_waits(two_always: None) -> None:
    """10 cells a second, 5 s: room for 50 cells, that is five items; the two first would always do."""
    run = Doubler()
    limits = BatchLimits(items=8, cells=1000, wait_seconds=5.0)

    async def scenario(batcher: Numbers) -> None:
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, range(5))
        with pytest.raises(QueueFull) as refused:
            batcher.admit(ONE.cells)
        assert refused.value.retry_after == pytest.approx(2.5)  # when half of it is done
        run.gate.set()
        await asyncio.gather(first, *tasks)
        batcher.admit(ONE.cells)

    play(scenario, run, limits, Throughput(10.0))


def test_an_empty_queue_takes_any_cost_and_a_short_one_some(two_always: None) -> None:
    run = Doubler()
    limits = BatchLimits(items=8, cells=1000, wait_seconds=1.0)

    async def scenario(batcher: Numbers) -> None:
        first = await run.busy(batcher)
        batcher.admit(10**6)
        tasks = await submit_all(batcher, [1], [Size(10**5, 1)])
        batcher.admit(10**6)
        tasks += await submit_all(batcher, [2], [Size(10**5, 1)])
        with pytest.raises(QueueFull):
            batcher.admit(1)
        run.gate.set()
        await asyncio.gather(first, *tasks)

    play(scenario, run, limits, Throughput(10.0))


def test_who_cannot_be_answered_in_time_is_told_at_once() -> None:
    run = Doubler()

    async def scenario(batcher: Numbers) -> None:
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, range(10))
        assert batcher.wait_for(10) == pytest.approx(12.0)  # one runs, ten wait, and this one
        with pytest.raises(DeadlineExceeded):
            batcher.admit(10, deadline=time.monotonic() + 5)
        batcher.admit(10, deadline=time.monotonic() + 60)
        run.gate.set()
        await asyncio.gather(first, *tasks)

    play(scenario, run, throughput=Throughput(10.0))


def test_closing_finishes_what_was_admitted() -> None:
    run = Doubler()

    async def scenario(batcher: Numbers) -> list[int]:
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, range(3))
        closing = asyncio.create_task(batcher.close(20))
        await asyncio.sleep(0)
        with pytest.raises(Draining):
            batcher.admit(1)
        with pytest.raises(Draining):
            await batcher.submit(9, ONE, 1)
        run.gate.set()
        await closing
        return await asyncio.gather(first, *tasks)

    assert play(scenario, run) == [-2, 0, 2, 4]


def test_closing_does_not_wait_for_a_run_that_hangs() -> None:
    run = Doubler()

    async def scenario(batcher: Numbers) -> list[int | BaseException]:
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, range(3))
        await batcher.close(0)
        return await asyncio.gather(first, *tasks, return_exceptions=True)

    assert all(isinstance(outcome, Draining) for outcome in play(scenario, run))


def test_closing_before_starting_and_twice() -> None:
    async def live() -> None:
        batcher = Batcher(Doubler(), WIDE, Throughput(1.0), Counts())
        await batcher.close(1)
        await batcher.close(1)

    asyncio.run(live())


def test_the_pace_follows_the_batches() -> None:
    throughput = Throughput(1000.0)
    for _ in range(100):
        throughput.observe(500, 5.0)
    assert throughput.cells_per_second == pytest.approx(100.0, rel=0.01)
    throughput.observe(10, 0.0)  # a batch that took no time
    assert throughput.cells_per_second < 120.0


def test_the_pace_of_small_batches_is_not_that_of_large_ones() -> None:
    """Where any batch takes 20 ms, small ones must not make the service believe that it is slow."""
    throughput = Throughput(1e6, overhead=0.02)
    for _ in range(100):
        throughput.observe(1000, 0.021)
        throughput.observe(20_000, 0.04)
    assert throughput.cells_per_second == pytest.approx(1e6)
    assert throughput.seconds(0) == pytest.approx(0.02)
    for _ in range(100):
        throughput.observe(1000, 0.042)
    assert throughput.cells_per_second == pytest.approx(0.5e6, rel=0.01)
    assert throughput.seconds(0) == pytest.approx(0.04, rel=0.01)
