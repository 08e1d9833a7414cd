"""One exchange of HTTP under one deadline and one limit of bytes.

A limit for each read alone never comes while bytes trickle in, and a megabyte of gzip may hold a thousand.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import httpx2

from mizzle.backends.connection_errors import failure_of
from mizzle.backends.remote import reply_of
from mizzle.backends.retry import Reply

_OPENED = (".connect_tcp.complete", ".connect_unix_socket.complete", ".start_tls.complete")
# One of these makes a thousand bytes of one at most; two on top of each other make a million.
_CODINGS = ("", "identity", "gzip", "deflate")
_MAX_REFUSAL_BYTES = 64 * 2**10  # of the words of a refusal; what follows is cut off
_WRITE_BYTES = 64 * 2**10
_here = threading.local()  # until when this thread may read and write


def exchange(http: httpx2.Client, request: httpx2.Request, max_bytes: int) -> Reply:
    """What came back, or that nothing did, within the time that the request has for a read.

    Of a connection that somebody else opened with `http`, every read and write alone has that time.

    Args:
        max_bytes: of the decompressed answer; a longer one has failed.
    """
    request.extensions["trace"] = _limit_time
    _here.end = time.monotonic() + _seconds(request)
    try:
        response = http.send(request, stream=True)
        try:
            body = _Body(response, max_bytes, _here.end)
            for chunk in response.iter_bytes():
                if body.is_complete_with(chunk):
                    break
            return body.reply()
        finally:
            response.close()
    except (httpx2.RequestError, TimeoutError) as error:
        return failure_of(error)
    finally:
        del _here.end


async def exchange_async(http: httpx2.AsyncClient, request: httpx2.Request, max_bytes: int) -> Reply:
    """As `exchange`."""
    end = time.monotonic() + _seconds(request)
    try:
        async with asyncio.timeout(_seconds(request)):
            response = await http.send(request, stream=True)
            try:
                body = _Body(response, max_bytes, end)
                async for chunk in response.aiter_bytes():
                    if body.is_complete_with(chunk):
                        break
                return body.reply()
            finally:
                await response.aclose()
    except (httpx2.RequestError, TimeoutError) as error:
        return failure_of(error)


def lines(response: httpx2.Response, max_bytes: int) -> Iterator[bytes]:
    """The lines of a stream, up to the first that is longer than `max_bytes`.

    Raises:
        httpx2.RequestError: the stream breaks off, or cannot be read.
    """
    _check_coding(response)
    rest = b""
    for chunk in response.iter_bytes():
        *complete, rest = (rest + chunk).split(b"\n")
        for line in (*complete, rest):
            if len(line) > max_bytes:
                return
        yield from complete


class _Body:
    """The body of a response, as it comes.

    Args:
        end: of its time, on a clock that is monotonic.
    """

    def __init__(self, response: httpx2.Response, max_bytes: int, end: float) -> None:
        _check_coding(response)
        self._response = response
        self._is_answer = response.status_code < 300
        self._max_bytes = max_bytes if self._is_answer else _MAX_REFUSAL_BYTES
        self._end = end
        self._content = bytearray()

    def is_complete_with(self, chunk: bytes) -> bool:
        """Whether no more of it is needed after this chunk.

        Raises:
            TimeoutError: its time is over, as chunks may come out of a few bytes, which are there.
        """
        if time.monotonic() > self._end:
            raise TimeoutError
        self._content += chunk
        return len(self._content) > self._max_bytes

    def reply(self) -> Reply:
        """What came back."""
        if self._is_answer and len(self._content) > self._max_bytes:
            return Reply(failure=f"answers with more than {self._max_bytes} bytes; is it a mizzle service?")
        return reply_of(self._response, bytes(self._content[: self._max_bytes]))


def _check_coding(response: httpx2.Response) -> None:
    """Refuse what would not be decompressed in bounded pieces.

    Raises:
        httpx2.DecodingError: the body is in a coding that nobody asked for.
    """
    if response.headers.get("content-encoding", "").strip().lower() not in _CODINGS:
        raise httpx2.DecodingError("the answer is in a coding that was not asked for")


def _seconds(request: httpx2.Request) -> float:
    seconds: float = request.extensions["timeout"]["read"]
    return seconds


def _limit_time(event: str, details: Mapping[str, Any]) -> None:
    """Makes a connection that was just opened end its reads and writes with the time of whoever uses it."""
    if event.endswith(_OPENED):
        stream = details["return_value"]
        stream.read, stream.write = partial(_read, stream.read), partial(_write, stream.write)


def _read(read: Callable[..., bytes], max_bytes: int, timeout: float | None = None) -> bytes:
    """Some bytes of a connection.

    Raises:
        TimeoutError: the exchange of this thread has had its time.
    """
    return read(max_bytes, timeout=_left(timeout))


def _write(write: Callable[..., None], content: bytes, timeout: float | None = None) -> None:
    """All of `content`, in pieces, as a single call has its time for every part that the other side takes.

    Raises:
        TimeoutError: the exchange of this thread has had its time.
    """
    for start in range(0, len(content), _WRITE_BYTES):
        write(content[start : start + _WRITE_BYTES], timeout=_left(timeout))


def _left(timeout: float | None) -> float | None:
    """Seconds that are left to this thread, and no more than `timeout`.

    Raises:
        TimeoutError: there are none.
    """
    end = getattr(_here, "end", None)
    if end is None:
        return timeout
    left: float = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left if timeout is None else min(left, timeout)
