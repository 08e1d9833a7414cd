"""`reduce=`: samples with more columns than the model covers."""

import json
import math

import numpy as np
import pytest

import mizzle
from mizzle import wire
from mizzle.types import Estimate


def _pictures(n: int, seed: int, nats: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Bumps on 12 x 12 pixels, the places of which are correlated: `nats` in all."""
    rng = np.random.default_rng(seed)
    r = math.sqrt(1 - math.exp(-nats))
    a, noise = rng.standard_normal((2, n, 2))
    return _bumps(a), _bumps(r * a + math.sqrt(1 - r * r) * noise)


def _bumps(places: np.ndarray) -> np.ndarray:
    along, across = (np.exp(-np.square(np.linspace(-2.0, 2.0, 12) - z[:, None])) for z in places.T)
    return np.asarray((along[:, :, None] * across[:, None, :]).reshape(len(places), -1))


def _normal(n: int, d: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    return _pictures(400, 0)


@pytest.fixture(scope="module")
def estimate(pictures) -> Estimate:
    return mizzle.estimate(*pictures, reduce="auto")


# The option


@pytest.mark.parametrize("reduce", [None, "none"])
def test_without_it_too_many_columns_are_refused_by_name_of_the_option(pictures, reduce) -> None:
    with pytest.raises(mizzle.TooManyColumns, match=r"144 columns.*64.*reduce='auto'.*--reduce auto"):
        mizzle.estimate(*pictures, reduce=reduce)


@pytest.mark.parametrize("reduce", ["PCA", "", 3, True, ["auto"]])
def test_another_word_is_refused(pictures, reduce) -> None:
    with pytest.raises(mizzle.InvalidInput, match="it must be 'auto', 'pca' or 'none'"):
        mizzle.estimate(*pictures, reduce=reduce)


def test_what_is_wrong_with_the_sample_is_said_as_ever(pictures) -> None:
    x, y = pictures
    with pytest.raises(mizzle.LengthMismatch):
        mizzle.estimate(x, y[1:], reduce="auto")
    with pytest.raises(mizzle.TooFewSamples, match=r"19 rows.*at least 20"):
        mizzle.estimate(x[:19], y[:19], reduce="auto")
    assert mizzle.estimate(x[:20], y[:20], reduce="auto").n == 20


def test_auto_leaves_a_problem_that_needs_nothing_as_it_is(draw) -> None:
    x, y = draw(n=60, dx=3)
    assert mizzle.estimate(x, y, reduce="auto") == mizzle.estimate(x, y)
    assert mizzle.estimate(x, y).reduced is None


def test_auto_reduces_the_wide_side_alone(pictures) -> None:
    x, y = pictures[0], pictures[1][:, :60]
    reduced = mizzle.estimate(x, y, reduce="auto").reduced
    assert reduced is not None
    assert reduced.x is not None
    assert reduced.y is None


def test_pca_reduces_every_side_of_several_columns(draw) -> None:
    x, y = draw(n=200, dx=5)
    reduced = mizzle.estimate(x, y, reduce="pca").reduced
    assert reduced is not None
    assert reduced.x is not None
    assert reduced.x.method == ("pca", "pca")
    assert reduced.y is None
    assert mizzle.estimate(x[:, :1], y, reduce="pca") == mizzle.estimate(x[:, :1], y)


# The answer


def test_the_estimate_is_near_the_truth_and_below_what_it_must_not_exceed(estimate: Estimate) -> None:
    low, high = estimate.interval(0.9)
    assert low < 1.0 < high
    assert abs(estimate.mi - 1.0) < 0.25


def test_a_signal_outside_the_leading_components_is_seen() -> None:
    """One column of weight 1 holds the signal, 79 of two common factors do not."""
    y = _normal(600, 1, 0)
    x = np.hstack([y + 0.3 * _normal(600, 1, 1), np.repeat(_normal(600, 2, 2), 40, axis=1)])
    x[:, 1:] += 0.5 * _normal(600, 80, 3)
    truth = 0.5 * math.log1p(1 / 0.09)
    result = mizzle.estimate(x, y, reduce="auto")
    assert result.mi > 0.7 * truth
    assert result.interval(0.9)[0] < truth


@pytest.mark.parametrize("reduce", ["auto", "pca"])
@pytest.mark.parametrize("seed", range(4))
def test_independent_columns_tell_nothing(reduce, seed: int) -> None:
    """More columns than rows, fitted and chosen: nothing of it may look like information."""
    result = mizzle.estimate(_normal(300, 500, seed), _normal(300, 500, 100 + seed), reduce=reduce)
    assert result.mi < 0.05
    assert result.interval(0.9)[0] < 0.005


def test_copied_rows_are_flagged_though_each_is_in_one_half() -> None:
    """Copies lie in the same half, where their notice is made, and are no test of a map that fits them."""
    x, y = (np.tile(_normal(150, 500, seed), (2, 1)) for seed in (0, 1))
    result = mizzle.estimate(x, y, reduce="auto")
    assert not result.in_range
    assert "repeated_rows" in {notice.code for notice in result.warnings}


def test_what_was_done_is_said(estimate: Estimate) -> None:
    reduced = estimate.reduced
    assert reduced is not None
    for side in (reduced.x, reduced.y):
        assert side is not None
        assert side.columns == 144
        assert set(side.method) <= {"pca", "ridge"}
        assert all(1 <= k <= 16 for k in side.components)
        assert 0 < side.variance <= 1
        assert 1 <= side.participation <= 144
    assert {rung.components for rung in reduced.ladder[0]} == {1, 2, 4, 8, 16}
    assert (estimate.n, estimate.dim_x, estimate.dim_y) == (400, 144, 144)
    notice = estimate.warnings[-1]
    assert notice.code == "reduced"
    assert "x: 144 columns to" in notice.message
    assert "a lower bound" in notice.message


def test_the_record_and_json_hold_it(estimate: Estimate) -> None:
    [text] = estimate.to_frame()["reduced"]
    assert text.startswith("x: 144 columns to ")
    assert wire.estimate(json.loads(json.dumps(wire.answer(estimate)))) == estimate
    assert estimate.to("bits").to("nats").reduced == estimate.reduced


def test_without_it_json_is_as_before(draw) -> None:
    result = mizzle.estimate(*draw(n=60))
    assert "reduced" not in wire.answer(result)
    assert result.to_frame()["reduced"].tolist() == [""]


# What changes nothing


def test_the_order_of_rows_changes_nothing(pictures, estimate: Estimate) -> None:
    order = np.random.default_rng(1).permutation(400)
    _close(mizzle.estimate(*(side[order] for side in pictures), reduce="auto"), estimate)


def test_the_order_of_columns_and_constant_columns_change_nothing(pictures, estimate: Estimate) -> None:
    x, y = pictures
    order = np.random.default_rng(1).permutation(144)
    _close(mizzle.estimate(x[:, order], y, reduce="auto"), estimate)
    constant = np.full((400, 3), 5.0)
    _close(mizzle.estimate(np.hstack([x, constant]), y, reduce="auto"), estimate)


def test_the_sides_may_change_places(pictures, estimate: Estimate) -> None:
    _close(mizzle.estimate(*pictures[::-1], reduce="auto"), estimate)


def _close(result: Estimate, wanted: Estimate) -> None:
    """Equal up to the rounding of products of matrices, which a rank here and there may turn."""
    assert result.mi == pytest.approx(wanted.mi, abs=0.01)
    assert result.values == pytest.approx(wanted.values, abs=0.02)
