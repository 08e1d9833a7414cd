"""How fast work is done, and so how long what waits will take."""

import math

_SHARE = 0.1  # of the newest batch in the average
_LONGEST = 60.0  # seconds that a caller is told to wait, at most


class Pace:
    """Cells a second, averaged over batches with falling weights.

    Args:
        cells_per_second: where to start, as the warm-up measured it.
    """

    def __init__(self, cells_per_second: float) -> None:
        self.cells_per_second = cells_per_second

    def saw(self, cells: int, seconds: float) -> None:
        """A batch of so many cells took so long."""
        # Seconds a cell are averaged and not cells a second: a batch that took no time must not count much.
        each = _SHARE * seconds / cells + (1 - _SHARE) / self.cells_per_second
        self.cells_per_second = 1 / each

    def seconds(self, cells: int) -> float:
        """How long so many cells take."""
        return cells / self.cells_per_second

    def retry_after(self, cells: int) -> float:
        """When a caller should ask again who found so many cells waiting: when half of them are done."""
        return min(max(self.seconds(cells) / 2, 0.05), _LONGEST)


def whole_seconds(seconds: float) -> int:
    """For the header Retry-After, which holds whole seconds."""
    return max(1, math.ceil(seconds))
