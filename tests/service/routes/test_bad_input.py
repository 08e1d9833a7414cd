"""One table of bad input, three doors: arrays, HTTP and the command line.

At every door the refusal has the same class; over HTTP also the status, the code and the size; the data
is never repeated; and the next request is answered.
"""

import io
import json
from pathlib import Path

import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator

import mizzle
from mizzle import cli
from mizzle import estimator as estimators
from mizzle.backends import local
from mizzle.service.settings import Settings

CANARY = "31337"
ROWS = 12
GOOD = [[0.5 * i, (-1.0) ** i] for i in range(ROWS)]
COLUMN = [[float(i)] for i in range(ROWS)]


def _with(cell, row=3, column=1):
    rows = [list(r) for r in GOOD]
    rows[row][column] = cell
    return rows


# name: (x, y, class, words). `x` and `y` can be written as JSON by Python's json module.
TABLE = {
    "nan": (_with(float("nan")), COLUMN, mizzle.NotFinite, "x row 3, column 1"),
    "infinity": (_with(float("-inf")), COLUMN, mizzle.NotFinite, "x row 3, column 1"),
    "text": (_with(CANARY), COLUMN, mizzle.NotNumeric, "x row 3, column 1"),
    "nan as text": (_with("NaN"), COLUMN, mizzle.NotNumeric, "x row 3, column 1"),
    "surrogate": (_with("\ud800"), COLUMN, mizzle.NotNumeric, "x row 3, column 1"),
    "true": (_with(True), COLUMN, mizzle.NotNumeric, "x row 3, column 1"),
    "null": (_with(None), COLUMN, mizzle.NotNumeric, "x row 3, column 1"),
    "object": (_with({CANARY: 1}), COLUMN, mizzle.NotNumeric, "x row 3, column 1"),
    "3-d": (_with([1.0]), COLUMN, mizzle.InvalidShape, "x row 3, column 1"),
    "ragged": ([*GOOD[:-1], [1.0]], COLUMN, mizzle.InvalidShape, "x row 11"),
    "cell beside rows": ([*GOOD[:-1], 1.0], COLUMN, mizzle.InvalidShape, "x row 11"),
    "no columns": ([[]] * ROWS, COLUMN, mizzle.InvalidShape, "x has rows without columns"),
    "0-d": (1.0, COLUMN, mizzle.InvalidShape, "x is a single number"),
    "null array": (None, COLUMN, mizzle.InvalidShape, "x is null"),
    "text array": (CANARY, COLUMN, mizzle.InvalidShape, "x is text"),
    "object array": ({CANARY: 1}, COLUMN, mizzle.InvalidShape, "x is a mapping"),
    "no rows": ([], COLUMN, mizzle.TooFewSamples, "x has no rows"),
    "9 rows": (GOOD[:9], COLUMN[:9], mizzle.TooFewSamples, "at least 10"),
    "unequal": (GOOD, COLUMN[:-1], mizzle.LengthMismatch, "12 rows and y has 11"),
    "wide": (np.ones((ROWS, 65)).tolist(), COLUMN, mizzle.TooManyColumns, "65 columns"),
    "side y": (COLUMN, _with(None), mizzle.NotNumeric, "y row 3, column 1"),
}
_BODY = {"x": GOOD, "y": COLUMN}
_GOOD_JSON = json.dumps(_BODY)


def _body(**more):
    return json.dumps(_BODY | more)


