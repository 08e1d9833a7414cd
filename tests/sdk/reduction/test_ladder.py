"""Which rung is taken, and how two halves become one estimate."""

import pytest

from mizzle.reduction.ladder import choice, nearest, pooled, rungs
from mizzle.types import Estimate, ModelInfo, Notice

LEVELS = (0.01, 0.05, 0.5, 0.95)


def _estimate(mi: float, spread: float = 0.1, **more: object) -> Estimate:
    values = (max(0.0, mi - 1.2 * spread), max(0.0, mi - spread), mi, mi + spread)
    fields = {"n": 50, "in_range": True, "warnings": ()} | more
    return Estimate(mi, LEVELS, values, dim_x=1, dim_y=1, model=ModelInfo("m", "1", "0"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("widest", "sizes"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 4]), (16, [1, 2, 4, 8, 16]), (900, [1, 2, 4, 8, 16])],
)
def test_rungs_end_where_all_columns_are_in(widest: int, sizes: list[int]) -> None:
    assert rungs(widest) == sizes


@pytest.mark.parametrize(
    ("ladder", "k"),
    [
        ({1: 0.1, 2: 0.5, 4: 0.9, 8: 0.95, 16: 0.98}, 4),  # the first that is not surely exceeded
        ({1: 0.0, 2: 0.0, 4: 0.0, 8: 0.5}, 8),  # what the leading components lack may come late
        ({1: 0.9, 2: 0.5, 4: 0.2}, 1),
        ({1: 0.5, 2: 1.0, 4: 1.05, 8: 1.4}, 2),  # saturated, though a later one has more
        ({1: 0.02, 2: 0.05, 4: 0.09}, 1),
    ],
)
def test_the_saturated_rung(ladder: dict[int, float], k: int) -> None:
    assert choice({("pca", size): _estimate(mi) for size, mi in ladder.items()}) == ("pca", k)


def test_of_two_methods_the_larger_lower_quantile_counts() -> None:
    wide = {("pca", 1): _estimate(0.8, 0.5), ("ridge", 1): _estimate(0.7, 0.1)}
    assert choice(wide) == ("ridge", 1)


def test_a_half_with_fewer_components_takes_its_last() -> None:
    half = {("pca", 1): _estimate(1.0), ("ridge", 1): _estimate(1.0), ("ridge", 2): _estimate(1.0)}
    assert nearest(half, ("ridge", 8)) == ("ridge", 2)
    assert nearest(half, ("pca", 2)) == ("pca", 1)


def test_two_halves_are_one_estimate() -> None:
    first = _estimate(0.4, warnings=(Notice("ties", "a"),))
    second = _estimate(0.6, in_range=False, warnings=(Notice("ties", "b"), Notice("unfamiliar", "c")))
    both = pooled(first, second)
    assert (both.n, both.in_range) == (100, False)
    assert both.mi == pytest.approx(0.5)
    assert both.interval(0.9) == pytest.approx((0.5 - 1.25 * 0.1, 0.6))
    assert [notice.code for notice in both.warnings] == ["ties", "unfamiliar"]
