"""A jobs file that version 0.9 wrote: results are fetched from it, and an interrupted job goes on."""

import sqlite3
from pathlib import Path

import pytest
from fakes import FakeEstimator
from job_bodies import ended, opened

from mizzle.service.app import create_app
from mizzle.service.storage.sqlite import NAME

# As `sqlite3.Connection.iterdump` has it: "done", and "interrupted" by a signal after 8 of its 15 pairs.
DUMP = Path(__file__).with_name("written_by_0_9.sql")
TTL = 1e10  # seconds, in which nothing of it expires


@pytest.fixture
def settings(settings, tmp_path: Path):
    database = sqlite3.connect(tmp_path / NAME)
    database.executescript(DUMP.read_text())
    database.close()
    return settings.model_copy(update={"jobs_dir": tmp_path, "jobs_ttl_seconds": TTL})


def test_a_result_is_fetched(play) -> None:
    async def scenario(http):
        await opened(http)
        job, result = await http.get("/v1/jobs/done"), await http.get("/v1/jobs/done/result")
        return job.json(), result.json()

    job, result = play(scenario)
    assert (job["state"], job["done"], job["failed"], job["revision"]) == ("done", 2, 1, 6)
    assert (job["created"], job["ended"]) == (
        "2025-06-15T15:06:40.000+00:00",
        "2025-06-15T15:06:42.000+00:00",
    )
    assert (result["what"], result["target"], result["unit"]) == ("rank", "c", "bits")
    assert result["names"] == ["a", "b", "c"]
    assert result["model"] == {"name": "fake", "version": "0.0.1", "sha256": "0" * 64}
    estimated, refused = result["pairs"]
    assert (estimated["x"], estimated["mi"], estimated["n"]) == ("b", 0.0, 12)
    assert estimated["warnings"] == "constant constant_y"
    assert (refused["x"], refused["mi"], refused["dropped"]) == ("a", None, 5)
    assert refused["error"].startswith("too_few_samples: 'a' and 'c' have values in 7 of 12 rows")


def test_an_interrupted_job_goes_on(settings, fake: FakeEstimator, in_lifespan, connect) -> None:
    answered = []
    fake.distort = lambda estimate: answered.append(estimate.n) or estimate

    async def scenario(app):
        async with connect(app) as http:
            job = await ended(http, "interrupted")
            return job, (await http.get("/v1/jobs/interrupted/result")).json()["pairs"]

    job, pairs = in_lifespan(create_app(settings, fake), scenario)
    assert (job["state"], job["done"], job["failed"]) == ("done", 15, 0)
    assert len(pairs) == 15
    assert pairs[0]["mi"] == 0.3947853353640957  # as 0.9 wrote it
    assert answered.count(12) == 7  # of a table of 12 rows: what 0.9 had answered is not asked again
