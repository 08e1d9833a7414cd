"""Whether a process still does anything, as Linux counts its time."""

import time
from pathlib import Path


class Progress:
    """Watches one process by looking at the time of the CPU that it used.

    A process that is stopped, deadlocked or asleep uses none. One that the kernel keeps waiting for a disk or
    a device (state D) is no further either, but not to blame. Without /proc, everything counts as progress.

    Args:
        pid: of the process.

    Attributes:
        longest: seconds of the longest time without progress so far.
    """

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._ticks: int | None = None  # before the first look, which few batches take long enough for
        self._since = time.monotonic()
        self.longest = 0.0

    def still_seconds(self) -> float:
        """Seconds without any progress, as far as the looks so far can tell."""
        ticks, now = self._look(), time.monotonic()
        if ticks is None or ticks != self._ticks:
            self._ticks, self._since = ticks, now
        self.longest = max(self.longest, now - self._since)
        return now - self._since

    def _look(self) -> int | None:
        """Ticks of the clock that the process used; None where that says nothing."""
        try:
            fields = self._stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "D" else int(fields[11]) + int(fields[12])
