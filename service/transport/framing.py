"""h11 with the checks that it leaves out: of the size of a head, and of what says where a body ends.

A request that two programs could cut out of a connection differently lets one hide another from a proxy, so
whatever is ambiguous there is refused. h11 limits a head only while it is incomplete, and a request that
arrives whole is not checked at all, nor what stands behind the last chunk of a body; it joins folded lines,
ends lines where other programs do not, keeps one of several equal lengths, and lets Transfer-Encoding win
over Content-Length. It passes on a target that is a whole address as if it were a path.
"""

import re

import h11
from h11._receivebuffer import ReceiveBuffer

_MOST_CHUNKS = 65_536  # each costs more to read than a byte of its data
_BLANK_LINE = re.compile(rb"\n\r?\n")
_ABSOLUTE = re.compile(rb"https?://([^/?#@\s]+)(/[^#]*)?(\?[^#]*)?", re.IGNORECASE)
_WITH_SCHEME = re.compile(rb"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LENGTH, _ENCODING = b"content-length", b"transfer-encoding"

Received = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class StrictBuffer(ReceiveBuffer):
    """What was received and not read; lines of a head, or behind the last chunk of a body, end in CR LF."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """As in h11."""
        received = bytes(self)
        lines = super().maybe_extract_lines()
        extracted = received[: len(received) - len(self)]
        if extracted.count(b"\n") != extracted.count(b"\r\n"):
            raise h11.RemoteProtocolError("a line without a carriage return")
        return lines


class StrictConnection(h11.Connection):
    """The server's end of one connection.

    Args:
        max_head_bytes: request line and headers.
        max_headers: lines of headers.

    Attributes:
        refusal: the status that an unacceptable request deserves; nothing is read after it.
    """

    def __init__(self, max_head_bytes: int, max_headers: int) -> None:
        super().__init__(h11.SERVER, max_head_bytes)
        self._receive_buffer = StrictBuffer()
        self.refusal: int | None = None
        self._max_head_bytes = max_head_bytes
        self._max_headers = max_headers
        self._chunks = 0

    def next_event(self) -> Received:
        """As in h11, but what is wrong becomes a `refusal` and is not raised."""
        if self.refusal is not None:
            return h11.NEED_DATA
        in_head = self.their_state is h11.IDLE
        try:
            if in_head:
                self._check_head(self.trailing_data[0])
            return self._checked(super().next_event())
        except h11.RemoteProtocolError as error:
            self.refusal = 431 if in_head and error.error_status_hint == 431 else 400
            return h11.NEED_DATA

    def _check_head(self, received: bytes) -> None:
        """Of the bytes themselves, as soon as the head is complete; h11 gives them no more."""
        end = _BLANK_LINE.search(received)
        if end is None:
            return
        lines = received[: end.start()].split(b"\n")[1:]
        if end.start() > self._max_head_bytes or len(lines) > self._max_headers:
            raise h11.RemoteProtocolError("head too large", 431)
        if any(line.startswith((b" ", b"\t")) for line in lines):
            raise h11.RemoteProtocolError("folded line")
        fields = [line.partition(b":") for line in lines]
        _check_framing([(name.lower(), value) for name, _, value in fields])

    def _checked(self, event: Received) -> Received:
        if isinstance(event, h11.Request):
            self._chunks = 0
            _check_version(event)
            return _in_origin_form(event)
        if isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            if self._chunks > _MOST_CHUNKS:
                raise h11.RemoteProtocolError("too many chunks")
        if isinstance(event, h11.EndOfMessage):
            trailers = list(event.headers)
            size = sum(len(name) + len(value) for name, value in trailers)
            if size > self._max_head_bytes or len(trailers) > self._max_headers:
                raise h11.RemoteProtocolError("trailers too large")
        return event


def _check_framing(fields: list[tuple[bytes, bytes]]) -> None:
    lengths = [value for name, value in fields if name == _LENGTH]
    encodings = [value for name, value in fields if name == _ENCODING]
    if len(lengths) > 1 or any(b"," in value for value in lengths):
        raise h11.RemoteProtocolError("several lengths")
    if lengths and encodings:
        raise h11.RemoteProtocolError("a length and an encoding")


def _check_version(request: h11.Request) -> None:
    if request.http_version not in (b"1.0", b"1.1"):
        raise h11.RemoteProtocolError("unknown version")
    if request.http_version == b"1.0" and any(name == _ENCODING for name, _ in request.headers):
        raise h11.RemoteProtocolError("an encoding that this version does not have")


def _in_origin_form(request: h11.Request) -> h11.Request:
    """A request whose target may be a whole address, as proxies are sent, as one for its path.

    The address then says which host is meant, whatever the header Host says (RFC 9112, 3.2.2). One with a
    user, a fragment or another scheme is refused.
    """
    if not _WITH_SCHEME.match(request.target):
        return request
    match = _ABSOLUTE.fullmatch(request.target)
    if match is None:
        raise h11.RemoteProtocolError("a target that is no address of a host and a path")
    host, path, query = match.groups()
    others = [(name, value) for name, value in request.headers if name != b"host"]
    return h11.Request(
        method=request.method,
        target=(path or b"/") + (query or b""),
        headers=[(b"host", host), *others],
        http_version=request.http_version,
    )
