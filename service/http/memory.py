"""The memory of all requests that arrive, are read or wait for answers: bounded, and shared by callers."""

import asyncio
import ctypes
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from mizzle.errors import TooLarge
from mizzle.service.formats.registry import INLINE_BYTES
from mizzle.service.inference.shares import Shares, too_much
from mizzle.service.settings import Settings

T = TypeVar("T")
_FULL_TEXT = (
    "the service holds as many bytes of requests as it can, or as one caller may; ask again in a moment"
)
_MEDIUM_BYTES = 2**20  # of a body, up to which none waits behind a larger one
_MAX_WAITING_READS = 64  # of a caller, as many as a key may have requests
_TRIM_SECONDS = 1.0  # after a large request, and between two times
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's malloc.h
_MAPPED_BYTES = 2**18  # from which an array has pages of its own, which go back when it is freed
_libc = ctypes.CDLL(None)


def configure_allocator() -> None:
    """Have glibc give back what is freed: it keeps what threads freed, and more the larger it was."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, 1)
        _libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)


class Charge:
    """What one request holds of the bytes of all requests.

    Attributes:
        caller: who asks.
        bytes, largest: charged now, and at most so far.
    """

    def __init__(self, shares: Shares, caller: str) -> None:
        self.bytes = self.largest = 0
        self._shares = shares
        self.caller = caller

    def resize(self, size: int) -> None:
        """Charge so many bytes from now on.

        Raises:
            TooLarge: there never is.
            QueueFull: there is no room for more now; nothing has changed.
        """
        if size > self._shares.largest:
            raise TooLarge(
                f"the request needs {size} bytes, and here one may take {int(self._shares.largest)} (numbers "
                "of few bytes take eight each once they are read): send fewer rows, columns or problems"
            )
        if size > self.bytes and not self._shares.fits(self.caller, size - self.bytes):
            raise too_much(_FULL_TEXT)
        self._shares.add(self.caller, size - self.bytes)
        self.bytes = size
        self.largest = max(self.largest, size)

    def extend(self, size: int) -> None:
        """Charge so many bytes at least; raises as `resize`."""
        if size > self.bytes:
            self.resize(size)


class RequestMemory:
    """Charges every request what it declares, then what came, then the arrays in it, until it is answered.

    Binary numbers take up to eight times their bytes once they are read, and JSON takes thirty times its own
    in passing: so one body is read at a time, and one of the large.
    """

    def __init__(self, settings: Settings) -> None:
        # Whatever the limit says, the largest body fits: one caller alone may have half.
        self._shares = Shares(max(settings.max_inflight_bytes, 2 * settings.max_body_bytes))
        self._trimming: asyncio.TimerHandle | None = None
        # Reading keeps the interpreter's lock: with more threads the event loop gets a turn in so many only.
        self._medium, self._large = Turns(), Turns()

    @property
    def bytes(self) -> int:
        """Charged to all requests together."""
        return self._shares.used

    @contextmanager
    def charged(self, caller: str) -> Iterator[Charge]:
        """The charge of a request, which ends with the block."""
        charge = Charge(self._shares, caller)
        try:
            yield charge
        finally:
            charge.resize(0)
            if charge.largest > _MEDIUM_BYTES:
                self._trim_soon()

    def _trim_soon(self) -> None:
        """Give memory back to the system when large requests have gone; the C library would keep it."""
        if self._trimming is None:
            loop = asyncio.get_running_loop()
            self._trimming = loop.call_later(_TRIM_SECONDS, self._trim, loop)

    def _trim(self, loop: asyncio.AbstractEventLoop) -> None:
        self._trimming = None
        if hasattr(_libc, "malloc_trim"):
            loop.run_in_executor(None, _libc.malloc_trim, 0)  # some 20 ms without the interpreter's lock

    async def read(self, charge: Charge, size: int, work: Callable[..., T], *arguments: object) -> T:
        """The result of `work`, which reads a body of so many bytes; in a thread if they are many.

        Raises:
            QueueFull: too many bodies of this caller wait to be read.
        """
        if size <= INLINE_BYTES:
            return work(*arguments)
        async with (self._medium if size <= _MEDIUM_BYTES else self._large).of(charge.caller):
            return await asyncio.to_thread(work, *arguments)


class Turns:
    """One at a time; whoever wait take turns by caller, and each caller's in their order."""

    def __init__(self) -> None:
        self._waiting: dict[
            str, deque[asyncio.Future[None]]
        ] = {}  # the caller whose turn is next comes first
        self._taken = False

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """The turn of this caller, once it comes.

        Raises:
            QueueFull: too many of this caller wait.
        """
        if self._taken:
            await self._wait(caller)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, caller: str) -> None:
        queue = self._waiting.setdefault(caller, deque())
        if len(queue) >= _MAX_WAITING_READS:
            raise too_much(f"{len(queue)} bodies of this caller wait to be read; ask again in a moment")
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it came, and nobody takes it
            raise

    def _pass_on(self) -> None:
        """Give the turn to the first that still waits of the next caller."""
        while self._waiting:
            caller, queue = next(iter(self._waiting.items()))
            del self._waiting[caller]
            while queue and queue[0].done():
                queue.popleft()
            if queue:
                turn = queue.popleft()
                if queue:
                    self._waiting[caller] = queue  # behind the others
                turn.set_result(None)
                return
        self._taken = False
