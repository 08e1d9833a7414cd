"""Natural batching: while one batch runs in the worker thread, the next one gathers.

No timer and no minimum size: an idle worker takes what there is at once, a busy one finds more when
it comes back. Knows neither HTTP nor torch: `run` maps a list of items to a list of results.

Promises:
    the oldest item goes with the next batch, whatever its cost;
    a failing batch is halved until only the guilty item fails;
    an item whose caller has gone is dropped before it runs;
    every future is settled: a result, an error, or NotReady when the batcher closes;
    no error of an item ends the loop.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from mizzle.errors import InferenceFailed, NotReady, QueueFull

Item = TypeVar("Item")
Result = TypeVar("Result")
_log = logging.getLogger(__name__)
_CLOSED = "the service is stopping; ask again in a moment"


@dataclass(frozen=True)
class Limits:
    """What one batch may hold and what may wait, in items and in cost."""

    batch_items: int
    batch_cost: int
    queue_items: int
    queue_cost: int


@dataclass(eq=False)
class _Entry(Generic[Item, Result]):
    """An item on its way, with the future that its caller awaits."""

    item: Item
    cost: int
    future: "asyncio.Future[Result]"

    def settle(self, result: Result) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Batcher(Generic[Item, Result]):
    """Submits single items, runs them in batches. Lives in one event loop."""

    def __init__(self, run: Callable[[list[Item]], Sequence[Result]], limits: Limits) -> None:
        self._run = run
        self._limits = limits
        self._waiting: deque[_Entry[Item, Result]] = deque()
        self._running: list[_Entry[Item, Result]] = []
        self._wake = asyncio.Event()
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mizzle-batch")
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the loop; items submitted before are waiting already."""
        self._loop_task = asyncio.create_task(self._serve(), name="mizzle-batcher")

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    async def submit(self, item: Item, cost: int = 1) -> Result:
        """The result of one item.

        Raises:
            QueueFull: there is no room to wait.
            NotReady: the batcher is closed, or closes before the item has run.
            Exception: what `run` raised for this item.
        """
        self._admit(cost)
        entry = _Entry[Item, Result](item, cost, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._wake.set()
        try:
            return await entry.future
        finally:
            with contextlib.suppress(ValueError):  # it has left the queue: the usual case
                self._waiting.remove(entry)

    async def close(self, grace: float) -> None:
        """Refuses what waits, gives the running batch `grace` seconds, settles what is left."""
        self._closed = True
        self._wake.set()
        for entry in self._waiting:
            entry.fail(NotReady(_CLOSED))
        self._waiting.clear()
        if self._loop_task is not None:
            await asyncio.wait({self._loop_task}, timeout=grace)
            self._loop_task.cancel()
            await asyncio.wait({self._loop_task})
        for entry in self._running:
            entry.fail(NotReady(_CLOSED))
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _admit(self, cost: int) -> None:
        if self._closed:
            raise NotReady(_CLOSED)
        queued = sum(entry.cost for entry in self._waiting)
        full = len(self._waiting) >= self._limits.queue_items
        # An item beyond the whole budget may still wait alone: every shape gets its turn.
        if full or (self._waiting and queued + cost > self._limits.queue_cost):
            raise QueueFull("too many problems are waiting; ask again in a moment")

    async def _serve(self) -> None:
        while not self._closed:
            self._running = self._take()
            if self._running:
                await self._finish_surely(self._running)
            elif not self._closed:
                self._wake.clear()
                await self._wake.wait()

    def _take(self) -> list[_Entry[Item, Result]]:
        """The oldest item, and with it, oldest first, all that still fit."""
        batch: list[_Entry[Item, Result]] = []
        left: deque[_Entry[Item, Result]] = deque()
        cost = 0
        for entry in self._waiting:
            if entry.future.done():
                continue
            fits = len(batch) < self._limits.batch_items
            if not batch or (fits and cost + entry.cost <= self._limits.batch_cost):
                batch.append(entry)
                cost += entry.cost
            else:
                left.append(entry)
        self._waiting = left
        return batch

    async def _finish_surely(self, batch: list[_Entry[Item, Result]]) -> None:
        """As `_finish`; a bug of the batcher's own must strand nobody and must not end the loop."""
        try:
            await self._finish(batch)
        except Exception as error:
            _log.exception("the batcher failed")
            for entry in batch:
                entry.fail(error)

    async def _finish(self, batch: list[_Entry[Item, Result]]) -> None:
        """Runs a batch and settles its entries, halving it as long as it fails."""
        batch = [entry for entry in batch if not entry.future.done()]
        if not batch:
            return
        items = [entry.item for entry in batch]
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._thread, self._attempt, items)
        if not isinstance(outcome, BaseException):
            for entry, result in zip(batch, outcome, strict=True):
                entry.settle(result)
        elif len(batch) == 1:
            batch[0].fail(outcome)
        else:
            _log.warning("a batch of %d failed; running it in halves", len(batch))
            await self._finish(batch[: len(batch) // 2])
            await self._finish(batch[len(batch) // 2 :])

    def _attempt(self, items: list[Item]) -> Sequence[Result] | BaseException:
        """In the worker thread; raises nothing, as a SystemExit would end the event loop."""
        try:
            results = self._run(items)
            if len(results) != len(items):
                raise InferenceFailed("the model gave another number of answers than problems")
            return results
        except (StopIteration, StopAsyncIteration) as error:  # no future takes these
            return RuntimeError(f"the run raised {type(error).__name__}")
        except Exception as error:
            return error
        except BaseException as error:
            return RuntimeError(f"the run raised {type(error).__name__}")
