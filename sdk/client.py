"""Clients of a mizzle service: one core without transport, a sync and an async shell around it."""

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Self
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpx2

from mizzle import wire
from mizzle.errors import InvalidInput, ServiceUnreachable
from mizzle.pairs import both, numbered
from mizzle.retry import Attempts, Reply, retry_after
from mizzle.types import Estimate

_CONNECT_SECONDS = 5.0
_HEADERS = {"content-type": "application/json", "accept": "application/json"}


class _Core:
    """Address, deadline and the reading of replies; knows no socket and no event loop."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = _split(url)
        self.base = url.rstrip("/")
        self.endpoint = self.base + wire.PATH
        host = parts.netloc.rpartition("@")[2]  # a password in the url stays out of messages
        self.shown = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        if not 0 < timeout < float("inf"):
            raise InvalidInput("timeout must be a positive number of seconds")
        self.timeout = timeout
        # HTTP_PROXY is for elsewhere: a proxy cannot reach this machine's own loopback interface.
        self.trust_env = not _loopback(parts.hostname or "")

    def attempts(self) -> Attempts:
        return Attempts(self.timeout)

    def request(
        self, http: httpx2.Client | httpx2.AsyncClient, body: bytes, attempts: Attempts
    ) -> httpx2.Request:
        limits = _limits(attempts.remaining())
        return http.build_request("POST", self.endpoint, content=body, headers=_HEADERS, timeout=limits)

    def probe(self, http: httpx2.Client | httpx2.AsyncClient) -> httpx2.Request:
        return http.build_request("GET", self.base + wire.READY, timeout=_limits(self.timeout))

    def read(self, reply: Reply) -> Estimate:
        """The estimate in a reply.

        Raises:
            MizzleError: the typed error that the service sent, or ServiceUnreachable.
        """
        if reply.failure is not None:
            raise ServiceUnreachable(f"{self.shown} {reply.failure}")
        try:
            if reply.status != 200:
                raise wire.read_problem(reply.status, reply.body)
            return wire.read_answer(reply.body)
        except ServiceUnreachable as error:
            raise ServiceUnreachable(f"{self.shown}: {error}") from None


class Client:
    """A synchronous client; may be shared between threads.

    Args:
        url: where the service is, say http://127.0.0.1:8000.
        timeout: seconds for one estimate, retries and waits included.
        concurrency: how many requests `estimate_many` keeps under way.
        http_client: an httpx2 client to send with, which stays the caller's to close.

    Raises:
        InvalidInput: `url` is no http or https address.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 60.0,
        concurrency: int = 4,
        http_client: httpx2.Client | None = None,
    ) -> None:
        self._core = _Core(url, timeout)
        self._concurrency = _positive(concurrency)
        self._owned = http_client is None
        self._http = http_client or httpx2.Client(trust_env=self._core.trust_env)
        self._sleep = time.sleep

    def estimate(self, x: object, y: object) -> Estimate:
        """The same estimate as `mizzle.estimate(x, y)`, made by the service.

        Raises:
            InvalidInput: the samples cannot be answered as they stand.
            Fault: the service failed, or ServiceUnreachable when there is none.
        """
        body, attempts = wire.request(x, y), self._core.attempts()
        while True:
            reply = self._post(body, attempts)
            wait = attempts.wait(reply)
            if wait is None:
                return self._core.read(reply)
            self._sleep(wait)

    def estimate_many(self, pairs: Iterable[tuple[object, object]]) -> list[Estimate]:
        """Many problems, several under way at once, answers in order.

        Raises:
            MizzleError: of the first pair that fails; the rest is abandoned.
        """
        pool = ThreadPoolExecutor(self._concurrency)
        try:
            tasks = [pool.submit(self._numbered, i, pair) for i, pair in enumerate(pairs)]
            return [task.result() for task in tasks]
        finally:
            pool.shutdown(cancel_futures=True)

    def ready(self) -> bool:
        """Whether the service is there and answers a known problem rightly; asks once."""
        try:
            return self._http.send(self._core.probe(self._http)).status_code == 200
        except httpx2.RequestError:
            return False

    def close(self) -> None:
        """Closes the connections, if this client opened them."""
        if self._owned:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._core.shown!r})"

    def _numbered(self, i: int, pair: object) -> Estimate:
        try:
            return self.estimate(*both(pair))
        except InvalidInput as error:
            raise numbered(i, error) from None

    def _post(self, body: bytes, attempts: Attempts) -> Reply:
        try:
            return _reply(self._http.send(self._core.request(self._http, body, attempts)))
        except httpx2.RequestError as error:
            return _failure(error)


