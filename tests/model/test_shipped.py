"""What the shipped weights promise, on problems with known truth and fixed seeds.

Bounds are the targets of the project or follow from standard errors; the formula stands beside each.
"""

import math

import numpy as np
import pytest

from mizzle.errors import TooManyColumns
from mizzle.metadata_gen import dataset
from mizzle.model import Estimator
from mizzle.types import Estimate

HELD_OUT_SEED = 1_000_003  # training, scales, calibration and evaluation use seeds 21 to 24
Pair = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return Estimator.load()


@pytest.fixture(scope="module")
def held_out(estimator: Estimator) -> list[tuple[Estimate, float]]:
    """Estimates on 600 fresh draws of the meta-distribution, with their truth in nats."""
    sets = [dataset(HELD_OUT_SEED, i) for i in range(600)]
    estimates = estimator.estimate_many([(s.x, s.y) for s in sets])
    return [(e, s.truth.nats) for e, s in zip(estimates, sets, strict=True)]


def normal(seed: int, n: int, rho: float, dim: int = 1) -> Pair:
    """`dim` independent pairs with correlation rho."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(2, n, dim))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def test_the_header_says_how_they_were_made(estimator: Estimator) -> None:
    """All runs of the chain, each on data sets of its own: three millions in hours."""
    runs = [estimator.header.training]
    while "started_from" in runs[-1]:
        runs.append(runs[-1]["started_from"])
    assert all({"seed", "data_sets", "commit", "command", "cores"} <= run.keys() for run in runs)
    assert len({run["seed"] for run in runs}) == len(runs)
    assert sum(run["data_sets"] for run in runs) >= 3_000_000
    assert sum(run["minutes"] for run in runs) >= 300
    assert estimator.header.prior["mixes"]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_intervals_cover_as_often_as_they_say(held_out: list[tuple[Estimate, float]], level: float) -> None:
    """Five binomial standard errors; an exact 0 counts as covered when the interval starts at 0."""
    inside = [low - 1e-9 <= t <= high for e, t in held_out for low, high in [e.interval(level)]]
    margin = 5 * math.sqrt(level * (1 - level) / len(inside))
    assert np.mean(inside) > level - margin


def test_intervals_are_informative(held_out: list[tuple[Estimate, float]]) -> None:
    """Wide intervals would cover too: the 90 % interval is far narrower than the spread of the truth."""
    widths = [high - low for e, _ in held_out for low, high in [e.interval(0.9)]]
    low, high = np.quantile([t for _, t in held_out], [0.05, 0.95])
    assert np.median(widths) < 0.1 * (high - low)


def test_estimates_are_finite_ordered_and_in_range(held_out: list[tuple[Estimate, float]]) -> None:
    for estimate, _ in held_out:
        values = np.array([estimate.mi, *estimate.values])
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        assert (np.diff(estimate.values) >= 0).all()


def test_few_draws_of_the_training_distribution_are_unfamiliar(
    held_out: list[tuple[Estimate, float]],
) -> None:
    """One in a hundred by construction; five binomial standard errors above that."""
    share, count = 0.01, len(held_out)
    outside = sum(not e.in_range for e, _ in held_out)
    assert outside <= count * share + 5 * math.sqrt(count * share * (1 - share))


@pytest.mark.parametrize("dims", [(1, 1), (2, 5), (10, 10), (25, 25)])
def test_independent_inputs_give_nothing(estimator: Estimator, dims: tuple[int, int]) -> None:
    """Project target: a mean of at most 0.02 nats at n = 1000."""
    rng = np.random.default_rng(11)
    pairs = [(rng.normal(size=(1000, dims[0])), rng.standard_cauchy((1000, dims[1]))) for _ in range(20)]
    estimates = estimator.estimate_many(pairs)
    assert np.mean([e.mi for e in estimates]) <= 0.02
    assert np.mean([e.quantile(0.05) for e in estimates]) <= 0.005


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9, 0.99])
def test_bivariate_normal(estimator: Estimator, rho: float) -> None:
    """The mean over 20 samples lies within 5 standard errors of an efficient estimator, plus 0.02 of bias."""
    n, repeats = 1000, 20
    estimates = estimator.estimate_many([normal(seed, n, rho) for seed in range(repeats)])
    truth = -0.5 * math.log(1 - rho**2)
    standard_error = rho / math.sqrt(n * repeats)  # dI/drho se(rho) = rho / sqrt(n)
    assert abs(np.mean([e.mi for e in estimates]) - truth) < 5 * standard_error + 0.02


def test_additivity(estimator: Estimator) -> None:
    """Three independent pairs know three times what one knows, within a tenth, on the mean of 20 samples.

    The standard error of that ratio is 1.5 %: rho / sqrt(n) = 0.016 nats of 0.34 in each single pair.
    """
    ones, threes = (
        estimator.estimate_many([normal(seed, 2000, 0.7, dim) for seed in range(20)]) for dim in (1, 3)
    )
    assert np.mean([e.mi for e in threes]) == pytest.approx(3 * np.mean([e.mi for e in ones]), rel=0.1)


def test_intervals_shrink_with_more_rows(estimator: Estimator) -> None:
    """Width falls about as 1 / sqrt(n): by 2 for four times the rows."""
    few, many = (estimator.estimate_many([normal(s, n, 0.6) for s in range(20)]) for n in (100, 400))
    widths = [np.mean([np.subtract(*e.interval(0.9)[::-1]) for e in es]) for es in (few, many)]
    assert 0.35 < widths[1] / widths[0] < 0.75


def test_a_constant_side_is_exactly_zero(estimator: Estimator) -> None:
    estimate = estimator.estimate(np.full(50, 3.0), np.arange(50.0))
    assert estimate.mi == 0.0
    assert estimate.interval(0.9) == (0.0, 0.0)
    assert [w.code for w in estimate.warnings] == ["constant_x"]


def test_a_constant_column_changes_nothing_but_the_warnings(estimator: Estimator) -> None:
    x, y = normal(1, 200, 0.8, 2)
    with_constant = estimator.estimate(np.column_stack([x, np.full(200, 0.1)]), y)
    assert with_constant.values == estimator.estimate(x, y).values
    assert with_constant.dim_x == 3


@pytest.mark.parametrize("copy", [lambda x: x, lambda x: -x, lambda x: x**3], ids=["same", "minus", "cube"])
def test_a_function_of_x_is_called_out(estimator: Estimator, copy: object) -> None:
    """True mutual information is infinite: the answer is finite, large, and carries a warning."""
    x = np.random.default_rng(2).normal(size=500)
    estimate = estimator.estimate(x, copy(x))  # type: ignore[operator]
    assert math.isfinite(estimate.mi)
    assert estimate.mi > 3.0
    assert "deterministic" in [w.code for w in estimate.warnings]


@pytest.mark.parametrize("y", ["same", "shifted", "independent"])
def test_a_binary_side_knows_at_most_its_entropy(estimator: Estimator, y: str) -> None:
    """I(X;Y) <= H(X) = log 2, and the answer says where it reaches that."""
    rng = np.random.default_rng(4)
    x = rng.integers(2, size=500).astype(float)
    other = {"same": x, "shifted": 10 * x + rng.normal(size=500), "independent": rng.normal(size=500)}[y]
    estimate = estimator.estimate(x, other)
    assert estimate.values[-1] <= math.log(2) + 0.001
    assert estimate.in_range
    assert ("limited_by_entropy" in [w.code for w in estimate.warnings]) == (y != "independent")


def test_more_columns_than_the_model_covers(estimator: Estimator) -> None:
    x = np.random.default_rng(0).normal(size=(20, estimator.max_columns + 1))
    with pytest.raises(TooManyColumns, match="65 columns"):
        estimator.estimate(x, x[:, :1])


def test_many_equals_one_by_one(estimator: Estimator) -> None:
    """Batching moves an estimate by float rounding only."""
    sets = [dataset(HELD_OUT_SEED, i) for i in range(40)]
    pairs = [(s.x, s.y) for s in sets]
    for together, (x, y) in zip(estimator.estimate_many(pairs), pairs, strict=True):
        np.testing.assert_allclose(together.values, estimator.estimate(x, y).values, rtol=1e-3, atol=1e-4)
