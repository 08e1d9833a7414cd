"""Numbers with noise added: uniform ones, and those of symmetric laws whose tails may be heavy."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from scipy.interpolate import CubicSpline  # type: ignore[import-untyped]
from scipy.special import betaln, entr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form
from mizzle.metadata_gen.montecarlo import open_uniforms

TAIL: Final = 1e-10  # the mass that the grids leave out
STEPS: Final = 160  # of the grid of y >= 0, in v = asinh(y / unit)
PANEL: Final = 2.2  # the widest panel of the convolution's integral, in asinh(t / unit)
MIN_PANELS: Final = 10
_ROOTS, _ROOT_WEIGHTS = np.polynomial.legendre.leggauss(10)
_LOG_ROOT = 0.5 * math.log(2.0 * math.pi)


class AdditiveUniformNoise(Family):
    """X_j ~ U(0, 1) and Y_j = X_j + U(-eps_j, eps_j), with independent coordinates.

    I = sum_j (eps_j - log(2 eps_j) if eps_j <= 1/2 else 1 / (4 eps_j)) nats: h(Y_j) - log(2 eps_j) with the
    entropy of a trapezoid (BMI: Czyz et al. 2023, NeurIPS; MIST: arXiv 2511.18945).

    Args:
        eps: half-width of each coordinate's noise, shape (d,), positive; both sides have d columns.

    Raises:
        InvalidInput: an eps is not positive and finite.

    >>> AdditiveUniformNoise(np.array([0.5])).mi().nats
    0.5
    """

    def __init__(self, eps: Array, name: str = "additive") -> None:
        super().__init__(name, len(eps), len(eps))
        if not np.all((eps > 0.0) & np.isfinite(eps)):
            raise InvalidInput("every eps must be positive and finite")
        self.eps = eps

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = rng.random((n, self.dim_x))
        return x, x + self.eps * (2.0 * rng.random((n, self.dim_x)) - 1.0)

    def mi(self) -> Truth:
        narrow, wide = self.eps - np.log(2.0 * self.eps), 0.25 / self.eps
        return closed_form(float(np.where(self.eps <= 0.5, narrow, wide).sum()))

    def pmi(self, x: Array, y: Array) -> Array:
        """-sum_j log of the length of (y_j - eps_j, y_j + eps_j) inside (0, 1), and -inf off the support."""
        overlap = np.minimum(y + self.eps, 1.0) - np.maximum(y - self.eps, 0.0)
        inside = (np.abs(y - x) < self.eps) & (overlap > 0.0)
        logs = np.log(overlap, out=np.full(y.shape, np.inf), where=inside)
        return np.asarray(-logs.sum(axis=1))


class SymmetricLaw(ABC):
    """A continuous law, symmetric about 0 and of about unit width."""

    @property
    @abstractmethod
    def reach(self) -> float:
        """A value above which a mass of about TAIL or less lies."""

    @abstractmethod
    def sample(self, rng: Rng, n: int) -> Array:
        """Draw n independent numbers, shape (n,)."""

    @abstractmethod
    def log_density(self, z: Array) -> Array:
        """The logarithm of the density at z."""

    @property
    def entropy(self) -> float:
        """Differential entropy in nats."""
        return _entropy_of(self)


@dataclass(frozen=True)
class Student(SymmetricLaw):
    """Density (1 + z^2 / df)^(-(df + 1) / 2) / (B(df / 2, 1/2) sqrt(df)); df = 1 is Cauchy's law.

    Raises:
        InvalidInput: df is below 1, or infinite.
    """

    df: float

    def __post_init__(self) -> None:
        if not 1.0 <= self.df < math.inf:
            raise InvalidInput(f"df is {self.df}; it must be at least 1 and finite")

    @property
    def reach(self) -> float:
        return math.sqrt(self.df) * math.pow(TAIL, -1.0 / self.df)

    def sample(self, rng: Rng, n: int) -> Array:
        return np.asarray(rng.standard_t(self.df, n))

    def log_density(self, z: Array) -> Array:
        peak = -betaln(self.df / 2.0, 0.5) - 0.5 * math.log(self.df)
        return np.asarray(peak - (self.df + 1.0) / 2.0 * np.log1p(z * z / self.df))


@dataclass(frozen=True)
class Normal(SymmetricLaw):
    """N(0, 1)."""

    reach = 10.0

    def sample(self, rng: Rng, n: int) -> Array:
        return rng.standard_normal(n)

    def log_density(self, z: Array) -> Array:
        return np.asarray(-0.5 * z * z - _LOG_ROOT)


@dataclass(frozen=True)
class Logistic(SymmetricLaw):
    """Density exp(-|z|) / (1 + exp(-|z|))^2, of entropy 2 nats."""

    reach = 40.0

    def sample(self, rng: Rng, n: int) -> Array:
        u = open_uniforms(rng, (n,))
        return np.asarray(np.log(u) - np.log1p(-u))

    def log_density(self, z: Array) -> Array:
        size = np.abs(z)
        return np.asarray(-size - 2.0 * np.log1p(np.exp(-size)))


@dataclass(frozen=True)
class HyperbolicSecant(SymmetricLaw):
    """Density sech(pi z / 2) / 2, with mean 0 and variance 1."""

    reach = 25.0

    def sample(self, rng: Rng, n: int) -> Array:
        """2 / pi log tan(pi U / 2), U ~ U(0, 1)."""
        return np.asarray(2.0 / math.pi * np.log(np.tan(0.5 * math.pi * open_uniforms(rng, (n,)))))

    def log_density(self, z: Array) -> Array:
        size = 0.5 * math.pi * np.abs(z)
        return np.asarray(-size - np.log1p(np.exp(-2.0 * size)))


@dataclass(frozen=True)
class Slash(SymmetricLaw):
    """N(0, 1) / U(0, 1): density (1 - exp(-z^2 / 2)) / (z^2 sqrt(2 pi)), with the tails of Cauchy's law."""

    reach = 1.0 / TAIL

    def sample(self, rng: Rng, n: int) -> Array:
        return rng.standard_normal(n) / open_uniforms(rng, (n,))

    def log_density(self, z: Array) -> Array:
        half_square = np.maximum(0.5 * z * z, 1e-15)
        return np.asarray(np.log(-0.5 * np.expm1(-half_square) / half_square) - _LOG_ROOT)


