"""Copulas against closed forms, brute force and each other."""

import math

import numpy as np
import pytest
from copula_families import COPULAS, archimedean
from scipy.special import expit, ndtr
from scipy.stats import kendalltau

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.dispersion import pair
from mizzle.metadata_gen.families.archimedean import (
    GENERATORS,
    ArchimedeanCopula,
    Clayton,
    Frank,
    Gumbel,
    Joe,
)
from mizzle.metadata_gen.families.copulas import Copula, CopulaMixture, NormalCopula, Rotated
from mizzle.metadata_gen.families.elliptical import MultivariateNormal
from mizzle.metadata_gen.family import Array

ROWS = 60_000
INSIDE = np.array([0.003, 0.2, 0.5, 0.77, 0.96])
every_copula = pytest.mark.parametrize("copula", COPULAS.values(), ids=COPULAS.keys())
every_generator = pytest.mark.parametrize("name", GENERATORS)


def brute_force(copula: Copula) -> float:
    """int int c log c du dv by the trapezoidal rule on a grid of normal scores."""
    scores = np.arange(-7.5, 7.5, 0.04)
    u, du = ndtr(scores), 0.04 * np.exp(-(scores**2) / 2.0) / math.sqrt(2.0 * math.pi)
    logs = copula.log_density(u[:, None], u)
    return float(du @ (np.exp(logs) * logs) @ du)


@every_copula
def test_mean_pmi_is_mi(copula: Copula) -> None:
    pmi = copula.pmi(*copula.sample(np.random.default_rng(1), ROWS))
    truth = copula.mi()
    # 4 standard errors of the mean of n draws and of the truth
    assert abs(pmi.mean() - truth.nats) <= 4.0 * math.hypot(pmi.std() / math.sqrt(ROWS), truth.stderr)


@every_copula
def test_logistic_identity(copula: Copula) -> None:
    """With r the pmi, E_joint 1/(1 + e^r) = E_product 1/(1 + e^-r)."""
    x, y = copula.sample(np.random.default_rng(1), ROWS)
    joint, product = expit(-copula.pmi(x, y)), expit(copula.pmi(x, np.roll(y, 1)))
    assert abs(joint.mean() - product.mean()) <= 4.0 * math.sqrt((joint.var() + product.var()) / ROWS)


@every_copula
def test_samples_are_uniform_strictly_inside_and_without_ties(copula: Copula) -> None:
    for side in copula.sample(np.random.default_rng(2), 10_000):
        assert side.min() > 0.0
        assert side.max() < 1.0
        assert len(np.unique(side)) == 10_000
        # Kolmogorov-Smirnov: sqrt(n) D exceeds 2.2 with probability 2 exp(-2 2.2^2) = 1e-4
        assert np.abs(np.sort(side[:, 0]) - (np.arange(10_000) + 0.5) / 10_000).max() < 0.022


@every_generator
@pytest.mark.parametrize("tau", [0.02, 0.3, 0.8, 0.9])
def test_tau_of_samples(name: str, tau: float) -> None:
    x, y = archimedean(name, tau).sample(np.random.default_rng(3), 20_000)
    # the variance of the sample's tau is at most 2 (1 - tau^2) / n (Kendall 1970, ch. 4)
    assert abs(kendalltau(x, y).statistic - tau) <= 4.0 * math.sqrt(2.0 * (1.0 - tau**2) / 20_000)


@every_generator
@pytest.mark.parametrize("tau", [1e-3, 0.1, 0.5, 0.9, 0.98])
def test_tau_of_generator(name: str, tau: float) -> None:
    """tau = 4 E psi(T) - 1, T = phi(U) + phi(V), with psi(T) of the Kendall density."""
    logits = np.arange(-30.0, 30.0, 0.2)
    w, g = expit(logits), GENERATORS[name].from_tau(tau)
    log_t = g.log_phi(w)
    kendall = np.exp(log_t + g.log_bend(log_t) - g.log_slope(log_t))
    mean = float((0.2 * w * expit(-logits) * kendall * w).sum())
    assert 4.0 * mean - 1.0 == pytest.approx(tau, abs=1e-8)


@every_generator
@pytest.mark.parametrize("tau", [0.1, 0.5, 0.9])
def test_derivatives_of_generator(name: str, tau: float) -> None:
    g = GENERATORS[name].from_tau(tau)
    log_t = g.log_phi(INSIDE)
    t, h = np.exp(log_t), 1e-4
    assert g.psi(log_t) == pytest.approx(INSIDE, rel=1e-9)
    around = [g.psi(np.log(t * (1.0 + k * h))) for k in (-1, 1)]
    assert (around[0] - around[1]) / (2.0 * h * t) == pytest.approx(np.exp(g.log_slope(log_t)), rel=1e-5)
    slopes = [np.exp(g.log_slope(np.log(t * (1.0 + k * h)))) for k in (-1, 1)]
    assert (slopes[0] - slopes[1]) / (2.0 * h * t) == pytest.approx(np.exp(g.log_bend(log_t)), rel=1e-5)


@pytest.mark.parametrize("theta", [1e-3, 0.5, 3.0, 18.0, 90.0])
def test_clayton_has_a_closed_form(theta: float) -> None:
    expected = math.log1p(theta) - theta / (1.0 + theta)
    assert ArchimedeanCopula(Clayton(theta)).mi().nats == pytest.approx(expected, abs=1e-9)


@every_generator
@pytest.mark.parametrize("tau", [0.01, 0.3, 0.6])
def test_mi_is_the_integral_of_the_density(name: str, tau: float) -> None:
    copula = archimedean(name, tau)
    assert copula.mi().nats == pytest.approx(brute_force(copula), abs=1e-6)


