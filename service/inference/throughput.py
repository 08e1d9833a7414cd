"""How fast work is done, and so how long what waits will take."""

_EWMA_WEIGHT = 0.1  # of the newest batch in the average
_MAX_RETRY_SECONDS = 60.0  # that a caller is told to wait


class Throughput:
    """What a batch takes: the same seconds for any, and more for every cell.

    Both are known from the warm-up. What is learnt from batches is one number, how much slower they are now:
    on a device where the same seconds are most of it, small batches say nothing about what a cell takes.

    Args:
        cells_per_second: beyond the overhead.
        overhead: seconds of a batch that has next to no cells.
    """

    def __init__(self, cells_per_second: float, overhead: float = 0.0) -> None:
        self._speed = cells_per_second
        self._overhead = overhead
        self._slowdown = 1.0  # times as slow as at the warm-up

    @property
    def cells_per_second(self) -> float:
        """Beyond the overhead, as things are now."""
        return self._speed / self._slowdown

    def observe(self, cells: int, seconds: float) -> None:
        """A batch of so many cells took so long."""
        # Not how much faster: a batch that took no time must not count much.
        self._slowdown += _EWMA_WEIGHT * (seconds / (self._overhead + cells / self._speed) - self._slowdown)

    def seconds(self, cells: int) -> float:
        """How long so many cells take together."""
        return self._slowdown * (self._overhead + cells / self._speed)

    def cells(self, seconds: float) -> int:
        """How many cells take so long together; where the overhead is most of it, as many as take half."""
        seconds /= self._slowdown
        return max(1, int(max(seconds - self._overhead, seconds / 2) * self._speed))

    def retry_after(self, cells: int) -> float:
        """When a caller should ask again who found so many cells waiting: when half of them are done."""
        return min(max(self.seconds(cells) / 2, 0.05), _MAX_RETRY_SECONDS)
