"""Where nothing shows that the levels of a label differ, an answer allows for 0."""

import numpy as np
import pytest

import mizzle
from mizzle.model import quantiles
from mizzle.model.labels import chance
from mizzle.model.labels.answers import allowing_for_nothing
from mizzle.model.preprocess import side

SAMPLES = 400
MOST = 0.01 + 4 * (0.01 * 0.99 / SAMPLES) ** 0.5  # of a test at 1 %, within 4 standard errors
LOW = quantiles.LEVELS.index(0.05)


def labels(rng: np.random.Generator, levels: int, n: int) -> np.ndarray:
    """The first levels are rarer than the last."""
    shares = np.arange(1.0, levels + 1.0)
    drawn = rng.choice(levels, n, p=shares / shares.sum())
    return np.asarray(np.unique(drawn, return_inverse=True)[1])


@pytest.mark.parametrize("levels", [2, 10, 60])
def test_independent_sides_seldom_differ(levels: int) -> None:
    rng = np.random.default_rng(levels)
    n, numbers, cells = 400, 0, 0
    for _ in range(SAMPLES):
        label = labels(rng, levels, n)
        numbers += chance.levels_differ(label, side(rng.normal(size=(n, 1))).ranks)
        cells += chance.cells_differ(label, labels(rng, levels, n))
    assert numbers / SAMPLES <= MOST
    assert cells / SAMPLES <= 2 * MOST  # the chi-square is only near to sparse tables


def test_the_variance_is_that_of_all_permutations() -> None:
    """Pearson's statistic of permuted labels has the mean and variance that are computed."""
    rng, n = np.random.default_rng(0), 80
    x, y = labels(rng, 12, n), labels(rng, 5, n)
    expected = np.outer(np.bincount(x), np.bincount(y)) / n
    values = []
    for _ in range(4000):
        table = np.zeros(expected.shape)
        np.add.at(table, (x, rng.permutation(y)), 1.0)
        values.append(((table - expected) ** 2 / expected).sum())
    mean, variance = chance.permuted(np.bincount(x), np.bincount(y))
    assert np.mean(values) == pytest.approx(mean, abs=4 * (variance / 4000) ** 0.5)
    assert np.var(values) == pytest.approx(variance, rel=0.12)  # 4 standard errors at a kurtosis of 4


@pytest.mark.parametrize("differing", ["place", "spread", "skew"])
def test_what_levels_may_differ_in(differing: str) -> None:
    rng, n = np.random.default_rng(1), 600
    label = rng.integers(6, size=n)
    drawn = {
        "place": lambda: rng.normal(size=n) + label / 2,
        "spread": lambda: rng.normal(size=n) * (1 + label),
        "skew": lambda: (rng.exponential(size=n) - np.log(2)) * np.where(label % 2, 1, -1),
    }[differing]()
    assert chance.levels_differ(label, side(drawn[:, None]).ranks)


def test_quantiles_reach_nothing_and_keep_their_order() -> None:
    values = np.sort(np.random.default_rng(2).gamma(2.0, 0.1, len(quantiles.LEVELS))) + 0.2
    spread = allowing_for_nothing(values)
    assert spread[LOW] == 0.0
    assert (np.diff(spread) >= 0.0).all()
    assert (spread[quantiles.MIDDLE :] == values[quantiles.MIDDLE :]).all()
    assert (spread <= values).all()


def test_rounded_noise_is_no_signal() -> None:
    """Of 200 steps, five rows each, a sixth had intervals above 0 before there was a test."""
    rng, n = np.random.default_rng(3), 1000
    pairs = [(np.rint(rng.normal(size=n) * 33), rng.normal(size=n)) for _ in range(100)]
    above = sum(estimate.interval()[0] > 1e-3 for estimate in mizzle.estimate_many(pairs))
    assert above <= 5  # at most the 1 % of the test, and 4 standard errors
