"""Natural batching: while one batch runs, the next one gathers.

No timer and no minimum size: an idle worker takes what there is at once, a busy one finds more when it comes
back. Knows neither HTTP nor torch: `run` maps a list of items to a list of results, and may lose its worker.

Promises:
    callers share the model alike, in cells, whatever they ask for and however often;
    the oldest item of a caller goes first, whatever its cost; equal sizes share a batch;
    what is admitted is answered: a result, an error, or DeadlineExceeded when its time is over;
    an item whose caller has gone, or whose time is over, is dropped before it runs;
    a lost worker costs its batch a second run, alone; the item that loses a second worker fails;
    a batch too large for the device is halved, and later batches are smaller;
    no error of an item ends the loop.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mizzle.cost import Size
from mizzle.errors import DeadlineExceeded, DeviceOutOfMemory, Draining, InferenceFailed
from mizzle.service.inference.observer import Observer
from mizzle.service.inference.queue import Priority, PriorityQueues, QueuedItem
from mizzle.service.inference.shares import too_much
from mizzle.service.inference.throughput import Prices, Throughput

Item = TypeVar("Item")
Result = TypeVar("Result")
ALWAYS_ADMITTED = 16  # items that may wait, whatever they cost; clients fill their requests by it
_BURST_ITEMS = 80  # that may wait, whatever they cost, as long as nobody had to be refused for a while
_CALM_SECONDS = 1.0  # without a refusal, after which a burst is none of an overload
_SHARED_BATCH_SECONDS = 0.005  # of a batch while several callers ask, so that none waits long for another's
NOBODY: Mapping[str, int] = {}
_SHARED_SECONDS = 10.0  # after which a caller who asks no more counts no more
_log = logging.getLogger(__name__)
_SMALL_SHARE = 0.25  # of a batch's budget, up to which an item counts as small
_BUDGET_SHRINK, _BUDGET_GROWTH = 0.7, 1.02  # factors after too large a batch, and after clean ones
_CLEAN_BATCHES = 100  # after which the budget grows
_MAX_LOSSES = 2  # workers that an item may lose before it is refused


class WorkerLost(Exception):
    """The process that ran a batch died or hung; a new one is on its way."""


class OutOfMemory(Exception):
    """A batch did not fit the memory of the device."""


@dataclass(frozen=True)
class BatchLimits:
    """What one batch may hold, and what may wait.

    Attributes:
        items, cells: of one batch; an item of more cells goes alone.
        wait_seconds: work that may wait while there is an overload, beyond `ALWAYS_ADMITTED` items.
    """

    items: int
    cells: int
    wait_seconds: float


class Batcher(Generic[Item, Result]):
    """Submits single items, runs them in batches. Lives in one event loop.

    Attributes:
        throughput, prices: how fast batches run, and what a problem of a size takes.
        budget: cells of the next batch; below `limits.cells` after the device ran out of memory.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]],
        limits: BatchLimits,
        throughput: Throughput,
        observer: Observer,
        is_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._run = run
        self._is_up = is_up  # whether a run has not to wait for what it runs on
        self._limits = limits
        self.throughput = throughput
        self.prices = Prices(throughput)
        self._refused_at = -math.inf
        self._last_caller = ""
        self._shared_until = -math.inf  # as long as several callers are served
        self.budget = float(limits.cells)
        self.waiting: PriorityQueues[Item, Result] = PriorityQueues()
        self._observer = observer
        self._running: list[QueuedItem[Item, Result]] = []
        self._clean = 0
        self._wake = asyncio.Event()
        self._closed = False
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the loop; items submitted before are waiting already."""
        self._loop_task = asyncio.create_task(self._serve(), name="mizzle-batcher")

    @property
    def capacity(self) -> int:
        """Cells that may wait."""
        return self.throughput.cells(self._limits.wait_seconds)

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self._running or self.waiting.cells)

    @property
    def alive(self) -> bool:
        """Whether the loop runs."""
        return self._loop_task is not None and not self._loop_task.done()

    def is_small(self, cells: int) -> bool:
        """Whether a problem that costs so much is a small part of what a batch may hold."""
        return cells <= _SMALL_SHARE * self._limits.cells

    def wait_for(self, cells: int, caller: str = "") -> float:
        """Seconds until an item of so many cells would be answered, if it came now."""
        return self.throughput.seconds(self._cells_before(caller) + cells)

    def _cells_before(self, caller: str) -> int:
        """Cells that run, and those that would run before an item of this caller, at most: all that wait."""
        running = sum(queued.cost for queued in self._running)
        waiting = self.waiting.cells
        if caller and not self.waiting.count(caller):  # goes first
            waiting = 0
        return running + waiting

    def admit(
        self,
        cells: int,
        items: int = 1,
        deadline: float = math.inf,
        caller: str = "",
        arriving: Mapping[str, int] = NOBODY,
    ) -> None:
        """Whether so much more may come now.

        Args:
            caller: who asks; nobody that is known, when left out.
            arriving: small problems of each caller that were let in and are not in the queue yet.

        Raises:
            QueueFull: there is no room to wait; says when to come again.
            DeadlineExceeded: the answer would come too late.
            Draining: the batcher is closing.
        """
        if self._closed:
            raise Draining("the service is stopping; ask again in a moment")
        before = self._before(arriving)
        own = items + arriving.get(caller, 0)
        if self._too_much(cells, items, *before) and not (
            self._is_burst(items + before[0]) or self._is_share(own, caller)
        ):
            self._refused_at = time.monotonic()
            text = "too much work is waiting; ask again after the time in Retry-After"
            raise too_much(text, self.throughput.retry_after(self.waiting.cells))
        if time.monotonic() + self.wait_for(cells, caller) > deadline:
            raise DeadlineExceeded("the answer would not be there in the time that was given")

    def _before(self, arriving: Mapping[str, int]) -> tuple[int, int]:
        """Items and cells that wait, with those that are about to."""
        count = sum(arriving.values())
        cells = self.waiting.cells + count * self.waiting.typical_small_cells
        return len(self.waiting) + count, cells

    def _too_much(self, cells: int, items: int, items_before: int, cells_before: int) -> bool:
        """Whether this would wait longer than anything should."""
        # What comes to an empty queue may wait whatever its cost: every size gets its turn.
        if not cells_before or items_before + items <= ALWAYS_ADMITTED:
            return False
        return cells_before + cells > self.capacity

    def _is_burst(self, items: int) -> bool:
        """Whether so many at once are no overload: that is one whose refusals do not end."""
        return time.monotonic() - self._refused_at >= _CALM_SECONDS and items <= _BURST_ITEMS

    def _is_share(self, items: int, caller: str) -> bool:
        """Whether a caller has less waiting than others, whose queue it then is that is full."""
        callers = self.waiting.callers
        if not caller or callers > _BURST_ITEMS:
            return False
        own = self.waiting.count(caller)
        return own + items <= max(1, ALWAYS_ADMITTED // max(1, callers - bool(own)))

    def check_capacity(
        self, deadline: float = math.inf, caller: str = "", arriving: Mapping[str, int] = NOBODY
    ) -> None:
        """Whether one more small problem may come now, whose size nobody knows yet; see `admit`."""
        # A queue is full when the next problem does not fit: asked for nothing, there would always be room.
        self.admit(self.waiting.typical_small_cells, 1, deadline, caller, arriving)

    async def submit(
        self, item: Item, size: Size, used_cells: int, deadline: float = math.inf, caller: str = ""
    ) -> Result:
        """The result of one item, which `admit` has let in; arguments as `enqueue`, errors as `answer`."""
        return await self.answer(self.enqueue(item, size, used_cells, deadline, caller))

    def enqueue(
        self, item: Item, size: Size, used_cells: int, deadline: float = math.inf, caller: str = ""
    ) -> QueuedItem[Item, Result]:
        """An item that waits from now on; whoever enqueues it awaits its `answer`, or calls `abandon`.

        Args:
            used_cells: its own cells, without padding.
            deadline: in seconds of `time.monotonic`.
            caller: who shares the model with others.

        Raises:
            Draining: the batcher is closing.
        """
        if self._closed:
            raise Draining("the service is stopping; ask again in a moment")
        if caller and caller != self._last_caller:
            self._shared_until = time.monotonic() + _SHARED_SECONDS if self._last_caller else -math.inf
            self._last_caller = caller
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        cost = self.prices.cells(size)
        priority: Priority = "small" if self.is_small(cost) else "large"
        queued = QueuedItem(item, size, used_cells, priority, future, deadline, cost, caller)
        self.waiting.add(queued)
        self._wake.set()
        return queued

    async def answer(self, queued: QueuedItem[Item, Result]) -> Result:
        """The result of an item that was enqueued.

        Raises:
            DeadlineExceeded: it was not there in time.
            Draining: the batcher closed before the item had run.
            Exception: what `run` gave for this item.
        """
        try:
            async with asyncio.timeout_at(_loop_time(queued.deadline)):
                return await queued.future
        except TimeoutError:
            raise DeadlineExceeded("the answer was not there in the time that was given") from None
        finally:
            self.abandon(queued)

    def abandon(self, queued: QueuedItem[Item, Result]) -> None:
        """Nobody waits for this item any more; further calls do nothing."""
        if queued.abandoned:
            return
        queued.abandoned = True
        if self.waiting.remove(queued):
            self._observer.cancelled("queued")
        elif queued.future.cancelled():
            self._observer.cancelled("running")

    async def close(self, grace: float) -> None:
        """Admits nothing more, gives what waits and runs `grace` seconds, settles what is left."""
        self._closed = True
        self._wake.set()
        if self._loop_task is not None:
            await asyncio.wait({self._loop_task}, timeout=grace)
            self._loop_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop_task
        for queued in [*self._running, *self.waiting]:
            queued.fail(Draining("the service stopped before this could be answered; ask again"))

    async def _serve(self) -> None:
        while self.waiting or not self._closed:
            batch = [q for q in self.waiting.take(self._limits.items, self._batch_cells()) if _is_wanted(q)]
            if batch:
                await self._finish_or_fail(batch)
            elif not self.waiting:
                self._wake.clear()
                if not self._closed:
                    await self._wake.wait()

    def _batch_cells(self) -> int:
        """What the next batch may hold: less where a caller would wait for the batch of another."""
        if time.monotonic() > self._shared_until:
            return int(self.budget)
        return min(int(self.budget), self.throughput.cells(_SHARED_BATCH_SECONDS))

    async def _finish_or_fail(self, batch: list[QueuedItem[Item, Result]]) -> None:
        """As `_finish`; a bug of the batcher's own must strand nobody and must not end the loop."""
        try:
            await self._finish(batch)
        except Exception as error:
            _log.exception("the batcher failed")
            for queued in batch:
                queued.fail(error)
        self._running = []  # not when cancelled: `close` settles them

    async def _finish(self, batch: list[QueuedItem[Item, Result]]) -> None:
        """Runs a batch and settles its items."""
        self._running = batch
        cells, start, was_up = sum(queued.size.cells for queued in batch), time.monotonic(), self._is_up()
        for queued in batch:
            self._observer.waited(queued.priority, start - queued.since)
        try:
            results = await self._run([queued.item for queued in batch])
        except WorkerLost:
            self._after_loss(batch)
        except OutOfMemory:
            await self._after_out_of_memory(batch)
        else:
            seconds = time.monotonic() - start
            if was_up:  # or most of the time may have been that of a start
                self._learn(batch, seconds)
            self._observer.batch(
                len(batch), sum(q.used_cells for q in batch), cells, int(self.budget), seconds
            )
            self._settle(batch, results)

    def _learn(self, batch: list[QueuedItem[Item, Result]], seconds: float) -> None:
        """A batch took so long: later ones are priced by it, and its callers pay for what it took beyond."""
        factor = self.prices.observe(batch[0].size, len(batch), seconds)
        for queued in batch:
            self.waiting.charge(queued, max(factor - 1, 0.0) * queued.cost)
        self.throughput.observe(sum(queued.cost for queued in batch), seconds)

    def _settle(self, batch: list[QueuedItem[Item, Result]], results: Sequence[Result | Exception]) -> None:
        if len(results) != len(batch):
            raise InferenceFailed("the model gave another number of answers than problems")
        for queued, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                queued.fail(result)
            else:
                queued.settle(result)
        self._clean += 1
        if self._clean % _CLEAN_BATCHES == 0:
            self.budget = min(self.budget * _BUDGET_GROWTH, self._limits.cells)

    def _after_loss(self, batch: list[QueuedItem[Item, Result]]) -> None:
        """Every item of the batch is suspect: each runs again, alone, ahead of what came later."""
        _log.warning("a worker was lost with a batch of %d", len(batch))
        self._observer.retried()
        for queued in batch:
            queued.losses += 1
            if queued.losses >= _MAX_LOSSES:
                queued.fail(InferenceFailed("the model failed on this problem, twice; please report it"))
        self.waiting.requeue([queued for queued in batch if not queued.future.done()])

    async def _after_out_of_memory(self, batch: list[QueuedItem[Item, Result]]) -> None:
        self._observer.out_of_memory()
        self.budget = max(1.0, _BUDGET_SHRINK * self.budget)
        if len(batch) == 1:
            text = "the device has no memory for this problem now; ask again later, or send fewer rows"
            batch[0].fail(DeviceOutOfMemory(text))
            return
        self._observer.retried()
        for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
            await self._finish(half)


def _is_wanted(queued: QueuedItem[Item, Result]) -> bool:
    """Whether somebody still waits for it, and has the time."""
    if not queued.future.done() and time.monotonic() > queued.deadline:
        queued.fail(DeadlineExceeded("the answer was not there in the time that was given"))
    return not queued.future.done()


def _loop_time(deadline: float) -> float | None:
    """A time of `time.monotonic` on the clock of the event loop."""
    if math.isinf(deadline):
        return None
    return asyncio.get_running_loop().time() + deadline - time.monotonic()
