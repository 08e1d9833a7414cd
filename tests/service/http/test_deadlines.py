"""Who sends or reads too slowly is cut, and those who do not are unharmed.

The deadlines that have to pass are short; no test depends on how soon after one something happens.
"""

import asyncio
import logging
import threading
from contextlib import ExitStack, suppress

import pytest
from raw import (
    CHUNKED,
    GET,
    LAST,
    PATIENCE,
    POST,
    answers,
    listening,
    once,
    opened,
    plain,
    trickle,
    until_closed,
)

SHORT = 0.3  # seconds; a deadline that has to pass
BEGUN = {
    "first line": (b"GET /", b"a"),
    "a header": (GET + b"X-A: ", b"a"),
    "headers": (GET, b"X-A: b\r\n"),
    "body": (POST + b"Content-Length: 100000\r\n\r\n", b"a"),
    "chunks": (CHUNKED, b"1\r\na\r\n"),
    "size of a chunk": (CHUNKED + b"1;", b"a"),
    "trailers": (CHUNKED + b"0\r\n", b"X-A: b\r\n"),
}


@pytest.fixture(scope="module")
def hasty():
    with listening(plain, SHORT, SHORT) as address:
        yield address


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture):
    """The requests and complaints that are logged while a test runs, by logger."""
    caplog.set_level(logging.INFO)
    return lambda: [r.name for r in caplog.records if r.name == "mizzle.access" or r.levelno > logging.INFO]


@pytest.mark.parametrize("case", BEGUN)
def test_a_slow_sender_is_cut_however_steadily_it_sends(case: str, hasty) -> None:
    begun, more = BEGUN[case]
    with opened(hasty, begun) as connection:
        [answer] = answers(trickle(connection, more))
    answer.problem(408, "request_timeout")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("case", BEGUN)
def test_so_is_one_that_sends_nothing_more(case: str, hasty) -> None:
    with opened(hasty, BEGUN[case][0]) as connection:
        [answer] = answers(until_closed(connection))
    answer.problem(408, "request_timeout")


def test_so_is_a_later_request_of_a_connection(hasty) -> None:
    with opened(hasty, GET + b"\r\n" + GET) as connection:
        first, second = answers(trickle(connection, b"X-A: b\r\n"))
    assert first.status == 200
    second.problem(408, "request_timeout")


def test_a_connection_that_is_never_used_is_closed_without_a_word(lines, hasty) -> None:
    with opened(hasty) as connection:
        assert until_closed(connection) == b""
        assert lines() == []


def test_an_idle_connection_is_not_a_slow_one(hasty) -> None:
    """The other connection is opened later and its deadline has passed when it is closed."""
    with opened(hasty) as idle:
        assert once(idle, GET + b"\r\n").status == 200
        with opened(hasty) as other:
            assert until_closed(other) == b""
        idle.sendall(GET + LAST + b"\r\n")
        [answer] = answers(until_closed(idle))
    assert answer.status == 200


def test_the_application_learns_that_a_body_was_cut() -> None:
    told = threading.Event()

    async def waiting(scope, receive, send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})  # nobody hears it
        told.set()

    with listening(waiting, body_seconds=SHORT) as address, opened(address, BEGUN["body"][0]) as connection:
        [answer] = answers(trickle(connection))
        assert told.wait(PATIENCE)
    assert answer.status == 408


def test_an_application_that_answers_too_late_is_not_heard(lines) -> None:
    cut, done = threading.Event(), threading.Event()

    async def late(scope, receive, send) -> None:
        await asyncio.to_thread(cut.wait, PATIENCE)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
        done.set()

    with listening(late, body_seconds=SHORT) as address, opened(address, BEGUN["body"][0]) as connection:
        assert once(connection).status == 408
        cut.set()
        assert done.wait(PATIENCE)
        assert until_closed(connection) == b""
    assert lines() == []


def test_what_comes_after_a_cut_is_not_served(lines) -> None:
    async def never(scope, receive, send) -> None:
        raise AssertionError

    with listening(never, SHORT) as address, opened(address, GET) as connection:
        assert once(connection).status == 408
        connection.sendall(b"\r\n")
        assert until_closed(connection) == b""
    assert lines() == ["mizzle.access"]


@pytest.mark.parametrize("whole", [False, True])
def test_an_answer_that_has_begun_is_followed_by_no_other(whole: bool) -> None:
    async def early(scope, receive, send) -> None:
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": b"no"[: 1 + whole], "more_body": not whole})
        while not whole and (await receive())["type"] != "http.disconnect":
            pass

    with listening(early, body_seconds=SHORT) as address, opened(address, BEGUN["body"][0]) as connection:
        received = connection.recv(65536)
        while not received.endswith(b"no"[: 1 + whole]):
            received += connection.recv(65536)
        assert trickle(connection) == b""
    assert received.startswith(b"HTTP/1.1 413 ")


def test_a_refused_body_of_a_head_request_has_no_body(hasty) -> None:
    with opened(hasty, BEGUN["body"][0].replace(b"POST", b"HEAD")) as connection:
        received = until_closed(connection)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert received.endswith(b"\r\n\r\n")


def test_a_reader_that_does_not_read_is_cut() -> None:
    told = threading.Event()

    async def much(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(2**26), "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})  # waits for the reader
        told.set()

    with listening(much, body_seconds=SHORT) as address, opened(address, GET + b"\r\n") as connection:
        assert told.wait(PATIENCE)
        assert len(until_closed(connection)) < 2**26


def test_a_slow_reader_that_reads_gets_everything() -> None:
    size = 2**24

    async def much(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(4):
            await send({"type": "http.response.body", "body": bytes(size // 4), "more_body": True})
        await send({"type": "http.response.body"})

    with listening(much) as address, opened(address, b"GET / HTTP/1.0\r\n\r\n") as connection:
        assert until_closed(connection).count(0) == size


def test_a_normal_client_is_unharmed_beside_many_slow_ones() -> None:
    with ExitStack() as stack:
        address = stack.enter_context(listening(plain, 1.0))
        normal = stack.enter_context(opened(address, b""))
        assert once(normal, GET + b"\r\n").status == 200
        slow = [stack.enter_context(opened(address, GET)) for _ in range(50)]
        for connection in slow * 2:
            with suppress(ConnectionError):
                connection.sendall(b"a")
            assert once(normal, POST + b"Content-Length: 1\r\n\r\na").body == b"1"
        assert {answers(until_closed(connection))[0].status for connection in slow} == {408}
        assert once(normal, GET + b"\r\n").status == 200


def test_a_server_stops_beside_slow_and_refused_connections() -> None:
    with listening(plain) as address:
        left = [opened(address, sent) for sent in (b"", GET, CHUNKED, b"\r\n\r\n")]
        until_closed(left[-1])
    for connection in left:
        connection.close()
