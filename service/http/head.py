"""HEAD wherever there is GET: the same answer without its body (RFC 9110, 9.1 and 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Asks the routes for what GET gives; stands inside of whatever logs and counts by method.

    The server leaves the body out, as of every answer to HEAD, so that its length is that of GET. A body that
    comes in pieces, as a stream of events does, ends at once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, _Ended(send))
        finally:
            scope.update({**as_get, "method": "HEAD"})  # the router says in it which route it was


class _Ended:
    """`send`, for which the first piece of a body is the last."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._ended = False

    async def __call__(self, message: Message) -> None:
        if self._ended:
            return
        self._ended = message["type"] == "http.response.body"
        await self._send({**message, "more_body": False} if self._ended else message)
