"""Nonlinear channels: Y answers to one number T = f(X), so that I(X;Y) = I(T;Y).

Axes: `r` replicate, `c` cell of t, `g` node of the grid of y.
"""

import math
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from scipy.special import xlogy  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.dispersion import random_factor_model
from mizzle.metadata_gen.families import signals
from mizzle.metadata_gen.families.inputs import QUANTILES, Inputs
from mizzle.metadata_gen.families.montecarlo import lattice, tolerance
from mizzle.metadata_gen.families.responses import (
    Additive,
    Bernoulli,
    Binomial,
    Counts,
    Poisson,
    Response,
    Standard,
    StandardLaplace,
    StandardNormal,
    StandardStudent,
    StandardUniform,
    smooth_levels,
)
from mizzle.metadata_gen.families.signals import Signal
from mizzle.metadata_gen.family import Array, Family, Rng, Truth
from mizzle.metadata_gen.hyperpriors import (
    IntegerLaw,
    LogIntegers,
    LogUniform,
    Mix,
    RealLaw,
    Uniform,
)

SEED: Final = 20_262  # of the shifts: of twenty, one whose errors are as small as their standard errors say
REPLICATES: Final = 16
BLOCK: Final = 512  # points of a replicate in the first pass; every further pass doubles them
MOST: Final = 4096  # beyond it a truth keeps its larger stderr
RANKS: Final = 192  # cells of nearly equal rank
SPLITS: Final = 64  # and of equal width; the edges of both kinds hold
RESOLUTION: Final = 0.0005  # relative error of the cells and of the grid

RANGES: Final[Mapping[str, RealLaw | IntegerLaw | Mix]] = MappingProxyType(
    {
        **signals.RANGES,
        "inputs": Mix((("normal", 0.4), ("uniform", 0.2), ("laplace", 0.15), ("correlated", 0.25))),
        "inputs.factors": LogIntegers(1, 3),
        "inputs.gain": LogUniform(0.2, 2.0),
        "inputs.noise": LogUniform(0.3, 1.5),
        "noise.law": Mix((("normal", 0.5), ("uniform", 0.25), ("student", 0.25))),
        "student.df": LogUniform(2.5, 20.0),
        "scaled.slope": Uniform(-1.5, 1.5),
        "multiplicative.floor": LogUniform(0.05, 0.5),
        "poisson.rate": LogUniform(0.5, 20.0),
        "poisson.zeros": Uniform(0.1, 0.6),
        "binomial.trials": LogIntegers(2, 40),
        "binomial.offset": Uniform(-1.5, 1.5),
        "bernoulli.level": Uniform(0.2, 0.8),  # of the signal, where the odds are even
    }
)
MAX_GAIN: Final = 4.0  # of counts, per standard deviation of the signal: in log rate, or in log-odds


@lru_cache(maxsize=64)
def _lattices(marginal: str, dim: int, block: int) -> Array:
    """REPLICATES randomly shifted lattices of `block` independent columns each, one after the other."""
    rng = np.random.default_rng(SEED)
    u = np.vstack([lattice(block, rng.random(dim)) for _ in range(REPLICATES)])
    z = QUANTILES[marginal](u)
    z.flags.writeable = False  # every channel shares it
    return z


def _values(inputs: Inputs, signal: Signal, block: int) -> Array:
    """The signal on those lattices."""
    return signal(inputs.mixed(_lattices(inputs.marginal, inputs.dim, block)))


class Cells(NamedTuple):
    """Neighbouring values of t, in groups.

    Attributes:
        middle, width: of each cell, shape (c,); a width is 0 where values tie.
        shares: how much of each replicate lies in each cell, shape (r, c).
    """

    middle: Array
    width: Array
    shares: Array


