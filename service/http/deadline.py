"""What a route needs of its request: who asks and until when, and whether they are still there."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from mizzle.errors import InvalidRequest
from mizzle.service.formats.registry import INLINE_BYTES
from mizzle.service.http.auth import caller_name
from mizzle.service.inference.engine import Caller

T = TypeVar("T")
_DEADLINE_HEADER = "x-request-timeout"


def caller(request: Request, max_seconds: float) -> Caller:
    """Who asks, by key or else by address, with the deadline of the header X-Request-Timeout in seconds.

    Args:
        max_seconds: the longest time, and the time of a request that names none.

    Raises:
        InvalidRequest: the header is no positive number.
    """
    return Caller(caller_name(request.scope), time.monotonic() + _seconds(request, max_seconds))


def _seconds(request: Request, limit: float) -> float:
    text = request.headers.get(_DEADLINE_HEADER)
    if text is None:
        return limit
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidRequest("X-Request-Timeout must be a positive number of seconds")
    return min(seconds, limit)


async def run_in_thread_if_large(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """The result of `work`, which leaves the event loop to others where it has many bytes to read or write.

    Args:
        size: bytes that it has to do with.
    """
    if size <= INLINE_BYTES:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the caller hangs up.

    Raises:
        ClientDisconnect: the caller has gone.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for pending in (task, gone):
            pending.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await pending


async def _disconnected(request: Request) -> None:
    """Returns when the connection ends; the body has been read, so nothing else can arrive."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
