"""Shears of a side along a curve: some columns are moved by a function of others."""

from abc import abstractmethod

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.side_map import Order, SideMap, check_columns


class _Pushed(SideMap):
    """y_target = x_target + g(x_source) for some pairs of columns; the others are kept.

    Args:
        sources, targets: the columns of every pair; no column is a target twice, or source and target.
    """

    def __init__(self, dim: int, sources: Order, targets: Order) -> None:
        super().__init__(dim, dim)
        check_columns(dim, targets)
        if len(sources) != len(targets):
            raise InvalidInput(f"{len(sources)} sources and {len(targets)} targets")
        if len(targets) and not set(sources.tolist()) <= set(range(dim)) - set(targets.tolist()):
            raise InvalidInput("every source must be a column that is no target")
        self.sources, self.targets = sources, targets

    def forward(self, x: Array) -> Array:
        return self._moved(x, 1.0)

    def inverse(self, y: Array) -> Array:
        return self._moved(y, -1.0)

    @abstractmethod
    def _push(self, source: Array) -> Array:
        """g of the source columns, shape (n, pairs)."""

    def _moved(self, x: Array, sign: float) -> Array:
        moved = x.copy()
        source, target = (np.take(x, columns, axis=1) for columns in (self.sources, self.targets))
        moved[:, self.targets] = target + sign * self._push(source)
        return moved


class Shear(_Pushed):
    """g(x) = a sin(b x + c) is added to every target column, x being its source column.

    Args:
        dim: number of columns of the side.
        sources, targets: the columns of every pair, shape (pairs,); no target comes twice or is a source.
        waves: (a, b, c) of every pair, shape (pairs, 3).

    Raises:
        InvalidInput: columns do not form such pairs, or there is not one wave a pair.
    """

    def __init__(self, dim: int, sources: Order, targets: Order, waves: Array) -> None:
        super().__init__(dim, sources, targets)
        if waves.shape != (len(targets), 3):
            raise InvalidInput(f"waves of shape {waves.shape} for {len(targets)} pairs of columns")
        self.waves = waves

    def _push(self, source: Array) -> Array:
        a, b, c = self.waves.T
        return np.asarray(a * np.sin(b * source + c))


class Banana(_Pushed):
    """g(x) = a x^2 is added to every target column, x being its source (Haario, Saksman & Tamminen 1999).

    Args:
        dim: number of columns of the side.
        sources, targets: the columns of every pair, shape (pairs,); no target comes twice or is a source.
        bends: a of every pair, shape (pairs,).

    Raises:
        InvalidInput: columns do not form such pairs, or there is not one bend a pair.
    """

    def __init__(self, dim: int, sources: Order, targets: Order, bends: Array) -> None:
        super().__init__(dim, sources, targets)
        if bends.shape != (len(targets),):
            raise InvalidInput(f"bends of shape {bends.shape} for {len(targets)} pairs of columns")
        self.bends = bends

    def _push(self, source: Array) -> Array:
        return np.asarray(self.bends * source**2)
