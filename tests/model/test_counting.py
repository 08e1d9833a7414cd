"""What is counted has the value and the error that theory gives, and overrules a network that is far off."""

import numpy as np
import pytest

from mizzle.model import Estimator
from mizzle.model.counting import entropy, information
from mizzle.model.quantiles import LEVELS

UNEVEN = np.array([0.5, 0.3, 0.15, 0.05])
REPLICATES = 400
# Of 400 intervals that hold the truth with probability 0.9, fewer than this happen once in ten thousand runs.
FEWEST = 0.9 * REPLICATES - 4 * (0.09 * REPLICATES) ** 0.5


def covered(counted, truth):
    """How many of the 90 % intervals hold the truth."""
    ends = [one.quantiles()[[LEVELS.index(0.05), LEVELS.index(0.95)]].tolist() for one in counted]
    return sum(low <= truth + 1e-12 and truth - 1e-12 <= high for low, high in ends)


@pytest.mark.parametrize("share", [UNEVEN, np.full(4, 0.25), np.array([0.5, 0.5])], ids=str)
def test_the_interval_of_an_entropy_holds_the_truth(share) -> None:
    rng = np.random.default_rng(1)
    found = [entropy(rng.choice(len(share), 400, p=share)) for _ in range(REPLICATES)]
    assert covered(found, -(share @ np.log(share))) >= FEWEST


@pytest.mark.parametrize("error", [0.0, 0.2, 0.75])
def test_the_interval_of_an_information_holds_the_truth(error: float) -> None:
    """A label of four and its noisy copy; at 0.75 they are independent."""
    joint = np.diag(np.full(4, (1 - error) / 4)) + (1 - np.eye(4)) * error / 12
    cells = joint[joint > 0]
    truth = float(cells @ np.log(cells * 16))
    rng, found = np.random.default_rng(2), []
    for _ in range(REPLICATES):
        drawn = rng.choice(16, 600, p=joint.ravel())
        found.append(information(drawn // 4, drawn % 4))
    assert covered(found, truth) >= FEWEST


def test_a_thin_table_is_not_counted() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 10, (2, 299))
    assert information(x, y) is None
    assert information(*rng.integers(0, 2, (2, 299))) is not None


def test_bounds() -> None:
    x = np.repeat([0, 1], 50)
    counted = information(x, x)
    assert counted
    assert counted.bound == pytest.approx(np.log(2))
    assert float(counted.quantiles().max()) <= np.log(2)
    independent = information(x, np.tile([0, 1], 50))
    assert independent
    assert (independent.quantiles() >= 0).all()


def test_a_parity_is_counted_where_the_network_cannot_see_it() -> None:
    """Neither bit tells of their parity; together they determine it."""
    bits = np.random.default_rng(4).integers(0, 2, (200, 2)).astype(float)
    estimate = Estimator.load().estimate(bits, (bits.sum(1) % 2)[:, None])
    assert estimate.in_range
    assert estimate.quantile(0.05) <= np.log(2) <= estimate.quantile(0.95) + 1e-12
