"""Where a side is a label: an answer that does not change with the labels' names, by counts or indicators."""

from typing import NamedTuple

import numpy as np

from mizzle.model import quantiles
from mizzle.model.counting import information
from mizzle.model.labels import network, numbers, tables
from mizzle.model.labels.summary import Doubles, Integers

MAX_LEVELS = 256  # of a label, in the training
MAX_ROWS = 1_000_000  # of two labels, in the training
MAX_INDICATORS = 64  # levels that become columns of their own beside several columns of numbers
_MAX_NUMBERS = 10_000  # rows of a label beside numbers, in the training
_MUCH_WIDER = 1.5  # times as wide as the order's interval, from which on the order counts
_LOW, _HIGH = quantiles.LEVELS.index(0.05), quantiles.LEVELS.index(0.95)


class Labelled(NamedTuple):
    """A problem of which one side or both may be labels.

    Attributes:
        x, y: a number for every row, the same for equal rows, shape (n,); None for what is no label. At least
            one is a label.
        numbers: the ranks of a side's only column where it is none, shape (n,); None if it has several.
    """

    x: Integers | None
    y: Integers | None
    numbers: Integers | None

    def quantiles(self) -> Doubles | None:
        """Quantiles of I at `LEVELS` in nats by counts, or None where there are too few of them."""
        sides = [side for side in (self.x, self.y) if side is not None]
        n, familiar = len(sides[0]), max(int(side.max()) for side in sides) < MAX_LEVELS
        if len(sides) == 2:
            if familiar and n <= MAX_ROWS:
                return network.shipped("tables").quantiles(tables.summary(*sides))
            counted = information(*sides)
            return None if counted is None else counted.quantiles()
        if familiar and self.numbers is not None and n <= _MAX_NUMBERS:
            return network.shipped("numbers").quantiles(numbers.summary(sides[0], self.numbers))
        return None

    def indicators(self) -> tuple[Integers | None, Integers | None]:
        """For x and y: centred ranks of a column for every label, shape (levels, n), beside many columns.

        None for a side of numbers, of two levels, which have no order, or of more levels than fit.
        """
        alone = (self.x is None) != (self.y is None) and self.numbers is None
        return tuple(_indicators(side) if alone and side is not None else None for side in (self.x, self.y))  # type: ignore[return-value]


def _indicators(labels: Integers) -> Integers | None:
    levels = int(labels.max()) + 1
    if not 2 < levels <= MAX_INDICATORS:
        return None
    is_level = labels == np.arange(levels)[:, None]
    counts = is_level.sum(axis=1, keepdims=True)
    return np.asarray(np.where(is_level, len(labels) - counts, -counts))


def sharpest(candidates: list[Doubles]) -> tuple[int, bool]:
    """Which of several answers, quantiles of shape (q,), knows most; the first rests on the labels' order.

    A later one takes its place unless the order tells much more, by the width of the 90 % intervals, and what
    the two say has something in common: the order may mean nothing.

    Returns:
        the place of the answer, and whether the first has nothing in common with it.
    """
    place = 0
    for i, other in enumerate(candidates[1:], start=1):
        if _disjoint(candidates[place], other) or _width(other) <= _MUCH_WIDER * _width(candidates[place]):
            place = i
    return place, _disjoint(candidates[0], candidates[place])


def _disjoint(some: Doubles, others: Doubles) -> bool:
    return bool(some[_LOW] > others[_HIGH] or some[_HIGH] < others[_LOW])


def _width(values: Doubles) -> float:
    return float(values[_HIGH] - values[_LOW])
