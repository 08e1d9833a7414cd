"""Random maps f: R^m -> R, whose value T = f(X) is the signal that a channel passes on.

A signal maps x of shape (n, m) to t of shape (n,). A direction w has |w| = 1.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
from numpy.polynomial.hermite_e import hermeval

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.hyperpriors import (
    IntegerLaw,
    Integers,
    LogUniform,
    RealLaw,
    Uniform,
)

RANGES: Final[Mapping[str, RealLaw | IntegerLaw]] = MappingProxyType(
    {
        "tanh.gain": LogUniform(0.5, 5.0),
        "waves.terms": Integers(2, 8),
        "waves.frequency": LogUniform(0.3, 3.0),
        "network.units": Integers(2, 16),
        "network.gain": LogUniform(0.5, 4.0),
        "polynomial.degree": Integers(2, 4),
        "sine.frequency": LogUniform(0.7, 8.0),
        "triangle.frequency": LogUniform(0.7, 8.0),
        "fold.offset": Uniform(-1.0, 1.0),
        "xor.gain": LogUniform(0.5, 8.0),
        "ripple.frequency": LogUniform(0.7, 4.0),
        "phase": Uniform(0.0, 2.0 * math.pi),
    }
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
    """sum_j a_j sin(v_j.x + c_j), with v_j the rows of `weights` (Rahimi & Recht 2007)."""

    weights: Array
    phases: Array
    amplitudes: Array
    name: ClassVar[str] = "features"

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.sin(x @ self.weights.T + self.phases) @ self.amplitudes)


@dataclass(frozen=True, eq=False)
class Network(Signal):
    """sum_j a_j tanh(v_j.x + c_j): a network with one hidden layer."""

    weights: Array
    biases: Array
    amplitudes: Array
    name: ClassVar[str] = "features"

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.tanh(x @ self.weights.T + self.biases) @ self.amplitudes)


@dataclass(frozen=True, eq=False)
class Polynomial(Signal):
    """sum_k c_k He_k(w.x), He_k the Hermite polynomials of probabilists."""

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
    """The triangle wave of height 1 and period 2 pi at b w.x + c."""

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
    """sign(prod_j x_j) |prod_j x_j|^p with p = min(1, 3/m), or a product of eight would be all tail."""

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
    """|x|, the Euclidean norm."""

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


def random_signal(rng: Rng, kind: str, dim: int) -> Signal:
    """A signal of `dim` inputs, of a kind in KINDS, with parameters from RANGES."""
    if kind not in _BUILDERS or dim < 1:
        raise InvalidInput(f"no signal {kind!r} of {dim} inputs; the kinds are {', '.join(KINDS)}")
    return _BUILDERS[kind](rng, dim)


def random_direction(rng: Rng, dim: int) -> Array:
    """Uniform on the unit sphere."""
    w = rng.standard_normal(dim)
    return np.asarray(w / np.sqrt(w @ w))


def _real(rng: Rng, key: str) -> float:
    return float(RANGES[key].draw(rng))


def _phased(rng: Rng, kind: str, dim: int) -> tuple[Array, float, float]:
    return random_direction(rng, dim), _real(rng, f"{kind}.frequency"), _real(rng, "phase")


def _waves(rng: Rng, dim: int) -> Signal:
    """Directions v_j ~ N(0, b_j^2 / m), so that v_j.x has the standard deviation b_j on average."""
    terms = int(_real(rng, "waves.terms"))
    frequency = np.array([_real(rng, "waves.frequency") for _ in range(terms)])
    phases = np.array([_real(rng, "phase") for _ in range(terms)])
    weights = rng.standard_normal((terms, dim)) * (frequency / math.sqrt(dim))[:, None]
    return Waves(weights, phases, rng.standard_normal(terms))


def _network(rng: Rng, dim: int) -> Signal:
    units, gain = int(_real(rng, "network.units")), _real(rng, "network.gain")
    weights = rng.standard_normal((units, dim)) * gain / math.sqrt(dim)
    return Network(weights, gain * rng.standard_normal(units), rng.standard_normal(units))


def _polynomial(rng: Rng, dim: int) -> Signal:
    """c_k ~ N(0, 1/k!) gives each degree the same variance under a normal w.x."""
    degree = int(_real(rng, "polynomial.degree"))
    scale = [1.0 / math.sqrt(math.factorial(k)) for k in range(1, degree + 1)]
    return Polynomial(random_direction(rng, dim), np.array([0.0, *(rng.standard_normal(degree) * scale)]))


_BUILDERS: Final[Mapping[str, Callable[[Rng, int], Signal]]] = MappingProxyType(
    {
        "linear": lambda rng, dim: Linear(random_direction(rng, dim)),
        "tanh": lambda rng, dim: Tanh(random_direction(rng, dim), _real(rng, "tanh.gain")),
        "features": lambda rng, dim: (_waves if rng.random() < 0.5 else _network)(rng, dim),
        "polynomial": _polynomial,
        "sine": lambda rng, dim: Sine(*_phased(rng, "sine", dim)),
        "triangle": lambda rng, dim: Triangle(*_phased(rng, "triangle", dim)),
        "absolute": lambda rng, dim: Absolute(random_direction(rng, dim), _real(rng, "fold.offset")),
        "square": lambda rng, dim: Square(random_direction(rng, dim), _real(rng, "fold.offset")),
        "product": lambda rng, dim: Product(),
        "xor": lambda rng, dim: Xor(_real(rng, "xor.gain")),
        "radius": lambda rng, dim: Radius(),
        "ripple": lambda rng, dim: Ripple(_real(rng, "ripple.frequency"), _real(rng, "phase")),
        "maximum": lambda rng, dim: Maximum(),
    }
)
KINDS: Final = tuple(_BUILDERS)
