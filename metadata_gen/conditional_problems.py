"""The prior over triples that know their own I(X;Y|Z): normal, mapped pairs, tables, labels, colliders.

Strictly monotone maps of columns are left out, since an estimator sees ranks.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import entr, ndtri  # type: ignore[import-untyped]

from mizzle.metadata_gen.colliders import Problem, Sides, collider, nonlinear_collider
from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.archimedean import ArchimedeanCopula, Clayton, Frank, Gumbel
from mizzle.metadata_gen.families.copulas import Copula, NormalCopula, Rotated
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form
from mizzle.metadata_gen.hyperpriors import LogIntegers, LogUniform

_COUPLING, _STRENGTH, _NOISE = LogUniform(0.01, 0.995), LogUniform(0.05, 5.0), LogUniform(0.05, 3.0)
_LEVELS, _GIVEN_LEVELS = LogIntegers(2, 12), LogIntegers(2, 40)
_FREQUENCY: Final = LogUniform(0.5, 9.0)
_EVENNESS: Final = LogUniform(0.3, 10.0)
_INDEPENDENT = 0.3  # share of the problems with I(X;Y|Z) = 0
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
        _STRENGTH.draw(rng) * rng.standard_normal((dz, dx)),
        _STRENGTH.draw(rng) * rng.standard_normal((dz, dy)),
    )
    coupling = np.zeros((dx, dy))
    if rng.random() > _INDEPENDENT:
        coupling = _STRENGTH.draw(rng) * rng.standard_normal((dx, dy))
    collider = rng.random() < 0.2

    def noise(rows: Rng, n: int) -> tuple[Array, Array]:
        x = rows.standard_normal((n, dx))
        return x, x @ coupling + rows.standard_normal((n, dy))

    if collider:
        weights, spread = rng.standard_normal((dx + dy, dz)), _NOISE.draw(rng)
        both = np.block([[np.eye(dx), coupling], [coupling.T, np.eye(dy) + coupling.T @ coupling]])
        cross = both @ weights
        of_z = weights.T @ cross + spread**2 * np.eye(dz)
        left = both - cross @ np.linalg.solve(of_z, cross.T)

        def sample(rows: Rng, n: int) -> Sides:
            x, y = noise(rows, n)
            z = np.hstack([x, y]) @ weights + spread * rows.standard_normal((n, dz))
            return x, y, z

        return Problem("normal collider", sample, _normal_nats(left, dx))

    def confounded(rows: Rng, n: int) -> Sides:
        z = rows.standard_normal((n, dz))
        x, y = noise(rows, n)
        return x + z @ of_x, y + z @ of_y, z

    left = np.block([[np.eye(dx), coupling], [coupling.T, np.eye(dy) + coupling.T @ coupling]])
    return Problem("normal", confounded, _normal_nats(left, dx))


def _normal_nats(moments: Array, dx: int) -> float:
    parts = moments[:dx, :dx], moments[dx:, dx:], moments
    of_x, of_y, of_both = (float(np.linalg.slogdet(part)[1]) for part in parts)
    return max(0.5 * (of_x + of_y - of_both), 0.0)


def mapped(rng: Rng) -> Problem:
    """x = f(z) + s(z) U and y = g(z) + t(z) V of a pair (U, V) that knows its own information."""
    independent = rng.random() < _INDEPENDENT
    pair = NormalCopula(0.0) if independent else known_pair(rng)
    law, dz = int(rng.integers(5)), int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))
    strengths = _STRENGTH.draw_many(rng, 2)
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
        mean, spread = self._law(np.asarray(ndtri((np.arange(500) + 0.5) / 500)))
        ends = float((mean - 6.0 * spread).min()), float((mean + 6.0 * spread).max())
        step = max(min(spread.min() / 4.0, 0.05), (ends[1] - ends[0]) / 4000.0)
        grid = np.arange(*ends, step)
        density = (np.exp(-0.5 * ((grid[:, None] - mean) / spread) ** 2) / spread).mean(axis=1)
        density /= density.sum() * step
        nats = entr(density).sum() * step - np.log(spread).mean() - 0.5 * math.log(2.0 * math.pi * math.e)
        return closed_form(max(float(nats), 0.0))

    def pmi(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("only the information is needed")


def known_pair(rng: Rng) -> Family:
    """A pair of one column each whose I(U;V) is cheap."""
    kind = rng.integers(9)
    if kind >= 6:
        return _Response(random_function(rng, 1), float(rng.uniform(0.1, 1.5)), bool(rng.random() < 0.35))
    if kind <= 2:
        return NormalCopula(float(rng.choice([-1.0, 1.0])) * _correlation(rng))
    if kind == 3:
        return AdditiveUniformNoise(np.array([_NOISE.draw(rng)]))
    generator = (Clayton, Gumbel, Frank)[rng.integers(3)].from_tau(float(rng.uniform(0.02, 0.85)))
    return Rotated(ArchimedeanCopula(generator), int(rng.choice([90, 180, 270])))


def _correlation(rng: Rng) -> float:
    """Small ones as often as large ones."""
    return float(rng.uniform(0.05, 0.98)) if rng.random() < 0.6 else _COUPLING.draw(rng)


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
        rng.standard_normal((2, k)) * _STRENGTH.draw_many(rng, 2)[:, None],
        np.exp(0.5 * rng.standard_normal((2, k)) * (rng.random() < 0.4)),
    )
    shared = rng.random() < 0.5
    correlation = _correlation(rng) * (np.ones(k) if shared else rng.uniform(-1.0, 1.0, k))
    if rng.random() < _INDEPENDENT:
        correlation = np.zeros(k)
    codes = rng.permutation(k)

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.choice(k, n, p=p)
        u, noise = rows.standard_normal((2, n))
        v = correlation[z] * u + np.sqrt(1.0 - correlation[z] ** 2) * noise
        x, y = places[0, z] + spread[0, z] * u, places[1, z] + spread[1, z] * v
        return x[:, None], y[:, None], codes[z].astype(np.float64)[:, None]

    return Problem("levels", sample, float(p @ (-0.5 * np.log1p(-(correlation**2)))))


def tables(rng: Rng) -> Problem:
    """Three labels: p(z) ((1 - c) p(x|z) p(y|z) + c J_z), or z made of x and y, as by exclusive or."""
    kx, ky, kz = _LEVELS.draw(rng), _LEVELS.draw(rng), _LEVELS.draw(rng)
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
        0.0 if rng.random() < _INDEPENDENT else float(rng.choice([1.0, rng.random(), _COUPLING.draw(rng)]))
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
    slopes, offsets = _STRENGTH.draw(rng) * rng.standard_normal(k), rng.standard_normal(k)
    shape, pull = random_function(rng, 1), _STRENGTH.draw(rng)
    places = _STRENGTH.draw(rng) * rng.standard_normal(k) * (rng.random() > _INDEPENDENT)
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

    nodes = ndtri((np.arange(4 * _POINTS) + 0.5) / (4 * _POINTS))
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


def softmax(logits: Array) -> Array:
    """Probabilities along the last axis."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def choices(rng: Rng, chances: Array) -> Array:
    """A place in each row of probabilities, shape (n,)."""
    ends = np.cumsum(chances, axis=1)
    places: Array = (rng.random(len(chances))[:, None] > ends).sum(axis=1).clip(0, chances.shape[1] - 1)
    return places


def chain(rng: Rng) -> Problem:
    """x, a function of it with noise, z, and a function of that with noise, y: nothing is left."""
    first, second = random_function(rng, 1), random_function(rng, 1)
    strengths = _STRENGTH.draw_many(rng, 2)

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
}
_SHARES = (0.15, 0.32, 0.1, 0.1, 0.11, 0.06, 0.07, 0.09)
