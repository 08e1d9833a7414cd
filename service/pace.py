"""How fast work is done, and so how long what waits will take."""

import math

_KEPT = 0.9  # of the memory, with every batch
_LEAST = 0.25  # share of a batch's seconds that its cells took, whatever the overhead is said to be
_LONGEST = 60.0  # seconds that a caller is told to wait, at most


class Pace:
    """What a batch takes: the same seconds for any, and more for every cell.

    Args:
        cells_per_second: where to start, as the warm-up measured it.
        overhead: seconds of a batch that has next to no cells.
    """

    def __init__(self, cells_per_second: float, overhead: float = 0.0) -> None:
        self._overhead = overhead
        self._seconds, self._cells = 1.0, cells_per_second

    @property
    def cells_per_second(self) -> float:
        """Over the last batches; large ones count more."""
        return self._cells / self._seconds

    def saw(self, cells: int, seconds: float) -> None:
        """A batch of so many cells took so long."""
        self._cells = _KEPT * self._cells + cells
        self._seconds = _KEPT * self._seconds + max(seconds - self._overhead, _LEAST * seconds)

    def seconds(self, cells: int) -> float:
        """How long so many cells take together."""
        return self._overhead + cells / self.cells_per_second

    def retry_after(self, cells: int) -> float:
        """When a caller should ask again who found so many cells waiting: when half of them are done."""
        return min(max(self.seconds(cells) / 2, 0.05), _LONGEST)


def whole_seconds(seconds: float) -> int:
    """For the header Retry-After, which holds whole seconds."""
    return max(1, math.ceil(seconds))
