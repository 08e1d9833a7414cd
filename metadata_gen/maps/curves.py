"""Maps of a side that make two columns of one: points of a curve in the plane that never meets itself."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.side_map import SideMap, check_columns
from mizzle.metadata_gen.maps.warps import Warp


class _Curve(SideMap):
    """Column `column` becomes two columns in its place, the points of a curve that never meets itself."""

    def __init__(self, dim: int, column: int) -> None:
        super().__init__(dim, dim + 1)
        check_columns(dim, np.array([column]))
        self.column = column

    def forward(self, x: Array) -> Array:
        before, t, after = np.split(x, [self.column, self.column + 1], axis=1)
        return np.hstack([before, *self._point(t), after])

    def inverse(self, y: Array) -> Array:
        before, a, b, after = np.split(y, self.column + np.arange(3), axis=1)
        return np.hstack([before, self._parameter(a, b), after])

    @abstractmethod
    def _point(self, t: Array) -> tuple[Array, Array]:
        """The point of the curve that belongs to t."""

    @abstractmethod
    def _parameter(self, a: Array, b: Array) -> Array:
        """The t of the point (a, b)."""


@dataclass(frozen=True)
class CauchyCdf(Warp):
    """1/2 + arctan(x / scale) / pi, onto (0, 1) like `warps.NormalCdf`, but still strict at |x| = 1e6."""

    scale: float = 0.6  # nearest to uniform for a standard normal x

    def forward(self, x: Array) -> Array:
        return 0.5 + np.arctan(x / self.scale) / np.pi

    def inverse(self, y: Array) -> Array:
        """scale tan(pi (y - 1/2))."""
        return np.asarray(self.scale * np.tan(np.pi * (y - 0.5)))


class SwissRoll(_Curve):
    """Column t becomes (r cos r, r sin r) / 7 with r = 3/2 pi (1 + 2 u(t)).

    The Swiss roll of BMI (Czyz et al. 2023, NeurIPS), which divides by 21; 7 gives columns of about unit
    scale. The inverse reads u off the radius.

    Args:
        dim: number of columns of the side.
        column: the one that is rolled up.
        to_unit: u, an increasing map onto (0, 1). BMI's is `warps.NormalCdf`, which suits normal columns
            only.

    Raises:
        InvalidInput: there is no such column.
    """

    def __init__(self, dim: int, column: int, to_unit: Warp | None = None) -> None:
        super().__init__(dim, column)
        self.to_unit = CauchyCdf() if to_unit is None else to_unit

    def _point(self, t: Array) -> tuple[Array, Array]:
        r = 1.5 * np.pi * (1.0 + 2.0 * self.to_unit.forward(t))
        return r * np.cos(r) / 7.0, r * np.sin(r) / 7.0

    def _parameter(self, a: Array, b: Array) -> Array:
        return self.to_unit.inverse(7.0 * np.hypot(a, b) / (3.0 * np.pi) - 0.5)


class Arc(_Curve):
    """Column t becomes (cos v, sin v) with v = 2 pi span (u(t) - 1/2): an open part of the unit circle.

    Args:
        dim: number of columns of the side.
        column: the one that becomes an arc.
        span: the part of the circle, in (0, 1).
        to_unit: u, an increasing map onto (0, 1).

    Raises:
        InvalidInput: there is no such column, or the circle would close.
    """

    def __init__(self, dim: int, column: int, span: float, to_unit: Warp | None = None) -> None:
        super().__init__(dim, column)
        if not 0.0 < span < 1.0:
            raise InvalidInput(f"span is {span}; it must be in (0, 1), or the circle closes")
        self.turn, self.to_unit = 2.0 * np.pi * span, CauchyCdf() if to_unit is None else to_unit

    def _point(self, t: Array) -> tuple[Array, Array]:
        v = self.turn * (self.to_unit.forward(t) - 0.5)
        return np.cos(v), np.sin(v)

    def _parameter(self, a: Array, b: Array) -> Array:
        return self.to_unit.inverse(np.arctan2(b, a) / self.turn + 0.5)


class Wave(_Curve):
    """Column t becomes (t, sin(frequency t + phase)).

    Args:
        dim: number of columns of the side.
        column: the one that gets a wave beside it.
        frequency: in radians per unit of the column.
        phase: in radians.

    Raises:
        InvalidInput: there is no such column.
    """

    def __init__(self, dim: int, column: int, frequency: float, phase: float = 0.0) -> None:
        super().__init__(dim, column)
        self.frequency, self.phase = frequency, phase

    def _point(self, t: Array) -> tuple[Array, Array]:
        return t, np.sin(self.frequency * t + self.phase)

    def _parameter(self, a: Array, b: Array) -> Array:
        return a


class Fold(_Curve):
    """Column t becomes (t, |t - corner|).

    Args:
        dim: number of columns of the side.
        column: the one that gets its folded version beside it.

    Raises:
        InvalidInput: there is no such column.
    """

    def __init__(self, dim: int, column: int, corner: float) -> None:
        super().__init__(dim, column)
        self.corner = corner

    def _point(self, t: Array) -> tuple[Array, Array]:
        return t, np.abs(t - self.corner)

    def _parameter(self, a: Array, b: Array) -> Array:
        return a
