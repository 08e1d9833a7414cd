"""Bytes of connections: where a request ends does not depend on how they came, nor on who reads them."""

from typing import Any

import h11
from mutator import PLAIN
from target import Target, refusal

from mizzle.errors import InvalidInput, NotAcceptable
from mizzle.service.http.auth import Keys, address_name, presented_keys
from mizzle.service.http.request_id import HEADER, harmless
from mizzle.service.jobs import result_formats
from mizzle.service.transport.framing import StrictConnection
from mizzle.service.transport.shedding import whole_request

_MAX_HEAD, _MAX_HEADERS = 16 * 1024, 100
_REFUSALS = (None, 400, 431)


class _Reading:
    """What a connection made of the bytes that came.

    Attributes:
        requests: as method, target, headers, body and whether all of it came.
        refusal: the status, if there was one.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self.requests: list[list[Any]] = []
        self.connection = StrictConnection(_MAX_HEAD, _MAX_HEADERS)
        for piece in filter(None, pieces):  # nothing at all would mean that the other end is closed
            if self._is_open:
                self.connection.receive_data(piece)
                self._read()
        self.refusal = self.connection.refusal

    @property
    def _is_open(self) -> bool:
        return self.connection.refusal is None and self.connection.their_state in (
            *(h11.IDLE, h11.SEND_BODY, h11.DONE),
        )

    def _read(self) -> None:
        while True:
            event = self.connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return
            if isinstance(event, h11.Request):
                headers = list(event.headers)
                self.requests.append([event.method, event.target, headers, bytearray(), False])
            elif isinstance(event, h11.Data):
                self.requests[-1][3] += event.data
            elif isinstance(event, h11.EndOfMessage):
                self.requests[-1][4] = True
                self._answer()
                if not self._is_open:
                    return

    def _answer(self) -> None:
        for event in (h11.Response(status_code=200, headers=[(b"content-length", b"0")]), h11.EndOfMessage()):
            self.connection.send(event)
        if self.connection.our_state is h11.DONE and self.connection.their_state is h11.DONE:
            self.connection.start_next_cycle()


def _check_framing(content: bytes) -> str:
    whole = _Reading([content])
    assert whole.refusal in _REFUSALS
    halves = _Reading([content[: len(content) // 2], content[len(content) // 2 :]])
    slow = _Reading([content[i : i + 1] for i in range(len(content))]) if len(content) < 2000 else halves
    for other in (halves, slow):
        assert other.requests == whole.requests
        assert (other.refusal is None) == (whole.refusal is None)
    for method, target, headers, _, _ in whole.requests:
        lengths = [value for name, value in headers if name == b"content-length"]
        encodings = [value for name, value in headers if name == b"transfer-encoding"]
        assert method
        assert b"://" not in target.partition(b"?")[0][:8]
        assert len(lengths) + len(encodings) <= 1
        assert len(headers) <= _MAX_HEADERS
    if whole.refusal is not None:
        return f"refused {whole.refusal}"
    return "read" if any(complete for *_, complete in whole.requests) else "incomplete"


def _check_whole_request(content: bytes) -> str:
    """What is answered without a parser is what the parser reads as exactly one request."""
    head = whole_request(content)
    if head is None:
        return "passed on"
    reading = _Reading([content])
    assert reading.refusal is None
    assert len(reading.requests) == 1
    assert not reading.connection.trailing_data[0]
    method, target, headers, _, complete = reading.requests[0]
    assert complete
    assert method == b"POST"
    assert target.partition(b"?")[0].decode() == head.route
    keys = [key.encode("latin-1") for key in presented_keys({"headers": headers})]
    assert head.key == (keys[0] if len(keys) == 1 else b"")
    ids = [value.decode("latin-1") for name, value in headers if name == HEADER.encode()]
    assert head.request_id == harmless(ids)
    assert reading.connection.our_state is h11.IDLE, "the connection does not stay open"
    return "read"


def _check_accept(content: bytes) -> str:
    """The most exact range decides; a quality is a number of at most three decimals (RFC 9110, 12.4.2)."""
    accept = content.decode("latin-1")
    try:
        media = result_formats.preferred_media(accept)
    except NotAcceptable as error:
        return refusal(error, NotAcceptable)
    assert media in result_formats.WRITERS
    assert result_formats._quality(media, accept or "*/*") > 0
    qualities = [result_formats._quality(other, accept or "*/*") for other in result_formats.WRITERS]
    assert all(0 <= quality <= 1 for quality in qualities)
    assert result_formats._quality(media, accept or "*/*") == max(qualities)
    return "read"


def _check_keys(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "no text"
    try:
        keys = Keys.parse(text)
    except InvalidInput as error:
        return refusal(error)
    lines = [line.strip() for line in text.splitlines()]
    assert len(keys) == sum(bool(line) and not line.startswith("#") for line in lines) > 0
    assert all(name and len(stored) == 32 for name, stored in keys._stored)
    assert keys.name_of(content) is None
    return "read"


def _check_address(content: bytes) -> str:
    host = content.decode("latin-1")
    name = address_name(host)
    assert name
    if "/" not in host and host:
        assert address_name(name.removesuffix("/64")) == name
    return "kept" if name == host else "read"


_HTTP = (
    *(b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n", b"Connection: close\r\n"),
    *(
        b"Expect: 100-continue\r\n",
        b"X-API-Key: k\r\n",
        b"Authorization: Bearer k\r\n",
        b"0\r\n\r\n",
        b"1;a=b\r\n",
    ),
    *(
        b"POST",
        b"GET",
        b"/v1/estimate",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"http://a/",
        b"\r\n b",
        b" ",
        b"\xa0",
        b"\x1c",
    ),
    *(b"X-Request-Id: a\r\n", b"trailer: b\r\n", b"\x01", b"\x7f", b"\x0c"),
)
TARGETS = (
    Target("framing", _check_framing, PLAIN, _HTTP, executions=1000, peak=(2000, 2 * 2**20)),
    Target("whole-request", _check_whole_request, PLAIN, _HTTP, executions=6000),
    Target(
        "accept", _check_accept, PLAIN, b"text/csv */* application/json ;q=0.5 q=nan q=inf q=1_0 , ;".split()
    ),
    Target("keys", _check_keys, PLAIN, (b"#", b":", b"\n", b"\x0b", b"anonymous", b"a" * 64)),
    Target("address", _check_address, PLAIN, (b"::1", b"%", b"::ffff:", b"1.2.3.4", b"/")),
)
