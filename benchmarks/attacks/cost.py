"""Part 9: a request that costs more than it looks is priced by the time that it took."""

from collections.abc import Iterator

import http_load as http
import numpy as np
from safetensors.numpy import save

from attacks import peers
from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import ATTACKER, SEED, Service, serving

ROWS = 741_455  # of one column of integers a side: 1.5 MB
MAX_SECONDS = 30.0  # MIZZLE_MAX_COMPUTE_SECONDS


def is_bearable(figures: Figures) -> bool:
    """Whether others are answered, and wait no longer than for one such request."""
    if figures["status"] == 413:
        return True
    waited = figures["p99_ms"] <= 1000 * figures["seconds"] + figures["p99_alone_ms"]
    return bool(
        figures["status"] == 200
        and figures["seconds"] <= MAX_SECONDS
        and waited
        and figures["answered"] == figures["requests"]
    )


def is_learnt(figures: Figures) -> bool:
    """Whether the request is refused at last where it takes more than is allowed, and small ones are not."""
    return bool(figures["statuses"][-1] == 413 and figures["small"] == 200)


BESIDE = Attack(
    9, f"{ROWS:,} rows of 1 + 1 columns of int8, beside 5 requests a second",
    f"413, or done within {MAX_SECONDS:.0f} s and nobody waits longer than for one of it",
    "{status} after {seconds:.1f} s; {answered} of {requests} answered, p99 {p99_ms:.0f} ms, "
    "alone {p99_alone_ms:.0f} ms", is_bearable,
)  # fmt: skip
PRICE = Attack(
    9, "the same three times, where a request may take half as long as it does",
    "413 by the third, small requests answered",
    "{statuses} at {limit_seconds:.2f} s; a small request {small}", is_learnt,
)  # fmt: skip


def _heavy() -> bytes:
    rng = np.random.default_rng(SEED)
    x = rng.integers(-60, 60, (ROWS, 1), np.int8)
    return save({"x": x, "y": x + rng.integers(-5, 6, (ROWS, 1), np.int8)})


def _costs(quick: bool) -> Iterator[Outcome]:
    body = _heavy()
    with serving() as service:
        peers.asked_for(service, 0.5)
        alone = http.percentile(peers.asked_for(service, 1.0 if quick else 4.0), 0.99)
        yield _beside(service, body, alone, 1 if quick else 3)
        limit = min(service.estimate(body, source=ATTACKER).seconds for _ in range(2)) / 2
    with serving(max_compute_seconds=limit) as service:
        statuses = [service.estimate(body, source=ATTACKER).status for _ in range(3)]
        small = service.estimate().status
        yield PRICE.outcome(statuses=statuses, small=small, limit_seconds=limit)


def _beside(service: Service, body: bytes, alone: float, count: int) -> Outcome:
    caller = peers.HonestCaller(service)
    caller.start()
    heavy = [service.estimate(body, source=ATTACKER) for _ in range(count)]
    answers = caller.stop()
    good = http.with_status(answers, 200)
    return BESIDE.outcome(
        status=heavy[0].status,
        seconds=max(reply.seconds for reply in heavy),
        requests=len(answers),
        answered=len(good),
        p99_ms=http.percentile(good, 0.99),
        p99_alone_ms=alone,
    )


GROUPS = (Group(_costs, (BESIDE, PRICE)),)
