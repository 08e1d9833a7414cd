"""Part 5: bursts are no overload, and an overload is refused quickly while the accepted stay quick."""

import asyncio
import time
from collections.abc import Iterator

import http_load as http
import uvloop

from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import SEED, Service, serving

SHAPE = (200, 2, 2)
BURST, LOOP = 64, 32
LOW, HIGH = 0.7, 5.0  # of the capacity
MIN_GOODPUT, MAX_SLOWER, MAX_REFUSAL_MS = 0.9, 2.0, 50.0


def is_all_answered(figures: Figures) -> bool:
    """Whether nobody was refused."""
    return bool(figures["answered"] == figures["requests"] > 0)


def is_shed_well(figures: Figures) -> bool:
    """Whether the model is kept busy, the accepted are quick, and the refused hear of it at once."""
    quick = figures["p99_over_low"] <= MAX_SLOWER and not figures["refused_p99_ms"] > MAX_REFUSAL_MS
    return bool(figures["goodput_share"] >= MIN_GOODPUT and quick and figures["others"] == 0)


IDLE_BURST = Attack(
    5, f"{BURST} callers at once on an idle service", "all answered",
    "{answered} of {requests}", is_all_answered,
)  # fmt: skip
CLOSED_LOOP = Attack(
    5, f"a loop of {LOOP} connections", "all answered", "{answered} of {requests}", is_all_answered
)
OVERLOAD = Attack(
    5, f"{HIGH:.0f} times the capacity",
    f"goodput at least 90 %, p99 at most 2 x that at {LOW}, refusals within 50 ms (p99)",
    "goodput {goodput_share:.0%}, p99 {p99_over_low:.2f} x, refusals {refused_p99_ms:.0f} ms, "
    "{others} neither", is_shed_well,
)  # fmt: skip


def _loads(quick: bool) -> Iterator[Outcome]:
    seconds = 2.0 if quick else 10.0
    requests = [http.npy(*SHAPE, seed) for seed in range(BURST)]
    with serving() as service:
        uvloop.run(http.closed(service.port, requests, 4, 0.5))
        time.sleep(1.5)  # idle
        yield _answered(IDLE_BURST, uvloop.run(_burst(service.port, requests)))
        full = uvloop.run(http.closed(service.port, requests, LOOP, seconds / 2))
        yield _answered(CLOSED_LOOP, full)
        yield _overload(service, requests, len(http.with_status(full, 200)) / (seconds / 2), seconds)


async def _burst(port: int, requests: list[bytes]) -> list[http.Answer]:
    connections = [http.Connection(port) for _ in requests]
    pairs = zip(connections, requests, strict=True)
    answers = await asyncio.gather(*(connection.ask(request) for connection, request in pairs))
    for connection in connections:
        connection.close()
    return list(answers)


def _answered(attack: Attack, answers: list[http.Answer]) -> Outcome:
    return attack.outcome(requests=len(answers), answered=len(http.with_status(answers, 200)))


def _overload(service: Service, requests: list[bytes], capacity: float, seconds: float) -> Outcome:
    low, high = (
        uvloop.run(http.under_load(service.port, requests, share, capacity, seconds, SEED))
        for share in (LOW, HIGH)
    )
    return OVERLOAD.outcome(
        capacity=capacity,
        goodput_share=high["goodput"] / capacity,
        p99_over_low=high["p99"] / low["p99"],
        refused_p99_ms=high["refused_p99"],
        others=high["others"],
    )


GROUPS = (Group(_loads, (IDLE_BURST, CLOSED_LOOP, OVERLOAD)),)
