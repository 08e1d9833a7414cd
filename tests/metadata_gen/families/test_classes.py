"""Heavy-tailed noise, events and clouds of classes against what is known in closed form."""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.additive import (
    AdditiveNoise,
    HyperbolicSecant,
    Logistic,
    Normal,
    NormalWithOutliers,
    Slash,
    Student,
    SymmetricLaw,
)
from mizzle.metadata_gen.families.classes import ClassPair, Clouds, Codes, Labels, LogisticEvent, Shape
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.prior.contingency import random_clouds

LAWS: dict[str, SymmetricLaw] = {
    "cauchy": Student(1.0),
    "student": Student(3.7),
    "normal": Normal(),
    "logistic": Logistic(),
    "secant": HyperbolicSecant(),
    "slash": Slash(),
    "outliers": NormalWithOutliers(0.2),
}
SCIPY = {
    "cauchy": stats.cauchy(),
    "student": stats.t(3.7),
    "normal": stats.norm(),
    "logistic": stats.logistic(),
    "secant": stats.hypsecant(scale=2.0 / math.pi),
}
TABLE = ContingencyTable(np.array([[0.3, 0.1], [0.2, 0.4]]))


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0, 4.0])
def test_cauchy_noise_on_cauchy(scale: float) -> None:
    """The sum is Cauchy's law of width 1 + scale."""
    nats = AdditiveNoise(Student(1.0), Student(1.0), scale).mi().nats
    assert nats == pytest.approx(math.log1p(1.0 / scale), abs=1e-8)


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0, 4.0])
def test_normal_noise_on_normal(scale: float) -> None:
    nats = AdditiveNoise(Normal(), Normal(), scale).mi().nats
    assert nats == pytest.approx(0.5 * math.log1p(scale**-2.0), abs=1e-10)


@pytest.mark.parametrize("name", SCIPY)
def test_laws_are_those_of_scipy(name: str) -> None:
    z = np.linspace(-30.0, 30.0, 61)
    np.testing.assert_allclose(LAWS[name].log_density(z), SCIPY[name].logpdf(z), rtol=0, atol=1e-9)
    assert LAWS[name].entropy == pytest.approx(float(SCIPY[name].entropy()), abs=1e-7)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_law_draws_from_its_density(law: SymmetricLaw) -> None:
    """Kolmogorov's distance of 20,000 draws; 1.95 / sqrt(n) is exceeded once in a thousand."""
    z = np.sort(law.sample(np.random.default_rng(2), 20_000))
    grid = np.linspace(-60.0, 60.0, 24_001)
    cumulative = integrate.cumulative_trapezoid(np.exp(law.log_density(grid)), grid, initial=0.0)
    cdf = np.interp(z, grid, cumulative + (1.0 - cumulative[-1]) / 2.0)
    inside = np.abs(z) < 60.0
    ranks = (np.arange(len(z)) + 0.5) / len(z)
    assert np.abs(cdf - ranks)[inside].max() < 1.95 / math.sqrt(len(z))


@pytest.mark.parametrize(
    ("name", "noise", "scale"),
    [
        ("student", "student", 0.3),
        ("normal", "cauchy", 0.5),
        ("logistic", "student", 2.0),
        ("slash", "slash", 1.0),
        ("outliers", "secant", 0.7),
    ],
)
def test_additive_noise_by_adaptive_quadrature(name: str, noise: str, scale: float) -> None:
    """h(Y) - h(N) - log scale; the convolution is split midway between both peaks, and adaptive."""
    a, b = LAWS[name], LAWS[noise]

    def density(law: SymmetricLaw, z: float) -> float:
        return math.exp(float(law.log_density(np.array(z))))

    def half(own: SymmetricLaw, width: float, other: SymmetricLaw, rest: float, y: float) -> float:
        def inner(w: float) -> float:
            t = width * math.sinh(w)
            return density(own, t / width) * density(other, (y - t) / rest) / rest * math.cosh(w)

        end = math.asinh(y / 2.0 / width)
        return float(integrate.quad(inner, -18.0, end, points=[min(0.0, end)], limit=200, epsrel=1e-8)[0])

    def of_sum(y: float) -> float:
        return half(a, 1.0, b, scale, y) + half(b, scale, a, 1.0, y)

    def outer(v: float) -> float:
        p = of_sum(math.sinh(v))
        return -p * math.log(p) * math.cosh(v) if p > 0.0 else 0.0

    v, step = np.linspace(0.0, 16.0, 129, retstep=True)
    values = np.array([outer(float(each)) for each in v])
    expected = 2.0 * float(step) * (values.sum() - values[0] / 2.0) - b.entropy - math.log(scale)
    assert AdditiveNoise(a, b, scale).mi().nats == pytest.approx(expected, abs=1e-4)


