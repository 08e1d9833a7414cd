"""Triples of which the third is made of the other two: these are independent until it is known."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import entr, ndtri  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.hyperpriors import LogUniform

Sides = tuple[Array, Array, Array]  # x, y and z, shape (n, d) each

_STRENGTH, _NOISE = LogUniform(0.05, 5.0), LogUniform(0.05, 3.0)


class Problem(NamedTuple):
    """A law of three sides.

    Attributes:
        name: of its kind.
        sample: draws n rows.
        nats: I(X;Y|Z).
    """

    name: str
    sample: Callable[[Rng, int], Sides]
    nats: float


def normal_nodes(count: int) -> Array:
    """Points of a normal law that are equally probable, for averages over it, shape (count,)."""
    return np.asarray(ndtri((np.arange(count) + 0.5) / count))


def collider(rng: Rng) -> Problem:
    """Independent x and y of any law, and z = a x + b y + c N: I(X;Y|Z) = h(Z|X) + h(Z|Y) - h(Z) - h(N)."""
    marginals = [_law(rng), _law(rng)]
    a, b, c = _STRENGTH.draw(rng), _STRENGTH.draw(rng), _NOISE.draw(rng)
    step = min(c, 1.0) / 12.0
    reach = 6.5 * (a + b) + 8.0 * c
    grid = np.arange(-reach, reach, step)
    wave = np.asarray(np.fft.rfftfreq(len(grid), step) * 2.0 * np.pi, np.float64)
    noise = np.exp(-0.5 * (c * wave) ** 2)
    waves = [_transform(law, scale, wave) for law, scale in zip(marginals, (a, b), strict=True)]

    def entropy(transform: Array) -> float:
        density = np.fft.irfft(transform, len(grid)).clip(0.0)
        density /= density.sum() * step
        return float(entr(density).sum() * step)

    nats = entropy(noise * waves[1]) + entropy(noise * waves[0]) - entropy(noise * waves[0] * waves[1])
    nats -= 0.5 * math.log(2.0 * math.pi * math.e * c * c)

    def sample(rows: Rng, n: int) -> Sides:
        x, y = (
            values[rows.choice(len(values), n, p=p)] + width * rows.standard_normal(n)
            for values, p, width in marginals
        )
        return x[:, None], y[:, None], (a * x + b * y + c * rows.standard_normal(n))[:, None]

    return Problem("collider", sample, max(nats, 0.0))


def _law(rng: Rng) -> tuple[Array, Array, float]:
    """A mixture of normals of one width: places, weights and the width, 0 for a label."""
    kind = rng.integers(4)
    if kind == 0:
        return np.zeros(1), np.ones(1), 1.0
    if kind == 1:
        k = int(rng.integers(2, 5))
        return np.arange(k, dtype=np.float64) - (k - 1) / 2.0, rng.dirichlet(np.full(k, 4.0)), 0.0
    if kind == 2:
        return np.asarray(np.linspace(-1.7, 1.7, 18), np.float64), np.full(18, 1 / 18), 0.12
    return rng.standard_normal(3) * 1.2, rng.dirichlet(np.full(3, 3.0)), 0.4


def _transform(law: tuple[Array, Array, float], scale: float, wave: Array) -> Array:
    places, weights, width = law
    angles = np.exp(-1j * scale * np.outer(wave, places)) @ weights
    return np.asarray(angles * np.exp(-0.5 * (scale * width * wave) ** 2))


def nonlinear_collider(rng: Rng) -> Problem:
    """Independent normal x and y, and z = g(x, y) + c N, as `collider`, by a quadrature over x and y."""
    kind, a, b = int(rng.integers(6)), rng.uniform(0.4, 1.5), rng.uniform(0.4, 1.5)
    c, shift = float(rng.uniform(0.3, 1.5)), int(rng.integers(2))

    def function(x: Array, y: Array) -> Array:
        if kind == 0:
            return np.asarray(np.maximum(a * x, b * y) * 1.5)
        if kind == 1:
            return np.asarray(np.hypot(1.5 * a * x, 1.5 * b * y))
        if kind == 2:
            return np.asarray((a * x + b * y) ** 2 / 1.5)
        if kind == 3:
            return np.asarray(2.0 * np.sin(a * x + b * y))
        if kind == 4:
            return np.asarray(1.5 * x * np.abs(y))
        return np.asarray((x + shift * (a - 0.4)) * (y + shift * (b - 0.4)))

    nodes = normal_nodes(80)
    means = function(nodes[:, None], nodes)
    grid = np.arange(means.min() - 5.0 * c, means.max() + 5.0 * c, c / 4.0)
    density = np.exp(-0.5 * ((grid - means[..., None]) / c) ** 2) / (c * math.sqrt(2.0 * math.pi))

    def entropy(densities: Array) -> float:
        return float(entr(densities).sum(axis=-1).mean() * c / 4.0)

    nats = entropy(density.mean(axis=0)) + entropy(density.mean(axis=1)) - entropy(density.mean(axis=(0, 1)))
    nats -= 0.5 * math.log(2.0 * math.pi * math.e * c * c)

    def sample(rows: Rng, n: int) -> Sides:
        x, y, noise = rows.standard_normal((3, n))
        return x[:, None], y[:, None], (function(x, y) + c * noise)[:, None]

    return Problem("nonlinear collider", sample, max(nats, 0.0))
