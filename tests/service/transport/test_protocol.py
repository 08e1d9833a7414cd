"""Bytes on a socket: what is malformed or too large is refused with a problem, and the connection closed."""

import json
import logging

import pytest
from raw import (
    CHUNKED,
    GET,
    HOST,
    LAST,
    PATIENCE,
    POST,
    answers,
    exchange,
    listening,
    opened,
    plain,
    until_closed,
)

from mizzle.service.transport import protocol
from mizzle.service.transport.protocol import protocol_class

MALFORMED = {
    "length and encoding": POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "encoding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "two equal lengths": POST + b"Content-Length: 1\r\ncontent-length: 1\r\n\r\na",
    "list of lengths": POST + b"Content-Length: 1, 1\r\n\r\na",
    "signed length": POST + b"Content-Length: +1\r\n\r\na",
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "hexadecimal length": POST + b"Content-Length: 0x1\r\n\r\na",
    "no length": POST + b"Content-Length:\r\n\r\na",
    "length of 30 digits": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "folded line": GET + b"X-A: b\r\n c\r\n\r\n",
    "folded by tab": GET + b"X-A: b\r\n\tc\r\n\r\n",
    "folded length": POST + b"Content-Length: 1\r\n 2\r\n\r\n",
    "folded first line": b"GET / HTTP/1.1\r\n X: y\r\n" + HOST + b"\r\n",
    "gzip": POST + b"Transfer-Encoding: gzip\r\n\r\n",
    "gzip and chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two encodings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "spaced name": POST + b"Content-Length : 1\r\n\r\na",
    "name of nothing": GET + b": a\r\n\r\n",
    "no colon": GET + b"a\r\n\r\n",
    "nul": GET + b"X-A: a\0b\r\n\r\n",
    "carriage return": GET + b"X-A: a\rb\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": GET + HOST + b"\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "chunks in 1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "spaces in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "target not ASCII": "GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "nothing": b"\r\n\r\n",
    "lines without carriage return": (GET + b"\r\n").replace(b"\r", b""),
    "first line without carriage return": (GET + b"\r\n").replace(b"\r", b"", 1),
    "a header without carriage return": GET + b"X-A: b\nX-C: d\r\n\r\n",
    "last line without carriage return": GET + b"\n",
    "a body behind lines without carriage return": POST.replace(b"\r", b"") + b"Content-Length: 1\n\na",
    "address with a user": b"GET http://me@mizzle.test/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "address with a fragment": b"GET http://mizzle.test/#a HTTP/1.1\r\n" + HOST + b"\r\n",
    "address without a host": b"GET http:///a HTTP/1.1\r\n" + HOST + b"\r\n",
    "address of another scheme": b"GET ftp://mizzle.test/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "address and no host": b"GET http://mizzle.test/ HTTP/1.1\r\n\r\n",
    "address and two hosts": b"GET http://mizzle.test/ HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
}
MALFORMED_BODIES = {
    "no chunk size": CHUNKED + b"\r\n",
    "chunk size in words": CHUNKED + b"one\r\na\r\n0\r\n\r\n",
    "chunk size with sign": CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
    "chunk size with prefix": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "chunk size of 21 digits": CHUNKED + b"1" * 21 + b"\r\n",
    "chunk longer than said": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "trailer without carriage return": CHUNKED + b"0\r\nX-A: b\n\r\n",
    "no trailer, without carriage return": CHUNKED + b"0\r\n\n",
    "120 KB of trailers": CHUNKED + b"0\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    "101 trailers": CHUNKED + b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    "a trailer of 17 KB": CHUNKED + b"0\r\nA: " + b"b" * 17_000 + b"\r\n\r\n",
    "folded trailer": CHUNKED + b"0\r\n a\r\n\r\n",
    "extension without end": CHUNKED + b"1;" + b"a" * 300_000,
    "chunks of a byte": CHUNKED + b"1\r\na\r\n" * 70_000 + b"0\r\n\r\n",
}
TOO_LARGE = {
    "101 headers": GET + b"X-A: b\r\n" * 100 + b"\r\n",
    "17 KB header": GET + b"X-A: " + b"a" * 17_000 + b"\r\n\r\n",
    "17 KB target": b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "17 KB without end": GET + b"X-A: " + b"a" * 17_000,
    "50,000 headers": GET + b"X-A: b\r\n" * 50_000 + b"\r\n",
    "1 MB header": GET + b"X-A: " + b"a" * 2**20 + b"\r\n\r\n",
}
REFUSED = {
    **{name: (sent, 400, "bad_request") for name, sent in (MALFORMED | MALFORMED_BODIES).items()},
    **{name: (sent, 431, "headers_too_large") for name, sent in TOO_LARGE.items()},
}
GOOD = {
    "get": (GET + LAST + b"\r\n", "0"),
    "post": (POST + LAST + b"Content-Length: 3\r\n\r\nabc", "3"),
    "chunks": (CHUNKED[:-2] + LAST + b"\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n", "3"),
    "HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", "0"),
    "100 headers": (GET + LAST + b"X-A: b\r\n" * 98 + b"\r\n", "0"),
    "16 KB head": (GET + LAST + b"X-A: " + b"a" * 16_000 + b"\r\n\r\n", "0"),
    "empty header": (GET + LAST + b"X-A:\r\n\r\n", "0"),
    "body like a head": (POST + LAST + b"Content-Length: 12\r\n\r\na\r\n b\r\n\r\nc\r\n", "12"),
}
UPGRADES = [b"websocket", b"h2c", b"TLS/1.2"]


