"""The access log: one record a request, which says nothing of what was in it.

No body, query string, path, header or address is logged; what a caller chose is logged only where it is
one of a few known words.
"""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mizzle.service.http.auth import key_name
from mizzle.service.telemetry.metrics import METHODS

UNMATCHED = "unmatched"
_log = logging.getLogger("mizzle.access")


def log_request(
    method: str,
    status: int | None,
    seconds: float,
    route: str = UNMATCHED,
    received: int = 0,
    sent: int = 0,
    key: str | None = None,
) -> None:
    """Log one request.

    Args:
        route: the template of its path, not the path.
        received, sent: bytes of the bodies.
        key: the name of the API key.
    """
    if not _log.isEnabledFor(logging.INFO):
        return
    fields = {
        "method": method if method in METHODS else "OTHER",
        "route": route,
        "status": status,
        "duration_ms": round(1000 * seconds, 3),
        "bytes_in": received,
        "bytes_out": sent,
        "key": key,
    }
    _log.info("request", extra={"fields": fields})


class AccessLog:
    """Logs every request when it has ended; stands behind `request_id.RequestId`, around all that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        traffic, start = _Traffic(receive, send), time.perf_counter()
        try:
            await self._app(scope, traffic.receive, traffic.send)
        except Exception:
            traffic.status = traffic.status or 500  # which the server answers in that case
            raise
        finally:
            route = getattr(scope.get("route"), "path", UNMATCHED)
            spent = time.perf_counter() - start
            log_request(
                scope["method"], traffic.status, spent, route, traffic.received, traffic.sent, key_name(scope)
            )


class _Traffic:
    """Counts the bytes of the bodies that pass, and keeps the status of the answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.status: int | None = None
        self.received = self.sent = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.sent += len(message.get("body", b""))
        await self._send(message)
