"""What callers share: bytes, connections, streams. However many take all they can get, some is left.

Nobody may hold more than a multiple of what is left over (dynamic thresholds: Choudhury and Hahne, 1998). One
caller alone has most of it, as a proxy in front of all others needs; each further one who takes everything
gets a smaller share, and there is always room for who comes next. A fixed limit would do one or the other.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from mizzle.errors import QueueFull


class Shares:
    """So much of something, and who holds how much of it.

    Args:
        total: of all callers together.
        factor: times what is left that one of them may hold, and one unit in any case.
        limit: of one caller, instead of that.
    """

    def __init__(self, total: int, factor: float = 1.0, limit: int | None = None) -> None:
        self._total = total
        self._factor = factor
        self._limit = limit
        self._held: Counter[str] = Counter()
        self.used = 0

    def __len__(self) -> int:
        """How many callers hold something."""
        return len(self._held)

    @property
    def largest(self) -> float:
        """What a caller may hold who is alone."""
        return self._total * self._factor / (1 + self._factor) if self._limit is None else self._limit

    @property
    def is_full(self) -> bool:
        """Whether nothing is left."""
        return self.used >= self._total

    def fits(self, caller: str, amount: int = 1, returned: int = 0) -> bool:
        """Whether a caller may have so much more, once others have returned some."""
        left = self._total - self.used + returned - amount
        limit = max(1, self._factor * left) if self._limit is None else self._limit
        return left >= 0 and self._held[caller] + amount <= limit

    def add(self, caller: str, amount: int = 1) -> None:
        """What a caller takes, or gives back where it is negative; `fits` is for the caller to ask."""
        self.used += amount
        self._held[caller] += amount
        if not self._held[caller]:
            del self._held[caller]

    @contextmanager
    def taken(self, caller: str, refusal: str) -> Iterator[None]:
        """One unit, for as long as the block runs.

        Raises:
            QueueFull: with this text, as it does not fit.
        """
        if not self.fits(caller):
            raise too_much(refusal)
        self.add(caller)
        try:
            yield
        finally:
            self.add(caller, -1)


def too_much(text: str, seconds: float = 1.0) -> QueueFull:
    """The refusal of what may fit in a moment."""
    error = QueueFull(text)
    error.retry_after = seconds
    return error
