"""The prior over triples that know their own I(X;Y|Z): normal, mapped pairs, tables, labels, colliders.

Strictly monotone maps of columns are left out, since an estimator sees ranks.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import entr, ndtri  # type: ignore[import-untyped]

from mizzle.metadata_gen.colliders import Problem, Sides, collider, nonlinear_collider, normal_nodes
from mizzle.metadata_gen.conditions import (
    COUPLING,
    INDEPENDENT,
    LEVELS,
    NOISE,
    STRENGTH,
    choices,
    conditions,
    correlation,
    known_pair,
    normal_nats,
    random_function,
    softmax,
)
from mizzle.metadata_gen.families.copulas import Copula, NormalCopula
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.hyperpriors import LogIntegers, LogUniform
from mizzle.metadata_gen.interactions import circle, gated, grades, logits, many, rounded, waves

_GIVEN_LEVELS = LogIntegers(2, 40)
_EVENNESS: Final = LogUniform(0.3, 10.0)
_MORE_COLUMNS = 0.2  # share to which columns of z are added that have nothing to do with the rest
_POINTS = 61  # of a quadrature over z


def conditional_problem(rng: Rng) -> Problem:
    """One problem of any kind; x and y change places half of the time."""
    problem = KINDS[list(KINDS)[rng.choice(len(KINDS), p=_SHARES)]](rng)
    more = int(rng.integers(1, 4)) if rng.random() < _MORE_COLUMNS else 0
    swap = rng.random() < 0.5

    def sample(rows: Rng, n: int) -> Sides:
        x, y, z = problem.sample(rows, n)
        z = np.hstack([z, rows.standard_normal((n, more))])
        return (y, x, z) if swap else (x, y, z)

    return Problem(problem.name, sample, problem.nats)


def normal(rng: Rng) -> Problem:
    """Jointly normal: chains, confounders, colliders and what lies between, of 1 to 3 columns a side."""
    dx, dy, dz = rng.choice([1, 2, 3], 3, p=[0.65, 0.2, 0.15])
    of_x, of_y = (
        STRENGTH.draw(rng) * rng.standard_normal((dz, dx)),
        STRENGTH.draw(rng) * rng.standard_normal((dz, dy)),
    )
    coupling = np.zeros((dx, dy))
    if rng.random() > INDEPENDENT:
        coupling = STRENGTH.draw(rng) * rng.standard_normal((dx, dy))
    collider = rng.random() < 0.2

    def noise(rows: Rng, n: int) -> tuple[Array, Array]:
        x = rows.standard_normal((n, dx))
        return x, x @ coupling + rows.standard_normal((n, dy))

    if collider:
        weights, spread = rng.standard_normal((dx + dy, dz)), NOISE.draw(rng)
        both = np.block([[np.eye(dx), coupling], [coupling.T, np.eye(dy) + coupling.T @ coupling]])
        cross = both @ weights
        of_z = weights.T @ cross + spread**2 * np.eye(dz)
        left = both - cross @ np.linalg.solve(of_z, cross.T)

        def sample(rows: Rng, n: int) -> Sides:
            x, y = noise(rows, n)
            z = np.hstack([x, y]) @ weights + spread * rows.standard_normal((n, dz))
            return x, y, z

        return Problem("normal collider", sample, normal_nats(left, dx))

    def confounded(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal((n, dz))
        x, y = noise(rows, n)
        return x + z @ of_x, y + z @ of_y, z

    left = np.block([[np.eye(dx), coupling], [coupling.T, np.eye(dy) + coupling.T @ coupling]])
    return Problem("normal", confounded, normal_nats(left, dx))


def mapped(rng: Rng) -> Problem:
    """x = f(z) + s(z) U and y = g(z) + t(z) V of a pair (U, V) that knows its own information."""
    independent = rng.random() < INDEPENDENT
    pair = NormalCopula(0.0) if independent else known_pair(rng)
    law, dz = int(rng.integers(5)), int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))
    strengths = STRENGTH.draw_many(rng, 2)
    shapes = [random_function(rng, dz) for _ in range(4)]
    spreads = rng.choice([0.0, 0.7], 2, p=[0.7, 0.3])
    tails = rng.integers(3, size=2)
    reversing = random_function(rng, dz) if rng.random() < 0.12 else None

    def sample(rows: Rng, n: int) -> Sides:
        z = conditions(rows, n, dz, law)
        u, v = (side[:, 0] for side in pair.sample(rows, n))
        if reversing is not None:
            v = np.where(reversing(z) > 0.0, v, 1.0 - v if isinstance(pair, Copula) else -v)
        sides = []
        for i, part in enumerate((u, v)):
            noise = _tailed(part, int(tails[i])) if isinstance(pair, Copula) else part
            spread = np.exp(spreads[i] * shapes[2 + i](z))
            sides.append((strengths[i] * shapes[i](z) + spread * noise)[:, None])
        return sides[0], sides[1], z

    name = "nothing left" if independent else "mapped" if reversing is None else "turned"
    return Problem(name, sample, 0.0 if independent else pair.mi().nats)


def _tailed(u: Array, tail: int) -> Array:
    """Numbers of (0, 1) by the quantiles of a normal, a uniform or a heavy law."""
    if tail == 0:
        return np.asarray(ndtri(u))
    return np.asarray(3.4 * u - 1.7 if tail == 1 else np.sinh(ndtri(u)) / 1.5)


def by_levels(rng: Rng) -> Problem:
    """A label Z, and beside each level another pair of normal columns: I = sum_z p(z) I_z."""
    k = _GIVEN_LEVELS.draw(rng)
    p = rng.dirichlet(np.full(k, _EVENNESS.draw(rng) + 0.5))
    places, spread = (
        rng.standard_normal((2, k)) * STRENGTH.draw_many(rng, 2)[:, None],
        np.exp(0.5 * rng.standard_normal((2, k)) * (rng.random() < 0.4)),
    )
    shared = rng.random() < 0.5
    correlations = correlation(rng) * (np.ones(k) if shared else rng.uniform(-1.0, 1.0, k))
    if rng.random() < INDEPENDENT:
        correlations = np.zeros(k)
    codes = rng.permutation(k)

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.choice(k, n, p=p)
        u, noise = rows.standard_normal((2, n))
        v = correlations[z] * u + np.sqrt(1.0 - correlations[z] ** 2) * noise
        x, y = places[0, z] + spread[0, z] * u, places[1, z] + spread[1, z] * v
        return x[:, None], y[:, None], codes[z].astype(np.float64)[:, None]

    return Problem("levels", sample, float(p @ (-0.5 * np.log1p(-(correlations**2)))))


def tables(rng: Rng) -> Problem:
    """Three labels: p(z) ((1 - c) p(x|z) p(y|z) + c J_z), or z made of x and y, as by exclusive or."""
    kx, ky, kz = LEVELS.draw(rng), LEVELS.draw(rng), LEVELS.draw(rng)
    if rng.random() < 0.2:
        joint = np.zeros((kx, ky, kz))
        p = np.outer(rng.dirichlet(np.full(kx, 3.0)), rng.dirichlet(np.full(ky, 3.0)))
        wrong = rng.random() * 0.8
        of_sum = (np.arange(kx)[:, None] + np.arange(ky)) % kz
        joint += wrong * p[:, :, None] / kz
        np.put_along_axis(joint, of_sum[:, :, None], joint[:, :, :1] + (1.0 - wrong) * p[:, :, None], axis=2)
        return _table_problem("collider of labels", joint)
    evenness = _EVENNESS.draw(rng)
    coupling = (
        0.0 if rng.random() < INDEPENDENT else float(rng.choice([1.0, rng.random(), COUPLING.draw(rng)]))
    )
    layers: list[Array] = []
    same, shape = rng.random() < 0.3, np.zeros((kx, ky))
    for weight in rng.dirichlet(np.full(kz, 2.0)):
        shape = rng.gamma(evenness, size=(kx, ky)) + 1e-4 if not (same and layers) else shape
        of_x, of_y = rng.dirichlet(np.full(kx, evenness)), rng.dirichlet(np.full(ky, evenness))
        table = (1.0 - coupling) * np.outer(of_x, of_y) + coupling * shape / shape.sum()
        layers.append(weight * table)
    return _table_problem("tables" if coupling else "labels apart", np.stack(layers, axis=2))


def _table_problem(name: str, joint: Array) -> Problem:
    joint = joint / joint.sum()
    nats = entr(joint.sum(axis=1)).sum() + entr(joint.sum(axis=0)).sum() - entr(joint.sum(axis=(0, 1))).sum()
    nats = max(float(nats - entr(joint).sum()), 0.0)

    def sample(rows: Rng, n: int) -> Sides:
        cells = np.unravel_index(rows.choice(joint.size, n, p=joint.ravel()), joint.shape)
        x, y, z = (cell.astype(np.float64)[:, None] for cell in cells)
        return x, y, z

    return Problem(name, sample, 0.0 if name == "labels apart" else nats)


def classes(rng: Rng) -> Problem:
    """A label X that numbers Z make likely, and Y: a number at a place for each X, or a label; Z normal."""
    k = int(rng.choice([2, 3, 4, 6]))
    slopes, offsets = STRENGTH.draw(rng) * rng.standard_normal(k), rng.standard_normal(k)
    shape, pull = random_function(rng, 1), STRENGTH.draw(rng)
    places = STRENGTH.draw(rng) * rng.standard_normal(k) * (rng.random() > INDEPENDENT)
    is_label = rng.random() < 0.5
    levels = int(rng.integers(2, 6))
    of_place, of_z, at = rng.standard_normal((3, levels))

    def chances(z: Array) -> Array:
        return softmax(slopes * z[:, None] + offsets)

    def of_y(z: Array, x: Array) -> Array:
        return softmax(places[x][:, None] * of_place + (pull * shape(z[:, None]))[:, None] * of_z + at)

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal(n)
        x = choices(rows, chances(z))
        y = pull * shape(z[:, None]) + places[x] + rows.standard_normal(n)
        y = choices(rows, of_y(z, x)).astype(np.float64) if is_label else y
        return x.astype(np.float64)[:, None], y[:, None], z[:, None]

    nodes = normal_nodes(4 * _POINTS)
    p = chances(nodes)
    if is_label:
        rows = np.stack([of_y(nodes, np.full(len(nodes), i)) for i in range(k)], axis=1)
    else:
        grid = np.linspace(places.min() - 6.0, places.max() + 6.0, 800)
        density = np.exp(-0.5 * (grid - places[:, None]) ** 2)
        rows = np.broadcast_to(density / density.sum(axis=1, keepdims=True), (len(nodes), k, len(grid)))
    mixed = np.einsum("zk,zkg->zg", p, rows)
    nats = float((entr(mixed).sum(axis=1) - (p * entr(rows).sum(axis=2)).sum(axis=1)).mean())
    nats = max(nats, 0.0) if places.any() else 0.0
    return Problem(f"classes of {'labels' if is_label else 'numbers'}", sample, nats)


def chain(rng: Rng) -> Problem:
    """x, a function of it with noise, z, and a function of that with noise, y: nothing is left."""
    first, second = random_function(rng, 1), random_function(rng, 1)
    strengths = STRENGTH.draw_many(rng, 2)

    def sample(rows: Rng, n: int) -> Sides:
        x = rows.standard_normal((n, 1))
        z = strengths[0] * first(x) + rows.standard_normal(n)
        z = ((z - z.mean()) / z.std())[:, None]
        y = strengths[1] * second(z) + rows.standard_normal(n)
        return x, y[:, None], z

    return Problem("chain", sample, 0.0)


KINDS: Final[dict[str, Callable[[Rng], Problem]]] = {
    "normal": normal,
    "mapped": mapped,
    "levels": by_levels,
    "tables": tables,
    "classes": classes,
    "collider": collider,
    "nonlinear collider": nonlinear_collider,
    "chain": chain,
    "many columns": many,
    "gated": gated,
    "grades": grades,
    "logits": logits,
    "rounded": rounded,
    "circle": circle,
    "waves": waves,
}
_SHARES = (0.09, 0.19, 0.07, 0.07, 0.07, 0.04, 0.07, 0.04, 0.09, 0.08, 0.05, 0.05, 0.04, 0.03, 0.02)
