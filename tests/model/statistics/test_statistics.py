"""Statistics against another way to compute them, on plain samples."""

import numpy as np
import pytest
import torch

from mizzle.model.batch import collate
from mizzle.model.preprocess import prepare
from mizzle.model.statistics.edges import FINE_BINS, fine_information
from mizzle.model.statistics.neighbours import NEIGHBOURS, neighbours
from mizzle.model.statistics.queries import QueryRows
from mizzle.model.statistics.statistic import Context
from mizzle.model.statistics.variates import variates

Sample = tuple[np.ndarray, np.ndarray]


def sample(n: int, dx: int, dy: int) -> Sample:
    rng = np.random.default_rng(n + dx)
    x = rng.normal(size=(n, dx))
    return x, x[:, :1] + rng.normal(size=(n, dy))


@pytest.mark.parametrize("n", [128, 1000])
def test_fine_information_is_that_of_a_histogram(n: int) -> None:
    """Where no rank lies on the edge of two bins: 128 rows in 32 bins, and 1000 in 8."""
    x, y = sample(n, 1, 1)
    batch = collate([prepare(x, y)])
    found = fine_information(batch, batch.ranks[:, 0], batch.ranks[:, 1])[0, 0]
    ranks = [side[:, 0].argsort().argsort() for side in (x, y)]
    for bins, nats in zip(FINE_BINS, found.tolist(), strict=True):
        if n % bins:
            continue
        left, right = (rank * bins // n for rank in ranks)
        joint = np.histogram2d(left, right, bins=bins)[0] / n
        expected = np.sum(joint[joint > 0] * np.log(joint[joint > 0])) + 2 * np.log(bins)
        assert nats == pytest.approx(expected, abs=1e-5)


def test_variates_are_the_canonical_ones() -> None:
    """Uncorrelated inside a side, of unit variance, and correlated as the singular values say.

    The ridge of 0.1 (dx + dy) / n takes up to a tenth of a percent at 3,000 rows.
    """
    context = Context(collate([prepare(*sample(3000, 4, 3))]))
    z, found = context.scores, variates(context)
    assert found.used[0].tolist() == [True, True, True, False][: found.used.shape[1]]
    u, v = (side[:, :3].numpy() / 3000**0.5 for side in found.values[0])
    x, y = ((side - side.mean(0)).double().numpy() for side in z[0])
    bases = [np.linalg.qr(side[:, np.abs(side).sum(0) > 0])[0] for side in (x, y)]
    rho = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    np.testing.assert_allclose(u.T @ u, np.eye(3), atol=2e-3)
    np.testing.assert_allclose(np.abs(u.T @ v), np.diag(rho), atol=2e-3)


def test_neighbour_counts_of_many_rows() -> None:
    """More than 2,000 rows, whose counts are summed in groups; against every distance at once."""
    x, y = sample(2500, 2, 1)
    batch = collate([prepare(x, y)])
    z = Context(batch).scores
    places = torch.tensor([[0, 17, 2499]])
    found = neighbours(batch, z, QueryRows(places, torch.ones(1, 3, dtype=torch.bool)))
    for i, row in enumerate(places[0].tolist()):
        sides = [(side.double() - side[row].double()).square().sum(1) for side in z[0]]
        joint = torch.maximum(*sides).sort().values
        for j, k in enumerate(NEIGHBOURS):
            counts = [int((side < joint[k]).sum()) for side in sides]  # the row itself among them
            terms = [torch.digamma(torch.tensor(float(c))) for c in (k, 2500, *counts)]
            expected = terms[0] + terms[1] - terms[2] - terms[3]
            assert float(found.local[0, i, j]) == pytest.approx(float(expected), abs=1e-4)
