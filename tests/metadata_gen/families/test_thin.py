"""Thin signals: their integrals against other ways to the same number."""

import math

import numpy as np
import pytest
from scipy import stats

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.mixtures import ClassLabel, Components
from mizzle.metadata_gen.families.thin import MIN_NOISE, ConcentricClasses, NoisyRadius
from mizzle.metadata_gen.prior import elliptical, thin

THIRDS, CODES = np.array([0.2, 0.3, 0.5]), np.arange(3.0)[:, None]


@pytest.mark.parametrize(("dim", "noise"), [(1, 0.3), (2, MIN_NOISE), (5, 0.1), (40, 1.0), (64, 2.0)])
def test_radius_on_a_grid(dim: int, noise: float) -> None:
    """h(Y) from sums over two grids that are a hundred times finer than the noise is wide."""
    step = noise / 50.0
    r = np.arange(step / 2.0, math.sqrt(dim) + 7.0, step)
    noises = np.arange(-9.0 * noise, 9.0 * noise + step / 2.0, step)
    density = np.convolve(stats.chi(dim).pdf(r) * step, stats.norm(0.0, noise).pdf(noises))
    density = density[density > 0.0]
    entropy = -float((density * np.log(density)).sum() * step)
    expected = entropy - 0.5 * math.log(2.0 * math.pi * math.e * noise**2)
    assert NoisyRadius(dim, noise).mi().nats == pytest.approx(expected, abs=2e-4)


def test_radius_of_little_noise_tells_more() -> None:
    nats = [NoisyRadius(10, noise).mi().nats for noise in (0.06, 0.2, 0.7, 2.0, 50.0)]
    assert nats == sorted(nats, reverse=True)
    assert 0.0 <= nats[-1] < 1e-3


@pytest.mark.parametrize("dim", [1, 3, 8])
def test_concentric_classes_are_those_of_mixtures(dim: int) -> None:
    widths = np.array([1.0, 0.5, 2.5])
    mixture = Components(THIRDS, np.zeros((3, dim)), widths[:, None, None] * np.eye(dim))
    expected, ours = ClassLabel(mixture, CODES), ConcentricClasses(THIRDS, widths, dim, CODES)
    truth = expected.mi()  # of one column a quadrature too
    assert ours.mi().nats == pytest.approx(truth.nats, abs=max(4.0 * truth.stderr, 1e-9))
    x, y = ours.sample(np.random.default_rng(1), 50)
    assert ours.pmi(x, y) == pytest.approx(expected.pmi(x, y))


def test_concentric_classes_far_apart_tell_the_label() -> None:
    """Of 1 and 9 in 48 columns the norms never meet."""
    family = ConcentricClasses(np.array([0.5, 0.5]), np.array([1.0, 9.0]), 48, np.eye(2))
    assert family.mi().nats == pytest.approx(math.log(2.0))
    assert ConcentricClasses(np.array([0.5, 0.5]), np.ones(2), 48, np.eye(2)).mi().nats == 0.0


@pytest.mark.parametrize(("dim_x", "dim_y"), [(1, 1), (2, 64), (64, 2)])
def test_thin_draws_have_their_columns(dim_x: int, dim_y: int) -> None:
    for seed in range(30):
        family = thin.thin(np.random.default_rng(seed), dim_x, dim_y)
        assert max(family.dim_x, family.dim_y) <= max(dim_x, dim_y)


def test_sum_of_columns_tells_little_about_each() -> None:
    """Equal weights in 50 columns: every correlation with the sum has the same size."""
    rng = np.random.default_rng(0)
    family = next(f for f in (thin.THIN["sum"](rng, 50, 1) for _ in range(50)) if _equal(f.dispersion))  # type: ignore[attr-defined]
    rho = abs(float(family.dispersion[0, -1]))  # type: ignore[attr-defined]
    assert family.mi().nats == pytest.approx(-0.5 * math.log1p(-50.0 * rho**2))


def _equal(dispersion: np.ndarray) -> bool:
    return bool(np.ptp(np.abs(dispersion[:-1, -1])) < 1e-9)


@pytest.mark.parametrize(("nats", "pairs"), [(0.1, 1), (3.0, 10), (6.0, 64), (15.0, 3)])
def test_shared_strengths_add_up(nats: float, pairs: int) -> None:
    rho = elliptical.shared_rho(np.random.default_rng(3), nats, pairs, 5.0)
    assert rho.shape == (pairs,)
    assert -0.5 * np.log1p(-(rho**2)).sum() == pytest.approx(nats)


@pytest.mark.parametrize(
    "build",
    [
        lambda: NoisyRadius(0, 1.0),
        lambda: NoisyRadius(3, MIN_NOISE / 2.0),
        lambda: NoisyRadius(3, math.inf),
        lambda: ConcentricClasses(THIRDS, np.ones(2), 4, CODES),
        lambda: ConcentricClasses(THIRDS, np.ones(3), 4, CODES[[0, 0, 1]]),
        lambda: ConcentricClasses(THIRDS, np.zeros(3), 4, CODES),
        lambda: ConcentricClasses(THIRDS / 2.0, np.ones(3), 4, CODES),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
