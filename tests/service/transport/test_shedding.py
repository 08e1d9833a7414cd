"""The door: what it turns away while there is no room, and what it leaves to the parser."""

import asyncio
import json
from typing import Any

import pytest
from raw import ASK, GET, HOST, LAST, WHOLE, answers, exchange, listening, once, opened, plain, until_closed
from test_protocol import MALFORMED, MALFORMED_BODIES, TOO_LARGE

from mizzle.errors import NotReady, QueueFull
from mizzle.service.http.auth import Keys, new_key
from mizzle.service.telemetry.metrics import Metrics
from mizzle.service.transport import shedding
from mizzle.service.transport.shedding import LoadShedder, whole_request

QUERY = WHOLE.replace(b"estimate", b"estimate?levels=0.5")
BATCH = WHOLE.replace(b"estimate", b"estimate:batch")
USUAL = [(b"date", b"Wed, 25 Nov 2026 12:00:00 GMT")]
PASSED = {
    "another method": WHOLE.replace(b"POST", b"PUT"),
    "another path": WHOLE.replace(b"estimate", b"estimates"),
    "an absolute target": WHOLE.replace(b"/v1", b"http://localhost/v1"),
    "HTTP/1.0": WHOLE.replace(b"1.1", b"1.0"),
    "a head without end": ASK + b"Content-Length: 2\r\n",
    "half a body": WHOLE[:-1],
    "two requests": WHOLE + WHOLE,
    "no length": ASK + b"\r\n",
    "two lengths": ASK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a length of ten digits": ASK + b"Content-Length: 0000000002\r\n\r\n{}",
    "chunks": ASK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks and a length": ASK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
    "a folded line": ASK + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "a bare line feed": ASK + b"X-A: b\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a space before a colon": ASK + b"Content-Length : 2\r\n\r\n{}",
    "no host": b"POST /v1/estimate HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "two hosts": ASK + b"Host: b\r\nContent-Length: 2\r\n\r\n{}",
    "a caller who waits for 100": ASK + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "a last request": ASK + LAST + b"Content-Length: 2\r\n\r\n{}",
    "an upgrade": ASK + b"Upgrade: h2c\r\nContent-Length: 2\r\n\r\n{}",
    "a page of elsewhere": ASK + b"Origin: http://a.test\r\nContent-Length: 2\r\n\r\n{}",
    "a model, whose queue is its own": WHOLE.replace(b"estimate", b"estimate?levels=0.5&model=b"),
    "what may be a model": WHOLE.replace(b"estimate", b"estimate?m%6Fdel=b"),
    "a head of 17 KB": ASK + b"X-A: " + b"a" * 17_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
}


class Engine:
    """Only its door bell."""

    def __init__(self, error=None) -> None:
        self.error = error

    def check_capacity(self, caller, arriving=None) -> None:
        if self.error is not None:
            raise self.error


def full(seconds=2.5):
    error = QueueFull("too much work is waiting")
    error.retry_after = seconds
    return error


def engine_with(error=None) -> Any:
    return Engine(error)


def door(error):
    return LoadShedder(engine_with(error), Metrics())


def refusal(shedder, sent, client=None):
    """As of a protocol, which lives in an event loop."""

    async def live():
        return shedder.refusal(sent, USUAL, client)

    return asyncio.run(live())


@pytest.mark.parametrize("sent", PASSED.values(), ids=PASSED)
def test_what_is_not_plain_goes_the_usual_way(sent) -> None:
    assert whole_request(sent) is None
    assert door(full()).refusal(sent, USUAL) is None


@pytest.mark.parametrize("sent", [*MALFORMED.values(), *MALFORMED_BODIES.values(), *TOO_LARGE.values()])
def test_no_malformed_request_is_taken_for_a_whole_one(sent) -> None:
    assert whole_request(sent) is None
    assert whole_request(sent.replace(b"POST / ", b"POST /v1/estimate ")) is None


@pytest.mark.parametrize("error", [None, NotReady("loading")])
def test_while_there_is_room_or_no_model_all_goes_the_usual_way(error) -> None:
    assert refusal(door(error), WHOLE) is None


@pytest.mark.parametrize(
    ("sent", "route"),
    [(WHOLE, "/v1/estimate"), (BATCH, "/v1/estimate:batch"), (QUERY, "/v1/estimate")],
    ids=["one", "batch", "with a query"],
)
def test_a_refusal_is_the_problem_that_the_service_sends(sent, route: str) -> None:
    kept = Metrics()
    [answer] = answers(LoadShedder(engine_with(full()), kept).refusal(sent, USUAL) or b"")
    problem = answer.problem(429, "queue_full")
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert (problem["retry_after_s"], answer.headers["retry-after"]) == (2.5, "3")
    assert answer.headers["retry-after-ms"] == "2500"
    assert answer.headers["date"] == USUAL[0][1].decode()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    shown = {"route": route, "method": "POST", "status": "429"}
    assert kept.registry.get_sample_value("mizzle_http_requests_total", shown) == 1
    assert kept.registry.get_sample_value("mizzle_rejected_total", {"reason": "queue_full"}) == 1


@pytest.mark.parametrize("given", ["a", "A-z_9" * 12])
def test_the_callers_id_comes_back(given) -> None:
    sent = WHOLE.replace(b"Content-Length", f"X-Request-Id: {given}\r\nContent-Length".encode())
    [answer] = answers(door(full()).refusal(sent, USUAL))
    assert answer.headers["x-request-id"] == answer.problem(429, "queue_full")["request_id"] == given


