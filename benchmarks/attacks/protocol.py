"""Part 10, the low ones: ends of lines, trailers, memory that comes back, a clock that jumps, keys files."""

import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from attacks import peers
from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import Service, job, keys_file, serving, table, until
from mizzle import wire

LARGE_BODIES = 20
MAX_KEPT_MIB = 64.0
JUMP_SECONDS = 10 * 365 * 86_400
MAX_SECONDS_OFF = 60.0
_TRAILERS = b"A: b\r\n" * 20_000
# Stands for a clock that is set while the service runs: time.time is ahead once the file is there.
_JUMPING = """
import os, time
_real = time.time
time.time = lambda: _real() + ({seconds} if os.path.exists({path!r}) else 0)
"""


def is_refused(figures: Figures) -> bool:
    """Whether the request was refused as malformed, and the service lives."""
    return bool(figures["status"] in (400, 413, 431) and figures["livez"] == 200)


def is_returned(figures: Figures) -> bool:
    """Whether memory is nearly what it was before."""
    return bool(figures["after_mib"] - figures["before_mib"] <= MAX_KEPT_MIB)


def is_steady(figures: Figures) -> bool:
    """Whether the dates of jobs are those of the clock before it jumped."""
    return bool(abs(figures["seconds_off"]) <= MAX_SECONDS_OFF)


def is_warned(figures: Figures) -> bool:
    """Whether the log says that others can write the file."""
    return bool(figures["warned"])


BARE_LF = Attack(10, "a head whose lines end in LF alone", "refused (400)", "{status}", is_refused)
TRAILERS = Attack(10, "120 KB of trailers", "refused", "{status}", is_refused)
MEMORY = Attack(
    10, f"{LARGE_BODIES} bodies of 2 MiB of JSON", f"at most {MAX_KEPT_MIB:.0f} MiB more afterwards",
    "{before_mib:.0f} MiB before, {after_mib:.0f} MiB after", is_returned,
)  # fmt: skip
CLOCK = Attack(
    10, "the clock is set ten years ahead while jobs are taken", "dates of jobs stay within a minute",
    "{seconds_off:.0f} s off", is_steady,
)  # fmt: skip
KEYS = Attack(
    10, "a file of keys that everybody can write", "a warning in the log", "warned: {warned}", is_warned
)


def _bytes(quick: bool) -> Iterator[Outcome]:
    with serving() as service:
        yield _sent(service, BARE_LF, b"GET /v1/limits HTTP/1.1\nHost: localhost\n\n")
        body = b'{"x":[1,2,3],"y":[1,2,3]}'
        head = b"POST /v1/estimate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (len(body), body)
        yield _sent(service, TRAILERS, head + chunked + _TRAILERS + b"\r\n")
        yield _memory(service)


def _sent(service: Service, attack: Attack, data: bytes) -> Outcome:
    status = peers.status(peers.exchange(service.port, data))
    return attack.outcome(status=status, livez=peers.probe(service).status)


def _memory(service: Service) -> Outcome:
    cell, rest = b"0.125, ", b'{"x": [1], "y": [1]}'
    body = rest.replace(b"[", b"[" + cell * ((2**21 - len(rest)) // len(cell)), 1)
    service.estimate(body, media=wire.JSON)
    before = service.resident_mib()
    for _ in range(LARGE_BODIES):
        service.estimate(body, media=wire.JSON)
    until(lambda: service.resident_mib() - before <= MAX_KEPT_MIB, 3.0)
    return MEMORY.outcome(before_mib=before, after_mib=service.resident_mib())


def _clock(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        jump = Path(folder) / "jump"
        prelude = _JUMPING.format(seconds=JUMP_SECONDS, path=str(jump))
        with serving(jobs_dir=folder, prelude=prelude) as service:
            until(lambda: service.ask("GET", wire.JOBS).status == 200)
            jump.touch()
            service.put_job("job", job(table(20, 3)))
            until(lambda: service.job("job").get("ended"), 20.0)
            read = service.job("job")
            dates = [datetime.fromisoformat(read[name]) for name in ("created", "started", "ended")]
            off = [date.timestamp() - time.time() for date in dates]
            yield CLOCK.outcome(seconds_off=max(off, key=abs))


def _keys(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        path, _ = keys_file(Path(folder), "a")
        path.chmod(0o666)
        with serving(keys_file=path, ready=False) as service:
            text = service.log.read_text(errors="replace").lower()
            yield KEYS.outcome(warned="writ" in text and "key" in text)


GROUPS: tuple[Group, ...] = (
    Group(_bytes, (BARE_LF, TRAILERS, MEMORY)),
    Group(_clock, (CLOCK,)),
    Group(_keys, (KEYS,)),
)