def cells_of(t: Array) -> Cells:
    """Cells of nearly equal rank, smaller in the tails and split where wide, from t of shape (r, n)."""
    order = t.argsort(axis=None)
    ordered = t.ravel()[order]
    ranks = np.rint(t.size * smooth_levels(RANKS)).astype(np.intp)
    splits = np.searchsorted(ordered, np.linspace(ordered[0], ordered[-1], SPLITS + 1)[1:-1])
    ends = np.unique(np.concatenate([ranks, splits]))
    edges = (ordered[np.maximum(ends - 1, 0)] + ordered[np.minimum(ends, t.size - 1)]) / 2.0
    first, last, sizes = ordered[ends[:-1]], ordered[ends[1:] - 1], np.diff(ends)
    tied = (first == last) & (sizes > 1)  # an atom, which has no part in the gap beside it
    low, high = np.where(tied, first, edges[:-1]), np.where(tied, last, edges[1:])
    cell = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.bincount(order // t.shape[1] * len(sizes) + cell, minlength=len(t) * len(sizes))
    return Cells((low + high) / 2.0, high - low, counts.reshape(len(t), -1) / t.shape[1])


class Integral(NamedTuple):
    """I(T;Y) and p(y) on its grid, both shape (g,)."""

    truth: Truth
    y: Array
    density: Array


def integrate(t: Array, response: Response) -> Integral:
    """I = h(Y) - h(Y|T) with p(y) = sum_c p(c) p(y|c), from t of shape (r, n).

    The jackknife over the replicates removes the bias of order 1/n of the plug-in entropy, and gives the
    standard error (Efron & Stein 1981).
    """
    r, cells = len(t), cells_of(t)
    y, weights = response.grid(t.ravel())
    pooled = cells.shares.mean(axis=0)
    shares = np.vstack([pooled, (r * pooled - cells.shares) / (r - 1)])
    density = response.kernel(y, cells.middle, cells.width) @ shares.T
    nats = -(weights @ xlogy(density, density)) - shares @ response.entropy(cells.middle)
    whole, parts = float(nats[0]), nats[1:]
    unbiased = max(0.0, r * whole - (r - 1) * float(parts.mean()))
    stderr = math.hypot(float(parts.std()) * math.sqrt(r - 1), RESOLUTION * unbiased)
    return Integral(Truth(unbiased, stderr), y, density[:, 0])


class Channel(Family):
    """Y ~ p(y | t) with t = (f(x) - mean) / sd: I(X;Y) = I(T;Y), since Y depends on X through T alone.

    Args:
        inputs: the law of X.
        signal: f; its mean and standard deviation are taken under that law.
        response: p(y | t).
        name: by default "channel-" and the label of the response or else of the signal.
    """

    def __init__(self, inputs: Inputs, signal: Signal, response: Response, name: str | None = None) -> None:
        super().__init__(name or f"channel-{response.name or signal.name}", inputs.dim, 1)
        self.inputs, self.signal, self.response = inputs, signal, response
        self._values = _values(inputs, signal, BLOCK)
        self.mean, self.sd = float(self._values.mean()), float(self._values.std())
        if not self.sd > 1e-9:
            raise InvalidInput(f"the signal of {self.name} is constant")

    @property
    def continuous(self) -> bool:
        return not isinstance(self.response, Counts)

    def latent(self, x: Array) -> Array:
        """t of every row, shape (n,)."""
        return (self.signal(x) - self.mean) / self.sd

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = self.inputs.sample(rng, n)
        return x, self.response.sample(rng, self.latent(x))[:, None]

    def mi(self) -> Truth:
        return self._integral.truth

    def pmi(self, x: Array, y: Array) -> Array:
        """log p(y | t) - log p(y).

        Where hardly a point of the integration fell, p(y) is that of one of its n points, spread over
        1 / (2 (1 + |y|)^2).
        """
        y, rare = y[:, 0] if self.continuous else np.rint(y[:, 0]), 1.0 / self._values.size
        log_density = np.log(np.maximum(self._integral.density, 1e-300))
        known = np.exp(np.interp(y, self._integral.y, log_density, left=-np.inf, right=-np.inf))
        spread = 0.5 / (1.0 + np.abs(y)) ** 2
        return self.response.log_density(y, self.latent(x)) - np.log((1.0 - rare) * known + rare * spread)

    @cached_property
    def _integral(self) -> Integral:
        block, values = BLOCK, self._values
        while True:
            t = (values - self.mean) / self.sd
            integral = integrate(t.reshape(REPLICATES, block), self.response)
            excess = integral.truth.stderr / tolerance(integral.truth.nats)
            if excess <= 1.0 or block >= MOST:
                return integral
            block *= 2 if excess < 1.4 else 4  # stderr falls with the root of the points, or faster
            values = _values(self.inputs, self.signal, block)


# Random channels


def random_channel(rng: Rng, signal: str, response: str, dim: int, noise: float) -> Channel:
    """A channel with parameters from RANGES.

    Args:
        signal: a kind in `signals.KINDS`.
        response: a kind in RESPONSES.
        dim: the number of inputs.
        noise: standard deviation of the noise in units of the signal's; of counts, about the standard error
            of the signal read off a typical count.
    """
    inputs, f = random_inputs(rng, dim), signals.random_signal(rng, signal, dim)
    cut = _cut(rng, _values(inputs, f, BLOCK)) if response == "bernoulli" else 0.0
    return Channel(inputs, f, random_response(rng, response, noise, cut))


def random_inputs(rng: Rng, dim: int) -> Inputs:
    """Inputs with a marginal of the mix "inputs"; "correlated" is a normal factor model."""
    marginal = _label(rng, "inputs")
    if marginal != "correlated":
        return Inputs(dim, marginal)
    gain = _reals(rng, "inputs.gain", int(_real(rng, "inputs.factors")))
    noise = _reals(rng, "inputs.noise", dim)
    return Inputs(dim, "normal", random_factor_model(rng, dim, 0, gain, gain, noise))


def random_response(rng: Rng, kind: str, noise: float, cut: float = 0.0) -> Response:
    """One of RESPONSES, its noise as in `random_channel`; a Bernoulli's odds are even at t = `cut`."""
    if kind not in RESPONSES or not noise > 0.0:
        raise InvalidInput(f"no response {kind!r} with noise {noise}; the kinds are {', '.join(RESPONSES)}")
    if kind == "bernoulli":  # t and logistic noise of this standard deviation, against the cut
        gain = math.pi / (math.sqrt(3.0) * noise)
        return Bernoulli(-gain * cut, gain)
    return _BUILDERS[kind](rng, noise)


def _real(rng: Rng, key: str) -> float:
    law = RANGES[key]
    assert not isinstance(law, Mix), key
    return float(law.draw(rng))


def _reals(rng: Rng, key: str, size: int) -> Array:
    return np.array([_real(rng, key) for _ in range(size)])


def _label(rng: Rng, key: str) -> str:
    law = RANGES[key]
    assert isinstance(law, Mix), key
    return law.draw(rng)


def _law(rng: Rng, label: str) -> Standard:
    return StandardStudent(_real(rng, "student.df")) if label == "student" else _LAWS[label]


def _any_law(rng: Rng) -> Standard:
    return _law(rng, _label(rng, "noise.law"))


def _multiplicative(rng: Rng, noise: float) -> Response:
    """scale(t) = noise (floor + |t|)"""
    floor = _real(rng, "multiplicative.floor")
    return Additive(_any_law(rng), noise * floor, growth=1.0 / floor)


def _poisson(rng: Rng, noise: float, zeros: float) -> Response:
    """The rate's Fisher information about t is gain^2 rate, which is noise^-2."""
    rate = _real(rng, "poisson.rate")
    return Poisson(rate, min(MAX_GAIN, 1.0 / (noise * math.sqrt(rate))), zeros)


def _binomial(rng: Rng, noise: float) -> Response:
    """The Fisher information about t is at most gain^2 trials / 4, which is noise^-2."""
    trials = int(_real(rng, "binomial.trials"))
    return Binomial(trials, _real(rng, "binomial.offset"), min(MAX_GAIN, 2.0 / (noise * math.sqrt(trials))))


def _cut(rng: Rng, values: Array) -> float:
    """A middling quantile of the signal, standardised."""
    quantile = np.quantile(values, _real(rng, "bernoulli.level"))
    return float((quantile - values.mean()) / values.std())


_LAWS: Final[Mapping[str, Standard]] = MappingProxyType(
    {"normal": StandardNormal(), "uniform": StandardUniform(), "laplace": StandardLaplace()}
)
_BUILDERS: Final[Mapping[str, Callable[[Rng, float], Response]]] = MappingProxyType(
    {
        "normal": lambda rng, noise: Additive(_law(rng, "normal"), noise),
        "uniform": lambda rng, noise: Additive(_law(rng, "uniform"), noise),
        "laplace": lambda rng, noise: Additive(_law(rng, "laplace"), noise),
        "student": lambda rng, noise: Additive(_law(rng, "student"), noise),
        "scaled": lambda rng, noise: Additive(_any_law(rng), noise, slope=_real(rng, "scaled.slope")),
        "multiplicative": _multiplicative,
        "poisson": lambda rng, noise: _poisson(rng, noise, 0.0),
        "zero-poisson": lambda rng, noise: _poisson(rng, noise, _real(rng, "poisson.zeros")),
        "binomial": _binomial,
    }
)
RESPONSES: Final = (*_BUILDERS, "bernoulli")
