"""What one key may ask for, on a clock that the test moves."""

import asyncio
import math
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw import call, plain

from mizzle.errors import RateLimited
from mizzle.service.app import create_app
from mizzle.service.http.auth import Auth, Keys, new_key
from mizzle.service.http.quota import Quota, Quotas
from mizzle.service.settings import Settings

ALICE, LINE = new_key("alice")
BOB, BOBS_LINE = new_key("bob")


class Clock:
    """Seconds, as they are set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def later(quotas, name="a"):
    """When a request of `name` would be admitted: the seconds it is told."""
    with pytest.raises(RateLimited) as refused:
        quotas.admit(name)
    return refused.value.retry_after


def test_without_limits_everything_is_admitted(clock) -> None:
    quotas = Quotas(clock=clock)
    for _ in range(1000):
        quotas.admit("a")


def test_so_many_at_once_and_no_more(clock) -> None:
    quotas = Quotas(concurrency=2, clock=clock)
    first, second = quotas.admit("a"), quotas.admit("a")
    assert later(quotas) > 0
    first()
    third = quotas.admit("a")
    assert later(quotas) > 0
    second(), third()
    quotas.admit("a"), quotas.admit("a")


def test_the_time_to_come_back_is_that_of_the_next_end(clock) -> None:
    """Requests of 8 seconds, 4 at once: one ends every 2 seconds."""
    quotas = Quotas(concurrency=4, clock=clock)
    for _ in range(200):
        done = quotas.admit("a")
        clock.now += 8
        done()
    for _ in range(4):
        quotas.admit("a")
    assert later(quotas) == pytest.approx(2)


def test_so_many_in_a_minute_and_no_more(clock) -> None:
    quotas = Quotas(per_minute=3, clock=clock)
    for second in (0, 10, 20):
        clock.now = 1000 + second
        quotas.admit("a")()
    clock.now = 1030
    assert later(quotas) == pytest.approx(30)  # when the first one is a minute old
    clock.now = 1059.5
    assert later(quotas) == pytest.approx(0.5)
    clock.now = 1060
    quotas.admit("a")()
    assert later(quotas) == pytest.approx(10)


def test_a_refusal_does_not_count(clock) -> None:
    quotas = Quotas(concurrency=1, per_minute=2, clock=clock)
    done = quotas.admit("a")
    for _ in range(10):
        later(quotas)
    done()
    quotas.admit("a")()
    assert later(quotas) == pytest.approx(60)


@given(st.lists(st.floats(0, 40), max_size=60), st.integers(1, 5))
def test_no_minute_has_more_and_every_promise_holds(steps, limit) -> None:
    clock = Clock()
    quotas, admitted = Quotas(per_minute=limit, clock=clock), []
    for step in steps:
        clock.now += step
        try:
            quotas.admit("a")()
        except RateLimited as refused:
            clock.now += math.nextafter(refused.retry_after or 0, math.inf) + 1e-9
            quotas.admit("a")()
        admitted.append(clock.now)
    for start in admitted:
        assert sum(start <= time < start + 60 - 1e-6 for time in admitted) <= limit


def test_names_do_not_share(clock) -> None:
    quotas = Quotas(concurrency=1, per_minute=1, clock=clock)
    for name in "abc":
        quotas.admit(name)
    for name in "abc":
        later(quotas, name)


def test_names_that_were_not_heard_of_for_a_minute_are_forgotten(clock) -> None:
    quotas = Quotas(concurrency=1, per_minute=5, clock=clock)
    staying = quotas.admit("staying")
    for i in range(1000):
        quotas.admit(f"name{i}")()
        clock.now += 1
    assert len(quotas) <= 62
    later(quotas, "staying")
    staying()
    quotas.admit("staying")


def test_what_is_kept_of_a_name_is_bounded(clock) -> None:
    quotas = Quotas(per_minute=7, clock=clock)
    for _ in range(1000):
        quotas.admit("a")()
        clock.now += 10
    assert len(quotas._usages["a"].admitted) == 7


def test_requests_beyond_it_are_429_of_their_key_alone(clock) -> None:
    reasons: list[str] = []
    keys = Keys.parse(f"{LINE}\n{BOBS_LINE}")
    app = Auth(Quota(plain, Quotas(0, 2, clock), ["/livez"], reasons.append), keys, ["/livez"])
    alice, bob = ("X-API-Key", ALICE), ("X-API-Key", BOB)
    assert [call(app, alice).status for _ in range(2)] == [200, 200]
    answer = call(app, alice)
    problem = answer.problem(429, "rate_limited")
    assert problem["retry_after_s"] == 60
    assert answer.headers["retry-after"] == "60"
    assert call(app, bob).status == 200
    assert [call(app, path="/livez").status for _ in range(5)] == [200] * 5
    assert reasons == ["key_limit"]


def test_without_keys_everybody_shares(clock) -> None:
    app = Auth(Quota(plain, Quotas(0, 1, clock)), Keys())
    assert call(app, ("X-API-Key", "one")).status == 200
    call(app, ("X-API-Key", "another")).problem(429, "rate_limited")


@pytest.mark.parametrize("end", ["answered", "failed", "cancelled"])
def test_a_place_is_given_back_however_a_request_ends(end: str) -> None:
    quotas = Quotas(concurrency=1)

    async def app(scope, receive, send) -> None:
        with pytest.raises(RateLimited):
            quotas.admit("anonymous")
        if end == "failed":
            raise ZeroDivisionError
        if end == "cancelled":
            task = asyncio.current_task()
            assert task
            task.cancel()
            await asyncio.sleep(0)

    async def live() -> None:
        request = Quota(app, quotas)({"type": "http", "path": "/"}, None, None)  # type: ignore[arg-type]
        await asyncio.gather(request, return_exceptions=True)

    asyncio.run(live())
    quotas.admit("anonymous")


@pytest.mark.parametrize(
    ("keys", "chosen", "limited"),
    [
        (Keys.parse(LINE), {}, True),
        (Keys(), {}, False),
        (Keys(), {"key_concurrency": 64}, True),
        (Keys.parse(LINE), {"key_concurrency": 0}, False),
    ],
)
def test_by_default_a_key_has_a_limit_and_a_service_without_keys_has_none(
    fake, keys, chosen, limited
) -> None:
    app = create_app(Settings(**chosen), fake, keys=keys)
    layers: list[Any] = app.user_middleware
    [quotas] = [m.kwargs["quotas"] for m in layers if m.cls is Quota]
    for _ in range(64):
        quotas.admit("alice")
    with pytest.raises(RateLimited) if limited else nullcontext():
        quotas.admit("alice")
    quotas.admit("bob")
