"""The service keeps what /openapi.json promises: requests made from the document, by schemathesis.

What the document says in words is done here to the requests made from its schemas, in `worded`.
"""

import io
import json

import numpy as np
import pytest
from contracts import LEVELS, OCTETS, SETTINGS, Ranking, cell, described
from fakes import FakeEstimator
from schemathesis.specs.openapi.checks import negative_data_rejection

from mizzle import wire
from mizzle.service.formats.registry import NPY
from mizzle.service.oip.tensors import HEADER

allowed, forbidden = (described(mode, 30).include(method="POST") for mode in ("positive", "negative"))
others = described("all", 3).exclude(method="POST")
elsewhere = described("all", 10).include(path_regex="name")


@pytest.fixture(scope="module")
def url(serve_here):
    with serve_here(SETTINGS, Ranking()) as url:
        yield url


@others.parametrize()
def test_the_other_methods(case, url) -> None:
    """Nothing but methods is forbidden to those who only read; jobs are off here, and say so."""
    named(case)
    case.call_and_validate(base_url=url)


@allowed.parametrize()
def test_what_the_document_allows_is_answered(case, url) -> None:
    named(case)
    worded(case)
    response = case.call_and_validate(base_url=url)
    assert response.status_code == 200


@forbidden.parametrize()
def test_what_the_document_forbids_is_refused(case, url) -> None:
    named(case)
    if isinstance(case.body, bytes):
        case.body = case.body[:-1]  # schemathesis sends whole files; a cut one is what nobody allows
    response = case.call(base_url=url)
    excluded = [negative_data_rejection] if refused_inside(case, response) or is_none(case) else []
    case.validate_response(response, excluded_checks=excluded)


@elsewhere.parametrize()
def test_there_are_no_other_models(case, url) -> None:
    assert case.call_and_validate(base_url=url).status_code in (404, 405)


def refused_inside(case, response):
    """Whether a batch has an error among its answers: what is wrong with a problem belongs there."""
    if case.path != wire.BATCH_PATH or response.status_code != 200:
        return False
    return any("error" in answer for answer in response.json()["answers"])


def is_none(case):
    """Whether broken JSON is broken so far that no byte is left, where the document asks for no body."""
    return case.body == b"" and case.path == "/v2/repository/index"


def named(case) -> None:
    """Ask for the model that there is; nothing but its name is one."""
    for name in case.path_parameters.keys() & {"name", "version"}:
        case.path_parameters[name] = getattr(FakeEstimator.info, name)
    if "model" in case.query:
        case.query["model"] = FakeEstimator.info.name


def worded(case) -> None:
    """Do what the document asks for in words."""
    if "X-Request-Timeout" in case.headers:
        case.headers["X-Request-Timeout"] = str(
            1 + float(case.headers["X-Request-Timeout"])
        )  # or it is a 504
    if case.path == wire.PATH:
        _query(case)
    if case.path.endswith("/infer"):
        case.headers.pop(HEADER, None)
        if case.media_type == OCTETS:
            case.headers[HEADER] = str(json.JSONDecoder().raw_decode(case.body.decode("latin-1"))[1])
    if isinstance(case.body, dict):
        case.body = _body(case.path, case.body)


def _query(case) -> None:
    """Parameters for .npy alone, and those that it cannot do without."""
    if case.media_type != NPY:
        case.query = {}
        return
    columns = np.load(io.BytesIO(case.body)).shape[1]
    if "dim_given" in case.query:  # which two columns leave no room for
        case.query["dim_given"] = int(case.query["dim_given"]) % max(columns - 2, 1) + 1
        if columns == 2:
            del case.query["dim_given"]
    columns -= case.query.get("dim_given", 0)
    if columns > 2 or "dim_x" in case.query:
        case.query["dim_x"] = int(case.query.get("dim_x", 1)) % (columns - 1) + 1
    if "levels" in case.query:
        case.query["levels"] = _text(case.query["levels"])


def _body(path, body):
    if path == wire.PATH:
        return _problem(body)
    if path == wire.BATCH_PATH:
        return _levels(body) | {"problems": [_problem(problem) for problem in body["problems"]]}
    return _inference(body) if path.endswith("/infer") else body


def _problem(body):
    """As many rows in every side, all of one length, and in each column cells of one kind, none missing."""
    sides = [side for side in ("x", "y", "given") if body.get(side) is not None]
    rows = min(len(body[side]) for side in sides)
    return _levels(body) | {side: _table(body[side][:rows]) for side in sides}


def _table(side):
    if not isinstance(side[0], list):
        return _column(side)
    columns = min(FakeEstimator.max_columns, *map(len, side))
    return [
        list(row) for row in zip(*(_column([row[j] for row in side]) for j in range(columns)), strict=True)
    ]


def _column(cells):
    """Cells of the kind of the first: labels that come again, booleans, or numbers."""
    if isinstance(cells[0], str):
        return [f"label {i % 3}" for i in range(len(cells))]
    if isinstance(cells[0], bool):
        return [bool(one) for one in cells]
    return [cell(one) if type(one) in (int, float) else float(i) for i, one in enumerate(cells)]


def _levels(body):
    levels = body.get("levels", wire.ALL)
    return body if levels == wire.ALL else body | {"levels": _increasing(levels)}


def _increasing(levels):
    return sorted({min(max(float(level), LEVELS[0]), LEVELS[-1]) for level in levels})


def _text(levels):
    return levels if levels == wire.ALL else ",".join(map(repr, _increasing(levels.split(","))))


def _inference(body):
    """Two inputs of one number of rows, with data; names as in the address; each output once."""
    datatypes = [entry["datatype"] for entry in body["inputs"]]
    inputs = [
        {"name": name, "datatype": datatype, "shape": [12, 1], "data": list(range(12))}
        for name, datatype in zip("xy", datatypes, strict=True)
    ]
    outputs = {output["name"]: output for output in body.get("outputs", [])}
    info = {"model_name": FakeEstimator.info.name, "model_version": FakeEstimator.info.version}
    given = {name: info[name] for name in info if name in body}
    chosen = dict(body.get("parameters", {}))
    if "levels" in chosen:
        chosen["levels"] = wire.ALL
    if "timeout" in chosen:
        chosen["timeout"] = min(int(chosen["timeout"]) + 60 * 10**6, 2**63 - 1)
    return body | given | {"inputs": inputs, "outputs": [*outputs.values()], "parameters": chosen}
