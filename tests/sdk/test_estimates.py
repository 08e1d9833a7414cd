"""What an estimate says of itself besides its numbers."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mizzle
from mizzle.types import Estimate, ModelInfo

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def _estimate(values):
    mean = sum(values) / len(values)
    return Estimate(mean, LEVELS, tuple(values), 50, 1, 1, True, (), ModelInfo("m", "1", "0"))


@pytest.mark.parametrize(
    ("values", "threshold", "share"),
    [
        ((0.1, 0.2, 0.3, 0.4, 0.5), 0.2, 0.25),
        ((0.1, 0.2, 0.3, 0.4, 0.5), 0.25, 0.375),
        ((0.1, 0.2, 0.3, 0.4, 0.5), 0.05, 0.025),  # from 0 up to the lowest quantile
        ((0.1, 0.2, 0.3, 0.4, 0.5), 0.0, 0.0),
        ((0.1, 0.2, 0.3, 0.4, 0.5), -1.0, 0.0),
        ((0.1, 0.2, 0.3, 0.4, 0.5), 9.0, 0.95),  # how the upper end looks is not known
        ((0.0, 0.0, 0.0, 0.1, 0.2), 0.05, 0.625),
        ((0.0, 0.2, 0.2, 0.2, 0.3), 0.2, 0.25),  # strictly below
        ((0.0, 0.0, 0.0, 0.0, 0.0), 0.02, 1.0),  # exactly 0, as of a constant column
        ((0.3, 0.3, 0.3, 0.3, 0.3), 0.3, 0.05),
        ((0.3, 0.3, 0.3, 0.3, 0.3), 0.4, 1.0),
    ],
)
def test_the_share_below_a_threshold(values, threshold: float, share: float) -> None:
    assert _estimate(values).below(threshold) == pytest.approx(share, abs=1e-12)


@given(
    st.lists(st.floats(0, 5), min_size=5, max_size=5).map(sorted),
    st.tuples(st.floats(-1, 6), st.floats(-1, 6)).map(sorted),
)
def test_the_share_rises_with_the_threshold(values, thresholds) -> None:
    low, high = map(_estimate(values).below, thresholds)
    assert 0 <= low <= high <= 1


@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5), st.sampled_from(LEVELS))
def test_the_share_below_a_quantile_is_its_level(steps, level) -> None:
    """Law: `below` turns `quantile` back, in nats and in bits."""
    estimate = _estimate(np.cumsum(steps).tolist())
    for one in (estimate, estimate.to("bits")):
        assert one.below(one.quantile(level)) == pytest.approx(level, abs=1e-9)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), "0.02", None])
def test_a_threshold_is_a_finite_number(threshold) -> None:
    with pytest.raises(mizzle.InvalidInput, match="threshold"):
        _estimate([0.1] * 5).below(threshold)


def test_any_real_number_is_a_threshold() -> None:
    assert _estimate((0.1, 0.2, 0.3, 0.4, 0.5)).below(np.float64(0.2)) == 0.25


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_an_estimate_is_a_row_of_any_library(library: str) -> None:
    frame = _estimate((0.1, 0.2, 0.3, 0.4, 0.5)).to_frame(library)
    assert type(frame).__module__.partition(".")[0] == library
    assert len(frame) == 1
    assert "mi" in list(frame.column_names if library == "pyarrow" else frame.columns)


def test_an_estimate_is_shown_and_drawn() -> None:
    estimate = _estimate((0.1, 0.2, 0.3, 0.4, 0.5))
    assert "0.3" in estimate._repr_html_()
    assert type(estimate.plot()).__name__ == "Figure"


def test_several_levels_at_once_are_refused_in_words() -> None:
    with pytest.raises(mizzle.InvalidLevel, match="one number; ask for several one by one"):
        _estimate((0.1, 0.2, 0.3, 0.4, 0.5)).quantile([0.5, 0.9])


@pytest.mark.parametrize(
    ("unit", "words"), [("bit", "unit is 'bit'; "), ("x" * 99, "unit is something else; ")]
)
def test_what_came_instead_of_a_unit_is_said_where_it_is_short(unit, words: str) -> None:
    with pytest.raises(mizzle.InvalidInput, match=words):
        _estimate((0.1, 0.2, 0.3, 0.4, 0.5)).to(unit)
    with pytest.raises(mizzle.InvalidInput, match=words):
        mizzle.matrix({"a": range(20), "b": range(20)}, unit=unit)


def test_a_dictionary_is_plain_json_and_leads_back() -> None:
    estimate = mizzle.estimate(np.arange(60.0), np.arange(60.0) % 7, unit="bits")
    answer = json.loads(json.dumps(estimate.to_dict(), allow_nan=False))
    assert Estimate.from_dict(answer) == estimate
    assert answer["interval"] == {
        "level": 0.9,
        **dict(zip(("low", "high"), estimate.interval(), strict=True)),
    }
    assert {
        "mi",
        "quantiles",
        "unit",
        "n",
        "dim_x",
        "dim_y",
        "in_range",
        "warnings",
        "model",
    } <= answer.keys()


@pytest.mark.parametrize("answer", [{}, [], None, "mi", {"mi": 0.1}])
def test_what_is_no_dictionary_of_an_estimate_is_refused(answer) -> None:
    with pytest.raises(mizzle.InvalidInput, match="to_dict"):
        Estimate.from_dict(answer)


@given(st.floats(-0.999, 0.999))
def test_normalized_is_the_correlation_of_a_normal(r: float) -> None:
    """Linfoot 1957: of a bivariate normal, sqrt(1 - exp(-2 I)) = |r|; in any unit."""
    mi = -0.5 * np.log1p(-(r**2))
    for estimate in (_estimate([mi] * 5), _estimate([mi] * 5).to("bits")):
        assert float(estimate.normalized) == pytest.approx(abs(r), abs=1e-7)
        assert estimate.normalized.interval() == pytest.approx((abs(r), abs(r)), abs=1e-7)


def test_normalized_maps_the_quantiles() -> None:
    normalized = _estimate((0.0, 0.2, 0.3, 0.4, 9.0)).normalized
    assert normalized.values[0] == 0.0
    assert normalized.values == tuple(sorted(normalized.values))
    assert normalized.values[-1] <= 1.0
    assert "Normalized(" in repr(normalized)
