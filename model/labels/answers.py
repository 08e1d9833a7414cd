"""Where a side is a label: an answer that does not change with the labels' names, by counts or indicators."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from mizzle.model import quantiles
from mizzle.model.counting import information
from mizzle.model.labels import chance, network, numbers, tables
from mizzle.model.labels.summary import Doubles, Integers

MAX_LEVELS = 256  # of a label, in the training
MAX_ROWS = 1_000_000  # of two labels, in the training; and so many were tried of a label beside numbers
MAX_INDICATORS = 64  # levels that become columns of their own beside several columns of numbers
_TRAINED_ROWS = 10_000  # of a label beside numbers
_BEYOND = 0.3  # beyond, intervals grow with this power of the rows: then 90 to 99 % hold (docs/decisions, 21)
_SURELY = 6.0  # standard errors by which levels must differ, where nothing else can be said of them
_EVIDENT = 2.5  # standard errors by which neighbouring levels must be more alike than any two
_LOW, _HIGH = quantiles.LEVELS.index(0.05), quantiles.LEVELS.index(0.95)


class Labelled(NamedTuple):
    """A problem of which one side or both may be labels.

    Attributes:
        x, y: a number for every row, the same for equal rows, shape (n,); None for what is no label. At least
            one is a label.
        columns_x, columns_y: centred ranks of the columns of either side, shape (d, n).
    """

    x: Integers | None
    y: Integers | None
    columns_x: Integers
    columns_y: Integers

    def reordered(self, order: Integers) -> "Labelled":
        """The problem with the rows of y in another order, shape (n,)."""
        return self._replace(y=None if self.y is None else self.y[order], columns_y=self.columns_y[:, order])

    def quantiles(self) -> Doubles | None:
        """Quantiles of I at `LEVELS` in nats by counts, or None where there are too few of them."""
        if self.x is not None and self.y is not None:
            values, differ = _of_tables(self.x, self.y), partial(chance.cells_differ, self.x, self.y)
        else:
            label, columns = (self.x, self.columns_y) if self.x is not None else (self.y, self.columns_x)
            assert label is not None
            values, differ = _of_numbers(label, columns), partial(chance.levels_differ, label, columns)
        return values if values is None or differ() else allowing_for_nothing(values)

    def indicators(self, fewest: int = 2) -> tuple[Integers | None, Integers | None]:
        """For x and y: centred ranks of a column for every label, shape (levels, n), beside many columns.

        None for a side of numbers, of two levels, which have no order, or of more levels than fit.

        Args:
            fewest: columns of the other side from which on there are indicators.
        """
        many_x, many_y = (len(columns) >= fewest for columns in (self.columns_x, self.columns_y))
        x = _indicators(self.x) if self.x is not None and self.y is None and many_y else None
        y = _indicators(self.y) if self.y is not None and self.x is None and many_x else None
        return x, y

    @property
    def ordered(self) -> bool:
        """Whether the sample shows that the order of levels means something, of all labels there are."""
        enough = all(
            label.max() >= _EVIDENT**2 for label, _, _ in self._pairs()
        )  # of fewer nothing is evident
        return enough and all(
            len(own) == 1 and _Levels.of(own, other).neighbours_alike() for _, own, other in self._pairs()
        )

    @property
    def misread(self) -> bool:
        """Whether a label of more levels than can be read tells something that their order does not."""
        for label, own, other in self._pairs():
            many = label.max() >= (MAX_LEVELS if len(other) == 1 else MAX_INDICATORS)
            if many and len(own) == 1:
                levels = _Levels.of(own, other)
                if levels.differ() and not levels.neighbours_alike():
                    return True
        return False

    def _pairs(self) -> Iterator[tuple[Integers, Integers, Integers]]:
        """Every label, its columns, and those of the other side."""
        if self.x is not None:
            yield self.x, self.columns_x, self.columns_y
        if self.y is not None:
            yield self.y, self.columns_y, self.columns_x


def disjoint(some: Doubles, others: Doubles) -> bool:
    """Whether the 90 % intervals of two answers, quantiles of shape (q,), have nothing in common."""
    return bool(some[_LOW] > others[_HIGH] or some[_HIGH] < others[_LOW])


def _of_tables(x: Integers, y: Integers) -> Doubles | None:
    if max(x.max(), y.max()) < MAX_LEVELS and len(x) <= MAX_ROWS:
        return network.shipped()["tables"].quantiles(tables.summary(x, y))
    counted = information(x, y)
    return None if counted is None else counted.quantiles()


def _of_numbers(label: Integers, columns: Integers) -> Doubles | None:
    if len(columns) > 1 or label.max() >= MAX_LEVELS or len(label) > MAX_ROWS:
        return None
    values = network.shipped()["numbers"].quantiles(numbers.summary(label, columns[0]))
    return _widened(values, max(1.0, len(label) / _TRAINED_ROWS) ** _BEYOND)


def _widened(values: Doubles, times: float) -> Doubles:
    """Quantiles of shape (q,) spread about their median, none below 0."""
    middle = values[quantiles.MIDDLE]
    return np.asarray(np.maximum(middle + times * (values - middle), 0.0))


def allowing_for_nothing(values: Doubles) -> Doubles:
    """Quantiles at `LEVELS`, shape (q,), those below the median spread until the one at .05 is 0."""
    median = values[quantiles.MIDDLE]
    spread = _widened(values, median / max(median - values[_LOW], 1e-12))
    return np.where(values < median, spread, values)


class _Levels(NamedTuple):
    """What the other side is like at every level of a label, in the order of its codes.

    Attributes:
        counts: rows of each level, shape (k,).
        means: of the ranks of the other side, as shares of the rows, shape (d, k).
        spread: mean squares of these ranks, shape (d,).
    """

    counts: Doubles
    means: Doubles
    spread: Doubles

    @classmethod
    def of(cls, label: Integers, others: Integers) -> "_Levels":
        """Of ranks of shape (1, n) and (d, n)."""
        places = np.unique(label[0], return_inverse=True)[1]
        counts = np.bincount(places).astype(np.float64)
        shares = others / others.shape[1]
        means = np.array([np.bincount(places, column) for column in shares]) / counts
        return cls(counts, means, (shares * shares).mean(axis=1))

    def neighbours_alike(self) -> bool:
        """Whether neighbouring levels have more similar means than any two levels, beyond doubt.

        Von Neumann's (1941) ratio of squared differences, whose relative standard error is about 1 / sqrt(k)
        for an order that means nothing. A pair of levels weighs as the product of their counts.
        """
        k, n = len(self.counts), self.counts.sum()
        pairs = self.counts[1:] * self.counts[:-1]
        adjacent = float(pairs @ (np.diff(self.means, axis=1) ** 2).sum(axis=0) / pairs.sum())
        squares = float((self.means**2).sum(axis=0) @ self.counts)
        of_any_two = 2.0 * n * squares / (n * n - float(self.counts @ self.counts))
        return bool(adjacent < (1.0 - _EVIDENT / k**0.5) * of_any_two)

    def differ(self) -> bool:
        """Whether the means of levels differ by more than chance, beyond doubt."""
        freedom = len(self.counts) - 1.0
        excess = (self.means**2) @ self.counts / self.spread - freedom
        return bool(excess.sum() > _SURELY * (2.0 * freedom * len(excess)) ** 0.5)


def _indicators(labels: Integers) -> Integers | None:
    levels = int(labels.max()) + 1
    if not 2 < levels <= MAX_INDICATORS:
        return None
    is_level = labels == np.arange(levels)[:, None]
    counts = is_level.sum(axis=1, keepdims=True)
    return np.asarray(np.where(is_level, len(labels) - counts, -counts))
