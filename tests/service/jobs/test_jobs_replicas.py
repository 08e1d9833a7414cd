"""Two applications on one PostgreSQL server: each answers for all jobs, also while the server is away."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from fakes import FakeEstimator
from job_bodies import JSON, NPY, ended, events, npy_body, opened, put, table, until
from pydantic import SecretStr

from mizzle.errors import InvalidInput, MissingExtra
from mizzle.service.app import create_app
from mizzle.service.settings import read

ROWS, COLUMNS = 41, 5
PAIRS = COLUMNS * (COLUMNS - 1) // 2
PATIENCE = 30.0
WORD = "hunter2"  # in addresses, and in nothing that is said about them
BODY = npy_body(table(ROWS, COLUMNS))


@pytest.fixture
def settings(settings, url):
    few = {"jobs_lease_seconds": 1.0, "max_batch_items": 4}
    return settings.model_copy(update={"jobs_url": SecretStr(url), **few})


@pytest.fixture
def alive(settings, connect):
    """Runs `await scenario(*clients)` against as many applications as there are estimators."""

    def run(scenario, *estimators):
        async def live():
            async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
                clients = []
                for estimator in estimators:
                    app = create_app(settings, estimator)
                    await stack.enter_async_context(app.router.lifespan_context(app))
                    clients.append(await stack.enter_async_context(connect(app)))
                    if estimator.gate.is_set():
                        await until(lambda: _ready(clients[-1]))
                return await scenario(*clients)

        return asyncio.run(live())

    return run


async def _ready(http) -> bool:
    return bool((await http.get("/readyz")).status_code == 200)


def shut_after(fake: FakeEstimator, count: int) -> list[bool]:
    """Shut the gate after so many answers of jobs; gives for each answer so far whether it was a job's."""
    given: list[bool] = []

    def note(estimate):
        given.append(estimate.n == ROWS)
        if sum(given) == count:
            fake.gate.clear()
        return estimate

    fake.distort = note
    return given


def test_any_replica_answers_for_a_job_that_another_runs(alive, fake: FakeEstimator) -> None:
    async def scenario(one, two):
        await put(one, "one", BODY, NPY)
        await opened(two)
        again = await two.put("/v1/jobs/one", content=BODY, headers={"content-type": NPY})
        stream, job = await asyncio.gather(two.get("/v1/jobs/one/events"), ended(two, "one"))
        results = [await http.get("/v1/jobs/one/result", headers={"accept": JSON}) for http in (one, two)]
        other = await two.put("/v1/jobs/one", content=npy_body(table(ROWS, 4)), headers={"content-type": NPY})
        listed = [[job["id"] for job in (await http.get("/v1/jobs")).json()["jobs"]] for http in (one, two)]
        gone = await two.delete("/v1/jobs/one"), await one.get("/v1/jobs/one")
        return again, events(stream.text), job, results, other, listed, gone

    again, told, job, results, other, listed, gone = alive(scenario, fake, fake)
    assert again.status_code in (200, 202)
    assert [event["event"] for event in told].count("end") == 1
    assert told[-1]["event"] == "end"
    assert (job["state"], job["done"], job["failed"]) == ("done", PAIRS, 0)
    assert results[0].content == results[1].content
    assert len(results[0].json()["pairs"]) == PAIRS
    assert other.json()["code"] == "job_conflict"
    assert listed == [["one"], ["one"]]
    assert [answer.status_code for answer in gone] == [204, 404]


def test_a_job_is_cancelled_from_another_replica_than_the_one_that_runs_it(alive, fake) -> None:
    idle = FakeEstimator()
    idle.gate.clear()  # it loads for good, and so its replica runs no job
    given = shut_after(fake, 4)  # of PAIRS

    async def scenario(one, two):
        await put(one, "one", BODY, NPY)
        await until(lambda: asyncio.sleep(0, not fake.gate.is_set()))
        await opened(two)
        told = (await two.delete("/v1/jobs/one")).json()
        running = one._transport.app.state.jobs._schedule.running
        await until(lambda: asyncio.sleep(0, not running))
        fake.gate.set()
        await put(one, "two", BODY, NPY)
        idle.gate.set()
        return told, await ended(two, "two"), await one.get("/v1/jobs/one")

    told, second, first = alive(scenario, fake, idle)
    assert told["state"] == first.json()["state"] == "cancelled"
    assert (second["state"], second["done"]) == ("done", PAIRS)
    assert sum(given) < 2 * PAIRS  # the first was not done to its end


