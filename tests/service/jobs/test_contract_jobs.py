"""The service keeps what /openapi.json promises of jobs, where they are on: as `test_contract`."""

import io
from itertools import count

import httpx2
import numpy as np
import pytest
from contracts import SETTINGS, Ranking, cell, described
from job_bodies import SAFETENSORS, events, npy_body, table, tensor_body
from schemathesis.specs.openapi.checks import response_schema_conformance

from mizzle.service.formats.registry import NPY
from mizzle.service.jobs.schemas import JobAnswer
from mizzle.wire import JOBS

allowed = described("positive", 6).include(path_regex=f"^{JOBS}")
forbidden = described("negative", 6).include(path_regex=f"^{JOBS}/")
_MOST_LEVEL = 0.99  # that the fake's levels cover
_numbers = count()


@pytest.fixture(scope="module")
def url(serve_here, tmp_path_factory: pytest.TempPathFactory):
    many = {"jobs_dir": tmp_path_factory.mktemp("jobs"), "jobs_max": 10**6, "jobs_max_per_key": 10**6}
    with serve_here(SETTINGS.model_copy(update=many), Ranking()) as url:
        yield url


@pytest.fixture(scope="module")
def http(url):
    """To the service, whose jobs file is open."""
    with httpx2.Client(base_url=url, trust_env=False) as http:
        while http.get(JOBS).status_code == 503:
            pass
        yield http


@pytest.fixture(scope="module")
def done(http):
    """Makes a job that is done; its id."""

    def made():
        id = f"done-{next(_numbers)}"
        job, sent = f"{JOBS}/{id}", {"content-type": SAFETENSORS}
        assert http.put(job, content=tensor_body(table()), headers=sent).status_code == 202
        assert "event: end" in http.get(f"{job}/events").text
        return id

    return made


@allowed.parametrize()
def test_what_the_document_allows_is_answered(case, url, done) -> None:
    if case.method == "PUT":
        worded(case)
    elif "id" in case.path_parameters:
        case.path_parameters["id"] = done()
    response = case.call(base_url=url)
    stream = case.path.endswith("/events")  # in 3.1 a schema is that of the whole; it is read as each event's
    case.validate_response(response, excluded_checks=[response_schema_conformance] if stream else [])
    assert response.status_code in (200, 202, 204)
    for event in events(response.text) if stream else ():
        job = JobAnswer.model_validate_json(event["data"])
        assert (event["event"], event["id"]) == ("end", str(job.revision))


@forbidden.parametrize()
@pytest.mark.usefixtures("http")
def test_what_the_document_forbids_is_refused(case, url) -> None:
    if isinstance(case.body, bytes):
        case.body = case.body[:-1]  # schemathesis sends whole files; a cut one is what nobody allows
    case.call_and_validate(base_url=url)


@pytest.mark.parametrize(
    "threshold", ["7679415059753705.5", "0.30000000000000004", "1e+16", "9007199254740992"]
)
def test_a_number_of_the_address_may_be_written_as_python_does(http, threshold: str) -> None:
    address, sent = f"{JOBS}/one-{next(_numbers)}", {"content-type": NPY}
    answer = http.put(address, content=npy_body(table()), headers=sent, params={"threshold": threshold})
    assert answer.status_code == 202


def worded(case) -> None:
    """Do what the document asks for in words: a new id, one table, names that there are."""
    case.path_parameters["id"] = f"{case.path_parameters['id'][:50]}-{next(_numbers)}"
    if case.media_type == NPY:
        names = [f"c{j}" for j in range(np.load(io.BytesIO(case.body)).shape[1])]
        case.query = _asked(case.query, names)
        return
    case.query = {}
    if isinstance(case.body, dict):
        case.body = _body(case.body)


def _body(body):
    """Rows of one length, columns of one kind; a name for each column; groups of columns that there are."""
    width = min(map(len, body["table"]))
    columns = [_column([row[j] for row in body["table"]]) for j in range(width)]
    names = [f"c{j}" for j in range(width)]
    given = list(dict.fromkeys(body.pop("columns", [])))
    if len(given) >= width:
        body["columns"] = names = given[:width]
    if "groups" in body:
        body["groups"] = {name: names[:1] for name in list(body["groups"])[:1] if name not in names}
    return {**_asked(body, names), "table": [list(row) for row in zip(*columns, strict=True)]}


def _column(cells):
    """All cells of the kind of the first, without gaps."""
    kind = type(cells[0])
    if kind in (str, bool):
        return [one if type(one) is kind else cells[0] for one in cells]
    return [float(i) if type(one) not in (int, float) else cell(one) for i, one in enumerate(cells)]


def _asked(fields, names):
    """A target where there has to be one, and numbers that the service can use."""
    found = {name: value for name, value in fields.items() if name != "target"}
    if found.get("what") == "rank":
        found["target"] = names[-1]
    if "level" in found:
        found["level"] = min(float(found["level"]), _MOST_LEVEL)
    if "threshold" in found:
        found["threshold"] = cell(float(found["threshold"]))
    return found
