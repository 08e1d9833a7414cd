"""The limit of open connections, on real sockets: silence makes room, work does not, and nothing breaks."""

import resource
import threading
from contextlib import ExitStack

import pytest
import raw
from raw import GET, PATIENCE, POST, answers, exchange, listening, once, opened, plain, until_closed

from mizzle.service.inference.observer import CONNECTIONS
from mizzle.service.transport.connections import allowed_connections, capped
from mizzle.service.transport.protocol import protocol_class

MOST = 3
HEAD = POST + b"Content-Length: 1\r\n\r\n"  # a request whose body has yet to come


@pytest.fixture
def refused():
    return []


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch, refused) -> None:
    """Servers with room for MOST connections."""
    monkeypatch.setattr(
        raw, "protocol_class", lambda *given: capped(protocol_class(*given), MOST, refused.append, MOST)
    )


@pytest.fixture
def held():
    """Opens connections that stay open until the test ends."""
    with ExitStack() as stack:
        yield lambda address, *pieces: stack.enter_context(opened(address, *pieces))


class Counting:
    """An application that lets the test wait until so many requests have reached it."""

    def __init__(self) -> None:
        self._begun = threading.Semaphore(0)

    async def __call__(self, scope, receive, send) -> None:
        self._begun.release()
        await plain(scope, receive, send)

    def wait(self, count) -> None:
        for _ in range(count):
            assert self._begun.acquire(timeout=PATIENCE)


def test_beyond_the_limit_a_connection_is_refused_without_a_request(limited, held, refused) -> None:
    app = Counting()
    with listening(app) as address:
        busy = [held(address, HEAD) for _ in range(MOST)]
        app.wait(MOST)
        [answer] = exchange(address)
        problem = answer.problem(503, "not_ready")
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-request-id"] == problem["request_id"]
        assert int(answer.headers["retry-after"]) >= 1
        assert refused == [CONNECTIONS]
        for connection in busy:
            assert once(connection, b"a").status == 200


def test_there_is_room_again_when_one_has_gone(limited, held) -> None:
    app = Counting()
    with listening(app) as address:
        busy = [held(address, HEAD) for _ in range(MOST)]
        app.wait(MOST)
        assert once(busy[0], b"a").status == 200
        assert once(held(address, GET + b"\r\n")).status == 200  # in the place of the one that waits now
        assert until_closed(busy[0]) == b""
        assert [once(connection, b"a").status for connection in busy[1:]] == [200, 200]


@pytest.mark.parametrize("sent", [0, 8], ids=["nothing", "half a head"])
def test_silence_makes_room_the_longest_first(limited, held, refused, sent: int) -> None:
    whole = GET + b"\r\n"
    with listening(plain) as address:
        old = held(address, whole)
        assert once(old).status == 200
        silent = [held(address, whole[:sent]) for _ in range(5 * MOST)]
        assert once(held(address, whole)).status == 200
        for connection in [old, *silent[: 1 - MOST]]:
            assert until_closed(connection) == b""
        for connection in silent[1 - MOST :]:
            assert once(connection, whole[sent:]).status == 200
    assert refused == []


def test_a_flood_breaks_nothing(limited, held, refused) -> None:
    app = Counting()
    with listening(app) as address:
        busy = [held(address, HEAD) for _ in range(MOST)]
        app.wait(MOST)
        flood = [held(address, GET + b"\r\n") for _ in range(200)]
        found = [answers(until_closed(connection)) for connection in flood]
        assert {answer.status for each in found for answer in each} == {503}
        assert len(refused) == len(flood)
        for connection in busy:
            assert once(connection, b"a").status == 200
        assert once(held(address, GET + b"\r\n")).status == 200


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch):
    """Sets the hard limit of open files that the process seems to have; gives what was then asked for."""
    asked = []

    def pretend(hard):
        monkeypatch.setattr(resource, "getrlimit", lambda _: (256, hard))
        monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
        return asked

    return pretend


@pytest.mark.parametrize(
    ("hard", "found"), [(100_000, 1000), (1064, 1000), (resource.RLIM_INFINITY, 1000), (564, 500), (10, 1)]
)
def test_the_limit_of_open_files_is_raised_and_kept(
    limit, caplog: pytest.LogCaptureFixture, hard, found: int
) -> None:
    asked = limit(hard)
    assert allowed_connections(1000) == found
    assert asked == [(hard, hard)]
    assert bool(caplog.records) == (found < 1000)


TOTAL = 8
OTHER = ("127.0.0.2", 0)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, refused) -> None:
    """Servers with room for TOTAL connections, which addresses share."""
    monkeypatch.setattr(
        raw, "protocol_class", lambda *given: capped(protocol_class(*given), TOTAL, refused.append)
    )


@pytest.fixture
def held_by_another():
    """As `held`, from another address of this machine."""
    with ExitStack() as stack:
        yield lambda address, *pieces: stack.enter_context(opened(address, *pieces, source=OTHER))


@pytest.mark.parametrize("sent", [b"", GET[:8], HEAD], ids=["nothing", "half a head", "half a request"])
def test_one_address_leaves_room_for_others(shared, held, held_by_another, refused, sent: bytes) -> None:
    """Whatever it holds; and its own further ones close the longest silence of its own, or are refused."""
    with listening(plain) as address:
        own = [held(address, sent) for _ in range(3 * TOTAL)]
        until_closed(own[-1 if sent is HEAD else 0])
        if sent is HEAD:
            assert refused
            assert set(refused) == {CONNECTIONS}
        other = held_by_another(address, GET + b"\r\n")
        assert answers(other.recv(65536))[0].status == 200
        assert once(other, GET + b"\r\n").status == 200


def test_the_silence_of_another_address_is_not_ended_for_one_that_has_enough(
    shared, held, held_by_another, refused
) -> None:
    app = Counting()
    with listening(app) as address:
        other = held_by_another(address, GET + b"\r\n")
        assert answers(other.recv(65536))[0].status == 200
        own = [held(address, HEAD) for _ in range(2 * TOTAL)]
        until_closed(own[-1])
        assert refused
        assert once(other, GET + b"\r\n").status == 200
