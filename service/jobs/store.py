"""The jobs file as the event loop sees it: one thread does all that is done to it; who waits hears of it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from mizzle.errors import JobsUnavailable, StorageFull
from mizzle.service.inference.observer import Observer
from mizzle.service.jobs.database import Damaged, Held
from mizzle.service.jobs.repository import JobFile
from mizzle.wire import JOB_STATES

T = TypeVar("T")
_AGAIN = 1.0  # seconds until what could not be done now is tried again


class JobStore:
    """One jobs file.

    Args:
        observer: told how many jobs there are, by state.
    """

    def __init__(self, file: JobFile, observer: Observer) -> None:
        self._file = file
        self._observer = observer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mizzle-jobs")
        self._news = asyncio.Event()
        self._failure: JobsUnavailable | None = JobsUnavailable("the jobs file is being opened; ask again")

    async def open(self) -> None:
        """Open the file, however long another process holds it or the disk is full.

        Raises:
            JobsUnavailable: it cannot be used; so will every other method say.
        """
        while True:
            try:
                await self._in_thread(self._file.open)
                break
            except (Held, StorageFull) as error:
                self._failure = error
                await asyncio.sleep(_AGAIN)
            except JobsUnavailable as error:
                self._failure = error
                raise
        self._failure = None
        await self._count()

    async def close(self) -> None:
        """Let the file go when what is under way is done."""
        self.tell()
        await self._in_thread(self._file.close)
        self._thread.shutdown(wait=False)

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of a method of `JobFile`.

        Raises:
            JobsUnavailable: it cannot be done now.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return await self._in_thread(work, self._file, *arguments)
        except Damaged as error:
            self._failure = error
            raise

    async def change(self, work: Callable[..., T], *arguments: Any) -> T:
        """As `do`, and whoever waits looks again."""
        try:
            return await self.do(work, *arguments)
        finally:
            await self._count()
            self.tell()

    def tell(self) -> None:
        """Whoever waits looks again."""
        self._news.set()
        self._news = asyncio.Event()

    @property
    def news(self) -> asyncio.Event:
        """Set by the next change; to be taken before one looks, and awaited after that."""
        return self._news

    async def _count(self) -> None:
        with suppress(JobsUnavailable):
            found = await self.do(JobFile.counts)
            for state in JOB_STATES:
                self._observer.jobs(state, found[state])

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


async def heard(news: asyncio.Event, seconds: float) -> None:
    """Returns when there are news, or after so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()
