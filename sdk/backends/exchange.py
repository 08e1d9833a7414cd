"""One exchange of HTTP under one deadline: a limit for each read alone never comes while bytes trickle in."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx2

from mizzle.backends.connection_errors import failure_of
from mizzle.backends.remote import reply_of
from mizzle.backends.retry import Reply

_OPENED = (".connect_tcp.complete", ".connect_unix_socket.complete", ".start_tls.complete")
_here = threading.local()  # until when this thread may read


def exchange(http: httpx2.Client, request: httpx2.Request) -> Reply:
    """What came back, or that nothing did, within the time that the request has for a read.

    Of a connection that somebody else opened with `http`, every read alone has that time.
    """
    request.extensions["trace"] = _limit_reads
    _here.end = time.monotonic() + _seconds(request)
    try:
        return reply_of(http.send(request))
    except (httpx2.RequestError, TimeoutError) as error:
        return failure_of(error)
    finally:
        del _here.end


async def exchange_async(http: httpx2.AsyncClient, request: httpx2.Request) -> Reply:
    """What came back, or that nothing did, within the time that the request has for a read."""
    try:
        async with asyncio.timeout(_seconds(request)):
            return reply_of(await http.send(request))
    except (httpx2.RequestError, TimeoutError) as error:
        return failure_of(error)


def _seconds(request: httpx2.Request) -> float:
    seconds: float = request.extensions["timeout"]["read"]
    return seconds


def _limit_reads(event: str, details: Mapping[str, Any]) -> None:
    """Makes the reads of a connection that was just opened end with the time of whoever reads."""
    if event.endswith(_OPENED):
        stream = details["return_value"]
        stream.read = partial(_read, stream.read)


def _read(read: Callable[..., bytes], max_bytes: int, timeout: float | None = None) -> bytes:
    """Some bytes of a connection.

    Raises:
        TimeoutError: the exchange of this thread has had its time.
    """
    end = getattr(_here, "end", None)
    if end is None:
        return read(max_bytes, timeout=timeout)
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return read(max_bytes, timeout=left if timeout is None else min(left, timeout))
