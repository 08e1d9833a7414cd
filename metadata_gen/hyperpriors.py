"""The one-dimensional distributions that the meta-distribution draws its parameters from."""

import math
from bisect import bisect
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Rng


@dataclass(frozen=True)
class Uniform:
    """Uniform on [low, high]."""

    low: float
    high: float

    def draw(self, rng: Rng) -> float:
        """One number low + (high - low) U, U ~ U(0, 1)."""
        return self.low + (self.high - self.low) * rng.random()

    def draw_many(self, rng: Rng, size: int) -> Array:
        """Independent numbers, shape (size,)."""
        return self.low + (self.high - self.low) * rng.random(size)


@dataclass(frozen=True)
class LogUniform:
    """Uniform in the logarithm, on [low, high] with 0 < low: density 1 / (x log(high / low))."""

    low: float
    high: float

    def draw(self, rng: Rng) -> float:
        """One number low (high / low)^U, U ~ U(0, 1)."""
        return self.low * math.exp(math.log(self.high / self.low) * rng.random())

    def draw_many(self, rng: Rng, size: int) -> Array:
        """Independent numbers, shape (size,)."""
        return np.asarray(self.low * np.exp(math.log(self.high / self.low) * rng.random(size)))


@dataclass(frozen=True)
class Exponential:
    """Exponential with mean `scale`, truncated to [0, high]."""

    scale: float
    high: float

    def draw(self, rng: Rng) -> float:
        """One number."""
        return float(self.draw_many(rng, 1)[0])

    def draw_many(self, rng: Rng, size: int) -> Array:
        """Independent numbers by inversion, shape (size,): -scale log(1 - U (1 - exp(-high / scale)))."""
        mass = -math.expm1(-self.high / self.scale)
        return np.asarray(-self.scale * np.log1p(-mass * rng.random(size)))


@dataclass(frozen=True)
class Integers:
    """Uniform on the integers low..high, or low..at_most where the problem allows no more."""

    low: int
    high: int

    def draw(self, rng: Rng, at_most: int | None = None) -> int:
        """One integer; `at_most` lowers the upper end, and the lower end with it where it must."""
        low, high = _ends(self.low, self.high, at_most)
        return low + int((high - low + 1) * rng.random())


@dataclass(frozen=True)
class LogIntegers:
    """The integer part of a log-uniform number on [low, high + 1): P(k) ~ log((k + 1) / k)."""

    low: int
    high: int

    def draw(self, rng: Rng, at_most: int | None = None) -> int:
        """One integer; `at_most` lowers the upper end, and the lower end with it where it must."""
        low, high = _ends(self.low, self.high, at_most)
        k = int(low * math.exp(math.log((high + 1) / low) * rng.random()))
        return min(max(k, low), high)  # exp and log may round across an end


def _ends(low: int, high: int, at_most: int | None) -> tuple[int, int]:
    """The ends of a range whose upper one a problem may lower; the lower one follows where it must."""
    high = high if at_most is None else min(high, at_most)
    return min(low, high), high


RealLaw = Uniform | LogUniform | Exponential
IntegerLaw = Integers | LogIntegers


@dataclass(frozen=True)
class Mix:
    """One of several labels, with probability in proportion to its weight.

    Raises:
        InvalidInput: there is no label, or a weight is not positive.
    """

    weights: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        if not self.weights or not all(weight > 0.0 for _, weight in self.weights):
            raise InvalidInput("a mix needs labels, each with a positive weight")

    @cached_property
    def _ends(self) -> list[float]:
        return list(accumulate(weight for _, weight in self.weights))

    def draw(self, rng: Rng) -> str:
        """One label."""
        inner = self._ends[:-1]  # without the last end, rounding cannot step over it
        return self.weights[bisect(inner, self._ends[-1] * rng.random())][0]


Law = RealLaw | IntegerLaw | Mix


def as_data(law: Law) -> dict[str, object]:
    """A law as JSON-able data: its name and its parameters."""
    name = type(law).__name__
    if isinstance(law, Mix):
        return {"law": name, "weights": dict(law.weights)}
    return {"law": name, **asdict(law)}


def evenly(*labels: str) -> Mix:
    """A mix of equal weights."""
    return Mix(tuple((label, 1.0) for label in labels))


def mix(**weights: float) -> Mix:
    """A mix with these weights; an underscore in a label stands for a hyphen."""
    return Mix(tuple((label.replace("_", "-"), weight) for label, weight in weights.items()))
