"""The service keeps what /openapi.json promises: requests made from the document, by schemathesis.

Every operation gets requests that the document allows and requests that it forbids, and each answer has to be
one that it describes. A schema cannot say everything; what the document says in words is done here to the
requests made from its schemas, in `worded`.
"""

import io
import json

import numpy as np
import pytest
import schemathesis
from fakes import FakeEstimator
from hypothesis import strategies as st
from safetensors.numpy import load, save
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection

from mizzle import wire
from mizzle.service.app import create_app
from mizzle.service.formats import NPY, SAFETENSORS
from mizzle.service.oip_tensors import HEADER
from mizzle.service.settings import Settings

OCTETS = "application/octet-stream"
SETTINGS = Settings(max_body_bytes=200_000, max_problem_cells=50_000, grace_seconds=1)
LEVELS = FakeEstimator.levels
# An answer that is late by the caller's own clock is documented, and no fault of the server; what is both
# wrong and too large may be refused for either.
CHECKS = {
    "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "504"]},
    "negative_data_rejection": {"expected-statuses": ["4xx", "504"]},
}


class Ranking(FakeEstimator):
    """The fake, over ranks as the model: the squares of numbers near the largest float would be infinite."""

    def prepare(self, x, y):
        return super().prepare(*(side.argsort(axis=0).argsort(axis=0).astype(float) for side in (x, y)))


OPERATIONS = create_app(SETTINGS, FakeEstimator()).openapi()["paths"]


def described(mode, examples):
    """The document as a source of requests; the same ones in every run."""
    generation = {"mode": mode, "max-examples": examples, "deterministic": True, "database": "none"}
    config = {"seed": 1, "generation": generation, "checks": CHECKS, "cache": {"enabled": False}}
    document = create_app(SETTINGS, FakeEstimator()).openapi()
    return schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(config))


allowed, forbidden = (described(mode, 30).include(method="POST") for mode in ("positive", "negative"))
others = described("all", 3).exclude(method="POST")
elsewhere = described("all", 10).include(path_regex="name")


@st.composite
def pairs(draw):
    """Two sides of as many rows."""
    rows, seed = draw(st.integers(10, 30)), draw(st.integers(0, 100))
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal((rows, draw(st.integers(1, 3)))).round(3) for _ in "xy")


def npy(pair):
    """A body of .npy."""
    file = io.BytesIO()
    np.save(file, np.hstack(pair))
    return file.getvalue()


def safetensors(pair):
    """A body of safetensors."""
    return save(dict(zip("xy", pair, strict=True)))


def octets(pair):
    """A body of the Open Inference Protocol with binary data."""
    raw = [side.tobytes() for side in pair]
    entries = [
        {"name": name, "datatype": "FP64", "shape": side.shape, "parameters": {"binary_data_size": len(part)}}
        for name, side, part in zip("xy", pair, raw, strict=True)
    ]
    return b"".join([json.dumps({"inputs": entries}).encode(), *raw])


schemathesis.openapi.media_type(NPY, pairs().map(npy))
schemathesis.openapi.media_type(SAFETENSORS, pairs().map(safetensors))
schemathesis.openapi.media_type(OCTETS, pairs().map(octets))


@schemathesis.serializer(SAFETENSORS)
def sent(context, body):
    """A file as it is sent; a media type has one kind of files here, and a batch has other names in them."""
    if context.case.path == wire.BATCH_PATH and context.case.meta.generation.mode.is_positive:
        body = save({f"{name}.0": side for name, side in load(body).items()})
    return body


@pytest.fixture(scope="module")
def url(serve_here):
    with serve_here(SETTINGS, Ranking()) as url:
        yield url


@others.parametrize()
def test_the_other_methods(case, url):
    """Nothing but methods is forbidden to those who only read; jobs are off here, and say so."""
    named(case)
    case.call_and_validate(base_url=url)


@allowed.parametrize()
def test_what_the_document_allows_is_answered(case, url):
    named(case)
    worded(case)
    response = case.call_and_validate(base_url=url)
    assert response.status_code == 200


@forbidden.parametrize()
def test_what_the_document_forbids_is_refused(case, url):
    named(case)
    if isinstance(case.body, bytes):
        case.body = case.body[:-1]  # schemathesis sends whole files; a cut one is what nobody allows
    response = case.call(base_url=url)
    excluded = [negative_data_rejection] if refused_inside(case, response) or is_none(case) else []
    case.validate_response(response, excluded_checks=excluded)


@elsewhere.parametrize()
def test_there_are_no_other_models(case, url):
    assert case.call_and_validate(base_url=url).status_code in (404, 405)


def refused_inside(case, response):
    """Whether a batch has an error among its answers: what is wrong with a problem belongs there."""
    if case.path != wire.BATCH_PATH or response.status_code != 200:
        return False
    return any("error" in answer for answer in response.json()["answers"])


def is_none(case):
    """Whether broken JSON is broken so far that no byte is left, where the document asks for no body."""
    return case.body == b"" and case.path == "/v2/repository/index"


def named(case):
    """Ask for the model that there is; nothing but its name is one."""
    for name in case.path_parameters.keys() & {"name", "version"}:
        case.path_parameters[name] = getattr(FakeEstimator.info, name)


def worded(case):
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


def _query(case):
    """Parameters for .npy alone, and those that it cannot do without."""
    if case.media_type != NPY:
        case.query = {}
        return
    columns = np.load(io.BytesIO(case.body)).shape[1]
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
    """As many rows in y as in x, all of one length, without integers that a float cannot hold."""
    rows = min(len(body["x"]), len(body["y"]))
    return _levels(body) | {side: _table(body[side][:rows]) for side in "xy"}


def _table(side):
    if not isinstance(side[0], list):
        return list(map(_cell, side))
    columns = min(FakeEstimator.max_columns, *map(len, side))
    return [list(map(_cell, row[:columns])) for row in side]


def _cell(number):
    return number if abs(number) <= 2**53 else float(number)


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