def test_event_of_no_slope_is_independent() -> None:
    assert LogisticEvent(-3.0, 0.0).mi().nats == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("rate", "slope"), [(0.003, 0.5), (0.05, -3.0), (0.2, 20.0)])
def test_event_has_its_rate_and_its_information(rate: float, slope: float) -> None:
    event = LogisticEvent.with_rate(rate, slope)

    def chance(z: float) -> float:
        return float(expit(event.offset + slope * z))

    def average(f: object) -> float:
        assert callable(f)
        return float(integrate.quad(lambda z: f(chance(z)) * stats.norm.pdf(z), -9, 9, limit=400)[0])

    def coin(q: float) -> float:
        return float(stats.bernoulli(q).entropy())

    assert average(lambda q: q) == pytest.approx(rate, abs=1e-8)
    assert event.mi().nats == pytest.approx(coin(rate) - average(coin), abs=1e-6)


def test_event_of_a_steep_slope_tells_nearly_all() -> None:
    """As the slope grows I tends to the entropy of the event; at 30 little of it is blurred."""
    event = LogisticEvent.with_rate(0.3, 30.0)
    entropy = -0.3 * math.log(0.3) - 0.7 * math.log(0.7)
    assert 0.9 * entropy < event.mi().nats < entropy


def distances(rows: Array, labels: Labels) -> float:
    """The smallest distance of two rows of different classes."""
    first, second = rows[labels == 0], rows[labels == 1]
    return float(np.linalg.norm(first[:, None] - second, axis=2).min())


@pytest.mark.parametrize("seed", range(40))
def test_clouds_do_not_overlap(seed: int) -> None:
    """A point's class is read off it without an error, however full the balls are."""
    rng = np.random.default_rng(seed)
    k, dim = int(rng.integers(2, 13)), int(rng.integers(1, 49))
    clouds = random_clouds(rng, k, dim)
    labels = rng.integers(k, size=3000)
    rows = clouds.sample(rng, labels)
    assert rows.shape == (3000, dim)
    assert (clouds.labels(rows) == labels).all()


def test_gap_between_two_clouds_is_what_the_radius_leaves() -> None:
    clouds = random_clouds(np.random.default_rng(3), 2, 5)
    labels: Labels = np.arange(2000) % 2
    rows = clouds.sample(np.random.default_rng(4), labels)
    between = float(np.linalg.norm(clouds.centres[0] - clouds.centres[1]))
    assert distances(rows, labels) > between - 2.0 * clouds.radius > 0.0


def flat(k: int, q: int) -> Shape:
    return Shape(np.ones((k, q, 1)), np.zeros((k, 1)), np.zeros((k, 1, 1)), np.zeros((k, 1, 1)), np.ones(1))


@pytest.mark.parametrize(
    "build",
    [
        lambda: AdditiveNoise(Normal(), Normal(), 0.0),
        lambda: Student(0.5),
        lambda: NormalWithOutliers(1.0),
        lambda: LogisticEvent(0.0, 1000.0),
        lambda: LogisticEvent.with_rate(0.0, 1.0),
        lambda: Codes(np.ones((2, 1))),
        lambda: ClassPair(TABLE, Codes(np.eye(3)), Codes(np.eye(2)), "labels"),
        lambda: Clouds(np.array([[0.0], [1.0]]), 0.5, flat(2, 1), np.eye(2)),
        lambda: Clouds(np.array([[0.0], [1.0]]), 0.2, flat(2, 1), np.eye(3)),
        lambda: Clouds(np.array([[0.0], [1.0]]), 0.2, flat(3, 1), np.eye(2)),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
