"""Mixtures against what is known in closed form, and their quasi Monte Carlo integral."""

import math

import numpy as np
import pytest
from mixture_families import FAMILIES

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.elliptical import MultivariateNormal
from mizzle.metadata_gen.families.mixtures import ClassLabel, Components, NormalMixture, product_components
from mizzle.metadata_gen.montecarlo import (
    MAX_BLOCKS,
    Integrated,
    controlled_mean,
    lattice,
    tolerance,
)
from mizzle.metadata_gen.prior.mixtures import random_components

INTEGRATED = {name: f for name, f in FAMILIES.items() if isinstance(f, Integrated)}


def test_mixture_of_one_is_the_normal() -> None:
    """Its pmi is a combination of the controls, so the integral is exact up to rounding."""
    mixture = FAMILIES["mixture of one"]
    assert isinstance(mixture, NormalMixture)
    factor = mixture.joint.factors[0]
    truth = mixture.mi()
    assert truth.nats == pytest.approx(MultivariateNormal(factor @ factor.T, 2).mi().nats, abs=1e-9)
    assert truth.stderr < 1e-9


def test_clusters_far_apart_tell_each_other() -> None:
    """Centres (9, 0), (0, 9), (0, 0): X tells the first, Y the second; I is that of a 2 x 2 table."""
    w = np.array([0.2, 0.3, 0.5])
    table = np.array([[w[0], 0.0], [w[2], w[1]]])
    p, q = table.sum(1), table.sum(0)
    nats = sum(
        table[i, j] * math.log(table[i, j] / (p[i] * q[j])) for i in (0, 1) for j in (0, 1) if table[i, j] > 0
    )
    truth = FAMILIES["mixture clusters"].mi()
    assert truth.nats == pytest.approx(nats, abs=4 * truth.stderr + 1e-4)  # 4.5 sd apart: 1e-5 mislabelled


def test_label_never_exceeds_its_entropy() -> None:
    far = random_components(np.random.default_rng(0), np.full(4, 0.25), 3, 50.0, 1.0)
    truth = ClassLabel(far, np.arange(4.0)[:, None]).mi()
    assert truth.nats == pytest.approx(math.log(4.0), abs=4 * truth.stderr + 1e-6)


@pytest.mark.parametrize("family", INTEGRATED.values(), ids=INTEGRATED.keys())
def test_controls_have_mean_zero(family: Integrated) -> None:
    """4.5 standard errors, for there are about 50 controls of nine families."""
    rng, rows = np.random.default_rng(1), 40_000
    controls = family.integrand(rng.random(rows), rng.standard_normal((rows, family.normals)))[1:]
    assert np.all(np.abs(controls.mean(1)) <= 4.5 * controls.std(1) / math.sqrt(rows) + 1e-12)


@pytest.mark.parametrize("family", INTEGRATED.values(), ids=INTEGRATED.keys())
def test_first_of_the_integrand_is_the_pmi(family: Integrated) -> None:
    rng = np.random.default_rng(3)
    u, z = rng.random(200), rng.standard_normal((200, family.normals))
    np.testing.assert_allclose(family.integrand(u, z)[0], family.pmi(*family.rows(u, z)), rtol=0, atol=1e-8)


@pytest.mark.parametrize("family", INTEGRATED.values(), ids=INTEGRATED.keys())
def test_integral_repeats_itself(family: Integrated) -> None:
    """An integration at other points differs by at most 4 of both standard errors."""
    truth = family._integrated()
    again = controlled_mean(family.blocks(seed=99), MAX_BLOCKS)
    assert abs(again.nats - truth.nats) <= 4 * math.hypot(truth.stderr, again.stderr) + 1e-12
    assert truth.stderr <= tolerance(truth.nats)


EXACT = {name: f for name, f in INTEGRATED.items() if f.mi().stderr == 0.0 and f.mi() != f._integrated()}


@pytest.mark.parametrize("family", EXACT.values(), ids=EXACT.keys())
def test_quadrature_agrees_with_the_integral(family: Integrated) -> None:
    """Of 2048 points or more none may lie where 1e-5 of the mass is; beside it 4 standard errors."""
    integrated = family._integrated()
    assert family.mi().nats == pytest.approx(integrated.nats, abs=4 * integrated.stderr + 1e-5)


def test_quadrature_is_of_labels_and_of_independent_pairs() -> None:
    assert set(EXACT) == {"mixture clusters", "mixture of regimes", "rare label"}


def test_equal_components_tell_nothing() -> None:
    shares, same = (
        np.array([0.01, 0.99]),
        Components(np.array([0.01, 0.99]), np.zeros((2, 1)), np.ones((2, 1, 1))),
    )
    assert ClassLabel(same, np.eye(2)).mi().nats == pytest.approx(0.0, abs=1e-12)
    regimes = NormalMixture(product_components(np.diag(shares), same, same), 1)
    assert regimes.mi().nats == pytest.approx(0.0, abs=1e-12)


def test_lattice_is_evenly_spread() -> None:
    """Each of 32 equal intervals of a coordinate holds 32 of 1024 points within 8.

    Independent points spread by 5.6 and would reach 16 in one of 96 intervals.
    """
    points = lattice(1024, np.random.default_rng(2).random(3))
    assert points.min() > 0.0
    assert points.max() < 1.0
    for column in points.T:
        assert np.abs(np.histogram(column, 32, (0.0, 1.0))[0] - 32).max() <= 8


@pytest.mark.parametrize(
    ("weights", "codes"),
    [([0.5, 0.4], [0.0, 1.0]), ([1.5, -0.5], [0.0, 1.0]), ([0.5, 0.5], [1.0, 1.0]), ([1.0], [0.0])],
)
def test_nonsense_is_refused(weights: list[float], codes: list[float]) -> None:
    with pytest.raises(InvalidInput):
        ClassLabel(
            Components(np.array(weights), np.zeros((2, 1)), np.ones((2, 1, 1))), np.array(codes)[:, None]
        )