@dataclass(frozen=True)
class NormalWithOutliers(SymmetricLaw):
    """N(0, 1), or with probability `share` a number of Cauchy's law.

    Raises:
        InvalidInput: the share is outside (0, 1).
    """

    share: float
    reach = 1.0 / TAIL

    def __post_init__(self) -> None:
        if not 0.0 < self.share < 1.0:
            raise InvalidInput(f"share is {self.share}; it must be in (0, 1)")

    def sample(self, rng: Rng, n: int) -> Array:
        return np.where(rng.random(n) < self.share, rng.standard_cauchy(n), rng.standard_normal(n))

    def log_density(self, z: Array) -> Array:
        square = z * z
        normal = (1.0 - self.share) * np.exp(-0.5 * square - _LOG_ROOT)
        return np.asarray(np.log(normal + self.share / math.pi / (1.0 + square)))


class AdditiveNoise(Family):
    """Y = X + scale N with independent X and N: I = h(Y) - h(N) - log(scale) nats.

    Y's density is the convolution, int p_X(x) p_N((y - x) / scale) / scale dx, by Gauss's rule in panels of
    asinh(x); its entropy is summed over asinh(y), where every power of a tail falls exponentially
    (Davis & Rabinowitz 1984, Methods of numerical integration, ch. 3). Of two Cauchy laws it is
    log(1 + 1 / scale).

    Args:
        law, noise: the laws of X and of N.
        scale: of the noise, positive.

    Raises:
        InvalidInput: the scale is not positive and finite.

    >>> round(AdditiveNoise(Student(1.0), Student(1.0), 1.0).mi().nats, 6)  # log 2
    0.693147
    """

    def __init__(self, law: SymmetricLaw, noise: SymmetricLaw, scale: float, name: str = "heavy") -> None:
        super().__init__(name, 1, 1)
        if not 0.0 < scale < math.inf:
            raise InvalidInput(f"scale is {scale}; it must be positive and finite")
        self.law, self.noise, self.scale = law, noise, scale

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = self.law.sample(rng, n)
        return x[:, None], (x + self.scale * self.noise.sample(rng, n))[:, None]

    def mi(self) -> Truth:
        v, density = self._table
        sum_entropy = _entropy(density, v, self._unit)
        return closed_form(sum_entropy - self.noise.entropy - math.log(self.scale))

    def pmi(self, x: Array, y: Array) -> Array:
        """log p_N((y - x) / scale) - log scale - log p(y), the last read off a cubic spline in asinh(y)."""
        v = np.arcsinh(np.abs(y[:, 0]) / self._unit)
        log_noise = self.noise.log_density((y[:, 0] - x[:, 0]) / self.scale) - math.log(self.scale)
        return np.asarray(log_noise - self._log_density(np.minimum(v, self._table[0][-1])))

    @property
    def _unit(self) -> float:
        """The width of Y."""
        return 1.0 + self.scale

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        """A grid of v = asinh(y / unit) and p(y) on it."""
        reach = self.law.reach + self.scale * self.noise.reach
        v = np.linspace(0.0, math.asinh(reach / self._unit), STEPS + 1)
        y = self._unit * np.sinh(v)
        halves = (
            _half_convolution(self.law, 1.0, self.noise, self.scale, y),
            _half_convolution(self.noise, self.scale, self.law, 1.0, y),
        )
        return v, halves[0] + halves[1]

    @cached_property
    def _log_density(self) -> CubicSpline:
        v, density = self._table
        return CubicSpline(v, np.log(np.maximum(density, 1e-300)), bc_type=((1, 0.0), "not-a-knot"))


def _half_convolution(own: SymmetricLaw, width: float, other: SymmetricLaw, rest: float, y: Array) -> Array:
    """The density of width A + rest B at y where width A < y / 2, A of the law `own` and B of `other`.

    Below y / 2 the density of B varies no faster than A's distance from y does.
    """
    unit = min(width, rest)
    end = math.asinh(width * own.reach / unit)
    high = np.minimum(np.arcsinh(y / (2.0 * unit)), end)
    panels = max(MIN_PANELS, math.ceil((end + high.max()) / PANEL))
    places = ((np.arange(panels)[:, None] + 0.5 * (1.0 + _ROOTS)) / panels).ravel()
    w = -end + (high + end)[:, None] * places
    a = unit * np.sinh(w)
    logs = own.log_density(a / width) + other.log_density((y[:, None] - a) / rest)
    values = np.exp(logs) * np.sqrt(a * a + unit * unit)
    weights = np.tile(_ROOT_WEIGHTS, panels) / (2.0 * panels)
    return np.asarray((values @ weights) * (high + end) / (width * rest))


def _entropy(density: Array, v: Array, unit: float) -> float:
    """-int p log p dy of a symmetric density on a grid of v = asinh(y / unit), from 0 on."""
    return float(2.0 * unit * np.trapezoid(entr(density) * np.cosh(v), v))


@lru_cache(maxsize=64)
def _entropy_of(law: SymmetricLaw) -> float:
    v = np.linspace(0.0, math.asinh(law.reach), 4 * STEPS + 1)
    return _entropy(np.exp(law.log_density(np.sinh(v))), v, 1.0)
