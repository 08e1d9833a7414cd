"""Results of jobs: made once for all their readers, streamed, bounded, and what was stored or nothing."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from fakes import FakeEstimator
from job_bodies import CSV, JSON, SAFETENSORS, ended, opened, put, table, tensor_body

from mizzle.service.app import create_app
from mizzle.service.jobs import rendered
from mizzle.service.jobs.result_formats import WRITERS
from mizzle.service.storage.sqlite import NAME

RESULT = "/v1/jobs/one/result"
MEDIA = [JSON, CSV, SAFETENSORS]


@pytest.fixture
def settings(settings, tmp_path: Path):
    return settings.model_copy(update={"jobs_dir": tmp_path / "jobs"})


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch):
    """The media types of the results that were made."""
    calls = []
    for media, writer in list(WRITERS.items()):

        def write(header, result, media=media, writer=writer):
            calls.append(media)
            return writer(header, result)

        monkeypatch.setitem(WRITERS, media, write)
    return calls


async def _done(http):
    await put(http, "one", tensor_body(table(40, 8)))
    await ended(http, "one")


@pytest.mark.parametrize("media", MEDIA)
def test_sixty_readers_read_one_rendering(play, written, media: str) -> None:
    async def scenario(http):
        await _done(http)
        return await asyncio.gather(*[http.get(RESULT, headers={"accept": media}) for _ in range(60)])

    answers = play(scenario)
    assert written == [media]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert all(int(answer.headers["content-length"]) == len(answer.content) for answer in answers)


def test_a_result_is_sent_piece_by_piece(play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "_CHUNK_BYTES", 100)

    async def pieces(result):
        return [piece async for piece in result.chunks()]

    result = rendered.RenderedResult(bytes(range(256)) * 2)
    parts = asyncio.run(pieces(result))
    assert [len(part) for part in parts] == [100] * 5 + [12]
    assert b"".join(parts) == result.content


def test_results_that_are_read_together_are_bounded(
    app, in_lifespan, connect, monkeypatch: pytest.MonkeyPatch, check_problem
) -> None:
    monkeypatch.setattr(rendered, "MAX_BYTES", 1)

    async def scenario(app):
        async with connect(app) as http:
            await _done(http)
            job = await app.state.jobs.find("anonymous", "one")
            reader = await app.state.jobs.result("anonymous", "one", JSON)
            same = await app.state.jobs.result("anonymous", "one", JSON)
            refused = await http.get(RESULT, headers={"accept": CSV})
            assert same is reader
            del reader, same
            free = await http.get(RESULT, headers={"accept": CSV})
            return job, refused, free

    _, refused, free = in_lifespan(app, scenario)
    check_problem(refused, 503, "jobs_unavailable")
    assert free.status_code == 200


def test_a_forgotten_result_is_not_in_memory_any_more(app, in_lifespan, connect) -> None:
    async def scenario(app):
        async with connect(app) as http:
            await _done(http)
            await http.get(RESULT)
            before = len(app.state.jobs._results._read)
            await http.delete("/v1/jobs/one")
            return before, len(app.state.jobs._results._read)

    assert in_lifespan(app, scenario) == (1, 0)


DAMAGE = {
    "numbers": "UPDATE answers SET numbers = zeroblob(length(numbers)) WHERE x = 0 AND y = 1",
    "one row less": "DELETE FROM answers WHERE x = 0 AND y = 1",
    "another pair": "UPDATE answers SET x = 1, y = 0 WHERE x = 0 AND y = 1",
    "a note": 'UPDATE answers SET notes = \'[["a", "b"]]\' WHERE x = 0',
    "a name": "UPDATE heads SET about = replace(about, 'c0', 'd0')",
    "no JSON": "UPDATE heads SET about = replace(about, '{', '[')",
    "the model": "UPDATE heads SET basis = replace(basis, 'fake', 'real')",
}


@pytest.mark.parametrize("media", MEDIA)
@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_not_what_was_stored_is_not_served(
    settings, fake: FakeEstimator, in_lifespan, connect, check_problem, kind: str, media: str
) -> None:
    async def first(app):
        async with connect(app) as http:
            await _done(http)

    async def second(app):
        async with connect(app) as http:
            await opened(http)
            return await http.get(RESULT, headers={"accept": media}), await http.get("/v1/jobs")

    in_lifespan(create_app(settings, fake), first)
    with sqlite3.connect(settings.jobs_dir / NAME) as database:
        assert database.execute(DAMAGE[kind]).rowcount
    database.close()
    result, listed = in_lifespan(create_app(settings, fake), second)
    check_problem(result, 409, "job_failed")
    assert listed.status_code == 200
