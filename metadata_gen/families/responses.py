"""The responses of channels: Y given the signal T, which is T plus noise, or a count.

Axes: `g` node of the grid of y, `c` cell of t. The signal has mean 0 and standard deviation 1.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import betaln, expit, gammaln, ndtr, stdtr, stdtrit  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.elliptical import student_entropy
from mizzle.metadata_gen.family import Array, Rng

TAIL: Final = 1e-9  # the mass of noise beyond the grid of y, on either side
PANELS: Final = 48  # of the grid of y, of nearly equal mass; eight more reach out on either side
SPLITS: Final = 32  # panels of equal width; the edges of both kinds hold
NARROW: Final = 0.01  # half-width of a cell, in standard deviations of the noise
WIDE: Final = 0.25
MAX_RATE: Final = 100.0  # of Poisson counts
_ROOTS, _ROOT_WEIGHTS = np.polynomial.legendre.leggauss(4)


class Standard(ABC):
    """A continuous law with mean 0 and variance 1.

    Attributes:
        entropy: differential entropy in nats.
        reach: a value above which less than TAIL of the mass lies.
    """

    entropy: float  # in nats
    reach: float  # less than TAIL lies above it

    @abstractmethod
    def sample(self, rng: Rng, n: int) -> Array:
        """Draw n independent numbers, shape (n,)."""

    @abstractmethod
    def log_density(self, z: Array) -> Array:
        """The logarithm of the density at z; -inf off the support."""

    @abstractmethod
    def cdf(self, z: Array) -> Array:
        """P(e <= z)."""

    def average(self, z: Array, half: Array) -> Array:
        """The mean density over (z - half_c, z + half_c), shapes (g, c) and (c,).

        Below WIDE it is the density of e, stretched to the variance 1 + half^2 / 3 of e + U(-half, half).
        """
        stretch = np.sqrt(1.0 + half**2 / 3.0)
        mean = np.exp(self.log_density(z / stretch)) / stretch
        wide = half > WIDE
        mean[:, wide] = self._box(z[:, wide], half[wide])
        return np.asarray(mean)

    def _box(self, z: Array, half: Array) -> Array:
        return np.asarray((self.cdf(z + half) - self.cdf(z - half)) / (2.0 * half))


class StandardNormal(Standard):
    """N(0, 1): density exp(-z^2 / 2) / sqrt(2 pi), entropy log(2 pi e) / 2 nats."""

    entropy = 0.5 * math.log(2.0 * math.pi * math.e)
    reach = 6.0

    def sample(self, rng: Rng, n: int) -> Array:
        return rng.standard_normal(n)

    def log_density(self, z: Array) -> Array:
        return np.asarray(-0.5 * z**2 - 0.5 * math.log(2.0 * math.pi))

    def cdf(self, z: Array) -> Array:
        return np.asarray(ndtr(z))


class StandardUniform(Standard):
    """U(-sqrt 3, sqrt 3), of entropy log(12) / 2 nats."""

    entropy = 0.5 * math.log(12.0)
    reach = math.sqrt(3.0)

    def sample(self, rng: Rng, n: int) -> Array:
        return rng.uniform(-self.reach, self.reach, n)

    def log_density(self, z: Array) -> Array:
        return np.where(np.abs(z) <= self.reach, -self.entropy, -np.inf)

    def cdf(self, z: Array) -> Array:
        return np.clip(0.5 + z / (2.0 * self.reach), 0.0, 1.0)

    def average(self, z: Array, half: Array) -> Array:
        """The mean over the box itself, since the steps of this density do not stretch."""
        return self._box(z, np.maximum(half, NARROW))  # its steps do not stretch


class StandardLaplace(Standard):
    """Density exp(-|z| / b) / 2b with b = 1 / sqrt 2, of entropy 1 + log(2 b) nats."""

    entropy = 1.0 + 0.5 * math.log(2.0)
    reach = -math.log(2.0 * TAIL) / math.sqrt(2.0)

    def sample(self, rng: Rng, n: int) -> Array:
        return rng.laplace(0.0, math.sqrt(0.5), n)

    def log_density(self, z: Array) -> Array:
        return np.asarray(-math.sqrt(2.0) * np.abs(z) - 0.5 * math.log(2.0))

    def cdf(self, z: Array) -> Array:
        tail = 0.5 * np.exp(-math.sqrt(2.0) * np.abs(z))
        return np.where(z < 0.0, tail, 1.0 - tail)


class StandardStudent(Standard):
    """A Student scaled by s = sqrt((df - 2) / df), of entropy `student_entropy` + log s nats.

    Density (1 + z^2 / (df - 2))^(-(df + 1) / 2) / (B(df / 2, 1/2) sqrt(df - 2)).

    Raises:
        InvalidInput: df is not above 2, or infinite.
    """

    def __init__(self, df: float) -> None:
        if not 2.0 < df < math.inf:
            raise InvalidInput(f"df is {df}; a Student of finite variance has more than 2")
        self.df, self.scale = df, math.sqrt((df - 2.0) / df)
        self.entropy = student_entropy(1, df) + math.log(self.scale)
        self.reach = self.scale * -float(stdtrit(df, TAIL))

    def sample(self, rng: Rng, n: int) -> Array:
        return np.asarray(self.scale * rng.standard_t(self.df, n))

    def log_density(self, z: Array) -> Array:
        peak = -betaln(self.df / 2.0, 0.5) - 0.5 * math.log(self.df - 2.0)
        return np.asarray(peak - (self.df + 1.0) / 2.0 * np.log1p(z**2 / (self.df - 2.0)))

    def cdf(self, z: Array) -> Array:
        """Read off a table of 2049 nodes: the function itself costs a hundred times more."""
        return np.interp(z, *self._table)

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        """The cdf itself costs a hundred times more than reading it off here."""
        end = math.asinh(self.reach)
        z = np.sinh(np.linspace(-end, end, 2049))
        return z, np.asarray(stdtr(self.df, z / self.scale))


class Response(ABC):
    """The law of Y given T = t.

    Attributes:
        name: a short label, empty where the signal's says more.
    """

    name: str = ""  # a short label, empty where the signal's says more

    @abstractmethod
    def sample(self, rng: Rng, t: Array) -> Array:
        """Draw one y for every t, shape (n,)."""

    @abstractmethod
    def log_density(self, y: Array, t: Array) -> Array:
        """log p(y | t), of a density or of a probability; y and t broadcast."""

    @abstractmethod
    def entropy(self, t: Array) -> Array:
        """The entropy of Y given each t, in nats, shape (n,)."""

    @abstractmethod
    def grid(self, t: Array) -> tuple[Array, Array]:
        """Ascending nodes of y and their weights, shape (g,), that cover p(y) for t drawn in random order."""

    @abstractmethod
    def kernel(self, y: Array, middle: Array, width: Array) -> Array:
        """The mean of p(y_g | t) over the t of cell c, shape (g, c), from each cell's middle and width."""


