"""Kinds of triples in which Z does more than move X and Y, or has many columns, or leaves them coarse."""

import math

import numpy as np
from scipy.special import entr, ndtr  # type: ignore[import-untyped]

from mizzle.metadata_gen.colliders import Problem, Sides, normal_nodes
from mizzle.metadata_gen.conditions import (
    INDEPENDENT,
    STRENGTH,
    choices,
    conditions,
    correlation,
    known_pair,
    normal_nats,
    random_function,
    softmax,
)
from mizzle.metadata_gen.families.copulas import NormalCopula
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.hyperpriors import LogUniform

_EFFECT, _STEP = LogUniform(0.02, 4.0), LogUniform(0.1, 2.0)


def _directions(rng: Rng, count: int, d: int) -> Array:
    """Random unit vectors of d columns, shape (d, count)."""
    vectors = rng.standard_normal((d, count))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=0))


def many(rng: Rng) -> Problem:
    """Four to ten columns of Z, each of which may move X and Y; what is left is a known pair."""
    dz, law = int(rng.integers(4, 11)), int(rng.integers(5))
    dx, dy = (int(rng.integers(1, 4)), int(rng.integers(1, 3))) if rng.random() < 0.3 else (1, 1)
    independent = rng.random() < INDEPENDENT
    effects = STRENGTH.draw_many(rng, 2) / math.sqrt(dz)
    functions = [[random_function(rng, 1) for _ in range(dz)] for _ in range(2)]
    weights = [rng.standard_normal((dz, d)) * (rng.random((dz, 1)) < 0.6) for d in (dx, dy)]
    coupling = 0.0 if independent else STRENGTH.draw(rng) * rng.standard_normal((dx, dy)) / dx
    pair = NormalCopula(0.0) if independent else known_pair(rng)
    normal = independent or dx + dy > 2
    moments = np.eye(dx + dy)
    moments[:dx, dx:] = coupling
    moments[dx:, :dx] = moments[:dx, dx:].T
    moments[dx:, dx:] += moments[dx:, :dx] @ moments[:dx, dx:]

    def sample(rows: Rng, n: int) -> Sides:
        z = conditions(rows, n, dz, law)
        if normal:
            u = rows.standard_normal((n, dx))
            v = u @ moments[:dx, dx:] + rows.standard_normal((n, dy))
        else:
            u, v = pair.sample(rows, n)
        moved = (np.hstack([f(z[:, [i]])[:, None] for i, f in enumerate(side)]) for side in functions)
        x, y = (
            effect * f @ w + part for f, w, effect, part in zip(moved, weights, effects, (u, v), strict=True)
        )
        return x, y, z

    nats = normal_nats(moments, dx) if normal else pair.mi().nats
    return Problem("many columns", sample, 0.0 if independent else nats)


def gated(rng: Rng) -> Problem:
    """Y = g(Z) + b m(Z) U + N, where X = f(Z) + U: Z is a gate, a factor or a sign of what X does to Y."""
    dz, kind, effect = int(rng.choice([1, 2, 3, 6])), int(rng.integers(4)), _EFFECT.draw(rng)
    modulation, gate = random_function(rng, 1), float(rng.normal())
    functions, strengths = [random_function(rng, dz) for _ in range(2)], STRENGTH.draw_many(rng, 2)
    direction = _directions(rng, 1, dz)

    def factor(t: Array) -> Array:
        if kind == 0:
            return np.asarray(effect * (t > gate))
        if kind == 1:
            return np.asarray(effect * t)
        return np.asarray(effect * modulation(t[:, None]))

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal((n, dz))
        u, noise = rows.standard_normal((2, n))
        x, y = (s * f(z) for s, f in zip(strengths, functions, strict=True))
        return (x + u)[:, None], (y + factor((z @ direction)[:, 0]) * u + noise)[:, None], z

    nats = 0.5 * np.log1p(factor(normal_nodes(20_000)) ** 2).mean()
    return Problem("gated", sample, float(nats))


def grades(rng: Rng) -> Problem:
    """X = f(Z) + U and Y, which of two to eight ordered levels a g(Z) + b U + noise falls into."""
    levels, dz = int(rng.integers(2, 9)), int(rng.choice([1, 2, 4]))
    cuts = np.concatenate([[-np.inf], np.sort(1.5 * rng.standard_normal(levels - 1)), [np.inf]])
    pulls, effect = rng.uniform(0.0, 3.0, 2), 0.0 if rng.random() < INDEPENDENT else _EFFECT.draw(rng)
    of_x, of_y, direction = random_function(rng, dz), random_function(rng, 1), _directions(rng, 1, dz)

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal((n, dz))
        u, noise = rows.standard_normal((2, n))
        y = np.searchsorted(cuts[1:-1], pulls[1] * of_y(z @ direction) + effect * u + noise)
        return (pulls[0] * of_x(z) + u)[:, None], y.astype(np.float64)[:, None], z

    u = normal_nodes(120)
    score = (pulls[1] * of_y(normal_nodes(240)[:, None]))[:, None] + effect * u
    p = np.diff(ndtr(cuts - score[..., None]), axis=2)
    nats = float((entr(p.mean(axis=1)).sum(axis=1) - entr(p).sum(axis=2).mean(axis=1)).mean())
    return Problem("grades", sample, max(nats, 0.0) if effect else 0.0)


