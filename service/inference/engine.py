"""The model behind the routes: loads in the background, admits and runs problems, proves itself, drains."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from mizzle import cost, selftest
from mizzle.data.arrays import check_columns
from mizzle.errors import (
    Draining,
    InferenceFailed,
    InvalidInput,
    MizzleError,
    ModelUnavailable,
    NonFiniteAnswer,
    NotReady,
    TooLarge,
)
from mizzle.service.formats.problem import as_answer
from mizzle.service.formats.registry import Problem
from mizzle.service.inference.batcher import NOBODY, Batcher, BatchLimits
from mizzle.service.inference.ipc import FAILED, Pair
from mizzle.service.inference.observer import Observer
from mizzle.service.inference.queue import Priority, QueuedItem
from mizzle.service.inference.runner import ModelFacts, Runner
from mizzle.service.inference.throughput import Throughput
from mizzle.service.settings import Settings
from mizzle.types import Estimate, ModelInfo

_log = logging.getLogger(__name__)
State = Literal["starting", "ready", "draining", "failed"]


class Caller(NamedTuple):
    """Who asks, and until when an answer is of use (seconds of `time.monotonic`).

    Attributes:
        key: the name of the API key, or the address where there are no keys; empty for nobody that is known.
    """

    key: str = ""
    deadline: float = math.inf


class Engine:
    """One runner with its batcher, from loading to closing.

    Args:
        large_runner: for problems that take longer than callers should wait for those of others; only where
            the model runs on a CPU, whose cores two processes can share. Else all of them take turns.

    Attributes:
        state: "starting" until a known problem is answered rightly.
        failure: why there is no model, once that is known.
        on_failure: called then; logs, unless the server sets something else.
        check_model: called with what was loaded, which it may refuse by a MizzleError.
    """

    def __init__(
        self, settings: Settings, runner: Runner, observer: Observer, large_runner: Runner | None = None
    ) -> None:
        self.state: State = "starting"
        self.failure: MizzleError | None = None
        self.on_failure: Callable[[MizzleError], None] = _log_failure
        self.check_model: Callable[[ModelInfo], None] = lambda _: None
        self._settings = settings
        self._runner = runner
        runner.on_failure = self.fail
        self._observer = observer
        self._facts: ModelFacts | None = None
        self._batcher: Batcher[Pair, Estimate] | None = None
        self._large_runner = large_runner
        self._large_batcher: Batcher[Pair, Estimate] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._health_check: asyncio.Task[Estimate] | None = None
        self._last_check: tuple[float, Estimate] | None = None

    def start(self) -> None:
        """Begins to load; answers NotReady until that is done."""
        self._loading = asyncio.create_task(self._load(), name="mizzle-load")

    async def loaded(self) -> None:
        """Return when the model has answered a known problem.

        Raises:
            ModelUnavailable: there is none, and will be none.
        """
        if self._loading is not None:
            await asyncio.shield(self._loading)
        if self.failure is not None:
            raise ModelUnavailable(str(self.failure))

    async def _load(self) -> None:
        try:
            facts = await self._runner.start()
            self.check_model(facts.info)
            self._batcher = self._started(self._runner, facts)
            if self._large_runner is not None and facts.device == "cpu":
                self._large_runner.on_failure = self._do_without_large_runner
                self._large_batcher = self._started(self._large_runner, facts)
            self._observer.watch_queue(self._standing, lambda: sum(b.capacity for b in self._batchers))
            self._facts = facts
            self._observer.model(facts.info, facts.device, facts.threads)
            await self.check_health()
            self.state = "ready"
            self._observer.ready(True)
        except MizzleError as error:
            self.fail(error)
        except Exception:
            _log.exception("the model could not be loaded")
            self.fail(ModelUnavailable("the model could not be loaded; see the log"))

    def _started(self, runner: Runner, facts: ModelFacts) -> Batcher[Pair, Estimate]:
        settings = self._settings
        limits = BatchLimits(settings.max_batch_items, facts.batch_cells, settings.max_wait_seconds)
        throughput = Throughput(facts.cells_per_second, facts.overhead)
        batcher = Batcher(runner.run, limits, throughput, self._observer, lambda: runner.up)
        batcher.start()
        return batcher

    def _do_without_large_runner(self, error: ModelUnavailable) -> None:
        """From now on large problems take turns with small ones; what waits for them may be asked again."""
        _log.error("no process of their own for large problems any more: %s", error)
        if (batcher := self._large_batcher) is not None:
            self._large_batcher = None
            self._closing = asyncio.create_task(batcher.close(0), name="mizzle-close-large")

    def _standing(self, priority: Priority) -> tuple[int, int, float]:
        """Items, cells, and the age of the oldest in seconds, of what waits with this priority."""
        items, cells, ages = zip(*(b.waiting.standing(priority) for b in self._batchers), strict=True)
        return sum(items), sum(cells), max(ages)

    def fail(self, error: MizzleError) -> None:
        """The service has no model and will get none."""
        self.state, self.failure = "failed", error
        self._observer.ready(False)
        self.on_failure(error)

    def drain(self) -> None:
        """Not ready any more, so that no new callers are sent here; those who come are still answered."""
        if self.state == "ready":
            self.state = "draining"
            self._observer.ready(False)

    async def close(self) -> None:
        """Finishes what is admitted, for at most the grace, and lets the model go."""
        for task in (self._loading, self._health_check):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(b.close(self._settings.grace_seconds) for b in self._batchers))
        for runner in (self._runner, self._large_runner):
            if runner is not None:
                await runner.close()

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model.

        Raises:
            NotReady, ModelUnavailable: there is none, yet or for good.
        """
        if self.failure is not None:
            raise ModelUnavailable("the service has no model; its log says why")
        if self._facts is None:
            raise NotReady("the service is loading its model; ask again in a moment")
        return self._facts

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantile levels of the model; errors as `facts`."""
        return self.facts.levels

    @property
    def info(self) -> ModelInfo:
        """Which weights answer; errors as `facts`."""
        return self.facts.info

    @property
    def _batchers(self) -> list[Batcher[Pair, Estimate]]:
        return [b for b in (self._batcher, self._large_batcher) if b is not None]

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return any(batcher.busy for batcher in self._batchers)

    @property
    def queue_fill(self) -> float:
        """The wait in the fuller queue as a share of what is allowed: 0 where nothing waits, 1 at most."""
        return max((min(b.waiting.cells / b.capacity, 1.0) for b in self._batchers), default=0.0)

    @property
    def batcher(self) -> Batcher[Pair, Estimate]:
        """The queue in front of the model, for small ones where large problems have another; as `facts`."""
        assert self.facts is not None
        assert self._batcher is not None
        return self._batcher

    def check_capacity(
        self, caller: Caller, arriving: Mapping[str, int] = NOBODY, least_cells: int = 0
    ) -> None:
        """Whether there is room for anything at all, asked before a body is read.

        Args:
            least_cells: that it costs in any case, where that is known.
            arriving: requests of each caller that were let in and have asked for nothing yet.

        Raises:
            Fault: there is none now.
        """
        self.batcher.check_capacity(caller.deadline, caller.key, arriving)
        if (batcher := self._batcher_of(least_cells)) is not self.batcher:
            batcher.admit(least_cells, 1, caller.deadline, caller.key)

    def estimate(self, problem: Problem, caller: Caller) -> Coroutine[Any, Any, Estimate]:
        """The estimate of one problem, to be awaited; it waits in the queue from the call on.

        Raises:
            InvalidInput: the model does not cover it, or it takes too long.
            Fault: it could not be computed now.
        """
        size = self._checked_size(problem)
        self._admit([size], caller)
        return self._answer(self._enqueue(problem, size, caller))

    async def estimate_many(
        self, problems: Sequence[Problem | InvalidInput], caller: Caller
    ) -> list[Estimate | MizzleError]:
        """An estimate or an error for each problem, in order; admitted or refused as a whole.

        Raises:
            TooLarge: together they are more, or take longer, than a request may ask for.
            Fault: there is no room for all of them now.
        """
        checked = list(map(self._checked, problems))
        sizes = [item[1] for item in checked if not isinstance(item, InvalidInput)]
        total = sum(size.cells for size in sizes)
        if total > self._settings.max_request_cells:
            raise TooLarge(
                f"the problems have {total} cells together, padded; a request takes "
                f"{self._settings.max_request_cells}: send fewer at once"
            )
        self._admit(sizes, caller)
        # All are enqueued at once: what was let in must count before the next request is.
        enqueued = [
            item if isinstance(item, InvalidInput) else self._enqueue(*item, caller) for item in checked
        ]
        try:
            return await asyncio.gather(*map(self._answer_or_error, enqueued))
        finally:  # a task that was cancelled before its first step leaves nothing behind
            for item in enqueued:
                if isinstance(item, _Enqueued):
                    item.batcher.abandon(item.queued)

    async def check_health(self) -> Estimate:
        """A known problem through the batcher, at most a few seconds ago; all callers share one run.

        Raises:
            NotReady, ModelUnavailable: loading, stopping, too slow, wrong, or without a model.
        """
        if self.state == "draining":
            raise Draining("the service is stopping")
        assert self.facts  # or it raises what is the matter
        if self._last_check and self._runner.up:
            checked_at, estimate = self._last_check
            if time.monotonic() - checked_at < self._settings.health_ttl_seconds:
                return estimate
        if self._health_check is None or self._health_check.done():
            self._health_check = asyncio.create_task(self._run_health_check(), name="mizzle-health")
        try:
            return await asyncio.shield(self._health_check)
        except asyncio.CancelledError:
            if self._health_check.cancelled():
                raise NotReady("the service is stopping") from None
            raise

    async def _run_health_check(self) -> Estimate:
        self._last_check = None
        pair = Pair(*selftest.sample())
        try:
            async with asyncio.timeout(self._settings.probe_seconds):
                size = cost.size(len(pair.x), 1, 1)
                estimate = await self.batcher.submit(pair, size, size.cells)
        except NotReady:
            raise
        except TimeoutError:
            raise NotReady("the known problem was not answered in time") from None
        except Exception:
            raise NotReady("the known problem could not be answered") from None
        if not selftest.is_right(estimate.mi):
            raise NotReady("the known problem was answered wrongly")
        self._last_check = (time.monotonic(), estimate)
        return estimate

    def _checked_size(self, problem: Problem) -> cost.Size:
        """The padded size of a problem that the model covers and that a batch can hold."""
        check_columns(problem.x, problem.y, self.facts.max_columns)
        size = cost.size(len(problem.x), problem.x.shape[1], problem.y.shape[1])
        if size.cells > self._settings.max_problem_cells:
            raise TooLarge(
                f"the problem has {size.cells} cells, padded; this service takes "
                f"{self._settings.max_problem_cells}: send fewer rows or columns"
            )
        return size

    def _checked(self, problem: Problem | InvalidInput) -> tuple[Problem, cost.Size] | InvalidInput:
        if isinstance(problem, InvalidInput):
            return problem
        try:
            return problem, self._checked_size(problem)
        except InvalidInput as error:
            return as_answer(error)

    def _batcher_of(self, cells: int) -> Batcher[Pair, Estimate]:
        """Where a problem of so many padded cells waits. What it was measured to take does not count here: of
        a size that runs elsewhere since it took long once, nobody would see that it takes no longer.
        """
        if self._large_batcher is None or self.batcher.is_small(cells):
            return self.batcher
        return self._large_batcher

    def _admit(self, sizes: Sequence[cost.Size], caller: Caller) -> None:
        counts = Counter(sizes)  # of many problems most have the same size
        shares: dict[Batcher[Pair, Estimate], Counter[cost.Size]] = {}
        for size, count in counts.items():
            shares.setdefault(self._batcher_of(size.cells), Counter())[size] = count
        prices = {
            batcher: sum(count * batcher.prices.cells(size) for size, count in share.items())
            for batcher, share in shares.items()
        }
        self._check_seconds(sum(b.throughput.warm_seconds(price) for b, price in prices.items()))
        for batcher, price in prices.items():
            batcher.admit(price, shares[batcher].total(), caller.deadline, caller.key)
        self._observer.admitted(sum(prices.values()))

    def _check_seconds(self, seconds: float) -> None:
        """Whether a request may take the model so long, which it takes when nothing else runs."""
        limit = self._settings.max_compute_seconds
        if seconds > limit:
            raise TooLarge(
                f"this takes the model about {seconds:.1f} seconds; a request may take {limit:g}: send fewer "
                "rows, columns or problems"
            )

    def _enqueue(self, problem: Problem, size: cost.Size, caller: Caller) -> "_Enqueued":
        used_cells = cost.cells(len(problem.x), problem.x.shape[1], problem.y.shape[1])
        pair, batcher = Pair(problem.x, problem.y), self._batcher_of(size.cells)
        return _Enqueued(batcher, batcher.enqueue(pair, size, used_cells, caller.deadline, caller.key))

    async def _answer_or_error(self, item: "_Enqueued | InvalidInput") -> Estimate | MizzleError:
        if isinstance(item, InvalidInput):
            return item
        try:
            return await self._answer(item)
        except MizzleError as error:
            return as_answer(error)

    async def _answer(self, item: "_Enqueued") -> Estimate:
        try:
            estimate = await item.batcher.answer(item.queued)
        except NonFiniteAnswer:
            self._observer.non_finite()
            raise
        except MizzleError:
            raise
        except Exception:
            _log.exception("a problem of %d cells failed", item.queued.used_cells)
            raise InferenceFailed(FAILED) from None
        self._observer.answered(notice.code for notice in estimate.warnings)
        return estimate


class _Enqueued(NamedTuple):
    """What waits, and where."""

    batcher: Batcher[Pair, Estimate]
    queued: QueuedItem[Pair, Estimate]


def _log_failure(error: MizzleError) -> None:
    _log.error("%s", error)
