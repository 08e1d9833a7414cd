"""Triples of known I(X;Y|Z) of kinds that no training has; they judge, and nothing is tuned on them.

Their structure is apart from that of `metadata_gen/conditional_problems.py`, not only their parameters:
counts, censoring, circles, symptoms of a class, proxies of a hidden group, selection, shares, extremes.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy import special, stats  # type: ignore[import-untyped]

from mizzle.metadata_gen.colliders import Problem, Sides

Rng = np.random.Generator
_NODES = special.ndtri((np.arange(160) + 0.5) / 160)  # of a normal law, equally probable


def counts(rng: Rng) -> Problem:
    """Y counts events at a rate exp(a + b Z + c U), where X = Z + U."""
    a, b, c = rng.uniform(-0.5, 1.5), rng.uniform(-0.6, 0.6), rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 0.8)

    def sample(rows: Rng, n: int) -> Sides:
        z, u = rows.standard_normal((2, n, 1))
        return z + u, rows.poisson(np.exp(a + b * z + c * u)).astype(np.float64), z

    rates = np.exp(a + b * _NODES[:, None] + c * _NODES)
    p = stats.poisson.pmf(np.arange(int(stats.poisson.isf(1e-9, rates.max()))), rates[..., None])  # z, u, y
    return Problem("counts", sample, _within(p))


def _within(p: np.ndarray) -> float:
    """I between equally probable rows and columns, mean over tables, shape (z, u, y)."""
    return float((special.entr(p.mean(axis=1)).sum(axis=1) - special.entr(p).sum(axis=2).mean(axis=1)).mean())


def censored(rng: Rng) -> Problem:
    """A waiting time at the rate exp(b X + c Z), which is cut off at an end; X depends on Z."""
    b, c = rng.choice([-1.0, 1.0]) * rng.uniform(0.2, 1.2), rng.uniform(-0.6, 0.6)
    d, end = rng.uniform(-0.8, 0.8), float(np.exp(rng.uniform(-0.7, 0.9)))

    def sample(rows: Rng, n: int) -> Sides:
        z, u = rows.standard_normal((2, n, 1))
        x = d * z + u
        return x, np.minimum(rows.exponential(size=(n, 1)) / np.exp(b * x + c * z), end), z

    rates = np.exp((b * d + c) * _NODES[:, None] + b * _NODES)[..., None]
    # Of time in small cells, each with the mass that falls into it, and of what lies beyond the end.
    edges = end * np.linspace(0.0, 1.0, 301) ** 2
    below = -np.expm1(-rates * edges)
    p = np.concatenate([np.diff(below, axis=2), 1.0 - below[..., -1:]], axis=2)
    return Problem("censored times", sample, _within(p))


def circles(rng: Rng) -> Problem:
    """Places on circles, two columns a side, the second turned from the first by an angle that Z rules."""
    kappa, turns = float(np.exp(rng.uniform(-0.7, 2.5))), rng.uniform(0.5, 3.0)

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal((n, 1))
        angle = rows.uniform(0.0, 2.0 * np.pi, (n, 1))
        other = angle + turns * z + rows.vonmises(0.0, kappa, (n, 1))
        x, y = (np.hstack([np.cos(t), np.sin(t)]) for t in (angle, other))
        return x, y, z

    nats = kappa * special.i1e(kappa) / special.i0e(kappa) - np.log(special.i0e(kappa)) - kappa
    return Problem("circles", sample, float(nats))


def symptoms(rng: Rng) -> Problem:
    """A class X, five to seven columns Z of yes and no, and a label Y that the class and one of them make."""
    k, levels, columns = int(rng.integers(2, 5)), int(rng.integers(2, 5)), int(rng.integers(5, 8))
    prior = rng.dirichlet(np.full(k, 3.0))
    of_y = rng.dirichlet(np.full(levels, 1.0 + 2.0 * rng.random()), (k, 2))  # class, first symptom
    chances = rng.uniform(0.1, 0.9, (k, columns))
    z = (np.arange(2**columns)[:, None] >> np.arange(columns)) & 1
    of_z = np.where(z[None], chances[:, None], 1.0 - chances[:, None]).prod(axis=2)  # class, z
    joint = prior[:, None, None] * of_z[..., None] * of_y[:, z[:, 0]]  # x, z, y
    h = [special.entr(joint.sum(axis=axes)).sum() for axes in (2, 0, (0, 2))]
    nats = h[0] + h[1] - h[2] - special.entr(joint).sum()

    def sample(rows: Rng, n: int) -> Sides:
        x, row, y = np.unravel_index(rows.choice(joint.size, n, p=joint.ravel()), joint.shape)
        return x.astype(float)[:, None], y.astype(float)[:, None], z[row].astype(float)

    return Problem("symptoms", sample, float(nats))


def proxies(rng: Rng) -> Problem:
    """A hidden group moves X, Y and Z: the proxy Z explains only a part of what X and Y share."""
    k = int(rng.integers(2, 5))
    p, places = rng.dirichlet(np.full(k, 4.0)), rng.uniform(0.8, 2.0) * rng.standard_normal((k, 3))

    def sample(rows: Rng, n: int) -> Sides:
        x, y, z = (places[rows.choice(k, n, p=p)] + rows.standard_normal((n, 3))).T[..., None]
        return x, y, z

    nodes, step = np.linspace(-11.0, 11.0, 177, retstep=True)
    of_x, of_y, of_z = stats.norm.pdf(nodes[:, None] - places.T[:, None]) * step  # node, group
    joint = (of_x * p) @ (of_y[:, None] * of_z).reshape(-1, k).T
    pairs = (of_x * p) @ of_z.T, (of_y * p) @ of_z.T
    h = [special.entr(table).sum() for table in (*pairs, of_z @ p, joint)]
    return Problem("proxies of a group", sample, float(max(h[0] + h[1] - h[2] - h[3], 0.0)))


def selection(rng: Rng) -> Problem:
    """Independent heavy X and Y, and Z, how many of two bars a X + b Y + noise exceeds."""
    a, b, c = rng.uniform(0.5, 2.0), rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 2.0), rng.uniform(0.1, 0.8)
    bars = np.array([-np.inf, *np.sort(rng.standard_normal(2)), np.inf])
    law = stats.t(4)

    def sample(rows: Rng, n: int) -> Sides:
        x, y = law.rvs((2, n, 1), random_state=rows)
        score = a * x + b * y + c * rows.standard_normal((n, 1))
        return x, y, np.searchsorted(bars[1:-1], score).astype(float)

    nodes = law.ppf((np.arange(400) + 0.5) / 400)
    means = (a * nodes[:, None] + b * nodes)[..., None]
    joint = np.diff(special.ndtr((bars - means) / c), axis=2) / 400**2  # x, y, z
    h = [special.entr(joint.sum(axis=axes)).sum() for axes in (1, 0, (0, 1))]
    return Problem("selection", sample, float(h[0] + h[1] - h[2] - special.entr(joint).sum()))


def shares(rng: Rng) -> Problem:
    """X and Y are two of three amounts, Z is their total."""
    a = rng.uniform(0.6, 4.0, 3)

    def sample(rows: Rng, n: int) -> Sides:
        amounts = rows.gamma(a, size=(n, 3))
        return amounts[:, :1], amounts[:, 1:2], amounts.sum(axis=1, keepdims=True)

    parts = [stats.beta(a[i], a.sum() - a[i]).entropy() for i in (0, 1)]
    return Problem("shares of a total", sample, float(sum(parts) - stats.dirichlet(a).entropy()))


def extremes(rng: Rng) -> Problem:
    """X follows the largest of four columns of Z, Y their smallest or their middle; nothing is left."""
    noise, middle = rng.uniform(0.2, 1.0, 2), rng.random() < 0.5

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal((n, 4))
        x, y = z.max(axis=1), np.median(z, axis=1) if middle else z.min(axis=1)
        e = noise[:, None] * rows.standard_normal((2, n))
        return (x + e[0])[:, None], (y + e[1])[:, None], z

    return Problem("extremes of four", sample, 0.0)


APART: Final[tuple[Callable[[Rng], Problem], ...]] = (
    counts,
    censored,
    circles,
    symptoms,
    proxies,
    selection,
    shares,
    extremes,
)
