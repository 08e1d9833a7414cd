"""Maps to fewer columns: principal components, and the directions that predict the other side."""

import numpy as np
import pytest

from mizzle.reduction.projections import components, participation, share

ROWS = np.arange(200)


def _normal(d: int, n: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("d", [5, 300])
def test_components_are_those_of_standardised_columns(d: int) -> None:
    """By the smaller of two matrices; variances as by the covariance of d columns."""
    side = _normal(d) * np.geomspace(1e-3, 1e6, d) + 7.0
    fitted = components(side, ROWS)
    wanted = np.linalg.eigvalsh(np.corrcoef(side.T))[::-1][: len(fitted.variances)]
    np.testing.assert_allclose(fitted.variances, wanted, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fitted.leading(d)(side, ROWS), fitted.scores, atol=1e-8)
    np.testing.assert_allclose(fitted.scores.var(axis=0), fitted.variances, rtol=1e-6)


def test_no_component_is_whitened() -> None:
    z = _normal(2)
    side = np.hstack([z[:, :1]] * 9 + [z[:, 1:]])
    assert components(side, ROWS).leading(2)(side, ROWS).var(axis=0) == pytest.approx([9.0, 1.0], rel=0.05)


def test_constant_columns_and_huge_numbers_do_no_harm() -> None:
    side = np.hstack([_normal(3), np.full((200, 2), 1e300), _normal(1, seed=1) * 1e300])
    fitted = components(side, ROWS)
    assert len(fitted.variances) == 4
    assert np.isfinite(fitted.leading(4)(side, ROWS)).all()


def test_a_side_without_variation_becomes_a_constant_column() -> None:
    constant, other = components(np.full((200, 3), 5.0), ROWS), components(_normal(3), ROWS)
    for projection in (constant.leading(4), constant.towards(other, 4)):
        projected = projection(np.full((200, 3), 5.0), ROWS)
        assert projected.shape == (200, 1)
        assert not projected.any()
    assert other.towards(constant, 4)(_normal(3), ROWS).shape == (200, 1)


def test_unseen_rows_are_projected_by_what_was_fitted() -> None:
    side = _normal(4)
    fitted = components(side, ROWS[:100]).leading(2)
    np.testing.assert_array_equal(fitted(side, ROWS[100:]), fitted(side[100:] + 0.0, np.arange(100)))


def test_directions_point_at_what_predicts_the_other_side() -> None:
    """The signal is one column, the components are those of twenty others, which two factors make."""
    z, y = _normal(2), _normal(1, seed=1)
    side = np.hstack([y + 0.1 * _normal(1, seed=2), np.repeat(z, 10, axis=1) + 0.1 * _normal(20, seed=3)])
    x, other = components(side, ROWS), components(y, ROWS)
    [direction] = x.towards(other, 1)(side, ROWS).T
    assert abs(np.corrcoef(direction, y[:, 0])[0, 1]) > 0.98
    assert abs(np.corrcoef(x.leading(1)(side, ROWS)[:, 0], y[:, 0])[0, 1]) < 0.5


def test_the_spectrum_in_two_numbers() -> None:
    assert participation(np.array([2.0, 2.0, 2.0])) == pytest.approx(3.0)
    assert participation(np.array([1.0, 0.0])) == pytest.approx(1.0)
    assert share(np.array([3.0, 1.0]), 1) == pytest.approx(0.75)
    assert (participation(np.array([])), share(np.array([]), 1)) == (0.0, 1.0)
