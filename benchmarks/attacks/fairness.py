"""Part 4: fair by default. One caller floods, another asks five times a second."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import http_load as http

from attacks import peers
from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import Service, batch, job, keys_file, problem, serving, table, until
from mizzle import wire

CONNECTIONS = 32
MIN_SHARE = 0.99
MAX_SLOWER = 3.0  # times the p99 of alone
FIFTH_SECONDS = 10.0
_OWNERS = ("a", "b", "c", "d", "e")


def is_fair(figures: Figures) -> bool:
    """Whether the quiet caller is answered, and nearly as fast as alone."""
    answered = figures["requests"] and figures["answered"] >= MIN_SHARE * figures["requests"]
    return bool(answered and figures["p99_ms"] <= MAX_SLOWER * figures["p99_alone_ms"])


def is_done_soon(figures: Figures) -> bool:
    """Whether a small job does not wait for large ones."""
    return bool(figures["state"] == "done" and figures["seconds"] <= FIFTH_SECONDS)


def _flood(size: str, by: str) -> Attack:
    return Attack(
        4, f"{CONNECTIONS} connections of {size} beside 5 requests a second of another {by}",
        "at least 99 % answered, p99 at most 3 x that of alone",
        "{answered} of {requests} answered; p99 {p99_ms:.0f} ms, alone {p99_alone_ms:.0f} ms", is_fair,
    )  # fmt: skip


SIZES: Mapping[str, Callable[[], tuple[str, bytes]]] = {
    "small problems (200 rows, 2 + 2)": lambda: (wire.PATH, problem(200, 2, 2)),
    "problems of 500 rows, 5 + 5": lambda: (wire.PATH, problem(500, 5, 5)),
    "large problems (90,000 rows, 2 + 2)": lambda: (wire.PATH, problem(90_000, 2, 2)),
    "batches of 64 problems": lambda: (wire.BATCH_PATH, batch(64, 200, 2, 2)),
}
BY_KEY = tuple(_flood(size, "key") for size in SIZES)
BY_ADDRESS = tuple(_flood(size, "address") for size in SIZES)
FIFTH_OWNER = Attack(
    4, "four jobs of 19,900 pairs beside one of 3 pairs of a fifth key", f"done within {FIFTH_SECONDS:.0f} s",
    "{state} after {seconds:.1f} s", is_done_soon,
)  # fmt: skip


def _by_key(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        path, keys = keys_file(Path(folder), *_OWNERS)
        with serving(keys_file=path, jobs_dir=folder) as service:
            yield from _floods(service, BY_KEY, 1.0 if quick else 8.0, {"key": keys["b"]}, keys["a"])
            yield _fifth_owner(service, keys)


def _by_address(quick: bool) -> Iterator[Outcome]:
    with serving() as service:
        yield from _floods(service, BY_ADDRESS, 1.0 if quick else 8.0, {}, "")


def _floods(
    service: Service, attacks: tuple[Attack, ...], seconds: float, honest: Mapping[str, Any], key: str
) -> Iterator[Outcome]:
    peers.asked_for(service, 0.5, **honest)  # warm
    alone = http.percentile(peers.asked_for(service, seconds, **honest), 0.99)
    for attack, sized in zip(attacks, SIZES.values(), strict=True):
        path, body = sized()
        request = http.post(path, wire.SAFETENSORS, body, f"X-API-Key: {key}\r\n" if key else "")
        with peers.flooding(service.port, request, CONNECTIONS, 60.0):
            answers = peers.asked_for(service, seconds, **honest)
        good = http.with_status(answers, 200)
        figures = {"requests": len(answers), "answered": len(good), "p99_alone_ms": alone}
        yield attack.outcome(p99_ms=http.percentile(good, 0.99), **figures)
        until(lambda: service.estimate(**honest).seconds < 1.0, 20.0)  # what was accepted is done


def _fifth_owner(service: Service, keys: Mapping[str, str]) -> Outcome:
    large = job(table(1000, 200))
    *others, fifth = _OWNERS
    for owner in others:
        until(partial(_is_taken, service, large, keys[owner]), 10.0)
    until(lambda: service.job("large", key=keys["a"]).get("done", 0) > 0, 10.0)
    start = time.monotonic()
    service.put_job("small", job(table(50, 3)), key=keys[fifth])
    until(lambda: service.job("small", key=keys[fifth]).get("ended"), 2 * FIFTH_SECONDS)
    state = service.job("small", key=keys[fifth]).get("state")
    return FIFTH_OWNER.outcome(state=state, seconds=time.monotonic() - start)


def _is_taken(service: Service, body: bytes, key: str) -> bool:
    return service.put_job("large", body, key=key).status == 202


GROUPS = (Group(_by_key, (*BY_KEY, FIFTH_OWNER)), Group(_by_address, BY_ADDRESS))
