"""Local permutations: each row gets x of a row of nearly the same z, and a confounder is not rejected."""

import numpy as np
import pytest

from mizzle.questions.local_permutations import local_permutation, neighbours

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("d", [1, 2])
def test_neighbours_are_near_and_each_row_is_its_own(d: int) -> None:
    z = RNG.standard_normal((300, d))
    places = neighbours(z, 5)
    assert places.shape == (300, 5)
    assert (places == np.arange(300)[:, None]).any(axis=1).mean() > 0.95
    assert np.abs(z[places] - z[:, None]).mean() < 0.2 * np.abs(z[RNG.permutation(300)] - z).mean()


def test_most_rows_are_used_once() -> None:
    places = local_permutation(neighbours(RNG.standard_normal((500, 1))), np.random.default_rng(0))
    assert len(np.unique(places)) > 400
    assert (places == np.arange(500)).mean() < 0.4


def test_labels_are_permuted_within_a_level() -> None:
    z = RNG.integers(0, 3, (300, 1)).astype(float)
    places = local_permutation(neighbours(z), np.random.default_rng(0))
    assert (z[places] == z).mean() > 0.95