# What only a body can be: (body, code, words).
BODIES = {
    "empty": ("", "malformed", "no JSON"),
    "cut": (_GOOD_JSON[:-3], "malformed", "no JSON"),
    "trailing": (_GOOD_JSON + CANARY, "malformed", "no JSON"),
    "list": ("[1]", "invalid_request", "JSON object"),
    "number": ("1", "invalid_request", "JSON object"),
    "no y": (json.dumps({"x": GOOD}), "invalid_request", "field y is missing"),
    "unknown": (_body(**{CANARY: 1}), "invalid_request", "unknown field"),
    "twice": (_GOOD_JSON[:-1] + ', "x": []}', "too_few_samples", "x has no rows"),  # the last counts
    "latin-1": (_GOOD_JSON.encode() + b"\xff", "malformed", "UTF-8"),
    "utf-16": (_GOOD_JSON.encode("utf-16"), "malformed", "UTF-8"),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + _GOOD_JSON.encode(), "malformed", "no JSON"),
    "surrogate": ('{"x": ["\\ud800"], "y": [1]}', "malformed", "at line 1 column"),
    "surrogate key": ('{"\\ud800": 1}', "malformed", "at line 1 column"),
    "nul": (_GOOD_JSON + "\0", "malformed", "no JSON"),
    "deep": ('{"x": ' + "[" * 90_000, "malformed", "recursion limit"),
    "deep object": ('{"x":' * 30_000, "malformed", "recursion limit"),
    "1e999": ('{"x": [1e999], "y": [1]}', "not_finite", "x row 0, column 0"),
    "bare nan": ('{"x": NaN, "y": [1]}', "invalid_shape", "single number"),
    "5000 digits": ('{"x": [' + "9" * 5000 + '], "y": [1]}', "malformed", "number out of range"),
    "levels null": (_body(levels=None), "invalid_level", "levels must be"),
    "levels word": (_body(levels=CANARY), "invalid_level", "levels must be"),
    "levels empty": (_body(levels=[]), "invalid_level", "levels must be"),
    "levels many": (_body(levels=[0.5] * 100), "invalid_level", "1 to 99"),
    "level text": (_body(levels=["0.5"]), "invalid_level", "0.005 to 0.995"),
    "level true": (_body(levels=[True]), "invalid_level", "0.005 to 0.995"),
    "level 0": (_body(levels=[0]), "invalid_level", "0.005 to 0.995"),
    "level 1": (_body(levels=[0.5, 1]), "invalid_level", "0.005 to 0.995"),
    "level nan": (_body(levels=[float("nan")]), "invalid_level", "0.005 to 0.995"),
    "levels fall": (_body(levels=[0.5, 0.25]), "invalid_level", "increase"),
    "levels repeat": (_body(levels=[0.5, 0.5]), "invalid_level", "increase"),
}


MOST_JSON = 150_000


@pytest.fixture(scope="module")
def http(serve_here, new_fake: type[FakeEstimator]):
    """A connection to one service for the whole table."""
    settings = Settings(max_body_bytes=200_000, max_json_bytes=MOST_JSON)
    with serve_here(settings, new_fake()) as url, httpx2.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture
def refused(check_problem):
    """The problem in a refusal, which repeats nothing of the data."""

    def check(response, status, code):
        assert CANARY not in response.text.replace(response.headers["x-request-id"], "")
        return check_problem(response, status, code)

    return check