def logits(rng: Rng) -> Problem:
    """Labels X and Y, each made likely by a function of another direction of two to eight columns of Z."""
    kx, ky, dz = int(rng.integers(2, 7)), int(rng.integers(2, 7)), int(rng.integers(2, 9))
    directions, functions = _directions(rng, 2, dz), [random_function(rng, 1) for _ in range(2)]
    slopes = [STRENGTH.draw(rng) * rng.standard_normal(k) for k in (kx, ky)]
    offsets = rng.standard_normal(kx)
    table = STRENGTH.draw(rng) * rng.standard_normal((kx, ky)) * (rng.random() > INDEPENDENT)

    def chances(t: Array) -> tuple[Array, Array]:
        """Of x, shape (m, kx), and of y beside each x, shape (m, kx, ky)."""
        pulls = [f(t[:, [i]])[:, None] * slopes[i] for i, f in enumerate(functions)]
        return softmax(pulls[0] + offsets), softmax(table + pulls[1][:, None])

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal((n, dz))
        of_x, of_y = chances(z @ directions)
        x = choices(rows, of_x)
        y = choices(rows, of_y[np.arange(n), x])
        return x.astype(np.float64)[:, None], y.astype(np.float64)[:, None], z

    if not table.any():
        return Problem("logits apart", sample, 0.0)
    first, second = (part.ravel() for part in np.meshgrid(normal_nodes(50), normal_nodes(50)))
    r = float(directions[:, 0] @ directions[:, 1])
    of_x, of_y = chances(np.stack([first, r * first + math.sqrt(1.0 - r * r) * second], axis=1))
    mixed = np.einsum("zk,zkg->zg", of_x, of_y)
    nats = float((entr(mixed).sum(axis=1) - (of_x * entr(of_y).sum(axis=2)).sum(axis=1)).mean())
    return Problem("logits", sample, max(nats, 0.0))


def rounded(rng: Rng) -> Problem:
    """X = f(Z) + U in steps, Y = g(Z) + V, in steps as well or not, of a normal pair; Z in steps or not."""
    r = 0.0 if rng.random() < INDEPENDENT else correlation(rng) * float(rng.choice([-1.0, 1.0]))
    steps, z_step = _STEP.draw_many(rng, 2) * [1.0, rng.random() < 0.6], _STEP.draw(rng)
    strengths, functions = STRENGTH.draw_many(rng, 2), [random_function(rng, 1) for _ in range(2)]
    z_steps = rng.random() < 0.5

    def of_z(t: Array) -> Array:
        return np.round(t / z_step) * z_step if z_steps else t

    def sample(rows: Rng, n: int) -> Sides:
        t, u, noise = rows.standard_normal((3, n))
        z, v = of_z(t)[:, None], r * u + math.sqrt(1.0 - r * r) * noise
        x, y = (s * f(z) + part for s, f, part in zip(strengths, functions, (u, v), strict=True))
        x = np.round(x / steps[0])
        return x[:, None], (np.round(y / steps[1]) if steps[1] else y)[:, None], z

    if r == 0.0:
        return Problem("rounded apart", sample, 0.0)
    means = [s * f(of_z(normal_nodes(60))[:, None]) for s, f in zip(strengths, functions, strict=True)]
    nats = [_rounded_nats(r, x, y, steps) for x, y in zip(*means, strict=True)]
    return Problem("rounded", sample, max(float(np.mean(nats)), 0.0))


def _rounded_nats(r: float, x: float, y: float, steps: Array) -> float:
    """I of a normal pair of these means in steps, the second exact where its step is 0, by a quadrature."""
    v = normal_nodes(500)
    p = np.diff(ndtr((_edges(x, steps[0]) - r * v[:, None]) / math.sqrt(1.0 - r * r)), axis=1) / len(v)
    if steps[1]:
        cells = np.round((y + v) / steps[1]).astype(np.int64)
        p = np.array([p[cells == cell].sum(axis=0) for cell in np.unique(cells)])
    return float(entr(p.sum(axis=0)).sum() + entr(p.sum(axis=1)).sum() - entr(p).sum())


def _edges(mean: float, step: float) -> Array:
    """Between what is rounded down and up, seen from the mean."""
    places = np.arange(np.floor((mean - 6.0) / step), np.ceil((mean + 6.0) / step) + 1.0)
    return np.concatenate([[-np.inf], (places + 0.5) * step - mean, [np.inf]])


def circle(rng: Rng) -> Problem:
    """Y = X + f(Z) + noise modulo 1, X even on the circle: without Z nothing is shared where f spreads."""
    dz, width, normal = int(rng.integers(1, 4)), float(rng.uniform(0.05, 0.95)), bool(rng.random() < 0.5)
    function, turns, even = random_function(rng, dz), float(rng.uniform(0.2, 1.5)), rng.random() < 0.4

    def sample(rows: Rng, n: int) -> Sides:
        x, noise = rows.random(n), width * (0.4 * rows.standard_normal(n) if normal else rows.random(n))
        z = rows.random((n, 1)) if even else rows.standard_normal((n, dz))
        y = (x + (z[:, 0] if even else turns * function(z)) + noise) % 1.0
        return x[:, None], y[:, None], z

    if not normal:
        return Problem("circle", sample, -math.log(width))
    t, s = np.arange(2000) / 2000.0, 0.4 * width
    density = np.exp(-0.5 * ((t[:, None] - np.arange(-3, 5)) / s) ** 2).sum(axis=1)
    density /= density.mean()
    return Problem("circle", sample, float(-entr(density).mean()))


def waves(rng: Rng) -> Problem:
    """X and Y follow fast waves of Z, or of the product of two of its columns; nothing is left."""
    dz, strengths, frequencies = int(rng.integers(1, 3)), rng.uniform(0.5, 4.0, 2), rng.uniform(1.5, 7.0, 2)

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.uniform(-1.7, 1.7, (n, dz))
        noise = rows.standard_normal((2, n))
        x, y = strengths[:, None] * np.sin(frequencies[:, None] * z.prod(axis=1)) + noise
        return x[:, None], y[:, None], z

    return Problem("waves", sample, 0.0)
