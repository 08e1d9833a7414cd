"""Counts and times requests by the template of their route.

Not the package prometheus-fastapi-instrumentator: in 8.1 its label for the method is the caller's own word,
so that a caller could make any number of series, and it matches every route a second time.
"""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mizzle.service.http.access_log import UNMATCHED
from mizzle.service.telemetry.metrics import Metrics

_UNANSWERED = "none"


class HttpMetrics:
    """Tells `metrics` of every request when it has ended; stands around all that answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        status, start = _UNANSWERED, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            status = "500" if status == _UNANSWERED else status  # which the server answers in that case
            raise
        finally:
            route = getattr(scope.get("route"), "path", UNMATCHED)
            self._metrics.request(route, scope["method"], status, time.perf_counter() - start)