@dataclass(frozen=True)
class Additive(Response):
    """Y = t + scale(t) e with scale(t) = sigma exp(slope tanh t) (1 + growth |t|), by default constant.

    With a large growth the noise multiplies: Y = t (1 + sigma growth e), but for |t| < 1 / growth.

    Attributes:
        law: the law of e.
        sigma: standard deviation of the noise at t = 0, in units of the signal's; positive.
        slope: how the noise grows from small t to large t, in its logarithm.
        growth: how it grows with |t|, at least 0.

    Raises:
        InvalidInput: sigma is not positive and finite, or growth is negative.
    """

    law: Standard
    sigma: float
    slope: float = 0.0
    growth: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 < self.sigma < math.inf and self.growth >= 0.0):
            raise InvalidInput(f"no noise of sigma {self.sigma} and growth {self.growth}")

    def _scale(self, t: Array) -> Array:
        return np.asarray(self.sigma * np.exp(self.slope * np.tanh(t)) * (1.0 + self.growth * np.abs(t)))

    def sample(self, rng: Rng, t: Array) -> Array:
        return t + self._scale(t) * self.law.sample(rng, len(t))

    def log_density(self, y: Array, t: Array) -> Array:
        """log p_e((y - t) / scale(t)) - log scale(t)."""
        scale = self._scale(t)
        return np.asarray(self.law.log_density((y - t) / scale) - np.log(scale))

    def entropy(self, t: Array) -> Array:
        """h(e) + log scale(t)."""
        return np.asarray(self.law.entropy + np.log(self._scale(t)))

    def kernel(self, y: Array, middle: Array, width: Array) -> Array:
        """The density of e averaged over the width of the cell, in units of the scale at its middle."""
        scale = self._scale(middle)
        return self.law.average((y[:, None] - middle) / scale, width / (2.0 * scale)) / scale

    def grid(self, t: Array) -> tuple[Array, Array]:
        """Gauss-Legendre panels between quantiles of Y, split where wide, and on into its tails."""
        y = np.sort(self.sample(np.random.default_rng(0), t[:2048]))
        quantiles = y[(smooth_levels(PANELS) * (len(y) - 1)).astype(np.intp)]
        inner = np.sort(np.concatenate([quantiles, np.linspace(y[0], y[-1], SPLITS + 1)[1:-1]]))
        tail, steps = self.law.reach * self._scale(t), np.linspace(0.0, 1.0, 9)[1:] ** 3
        below = inner[0] + ((t - tail).min() - inner[0]) * steps[::-1]
        above = inner[-1] + ((t + tail).max() - inner[-1]) * steps
        edges = np.concatenate([below, inner, above])
        half = np.diff(edges)[:, None] / 2.0
        return (edges[:-1, None] + half * (1.0 + _ROOTS)).ravel(), (half * _ROOT_WEIGHTS).ravel()


