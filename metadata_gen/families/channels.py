"""Nonlinear channels: Y depends on X through one number T = f(X), so that I(X;Y) = I(T;Y).

Axes: `r` replicate, `c` cell of t, `g` node of the grid of y.
"""

import math
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

import numpy as np
from scipy.special import xlogy  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.responses import Counts, Response, smooth_levels
from mizzle.metadata_gen.families.signals import QUANTILES, Inputs, Signal
from mizzle.metadata_gen.family import Array, Family, Rng, Truth
from mizzle.metadata_gen.montecarlo import lattice, tolerance

SEED: Final = 20_262  # of the shifts: of twenty, one whose errors are as small as their standard errors say
REPLICATES: Final = 16
BLOCK: Final = 512  # points of a replicate in the first pass; every further pass doubles them
MAX_BLOCK: Final = 4096  # beyond it a truth keeps its larger stderr
RANKS: Final = 192  # cells of nearly equal rank
SPLITS: Final = 64  # and of equal width; the edges of both kinds hold
RESOLUTION: Final = 0.0005  # relative error of the cells and of the grid


@lru_cache(maxsize=64)
def _lattices(marginal: str, dim: int, block: int) -> Array:
    """REPLICATES randomly shifted lattices of `block` independent columns each, one after the other."""
    rng = np.random.default_rng(SEED)
    u = np.vstack([lattice(block, rng.random(dim)) for _ in range(REPLICATES)])
    z = QUANTILES[marginal](u)
    z.flags.writeable = False  # every channel shares it
    return z


def lattice_values(inputs: Inputs, signal: Signal, block: int = BLOCK) -> Array:
    """The signal on REPLICATES lattices of `block` points of the inputs' law, shape (REPLICATES * block,)."""
    return signal(inputs.mixed(_lattices(inputs.marginal, inputs.dim, block)))


class Cells(NamedTuple):
    """Neighbouring values of t in groups.

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
    """The result of `integrate`.

    Attributes:
        truth: I(T;Y) in nats.
        y, density: the grid of y and p(y) on it, both of shape (g,).
    """

    truth: Truth
    y: Array
    density: Array


def integrate(t: Array, response: Response) -> Integral:
    """I = h(Y) - h(Y|T) nats with p(y) = sum_c p(c) p(y|c), from t of shape (r, n).

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

    I = h(Y) - h(Y|T) nats is integrated over quasi-random points of X and a grid of y, to the standard error
    that `montecarlo.tolerance` allows.

    Args:
        inputs: the law of X.
        signal: f; its mean and standard deviation are taken under that law.
        response: p(y | t).
        name: by default "channel-" and the label of the response or else of the signal.

    Raises:
        InvalidInput: the signal is constant.
    """

    def __init__(self, inputs: Inputs, signal: Signal, response: Response, name: str | None = None) -> None:
        super().__init__(name or f"channel-{response.name or signal.name}", inputs.dim, 1)
        self.inputs, self.signal, self.response = inputs, signal, response
        self._values = lattice_values(inputs, signal)
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

        Where hardly a point of the integration fell, p(y) is that of one of its n points, spread over 1 / (2
        (1 + |y|)^2).
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
            if excess <= 1.0 or block >= MAX_BLOCK:
                return integral
            block *= 2 if excess < 1.4 else 4  # stderr falls with the root of the points, or faster
            values = lattice_values(self.inputs, self.signal, block)
