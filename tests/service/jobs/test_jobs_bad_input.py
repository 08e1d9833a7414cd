"""What a job cannot be: every refusal has its class, and repeats neither data nor names."""

import json

import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator
from job_bodies import JSON, NPY, SAFETENSORS, json_body, npy_body, table, tensor_body
from safetensors.numpy import save

from mizzle.errors import MizzleError, by_code
from mizzle.service.jobs import request
from mizzle.service.settings import Settings

CANARY = "31337"
ROWS = [[float(i), float(i % 3), i * 0.5] for i in range(12)]
MOST_CELLS, MOST_PAIRS = 500, 10


def _json(**fields):
    return json.dumps({"table": ROWS} | fields).encode()


def _rows(cell):
    return [[*row[:2], cell] if i == 3 else row for i, row in enumerate(ROWS)]


# name: (media type, body, code). Whatever the documented form is, these are not of it.
TABLE = {
    "empty": (JSON, b"", "malformed"),
    "cut": (JSON, _json()[:-3], "malformed"),
    "list": (JSON, b"[1]", "invalid_request"),
    "twice": (JSON, _json()[:-1] + b', "table": []}', "invalid_shape"),  # the last counts
    "deep": (JSON, b'{"table": ' + b"[" * 90_000, "malformed"),
    "latin-1": (JSON, _json() + b"\xff", "malformed"),
    "unknown field": (JSON, _json(**{CANARY: 1}), "invalid_request"),
    "no table": (JSON, b"{}", "invalid_shape"),
    "table of numbers": (JSON, _json(table=[1, 2]), "invalid_shape"),
    "table of texts": (JSON, _json(table=[CANARY, CANARY]), "invalid_shape"),
    "table is an object": (JSON, _json(table={CANARY: [1]}), "invalid_shape"),
    "ragged": (JSON, _json(table=[*ROWS, [1.0]]), "invalid_shape"),
    "no columns": (JSON, _json(table=[[]] * 12), "invalid_shape"),
    "one column": (JSON, _json(table=[[1.0]] * 12), "invalid_input"),
    "9 rows": (JSON, _json(table=ROWS[:9]), "too_few_samples"),
    "nested": (JSON, _json(table=_rows([CANARY])), "not_numeric"),
    "object": (JSON, _json(table=_rows({CANARY: 1})), "not_numeric"),
    "mixed": (JSON, _json(table=_rows(CANARY)), "not_numeric"),
    "null": (JSON, _json(table=_rows(None)), "not_finite"),
    "nan": (JSON, _json(table=_rows(float("nan"))), "not_finite"),
    "infinite": (JSON, _json(table=_rows(float("inf"))), "not_finite"),
    "5000 digits": (JSON, _json().replace(b"11.0", b"9" * 5000), "malformed"),
    "long text": (JSON, _json(table=_rows("x" * 201)), "invalid_request"),
    "names few": (JSON, _json(columns=["a", CANARY]), "invalid_request"),
    "names repeat": (JSON, _json(columns=[CANARY, CANARY, "a"]), "invalid_request"),
    "name long": (JSON, _json(columns=[CANARY * 41, "a", "b"]), "invalid_request"),
    "name empty": (JSON, _json(columns=["", "a", "b"]), "invalid_request"),
    "name number": (JSON, _json(columns=[31337, "a", "b"]), "invalid_request"),
    "name surrogate": (JSON, _json(columns=["\ud800", "a", "b"]), "malformed"),
    "names text": (JSON, _json(columns="abc"), "invalid_request"),
    "what": (JSON, _json(what=CANARY), "invalid_request"),
    "what list": (JSON, _json(what=["matrix"]), "invalid_request"),
    "unit": (JSON, _json(unit=CANARY), "invalid_request"),
    "missing": (JSON, _json(missing=None), "invalid_request"),
    "rank without target": (JSON, _json(what="rank"), "invalid_request"),
    "matrix with target": (JSON, _json(target="c1"), "invalid_request"),
    "target unknown": (JSON, _json(what="rank", target=CANARY), "missing_column"),
    "target list": (JSON, _json(what="rank", target=[CANARY]), "missing_column"),
    "groups list": (JSON, _json(groups=[CANARY]), "invalid_request"),
    "group empty": (JSON, _json(groups={CANARY: []}), "invalid_request"),
    "group unknown": (JSON, _json(groups={"g": [CANARY]}), "missing_column"),
    "group repeats": (JSON, _json(groups={"g": ["c0", "c0"]}), "invalid_request"),
    "group is a column": (JSON, _json(groups={"c0": ["c1", "c2"]}), "invalid_request"),
    "level text": (JSON, _json(level=CANARY), "invalid_level"),
    "level 1": (JSON, _json(level=1), "invalid_level"),
    "level true": (JSON, _json(level=True), "invalid_level"),
    "level wide": (JSON, _json(level=0.9999), "invalid_level"),
    "threshold below 0": (JSON, _json(threshold=-1), "invalid_input"),
    "threshold text": (JSON, _json(threshold=CANARY), "invalid_input"),
    "threshold nan": (JSON, _json(threshold=float("nan")), "invalid_input"),
    "threshold long": (JSON, _json(threshold=10**399), "invalid_request"),
    "many cells": (SAFETENSORS, tensor_body(np.ones((200, 3))), "too_large"),
    "many pairs": (SAFETENSORS, tensor_body(np.ones((12, 6))), "too_large"),
    "long json": (JSON, b" " * (request.MAX_JSON_BYTES + 1), "too_large"),
    "other tensor": (SAFETENSORS, save({"x": table()}), "invalid_request"),
    "two tensors": (SAFETENSORS, save({"table": table(), "x": table()}), "invalid_request"),
    "other metadata": (SAFETENSORS, save({"table": table()}, {CANARY: ""}), "invalid_request"),
    "metadata no json": (SAFETENSORS, save({"table": table()}, {"job": CANARY + "x"}), "malformed"),
    "metadata no object": (SAFETENSORS, save({"table": table()}, {"job": CANARY}), "invalid_request"),
    "3-d": (SAFETENSORS, save({"table": np.ones((12, 2, 2))}), "invalid_shape"),
    "1-d": (SAFETENSORS, save({"table": np.ones(12)}), "invalid_shape"),
    "cut tensor": (SAFETENSORS, tensor_body(table())[:-1], "malformed"),
    "tensor nan": (SAFETENSORS, tensor_body(np.full((12, 2), np.nan)), "not_finite"),
    "tensor names": (SAFETENSORS, tensor_body(table(), columns=[CANARY]), "invalid_request"),
    "npy 3-d": (NPY, npy_body(np.ones((12, 2, 2))), "invalid_shape"),
    "npy pickle": (NPY, npy_body(np.ones((12, 2), dtype=complex)), "malformed"),
}
QUERIES = [
    {"columns": CANARY},
    {"what": CANARY},
    {"level": CANARY + "x"},
    {"level": "0x1p-1"},
    {"threshold": "1_0"},
    {"threshold": "nan"},
    {"target": "c0"},
    [("unit", "bits"), ("unit", "bits")],
]


