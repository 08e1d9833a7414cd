"""Two replicas behind a proxy while they are killed and started: nothing is lost, nothing done twice."""

import fleet
import pytest
import replicas


def test_requests_and_jobs_outlive_the_replicas() -> None:
    try:
        row = replicas.measure(replicas.Load(requests=80, jobs=2, columns=8, ends=2))
    except fleet.NotHere as error:
        pytest.skip(str(error))
    assert replicas.faults(row) == []
    assert row["killed"] >= 2
    assert row["requests"] >= 80


def test_what_is_lost_is_told() -> None:
    """The judge itself."""
    good = dict.fromkeys(("lost", "wrong", "jobs_lost", "jobs_wrong", "jobs_back"), 0)
    assert replicas.faults(good) == []
    for name in good:
        assert replicas.faults(good | {name: 2}) == [f"{name}: 2"]