def test_ids_differ_where_the_caller_gives_none_or_a_harmful_one() -> None:
    harmful = WHOLE.replace(b"Content-Length", b"X-Request-Id: a b\r\nContent-Length")
    porter = door(full())
    ids = [
        json.loads(answers(porter.refusal(sent, USUAL))[0].body)["request_id"] for sent in (WHOLE, harmful)
    ]
    assert len(set(ids)) == 2
    assert all(len(one) == 32 for one in ids)


def test_it_is_logged_like_any_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    door(full()).refusal(WHOLE, USUAL)
    [record] = [r for r in caplog.records if r.name == "mizzle.access"]
    fields = vars(record)["fields"]
    assert (fields["status"], fields["route"]) == (429, "/v1/estimate")


def test_a_refused_connection_goes_on() -> None:
    """One connection: refused twice, then let in, then refused again."""
    engine = engine_with(full())
    with listening(plain, door=LoadShedder(engine, Metrics())) as address, opened(address) as connection:
        assert [once(connection, WHOLE).status for _ in range(2)] == [429, 429]
        engine.error = None
        assert once(connection, WHOLE).body == b"2"
        engine.error = full()
        assert once(connection, WHOLE).status == 429
        assert once(connection, GET + b"\r\n").status == 200


def test_what_follows_an_unanswered_request_is_not_turned_away() -> None:
    """Pipelined: an answer out of turn would be taken for that of the request before."""
    with listening(plain, door=door(full())) as address:
        found = exchange(address, WHOLE[:-1], b"}" + WHOLE, GET + LAST + HOST[:0] + b"\r\n")
    assert [answer.status for answer in found] == [200, 200, 200]


ALICE, LINE = new_key("alice")
BOB, BOBS_LINE = new_key("bob")
BOTH = Keys.parse(f"{LINE}\n{BOBS_LINE}")


class FullForAll:
    """An engine whose queue is full for all but some callers."""

    def __init__(self, *but: str) -> None:
        self.but = but

    def check_capacity(self, caller, arriving=None) -> None:
        if caller.key not in self.but:
            raise full()


@pytest.mark.parametrize(
    "field",
    [f"Authorization: Bearer {BOB}", f"authorization:  bearer  {BOB} ", f"X-API-Key: {BOB}"],
    ids=["bearer", "bearer in small letters", "key"],  # without the key, which each worker draws anew
)
def test_who_has_a_share_left_is_told_by_the_key(field: str) -> None:
    engine: Any = FullForAll("bob")
    shedder = LoadShedder(engine, Metrics(), BOTH)
    sent = WHOLE.replace(b"Content-Length", f"{field}\r\nContent-Length".encode())
    assert refusal(shedder, sent, ("127.0.0.1", 1)) is None
    assert refusal(shedder, sent.replace(BOB.encode(), ALICE.encode()), ("127.0.0.1", 1))


@pytest.mark.parametrize("key", ["", "X-API-Key: mz_wrong\r\n", f"X-API-Key: {BOB}\r\nX-API-Key: {BOB}\r\n"])
def test_who_has_no_key_has_no_share(key: str) -> None:
    engine: Any = FullForAll("bob", "127.0.0.1")
    sent = WHOLE.replace(b"Content-Length", f"{key}Content-Length".encode())
    assert refusal(LoadShedder(engine, Metrics(), BOTH), sent, ("127.0.0.1", 1))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::2:3%eth0", "2001:db8::/64"),
    ],
)
def test_without_keys_callers_are_told_apart_by_their_addresses(host: str, name: str) -> None:
    engine: Any = FullForAll(name)
    assert refusal(LoadShedder(engine, Metrics()), WHOLE, (host, 1)) is None
    assert refusal(LoadShedder(engine, Metrics()), WHOLE, ("192.0.2.9", 1))


def test_who_asks_again_and_again_waits_for_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody else does; after a pause, the first refusals come at once again."""
    now = [100.0]
    monkeypatch.setattr("mizzle.service.transport.shedding.time.monotonic", lambda: now[0])
    shedder = door(full())
    held = [shedder.hold_seconds(("192.0.2.1", 1)) for _ in range(50)]
    assert held[:20] == [0.0] * 20
    assert set(held[20:]) == {shedding._HOLD_SECONDS}
    assert shedder.hold_seconds(("192.0.2.2", 1)) == 0
    now[0] += 0.11
    assert shedder.hold_seconds(("192.0.2.1", 1)) == 0
    assert len(shedder._refused) == 1  # nobody is remembered for longer


def test_a_refusal_that_was_held_back_is_sent_and_the_connection_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shedding, "_MAX_REFUSALS", 1)
    engine = engine_with(full())
    with listening(plain, door=LoadShedder(engine, Metrics())) as address, opened(address) as connection:
        assert [once(connection, WHOLE).status for _ in range(4)] == [429] * 4
        with opened(address, WHOLE):
            pass  # it leaves while its refusal is held back
        engine.error = None
        assert once(connection, WHOLE).body == b"2"


def test_a_server_that_stops_sends_what_it_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shedding, "_MAX_REFUSALS", 0)
    monkeypatch.setattr(shedding, "_HOLD_SECONDS", 60.0)
    counted = Metrics()
    with listening(plain, door=LoadShedder(engine_with(full()), counted)) as address:
        connection = opened(address, WHOLE)
        while not counted.registry.get_sample_value("mizzle_rejected_total", {"reason": "queue_full"}):
            pass
    with connection:
        assert [answer.status for answer in answers(until_closed(connection))] == [429]
