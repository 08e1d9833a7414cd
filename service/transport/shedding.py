"""Load shedding: while there is no room, a whole request for an estimate costs no parser and no task.

Under a flood the way through parser, middleware and route is longer than the answer to it deserves, and what
it costs is taken from those who were let in. So the protocol shows what it received to a `LoadShedder` first,
which answers only what cannot be read in two ways: one request, complete, whose length one header tells.
Whatever else it sees, and everything while there is room, goes the usual way.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from starlette.datastructures import MutableHeaders

from mizzle import wire
from mizzle.errors import MizzleError, QueueFull
from mizzle.service.http import access_log
from mizzle.service.http.auth import Keys, address_name, presented_keys
from mizzle.service.http.headers import secure
from mizzle.service.http.problem_details import problem_of
from mizzle.service.http.request_id import HEADER, harmless, identified, new_id
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.inference.observer import REFUSALS
from mizzle.service.telemetry.metrics import Metrics

_PATHS = b"|".join(re.escape(path.encode()) for path in (wire.BATCH_PATH, wire.PATH))
# A query that may name a model, whose queue is another, goes the usual way.
_TARGET = re.compile(rb"POST (%s)(?:\?(?![!-~]*(?:%s|%%))[!-~]*)? HTTP/1\.1" % (_PATHS, wire.MODEL.encode()))
# A value as h11 reads it; what else may stand in one is left to it, to be refused.
_FIELD = re.compile(rb"([\w!#$%&'*+.^`|~-]+):[ \t]*([^\r\n\0\f\v]*?)[ \t]*", re.ASCII)
_MAX_HEAD_BYTES = 16 * 1024
_MAX_HEADERS = 100  # of more, the parser decides
_MAX_LENGTH_DIGITS = 9
# Framed or to be answered in another way than the plain one.
_SPECIAL_HEADERS = {b"transfer-encoding", b"expect", b"upgrade", b"origin"}
_TEMPLATE_SECONDS = 0.01  # for which a refusal says the same
_WINDOW_SECONDS, _MAX_REFUSALS = 0.1, 20  # refusals of an address in so many seconds that are sent at once
_HOLD_SECONDS = 0.015
_ID_PLACEHOLDER = "0" * 32  # where the request's id goes
_Headers = Iterable[tuple[bytes, bytes]]


class RequestHead(NamedTuple):
    """What a refusal needs of a request: the template of its path, its id where that is harmless, its key."""

    route: str
    request_id: str | None
    key: bytes = b""


class LoadShedder:
    """Stands before the engine for requests that name no model.

    Args:
        metrics: count every refusal, as those that are made further inside.
        keys: by which callers are told apart; by their addresses, without any.
    """

    def __init__(self, engine: Engine, metrics: Metrics, keys: Keys | None = None) -> None:
        self._engine = engine
        self._metrics = metrics
        self._keys = keys or Keys()
        self._template: tuple[float, bytes, bytes] = (0.0, b"", b"")
        self._arriving: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()  # of each address, in this window
        self._window_end = 0.0

    def refusal(
        self, received: bytes, default_headers: _Headers, client: tuple[str, int] | None = None
    ) -> bytes | None:
        """The answer to a request that there is no room for; None for what has to go the usual way.

        Args:
            received: what came on a connection after the last answer.
            default_headers: of every answer of the server.
            client: address and port of the other end.
        """
        caller = self._caller(b"", client)
        full, head = self._full(caller), None
        if full and (head := whole_request(received)) and self._keys:
            caller = self._caller(head.key, client)  # whose share of a full queue may be free
            full = self._full(caller)
        if full is None:
            self._let_in(caller)
        if full is None or head is None:
            return None
        request_id = head.request_id or new_id()
        self._metrics.refused(REFUSALS[full.code])
        self._metrics.request(head.route, "POST", str(full.status), 0.0)
        with identified(request_id):
            access_log.log_request("POST", full.status, 0.0, head.route)
        return self._answer(full, request_id, default_headers)

    def hold_seconds(self, client: tuple[str, int] | None) -> float:
        """How long a refusal is held back, to be called for each: of an address that asks again and again
        without the wait that it was told, so that refusing does not take all of the service's time.
        """
        now, address = time.monotonic(), address_name(client[0]) if client else ""
        if now > self._window_end:
            self._window_end = now + _WINDOW_SECONDS
            self._refused.clear()
        self._refused[address] += 1
        return _HOLD_SECONDS if self._refused[address] > _MAX_REFUSALS else 0.0

    def _let_in(self, caller: Caller) -> None:
        """A request goes the usual way, and counts as waiting until its task has run once.

        In one round of the event loop come as many requests as there are connections, all of them before the
        first is in the queue: there would be room for each of them, and the usual way would refuse most.
        """
        self._arriving[caller.key] += 1
        asyncio.get_running_loop().call_soon(self._arrived, caller.key)

    def _arrived(self, key: str) -> None:
        self._arriving[key] -= 1
        if not self._arriving[key]:
            del self._arriving[key]

    def _caller(self, key: bytes, client: tuple[str, int] | None) -> Caller:
        """Who asks; nobody in particular where there are keys and this is none of them."""
        if self._keys:
            return Caller(self._keys.name_of(key) or "" if key else "")
        return Caller(address_name(client[0]) if client else "")

    def _full(self, caller: Caller) -> QueueFull | None:
        try:
            self._engine.check_capacity(caller, self._arriving)
        except QueueFull as error:
            return error
        except MizzleError:
            pass  # starting or stopping: no flood, and the usual way knows more
        return None

    def _answer(self, full: QueueFull, request_id: str, default_headers: _Headers) -> bytes:
        rendered_at, head, body = self._template
        if time.monotonic() - rendered_at > _TEMPLATE_SECONDS:
            head, body = _rendered(full)
            self._template = (time.monotonic(), head, body)
        body = body.replace(_ID_PLACEHOLDER.encode(), request_id.encode())
        lines = [head, *(b"%s: %s" % pair for pair in default_headers)]
        lines += [b"%s: %s" % (HEADER.encode(), request_id.encode()), b"content-length: %d" % len(body)]
        return b"\r\n".join([*lines, b"", body])


def _rendered(error: QueueFull) -> tuple[bytes, bytes]:
    """Head, without the fields that differ, and body of a refusal."""
    with identified(_ID_PLACEHOLDER):
        response = problem_of(error)
    secure(response.headers, private=True)
    return _lines(error.status, response.headers), bytes(response.body)


def _lines(status: int, headers: MutableHeaders) -> bytes:
    fields = [b"%s: %s" % pair for pair in headers.raw if pair[0] != b"content-length"]
    return b"\r\n".join([b"HTTP/1.1 %d Too Many Requests" % status, *fields])


def whole_request(received: bytes) -> RequestHead | None:
    """The request that these bytes are from first to last; None if they are anything else."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank or len(head) > _MAX_HEAD_BYTES:
        return None
    first, *lines = head.split(b"\r\n")
    target, matches = _TARGET.fullmatch(first), [_FIELD.fullmatch(line) for line in lines]
    if target is None or None in matches or len(lines) > _MAX_HEADERS:
        return None
    fields = [(m[1].lower(), m[2]) for m in matches if m]
    if not _plain(fields, len(body)):
        return None
    ids = [value.decode("latin-1") for name, value in fields if name == HEADER.encode()]
    return RequestHead(target[1].decode(), harmless(ids), _key(fields))


def _key(fields: list[tuple[bytes, bytes]]) -> bytes:
    """The key that a request came with; empty where it came with none, or with several."""
    presented = presented_keys({"headers": fields})
    return presented[0].encode("latin-1") if len(presented) == 1 else b""


def _plain(fields: list[tuple[bytes, bytes]], length: int) -> bool:
    """Whether a request with these fields has a body of this length, and nothing about it is special."""
    values = {name: [v for n, v in fields if n == name] for name, _ in fields}
    lengths = values.get(b"content-length", [])
    return (
        not values.keys() & _SPECIAL_HEADERS
        and len(values.get(b"host", [])) == 1
        and all(value.lower() == b"keep-alive" for value in values.get(b"connection", []))
        and len(lengths) == 1
        and lengths[0].isdigit()
        and len(lengths[0]) <= _MAX_LENGTH_DIGITS
        and int(lengths[0]) == length
    )
