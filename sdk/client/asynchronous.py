"""The asynchronous client: performs the steps of a backend on the event loop of the caller."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

import httpx2

from mizzle.backends import conditional, reduced
from mizzle.backends.effects import Compute, Gather, Send, Sleep, Step, Steps
from mizzle.backends.exchange import exchange_async
from mizzle.backends.info import Limits, ModelCard
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Backend, Errors, Outcome
from mizzle.backends.remote import RemoteBackend, positive
from mizzle.backends.retry import Reply
from mizzle.data.samples import Missing
from mizzle.errors import MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.progress import Wanted
from mizzle.types import DEFAULT_UNIT, Estimate, Unit

if TYPE_CHECKING:
    from mizzle.questions.difference import Difference
    from mizzle.questions.lagged import Lagged
    from mizzle.questions.reliability import Check
    from mizzle.questions.significance import Test
    from mizzle.questions.surrogates import Rng
    from mizzle.tables.results import Matrix, Ranking

T = TypeVar("T")


class AsyncClient:
    """An asynchronous client (asyncio); arguments and errors as `Client`.

    One client may serve several event loops: connections belong to the loop that opened them, so every loop
    has its own.
    """

    _backend: RemoteBackend | LocalBackend
    _http_client: httpx2.AsyncClient | None = None

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        concurrency: int = 4,
        model: str | None = None,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._prepare(RemoteBackend(url, api_key, timeout, model), positive(concurrency))
        self._http_client = http_client

    def _prepare(self, backend: RemoteBackend | LocalBackend, concurrency: int) -> None:
        self._backend = backend
        self._concurrency = concurrency
        self._own: dict[asyncio.AbstractEventLoop, httpx2.AsyncClient] = {}
        self._sleep = asyncio.sleep

    @classmethod
    def local(cls, estimator: EstimatorLike | None = None, *, weights: Path | str | None = None) -> Self:
        """As `Client.local`; what it computes runs beside the event loop."""
        client = cls.__new__(cls)
        client._prepare(LocalBackend.of(estimator, weights), 1)
        return client

    async def estimate(
        self,
        x: object,
        y: object,
        *,
        given: object | None = None,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        reduce: reduced.Reduce | None = None,
        deduplicate: bool = False,
    ) -> Estimate:
        """As `Client.estimate`."""
        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return await self._run(conditional.estimate(self._backend, x, y, given, reduce, **options))

    @overload
    async def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Literal["raise"] = "raise",
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> list[Estimate]: ...

    @overload
    async def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Literal["return"],
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> list[Outcome]: ...

    @overload
    async def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Errors = "raise",
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Sequence[Outcome]: ...

    async def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Errors = "raise",
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Sequence[Outcome]:
        """As `Client.estimate_many`."""
        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return await self._run(self._backend.estimate_many(pairs, progress, errors, **options))

    async def test(self, x: object, y: object, **options: Any) -> "Test":
        """As `Client.test`."""
        from mizzle.questions import significance

        return await self._run(significance.tested(self._backend, x, y, **options))

    async def test_many(self, pairs: Iterable[object], **options: Any) -> "Sequence[Test | MizzleError]":
        """As `Client.test_many`."""
        from mizzle.questions import significance

        return await self._run(significance.tested_many(self._backend, pairs, **options))

    async def matrix(self, frame: object, **options: Any) -> "Matrix":
        """As `Client.matrix`; the table is read in a thread, the estimates are asked for on this loop."""
        from mizzle import tables

        return await self._in_thread(partial(tables.matrix, frame, **options))

    async def rank(self, frame: object, target: Any, **options: Any) -> "Ranking":
        """As `Client.rank`; otherwise as `matrix`."""
        from mizzle import tables

        return await self._in_thread(partial(tables.rank, frame, target, **options))

    async def lagged(self, x: object, y: object, **options: Any) -> "Lagged":
        """As `Client.lagged`."""
        from mizzle.questions import lagged

        return await self._run(lagged.steps(self._backend, x, y, lagged.options_of(**options)))

    async def difference(
        self, first: tuple[object, object], second: tuple[object, object], **options: Any
    ) -> "Difference":
        """As `Client.difference`."""
        from mizzle.questions import difference

        return await self._run(difference.steps(self._backend, first, second, **options))

    async def check(
        self,
        x: object,
        y: object,
        *,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
        progress: Wanted = None,
        rng: "Rng" = 0,
    ) -> "Check":
        """As `Client.check`."""
        from mizzle.questions import reliability

        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return await self._run(reliability.steps(self._backend, x, y, progress=progress, rng=rng, **options))

    async def ready(self) -> bool:
        """As `Client.ready`."""
        return await self._run(self._backend.ready())

    async def limits(self) -> Limits:
        """As `Client.limits`."""
        return await self._run(self._backend.limits())

    async def info(self) -> ModelCard:
        """As `Client.info`."""
        return await self._run(self._backend.info())

    async def aclose(self) -> None:
        """Closes the connections of this event loop, if this client opened them."""
        own = self._own.pop(asyncio.get_running_loop(), None)
        if own is not None:
            await own.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._backend.location!r})"

    async def _run(self, steps: Steps[T]) -> T:
        """`effects.run`, on this loop."""
        resume: Callable[[], Step] = partial(next, steps)
        try:
            while True:
                try:
                    step = resume()
                except StopIteration as done:
                    result: T = done.value
                    return result
                try:
                    resume = partial(steps.send, await self._perform(step))
                except MizzleError as error:
                    resume = partial(steps.throw, error)
        finally:
            steps.close()

    async def _perform(self, step: Step) -> Any:
        match step:
            case Send():
                return await self._send(step)
            case Sleep(seconds):
                return await self._sleep(seconds)
            case Compute(function, arguments):
                return await asyncio.to_thread(function, *arguments)
            case Gather():
                return await self._gather(step)

    async def _send(self, send: Send) -> Reply:
        assert isinstance(self._backend, RemoteBackend)
        http = self._http(self._backend)
        request = self._backend.request(http, send)
        return await exchange_async(http, request, send.call.max_answer_bytes)

    async def _gather(self, step: Gather) -> None:
        room = asyncio.Semaphore(self._concurrency)

        async def run(i: int, steps: Steps[Any]) -> None:
            async with room:
                step.done(i, await self._run(steps))

        tasks = [asyncio.create_task(run(i, steps)) for i, steps in enumerate(step.tasks)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _http(self, remote: RemoteBackend) -> httpx2.AsyncClient:
        """The caller's client, or this loop's own."""
        if self._http_client is not None:
            return self._http_client
        loop = asyncio.get_running_loop()
        if loop not in self._own:
            # Connections of a loop that is closed cannot be closed any more, only forgotten.
            still_open = {other: http for other, http in self._own.items() if not other.is_closed()}
            http = httpx2.AsyncClient(trust_env=remote.trust_env, verify=remote.tls())
            self._own = {**still_open, loop: http}
        return self._own[loop]

    async def _in_thread(self, read: Callable[..., T]) -> T:
        """What `read` gives in a thread; if there is a service, its backend leads back to this loop."""
        loop = asyncio.get_running_loop()
        bridge = _Bridge(self, loop)
        # A thread of its own: in asyncio's it could wait for work that waits for the place that it holds.
        pool = ThreadPoolExecutor(1)
        try:
            backend: Backend = bridge
            if isinstance(self._backend, LocalBackend):
                backend = await loop.run_in_executor(pool, self._backend.for_tables)
            return await loop.run_in_executor(pool, partial(read, backend=backend))
        finally:
            bridge.close()
            pool.shutdown(wait=False)


class _Bridge:
    """A backend for a thread, whose questions an asynchronous client answers on its loop."""

    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop
        self._open = True
        self._task: asyncio.Task[Sequence[Outcome]] | None = None

    def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Errors = "raise",
    ) -> Sequence[Outcome]:
        """As `Client.estimate_many`."""
        future = asyncio.run_coroutine_threadsafe(self._ask(pairs, progress, errors), self._loop)
        return future.result()

    async def _ask(self, pairs: Iterable[object], progress: Wanted, errors: Errors) -> Sequence[Outcome]:
        if not self._open:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()
        steps = self._client._backend.estimate_many(pairs, progress, errors)
        return await self._client._run(steps)

    def close(self) -> None:
        """Nobody waits for the thread any more: its question is dropped, and it may ask no more."""
        self._open = False
        if self._task is not None:
            self._task.cancel()