class AsyncClient:
    """An asynchronous client (asyncio); arguments and errors as `Client`.

    One client may serve several event loops in turn: connections belong to the loop that opened
    them, so a new loop gets new ones.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 60.0,
        concurrency: int = 4,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._core = _Core(url, timeout)
        self._concurrency = _positive(concurrency)
        self._given = http_client
        self._own: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sleep = asyncio.sleep

    async def estimate(self, x: object, y: object) -> Estimate:
        """As `Client.estimate`."""
        body = await asyncio.to_thread(wire.request, x, y)  # large arrays must not stall the loop
        attempts = self._core.attempts()
        while True:
            reply = await self._post(body, attempts)
            wait = attempts.wait(reply)
            if wait is None:
                return self._core.read(reply)
            await self._sleep(wait)

    async def estimate_many(self, pairs: Iterable[tuple[object, object]]) -> list[Estimate]:
        """As `Client.estimate_many`."""
        room = asyncio.Semaphore(self._concurrency)
        tasks = [asyncio.create_task(self._numbered(i, p, room)) for i, p in enumerate(pairs)]
        try:
            return [await task for task in tasks]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def ready(self) -> bool:
        """As `Client.ready`."""
        http = self._http()
        try:
            return (await http.send(self._core.probe(http))).status_code == 200
        except httpx2.RequestError:
            return False

    async def aclose(self) -> None:
        """Closes the connections, if this client opened them."""
        if self._own is not None and self._loop is asyncio.get_running_loop():
            await self._own.aclose()
        self._own = self._loop = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._core.shown!r})"

    async def _numbered(self, i: int, pair: object, room: asyncio.Semaphore) -> Estimate:
        async with room:
            try:
                return await self.estimate(*both(pair))
            except InvalidInput as error:
                raise numbered(i, error) from None

    async def _post(self, body: bytes, attempts: Attempts) -> Reply:
        try:
            http = self._http()
            return _reply(await http.send(self._core.request(http, body, attempts)))
        except httpx2.RequestError as error:
            return _failure(error)

    def _http(self) -> httpx2.AsyncClient:
        """The caller's client, or this loop's own."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if self._own is None or self._loop is not loop:
            self._own, self._loop = httpx2.AsyncClient(trust_env=self._core.trust_env), loop
        return self._own


def _limits(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))


def _reply(response: httpx2.Response) -> Reply:
    wait = retry_after(response.headers.get("retry-after"))
    return Reply(response.status_code, response.content, wait)


def _failure(error: httpx2.RequestError) -> Reply:
    """No reply at all; only a connection that was never made is worth another try."""
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        hint = "is the service running? mizzle serve starts one"
        return Reply(failure=f"cannot be reached; {hint}", refused=True)
    if isinstance(error, httpx2.TimeoutException):
        return Reply(failure="did not answer in time; send less or pass a longer timeout")
    return Reply(failure="broke the connection off; its log may say why")


def _split(url: str) -> SplitResult:
    """The parts of a service's address.

    Raises:
        InvalidInput: it is no http or https address.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
        httpx2.URL(url)
    except (ValueError, TypeError, AttributeError, httpx2.InvalidURL):
        good = False
    if not good:
        raise InvalidInput("url must be an address like http://127.0.0.1:8000, without a query")
    return parts


def _loopback(host: str) -> bool:
    """Whether a host is this machine by name or address: localhost, 127.0.0.0/8, ::1."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _positive(concurrency: int) -> int:
    if concurrency < 1:
        raise InvalidInput("concurrency must be at least 1")
    return concurrency
