"""HTTP/1.1 on one connection: uvicorn's h11 protocol, with deadlines and strict framing.

uvicorn has no limit to the time that a request takes to arrive or an answer to be taken. The deadlines here
are absolute: a byte now and then does not move them.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from mizzle.service.http import access_log
from mizzle.service.http.headers import secure
from mizzle.service.http.problem_details import problem_for
from mizzle.service.http.request_id import HEADER, id_of, identified, new_id
from mizzle.service.transport.corked import CorkedTransport
from mizzle.service.transport.framing import StrictConnection
from mizzle.service.transport.shedding import LoadShedder

_MAX_HEAD_BYTES = 16 * 1024
_LINGER = 1.0  # seconds in which a caller who is still sending can read why it was refused
_HEAD = "head"


class Bounds(NamedTuple):
    """Seconds for a head, and for a body or an answer; lines of headers."""

    header_seconds: float
    body_seconds: float
    max_headers: int


def protocol_class(
    header_seconds: float, body_seconds: float, max_headers: int, shedder: LoadShedder | None = None
) -> "type[BoundedProtocol]":
    """A protocol for `uvicorn.Config(http=..)`, which takes a class; the size of a head is uvicorn's setting.

    Args:
        header_seconds: from the opening of a connection, or from the first byte of a further request, to the
            end of its headers.
        body_seconds: from there to the end of the body; also from an answer that waits for its reader to the
            moment that all of it is on its way.
        max_headers: lines of headers.
        shedder: sees what comes between two requests first, and may refuse it.
    """

    bounds = Bounds(header_seconds, body_seconds, max_headers)
    return type("Bounded", (BoundedProtocol,), {"bounds": bounds, "shedder": shedder})


class BoundedProtocol(H11Protocol):
    """Refuses with a problem what is malformed, too large or too slow, and closes.

    Attributes:
        bounds: of every connection.
        shedder: refuses before anything is parsed, if there is one.
    """

    bounds: ClassVar[Bounds] = Bounds(10.0, 30.0, 100)
    shedder: ClassVar[LoadShedder | None] = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        size = config.h11_max_incomplete_event_size or _MAX_HEAD_BYTES
        self.conn = self._strict = StrictConnection(size, self.bounds.max_headers)
        self._awaited: object = None  # _HEAD, or the request whose body is being received
        self._since = 0.0
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._refused = False
        self._held: bytes | None = None  # a refusal that is sent in a moment

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open; its first request has to come."""
        super().connection_made(transport)
        self.transport = CorkedTransport(transport, self.loop)  # type: ignore[assignment]
        # With a mark of zero, writing pauses exactly while something has not left this process.
        transport.set_write_buffer_limits(high=0)
        self._await(_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection has ended."""
        self._await(None)
        self._stop_stalled()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; those behind a refusal are thrown away."""
        if not self._refused and not self._shed(data):
            super().data_received(data)

    def _shed(self, data: bytes) -> bool:
        """Whether this was a request and is answered; the connection then waits for the next one."""
        if self.shedder is None or not self._between_requests():
            return False
        answer = self.shedder.refusal(data, self.server_state.default_headers, self.client)
        if answer is None:
            return False
        self._await(None)
        self._unset_keepalive_if_required()
        self._held = answer
        if seconds := self.shedder.hold_seconds(self.client):
            self.flow.pause_reading()
            self.loop.call_later(seconds, self._send_refusal)
        else:
            self._send_refusal()
        return True

    def _send_refusal(self) -> None:
        answer, self._held = self._held, None
        if answer is None or self.transport.is_closing():
            return
        self.flow.resume_reading()
        self.transport.write(answer)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _between_requests(self) -> bool:
        states = (self.conn.our_state, self.conn.their_state)
        return states == (h11.IDLE, h11.IDLE) and not self.conn.trailing_data[0]

    def handle_events(self) -> None:
        """Act on what has come, and see what has to come next."""
        super().handle_events()
        if self._strict.refusal is not None:
            self._refuse(self._strict.refusal)
        elif (begun := self._begun()) is not self._awaited:
            self._await(begun)

    def pause_writing(self) -> None:
        """Some of an answer waits for its reader."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.bounds.body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """All of it is on its way."""
        super().resume_writing()
        self._stop_stalled()

    def _should_upgrade(self) -> bool:
        """Never; an upgrade that was asked for may be ignored (RFC 9110, 7.8), without a word in the log."""
        return False

    def shutdown(self) -> None:
        """The server stops."""
        self._send_refusal()
        super().shutdown()

    def _begun(self) -> object:
        """What the caller has begun to send and not finished."""
        if self.conn.their_state is h11.SEND_BODY:
            return self.cycle
        return _HEAD if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0] else None

    def _await(self, awaited: object) -> None:
        if self._late is not None:
            self._late.cancel()
        self._awaited, self._late, self._since = awaited, None, self.loop.time()
        if awaited is not None:
            seconds = self.bounds.header_seconds if awaited is _HEAD else self.bounds.body_seconds
            self._late = self.loop.call_later(seconds, self._too_late)

    def _stop_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _too_late(self) -> None:
        if self._begun() is None:  # opened, and not used: many browsers do so
            self.transport.close()
        else:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        self._refused = True
        self._unset_keepalive_if_required()
        running = self.cycle is not None and not self.cycle.response_complete
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._answer(status, running)
            self._linger()
        else:  # an answer has begun, or was given; another one would be taken for a part of it
            self.transport.close()
        if running:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _answer(self, status: int, running: bool) -> None:
        """Send a problem; what the application was told of, it logs itself."""
        request_id = (running and id_of(self.scope)) or new_id()
        with identified(request_id):
            response = problem_for(status)
            if not running:
                access_log.log_request("", status, self.loop.time() - self._since, sent=len(response.body))
        secure(response.headers, private=True)
        response.headers.update({HEADER: request_id, "connection": "close"})
        body = b"" if running and self.scope["method"] == "HEAD" else bytes(response.body)
        headers = [*self.server_state.default_headers, *response.raw_headers]
        head = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)
        events = (head, h11.Data(data=body), h11.EndOfMessage())
        self.transport.write(b"".join(self.conn.send(event) for event in events))

    def _linger(self) -> None:
        """Close in two steps: closed at once, bytes on their way would make the system drop the answer."""
        self._await(None)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._late = self.loop.call_later(_LINGER, self.transport.close)
        else:
            self.transport.close()
