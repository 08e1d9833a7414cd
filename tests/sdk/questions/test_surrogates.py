"""Surrogates: what stays of the order of rows, and what is refused."""

import numpy as np
import pytest

from mizzle.errors import InvalidInput, TooFewSamples
from mizzle.questions.surrogates import (
    MAX_COUNT,
    Surrogates,
    autocorrelation_length,
    check_block,
    check_count,
    chosen_kind,
    generator_of,
    surrogates,
)


def white(rows: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 1))


def autoregressive(phi: float, rows: int = 2000, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=rows)
    values = [0.0]
    for step in noise[1:]:
        values.append(phi * values[-1] + step)
    return np.array(values).reshape(-1, 1)


@pytest.mark.parametrize("kind", ["shuffle", "shift", "block"])
def test_orders_are_permutations_and_the_same_seed_gives_the_same(kind) -> None:
    plan = surrogates(white(), white(seed=1), kind, 50, None)
    orders = list(plan.orders(np.random.default_rng(3)))
    assert len(orders) == 50
    for order in orders:
        assert sorted(order) == list(range(200))
    again = plan.orders(np.random.default_rng(3))
    assert all((a == b).all() for a, b in zip(orders, again, strict=True))


def test_a_shift_keeps_the_circle_and_its_distance() -> None:
    plan = Surrogates("shift", 100, 40, 10)
    shifts = set()
    for order in plan.orders(np.random.default_rng(0)):
        assert set((np.diff(order) % 100).tolist()) == {1}
        shifts.add(int(order[0]))
    assert len(shifts) == 40  # each another one
    assert min(shifts) >= 10
    assert max(shifts) <= 90


def test_blocks_keep_all_but_as_many_neighbours_as_there_are_blocks() -> None:
    for order in Surrogates("block", 100, 40, 20).orders(np.random.default_rng(0)):
        breaks = ((np.diff(order) % 100) != 1).sum()
        assert breaks <= 5


def test_all_shifts_are_taken_where_there_are_fewer_than_wanted() -> None:
    plan = surrogates(white(60), white(60, 1), "shift", 199, None)
    assert plan.count == 60 - 2 * plan.length + 1
    assert [notice.code for notice in plan.notices] == ["all_shifts"]
    assert len({int(order[0]) for order in plan.orders(np.random.default_rng(0))}) == plan.count


def test_the_autocorrelation_length_is_that_of_the_series() -> None:
    """0.95^k < 1/2 from k = 14 on, by ranks a little earlier; within the error of 2,000 rows."""
    assert autocorrelation_length(white()) == 1
    assert 8 <= autocorrelation_length(autoregressive(0.95)) <= 20
    both = np.hstack([white(2000), autoregressive(0.95)])
    assert autocorrelation_length(both) == autocorrelation_length(autoregressive(0.95))
    assert autocorrelation_length(np.exp(autoregressive(0.95))) == autocorrelation_length(
        autoregressive(0.95)
    )
    assert autocorrelation_length(np.ones((100, 1))) == 1


def test_a_trend_is_said() -> None:
    trend = np.arange(200.0).reshape(-1, 1)
    for kind in ("shift", "block"):
        assert "trend" in {notice.code for notice in surrogates(trend, white(), kind, 19, None).notices}


def test_the_length_of_blocks_is_said_unless_it_is_chosen() -> None:
    x, y = autoregressive(0.9, 500), white(500)
    by_default = surrogates(x, y, "block", 19, None)
    assert 1 < by_default.length <= 125
    assert [notice.code for notice in by_default.notices] == ["block_length"]
    chosen = surrogates(x, y, "block", 19, 25)
    assert chosen.length == 25
    assert chosen.notices == ()


def test_too_few_rows_and_too_long_blocks_are_refused() -> None:
    with pytest.raises(TooFewSamples, match="49 rows; a test needs at least 50"):
        surrogates(white(49), white(49), "shuffle", 19, None)
    with pytest.raises(InvalidInput, match=r"block is 300 rows and the sample has 200; .* 100"):
        surrogates(white(), white(), "block", 19, 300)


@pytest.mark.parametrize("n", [0, 18, -1, MAX_COUNT + 1, 1_000_000, True, 199.0, "199", None, [199]])
def test_counts_out_of_range_are_refused(n) -> None:
    with pytest.raises(InvalidInput, match=r"n is .*; it must be a whole number .* 19 to 99,999"):
        check_count(n)


def test_counts_may_be_of_numpy() -> None:
    assert check_count(np.int64(199)) == 199


@pytest.mark.parametrize("kind", ["permute", 3, ["shift"]])
def test_other_kinds_are_refused(kind) -> None:
    with pytest.raises(InvalidInput, match="'shuffle', 'shift', 'block' or 'local'"):
        chosen_kind(kind, given=False)


def test_a_kind_is_chosen_by_what_is_given() -> None:
    assert chosen_kind(None, given=False) == "shuffle"
    assert chosen_kind(None, given=True) == chosen_kind("local", given=True) == "local"


@pytest.mark.parametrize("rng", [-1, 0.5, "0", True, [1], np.random.RandomState(0)])
def test_other_sources_of_randomness_are_refused(rng) -> None:
    with pytest.raises(InvalidInput, match=r"rng is .*numpy\.random\.Generator"):
        generator_of(rng)


def test_a_generator_goes_on_and_a_seed_begins_anew() -> None:
    rng = np.random.default_rng(0)
    assert generator_of(rng) is rng
    assert generator_of(5).integers(1000) == generator_of(np.int64(5)).integers(1000)


@pytest.mark.parametrize("block", [0, -3, 2.5, True, "10"])
def test_wrong_lengths_of_blocks_are_refused(block) -> None:
    with pytest.raises(InvalidInput, match="positive whole number of rows"):
        check_block(block, "block")


def test_a_block_is_for_blocks() -> None:
    with pytest.raises(InvalidInput, match="leave it out"):
        check_block(10, "shift")
