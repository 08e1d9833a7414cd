"""Jobs beside everybody's requests, and through whatever ends the process, its worker or its disk's room."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from fakes import POISON, FakeEstimator
from job_bodies import JSON, SAFETENSORS, ended, events, json_body, opened, put, table, tensor_body, until

from mizzle.service.app import create_app
from mizzle.service.inference.batcher import WorkerLost
from mizzle.service.inference.runner import InProcess
from mizzle.service.jobs import manager, schedule
from mizzle.service.jobs import runner as job_runner
from mizzle.service.jobs.repository import JobDraft, JobRepository, StoredInput
from mizzle.service.storage.sqlite import SqliteDatabase
from mizzle.types import ModelInfo

KILL = 1001.0  # a cell that marks a sample
ROWS = 41  # of the table of every job here, and of no other sample
MOST_BATCHES = 3  # before which a request is answered that comes during a job, its own among them
RESULT = "/v1/jobs/one/result"


@pytest.fixture
def settings(settings, tmp_path: Path):
    return settings.model_copy(update={"jobs_dir": tmp_path / "jobs", "max_batch_items": 8})


@pytest.fixture
def counted(fake: FakeEstimator):
    """How many answers of jobs the fake has given; at `stop` of them it shuts its gate."""

    class Counted:
        count, stop = 0, None

        def __call__(self, estimate):
            self.count += estimate.n == ROWS
            if self.count == self.stop:
                fake.gate.clear()
            return estimate

    fake.distort = Counted()
    return fake.distort


@pytest.fixture
def alive(in_lifespan, connect, settings, fake: FakeEstimator):
    """Runs `await scenario(http, app)` in the life of a new application on the same folder."""

    def run(scenario, settings=settings, estimator=fake, **more):
        app = create_app(settings, estimator, **more)

        async def live(app):
            async with connect(app) as http:
                return await scenario(http, app)

        return in_lifespan(app, live)

    return run


async def stopped(counted, fake) -> None:
    """When the gate is shut and somebody waits there."""

    async def shut():
        return not fake.gate.is_set()

    await until(shut)


def test_a_request_during_a_job_waits_for_few_batches(alive, fake: FakeEstimator, as_body, draw) -> None:
    """Whatever the job is at: one batch of it may run, one may be made of pairs that waited too long."""
    seen = []

    def note(estimate):
        seen.append((len(fake.batches), estimate.n == ROWS))
        return estimate

    fake.distort = note

    async def once(http, app):
        """The number of batches from a submission to its answer, the one that runs included."""
        fake.gate.clear()
        start = len(fake.batches)
        asked = asyncio.create_task(http.post("/v1/estimate", json=as_body(draw())))

        async def waiting():
            return len(app.state.engine.batcher.waiting) or asked.done()

        await until(waiting)
        fake.gate.set()
        assert (await asked).status_code == 200
        return max(batch for batch, of_job in seen if not of_job) - start + 1

    async def scenario(http, app):
        fake.gate.clear()
        seen.clear()
        await put(http, "one", tensor_body(table(ROWS, 12)))
        await fake.begun()
        waits = [await once(http, app) for _ in range(5)]
        await ended(http, "one")
        return waits

    waits = alive(scenario)
    assert max(waits) <= MOST_BATCHES
    assert max(fake.batches) <= 4  # half of what a batch may hold


def test_a_job_goes_on_while_there_are_always_requests(
    alive, monkeypatch: pytest.MonkeyPatch, as_body, draw
) -> None:
    monkeypatch.setattr(job_runner, "_IDLE_WAIT_SECONDS", 0.0)

    async def scenario(http, app):
        over = asyncio.Event()

        async def asking() -> None:
            while not over.is_set():
                await http.post("/v1/estimate", json=as_body(draw()))

        crowd = [asyncio.create_task(asking()) for _ in range(4)]
        await put(http, "one", tensor_body(table(ROWS)))
        job = await ended(http, "one")
        over.set()
        await asyncio.gather(*crowd)
        return job

    assert alive(scenario)["state"] == "done"


def test_a_job_goes_on_after_a_restart_and_nothing_is_done_twice(alive, fake: FakeEstimator, counted) -> None:
    async def first(http, app) -> None:
        counted.stop = 5
        await put(http, "one", tensor_body(table(ROWS, 6)))
        await stopped(counted, fake)

    async def second(http, app):
        return await ended(http, "one"), (await http.get(RESULT)).json()

    alive(first)
    fake.gate.set()
    done_before, counted.stop = counted.count, None
    job, result = alive(second)
    assert (job["state"], job["done"]) == ("done", 15)
    assert len(result["pairs"]) == 15
    assert done_before >= 4  # the first chunk, at least
    assert counted.count <= 15 + 4  # the chunk that was interrupted, at most


def test_other_weights_begin_anew(alive, fake: FakeEstimator, counted) -> None:
    async def first(http, app) -> None:
        counted.stop = 5
        await put(http, "one", tensor_body(table(ROWS, 6)))
        await stopped(counted, fake)

    async def second(http, app):
        await ended(http, "one")
        return (await http.get(RESULT)).json()

    alive(first)
    fake.gate.set()
    other = FakeEstimator()
    other.info = ModelInfo("fake", "0.0.2", "1" * 64)
    result = alive(second, estimator=other)
    assert result["model"]["version"] == "0.0.2"
    assert len(result["pairs"]) == 15


def test_a_finished_job_is_there_after_a_restart_whatever_the_weights(alive) -> None:
    async def first(http, app):
        await put(http, "one", tensor_body(table(ROWS)))
        await ended(http, "one")
        return (await http.get(RESULT)).content

    async def second(http, app):
        await opened(http)
        return (await http.get(RESULT)).content

    other = FakeEstimator()
    other.info = ModelInfo("fake", "0.0.2", "1" * 64)
    assert alive(first) == alive(second, estimator=other)


def test_weights_that_change_while_a_job_runs_fail_it(alive, fake: FakeEstimator) -> None:
    fake.distort = lambda e: e if e.n != ROWS else _of(e, "2" * 64)

    async def scenario(http, app):
        await put(http, "one", tensor_body(table(ROWS)))
        return await ended(http, "one"), await http.get(RESULT)

    job, result = alive(scenario)
    assert (job["state"], job["error"]["code"]) == ("failed", "weights_changed")
    assert (result.status_code, result.json()["code"]) == (409, "job_failed")


def _of(estimate, sha256):
    from dataclasses import replace

    return replace(estimate, model=estimate.model._replace(sha256=sha256))


def test_a_job_that_ended_the_process_again_and_again_fails(alive, settings) -> None:
    file = JobRepository(SqliteDatabase(settings.jobs_dir), settings.jobs_ttl_seconds)
    file.open()
    given = StoredInput(JSON, "{}", json_body(table(ROWS)))
    job = file.find_or_add(JobDraft("anonymous", "one", b"", "matrix", 6, given), 9, 9)
    assert job
    number = job.number
    for _ in range(2):
        file.start(number)
    file.close()

    async def scenario(http, app):
        return await ended(http, "one")

    job = alive(scenario)
    assert (job["state"], job["error"]["code"]) == ("failed", "job_interrupted")


def test_draining_keeps_what_is_done_and_ends_the_streams(alive, fake: FakeEstimator, counted) -> None:
    async def scenario(http, app):
        counted.stop = 5
        await put(http, "one", tensor_body(table(ROWS, 6)))
        await stopped(counted, fake)
        stream = asyncio.create_task(http.get("/v1/jobs/one/events"))
        app.state.engine.drain()
        text = (await stream).text
        refused = await put(http, "two", tensor_body(table(ROWS)))

        async def waits():
            job = (await http.get("/v1/jobs/one")).json()
            return job if job["state"] == "queued" else None

        return text, refused, await until(waits)

    text, refused, job = alive(scenario)
    assert {event["event"] for event in events(text)} == {"progress"}
    assert (refused.status_code, refused.json()["code"]) == (503, "draining")
    assert 4 <= job["done"] < 15


def test_a_full_disk_holds_a_job_up_and_no_longer(
    alive, monkeypatch: pytest.MonkeyPatch, check_problem
) -> None:
    monkeypatch.setattr(job_runner, "_FULL_DISK_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(manager, "_PAUSE_SECONDS", 0.001)
    tries = []

    async def scenario(http, app):
        store = app.state.jobs.store
        real = JobRepository.save

        def save(file, number, answers) -> None:
            tries.append(number)
            [[pages]] = file._database.fetch_all("PRAGMA page_count")
            file._database.fetch_all(f"PRAGMA max_page_count = {pages if len(tries) < 4 else 10**6}")
            real(file, number, answers)

        monkeypatch.setattr(JobRepository, "save", save)
        await put(http, "one", tensor_body(table(ROWS, 30)))
        job = await ended(http, "one")
        await store.read(lambda file: file._database.fetch_all("PRAGMA max_page_count = 1"))
        refused = await put(http, "two", tensor_body(table(ROWS, 40, seed=1)))
        await store.read(lambda file: file._database.fetch_all("PRAGMA max_page_count = 1000000"))
        return job, refused

    job, refused = alive(scenario)
    assert (job["state"], job["done"]) == ("done", 435)
    assert len(tries) >= 4
    check_problem(refused, 503, "storage_full")


def test_a_poisoned_pair_is_an_error_of_its_own(alive) -> None:
    values = table(ROWS)
    values[0, 0] = POISON

    async def scenario(http, app):
        await put(http, "one", tensor_body(values, what="rank", target="c2"))
        return await ended(http, "one"), (await http.get(RESULT)).text

    job, text = alive(scenario)
    assert (job["state"], job["pairs"], job["failed"]) == ("done", 3, 1)
    assert text.count("inference_failed") == 1
    assert "secret" not in text


def test_a_pair_that_kills_the_worker_costs_no_other_pair(alive, monkeypatch: pytest.MonkeyPatch) -> None:
    values = table(ROWS)
    values[0, 0] = KILL
    real, lost = InProcess.run, []

    async def run(runner, pairs):
        if any(pair.x[0, 0] == KILL for pair in pairs):
            lost.append(len(pairs))
            raise WorkerLost
        return await real(runner, pairs)

    monkeypatch.setattr(InProcess, "run", run)

    async def scenario(http, app):
        await put(http, "one", tensor_body(values, what="rank", target="c2"))
        return await ended(http, "one")

    job = alive(scenario)
    assert (job["state"], job["done"], job["failed"]) == ("done", 3, 1)
    assert (len(lost), lost[-1]) == (2, 1)  # in company, and then alone


def test_the_owners_of_jobs_take_turns(alive, fake: FakeEstimator) -> None:
    """A long job of one owner does not hold a short one of another."""
    from mizzle.service.http.auth import Keys, new_key

    (alice, line), (bob, other) = new_key("alice"), new_key("bob")

    async def scenario(http, app):
        fake.gate.clear()
        await put(http, "long", tensor_body(table(ROWS, 40)), headers={"x-api-key": alice})
        await fake.begun()
        await put(http, "short", tensor_body(table(ROWS)), headers={"x-api-key": bob})

        async def both():
            return len(app.state.jobs._schedule.running) == 2

        await until(both)
        fake.gate.set()
        await ended(http, "short", headers={"x-api-key": bob})
        return (await http.get("/v1/jobs/long", headers={"x-api-key": alice})).json()

    job = alive(scenario, keys=Keys.parse(f"{line}\n{other}"))
    assert job["ended"] is None


@pytest.mark.parametrize("room", [1, 2**40], ids=["memory for one", "memory for all"])
def test_the_short_job_of_a_fifth_owner_does_not_wait_for_four_long_ones(
    alive, settings, fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """All owners take turns by the slice; where memory does not hold all, by the time that each has had."""
    from mizzle.service.http.auth import Keys, new_key

    monkeypatch.setattr(schedule, "TURN_SECONDS", 0.0)
    keys = {name: new_key(name) for name in ("alice", "bob", "carol", "dave", "eve")}
    headers = {name: {"x-api-key": key} for name, (key, _) in keys.items()}

    async def scenario(http, app):
        fake.gate.clear()
        for name in ("alice", "bob", "carol", "dave"):
            await put(http, "long", tensor_body(table(ROWS, 60)), headers=headers[name])
        await fake.begun()
        await put(http, "short", tensor_body(table(ROWS, 3)), headers=headers["eve"])
        fake.gate.set()
        await ended(http, "short", headers=headers["eve"])
        paths = {name: "/v1/jobs/short" if name == "eve" else "/v1/jobs/long" for name in headers}
        jobs = [await http.get(path, headers=headers[name]) for name, path in paths.items()]
        return [job.json()["ended"] for job in jobs]

    listed = "\n".join(line for _, line in keys.values())
    limited = settings.model_copy(update={"jobs_memory_bytes": room})
    *long, short = alive(scenario, limited, keys=Keys.parse(listed))
    assert all(end is None or end > short for end in long)


def test_there_is_room_for_so_many_jobs(alive, settings, check_problem) -> None:
    async def scenario(http, app):
        await put(http, "one", tensor_body(table(ROWS)))
        full = await put(http, "two", tensor_body(table(ROWS)))
        again = await put(http, "one", tensor_body(table(ROWS)))
        await ended(http, "one")
        await http.delete("/v1/jobs/one")
        return full, again, await put(http, "two", tensor_body(table(ROWS)))

    full, again, free = alive(scenario, settings.model_copy(update={"jobs_max_per_key": 1}))
    check_problem(full, 429, "too_many_jobs")
    assert again.status_code in (200, 202)
    assert free.status_code == 202


def test_a_file_of_another_version_stops_jobs_alone(alive, settings, draw, as_body, check_problem) -> None:
    import sqlite3

    file = JobRepository(SqliteDatabase(settings.jobs_dir), 1.0)
    file.open()
    file._database.fetch_all("PRAGMA user_version = 99")
    file.close()

    async def scenario(http, app):
        async def given_up():
            return app.state.jobs._tasks[0].done()

        await until(given_up)
        return await http.get("/v1/jobs"), await http.post("/v1/estimate", json=as_body(draw()))

    listed, estimate = alive(scenario)
    check_problem(listed, 503, "jobs_unavailable")
    assert estimate.status_code == 200
    with sqlite3.connect(settings.jobs_dir / "jobs.sqlite3") as other:
        assert other.execute("PRAGMA user_version").fetchone() == (99,)
    other.close()


def test_two_submissions_at_once_are_one_job(alive) -> None:
    async def scenario(http, app):
        await put(http, "other", tensor_body(table(ROWS)))
        bodies = [tensor_body(table(ROWS, seed=seed)) for seed in (0, 0, 1)]
        media = {"content-type": SAFETENSORS}
        asked = [http.put("/v1/jobs/one", content=body, headers=media) for body in bodies]
        answers = await asyncio.gather(*asked)
        return sorted(answer.status_code for answer in answers), (await http.get("/v1/jobs")).json()

    statuses, listed = alive(scenario)
    assert statuses in ([202, 202, 409], [202, 409, 409])
    assert len(listed["jobs"]) == 2


def test_missing_cells_make_samples_of_several_sizes(alive) -> None:
    values = table(ROWS, 5)
    values[:20, 0] = np.nan

    async def scenario(http, app):
        await put(http, "one", tensor_body(values, missing="drop"))
        await ended(http, "one")
        return (await http.get(RESULT)).json()["pairs"]

    found = {(pair["x"], pair["y"]): pair["n"] for pair in alive(scenario)}
    assert found[("c0", "c1")] == ROWS - 20
    assert found[("c1", "c2")] == ROWS
