"""Header fields: how middlewares read and add them, and those that every answer carries.

Nothing that the service answers is a page of its own, so a browser may neither run, frame nor guess it; what
is one sets a policy of its own.
"""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
_DATA = ("/v1", "/v2")


class SecurityHeaders:
    """Adds the security headers to every answer; a route's own values stay."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] == "http":
            private = scope["path"].startswith(_DATA)
            send = on_start(send, lambda headers: secure(headers, private))
        await self._app(scope, receive, send)


def secure(headers: MutableHeaders, private: bool) -> None:
    """Add the security headers that are not there yet.

    Args:
        private: whether no cache may keep the answer.
    """
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)
    if private:
        headers.setdefault("cache-control", "no-store")


def on_start(send: Send, change: Callable[[MutableHeaders], None]) -> Send:
    """`send`, with `change` done to the headers of the answer."""

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            change(MutableHeaders(scope=message))
        await send(message)

    return changed


def values(scope: Scope, name: str) -> list[str]:
    """Every value of a header of the request; `name` in lower case."""
    wanted = name.encode()
    return [value.decode("latin-1") for field, value in scope["headers"] if field == wanted]