@pytest.fixture(scope="module")
def http(serve_here, tmp_path_factory: pytest.TempPathFactory):
    """A connection to one service for the whole table."""
    folder = tmp_path_factory.mktemp("jobs")
    settings = Settings(
        max_body_bytes=300_000, jobs_dir=folder, jobs_max_cells=MOST_CELLS, jobs_max_pairs=MOST_PAIRS
    )
    with (
        serve_here(settings, FakeEstimator()) as url,
        httpx2.Client(base_url=url, trust_env=False) as client,
    ):
        while client.get("/v1/jobs").status_code == 503:  # until the file is open
            pass
        yield client


@pytest.fixture
def refused(check_problem):
    def check(response, status, code):
        assert CANARY not in response.text.replace(response.headers["x-request-id"], "")
        return check_problem(response, status, code)

    return check


def _put(http, body, media=JSON, id="one", **more):
    return http.put(f"/v1/jobs/{id}", content=body, headers={"content-type": media}, **more)


@pytest.mark.parametrize("case", TABLE)
def test_bodies(case: str, http, refused) -> None:
    media, body, code = TABLE[case]
    error = by_code(code)
    assert error
    refused(_put(http, body, media), error.status, code)
    assert http.get("/v1/jobs/one").status_code == 404


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_addresses(query, http, refused) -> None:
    refused(_put(http, npy_body(table()), NPY, params=query), 422, "invalid_request")


def test_only_npy_has_parameters(http, refused) -> None:
    refused(_put(http, _json(), params={"unit": "bits"}), 422, "invalid_request")


@pytest.mark.parametrize("id", ["-a", "a" * 65, "a%20b", "%C3%A9", ".", "a%0Ab", "a$"])
def test_ids(id, http, refused) -> None:
    assert _put(http, _json(), id=id).status_code in (404, 405, 422)
    assert http.get("/v1/jobs").json() == {"jobs": []}


@pytest.mark.parametrize("media", ["text/csv", "", "application/json; charset=utf-16"])
def test_media_types(media: str, http, refused) -> None:
    refused(_put(http, _json(), media), 415, "unsupported_media_type")


def test_a_body_that_is_too_long(http, refused) -> None:
    refused(_put(http, b" " * 400_000), 413, "too_large")


@pytest.mark.parametrize("last", ["", "x", "-1", "9" * 400, "1, 2"])
def test_any_last_event_is_taken(last, http, refused) -> None:
    refused(http.get("/v1/jobs/one/events", headers={"last-event-id": last}), 404, "no_such_job")


@pytest.mark.parametrize("media", [JSON, NPY, SAFETENSORS])
def test_mutated_bodies_are_refused_or_read(media) -> None:
    """Whatever stands in a body: an error of ours, or a job."""
    rng = np.random.default_rng(0)
    body = {JSON: json_body(table()), NPY: npy_body(table()), SAFETENSORS: tensor_body(table(), unit="bits")}[
        media
    ]
    for _ in range(1000):
        bad = bytearray(body)
        for place in rng.integers(0, len(bad), 3):
            bad[place] = rng.integers(0, 256)
        try:
            ask = request.parse(media, bytes(bad), {})
            request.count_pairs(ask, FakeEstimator.levels, request.JobBounds(MOST_PAIRS, MOST_CELLS))
        except MizzleError:
            pass
