"""`mizzle.estimate(x, y, given=z)` in Python: what is said about the three sides, and what is refused."""

import asyncio

import numpy as np
import pytest

import mizzle
from mizzle import wire

RNG = np.random.default_rng(7)
Z = RNG.standard_normal(600)
X, Y = Z + 0.5 * RNG.standard_normal(600), Z + 0.5 * RNG.standard_normal(600)


def codes(estimate: mizzle.Estimate) -> list[str]:
    return [notice.code for notice in estimate.warnings]


def test_a_confounder_explains_what_two_have_in_common() -> None:
    assert mizzle.estimate(X, Y).interval()[0] > 0.3
    assert mizzle.estimate(X, Y, given=Z).mi < 0.02


def test_a_collider_makes_what_was_not_there() -> None:
    x, y = RNG.standard_normal((2, 600))
    z = x + y + 0.5 * RNG.standard_normal(600)
    assert mizzle.estimate(x, y).mi < 0.02
    low, high = mizzle.estimate(x, y, given=z).interval()
    assert low < 0.5 * np.log(25 / 9) < high  # the partial correlation is -0.8: det of [[.556, -.444], ..]


def test_the_estimate_says_what_it_is_of() -> None:
    estimate = mizzle.estimate(X, Y, given=np.column_stack([Z, RNG.standard_normal(600)]), unit="bits")
    assert (estimate.n, estimate.dim_x, estimate.dim_y, estimate.dim_z) == (600, 1, 1, 2)
    assert repr(estimate).startswith("Estimate(I(X;Y|Z) ")
    assert "1+1 given 2 columns" in repr(estimate)
    assert estimate.to_frame()["dim_z"].tolist() == [2]
    assert wire.estimate(wire.answer(estimate)) == estimate
    assert "dim_z" not in wire.answer(mizzle.estimate(X, Y))


def test_every_client_gives_the_same() -> None:
    here = mizzle.estimate(X, Y, given=Z)
    assert mizzle.Client.local().estimate(X, Y, given=Z) == here
    assert asyncio.run(mizzle.AsyncClient.local().estimate(X, Y, given=Z)) == here


def test_rows_in_which_any_side_lacks_a_value_are_left_out() -> None:
    x, y, z = X.copy(), Y.copy(), Z.copy()
    x[3] = y[5] = z[[5, 8]] = np.nan
    estimate = mizzle.estimate(x, y, given=z, missing="drop")
    assert (estimate.n, codes(estimate)) == (597, ["dropped"])
    with pytest.raises(mizzle.InvalidInput, match="given row 5"):
        mizzle.estimate(X, Y, given=z)


def test_labels_may_be_given() -> None:
    labels = np.where(Z > 0, "high", "low").tolist()
    estimate = mizzle.estimate(X, Y, given=labels)
    assert "coded" in codes(estimate)
    assert 0.05 < estimate.mi < mizzle.estimate(X, Y).mi


def test_what_z_determines_is_exactly_0() -> None:
    estimate = mizzle.estimate(-Z, Y, given=Z)
    assert (estimate.mi, estimate.interval(), codes(estimate)) == (0.0, (0.0, 0.0), ["determined"])
    assert estimate.model == mizzle.estimate(X, Y).model


def test_constant_z_leaves_the_plain_estimate() -> None:
    estimate = mizzle.estimate(X, Y, given=np.zeros(600))
    assert (estimate.values, codes(estimate)) == (mizzle.estimate(X, Y).values, ["constant_given"])


def test_copies_of_rows_of_all_three_are_left_out() -> None:
    x, y, z = (np.repeat(side, 2) for side in (X, Y, Z))
    assert mizzle.estimate(x, y, given=z, deduplicate=True).n == 600


def test_blocks_of_many_rows() -> None:
    z = RNG.standard_normal(20_000)
    x, y = z + RNG.standard_normal((2, 20_000))
    estimate = mizzle.estimate(x, y, given=z)
    assert estimate.mi < 0.01
    assert "blocks" in codes(estimate)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"given": Z[:50]}, mizzle.LengthMismatch, "given has 50"),
        ({"given": Z, "reduce": "pca"}, mizzle.InvalidInput, "leave reduce out"),
        ({"given": RNG.standard_normal((600, 64))}, mizzle.TooManyColumns, "together"),
        ({"given": [object()] * 600}, mizzle.InvalidInput, "given"),
        ({"given": Z, "unit": "hartley"}, mizzle.InvalidInput, "unit"),
    ],
)
def test_what_cannot_be_answered_is_refused(options, error, words: str) -> None:
    with pytest.raises(error, match=words):
        mizzle.estimate(X, Y, **options)
