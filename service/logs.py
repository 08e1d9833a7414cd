"""The log: one line a record, and one record a request, which says nothing of what was in it.

No body, query string, path, header or address is logged; what a caller chose is logged only where it is
one of a few known words. Messages of unforeseen exceptions may quote data, so their tracebacks come without
them, except at level "debug".
"""

import json
import logging
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mizzle.errors import MizzleError
from mizzle.service.http.auth import key_name
from mizzle.service.http.request_id import current_id

UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_access = logging.getLogger("mizzle.access")
_CONTROLS = (*range(32), *range(127, 160), 0x2028, 0x2029)
_ESCAPES = {code: f"\\u{code:04x}" for code in _CONTROLS}


def configure(level: str, as_json: bool) -> None:
    """Make the process log to standard error.

    Args:
        level: the lowest level that is logged, as logging names it, in lower case.
        as_json: whether lines are JSON objects, or text for people.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(as_json, quoting=level == "debug"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class Lines(logging.Formatter):
    """Records as lines, with the id of the request and the fields of the record (`extra={"fields": ..}`).

    Args:
        as_json: a JSON object a line; else text, where a traceback follows on indented lines.
        quoting: whether tracebacks have the messages of all exceptions.
    """

    def __init__(self, as_json: bool, quoting: bool = False) -> None:
        super().__init__()
        self._as_json = as_json
        self._quoting = quoting

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current_id(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = _traceback(record.exc_info[1], self._quoting)
        return json.dumps(line).replace("\x7f", "\\u007f") if self._as_json else _text(line)


def _text(line: dict[str, Any]) -> str:
    rows = line.pop("traceback", "").splitlines()
    head = "{} {} {}: {}".format(*(line.pop(name) for name in ("time", "level", "logger", "message")))
    rest = "".join(f" {name}={value}" for name, value in line.items() if value is not None)
    return "\n    ".join(row.translate(_ESCAPES) for row in (head + rest, *rows))


def _traceback(error: BaseException, quoting: bool) -> str:
    return "".join(_frames(one, quoting) for one in _origins(error, set()))


def _frames(error: BaseException, quoting: bool) -> str:
    told = quoting or isinstance(error, MizzleError)  # ours never repeat data
    last = type(error).__qualname__ + (f": {error}" if told else "") + "\n"
    return "".join([*traceback.format_tb(error.__traceback__), last])


def _origins(error: BaseException | None, met: set[int]) -> Iterator[BaseException]:
    """An exception after those that it came from, or that it groups; each once."""
    if error is None or id(error) in met:
        return
    met.add(id(error))
    yield from _origins(error.__cause__ or (None if error.__suppress_context__ else error.__context__), met)
    for part in getattr(error, "exceptions", ()):
        yield from _origins(part, met)
    yield error


def access(
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
    if not _access.isEnabledFor(logging.INFO):
        return
    fields = {
        "method": method if method in _METHODS else "OTHER",
        "route": route,
        "status": status,
        "duration_ms": round(1000 * seconds, 3),
        "bytes_in": received,
        "bytes_out": sent,
        "key": key,
    }
    _access.info("request", extra={"fields": fields})


class AccessLog:
    """Logs every request when it has ended; stands behind `request_id.RequestId`, around all that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        seen, start = _Seen(receive, send), time.perf_counter()
        try:
            await self._app(scope, seen.receive, seen.send)
        except Exception:
            seen.status = seen.status or 500  # which the server answers in that case
            raise
        finally:
            route = getattr(scope.get("route"), "path", UNMATCHED)
            spent = time.perf_counter() - start
            access(scope["method"], seen.status, spent, route, seen.received, seen.sent, key_name(scope))


class _Seen:
    """Counts what passes."""

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
