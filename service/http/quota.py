"""What one API key may ask for: so many requests at once, and so many in any minute.

The window moves: a request is admitted when fewer than the limit were admitted in the 60 seconds before it.
All that is kept is a time for each of these, for the names that were heard of in the last minute.

Not the package limits: in 5.8 its storage in memory goes by the clock of the day, which can be set back, and
starts a task and threads with every request to forget old ones.
"""

import time
from collections import deque
from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from mizzle.errors import RateLimited
from mizzle.service.http.auth import key_name
from mizzle.service.http.problem_details import problem_of

_WINDOW_SECONDS = 60.0
_EWMA_WEIGHT = 0.1  # of the newest request in the average duration
_MIN_RETRY_SECONDS = 0.05


class _Usage:
    """What one name has under way, when it was admitted, and how long its requests take."""

    def __init__(self, per_minute: int) -> None:
        self.under_way = 0
        self.admitted: deque[float] = deque(maxlen=per_minute or 1)
        self.seconds = 1.0

    def idle(self, now: float) -> bool:
        """Whether nothing of it can matter any more."""
        return not self.under_way and (not self.admitted or now - self.admitted[-1] >= _WINDOW_SECONDS)


class Quotas:
    """Counts the requests of every name.

    Args:
        concurrency: requests of one name under way at once; 0 sets no limit.
        per_minute: requests of one name admitted in any 60 seconds; 0 sets no limit.
        clock: seconds, never going back.
    """

    def __init__(
        self, concurrency: int = 0, per_minute: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._concurrency = concurrency
        self._per_minute = per_minute
        self._clock = clock
        self._usages: dict[str, _Usage] = {}

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._usages)

    def admit(self, name: str) -> Callable[[], None]:
        """Let one request of `name` begin; what is returned must be called when it has ended.

        Raises:
            RateLimited: not now; `retry_after` says when there will be room.
        """
        start = self._clock()
        usage = self._usage(name, start)
        self._check(usage, start)
        usage.admitted.append(start)
        usage.under_way += 1

        def done() -> None:
            usage.under_way -= 1
            usage.seconds += _EWMA_WEIGHT * (self._clock() - start - usage.seconds)

        return done

    def _usage(self, name: str, now: float) -> _Usage:
        if name not in self._usages:
            # Names come and go with the keys file; those that went must not add up.
            self._usages = {known: usage for known, usage in self._usages.items() if not usage.idle(now)}
            self._usages[name] = _Usage(self._per_minute)
        return self._usages[name]

    def _check(self, usage: _Usage, now: float) -> None:
        if self._concurrency and usage.under_way >= self._concurrency:
            raise _limited(
                f"this API key has {self._concurrency} requests under way, which is its limit; wait for one",
                usage.seconds / self._concurrency,
            )
        if self._per_minute and len(usage.admitted) == self._per_minute:
            wait = usage.admitted[0] + _WINDOW_SECONDS - now
            if wait > 0:
                text = f"this API key has asked {self._per_minute} times in a minute, which is its limit"
                raise _limited(text, wait)


def _limited(text: str, seconds: float) -> RateLimited:
    error = RateLimited(text)
    error.retry_after = max(seconds, _MIN_RETRY_SECONDS)
    return error


class Quota:
    """Refuses with 429 what is beyond the quota of its key; stands behind `auth.Auth`.

    Args:
        exempt: exact paths that are not counted, so that no load makes a probe fail.
        refused: told "key_limit" for every refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        quotas: Quotas,
        exempt: Collection[str] = (),
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._app = app
        self._quotas = quotas
        self._exempt = frozenset(exempt)
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] != "http" or scope["path"] in self._exempt:
            return await self._app(scope, receive, send)
        try:
            done = self._quotas.admit(key_name(scope))
        except RateLimited as error:
            self._refused("key_limit")
            return await problem_of(error)(scope, receive, send)
        try:
            await self._app(scope, receive, send)
        finally:
            done()