@pytest.fixture(scope="module")
def address():
    with listening(plain) as address:
        yield address


@pytest.fixture(scope="module")
def deaf():
    async def never(scope, receive, send) -> None:
        raise AssertionError

    with listening(never) as address:
        yield address


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture):
    """The requests and complaints that are logged while a test runs, by logger."""
    caplog.set_level(logging.INFO)
    return lambda: [r.name for r in caplog.records if r.name == "mizzle.access" or r.levelno > logging.INFO]


def pieces(sent):
    """Byte by byte, or as nearly so as is still quick."""
    size = max(1, len(sent) // 500)
    return [sent[i : i + size] for i in range(0, len(sent), size)]


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_a_problem(case, cut: bool, address, lines) -> None:
    sent, status, code = REFUSED[case]
    [answer] = exchange(address, *(pieces(sent) if cut else [sent]))
    problem = answer.problem(status, code)
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"] == problem["request_id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    known = case in MALFORMED_BODIES  # then the application, not the protocol, logs the request
    assert lines() == ([] if known else ["mizzle.access"])


@pytest.mark.parametrize("case", [*MALFORMED, *TOO_LARGE])
def test_what_is_wrong_at_the_head_reaches_no_application(case, deaf) -> None:
    [answer] = exchange(deaf, REFUSED[case][0])
    assert answer.status == REFUSED[case][1]


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize("case", GOOD)
def test_what_is_unusual_but_right_is_answered(case: str, cut: bool, address) -> None:
    sent, body = GOOD[case]
    [answer] = exchange(address, *(pieces(sent) if cut else [sent]))
    assert (answer.status, answer.body.decode()) == (200, body)


@pytest.mark.parametrize("name", UPGRADES)
def test_an_upgrade_is_ignored_quietly(name: bytes, address, lines) -> None:
    asked = GET + b"Connection: Upgrade, close\r\nUpgrade: " + name + b"\r\n\r\n"
    [answer] = exchange(address, asked)
    assert (answer.status, lines()) == (200, [])


def test_a_bad_request_behind_a_good_one_is_refused_after_it(address) -> None:
    first, second = exchange(address, GET + b"\r\n" + MALFORMED["folded line"])
    assert first.status == 200
    second.problem(400, "bad_request")


def test_what_follows_a_refusal_is_not_read(address) -> None:
    [answer] = exchange(address, MALFORMED["no host"] + GET + b"\r\n")
    answer.problem(400, "bad_request")


def test_requests_in_a_row_are_answered_in_order(address) -> None:
    asked = b"".join(POST + b"Content-Length: %d\r\n\r\n" % n + b"a" * n for n in range(5))
    received = exchange(address, asked + GET + LAST + b"\r\n")
    assert [answer.body for answer in received] == [b"0", b"1", b"2", b"3", b"4", b"0"]


def test_a_body_is_asked_for_where_the_caller_waits(address) -> None:
    with opened(address, POST + LAST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"a")
        [answer] = answers(until_closed(connection))
    assert answer.body == b"1"


def test_a_refused_caller_may_finish_what_it_was_sending(address, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the system would answer it with a reset, and drop the refusal on the way."""
    monkeypatch.setattr(protocol, "_LINGER", PATIENCE)
    with opened(address, MALFORMED["no host"]) as connection:
        assert answers(until_closed(connection))[0].status == 400
        for _ in range(10):
            connection.sendall(b"a" * 1000)


def test_every_class_has_bounds_of_its_own() -> None:
    one, other = protocol_class(1, 2, 3), protocol_class(4, 5, 6)
    assert (tuple(one.bounds), tuple(other.bounds)) == ((1, 2, 3), (4, 5, 6))


async def echo(scope, receive, send) -> None:
    """An application that answers with what it was asked."""
    hosts = [value.decode() for name, value in scope["headers"] if name == b"host"]
    body = json.dumps([scope["method"], scope["path"], scope["query_string"].decode(), hosts]).encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("http://other.test/v1/a?b=c", "/v1/a", "b=c", "other.test"),
        ("HTTP://Other.test:80/v1/a", "/v1/a", "", "Other.test:80"),
        ("https://[::1]:8000", "/", "", "[::1]:8000"),
        ("http://other.test?a=/b", "/", "a=/b", "other.test"),
        ("http://other.test//a/http://b", "//a/http://b", "", "other.test"),
        ("/http://b", "/http://b", "", "mizzle.test"),
    ],
)
def test_a_whole_address_is_a_host_and_a_path(target: str, path: str, query: str, host: str) -> None:
    """The host of the address counts, and not that of the header (RFC 9112, 3.2.2)."""
    with listening(echo) as address:
        [answer] = exchange(address, f"GET {target} HTTP/1.1\r\n".encode(), HOST, LAST, b"\r\n")
    assert json.loads(answer.body) == ["GET", path, query, [host]]