def _post(http, body):
    return http.post("/v1/estimate", content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize("case", TABLE)
def test_arrays(case: str, fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_shared", None)
    monkeypatch.setattr(estimators, "load", lambda: fake)
    x, y, error, words = TABLE[case]
    with pytest.raises(error, match=words) as caught:
        mizzle.estimate(x, y)
    assert type(caught.value) is error
    assert CANARY not in str(caught.value)
    assert mizzle.estimate(GOOD, COLUMN).n == ROWS


@pytest.mark.parametrize("case", [case for case in TABLE if case != "surrogate"])  # half a pair is no JSON
def test_http(case, http, refused) -> None:
    x, y, error, words = TABLE[case]
    problem = refused(_post(http, json.dumps({"x": x, "y": y})), 422, error.code)
    assert words in problem["detail"]
    assert _post(http, _GOOD_JSON).status_code == 200


@pytest.mark.parametrize("case", BODIES)
def test_http_bodies(case: str, http, refused) -> None:
    body, code, words = BODIES[case]
    problem = refused(_post(http, body), 400 if code == "malformed" else 422, code)
    assert words in problem["detail"]
    assert _post(http, _GOOD_JSON).status_code == 200


def test_a_large_bad_body_gets_a_small_answer(http, refused) -> None:
    """Parsed off the event loop; 20,000 wrong cells are one complaint."""
    body = json.dumps({"x": [[1.0], *[[CANARY]] * 12_000], "y": COLUMN})
    assert len(body) > 64 * 1024
    refused(_post(http, body), 422, "not_numeric")
    assert _post(http, _GOOD_JSON).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_json_beyond_its_limit_is_sent_in_binary(http, chunked: bool, refused) -> None:
    """The same bytes are taken as .npy."""
    table = np.ones((10_000, 2))
    file = io.BytesIO()
    np.save(file, table)
    content = json.dumps({"x": table[:, :1].tolist(), "y": table[:, 1:].tolist()}).encode()
    content += b" " * (len(file.getvalue()) - len(content))
    assert MOST_JSON < len(content) == len(file.getvalue()) < 200_000
    problem = refused(_post(http, iter([content]) if chunked else content), 413, "too_large")
    size = f"more than {MOST_JSON}" if chunked else len(content)
    assert problem["detail"] == (
        f"the body has {size} bytes, and in JSON it may have {MOST_JSON}; send one problem as "
        "application/x-npy, or many as application/x-safetensors"
    )
    assert http.get("/v1/limits").json()["max_json_bytes"] == MOST_JSON
    headers = {"content-type": "application/x-npy"}
    assert http.post("/v1/estimate", content=file.getvalue(), headers=headers).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_an_oversize_body_is_413(http, chunked: bool, refused) -> None:
    body = b" " * 300_000
    response = _post(http, iter([body[:150_000], body[150_000:]]) if chunked else body)
    refused(response, 413, "too_large")
    assert _post(http, _GOOD_JSON).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json; charset=tutf-8"},
        {"content-type": "application/json; charset="},
        {"content-type": ""},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_another_media_type_is_415(http, headers, refused) -> None:
    response = http.post("/v1/estimate", content=_GOOD_JSON, headers=headers)
    refused(response, 415, "unsupported_media_type")
    assert response.headers.get("accept-encoding") == ("identity" if "content-encoding" in headers else None)


@pytest.mark.parametrize(
    "media", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_any_spelling_is_accepted(http, media: str) -> None:
    response = http.post("/v1/estimate", content=_GOOD_JSON, headers={"content-type": media})
    assert response.status_code == 200


def test_a_byte_order_mark_may_stand_before_json(http) -> None:
    content = b"\xef\xbb\xbf" + _GOOD_JSON.encode()
    response = http.post("/v1/estimate", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 200


_CELLS = {
    "nan": "nan",
    "infinity": "-inf",
    "text": CANARY + "x",
    "true": "true",
    "null": "",
    "5000 digits": "1" + "0" * 4999,
}


@pytest.mark.parametrize("case", _CELLS)
def test_command_line(
    case: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fake: FakeEstimator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "_shared", None)
    monkeypatch.setattr(estimators, "load", lambda: fake)
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    lines = [f"{a},{b}" for (a, b) in GOOD]
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("\n".join(["a,b", *lines]))
    lines[3] = f"1.5,{_CELLS[case]}"
    bad.write_text("\n".join(["a,b", *lines]))
    assert cli.main(["estimate", str(bad), "--x=a", "--y=b"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "line 5, column 'b'" in err
    assert len(err) < 4096
    assert CANARY not in err
    assert cli.main(["estimate", str(good), "--x=a", "--y=b"]) == 0


def test_command_line_with_too_few_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    path = tmp_path / "short.csv"
    path.write_text("a,b\n" + "1,2\n" * 9)
    assert cli.main(["estimate", str(path), "--x=a", "--y=b"]) == 2
    assert "9 rows; at least 10" in capsys.readouterr().err
