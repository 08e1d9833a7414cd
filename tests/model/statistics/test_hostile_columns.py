"""Columns of few values, rare values, copies and near copies: many rows of them break no factorisation."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mizzle.model import Estimator
from mizzle.model.batch import Batch, collate
from mizzle.model.preprocess import prepare
from mizzle.model.statistics.moments import linear, standardise
from mizzle.model.statistics.nonlinear import nonlinear
from mizzle.model.statistics.statistic import Context
from mizzle.model.statistics.tokens import tokenise

Rng = np.random.Generator
Sample = tuple[np.ndarray, np.ndarray]
MANY, MOST = 30_000, 1_000_000


def levels(rng: Rng, n: int, count: int, columns: int) -> np.ndarray:
    return rng.integers(0, count, (n, columns)).astype(float)


def flipped(rng: Rng, x: np.ndarray) -> np.ndarray:
    """Another share in every column, and a fifth of the bits wrong."""
    return np.asarray(np.where(rng.random(x.shape) < 0.2, 1.0 - x, x))


def rare(rng: Rng, n: int) -> np.ndarray:
    """Constant but for one row."""
    return np.asarray(np.arange(n) == rng.integers(n), dtype=float)[:, None]


def near_copies(rng: Rng, column: np.ndarray) -> np.ndarray:
    """A copy, the same reversed, and others up to next to nothing."""
    noise = rng.standard_normal((2, len(column), 1))
    return np.hstack([column, -column, column + 1e-6 * noise[0], column + 1e-9 * noise[1]])


def binary(rng: Rng, n: int) -> Sample:
    x = (rng.random((n, 1)) < 0.3).astype(float)
    return x, flipped(rng, x)


def balanced(rng: Rng, n: int) -> Sample:
    """As many of either value, so that their squares are constant."""
    half = np.arange(n)[:, None] % 2.0
    return half, rng.permutation(half)


def binary_by_numbers(rng: Rng, n: int) -> Sample:
    x = (rng.random((n, 3)) < [0.5, 0.1, 0.01]).astype(float)
    return x, x + rng.standard_normal((n, 3))


def rare_values(rng: Rng, n: int) -> Sample:
    numbers, noise = rng.standard_normal((2, n, 2))
    return np.hstack([rare(rng, n), numbers]), np.hstack([rare(rng, n), numbers + 0.5 * noise])


def three_values(rng: Rng, n: int) -> Sample:
    x = levels(rng, n, 3, 1)
    return x, np.minimum(x + levels(rng, n, 2, 1), 2.0)


def twenty_values(rng: Rng, n: int) -> Sample:
    x = levels(rng, n, 20, 3)
    return x, np.hstack([x[:, :1], levels(rng, n, 20, 2)])


def copies(rng: Rng, n: int) -> Sample:
    column = rng.standard_normal((n, 1))
    return near_copies(rng, column), near_copies(rng, -column)


def binary_copies(rng: Rng, n: int) -> Sample:
    x, y = binary(rng, n)
    return np.hstack([x, 1.0 - x, x]), np.hstack([y, x, y])


def one_hot(rng: Rng, n: int) -> Sample:
    """Twelve columns, more than are summarised by all functions, which sum to one."""
    x = np.eye(12)[rng.integers(0, 12, n)]
    return x, x[:, :2] + 0.5 * rng.standard_normal((n, 2))


HOSTILE = [
    binary,
    balanced,
    binary_by_numbers,
    rare_values,
    three_values,
    twenty_values,
    copies,
    binary_copies,
    one_hot,
]
hostile = pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)


def context(*samples: Sample) -> Context:
    return Context(collate([prepare(x, y) for x, y in samples]))


@hostile
@pytest.mark.parametrize("n", [10, 13, 100, MANY])
def test_answers_are_finite_and_the_same_the_other_way_round(
    make: Callable[[Rng, int], Sample], n: int
) -> None:
    x, y = make(np.random.default_rng(n), n)
    one, other = Estimator.load().estimate_many([(x, y), (y, x)])
    assert np.isfinite([one.mi, *one.values]).all()
    np.testing.assert_allclose(one.values, other.values, rtol=1e-4, atol=1e-4)
    labels = prepare(x, y).labels
    counted = labels is not None and not labels.ordered and labels.quantiles() is not None
    assert ("blocks" in [notice.code for notice in one.warnings]) == (n > 10_000 and not counted)


@hostile
def test_every_statistic_is_finite(make: Callable[[Rng, int], Sample]) -> None:
    for seed in range(3):  # whether a matrix that is singular up to rounding has a factor is chance
        sample = make(np.random.default_rng(seed), MANY)
        for name, values in tokenise(context(sample).batch).named().items():
            assert values.float().isfinite().all(), name


@pytest.mark.parametrize("n", [MANY, MOST])
def test_correlations_of_a_column_of_two_values_are_those_of_its_one_function(n: int) -> None:
    """All functions of such a column are linear in it, so that the one correlation there is says it all."""
    problem = context(binary(np.random.default_rng(1), n))
    squared = nonlinear(problem).squared[0, :, 0]
    rho = linear(problem).canonical[0, 0, 0]
    np.testing.assert_allclose(squared[:, 0], rho.square().expand(2), rtol=2e-3)
    assert squared[:, 1:].max() < 1e-5


@pytest.mark.parametrize("dim", [1, 2])
def test_a_function_that_is_constant_does_not_vary_however_many_rows_there_are(dim: int) -> None:
    """As the square of a balanced column; the mean in single precision is not the value that all have."""
    n = MOST - 1
    ranks = torch.ones(1, 2, n, dim, dtype=torch.int64)
    batch = Batch(ranks, torch.ones(1, n, dtype=torch.bool), torch.ones(1, 2, dim, dtype=torch.bool))
    assert not standardise(batch, torch.full((1, 2, n, dim), 2.7)).any()


def test_gradients_of_copies_and_columns_of_two_values_are_finite() -> None:
    problem = context(*(make(np.random.default_rng(3), 200) for make in HOSTILE))
    scores = problem.scores.clone().requires_grad_()
    squared = nonlinear(Context(problem.batch, scores)).squared
    [gradient] = torch.autograd.grad(squared.sum(), scores)
    assert gradient.isfinite().all()
