"""Two replicas behind a proxy while they are killed and started: nothing is lost, nothing done twice."""

import fleet
import pytest
import replicas
from results import RESULTS, read_newest


def test_requests_and_jobs_outlive_the_replicas() -> None:
    try:
        row = replicas.measure(replicas.Load(requests=80, jobs=2, columns=8, ends=1), lease_seconds=1.0)
    except fleet.NotHere as error:
        pytest.skip(str(error))
    assert replicas.faults(row) == []
    assert row["killed"] >= 1
    assert row["requests"] >= 80


def test_what_is_lost_is_told() -> None:
    """The judge itself."""
    good = dict.fromkeys(("lost", "wrong", "jobs_lost", "jobs_wrong", "jobs_back"), 0)
    assert replicas.faults(good) == []
    for name in good:
        assert replicas.faults(good | {name: 2}) == [f"{name}: 2"]


def test_the_page_says_what_was_measured() -> None:
    [row] = read_newest("replicas")["rows"]
    text = (RESULTS.parents[1] / "docs" / "replicas.md").read_text()
    for part in (
        f"{row['requests']:,} requests and {row['jobs']} jobs of {row['pairs']} pairs each",
        f"through {row['killed']} SIGKILL and {row['stopped']} SIGTERM",
        f"{row['lost']} requests and {row['jobs_lost']} jobs lost",
        f"{row['wrong']} answers and {row['jobs_wrong']} results other than",
        f"{row['jobs_back']} times that progress went back",
    ):
        assert part in text, part
    assert replicas.faults(row) == []
