"""The simulation of many workers obeys the laws that any engine obeys."""

import pytest
import scale
from scale import Network

IDEAL = Network(10.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("workers", [1, 7, 16])
def test_without_faults_the_work_is_shared_evenly(workers: int) -> None:
    result = scale.simulate([3.0], 1000, workers, IDEAL, 0)
    assert 3000 / workers <= result.seconds <= 3000 / workers + 3.0
    assert result.lost == 0
    assert result.efficiency == pytest.approx(3000 / workers / result.seconds)


def test_the_driver_is_the_limit_of_all() -> None:
    result = scale.simulate([3.0], 1000, 1000, IDEAL._replace(driver=0.5), 0)
    assert result.seconds == pytest.approx(3.0 + 1000 * 0.5)


def test_failures_cost_their_tiles_and_a_start() -> None:
    """Each of 2,000 tiles of 10 s fails first with probability 1 - exp(-1/360); a loss costs at most 15 s."""
    network = IDEAL._replace(failures=1.0, start=5.0)
    result = scale.simulate([10.0], 2000, 10, network, 0)
    expected = 2000 / 360
    assert abs(result.lost - expected) < 4 * expected**0.5
    assert 2000 <= result.seconds <= 2000 + 5 + 10 + 15 * result.lost


def test_the_ranks_reach_all_nodes_before_the_work() -> None:
    alone, many = (scale.simulate([1.0], 1, workers, IDEAL, 10**10) for workers in (16, 64))
    assert alone.seconds == 1.0
    assert many.seconds == pytest.approx(1.0 + 8.0 * 2)
