"""The jobs as the event loop sees them: one thread does all database work, and changes are announced."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from mizzle.errors import JobsUnavailable, StorageFull
from mizzle.service.inference.observer import Observer
from mizzle.service.jobs.repository import JobRepository
from mizzle.service.storage.interface import Damaged, Locked, Removed, Unreachable
from mizzle.wire import JOB_STATES

T = TypeVar("T")
_OPEN_RETRY_SECONDS = 1.0  # until a file is opened again that is locked, or whose disk is full
_SHARED_RETRY_SECONDS = 5.0  # until a server is asked again that refused: its operator may mend that


class JobStore:
    """A repository behind a thread of its own.

    Args:
        observer: told how many jobs there are, by state.
    """

    def __init__(self, repository: JobRepository, observer: Observer) -> None:
        self._repository = repository
        self._observer = observer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mizzle-jobs")
        self._changed = asyncio.Event()
        self._observed: tuple[int, ...] = ()
        self._failure: JobsUnavailable | None = JobsUnavailable("the jobs are being opened; ask again")

    async def open(self) -> None:
        """Open the jobs, however long another process holds the file, the disk is full or the server is away.

        Raises:
            JobsUnavailable: it cannot be used; every other method raises the same from then on.
        """
        while True:
            try:
                await self._in_thread(self._repository.open)
                break
            except (Locked, StorageFull, Removed, Unreachable) as error:
                self._failure = error
                await asyncio.sleep(_OPEN_RETRY_SECONDS)
            except JobsUnavailable as error:
                self._failure = error
                if not self.is_shared:
                    raise
                await asyncio.sleep(_SHARED_RETRY_SECONDS)
        self._failure = None
        await self._report_counts()

    @property
    def is_shared(self) -> bool:
        """Whether other processes change jobs, too."""
        return self._repository.is_shared

    @property
    def is_removed(self) -> bool:
        """Whether the file is gone, so that it is to be opened again."""
        return isinstance(self._failure, Removed)

    async def reopen(self) -> None:
        """Open a file that was removed as soon as its folder is there; errors as `open`."""
        await self._in_thread(self._repository.close)
        await self.open()

    async def close(self) -> None:
        """Close the file as soon as the work under way is done."""
        self.notify()
        await self._in_thread(self._repository.close)
        self._thread.shutdown(wait=False)

    async def read(self, method: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a method of `JobRepository`.

        Raises:
            JobsUnavailable: it cannot be had now.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return await self._in_thread(method, self._repository, *arguments)
        except (Damaged, Removed) as error:
            self._failure = error
            raise

    async def change(self, method: Callable[..., T], *arguments: Any) -> T:
        """Do the same for a method that changes jobs, and notify those who wait for a change."""
        try:
            return await self.read(method, *arguments)
        finally:
            await self._report_counts()
            self.notify()

    async def look_for_changes(self) -> None:
        """Notify those who wait if another process changed something."""
        observed = await self.read(JobRepository.changes)
        if observed != self._observed:
            self._observed = observed
            await self._report_counts()
            self.notify()

    def now(self) -> float:
        """Seconds since 1970 by the clock of the jobs, which is not set while the service runs."""
        return self._repository.now()

    def notify(self) -> None:
        """Wake all that wait for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def changed(self) -> asyncio.Event:
        """Set by the next change; to be taken before one looks, and awaited after that."""
        return self._changed

    async def _report_counts(self) -> None:
        with suppress(JobsUnavailable):
            counts = await self.read(JobRepository.count_by_state)
            for state in JOB_STATES:
                self._observer.jobs(state, counts[state])

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


async def wait_for_change(changed: asyncio.Event, timeout: float) -> None:
    """Return when `changed` is set, or after `timeout` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await changed.wait()
