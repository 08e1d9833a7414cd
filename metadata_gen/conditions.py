"""What kinds of triples are made of: functions and laws of Z, and pairs that know their information."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import entr  # type: ignore[import-untyped]

from mizzle.metadata_gen.colliders import normal_nodes
from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.archimedean import ArchimedeanCopula, Clayton, Frank, Gumbel
from mizzle.metadata_gen.families.copulas import NormalCopula, Rotated
from mizzle.metadata_gen.families.elliptical import MultivariateStudent
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form
from mizzle.metadata_gen.hyperpriors import LogIntegers, LogUniform

COUPLING, STRENGTH, NOISE = LogUniform(0.01, 0.995), LogUniform(0.05, 5.0), LogUniform(0.05, 3.0)
LEVELS: Final = LogIntegers(2, 12)
_FREQUENCY: Final = LogUniform(0.5, 9.0)
INDEPENDENT: Final = 0.3  # share of the problems with I(X;Y|Z) = 0


def random_function(rng: Rng, d: int) -> Callable[[Array], Array]:
    """A function of d columns to about unit size: straight, curved, a wave, a step, or a product."""
    kind, direction = int(rng.integers(7)), rng.standard_normal(d)
    direction /= np.linalg.norm(direction)
    phase, frequency = rng.uniform(0.0, 6.0), _FREQUENCY.draw(rng)

    def function(z: Array) -> Array:
        t = z @ direction
        if kind <= 1:
            return np.asarray(t)
        if kind == 2:
            return np.asarray((t * t - 1.0) / 1.4)
        if kind == 3:
            return np.asarray(np.sin(frequency * t + phase) * 1.4)
        if kind == 4:
            return np.asarray(np.sign(t - phase / 6.0))
        if kind == 5:
            return np.asarray(np.tanh(2.0 * t) + 0.3 * t)
        return np.asarray(z[:, 0] * z[:, -1] if d > 1 else np.abs(t) * 1.6 - 1.3)

    return function


def conditions(rng: Rng, n: int, d: int, law: int) -> Array:
    """Columns of z of one of five marginals, of about unit size."""
    z = rng.standard_normal((n, d))
    if law == 1:
        return rng.uniform(-1.7, 1.7, (n, d))
    if law == 2:
        return rng.exponential(1.0, (n, d)) - 1.0
    if law == 3:
        return np.asarray(0.5 * z + 1.5 * rng.choice([-1.0, 1.0], (n, d)) * 0.6)
    if law == 4:
        return np.asarray((z + z[:, :1]) / 1.5)
    return z


def known_pair(rng: Rng) -> Family:
    """A pair of one column each whose I(U;V) is cheap."""
    kind = rng.integers(11)
    if kind == 10:
        return _mixture(rng)
    if kind == 9:
        r = correlation(rng) * rng.choice([-1.0, 1.0])
        return MultivariateStudent(np.array([[1.0, r], [r, 1.0]]), 1, float(rng.uniform(1.5, 8.0)))
    if kind >= 6:
        return _Response(random_function(rng, 1), float(rng.uniform(0.1, 1.5)), bool(rng.random() < 0.35))
    if kind <= 2:
        return NormalCopula(float(rng.choice([-1.0, 1.0])) * correlation(rng))
    if kind == 3:
        return AdditiveUniformNoise(np.array([NOISE.draw(rng)]))
    generator = (Clayton, Gumbel, Frank)[rng.integers(3)].from_tau(float(rng.uniform(0.02, 0.85)))
    return Rotated(ArchimedeanCopula(generator), int(rng.choice([90, 180, 270])))


def _mixture(rng: Rng) -> "_Mixture":
    """Two or three groups of normal pairs."""
    k = int(rng.integers(2, 4))
    places, spreads = rng.uniform(0.0, 2.0) * rng.standard_normal((k, 2)), rng.uniform(0.4, 1.5, (k, 2))
    return _Mixture(rng.dirichlet(np.full(k, 3.0)), places, spreads, rng.uniform(-0.95, 0.95, k))


class _Mixture(Family):  # as `_Response`
    """Groups of normal pairs: I by a quadrature over both.

    Args:
        weights, correlations: of the groups, shape (k,).
        places, spreads: shape (k, 2).
    """

    def __init__(self, weights: Array, places: Array, spreads: Array, correlations: Array) -> None:
        super().__init__("groups", 1, 1)
        self._groups = weights, places, spreads, correlations

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        weights, places, spreads, correlations = self._groups
        group = rng.choice(len(weights), n, p=weights)
        u, noise = rng.standard_normal((2, n))
        v = correlations[group] * u + np.sqrt(1.0 - correlations[group] ** 2) * noise
        rows = places[group] + spreads[group] * np.stack([u, v], axis=1)
        return rows[:, :1], rows[:, 1:]

    def mi(self) -> Truth:
        weights, places, spreads, correlations = self._groups
        ends = (places - 5.0 * spreads).min(axis=0), (places + 5.0 * spreads).max(axis=0)
        grids = np.linspace(*ends, 160)
        joint = np.zeros((160, 160))
        for weight, place, spread, r in zip(weights, places, spreads, correlations, strict=True):
            u, v = ((grids - place) / spread).T
            squares = (u[:, None] ** 2 - 2.0 * r * u[:, None] * v + v**2) / (1.0 - r * r)
            joint += weight * np.exp(-0.5 * squares) / (spread.prod() * math.sqrt(1.0 - r * r))
        joint /= joint.sum()
        sides = entr(joint.sum(axis=0)).sum() + entr(joint.sum(axis=1)).sum()
        return closed_form(max(float(sides - entr(joint).sum()), 0.0))

    def pmi(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("only the information is needed")


class _Response(Family):  # no part of the prior, which needs pointwise information
    """V = h(U) + s(U) N of normal U and N: I = h(V) - E log s(U) - log(2 pi e) / 2 nats, by quadrature.

    Args:
        function: h, or where it is to change the spread alone, log s up to a constant.
        noise: s, or its least.
        spreads: whether the function is that of the spread.
    """

    def __init__(self, function: Callable[[Array], Array], noise: float, spreads: bool) -> None:
        super().__init__("response", 1, 1)
        self._function, self._noise, self._spreads = function, noise, spreads

    def _law(self, u: Array) -> tuple[Array, Array]:
        """Mean and spread of V."""
        h = self._function(u[:, None])
        if self._spreads:
            return np.zeros(len(u)), np.exp(np.minimum(h, 3.0) * self._noise)
        return h, np.full(len(u), self._noise)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        u, noise = rng.standard_normal((2, n))
        mean, spread = self._law(u)
        return u[:, None], (mean + spread * noise)[:, None]

    def mi(self) -> Truth:
        mean, spread = self._law(normal_nodes(500))
        ends = float((mean - 6.0 * spread).min()), float((mean + 6.0 * spread).max())
        step = max(min(spread.min() / 4.0, 0.05), (ends[1] - ends[0]) / 4000.0)
        grid = np.arange(*ends, step)
        density = (np.exp(-0.5 * ((grid[:, None] - mean) / spread) ** 2) / spread).mean(axis=1)
        density /= density.sum() * step
        nats = entr(density).sum() * step - np.log(spread).mean() - 0.5 * math.log(2.0 * math.pi * math.e)
        return closed_form(max(float(nats), 0.0))

    def pmi(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("only the information is needed")


def correlation(rng: Rng) -> float:
    """Small ones as often as large ones."""
    return float(rng.uniform(0.05, 0.98)) if rng.random() < 0.6 else COUPLING.draw(rng)


def normal_nats(moments: Array, dx: int) -> float:
    """I(X;Y) in nats of normals, of whose covariance, shape (dx + dy, dx + dy), the first dx are X."""
    parts = moments[:dx, :dx], moments[dx:, dx:], moments
    of_x, of_y, of_both = (float(np.linalg.slogdet(part)[1]) for part in parts)
    return max(0.5 * (of_x + of_y - of_both), 0.0)


def softmax(logits: Array) -> Array:
    """Probabilities along the last axis."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def choices(rng: Rng, chances: Array) -> Array:
    """A place in each row of probabilities, shape (n,)."""
    ends = np.cumsum(chances, axis=1)
    places: Array = (rng.random(len(chances))[:, None] > ends).sum(axis=1).clip(0, chances.shape[1] - 1)
    return places
