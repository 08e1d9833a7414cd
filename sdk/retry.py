"""When to ask again, and how long to wait: a policy without a clock of its own and without sleep.

An estimate is a pure function of the request, so asking twice is safe. Only refusals that speak of
the moment are worth another try: no connection, 429, 502, 503, 504. A 500 may be due to this very
request.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NamedTuple

RETRIES = 2
STATUSES = frozenset({429, 502, 503, 504})
_FIRST = 0.5
_LONGEST = 8.0
_JITTER = 0.25


class Reply(NamedTuple):
    """What came back: a status with its body, or no connection (`failure` says why)."""

    status: int = 0
    body: bytes = b""
    retry_after: float | None = None
    failure: str | None = None
    refused: bool = False

    @property
    def passing(self) -> bool:
        """Whether the next try may fare better."""
        return self.refused or self.status in STATUSES


@dataclass
class Attempts:
    """The tries of one request under one total deadline.

    Attributes:
        timeout: seconds for all tries and the waits between them.
    """

    timeout: float
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    made: int = 0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def remaining(self) -> float:
        """Seconds left before the deadline, never quite zero (which would mean no limit)."""
        return max(self.started + self.timeout - self.clock(), 0.001)

    def wait(self, reply: Reply) -> float | None:
        """Seconds to wait before the next try, or None when this reply is the last word.

        0.5 s * 2^n up to 8 s, give or take a random quarter; if the server sent Retry-After, that.
        """
        if not reply.passing or self.made >= RETRIES:
            return None
        backoff = min(_FIRST * 2**self.made, _LONGEST) * (1 + _JITTER * (2 * self.random() - 1))
        seconds = backoff if reply.retry_after is None else reply.retry_after
        self.made += 1
        return seconds if seconds < self.remaining() else None


def retry_after(value: str | None) -> float | None:
    """Seconds in a Retry-After header, which holds seconds or a date; None if it holds neither."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None