class Counts(Response):
    """Y on 0, 1, ..., maximum(t)."""

    @abstractmethod
    def maximum(self, t: Array) -> int:
        """A count above which there is less than TAIL of any p(y | t)."""

    def grid(self, t: Array) -> tuple[Array, Array]:
        y = np.arange(self.maximum(t) + 1.0)
        return y, np.ones(len(y))

    def kernel(self, y: Array, middle: Array, width: Array) -> Array:
        return np.exp(self.log_density(y[:, None], middle))

    def entropy(self, t: Array) -> Array:
        """-sum_y p(y | t) log p(y | t)."""
        logs = self.log_density(self.grid(t)[0][:, None], t)
        return np.asarray(-(np.exp(logs) * logs).sum(axis=0))


@dataclass(frozen=True)
class Poisson(Counts):
    """A count with rate min(rate exp(gain t), MAX_RATE), or 0 with probability `zeros`.

    Attributes:
        rate: at t = 0, positive.
        gain: of the logarithm of the rate, per standard deviation of the signal.
        zeros: probability of an extra zero, in [0, 1).

    Raises:
        InvalidInput: the rate is not positive, or `zeros` outside [0, 1).
    """

    rate: float
    gain: float
    zeros: float = 0.0
    name = "poisson"

    def __post_init__(self) -> None:
        if not (self.rate > 0.0 and 0.0 <= self.zeros < 1.0):
            raise InvalidInput(f"no counts of rate {self.rate} and {self.zeros} extra zeros")

    def _log_rate(self, t: Array) -> Array:
        return np.minimum(math.log(self.rate) + self.gain * t, math.log(MAX_RATE))

    def sample(self, rng: Rng, t: Array) -> Array:
        counts = rng.poisson(np.exp(self._log_rate(t)))
        return np.where(rng.random(len(t)) < self.zeros, 0.0, counts)

    def log_density(self, y: Array, t: Array) -> Array:
        """y log r - r - log y! + log(1 - zeros) with rate r, and log(zeros + (1 - zeros) exp(-r)) at 0."""
        log_rate = self._log_rate(t)
        rate = np.exp(log_rate)
        positive = y * log_rate - rate - gammaln(y + 1.0) + math.log1p(-self.zeros)
        return np.where(y == 0.0, np.log(self.zeros + (1.0 - self.zeros) * np.exp(-rate)), positive)

    def maximum(self, t: Array) -> int:
        rate = math.exp(float(self._log_rate(t).max()))
        return math.ceil(rate + 8.0 * math.sqrt(rate) + 12.0)


@dataclass(frozen=True)
class Binomial(Counts):
    """Successes among `trials` trials with log-odds offset + gain t.

    Attributes:
        trials: at least 1.
        offset: the log-odds at t = 0.
        gain: of the log-odds, per standard deviation of the signal.

    Raises:
        InvalidInput: there is no trial.
    """

    trials: int
    offset: float
    gain: float
    name = "binomial"

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise InvalidInput(f"trials is {self.trials}; a count needs at least 1")

    def sample(self, rng: Rng, t: Array) -> Array:
        return np.asarray(rng.binomial(self.trials, expit(self.offset + self.gain * t)), dtype=np.float64)

    def log_density(self, y: Array, t: Array) -> Array:
        """log C(trials, y) + y log q + (trials - y) log(1 - q), q the logistic function of the log-odds."""
        log_odds, rest = self.offset + self.gain * t, self.trials - y
        ways = -betaln(y + 1.0, rest + 1.0) - math.log(self.trials + 1.0)
        return np.asarray(ways - y * np.logaddexp(0.0, -log_odds) - rest * np.logaddexp(0.0, log_odds))

    def maximum(self, t: Array) -> int:
        return self.trials


class Bernoulli(Binomial):
    """A single trial: whether t, with logistic noise, exceeds a threshold."""

    name = "bernoulli"

    def __init__(self, offset: float, gain: float) -> None:
        super().__init__(1, offset, gain)


def smooth_levels(count: int) -> Array:
    """count + 1 probabilities 3u^2 - 2u^3 from 0 to 1, closer together in the tails."""
    u = np.linspace(0.0, 1.0, count + 1)
    return np.asarray(u * u * (3.0 - 2.0 * u))
