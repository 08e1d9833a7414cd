"""Where batches run: the interface that the engine works with, and the runner inside this process."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from mizzle import wire
from mizzle.backends import isolation
from mizzle.errors import InferenceFailed, MizzleError, ModelUnavailable, NonFiniteAnswer
from mizzle.estimator import EstimatorLike
from mizzle.service.formats.problem import as_answer
from mizzle.service.inference.batcher import OutOfMemory
from mizzle.service.inference.ipc import FAILED, Pair
from mizzle.service.inference.warm_up import measured
from mizzle.types import Estimate, ModelInfo

Item = TypeVar("Item")
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class ModelFacts(NamedTuple):
    """What a runner says of its model once it can work.

    Attributes:
        card: what the model was trained on, as JSON.
        cells_per_second, overhead, batch_cells: as the warm-up measured them.
    """

    info: ModelInfo
    levels: tuple[float, ...]
    max_columns: int
    device: str
    threads: int
    card: dict[str, Any]
    cells_per_second: float
    overhead: float
    batch_cells: int

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        return self._asdict() | {"info": self.info._asdict(), "levels": list(self.levels)}

    @classmethod
    def read(cls, plain: dict[str, Any]) -> "ModelFacts":
        """What `plain` wrote."""
        info, levels = ModelInfo(**plain["info"]), tuple(plain["levels"])
        return cls(**{**plain, "info": info, "levels": levels})


class Runner(Protocol):
    """Runs one batch at a time.

    Attributes:
        on_failure: called when there will be no more runs.
    """

    on_failure: Callable[[ModelUnavailable], None]

    @property
    def up(self) -> bool:
        """Whether a batch would run at once."""

    async def start(self) -> ModelFacts:
        """Load, warm up, and be ready.

        Raises:
            ModelUnavailable: there is no model to run.
        """

    async def run(self, pairs: list[Pair]) -> Sequence[Estimate | Exception]:
        """An estimate or the item's own error for each, in order.

        Raises:
            WorkerLost, OutOfMemory: of the batch as a whole; see `batcher`.
        """

    async def close(self) -> None:
        """Let go of what is held."""


class InProcess:
    """Runs an estimator in a thread of this process: for tests, and for applications that embed it."""

    def __init__(self, estimator: EstimatorLike) -> None:
        self._estimator = estimator
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mizzle-batch")
        self.up = True
        self.on_failure: Callable[[ModelUnavailable], None] = lambda _: None

    async def start(self) -> ModelFacts:
        """Warm up in the thread."""
        return await self._in_thread(facts, self._estimator)

    async def run(self, pairs: list[Pair]) -> Sequence[Estimate | Exception]:
        """As `Runner.run`."""
        return await self._in_thread(estimates, self._estimator, pairs)

    async def close(self) -> None:
        """End the thread after the batch that runs."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def facts(estimator: EstimatorLike) -> ModelFacts:
    """What an estimator says of itself, its speed measured."""
    e = estimator
    about = (e.info, e.levels, e.max_columns, e.device, e.threads, e.card)
    return ModelFacts(*about, *measured(estimator))


def estimates(estimator: EstimatorLike, pairs: list[Pair]) -> list[Estimate | Exception]:
    """An estimate or an error for each: whatever one item does, the others get their answers."""
    prepared = [_outcome(estimator.prepare, *pair) for pair in pairs]
    good = [i for i, table in enumerate(prepared) if not isinstance(table, Exception)]
    answers = isolated(estimator.run, [prepared[i] for i in good])
    for i, answer in zip(good, answers, strict=True):
        prepared[i] = _checked(answer)
    return prepared


def _checked(answer: Estimate | Exception) -> Estimate | Exception:
    """An estimate that can be written as JSON, or the error that it is instead."""
    if isinstance(answer, Exception):
        return answer.with_traceback(None)  # whose frames hold the samples
    if wire.finite(answer):
        return answer
    _log.error("an answer was not finite")
    return NonFiniteAnswer(FAILED)


def isolated(run: Callable[[list[Item]], Sequence[Result]], items: list[Item]) -> list[Result | Exception]:
    """The result of every item, or its own error.

    Raises:
        OutOfMemory: the device had no room for the whole batch.
    """
    results = isolation.isolated(partial(_run, run), items, OutOfMemory)
    return [as_answer(result) if isinstance(result, Exception) else result for result in results]


def _run(run: Callable[[list[Item]], Sequence[Result]], items: list[Item]) -> Sequence[Result | Exception]:
    """The results of a batch; raises nothing but an Exception.

    Raises:
        OutOfMemory: the device had no room for it.
    """
    results: Sequence[Result] | Exception = _outcome(run, items)
    if not isinstance(results, Exception):
        if len(results) != len(items):
            return [InferenceFailed("the model gave another number of answers than problems")] * len(items)
        return results
    if _is_out_of_memory(results):
        raise OutOfMemory
    if len(items) > 1:
        _log.warning("a batch of %d failed; running it in halves", len(items))
    raise results


def _outcome(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result, or what was raised: nothing that an item does may end a thread or a process."""
    try:
        return work(*arguments)
    except MizzleError as error:
        return error
    except Exception as error:
        if not _is_out_of_memory(error):
            _log.exception("a batch failed")
        return error.with_traceback(None)  # whose frames hold what filled the device
    except BaseException as error:  # SystemExit among them; KeyboardInterrupt is the parent's to handle
        return RuntimeError(f"the run raised {type(error).__name__}")


def _is_out_of_memory(error: Exception) -> bool:
    """Whether a device had no room: torch's own class, by name, as this room may run without torch."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
