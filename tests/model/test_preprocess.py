"""Ranks, ties and constant columns."""

import numpy as np
import pytest
from scipy.stats import rankdata

from mizzle.model.preprocess import Table, centred_ranks, prepare, side
from mizzle.model.quantiles import MIDDLE


@pytest.mark.parametrize("decimals", [None, 1, 0])
def test_ranks_agree_with_scipy(decimals: int | None) -> None:
    values = np.random.default_rng(0).normal(size=(57, 4))
    values = values if decimals is None else values.round(decimals)
    ranks, distinct = centred_ranks(values)
    np.testing.assert_array_equal(ranks.T, 2 * rankdata(values, axis=0) - 58)
    np.testing.assert_array_equal(distinct, [len(np.unique(c)) for c in values.T])


@pytest.mark.parametrize("power", range(-300, 301, 50))
def test_scale_does_not_matter(power: int) -> None:
    values = np.random.default_rng(1).normal(size=(40, 3))
    scaled, _ = centred_ranks(values * 10.0**power)
    np.testing.assert_array_equal(scaled, centred_ranks(values)[0])


def test_constant_columns_are_left_out_and_named() -> None:
    x = np.random.default_rng(2).normal(size=(30, 3))
    x[:, 1] = 0.1
    table = prepare(x, x[:, :1])
    assert len(table.x) == 2
    assert table.dim_x == 3
    (notice,) = table.warnings
    assert notice.code == "constant_x"
    assert "from 0: 1" in notice.message


def test_a_constant_side_is_recognised() -> None:
    y = np.random.default_rng(3).normal(size=(30, 2))
    table = prepare(np.full((30, 2), 7.0), y)
    assert table.constant
    assert codes(table) == ["constant_x"]


def test_negative_zero_equals_zero() -> None:
    ranks, distinct = centred_ranks(np.array([[-0.0], [0.0], [1.0]]))
    assert distinct.tolist() == [2]
    assert ranks[0, 0] == ranks[0, 1]


def codes(table: Table) -> list[str]:
    return [notice.code for notice in table.warnings]


@pytest.mark.parametrize("levels", [2, 3, 8])
def test_entropy_bound_of_a_discrete_side(levels: int) -> None:
    """Uniform on `levels` values: H = log(levels). The estimate is that minus a chi-square over 2n."""
    values = np.random.default_rng(6).integers(levels, size=(4000, 1)).astype(float)
    bound = side(values).bound
    assert (np.diff(bound) >= 0).all()
    assert abs(bound[MIDDLE] - np.log(levels)) < 5 * np.sqrt((levels - 1) / 2) / 4000


def test_a_continuous_side_has_no_entropy_bound() -> None:
    x = np.random.default_rng(7).normal(size=(100, 2))
    assert (prepare(x, x).ceiling == np.inf).all()
    mixed = np.column_stack([x[:, 0], x[:, 1] > 0])
    assert (prepare(mixed, mixed).ceiling == np.inf).all()
