"""Jobs over HTTP: a table goes in once, its answers are those of mizzle.matrix and mizzle.rank."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEstimator
from job_bodies import (
    CSV,
    JSON,
    NPY,
    SAFETENSORS,
    ended,
    events,
    json_body,
    npy_body,
    put,
    table,
    tensor_body,
)
from raw import call
from safetensors.numpy import load

from mizzle import tables
from mizzle.backends.pairs import Errors, Pair
from mizzle.progress import Wanted
from mizzle.service.app import create_app
from mizzle.service.http.auth import Keys, new_key
from mizzle.types import Estimate

NAMES = ["a", "<b>", "=c", "d d"]
ALICE, ALICES = new_key("alice")
BOB, BOBS = new_key("bob")
RESULT = "/v1/jobs/one/result"


class Plain:
    """The fake as an asker."""

    def estimate_many(
        self, pairs: Iterable[Pair], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> list[Estimate]:
        return [FakeEstimator().estimate(*pair) for pair in pairs]


@pytest.fixture
def settings(settings, tmp_path: Path):
    return settings.model_copy(update={"jobs_dir": tmp_path / "jobs"})


async def done(http, content, media=SAFETENSORS, **more):
    """The result of a job, as JSON."""
    assert (await put(http, "one", content, media, **more)).status_code == 202
    job = await ended(http, "one")
    assert job["state"] == "done", job
    return (await http.get(RESULT)).json()


BODIES = {
    "json": (lambda t, **f: json_body(t, columns=NAMES, **f), JSON),
    "safetensors": (lambda t, **f: tensor_body(t, columns=NAMES, **f), SAFETENSORS),
}


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"unit": "bits", "level": 0.5, "threshold": 0.1},
        {"groups": {"both": ["a", "=c"]}},
        {"missing": "drop"},
    ],
)
def test_a_matrix_is_that_of_the_library(play, form: str, fields) -> None:
    values = table()
    if "missing" in fields:
        values[3, 0] = values[5, 1] = np.nan
    body, media = BODIES[form]
    found = play(lambda http: done(http, body(values, **fields), media))
    frame = dict(zip(NAMES, values.T, strict=True))
    expected = tables.matrix(frame, backend=Plain(), progress=False, **fields)
    assert found["pairs"] == expected.records()
    assert found["names"] == list(expected.names)
    assert (found["what"], found["unit"], found["level"]) == ("matrix", expected.unit, expected.level)
    assert found["model"] == FakeEstimator.info._asdict()


@pytest.mark.parametrize("target", ["<b>", "both"])
def test_a_ranking_is_that_of_the_library(play, target: str) -> None:
    fields: dict[str, Any] = {"groups": {"both": ["a", "=c"]}}
    body = tensor_body(table(), columns=NAMES, what="rank", target=target, **fields)
    found = play(lambda http: done(http, body))
    frame = dict(zip(NAMES, table().T, strict=True))
    expected = tables.rank(frame, target, backend=Plain(), progress=False, **fields)
    assert found["pairs"] == expected.records()
    assert (found["what"], found["target"]) == ("rank", target)


def test_an_npy_has_its_fields_in_the_address(play) -> None:
    query = {"what": "rank", "target": "c1", "unit": "bits", "level": "0.5", "threshold": "1e-1"}
    found = play(lambda http: done(http, npy_body(table()), NPY, params=query))
    expected = tables.rank(
        table(), "c1", backend=Plain(), progress=False, unit="bits", level=0.5, threshold=0.1
    )
    assert found["pairs"] == expected.records()


def test_text_and_booleans_are_coded(play) -> None:
    rows = [[float(i % 5), "xyz"[i % 3], i % 2 == 0] for i in range(20)]
    body = json.dumps({"table": rows, "columns": ["n", "t", "b"]}).encode()
    found = play(lambda http: done(http, body, JSON))
    frame = {name: list(part) for name, part in zip("ntb", zip(*rows, strict=True), strict=True)}
    assert found["pairs"] == tables.matrix(frame, backend=Plain(), progress=False).records()
    assert "coded" in found["pairs"][0]["warnings"]


def test_free_text_is_left_out_and_the_result_says_so(play) -> None:
    rows = [[float(i % 5), f"patient {i}", float(i), 10**18 + i] for i in range(40)]
    body = json.dumps({"table": rows, "columns": ["n", "who", "m", "id"]}).encode()
    found = play(lambda http: done(http, body, JSON))
    assert found["names"] == ["n", "m", "id"]
    [notice] = found["notices"]
    assert notice["code"] == "left_out"
    assert notice["message"].startswith("column 'who' is left out: ")


def test_a_pair_that_cannot_be_estimated_has_its_error_and_no_other(play) -> None:
    values = table(n=14)
    values[:7, 0] = np.nan
    found = play(lambda http: done(http, tensor_body(values, missing="drop", columns=NAMES)))
    assert [bool(pair["error"]) for pair in found["pairs"]] == [True, True, True, False, False, False]
    assert found["pairs"][0]["error"].startswith("too_few_samples")


def test_a_submission_is_accepted_and_told_of(play) -> None:
    async def scenario(http):
        first = await put(http, "one", tensor_body(table()))
        job = await ended(http, "one")
        return first, job, await put(http, "one", tensor_body(table())), await http.get("/v1/jobs")

    first, job, again, listed = play(scenario)
    assert (first.status_code, first.headers["location"]) == (202, "/v1/jobs/one")
    assert int(first.headers["retry-after"]) >= 1
    assert first.json()["state"] in ("queued", "running")
    assert (job["pairs"], job["done"], job["failed"], job["error"]) == (6, 6, 0, None)
    assert job["created"] <= job["started"] <= job["ended"] < job["expires"]
    assert (again.status_code, again.json()) == (200, job)
    assert "retry-after" not in again.headers
    assert listed.json() == {"jobs": [job]}


def test_an_id_stands_for_one_body(play, check_problem) -> None:
    async def scenario(http):
        await put(http, "one", tensor_body(table()))
        await put(http, "one", tensor_body(table()))
        other = await put(http, "one", tensor_body(table(seed=1)))
        query = await put(http, "one", npy_body(table()), NPY)
        return other, query, (await http.get("/v1/jobs")).json()

    other, query, listed = play(scenario)
    check_problem(other, 409, "job_conflict")
    check_problem(query, 409, "job_conflict")
    assert len(listed["jobs"]) == 1


def test_the_three_formats_say_the_same(play) -> None:
    async def scenario(http):
        found = await done(http, tensor_body(table(), columns=NAMES))
        return found, *[await http.get(RESULT, headers={"accept": media}) for media in (CSV, SAFETENSORS)]

    found, lines, file = play(scenario)
    assert [answer.headers["content-type"].partition(";")[0] for answer in (lines, file)] == [
        CSV,
        SAFETENSORS,
    ]
    read = list(csv.DictReader(io.StringIO(lines.text)))
    assert [float(r["mi"]) for r in read] == [r["mi"] for r in found["pairs"]]
    assert {r["x"] for r in read} == {"a", "<b>", "'=c"}  # no formula for a spreadsheet
    tensors = load(file.content)
    assert tensors["mi"].tolist() == [r["mi"] for r in found["pairs"]]
    assert tensors["quantiles"].shape == (6, len(FakeEstimator.levels))
    assert tensors["pairs"].tolist()[:2] == [[0, 1], [0, 2]]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", CSV),
        ("text/csv;q=0.5, application/json;q=0.4", CSV),
        ("TEXT/CSV", CSV),
        ("application/*, application/json;q=0", SAFETENSORS),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
        ("\x00", None),
    ],
)
def test_accept_chooses(accept: str | None, media, check_problem) -> None:
    from mizzle.errors import NotAcceptable
    from mizzle.service.jobs import result_formats

    if media is None:
        with pytest.raises(NotAcceptable, match="text/csv"):
            result_formats.preferred_media(accept or "")
    else:
        assert result_formats.preferred_media(accept or "") == media


def test_no_other_format_is_made(play, check_problem) -> None:
    async def scenario(http):
        await done(http, tensor_body(table()))
        return await http.get(RESULT, headers={"accept": "text/html"})

    check_problem(play(scenario), 406, "not_acceptable")


def test_before_its_end_a_job_has_no_result(play, fake: FakeEstimator, check_problem) -> None:
    async def scenario(http):
        fake.gate.clear()
        await put(http, "one", tensor_body(table()))
        await fake.begun()
        early = await http.get(RESULT)
        dropped = await http.delete("/v1/jobs/one")
        fake.gate.set()
        return (
            early,
            dropped,
            await http.get(RESULT),
            await http.delete("/v1/jobs/one"),
            await http.get("/v1/jobs"),
        )

    early, dropped, late, forgotten, listed = play(scenario)
    check_problem(early, 409, "job_unfinished")
    assert (dropped.status_code, dropped.json()["state"]) == (200, "cancelled")
    check_problem(late, 409, "job_cancelled")
    assert (forgotten.status_code, forgotten.content) == (204, b"")
    assert listed.json() == {"jobs": []}


def test_events_tell_of_a_job_and_end_with_it(play) -> None:
    async def scenario(http):
        await put(http, "one", tensor_body(table()))
        stream = await http.get("/v1/jobs/one/events")
        late = await http.get("/v1/jobs/one/events")
        last = events(stream.text)[-1]["id"]
        again = await http.get("/v1/jobs/one/events", headers={"last-event-id": last})
        return stream, late, again, (await http.get("/v1/jobs/one")).json()

    stream, late, again, job = play(scenario)
    assert stream.headers["content-type"].startswith("text/event-stream")
    told = events(stream.text)
    ids = [int(event["id"]) for event in told]
    assert ids == sorted(set(ids))
    assert [event["event"] for event in told] == ["progress"] * (len(told) - 1) + ["end"]
    assert json.loads(told[-1]["data"]) == job
    assert [event["id"] for event in events(late.text)] == [told[-1]["id"]]
    assert (again.status_code, again.content) == (204, b"")


def test_a_stream_goes_on_after_what_was_seen(play, fake: FakeEstimator) -> None:
    async def scenario(http):
        fake.gate.clear()
        await put(http, "one", tensor_body(table()))
        await fake.begun()
        seen = str((await http.get("/v1/jobs/one")).json()["revision"])
        fake.gate.set()
        stream = await http.get("/v1/jobs/one/events", headers={"last-event-id": seen})
        return seen, stream

    seen, stream = play(scenario)
    assert seen not in [event["id"] for event in events(stream.text)]
    assert events(stream.text)[-1]["event"] == "end"


def test_a_job_belongs_to_its_key(settings, fake: FakeEstimator, in_lifespan, connect, check_problem) -> None:
    app = create_app(settings, fake, keys=Keys.parse(f"{ALICES}\n{BOBS}"))
    mine, yours = {"x-api-key": ALICE}, {"x-api-key": BOB}

    async def scenario(app):
        async with connect(app) as http:
            await put(http, "one", tensor_body(table()), headers=mine)
            await ended(http, "one", headers=mine)
            found = [
                await http.get(f"/v1/jobs/one{tail}", headers=yours) for tail in ("", "/events", "/result")
            ]
            found.append(await http.delete("/v1/jobs/one", headers=yours))
            lists = [(await http.get("/v1/jobs", headers=who)).json()["jobs"] for who in (mine, yours)]
            own = await put(http, "one", tensor_body(table(seed=1)), headers=yours)
            return found, lists, own

    found, lists, own = in_lifespan(app, scenario)
    for answer in found:
        check_problem(answer, 404, "no_such_job")
    assert [len(one) for one in lists] == [1, 0]
    assert own.status_code == 202


def test_without_a_folder_there_are_no_jobs(
    settings, fake: FakeEstimator, in_lifespan, connect, check_problem
) -> None:
    app = create_app(settings.model_copy(update={"jobs_dir": None}), fake)

    async def scenario(app):
        async with connect(app) as http:
            asked = [
                await http.get(f"/v1/jobs{tail}")
                for tail in ("", "/one", "/one/events", "/one/result", "/-a")
            ]
            asked += [await put(http, "one", b""), await http.delete("/v1/jobs/one")]
            return asked, (await http.get("/v1/limits")).json()

    asked, limits = in_lifespan(app, scenario)
    for answer in asked:
        check_problem(answer, 404, "jobs_off")
    assert limits["jobs"] is None


def test_the_limits_are_published(play, settings) -> None:
    async def scenario(http):
        return (await http.get("/v1/limits")).json()["jobs"]

    limits = play(scenario)
    assert limits["max_pairs"] == settings.jobs_max_pairs
    assert limits["ttl_seconds"] == settings.jobs_ttl_seconds


def test_what_jobs_there_are_is_a_metric(app: Any, play) -> None:
    from counted import value

    async def scenario(http):
        await done(http, tensor_body(table()))
        return value(app.state.metrics, "mizzle_jobs", state="done")

    assert play(scenario) == 1


def test_names_are_in_no_log(play, caplog: pytest.LogCaptureFixture) -> None:
    name = "canary-31337"
    with caplog.at_level("DEBUG", "mizzle"):
        play(lambda http: done(http, tensor_body(table(), columns=[name, *NAMES[1:]])))
    assert name not in caplog.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANYTHING"])
@pytest.mark.parametrize("off", [False, True])
def test_no_route_is_open_without_a_key(settings, fake: FakeEstimator, method: str, off: bool) -> None:
    chosen = settings.model_copy(update={"jobs_dir": None} if off else {})
    app = create_app(chosen, fake, keys=Keys.parse(ALICES))
    paths = [path for path in app.openapi()["paths"] if path.startswith("/v1/jobs")]
    assert len(paths) == 4
    for path in (*paths, "/v1/jobs/one", "/v1/jobs/", "/v1/jobs/one/", "/v1/jobs/../jobs"):
        call(app, ("Host", "localhost"), method=method, path=path).problem(401, "unauthorized")


def test_every_operation_is_described(settings, fake: FakeEstimator) -> None:
    paths = create_app(settings, fake).openapi()["paths"]
    found = [op for path, ops in paths.items() if path.startswith("/v1/jobs") for op in ops.values()]
    assert len({op["operationId"] for op in found}) == len(found) == 6
    for op in found:
        assert op["summary"]
        assert set(op["responses"]) > {"200", "401", "404", "503"}
        assert all(answer["description"] for answer in op["responses"].values())
    [submit] = [op for op in found if op["operationId"] == "submit_job"]
    assert set(submit["requestBody"]["content"]) == {JSON, NPY, SAFETENSORS}
