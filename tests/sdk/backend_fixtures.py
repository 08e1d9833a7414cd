"""Every way to ask: in this process, over ASGI and over a socket, each blocking and asynchronous."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
from fakes import model_loaded
from starlette.testclient import TestClient

import mizzle
from mizzle.service.app import create_app
from mizzle.service.settings import Settings

HERE = "http://localhost"
LOCAL, ASGI, SOCKET = "in process", "ASGI", "socket"
SETTINGS = Settings(max_body_bytes=200_000, max_problem_cells=50_000, grace_seconds=1, health_ttl_seconds=0)
Ways = dict[bool, Callable[..., Any]]  # a new client, by whether it is blocking


class BackendUnderTest:
    """One way to ask, over one estimator.

    Attributes:
        waits: the seconds that clients waited before another try.
        model: the estimator.
    """

    def __init__(self, where: str, blocking: bool, model: Any, new: Callable[..., Any], loop: Any) -> None:
        self.where, self.blocking, self.model = where, blocking, model
        self._new, self._loop = new, loop
        self._client = self._opened()
        self.waits: list[float] = []

    def _opened(self, **options: Any) -> Any:
        client = self._new(**options)
        sleep = client._sleep

        def noted(seconds: float) -> Any:
            self.waits.append(seconds)
            return sleep(seconds)

        client._sleep = noted
        return client

    def ask(self, question: Callable[[Any], Any], **options: Any) -> Any:
        """The answer to `question` of a client, which has these options if there are any."""
        client = self._opened(**options) if options else self._client
        try:
            return self._await(question(client))
        finally:
            if options:
                self._close(client)

    def _await(self, result: Any) -> Any:
        return self._loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def _close(self, client: Any) -> None:
        self._await(client.close() if self.blocking else client.aclose())

    def close(self) -> None:
        """Closes the client."""
        self._close(self._client)


@contextmanager
def opened(where: str, blocking: bool, model: Any, serve_here: Any) -> Iterator[BackendUnderTest]:
    """A backend with the service that it needs."""
    loop = asyncio.new_event_loop()
    with ExitStack() as stack:
        stack.callback(loop.close)
        new = _client(stack, where, blocking, model, serve_here, loop)
        backend = BackendUnderTest(where, blocking, model, new, loop)
        stack.callback(backend.close)
        yield backend


def _client(stack: ExitStack, where: str, blocking: bool, model: Any, serve_here: Any, loop: Any) -> Any:
    cls = mizzle.Client if blocking else mizzle.AsyncClient
    if where == LOCAL:
        return lambda **_: cls.local(model)
    if where == SOCKET:
        url = stack.enter_context(serve_here(SETTINGS, model))
        return lambda **options: cls(url, **options)
    http: Any = stack.enter_context(_blocking_asgi(model) if blocking else _asgi(model, loop))
    return lambda **options: cls(HERE, http_client=http, **options)


@contextmanager
def _blocking_asgi(model: Any) -> Iterator[httpx2.Client]:
    with TestClient(create_app(SETTINGS, model), HERE) as http:
        while http.get("/startupz").status_code != 200:
            pass
        yield http


@contextmanager
def _asgi(model: Any, loop: asyncio.AbstractEventLoop) -> Iterator[httpx2.AsyncClient]:
    app = create_app(SETTINGS, model)
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app, raise_app_exceptions=False))
    life = app.router.lifespan_context(app)
    loop.run_until_complete(life.__aenter__())
    try:
        loop.run_until_complete(model_loaded())
        yield http
    finally:
        loop.run_until_complete(http.aclose())
        loop.run_until_complete(life.__aexit__(None, None, None))
        loop.run_until_complete(loop.shutdown_default_executor())
