"""Part 2: a worker that hangs is replaced, at whatever moment it stops."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np

from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import Reply, Service, problem, serving, until

PATIENCE_SECONDS = 5.0  # beyond what the batch takes
# When the worker stops, in shares of a batch from the moment it is sent; before that where below 0. Three for
# each service, as five lost workers in a minute end one.
_MOMENTS = ((-0.5, 0.0, 0.02), (-0.05, 0.05, 0.3), (-0.2, 0.1, 0.6), (-0.01, 0.2, 0.9))


def is_answered(figures: Figures) -> bool:
    """Whether every request was answered, and in time from when it was sent, or the worker stopped."""
    limit = PATIENCE_SECONDS + figures["batch_seconds"]
    return bool(figures["answered"] == figures["stops"] and figures["slowest_seconds"] <= limit)


STOPPED = Attack(
    2, "SIGSTOP of the worker at a dozen moments, before, while and after it is written to",
    "each answered within 5 s and the time of the batch",
    "{answered} of {stops} answered; slowest {slowest_seconds:.1f} s, a batch {batch_seconds:.1f} s",
    is_answered,
)  # fmt: skip


def _stops(quick: bool) -> Iterator[Outcome]:
    # Sent in one piece the larger one does not fit into the pipe to the worker, which is then still read.
    large, small = problem(10_000, 8, 8, np.float64), problem(2000, 2, 2)
    moments = [own[:1] for own in _MOMENTS] if quick else _MOMENTS
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda own: _on_one_service(own, large, small), moments))
    batch = max(seconds for seconds, _ in parts)
    replies = [reply for _, own in parts for reply in own]
    yield STOPPED.outcome(
        stops=len(replies),
        answered=sum(reply.status == 200 for reply in replies),
        slowest_seconds=max(reply.seconds for reply in replies),
        batch_seconds=batch,
    )


def _on_one_service(moments: tuple[float, ...], large: bytes, small: bytes) -> tuple[float, list[Reply]]:
    """The seconds of a batch alone, and the answers while the worker was stopped at these moments."""
    with serving(threads=1) as service:
        batch = max(service.estimate(large).seconds for _ in range(3))
        return batch, [_stopped(service, large if i % 2 == 0 else small, share * batch)
                       for i, share in enumerate(moments)]  # fmt: skip


def _stopped(service: Service, body: bytes, delay: float) -> Reply:
    until(lambda: len(service.pids) > 1 and service.estimate().status == 200)
    worker = service.pids[1]
    timer = threading.Timer(max(0.0, delay), _stop, (worker,))
    timer.start()
    time.sleep(max(0.0, -delay))
    reply = service.estimate(body)
    timer.join()
    return reply._replace(seconds=reply.seconds - max(0.0, delay))


def _stop(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)


GROUPS = (Group(_stops, (STOPPED,)),)
