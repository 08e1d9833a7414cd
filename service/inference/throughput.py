"""How fast work is done, and so how long what waits will take."""

import math

from mizzle.cost import Size

_EWMA_WEIGHT = 0.1  # of the newest batch in the average
_MAX_FACTOR = 16.0  # that a single batch may show: a pause of the whole machine is no price
_MAX_DISTANCE = 2.0  # of sizes that may take alike, in powers of two
_RISE_WEIGHT, _FALL_WEIGHT = 0.3, 0.2  # of a batch that took longer than its size was known to, or less long
_NOISE = 2.0  # times as long as its cells take, up to which a size costs what they do
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
        # Not how much faster: a batch that took no time must not count much. Nor one that had to wait for a
        # new worker: a single pause must not make the service believe that it is slow.
        slowdown = min(seconds / (self._overhead + cells / self._speed), _MAX_FACTOR * self._slowdown)
        self._slowdown += _EWMA_WEIGHT * (slowdown - self._slowdown)

    def seconds(self, cells: int) -> float:
        """How long so many cells take together."""
        return self._slowdown * (self._overhead + cells / self._speed)

    def warm_seconds(self, cells: int) -> float:
        """How long so many cells took together at the warm-up."""
        return self._overhead + cells / self._speed

    def cells(self, seconds: float) -> int:
        """How many cells take so long together; where the overhead is most of it, as many as take half."""
        seconds /= self._slowdown
        return max(1, int(max(seconds - self._overhead, seconds / 2) * self._speed))

    def retry_after(self, cells: int) -> float:
        """When a caller should ask again who found so many cells waiting: when half of them are done."""
        return min(max(self.seconds(cells) / 2, 0.05), _MAX_RETRY_SECONDS)


class Prices:
    """What problems of a size take of the model, in padded cells: no fewer than they have, and more where
    batches of that size took longer than those cells do.

    What is learnt is a factor for each size, of which there are some hundreds at most.
    """

    def __init__(self, throughput: Throughput) -> None:
        self._throughput = throughput
        self._factors: dict[Size, float] = {}

    def cells(self, size: Size) -> int:
        """The price of one problem; of a size that never ran, by that of a close one."""
        return round(size.cells * self._surcharge(size))

    def observe(self, size: Size, count: int, seconds: float) -> float:
        """A batch of so many problems of a size took so long; returns how many times its price that was."""
        factor = min(seconds / self._throughput.seconds(count * size.cells), _MAX_FACTOR)
        known = self._factor(size)
        surcharge, weight = self._surcharge(size), _RISE_WEIGHT if factor > known else _FALL_WEIGHT
        self._factors[size] = known + weight * (factor - known)
        return factor / surcharge

    def _surcharge(self, size: Size) -> float:
        factor = self._factor(size)
        return factor if factor > _NOISE else 1.0

    def _factor(self, size: Size) -> float:
        if size in self._factors:
            return self._factors[size]
        close = min(self._factors, key=lambda other: _distance(size, other), default=size)
        return self._factors[close] if 0 < _distance(size, close) <= _MAX_DISTANCE else 1.0


def _distance(left: Size, right: Size) -> float:
    """How far apart two sizes are, in powers of two."""
    return abs(math.log2(left.rows / right.rows)) + abs(math.log2(left.columns / right.columns))
