"""Part 3: nobody takes all connections. The attacker is one peer, the honest caller another."""

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import http_load as http

from attacks import peers
from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import HONEST, Service, job, keys_file, serving, table, until
from mizzle import wire

CONNECTIONS = 1100
HEADER_SECONDS, BODY_SECONDS = 2.0, 3.0  # of the service that is attacked
_GRACE_SECONDS = 2.0
_PROBE_SECONDS = 1.0
_BOUND = "probes within 1 s, every honest request answered"
_WORDS = "{open} open; /livez {livez} in {livez_seconds:.2f} s; {answered} of {requests} answered"


def is_open_to_others(figures: Figures) -> bool:
    """Whether probes come in time, and the honest caller has all answers."""
    probed = figures["livez"] == 200 and figures["livez_seconds"] <= _PROBE_SECONDS
    return bool(probed and figures["requests"] and figures["answered"] == figures["requests"])


def is_rid_of_the_slow(figures: Figures) -> bool:
    """The same, and the slow ones are gone in time."""
    return is_open_to_others(figures) and figures["left"] == 0


def is_answered_at_once(figures: Figures) -> bool:
    """Whether the body of who has no key is not waited for."""
    return bool(figures["status"] == 401 and figures["seconds"] <= _PROBE_SECONDS)


def is_admin_open(figures: Figures) -> bool:
    """Whether the listener for probes answers all of them in time."""
    return bool(set(figures["statuses"]) == {200} and figures["slowest_seconds"] <= _PROBE_SECONDS)


MANY = Attack(3, f"one peer opens {CONNECTIONS:,} connections", _BOUND, _WORDS, is_open_to_others)
ADMIN = Attack(
    3, "the same, seen from the listener for probes (MIZZLE_ADMIN_PORT)", "all probes within 1 s",
    "{statuses}; slowest {slowest_seconds:.2f} s", is_admin_open,
)  # fmt: skip
SLOW_HEADS = Attack(
    3, "400 heads that come byte by byte", f"{_BOUND}; gone {_GRACE_SECONDS:.0f} s after their time",
    _WORDS + "; {left} left", is_rid_of_the_slow,
)  # fmt: skip
SLOW_BODIES = Attack(
    3, "400 bodies that do not come", f"{_BOUND}; gone {_GRACE_SECONDS:.0f} s after their time",
    _WORDS + "; {left} left", is_rid_of_the_slow,
)  # fmt: skip
SLOW_READERS = Attack(
    3, "100 peers with 200 requests each that read no answer", _BOUND, _WORDS, is_open_to_others
)
STREAMS = Attack(3, "400 event streams of one peer, held open", _BOUND, _WORDS, is_open_to_others)
NO_KEY = Attack(
    3, "a body of 32 MiB without a key", "401 within 1 s, before the body is there",
    "{status} after {seconds:.2f} s", is_answered_at_once,
)  # fmt: skip


def _doors(quick: bool) -> Iterator[Outcome]:
    seconds = 1.0 if quick else 4.0
    with tempfile.TemporaryDirectory() as folder, _attacked(Path(folder)) as service:
        sockets = peers.connected(service.port, CONNECTIONS)
        yield MANY.outcome(**_seen(service, sockets, seconds))
        yield _admin(service)
        peers.hang_up(sockets)
        yield _slow(service, SLOW_HEADS, b"GET /livez HTTP/1.1\r\nHo", HEADER_SECONDS, seconds)
        head = http.post(wire.PATH, wire.SAFETENSORS, b"").replace(b"Length: 0", b"Length: 1000")
        yield _slow(service, SLOW_BODIES, head, BODY_SECONDS, seconds)
        yield _held(service, SLOW_READERS, http.get("/openapi.json") * 200, 100, seconds)
        service.put_job("long", job(table(2000, 100)))
        yield _held(service, STREAMS, http.get(f"{wire.JOBS}/long/events"), 400, seconds)


def _attacked(folder: Path) -> AbstractContextManager[Service]:
    return serving(jobs_dir=folder, header_seconds=HEADER_SECONDS, body_seconds=BODY_SECONDS)


def _seen(service: Service, sockets: list[socket.socket], seconds: float) -> dict[str, float]:
    """What an honest peer sees beside connections of another one."""
    time.sleep(0.5)
    left, probe, answers = peers.open_ones(sockets), peers.probe(service), peers.asked_for(service, seconds)
    return {
        "open": len(left),
        "livez": probe.status,
        "livez_seconds": probe.seconds,
        "requests": len(answers),
        "answered": len(http.with_status(answers, 200)),
    }


def _held(service: Service, attack: Attack, data: bytes, count: int, seconds: float) -> Outcome:
    sockets = peers.connected(service.port, count, data)
    outcome = attack.outcome(**_seen(service, sockets, seconds))
    peers.hang_up(sockets)
    return outcome


def _slow(service: Service, attack: Attack, data: bytes, limit: float, seconds: float) -> Outcome:
    start, sockets = time.monotonic(), peers.connected(service.port, 400, data)
    figures = _seen(service, sockets, seconds)
    rest = start + limit + _GRACE_SECONDS - time.monotonic()
    until(lambda: not peers.open_ones(sockets), max(0.0, rest))
    outcome = attack.outcome(left=len(peers.open_ones(sockets)), **figures)
    peers.hang_up(sockets)
    return outcome


def _admin(service: Service) -> Outcome:
    paths = ("/livez", "/readyz", "/metrics")
    replies = [service.ask("GET", path, port=service.admin_port, timeout=10) for path in paths]
    slowest = max(reply.seconds for reply in replies)
    return ADMIN.outcome(statuses=[reply.status for reply in replies], slowest_seconds=slowest)


def _without_key(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        path, _ = keys_file(Path(folder), "a")
        with serving(keys_file=path, ready=False) as service:
            head = http.post(wire.PATH, wire.SAFETENSORS, b"").replace(b"Length: 0", b"Length: 33554432")
            start = time.monotonic()
            answer = peers.exchange(service.port, head, source=HONEST)
            yield NO_KEY.outcome(status=peers.status(answer), seconds=time.monotonic() - start)


GROUPS: tuple[Group, ...] = (
    Group(_doors, (MANY, ADMIN, SLOW_HEADS, SLOW_BODIES, SLOW_READERS, STREAMS)),
    Group(_without_key, (NO_KEY,)),
)
