"""Request ids: the caller's own where it is harmless, else a new one; the same in header, log and problem."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from mizzle.service import logs
from mizzle.service.http.headers import on_start, values

HEADER = "x-request-id"
_HARMLESS = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STATE = "mizzle.request_id"


class RequestId:
    """Gives every request an id, and its answer the header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] == "http":
            request_id = harmless(values(scope, HEADER)) or new_id()
            scope.setdefault("state", {})[_STATE] = request_id
            # Never reset: what still happens to this request in its task, such as the log line of a failure
            # outside of this call, has the id too. Every request has a task of its own.
            logs.request_id.set(request_id)
            send = on_start(send, lambda headers: headers.update({HEADER: request_id}))
        await self._app(scope, receive, send)


def id_of(scope: Mapping[str, Any]) -> str | None:
    """The id that a request was given."""
    request_id: str | None = scope.get("state", {}).get(_STATE)
    return request_id


def new_id() -> str:
    """32 hexadecimal digits, by chance."""
    return secrets.token_hex(16)


@contextmanager
def identified(request_id: str) -> Iterator[None]:
    """Makes this the current id, where there is no task for a request."""
    token = logs.request_id.set(request_id)
    try:
        yield
    finally:
        logs.request_id.reset(token)


def harmless(ids: list[str]) -> str | None:
    """The caller's own id; of several, none can be trusted to be the one that is logged elsewhere."""
    return ids[0] if len(ids) == 1 and _HARMLESS.fullmatch(ids[0]) else None
