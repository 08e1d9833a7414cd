"""When to ask again, and how long to wait: a policy without a clock of its own and without sleep.

An estimate is a pure function of the request, so asking twice is safe. Only refusals that speak of
the moment are worth another try: no connection, 408, 429, 502, 503, 504. A 500 may be due to this very
request. A busy service (429) that says when to come again is asked as often as the deadline allows, but ever
more slowly where it says "at once" again and again; anything else twice more.
"""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NamedTuple

RETRIES = 2
STATUSES = frozenset({408, 429, 502, 503, 504})
_BUSY = 429
_FIRST = 0.5
_LONGEST = 8.0
_JITTER = 0.25
_SHORTEST = 0.05
_LONGEST_FLOOR = 1.0


class Reply(NamedTuple):
    """What came back: a status with its body, or no answer (`failure` says why; `refused`: no connection).

    `cause` is what made it fail, without a request or anything else that holds data.
    """

    status: int = 0
    body: bytes = b""
    retry_after: float | None = None
    failure: str | None = None
    refused: bool = False
    request_id: str | None = None
    cause: BaseException | None = None

    @property
    def passing(self) -> bool:
        """Whether the next try may fare better."""
        return self.refused or self.status in STATUSES


@dataclass
class Attempts:
    """The tries of one request under one total deadline.

    Attributes:
        timeout: seconds for all tries and the waits between them.
        retries: that count, so far.
        hasty: replies so far that said to come back at once.
    """

    timeout: float
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    retries: int = 0
    hasty: int = 0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def remaining(self) -> float:
        """Seconds left before the deadline, never quite zero (which would mean no limit)."""
        return max(self.started + self.timeout - self.clock(), 0.001)

    def wait(self, reply: Reply) -> float | None:
        """Seconds to wait before the next try, or None when this reply is the last word.

        0.5 s * 2^n up to 8 s, give or take a random quarter; if the server sent Retry-After, that. Where it
        says less than 0.05 s, 0.05 s * 2^n up to 1 s, and up to twice that at random: whoever is refused and
        sent back at once, again and again, would only add to the load, and all would come together.
        """
        patient = reply.status == _BUSY and reply.retry_after is not None
        if not reply.passing or (self.retries >= RETRIES and not patient):
            return None
        seconds = self._wait(reply.retry_after)
        self.retries += not patient
        return seconds if seconds < self.remaining() else None

    def _wait(self, retry_after: float | None) -> float:
        if retry_after is None:
            return min(_FIRST * 2.0**self.retries, _LONGEST) * (1 + _JITTER * (2 * self.random() - 1))
        if retry_after >= _SHORTEST:
            return retry_after
        floor = min(_SHORTEST * 2.0**self.hasty, _LONGEST_FLOOR)
        self.hasty += floor < _LONGEST_FLOOR
        return floor * (1 + self.random())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds in retry-after-ms, or else in Retry-After, which may be a date; None without either."""
    millis = _number(headers.get("retry-after-ms", ""))
    return _seconds(headers.get("retry-after", "")) if millis is None else millis / 1000


def _seconds(value: str) -> float | None:
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def _number(value: str) -> float | None:
    """A number that is not negative."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
