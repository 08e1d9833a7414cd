"""What goes into a channel: the inputs X, and the signal T = f(X) that it passes on.

A signal maps x of shape (n, m) to t of shape (n,). A direction w has length 1, shape (m,).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
from numpy.polynomial.hermite_e import hermeval
from scipy.special import ndtri  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.elliptical import cholesky
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.montecarlo import open_uniforms


@dataclass(frozen=True, eq=False)
class Inputs:
    """The law of X: columns with mean 0 and variance 1, independent or normal with a correlation matrix.

    Attributes:
        dim: number of columns.
        marginal: "normal", "uniform" or "laplace".
        dispersion: the correlation matrix of a normal, shape (dim, dim); None for independent columns.

    Raises:
        InvalidInput: there is no such marginal, or the dispersion does not fit.
    """

    dim: int
    marginal: str = "normal"
    dispersion: Array | None = None

    def __post_init__(self) -> None:
        shape = (self.dim, self.dim) if self.dispersion is None else self.dispersion.shape
        plain = self.dispersion is None or self.marginal == "normal"
        if self.marginal not in QUANTILES or not plain or shape != (self.dim, self.dim):
            raise InvalidInput(f"no {self.dim} {self.marginal!r} inputs with a dispersion of shape {shape}")

    def sample(self, rng: Rng, n: int) -> Array:
        """Draw n independent rows, shape (n, dim)."""
        return self.mixed(QUANTILES[self.marginal](open_uniforms(rng, (n, self.dim))))

    def mixed(self, z: Array) -> Array:
        """Give independent columns these correlations: z L^T with L L^T the dispersion, shape (n, dim)."""
        return z if self._factor is None else np.asarray(z @ self._factor.T)

    @cached_property
    def _factor(self) -> Array | None:
        return None if self.dispersion is None else cholesky(self.dispersion)


def _uniform_quantile(u: Array) -> Array:
    return np.asarray(math.sqrt(12.0) * (u - 0.5))


def _laplace_quantile(u: Array) -> Array:
    return np.asarray(np.copysign(np.log(1.0 - np.abs(2.0 * u - 1.0)), u - 0.5) * -math.sqrt(0.5))


QUANTILES: Final[Mapping[str, Callable[[Array], Array]]] = MappingProxyType(
    {"normal": ndtri, "uniform": _uniform_quantile, "laplace": _laplace_quantile}
)


class Signal(ABC):
    """A map of m columns to one.

    Attributes:
        name: a short label; the channel's name carries it.
    """

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, x: Array) -> Array:
        """t of shape (n,) from x of shape (n, m)."""


@dataclass(frozen=True, eq=False)
class Linear(Signal):
    """w.x"""

    direction: Array
    name: ClassVar[str] = "monotone"

    def __call__(self, x: Array) -> Array:
        return np.asarray(x @ self.direction)


@dataclass(frozen=True, eq=False)
class Tanh(Signal):
    """tanh(g w.x)"""

    direction: Array
    gain: float
    name: ClassVar[str] = "monotone"

    def __call__(self, x: Array) -> Array:
        return np.tanh(x @ (self.gain * self.direction))


@dataclass(frozen=True, eq=False)
class Waves(Signal):
    """sum_j a_j sin(v_j.x + c_j): random Fourier features (Rahimi & Recht 2007).

    Attributes:
        weights: v, shape (terms, m).
        phases, amplitudes: c and a, shape (terms,).
    """

    weights: Array
    phases: Array
    amplitudes: Array
    name: ClassVar[str] = "features"

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.sin(x @ self.weights.T + self.phases) @ self.amplitudes)


@dataclass(frozen=True, eq=False)
class Network(Signal):
    """sum_j a_j tanh(v_j.x + c_j): a neural network with one hidden layer.

    Attributes:
        weights: v, shape (units, m).
        biases, amplitudes: c and a, shape (units,).
    """

    weights: Array
    biases: Array
    amplitudes: Array
    name: ClassVar[str] = "features"

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.tanh(x @ self.weights.T + self.biases) @ self.amplitudes)


@dataclass(frozen=True, eq=False)
class Polynomial(Signal):
    """sum_k c_k He_k(w.x), with He_k the probabilists' Hermite polynomials.

    Attributes:
        direction: w.
        coefficients: c_0, c_1, ..., shape (degree + 1,).
    """

    direction: Array
    coefficients: Array
    name: ClassVar[str] = "polynomial"

    def __call__(self, x: Array) -> Array:
        return np.asarray(hermeval(x @ self.direction, self.coefficients))


@dataclass(frozen=True, eq=False)
class Sine(Signal):
    """sin(b w.x + c)"""

    direction: Array
    frequency: float
    phase: float
    name: ClassVar[str] = "sine"

    def __call__(self, x: Array) -> Array:
        return np.sin(x @ (self.frequency * self.direction) + self.phase)


@dataclass(frozen=True, eq=False)
class Triangle(Signal):
    """The triangle wave of height 1 and period 2 pi, at b w.x + c."""

    direction: Array
    frequency: float
    phase: float
    name: ClassVar[str] = "triangle"

    def __call__(self, x: Array) -> Array:
        turns = (x @ (self.frequency * self.direction) + self.phase) / (2.0 * math.pi)
        return np.asarray(4.0 * np.abs(turns - np.floor(turns) - 0.5) - 1.0)


@dataclass(frozen=True, eq=False)
class Absolute(Signal):
    """|w.x - o|"""

    direction: Array
    offset: float = 0.0
    name: ClassVar[str] = "absolute"

    def __call__(self, x: Array) -> Array:
        return np.abs(x @ self.direction - self.offset)


@dataclass(frozen=True, eq=False)
class Square(Absolute):
    """(w.x - o)^2"""

    name: ClassVar[str] = "square"

    def __call__(self, x: Array) -> Array:
        return np.asarray(super().__call__(x) ** 2)


@dataclass(frozen=True)
class Product(Signal):
    """sign(prod_j x_j) |prod_j x_j|^p with p = min(1, 3/m), because a product of eight would be all tail."""

    name: ClassVar[str] = "product"

    def __call__(self, x: Array) -> Array:
        product, power = x.prod(axis=1), min(1.0, 3.0 / x.shape[1])
        return np.asarray(product if power == 1.0 else np.sign(product) * np.abs(product) ** power)


@dataclass(frozen=True)
class Xor(Signal):
    """prod_j tanh(g x_j): the parity of the signs, for a large gain g."""

    gain: float
    name: ClassVar[str] = "xor"

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.tanh(self.gain * x).prod(axis=1))


@dataclass(frozen=True)
class Radius(Signal):
    """|x|, the Euclidean norm of the row."""

    name: ClassVar[str] = "radius"

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.sqrt((x * x).sum(axis=1)))


@dataclass(frozen=True)
class Ripple(Radius):
    """sin(b |x| + c)"""

    frequency: float
    phase: float
    name: ClassVar[str] = "ripple"

    def __call__(self, x: Array) -> Array:
        return np.sin(self.frequency * super().__call__(x) + self.phase)


@dataclass(frozen=True)
class Maximum(Signal):
    """max_j x_j"""

    name: ClassVar[str] = "maximum"

    def __call__(self, x: Array) -> Array:
        return np.asarray(x.max(axis=1))