def test_mixture_is_the_integral_of_the_density() -> None:
    mixture = CopulaMixture([0.3, 0.7], [archimedean("frank", 0.6), archimedean("gumbel", 0.5, 90)])
    truth = mixture.mi()
    assert 0.0 < truth.stderr < 0.002
    assert abs(truth.nats - brute_force(mixture)) <= 4.0 * truth.stderr


def test_mixture_of_a_mixture_is_flat() -> None:
    a, b, c = NormalCopula(0.8), archimedean("joe", 0.5), archimedean("clayton", 0.5, 90)
    nested = CopulaMixture([0.5, 0.5], [CopulaMixture([0.5, 0.5], [a, b]), c]).mi()
    flat = CopulaMixture([0.25, 0.25, 0.5], [a, b, c]).mi()
    assert abs(nested.nats - flat.nats) <= 4.0 * math.hypot(nested.stderr, flat.stderr)


@every_copula
def test_nodes_integrate(copula: Copula) -> None:
    """E 1 = 1 and E U = E V = 1/2 on a grid of midpoints."""
    middle = (np.arange(300) + 0.5) / 300
    u, v, weights = copula.nodes(np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2))
    means = [float((weights * f).mean()) for f in (np.ones(len(u)), u, v)]
    assert means == pytest.approx([1.0, 0.5, 0.5], abs=2e-3)


@every_copula
def test_conditional_cdfs_are_derivatives_of_the_cdf(copula: Copula) -> None:
    u, v, h = INSIDE[:, None], INSIDE, 1e-6
    of_y = (copula.cdf(u, v + h) - copula.cdf(u, v - h)) / (2.0 * h)
    of_x = (copula.cdf(u + h, v) - copula.cdf(u - h, v)) / (2.0 * h)
    assert copula.given_y(u, v) == pytest.approx(of_y, abs=1e-5)
    assert copula.given_x(u, v) == pytest.approx(of_x, abs=1e-5)


@every_copula
def test_density_is_derivative_of_conditional_cdfs(copula: Copula) -> None:
    u, v, h = INSIDE[:, None], INSIDE, 1e-6
    density = np.exp(copula.log_density(u, v))
    of_y = (copula.given_y(u + h, v) - copula.given_y(u - h, v)) / (2.0 * h)
    of_x = (copula.given_x(u, v + h) - copula.given_x(u, v - h)) / (2.0 * h)
    assert of_y == pytest.approx(density, rel=1e-4, abs=1e-6)
    assert of_x == pytest.approx(density, rel=1e-4, abs=1e-6)


@every_copula
def test_conditional_cdf_rises_from_0_to_1(copula: Copula) -> None:
    u = np.concatenate([[1e-15], np.linspace(0.001, 0.999, 200), [1.0 - 1e-15]])
    below = copula.given_y(u[:, None], INSIDE)
    assert (np.diff(below, axis=0) >= -1e-12).all()
    assert below[0] == pytest.approx(np.zeros(5), abs=1e-6)
    assert below[-1] == pytest.approx(np.ones(5), abs=1e-6)


@every_copula
def test_cdf_is_share_of_samples(copula: Copula) -> None:
    x, y = copula.sample(np.random.default_rng(4), ROWS)
    for u, v in ((0.5, 0.5), (0.1, 0.1), (0.9, 0.3), (0.2, 0.95)):
        share, p = float(((x <= u) & (y <= v)).mean()), float(copula.cdf(np.array(u), np.array(v)))
        # 4 binomial standard errors, and one row
        assert abs(share - p) <= 4.0 * math.sqrt(max(p * (1.0 - p), 0.0) / ROWS) + 1.0 / ROWS


@every_copula
def test_any_two_numbers_in_the_square_have_a_pmi(copula: Copula) -> None:
    ends = np.array([0.0, 1e-12, 0.5, 1.0 - 1e-12, 1.0])
    assert not np.isnan(copula.pmi(ends.repeat(5)[:, None], np.tile(ends, 5)[:, None])).any()


def test_normal_copula_is_the_normal_pair() -> None:
    normal, copula = MultivariateNormal(pair(0.7), 1), NormalCopula(0.7)
    x, y = normal.sample(np.random.default_rng(5), 100)
    assert copula.mi().nats == pytest.approx(normal.mi().nats)
    assert copula.pmi(ndtr(x), ndtr(y)) == pytest.approx(normal.pmi(x, y))
    # the orthant probability 1/4 + asin(r) / (2 pi)
    assert copula.cdf(np.array(0.5), np.array(0.5)) == pytest.approx(0.25 + math.asin(0.7) / (2.0 * math.pi))


@pytest.mark.parametrize(("degrees", "x", "y"), [(90, -1, 1), (180, -1, -1), (270, 1, -1)])
def test_rotation_moves_the_dependent_corner(degrees: int, x: int, y: int) -> None:
    def corner(u: float, sign: int) -> Array:
        return np.array(u if sign > 0 else 1.0 - u)

    rotated = archimedean("clayton", 0.6, degrees)
    assert rotated.log_density(corner(0.01, x), corner(0.01, y)) > 3.0
    assert rotated.mi() == archimedean("clayton", 0.6).mi()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Clayton(0.0),
        lambda: Gumbel(1.0),
        lambda: Frank(-2.0),
        lambda: Joe(math.inf),
        lambda: Frank.from_tau(0.0),
        lambda: Gumbel.from_tau(1.0),
        lambda: ArchimedeanCopula.from_tau("claytn", 0.5),
        lambda: NormalCopula(1.0),
        lambda: Rotated(NormalCopula(0.5), 45),
        lambda: CopulaMixture([0.5], [NormalCopula(0.5)]),
        lambda: CopulaMixture([0.5, 0.5], [NormalCopula(0.5)]),
        lambda: CopulaMixture([], []),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
