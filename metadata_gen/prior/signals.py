"""The prior over signals: a random map of m inputs to one number, by its kind."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.signals import (
    Absolute,
    Linear,
    Maximum,
    Network,
    Polynomial,
    Product,
    Radius,
    Ripple,
    Signal,
    Sine,
    Square,
    Tanh,
    Triangle,
    Waves,
    Xor,
)
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.prior.draws import real, whole
from mizzle.metadata_gen.prior.map_ranges import CHANNELS


def random_signal(rng: Rng, kind: str, dim: int) -> Signal:
    """A signal of `dim` inputs, of a kind in KINDS, with parameters from `map_ranges.CHANNELS`.

    Raises:
        InvalidInput: there is no such kind, or no input.
    """
    if kind not in _BUILDERS or dim < 1:
        raise InvalidInput(f"no signal {kind!r} of {dim} inputs; the kinds are {', '.join(KINDS)}")
    return _BUILDERS[kind](rng, dim)


def random_direction(rng: Rng, dim: int) -> Array:
    """A vector uniform on the unit sphere, shape (dim,)."""
    w = rng.standard_normal(dim)
    return np.asarray(w / np.sqrt(w @ w))


def _number(rng: Rng, key: str) -> float:
    return real(rng, key, CHANNELS)


def _numbers(rng: Rng, key: str, size: int) -> Array:
    """One by one: numpy's exp differs from math's in the last bit, and seeds must give the same data."""
    return np.array([_number(rng, key) for _ in range(size)])


def _phased(rng: Rng, kind: str, dim: int) -> tuple[Array, float, float]:
    return random_direction(rng, dim), _number(rng, f"{kind}.frequency"), _number(rng, "phase")


def _waves(rng: Rng, dim: int) -> Signal:
    """Directions v_j ~ N(0, b_j^2 / m), so that v_j.x has the standard deviation b_j on average."""
    terms = whole(rng, "waves.terms", table=CHANNELS)
    frequency, phases = _numbers(rng, "waves.frequency", terms), _numbers(rng, "phase", terms)
    weights = rng.standard_normal((terms, dim)) * (frequency / math.sqrt(dim))[:, None]
    return Waves(weights, phases, rng.standard_normal(terms))


def _network(rng: Rng, dim: int) -> Signal:
    units, gain = whole(rng, "network.units", table=CHANNELS), _number(rng, "network.gain")
    weights = rng.standard_normal((units, dim)) * gain / math.sqrt(dim)
    return Network(weights, gain * rng.standard_normal(units), rng.standard_normal(units))


def _polynomial(rng: Rng, dim: int) -> Signal:
    """c_k ~ N(0, 1/k!) gives each degree the same variance under a normal w.x."""
    degree = whole(rng, "polynomial.degree", table=CHANNELS)
    scale = [1.0 / math.sqrt(math.factorial(k)) for k in range(1, degree + 1)]
    return Polynomial(random_direction(rng, dim), np.array([0.0, *(rng.standard_normal(degree) * scale)]))


_BUILDERS: Final[Mapping[str, Callable[[Rng, int], Signal]]] = MappingProxyType(
    {
        "linear": lambda rng, dim: Linear(random_direction(rng, dim)),
        "tanh": lambda rng, dim: Tanh(random_direction(rng, dim), _number(rng, "tanh.gain")),
        "features": lambda rng, dim: (_waves if rng.random() < 0.5 else _network)(rng, dim),
        "polynomial": _polynomial,
        "sine": lambda rng, dim: Sine(*_phased(rng, "sine", dim)),
        "triangle": lambda rng, dim: Triangle(*_phased(rng, "triangle", dim)),
        "absolute": lambda rng, dim: Absolute(random_direction(rng, dim), _number(rng, "fold.offset")),
        "square": lambda rng, dim: Square(random_direction(rng, dim), _number(rng, "fold.offset")),
        "product": lambda rng, dim: Product(),
        "xor": lambda rng, dim: Xor(_number(rng, "xor.gain")),
        "radius": lambda rng, dim: Radius(),
        "ripple": lambda rng, dim: Ripple(_number(rng, "ripple.frequency"), _number(rng, "phase")),
        "maximum": lambda rng, dim: Maximum(),
    }
)
KINDS: Final = tuple(_BUILDERS)
