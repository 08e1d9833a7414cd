"""The asynchronous client: does the steps of an asker on the event loop that asks."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

import httpx2

from mizzle.backends import remote as core
from mizzle.backends.effects import (
    Send,
    Sleep,
    Step,
    Steps,
    Together,
    Work,
)
from mizzle.backends.exchange import exchange_async
from mizzle.backends.info import Limits, ModelCard
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Errors, Outcome
from mizzle.backends.retry import Reply
from mizzle.errors import MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.progress import Wanted
from mizzle.types import Estimate

if TYPE_CHECKING:
    from mizzle.tables.results import Matrix, Ranking

T = TypeVar("T")


class AsyncClient:
    """An asynchronous client (asyncio); arguments and errors as `Client`.

    One client may serve several event loops: connections belong to the loop that opened them, so every loop
    has its own.
    """

    _core: core.RemoteBackend | LocalBackend
    _given: httpx2.AsyncClient | None = None

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        concurrency: int = 4,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._prepare(core.RemoteBackend(url, api_key, timeout), core.positive(concurrency))
        self._given = http_client

    def _prepare(self, asker: core.RemoteBackend | LocalBackend, concurrency: int) -> None:
        self._core = asker
        self._concurrency = concurrency
        self._own: dict[asyncio.AbstractEventLoop, httpx2.AsyncClient] = {}
        self._sleep = asyncio.sleep

    @classmethod
    def local(cls, estimator: EstimatorLike | None = None) -> Self:
        """As `Client.local`; what it computes runs beside the event loop."""
        made = cls.__new__(cls)
        made._prepare(LocalBackend(estimator), 1)
        return made

    async def estimate(self, x: object, y: object) -> Estimate:
        """As `Client.estimate`."""
        return await self._run(self._core.estimate(x, y))

    @overload
    async def estimate_many(
        self, pairs: Iterable[object], *, progress: Wanted = None, errors: Literal["raise"] = "raise"
    ) -> list[Estimate]: ...

    @overload
    async def estimate_many(
        self, pairs: Iterable[object], *, progress: Wanted = None, errors: Literal["return"]
    ) -> list[Outcome]: ...

    @overload
    async def estimate_many(
        self, pairs: Iterable[object], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> Sequence[Outcome]: ...

    async def estimate_many(
        self, pairs: Iterable[object], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> Sequence[Outcome]:
        """As `Client.estimate_many`."""
        return await self._run(self._core.estimate_many(pairs, progress, errors))

    async def matrix(self, frame: object, **options: Any) -> "Matrix":
        """As `Client.matrix`; the table is read in a thread, the estimates are asked for on this loop."""
        from mizzle import tables

        return await self._beside(partial(tables.matrix, frame, **options))

    async def rank(self, frame: object, target: Any, **options: Any) -> "Ranking":
        """As `Client.rank`; otherwise as `matrix`."""
        from mizzle import tables

        return await self._beside(partial(tables.rank, frame, target, **options))

    async def ready(self) -> bool:
        """As `Client.ready`."""
        return await self._run(self._core.ready())

    async def limits(self) -> Limits:
        """As `Client.limits`."""
        return await self._run(self._core.limits())

    async def info(self) -> ModelCard:
        """As `Client.info`."""
        return await self._run(self._core.info())

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
        return f"{type(self).__name__}({self._core.shown!r})"

    async def _run(self, steps: Steps[T]) -> T:
        """`steps.drive`, on this loop."""
        resume: Callable[[], Step] = partial(next, steps)
        try:
            while True:
                try:
                    step = resume()
                except StopIteration as done:
                    result: T = done.value
                    return result
                try:
                    resume = partial(steps.send, await self._do(step))
                except MizzleError as error:
                    resume = partial(steps.throw, error)
        finally:
            steps.close()

    async def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return await self._send(step)
            case Sleep(seconds):
                return await self._sleep(seconds)
            case Work(do, arguments):
                return await asyncio.to_thread(do, *arguments)
            case Together():
                return await self._together(step)

    async def _send(self, send: Send) -> Reply:
        assert isinstance(self._core, core.RemoteBackend)
        http = self._http(self._core)
        return await exchange_async(http, self._core.request(http, send))

    async def _together(self, step: Together) -> None:
        room = asyncio.Semaphore(self._concurrency)

        async def one(i: int, steps: Steps[Any]) -> None:
            async with room:
                step.done(i, await self._run(steps))

        tasks = [asyncio.create_task(one(i, steps)) for i, steps in enumerate(step.all)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _http(self, remote: core.RemoteBackend) -> httpx2.AsyncClient:
        """The caller's client, or this loop's own."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if loop not in self._own:
            # Connections of a loop that is closed cannot be closed any more, only forgotten.
            open_ones = {other: http for other, http in self._own.items() if not other.is_closed()}
            self._own = {**open_ones, loop: httpx2.AsyncClient(trust_env=remote.trust_env)}
        return self._own[loop]

    async def _beside(self, read: Callable[..., T]) -> T:
        """What `read` gives in a thread, with an asker that leads back to this loop if there is a service."""
        loop, here = asyncio.get_running_loop(), self._core
        bridge = _Bridge(self, loop)
        # A thread of its own: in asyncio's it could wait for work that waits for the place that it holds.
        pool = ThreadPoolExecutor(1)
        try:
            asker = (
                await loop.run_in_executor(pool, here.for_tables)
                if isinstance(here, LocalBackend)
                else bridge
            )
            return await loop.run_in_executor(pool, partial(read, backend=asker))
        finally:
            bridge.close()
            pool.shutdown(wait=False)


class _Bridge:
    """An asker for a thread, whose questions an asynchronous client answers on its loop."""

    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop
        self._open = True
        self._asked: asyncio.Task[Sequence[Outcome]] | None = None

    def estimate_many(
        self, pairs: Iterable[object], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> Sequence[Outcome]:
        """As `Client.estimate_many`."""
        asked = asyncio.run_coroutine_threadsafe(self._ask(pairs, progress, errors), self._loop)
        return asked.result()

    async def _ask(self, pairs: Iterable[object], progress: Wanted, errors: Errors) -> Sequence[Outcome]:
        if not self._open:
            raise asyncio.CancelledError
        self._asked = asyncio.current_task()
        steps = self._client._core.estimate_many(pairs, progress, errors)
        return await self._client._run(steps)

    def close(self) -> None:
        """Nobody waits for the thread any more: what it has asked is dropped, and it may ask no more."""
        self._open = False
        if self._asked is not None:
            self._asked.cancel()
