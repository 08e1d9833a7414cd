"""Strictly monotone maps of one column, each with its inverse; none of them changes the mutual information.

In floating point a map is strictly monotone only where it does not saturate: the bounded ones (`NormalCdf`,
`Logistic`) and the exploding ones (`Sinh`, `Exponential`) belong on light tails, |x| < 7 or so.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.side_map import SideMap

NEWTON_STEPS: Final = 20  # they converge quadratically once the slope is nearly constant


class Warp(ABC):
    """A strictly monotone map of the real line into itself, applied to every entry of an array."""

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The image of x."""

    @abstractmethod
    def inverse(self, y: Array) -> Array:
        """The x whose image is y."""


@dataclass(frozen=True)
class Affine(Warp):
    """scale x + shift; decreasing for a negative scale.

    Raises:
        InvalidInput: the scale is 0.
    """

    scale: float
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.scale == 0.0:
            raise InvalidInput("scale is 0; a warp must be invertible")

    def forward(self, x: Array) -> Array:
        return self.scale * x + self.shift

    def inverse(self, y: Array) -> Array:
        return (y - self.shift) / self.scale


@dataclass(frozen=True)
class SignedPower(Warp):
    """sign(x) |x|^p: p = 3/2 is the half-cube of BMI (Czyz et al. 2023, NeurIPS), p = 1/3 the cube root.

    Raises:
        InvalidInput: the power is not positive.
    """

    power: float = 1.5

    def __post_init__(self) -> None:
        if not self.power > 0.0:
            raise InvalidInput(f"power is {self.power}; it must be positive")

    def forward(self, x: Array) -> Array:
        return np.asarray(np.sign(x) * np.abs(x) ** self.power)

    def inverse(self, y: Array) -> Array:
        return np.asarray(np.sign(y) * np.abs(y) ** (1.0 / self.power))


@dataclass(frozen=True)
class Asinh(Warp):
    """asinh(x), which shortens tails."""

    def forward(self, x: Array) -> Array:
        return np.arcsinh(x)

    def inverse(self, y: Array) -> Array:
        return np.sinh(y)


@dataclass(frozen=True)
class Sinh(Warp):
    """sinh(x), which lengthens tails."""

    def forward(self, x: Array) -> Array:
        return np.sinh(x)

    def inverse(self, y: Array) -> Array:
        return np.arcsinh(y)


@dataclass(frozen=True)
class Exponential(Warp):
    """exp(x), a skewed positive column."""

    def forward(self, x: Array) -> Array:
        return np.exp(x)

    def inverse(self, y: Array) -> Array:
        return np.log(y)


@dataclass(frozen=True)
class NormalCdf(Warp):
    """Phi(x), the standard normal distribution function: uniform on (0, 1) for a standard normal x."""

    def forward(self, x: Array) -> Array:
        return np.asarray(ndtr(x))

    def inverse(self, y: Array) -> Array:
        return np.asarray(ndtri(y))


@dataclass(frozen=True)
class Logistic(Warp):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Array) -> Array:
        return np.asarray(expit(x))

    def inverse(self, y: Array) -> Array:
        return np.asarray(logit(y))


@dataclass(frozen=True)
class Wiggly(Warp):
    """x + sum_i a_i sin(b_i x + c_i), strictly increasing because sum_i |a_i b_i| < 1.

    Args:
        waves: (a_i, b_i, c_i) of every wave.

    Raises:
        InvalidInput: sum_i |a_i b_i| is not below 1.
    """

    waves: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        slope = sum(abs(a * b) for a, b, _ in self.waves)
        if not slope < 1.0:
            raise InvalidInput(f"sum |a b| is {slope}; below 1 the map is strictly increasing")

    def forward(self, x: Array) -> Array:
        return x + sum(a * np.sin(b * x + c) for a, b, c in self.waves)

    def inverse(self, y: Array) -> Array:
        """By bisection: |f(x) - x| <= sum |a_i|."""
        return _bisected(self.forward, y, sum(abs(a) for a, _, _ in self.waves))


@dataclass(frozen=True)
class Step(Warp):
    """x + height tanh((x - centre) / width), which parts a column into two heaps for a small width.

    Raises:
        InvalidInput: height or width is not positive.
    """

    height: float
    width: float
    centre: float = 0.0

    def __post_init__(self) -> None:
        if not min(self.height, self.width) > 0.0:
            raise InvalidInput(f"height {self.height} and width {self.width} must be positive")

    def forward(self, x: Array) -> Array:
        return x + self.height * np.tanh((x - self.centre) / self.width)

    def inverse(self, y: Array) -> Array:
        """By bisection: |f(x) - x| <= height."""
        return _bisected(self.forward, y, self.height)


@dataclass(frozen=True)
class Skew(Warp):
    """x + k sqrt(1 + x^2): a slope of 1 - k far on the left and of 1 + k far on the right.

    Raises:
        InvalidInput: k is outside (-1, 1).
    """

    skewness: float

    def __post_init__(self) -> None:
        if not abs(self.skewness) < 1.0:
            raise InvalidInput(f"skewness is {self.skewness}; it must be in (-1, 1)")

    def forward(self, x: Array) -> Array:
        return np.asarray(x + self.skewness * np.sqrt(1.0 + x * x))

    def inverse(self, y: Array) -> Array:
        """(y - k sqrt(y^2 + 1 - k^2)) / (1 - k^2)."""
        left = 1.0 - self.skewness**2
        return np.asarray((y - self.skewness * np.sqrt(y * y + left)) / left)


@dataclass(frozen=True)
class TailPower(Warp):
    """x (1 + (x / scale)^2)^((p - 1) / 2): nearly linear within the scale, and like |x|^p in the tails.

    Raises:
        InvalidInput: power or scale is not positive.
    """

    power: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not min(self.power, self.scale) > 0.0:
            raise InvalidInput(f"power {self.power} and scale {self.scale} must be positive")

    def forward(self, x: Array) -> Array:
        return np.asarray(x * (1.0 + (x / self.scale) ** 2) ** ((self.power - 1.0) / 2.0))

    def inverse(self, y: Array) -> Array:
        """By Newton's method in s = log |x / scale|.

        log |f| is concave or convex in s, with a slope between 1 and p.
        """
        target = np.log(np.maximum(np.abs(y) / self.scale, 1e-300))
        s = target
        for _ in range(NEWTON_STEPS):
            excess = s + (self.power - 1.0) / 2.0 * np.logaddexp(0.0, 2.0 * s) - target
            s = s - excess / (1.0 + (self.power - 1.0) * expit(2.0 * s))
        return np.asarray(np.sign(y) * self.scale * np.exp(s))


class Columnwise(SideMap):
    """Every column through a strictly monotone map of its own.

    Args:
        warps: the map of each column; heavy tails need ones that neither saturate nor explode.
    """

    def __init__(self, warps: Sequence[Warp]) -> None:
        super().__init__(len(warps), len(warps))
        self.warps = tuple(warps)

    def forward(self, x: Array) -> Array:
        return np.column_stack([warp.forward(x[:, d]) for d, warp in enumerate(self.warps)])

    def inverse(self, y: Array) -> Array:
        return np.column_stack([warp.inverse(y[:, d]) for d, warp in enumerate(self.warps)])


def _bisected(forward: Callable[[Array], Array], y: Array, reach: float) -> Array:
    """The x with f(x) = y, where f increases and |f(x) - x| <= reach."""
    low, high = y - reach, y + reach
    for _ in range(60):  # 2**-60 of the bracket is below one ulp of anything of its size
        middle = (low + high) / 2.0
        below = forward(middle) < y
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2.0
