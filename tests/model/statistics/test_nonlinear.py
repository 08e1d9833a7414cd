"""Nonlinear canonical correlations: what they see, and that noise is not among it."""

import math

import numpy as np
import pytest
import torch

from mizzle.metadata_gen.maps.invertible import Spiral
from mizzle.metadata_gen.maps.shears import Banana
from mizzle.model.batch import collate
from mizzle.model.preprocess import prepare
from mizzle.model.statistics.moments import linear
from mizzle.model.statistics.nonlinear import (
    FAMILIES,
    FUNCTIONS,
    WIDE,
    WIDE_FUNCTIONS,
    Nonlinear,
    _corrected,
    nonlinear,
)
from mizzle.model.statistics.statistic import Context

ADDITIVE, RADIAL = range(FAMILIES)
RHO = 0.8
NATS = -math.log(1 - RHO**2)  # of two pairs

Sample = tuple[np.ndarray, np.ndarray]


def found(*samples: Sample) -> Nonlinear:
    return nonlinear(Context(collate([prepare(x, y) for x, y in samples])))


def two_pairs(n: int, dim: int) -> Sample:
    """Two pairs of columns of correlation RHO, and noise."""
    rng = np.random.default_rng(dim)
    x, y = rng.standard_normal((2, n, dim))
    y[:, :2] = RHO * x[:, :2] + math.sqrt(1 - RHO**2) * y[:, :2]
    return x, y


def nats(of: Nonlinear, family: int, most: int) -> float:
    """Sum of the `most` largest, at the smaller ridge."""
    squared = of.squared[0, family, 0, :most]
    return float(-torch.log1p(-squared).sum() / 2)


def linear_nats(x: np.ndarray, y: np.ndarray) -> float:
    axes = linear(Context(collate([prepare(x, y)])))
    return float(-torch.log1p(-axes.canonical[0, 0].square()).sum() / 2)


@pytest.mark.parametrize("family", [ADDITIVE, RADIAL], ids=["additive", "radial"])
def test_of_plain_normals_they_are_the_correlations(family: int) -> None:
    """A correlation of n rows errs by (1 - rho^2) / sqrt(n); four of that, and .01 for functions beyond."""
    n = 4000
    largest = found(two_pairs(n, 5)).squared[0, family, 0, :2].sqrt()
    assert (largest - RHO).abs().max() < 4 * (1 - RHO**2) / math.sqrt(n) + 0.01


@pytest.mark.parametrize(("n", "dim"), [(10, 1), (10, 4), (50, 8), (300, 1), (300, 5), (300, WIDE + 4)])
def test_independent_samples_have_no_excess(n: int, dim: int) -> None:
    """The mean over 60 samples, in units of its standard error."""
    rng = np.random.default_rng(17)
    excess = found(*(tuple(rng.standard_normal((2, n, dim))) for _ in range(60))).excess
    error = excess.std(0) / math.sqrt(len(excess))
    assert (excess.mean(0).abs() < 4 * error).all()


def test_a_rotation_by_the_length_is_undone_by_radial_functions() -> None:
    x, y = two_pairs(4000, 5)
    plane = np.eye(5)[:, 1:3]
    turned = [Spiral(plane, sign * 0.3, limit=1e9).forward(side) for side, sign in ((x, 1), (y, -1))]
    assert linear_nats(*turned) < 0.6 * NATS
    assert nats(found((turned[0], turned[1])), RADIAL, 5) > 0.8 * NATS


def test_a_push_along_a_curve_is_undone_by_additive_functions() -> None:
    x, y = two_pairs(4000, 3)
    bent = Banana(3, np.array([2]), np.array([0]), np.array([1.5])).forward(x)
    assert linear_nats(bent, y) < 0.8 * NATS
    assert nats(found((bent, y)), ADDITIVE, 2) > 0.9 * NATS


@pytest.mark.parametrize(("x", "y"), [(0.02, 0.05), (0.3, 0.1), (0.001, 0.001)])
def test_the_correction_undoes_what_many_functions_do(x: float, y: float) -> None:
    least = math.sqrt(x * y / ((1 - x) * (1 - y)))  # smaller ones cannot be told from noise
    true = torch.linspace(1.01 * least, 0.99, 50, dtype=torch.float64)
    seen = (true * (1 - x) + x) * (true * (1 - y) + y) / true
    shares = (torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64))
    torch.testing.assert_close(_corrected(seen, *shares), true, atol=1e-4, rtol=0)


def test_functions_that_repeat_one_another_do_no_harm() -> None:
    """Of two labels all functions are one; copies, constants inside, and more functions than rows."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, (2000, 4)).astype(float)
    copied = np.repeat(rng.standard_normal((12, 1)), WIDE, axis=1)
    rare = (rng.random((10_000, 2)) < 3e-4).astype(float)
    for x in (labels, copied, rare):
        of = found((x, x + 0.0), (x, rng.standard_normal(x.shape)))
        assert torch.isfinite(of.squared).all()
        assert torch.isfinite(of.excess).all()
        assert of.squared[0, :, 0, 0].min() > 0.8  # the ridge of 64 functions of 12 rows takes the rest


def test_wide_sides_get_fewer_functions() -> None:
    """Whoever shares the batch."""
    rng = np.random.default_rng(5)
    wide, narrow = (tuple(rng.standard_normal((2, 200, dim))) for dim in (WIDE + 1, 2))
    alone, together = found(wide), found(wide, narrow)
    assert alone.squared.shape[-1] == WIDE_FUNCTIONS * (WIDE + 1)
    assert together.squared.shape[-1] == FUNCTIONS * (WIDE + 1)
    torch.testing.assert_close(together.excess[0], alone.excess[0], atol=1e-5, rtol=0)
    assert (together.squared[0, ..., WIDE_FUNCTIONS * (WIDE + 1) :] == 0).all()


def test_more_functions_than_rows_are_not_taken_for_certainty() -> None:
    """Where the correction cannot be, independent samples must not look as if they were functions."""
    rng = np.random.default_rng(9)
    few = found(*(tuple(rng.standard_normal((2, 10, 4))) for _ in range(40)))
    assert float(-torch.log1p(-few.squared).sum(-1).mean() / 2) < 2.0
