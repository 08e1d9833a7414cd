"""I(X;Y|Z) of the kinds of triples: against a second way to each, within its standard error."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import entr, ndtr

from mizzle.metadata_gen import conditions, interactions
from mizzle.metadata_gen.conditional_problems import KINDS, conditional_problem

SIX = 6.0  # standard errors; a bound that one in 10**9 right answers exceeds


def drawn(kind: str, seeds: int, least: float = 0.02):
    """Problems with something left."""
    problems = (KINDS[kind](np.random.default_rng([3, seed])) for seed in range(seeds))
    return [(seed, problem) for seed, problem in enumerate(problems) if problem.nats > least]


def counted(x, y, z) -> float:
    """Information of labels in nats, beside each level of z, less the bias of Miller (1955)."""
    nats = 0.0
    for level in np.unique(z):
        rows = z == level
        table = np.unique(np.stack([x[rows], y[rows]]), axis=1, return_counts=True)[1] / rows.sum()
        sides = [np.unique(side[rows], return_counts=True)[1] / rows.sum() for side in (x, y)]
        bias = (len(sides[0]) - 1) * (len(sides[1]) - 1) / (2.0 * rows.sum())
        nats += rows.mean() * (sum(entr(side).sum() for side in sides) - entr(table).sum() - bias)
    return nats


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_finite_sides_and_no_negative_information(kind: str) -> None:
    for seed in range(12):
        problem = KINDS[kind](np.random.default_rng([1, seed]))
        assert 0.0 <= problem.nats < 12.0
        sides = problem.sample(np.random.default_rng(2), 70)
        assert all(side.shape[0] == 70 and side.ndim == 2 and np.isfinite(side).all() for side in sides)


def test_all_kinds_are_drawn() -> None:
    rng = np.random.default_rng(4)
    names = {conditional_problem(rng).name for _ in range(600)}
    assert {"many columns", "gated", "grades", "logits", "rounded", "circle", "waves"} <= names


def test_groups_of_normal_pairs_have_the_mean_of_their_pointwise_information() -> None:
    rng = np.random.default_rng(5)
    for _ in range(4):
        pair = conditions._mixture(rng)
        weights, places, spreads, r = pair._groups
        rows = np.hstack(pair.sample(rng, 40_000))
        joint = sum(
            w
            * stats.multivariate_normal(m, [[s[0] ** 2, c * s[0] * s[1]], [c * s[0] * s[1], s[1] ** 2]]).pdf(
                rows
            )
            for w, m, s, c in zip(weights, places, spreads, r, strict=True)
        )
        sides = [
            (weights * stats.norm.pdf(rows[:, [i]], places[:, i], spreads[:, i])).sum(axis=1) for i in (0, 1)
        ]
        points = np.log(joint / (sides[0] * sides[1]))
        assert abs(points.mean() - pair.mi().nats) < SIX * points.std() / 200.0 + 1e-3


class OneRow:
    """A generator whose first normal rows, those of Z, are one row over and over."""

    def __init__(self, rng) -> None:
        self._rng, self._is_first = rng, True

    def __getattr__(self, name: str):
        return getattr(self._rng, name)

    def standard_normal(self, shape):
        values = self._rng.standard_normal(shape)
        if self._is_first:
            self._is_first = False
            values[:] = values[:1]
        return values


def at_rows_of_z(problem, rows: int, n: int, rng, bins: float) -> tuple[float, float]:
    """Mean of the counted I(X;Y|Z=z) over rows of Z, X in bins of a width, and its standard error."""
    nats = []
    for _ in range(rows):
        x, y, _ = problem.sample(OneRow(rng), n)
        nats.append(counted(np.floor(x[:, 0] / bins), y[:, 0], np.zeros(n)))
    return float(np.mean(nats)), float(np.std(nats) / np.sqrt(rows))


@pytest.mark.parametrize(("kind", "bins"), [("grades", 0.25), ("logits", 1.0)])
def test_labels_at_rows_of_z_share_what_is_counted(kind: str, bins: float) -> None:
    for _, problem in drawn(kind, 40, 0.1)[:4]:
        mean, error = at_rows_of_z(problem, 60, 20_000, np.random.default_rng(6), bins)
        assert abs(mean - problem.nats) < SIX * error + 0.02 * problem.nats


def test_several_columns_at_a_row_of_z_are_normal_with_what_is_left() -> None:
    seen = 0
    for _, problem in drawn("many columns", 80):
        x, y, z = problem.sample(OneRow(np.random.default_rng(6)), 40_000)
        if x.shape[1] + y.shape[1] == 2 or np.ptp(z, axis=0).max() > 0.0:
            continue
        nats = conditions.normal_nats(np.cov(np.hstack([x, y]).T), x.shape[1])
        error = np.sqrt(2.0 * problem.nats * x.shape[1] * y.shape[1] / 40_000)
        assert abs(nats - problem.nats) < SIX * error + 1e-3
        seen += 1
    assert seen > 3


def test_rounded_normals_near_no_steps_share_what_normals_do() -> None:
    for r in (0.2, 0.7, 0.95):
        exact = -0.5 * np.log1p(-r * r)
        assert interactions._rounded_nats(r, 0.3, 0.0, np.array([0.02, 0.0])) == pytest.approx(
            exact, rel=0.02
        )
        coarse = interactions._rounded_nats(r, 0.0, 0.5, np.array([50.0, 50.0]))
        assert coarse == pytest.approx(0.0, abs=1e-9)
    # Signs of both, as steps of 100 about -50: I of two signs whose chance to agree is known.
    agree = 0.5 + np.arcsin(0.7) / np.pi
    signs = np.log(2.0) - entr(agree) - entr(1.0 - agree)
    assert interactions._rounded_nats(0.7, 50.0, 50.0, np.array([100.0, 100.0])) == pytest.approx(
        signs, rel=0.02
    )


def test_rounded_without_steps_of_z_agree_with_counts() -> None:
    for r in (0.5, 0.9):
        steps = np.array([0.8, 1.1])
        rng = np.random.default_rng(7)
        u = rng.standard_normal(200_000)
        v = r * u + np.sqrt(1 - r * r) * rng.standard_normal(200_000)
        x, y = np.round((0.3 + u) / steps[0]), np.round((-0.2 + v) / steps[1])
        nats = counted(x, y, np.zeros(len(x)))
        assert interactions._rounded_nats(r, 0.3, -0.2, steps) == pytest.approx(nats, abs=0.01)


def test_a_gate_is_open_as_often_as_z_exceeds_it() -> None:
    """I = share open x I of the open pair: the effect and the gate are redone from the generator's draws."""
    seen = 0
    for seed in range(60):
        rng = np.random.default_rng([3, seed])
        rng.choice([1, 2, 3, 6])
        if int(rng.integers(4)) != 0:
            continue
        effect = interactions._EFFECT.draw(rng)
        conditions.random_function(rng, 1)
        open_ = 1.0 - ndtr(float(rng.normal()))
        nats = KINDS["gated"](np.random.default_rng([3, seed])).nats
        assert nats == pytest.approx(open_ * 0.5 * np.log1p(effect**2), abs=1e-4 + 1e-4 * effect)
        seen += 1
    assert seen > 5


def test_circles_of_z_share_what_the_turned_noise_leaves() -> None:
    """Y - X - Z modulo 1 is the noise: its entropy by counts, where the function of Z is Z itself."""
    seen = 0
    for _, problem in drawn("circle", 40):
        x, y, z = problem.sample(np.random.default_rng(8), 200_000)
        if z.min() < 0.0:
            continue
        noise = (y - x - z)[:, 0] % 1.0
        shares = np.bincount((noise * 400).astype(int), minlength=400) / len(noise)
        assert np.log(400) - entr(shares).sum() - 200 / len(noise) == pytest.approx(problem.nats, abs=0.02)
        seen += 1
    assert seen > 3