def test_requests_are_answered_while_the_database_is_away_and_the_job_goes_on_after_that(
    alive, fake: FakeEstimator, server, as_body, draw, check_problem
) -> None:
    given = shut_after(fake, 4)  # of PAIRS

    async def scenario(http):
        await put(http, "one", BODY, NPY)
        await until(lambda: asyncio.sleep(0, not fake.gate.is_set()))
        await asyncio.to_thread(server.stop)
        fake.gate.set()
        try:
            estimate = await http.post("/v1/estimate", json=as_body(draw()))
            refused = [await http.get("/v1/jobs/one"), await http.put("/v1/jobs/two", content=BODY)]
        finally:
            await asyncio.to_thread(server.start)
        return estimate, refused, await ended(http, "one"), await http.get("/v1/jobs/one/result")

    estimate, refused, job, result = alive(scenario, fake)
    assert estimate.status_code == 200
    for answer in refused:
        problem = check_problem(answer, 503, "jobs_unavailable")
        assert "the jobs database cannot be reached now; ask again in a moment" in problem["detail"]
        assert answer.headers["retry-after"] == "2"
    assert (job["state"], job["done"], job["failed"]) == ("done", PAIRS, 0)
    assert len(result.json()["pairs"]) == PAIRS
    assert sum(given) == PAIRS  # nothing was computed twice


def test_a_service_starts_without_its_database_and_takes_jobs_when_it_is_there(
    alive, fake: FakeEstimator, server, as_body, draw, check_problem
) -> None:
    server.stop()

    async def scenario(http):
        try:
            estimate = await http.post("/v1/estimate", json=as_body(draw()))
            refused = await http.get("/v1/jobs")
            ready, limits = await http.get("/readyz"), await http.get("/v1/limits")
        finally:
            await asyncio.to_thread(server.start)
        await put(http, "one", BODY, NPY)
        return estimate, refused, ready, limits, await ended(http, "one")

    estimate, refused, ready, limits, job = alive(scenario, fake)
    assert (estimate.status_code, ready.status_code, job["state"]) == (200, 200, "done")
    assert limits.json()["jobs"]["max_jobs"] == 20
    check_problem(refused, 503, "jobs_unavailable")


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({"jobs_url": f"mysql://user:{WORD}@host/jobs"}, "MIZZLE_JOBS_URL: .*begins with postgresql://"),
        ({"jobs_url": "postgresql://host/jobs", "jobs_dir": "jobs"}, "jobs are kept in one place"),
        ({"jobs_lease_seconds": 0.5}, "MIZZLE_JOBS_LEASE_SECONDS: .*greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_be(chosen, text: str) -> None:
    with pytest.raises(InvalidInput, match=text) as caught:
        read(**chosen)
    assert WORD not in str(caught.value)


def test_the_address_with_its_password_is_in_no_text_of_the_settings() -> None:
    chosen = read(jobs_url=f"postgresql://user:{WORD}@host/jobs")
    assert WORD not in f"{chosen!r} {chosen}"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ModuleNotFoundError("No module named 'psycopg'", name="psycopg"), "psycopg is not installed"),
        (ImportError("no pq wrapper available"), "psycopg finds no libpq"),
    ],
)
def test_a_missing_library_is_told_when_the_service_is_made(
    settings, fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch, error, text: str
) -> None:
    def missing(name: str):
        raise error

    monkeypatch.setattr("mizzle.extras.import_module", missing)
    with pytest.raises(MissingExtra, match=text) as caught:
        create_app(settings, fake)
    assert "pip install 'mizzle[postgres]'" in str(caught.value)
    assert "MIZZLE_JOBS_URL needs it" in str(caught.value)
