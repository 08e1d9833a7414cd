"""The model behind the routes: loads in the background, runs in batches, proves itself."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from mizzle import estimator as estimators
from mizzle import wire
from mizzle.errors import (
    Fault,
    InferenceFailed,
    MizzleError,
    ModelUnavailable,
    NotReady,
    TooLarge,
)
from mizzle.estimator import EstimatorLike
from mizzle.service import body, probe
from mizzle.service.batcher import Batcher, Limits
from mizzle.service.settings import Settings
from mizzle.types import Estimate

_log = logging.getLogger(__name__)


class Engine:
    """One estimator with its batcher, from loading to closing.

    Attributes:
        failure: why the model could not be loaded, once that is known.
        on_failure: called when loading has failed; logs, unless the server sets something else.
    """

    def __init__(self, settings: Settings, estimator: EstimatorLike | None = None) -> None:
        self.failure: MizzleError | None = None
        self.on_failure: Callable[[MizzleError], None] = _log_failure
        self._settings = settings
        self._estimator = estimator
        self._batcher: Batcher[Any, Estimate] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._probing: asyncio.Task[Estimate] | None = None

    def start(self) -> None:
        """Begins to load, unless the model was given; answers NotReady until that is done."""
        if self._estimator is not None:
            self._open(self._estimator)
        else:
            self._loading = asyncio.create_task(self._load())

    async def _load(self) -> None:
        try:
            self._open(await asyncio.to_thread(estimators.load, self._settings.weights))
        except MizzleError as error:
            self._fail(error)
        except Exception:
            _log.exception("the model could not be loaded")
            self._fail(ModelUnavailable("the model could not be loaded; see the log"))

    def _open(self, estimator: EstimatorLike) -> None:
        s = self._settings
        limits = Limits(s.max_batch_items, s.max_batch_cost, s.max_queue_items, s.max_queue_cost)
        self._estimator = estimator
        self._batcher = Batcher(estimator.run, limits)
        self._batcher.start()

    def _fail(self, error: MizzleError) -> None:
        self.failure = error
        self.on_failure(error)

    async def close(self) -> None:
        """Finishes what runs, refuses what waits."""
        for task in (self._loading, self._probing):
            if task is not None:
                task.cancel()
        if self._batcher is not None:
            await self._batcher.close(self._settings.grace_seconds)

    async def answer(self, content: bytes) -> dict[str, Any]:
        """A request body's answer.

        Raises:
            InvalidInput: the body is no valid problem.
            Fault: it could not be computed now.
        """
        model, _ = self._ready()
        if len(content) <= body.INLINE_BYTES:
            asked, table = _prepared(content, model)
        else:
            # The thread lets the loop run between the steps and while numpy sorts, but json.loads holds
            # the GIL: 20 MiB still stall every other request for about 0.2 s. max_body_bytes bounds that.
            asked, table = await asyncio.to_thread(_prepared, content, model)
        return wire.answer(await self._run(table), asked.levels)

    async def prove(self) -> Estimate:
        """A known problem through the batcher; any number of askers share one run.

        Raises:
            NotReady: loading, stopping, overloaded, too slow, or wrong.
        """
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._prove())
        try:
            return await asyncio.shield(self._probing)
        except asyncio.CancelledError:
            if self._probing.cancelled():
                raise NotReady("the service is stopping") from None
            raise

    async def _prove(self) -> Estimate:
        model, _ = self._ready()
        try:
            async with asyncio.timeout(self._settings.probe_seconds):
                estimate = await self._run(model.prepare(*probe.sample()))
        except TimeoutError:
            raise NotReady("the known problem was not answered in time") from None
        except Exception:
            raise NotReady("the known problem could not be answered") from None
        if abs(estimate.mi - probe.TRUTH) > probe.BAND:
            raise NotReady("the known problem was answered wrongly")
        return estimate

    def _ready(self) -> tuple[EstimatorLike, Batcher[Any, Estimate]]:
        if self.failure is not None:
            raise ModelUnavailable("the service has no model; its log says why")
        if self._estimator is None or self._batcher is None:
            raise NotReady("the service is loading its model; ask again in a moment")
        return self._estimator, self._batcher

    async def _run(self, table: Any) -> Estimate:
        _, batcher = self._ready()
        if table.cost > self._settings.max_batch_cost:
            raise TooLarge(
                f"the problem has {table.cost} cells; this service takes "
                f"{self._settings.max_batch_cost} at once: send fewer rows or columns"
            )
        try:
            estimate = await batcher.submit(table, table.cost)
        except MizzleError:
            raise
        except Exception:
            _log.exception("a problem of %d cells failed", table.cost)
            raise _failed() from None
        if not wire.finite(estimate):
            _log.error("a problem of %d cells had an answer that is not finite", table.cost)
            raise _failed()
        return estimate


def _log_failure(error: MizzleError) -> None:
    _log.error("%s", error)


def _failed() -> Fault:
    return InferenceFailed("the model failed on this problem; the fault is ours, please report it")


def _prepared(content: bytes, model: EstimatorLike) -> tuple[body.Asked, Any]:
    asked = body.parse(content, model.levels)
    return asked, model.prepare(asked.x, asked.y)
