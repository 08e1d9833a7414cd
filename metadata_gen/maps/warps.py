"""Strictly monotone maps of one column, each with its inverse; none of them changes the mutual information.

In floating point a map is strictly monotone only where it does not saturate: the bounded ones (`NormalCdf`,
`Logistic`) and the exploding ones (`Sinh`, `Exponential`) belong on light tails, |x| < 7 or so.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array


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
        """By bisection: |f(x) - x| <= sum |a_i|, so x lies within that of y."""
        reach = sum(abs(a) for a, _, _ in self.waves)
        low, high = y - reach, y + reach
        for _ in range(60):  # 2**-60 of the bracket is below one ulp of anything of its size
            middle = (low + high) / 2.0
            below = self.forward(middle) < y
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2.0
