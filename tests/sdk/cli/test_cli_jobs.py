"""Jobs as commands, at a service that takes them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import commanded
import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator
from tabled import frame
from test_cli_tables import write

from mizzle import errors
from mizzle.client.jobs import Jobs
from mizzle.service.settings import Settings


@pytest.fixture
def url(settings: Settings, fake: FakeEstimator, serve_here, tmp_path: Path):
    with serve_here(settings.model_copy(update={"jobs_dir": tmp_path / "jobs"}), fake) as url:
        yield url


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch, url):
    commanded.shared(fake, monkeypatch)
    monkeypatch.setenv("MIZZLE_BASE_URL", url)
    return commanded.runner(capsys)


@pytest.fixture
def data(tmp_path: Path):
    return write(tmp_path / "data.csv", {**frame(p=4), "kind": ["x", "y"] * 30})


def test_from_file_to_result(run, data, tmp_path: Path) -> None:
    code, out, err = run("jobs", "submit", data, "--matrix", "--unit=bits")
    assert code == 0
    assert "column 'kind' has 2 different labels" in err
    id = out.strip()
    code, out, err = run("jobs", "wait", id)
    assert (code, err) == (0, "")
    assert "done" in out
    assert "10 of 10 done" in out
    _, out, _ = run("jobs", "result", id, "--json")
    outcome, direct = json.loads(out), json.loads(run("matrix", data, "--unit=bits", "--json")[1])
    assert outcome["names"] == direct["names"]
    for there, here in zip(outcome["pairs"], direct["pairs"], strict=True):
        assert (there["x"], there["y"], there["n"]) == (here["x"], here["y"], here["n"])
        for name in ("mi", "low", "high", "median", "below"):
            assert there[name] == pytest.approx(here[name], abs=1e-9)
    assert run("jobs", "result", id, "--out", tmp_path / "out.png", "--quiet") == (0, "", "")


def test_copies_of_rows_are_left_out_before_they_are_sent(run, tmp_path: Path) -> None:
    copied = write(tmp_path / "two.csv", {name: [*cells, *cells] for name, cells in frame(p=3).items()})
    code, out, err = run("jobs", "submit", copied, "--matrix", "--deduplicate")
    assert code == 0
    assert err.count("were left out") == 1
    run("jobs", "wait", out.strip(), "--quiet")
    pairs = json.loads(run("jobs", "result", out.strip(), "--json")[1])["pairs"]
    assert {pair["n"] for pair in pairs} == {len(frame(p=3)["a"])}


def test_columns_can_be_left_out(run, data) -> None:
    assert run("jobs", "submit", data, "--matrix", "--exclude=kind", "--id=less") == (0, "less\n", "")
    run("jobs", "wait", "less")
    assert json.loads(run("jobs", "result", "less", "--json")[1])["names"] == list("abcd")


def test_a_ranking_with_gaps_and_groups(run, tmp_path: Path) -> None:
    columns = frame(p=4)
    columns["a"][:5] = np.nan
    data = write(tmp_path / "gaps.csv", columns)
    options = ["--target=g", "--group=g=a,b", "--columns=c,d", "--missing=drop"]
    said = "mizzle: read as missing: 5 x nan in 'a'\n"
    assert run("jobs", "submit", data, *options, "--id=mine") == (0, "mine\n", said)
    said = "mizzle: read as missing: 5 x nan in 'a'\n"
    assert run("jobs", "submit", data, *options, "--id=mine") == (0, "mine\n", said)
    assert run("jobs", "wait", "mine", "--quiet")[0] == 0
    pairs = json.loads(run("jobs", "result", "mine", "--json")[1])["pairs"]
    assert {pair["x"] for pair in pairs} == {"c", "d"}
    assert {pair["dropped"] for pair in pairs} == {5}


def test_listing_showing_and_forgetting(run, data) -> None:
    run("jobs", "submit", data, "--target=a", "--id=one")
    run("jobs", "wait", "one")
    code, out, _ = run("jobs", "list")
    assert code == 0
    assert re.search(r"^one\s+rank\s+done\s+4\s+4", out, re.MULTILINE)
    assert json.loads(run("jobs", "list", "--json")[1])["jobs"][0]["id"] == "one"
    assert json.loads(run("jobs", "show", "one", "--json")[1])["state"] == "done"
    assert run("jobs", "cancel", "one") == (0, "forgotten\n", "")
    code, _, err = run("jobs", "show", "one")
    assert code == 2
    assert "no such job" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--matrix or --target"),
        (["--matrix", "--target=a"], "--matrix or --target"),
        (["--target=z"], "column"),
        (["--matrix", "--id=../x"], "the id of a job"),
        (["--matrix", "--level=0.9999"], "level"),
    ],
)
def test_bad_usage_is_2(run, data, options, words: str) -> None:
    code, out, err = run("jobs", "submit", data, *options)
    assert (code, out) == (2, "")
    assert words in err


def test_errors_of_jobs_are_known_where_there_is_no_service() -> None:
    code = (
        "import sys, mizzle.client.jobs; from mizzle.errors import by_code\n"
        "print(by_code('no_such_job').status, 'mizzle.service' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "404 False\n"


def test_without_an_address_there_are_no_jobs(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIZZLE_BASE_URL")
    code, _, err = run("jobs", "list")
    assert code == 2
    assert "--url" in err
    assert "MIZZLE_BASE_URL" in err


def scripted(*bodies):
    """Jobs at a service that says these, one after another: JSON, or None for a connection that breaks."""
    left = list(bodies)

    def answer(request):
        body = left.pop(0)
        if body is None:
            raise httpx2.ReadError("gone")
        if request.url.path.endswith("/events"):
            lines = "".join(f"event: progress\ndata: {json.dumps(job)}\n\n" for job in body)
            return httpx2.Response(200, text=": ping\n\n" + lines)
        return httpx2.Response(200, json=body)

    jobs = Jobs("http://mizzle.test")
    jobs._http.close()
    jobs._http = httpx2.Client(transport=httpx2.MockTransport(answer))
    jobs._sleep = lambda seconds: None
    return jobs


def job(done, ended=None):
    names = "id what state pairs done failed created started ended expires error"
    return {**dict.fromkeys(names.split()), "done": done, "pairs": 9, "ended": ended}


def test_a_stream_that_breaks_off_is_taken_up_again() -> None:
    script = [[job(1), job(2)], job(3), None, job(4), [job(5), job(9, "now"), job(0)]]
    with scripted(*script) as jobs:
        assert [job["done"] for job in jobs.follow("one")] == [1, 2, 3, 4, 5, 9]


def test_what_is_no_service_is_said_to_be_none() -> None:
    bodies: list[Any] = [[], {"jobs": [1]}, {"id": "one"}]
    for body in bodies:
        with scripted(body, body) as jobs:
            with pytest.raises(errors.ServiceUnreachable, match=r"http://mizzle\.test: .*not of the form"):
                jobs.find("one")
            with pytest.raises(errors.ServiceUnreachable, match="not of the form"):
                jobs.result("one")
