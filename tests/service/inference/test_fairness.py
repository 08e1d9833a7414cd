"""Callers share the model alike, whatever they ask for and however often."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_batcher import ONE, Doubler, play, submit_all

from mizzle.cost import Size
from mizzle.errors import DeadlineExceeded, QueueFull
from mizzle.service.inference import batcher as batcher_module
from mizzle.service.inference.batcher import BatchLimits
from mizzle.service.inference.queue import PriorityQueues, QueuedItem
from mizzle.service.inference.throughput import Prices, Throughput

SINGLY = BatchLimits(items=1, cells=1000, wait_seconds=10**6)
costs = st.integers(1, 50)


class Pending:
    """Stands for a future that nobody settles."""

    def done(self):
        return False


def queued(caller, cost, size=ONE):
    return QueuedItem(caller, size, 1, "small", Pending(), 1e9, cost, caller)  # type: ignore[arg-type]


def served(batches):
    """Cells that every caller was served."""
    cells = {"a": 0, "b": 0}
    for batch in batches:
        for item in batch:
            cells[item.caller] += item.cost
    return cells


@given(st.lists(costs, min_size=5, max_size=60), st.lists(costs, min_size=5, max_size=60), st.integers(1, 8))
def test_two_who_ask_all_the_time_are_served_alike(first, second, items) -> None:
    """Never more apart than by the largest problem of either, whatever the sizes and the numbers."""
    queue: PriorityQueues[str, None] = PriorityQueues()
    for caller, wanted in (("a", first), ("b", second)):
        for cost in wanted:
            queue.add(queued(caller, cost))
    batches = []
    while queue.count("a") and queue.count("b"):
        batches.append(queue.take(items, 10**9))
        if queue.count("a") and queue.count("b"):
            cells = served(batches)
            assert abs(cells["a"] - cells["b"]) <= max(first + second)


@given(st.lists(costs, min_size=1, max_size=60), costs)
def test_who_comes_to_a_queue_of_anothers_is_next(flood, cost) -> None:
    queue: PriorityQueues[str, None] = PriorityQueues()
    for i, other in enumerate(flood):
        queue.add(queued("a", other, Size(1 + i % 3, 1)))
    queue.take(1, 1)
    queue.add(queued("b", cost, Size(7, 1)))
    assert [item.caller for item in queue.take(1, 1)] == ["b"]


def test_nobody_gains_by_leaving_the_queue() -> None:
    """Who was served a lot, and comes back while others wait, is not level with them."""
    queue: PriorityQueues[str, None] = PriorityQueues()
    queue.add(queued("b", 1))
    queue.add(queued("b", 1, Size(2, 1)))
    queue.add(queued("a", 50))
    for _ in range(2):
        queue.take(1, 1)
    queue.add(queued("a", 50, Size(3, 1)))
    assert [item.caller for item in queue.take(1, 1)] == ["b"]


def test_what_took_longer_than_its_price_is_charged() -> None:
    queue: PriorityQueues[str, None] = PriorityQueues()
    for size in (1, 2, 3):
        queue.add(queued("a", 1, Size(size, 1)))
        queue.add(queued("b", 1, Size(size, 1)))
    [first] = queue.take(1, 1)
    queue.charge(first, 100.0)
    assert {item.caller for _ in range(3) for item in queue.take(1, 1)} == {"ab".replace(first.caller, "")}


def test_callers_who_went_do_not_add_up() -> None:
    queue: PriorityQueues[str, None] = PriorityQueues()
    for i in range(10_000):
        queue.add(queued(str(i), 1))
        queue.take(1, 1)
    assert all(len(fair._served) < 200 for fair in queue._queues.values())


def test_a_flood_of_one_caller_does_not_hold_up_another() -> None:
    run = Doubler()

    async def scenario(batcher):
        first = await run.busy(batcher)
        flood = [asyncio.create_task(batcher.submit(i, ONE, 1, caller="a")) for i in range(20)]
        await asyncio.sleep(0)
        polite = asyncio.create_task(batcher.submit(99, ONE, 1, caller="b"))
        await asyncio.sleep(0)
        run.gate.set()
        await asyncio.gather(first, polite, *flood)

    play(scenario, run, SINGLY)
    assert 99 in {run.batches[1][0], run.batches[2][0]}


def test_batches_are_short_while_several_callers_ask() -> None:
    """Eight problems that would fit one batch, at 10 ms each: nobody waits for eight of them."""
    run = Doubler()

    async def scenario(batcher):
        await batcher.submit(0, ONE, 1, caller="b")
        first = await run.busy(batcher)
        flood = [asyncio.create_task(batcher.submit(i, ONE, 1, caller="a")) for i in range(8)]
        await asyncio.sleep(0)
        run.gate.set()
        await asyncio.gather(first, *flood)

    play(scenario, run)
    assert max(map(len, run.batches)) < 4


@pytest.fixture
def overload(monkeypatch: pytest.MonkeyPatch) -> None:
    """No burst is admitted any more."""
    monkeypatch.setattr(batcher_module, "_BURST_ITEMS", 16)


def test_a_queue_that_is_full_of_anothers_is_full_for_the_other_alone(overload) -> None:
    run = Doubler()

    async def scenario(batcher) -> None:
        first = await run.busy(batcher)
        flood = [asyncio.create_task(batcher.submit(i, ONE, 1, caller="a")) for i in range(16)]
        await asyncio.sleep(0)
        for caller in ("a", ""):
            with pytest.raises(QueueFull):
                batcher.admit(ONE.cells, caller=caller)
        batcher.admit(ONE.cells, caller="b")
        batcher.check_capacity(caller="b")
        with pytest.raises(QueueFull):  # more than a share of it
            batcher.admit(17 * ONE.cells, 17, caller="b")
        run.gate.set()
        await asyncio.gather(first, *flood)

    play(scenario, run, BatchLimits(items=64, cells=1000, wait_seconds=1e-9))


def test_the_wait_of_who_goes_first_is_not_that_of_the_flood() -> None:
    run = Doubler()

    async def scenario(batcher) -> None:
        first = await run.busy(batcher)
        flood = [asyncio.create_task(batcher.submit(i, ONE, 1, caller="a")) for i in range(10)]
        await asyncio.sleep(0)
        assert batcher.wait_for(10, "b") == pytest.approx(2.0)  # the one that runs, and this one
        assert batcher.wait_for(10, "a") == pytest.approx(12.0)
        run.gate.set()
        await asyncio.gather(first, *flood)

    play(scenario, run, throughput=Throughput(10.0))


@pytest.mark.parametrize("calm", [True, False])
def test_a_burst_is_admitted_until_somebody_had_to_be_refused(monkeypatch, calm) -> None:
    monkeypatch.setattr(batcher_module, "_CALM_SECONDS", 0.0 if calm else 1e9)
    run = Doubler()

    async def scenario(batcher):
        first = await run.busy(batcher)
        tasks: list[asyncio.Task[int]] = []
        while len(tasks) < 80:
            batcher.admit(ONE.cells)
            tasks += await submit_all(batcher, [1])
        with pytest.raises(QueueFull):
            batcher.admit(ONE.cells)
        for task in tasks[20:]:
            task.cancel()
        await asyncio.sleep(0)
        assert len(batcher.waiting) == 20
        try:
            batcher.admit(ONE.cells)
            return True
        except QueueFull:
            return False
        finally:
            run.gate.set()
            await asyncio.gather(first, *tasks, return_exceptions=True)

    assert play(scenario, run, BatchLimits(items=64, cells=1000, wait_seconds=1e-9)) is calm


def test_a_size_that_takes_longer_costs_more() -> None:
    prices, size, other = Prices(Throughput(1000.0)), Size(100, 1), Size(100, 64)
    assert prices.cells(size) == size.cells
    for _ in range(20):
        prices.observe(size, 1, 8 * size.cells / 1000)
        prices.observe(other, 2, 2 * other.cells / 1000)
    assert prices.cells(size) == pytest.approx(8 * size.cells, rel=0.01)
    assert prices.cells(other) == other.cells
    assert prices.cells(Size(120, 1)) == pytest.approx(8 * Size(120, 1).cells, rel=0.01)  # never ran


def test_a_size_that_takes_less_costs_what_its_cells_do() -> None:
    prices, size = Prices(Throughput(1000.0)), Size(100, 1)
    for _ in range(20):
        prices.observe(size, 1, 0.0)
    assert prices.cells(size) == size.cells


def test_a_pause_of_the_machine_is_no_price() -> None:
    prices, size = Prices(Throughput(1000.0)), Size(100, 1)
    prices.observe(size, 1, 1e9)
    assert prices.cells(size) <= 16 * size.cells


def test_admission_fairness_and_the_time_to_come_back_see_what_a_size_takes(overload) -> None:
    """Ten times as slow as its cells: ten times the cost, the wait, and half of it to come back."""
    run, limits = Doubler(), BatchLimits(items=64, cells=1000, wait_seconds=1e-9)

    async def scenario(batcher) -> None:
        for _ in range(60):
            batcher.prices.observe(ONE, 1, 10.0)
        first = await run.busy(batcher)
        tasks = await submit_all(batcher, range(16))
        assert batcher.waiting.cells == pytest.approx(1600, rel=0.01)
        with pytest.raises(QueueFull) as refused:
            batcher.admit(1)
        assert refused.value.retry_after == pytest.approx(60.0)  # the longest; else 80
        with pytest.raises(DeadlineExceeded):
            batcher.admit(1, deadline=0.0, caller="b")
        run.gate.set()
        await asyncio.gather(first, *tasks)

    play(scenario, run, limits, Throughput(10.0))


def test_a_pause_of_the_machine_is_no_pace() -> None:
    """A problem of a millisecond that waited two seconds for a new worker: the next takes no minute."""
    throughput = Throughput(1e6)
    throughput.observe(1000, 2.0)
    assert throughput.seconds(1000) < 0.003
