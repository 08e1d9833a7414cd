"""Bad requests of the Open Inference Protocol: refused in words without data, and the next is answered."""

import json
import random
from contextlib import suppress
from typing import Any

import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator
from oip_bodies import CANARY, DEFAULT, INFER, LENGTH, ROWS, body_of, refused, send, tensor

from mizzle.errors import InvalidInput
from mizzle.service.oip import protocol
from mizzle.service.settings import Settings
from mizzle.types import ModelInfo

GRID = (0.005, *DEFAULT, 0.995)
INFO = ModelInfo("fake", "0.0.1", "0" * 64)


def _good():
    x = [[0.5 * i, (-1.0) ** i] for i in range(ROWS)]
    return {
        "inputs": [
            {"name": "x", "datatype": "FP64", "shape": [ROWS, 2], "data": x},
            {"name": "y", "datatype": "FP64", "shape": [ROWS, 1], "data": [float(i) for i in range(ROWS)]},
        ]
    }


def _x(**members):
    """A change of the input x; a member that becomes None is taken out."""

    def change(request) -> None:
        changed = request["inputs"][0] | members
        request["inputs"][0] = {key: value for key, value in changed.items() if value is not None}

    return change


def _cell(value, datatype="FP64"):
    data = [[i, i + 1] for i in range(ROWS)]
    data[3][1] = value
    return _x(data=data, datatype=datatype)


def _whole(**members):
    return lambda request: request.update(members)


def _both(shape, data):
    def change(request) -> None:
        for entry in request["inputs"]:
            entry.update(shape=shape, data=data)

    return change


NAN, INF = float("nan"), float("inf")
FORM, SHAPE = "invalid_request", "invalid_shape"
COLUMN = list(range(ROWS))
BATCH: list[Any] = [COLUMN, [*COLUMN[:-1], None]]
PLACE = "x row 3, column 1"
# name: (what is changed in a good request, code, words)
BAD: dict[str, Any] = {
    "no inputs": (lambda request: request.pop("inputs"), FORM, "inputs"),
    "inputs an object": (_whole(inputs={}), FORM, "list of two"),
    "one input": (lambda request: request["inputs"].pop(), FORM, "list of two"),
    "three inputs": (lambda request: request["inputs"].append(request["inputs"][0]), FORM, "list of two"),
    "x twice": (lambda request: request["inputs"][1].update(name="x"), FORM, "twice"),
    "many inputs": (_whole(inputs=[{}] * 20_000), FORM, "list of two"),
    "input a number": (lambda request: request["inputs"].__setitem__(0, 31337), FORM, "an input must be"),
    "input z": (_x(name="z"), FORM, "another one than x and y"),
    "name a list": (_x(name=["x"]), FORM, "another one than x and y"),
    "no name": (_x(name=None), FORM, "no name"),
    "unknown field": (_whole(**{CANARY: 1}), FORM, "unknown field in the request"),
    "unknown field of an input": (_x(**{CANARY: 1}), FORM, "unknown field in an input"),
    "unknown parameter": (_whole(parameters={"priority": 1}), FORM, "the parameters of the request"),
    "shared memory": (_x(parameters={"shared_memory_region": CANARY}), FORM, "the parameters of an input"),
    "parameters a list": (_whole(parameters=[]), FORM, "must be a JSON object"),
    "parameters null": (_whole(parameters=None), FORM, "must be a JSON object"),
    "no datatype": (_x(datatype=None), FORM, "FP16, FP32, FP64, INT32, INT64"),
    "BOOL": (_x(datatype="BOOL"), FORM, "FP16, FP32, FP64, INT32, INT64"),
    "BYTES": (_x(datatype="BYTES"), FORM, "FP16, FP32, FP64, INT32, INT64"),
    "fp64": (_x(datatype="fp64"), FORM, "FP16, FP32, FP64, INT32, INT64"),
    "datatype a list": (_x(datatype=["FP64"]), FORM, "FP16, FP32, FP64, INT32, INT64"),
    "no shape": (_x(shape=None), SHAPE, "[n, d]"),
    "0-d": (_x(shape=[]), SHAPE, "[n, d]"),
    "4-d": (_x(shape=[1, 1, ROWS, 2]), SHAPE, "[n, d]"),
    "shape text": (_x(shape="12"), SHAPE, "[n, d]"),
    "size true": (_x(shape=[ROWS, True]), SHAPE, "positive whole"),
    "size a float": (_x(shape=[ROWS, 2.0]), SHAPE, "positive whole"),
    "size nan": (_x(shape=[ROWS, NAN]), SHAPE, "positive whole"),
    "size null": (_x(shape=[ROWS, None]), SHAPE, "positive whole"),
    "size -1": (_x(shape=[ROWS, -1]), SHAPE, "positive whole"),
    "no rows": (_x(shape=[0, 2], data=[]), SHAPE, "positive whole"),
    "size 2**64": (_x(shape=[2**64, 2]), SHAPE, "positive whole"),
    "shape of terabytes": (_x(shape=[2**40, 2**40]), SHAPE, "nor nested"),
    "terabytes, flat": (_x(shape=[2**40, 2**40], data=COLUMN), SHAPE, "has 12 numbers"),
    "other shape": (_x(shape=[2, ROWS]), SHAPE, "nor nested"),
    "flat, too few": (_x(data=COLUMN), SHAPE, "its shape makes 24"),
    "flat, too many": (_x(data=[1] * 25), SHAPE, "its shape makes 24"),
    "no data": (_x(data=[]), "too_few_samples", "x has no rows"),
    "ragged": (_x(data=[[0, 1]] * 11 + [[0]]), SHAPE, "x row 11"),
    "cell beside rows": (_x(data=[[0, 1]] * 11 + [1]), SHAPE, "x row 11"),
    "nested too deep": (_x(data=[[[0], [1]]] * 3), SHAPE, "nor nested"),
    "rows for one dimension": (_x(shape=[ROWS], data=[[0]] * ROWS), SHAPE, "nor nested"),
    "list as cell": (_x(shape=[ROWS], data=[1] * 11 + [[1]]), SHAPE, "others are lists"),
    "nested four deep": (_x(data=[[[[1]]]]), SHAPE, "lists nest two deep"),
    "nested, then deeper": (
        _x(data=[[0, 1]] * 11 + [[0, [1]]]),
        SHAPE,
        "x row 11, column 1 (counted from 0) holds",
    ),
    "nested, a problem a number": (_x(data=[[[1]], 1]), SHAPE, "problem 1 (counted from 0): x is a single"),
    "nested, ragged problems": (_x(shape=[2, 2, 1], data=[[[1], [2]], [[1]]]), SHAPE, "nor nested"),
    "nested, four problems": (_x(data=[[[1]]] * 4), "too_large", "more than 3 problems"),
    "data neither": (_x(data=None), FORM, "either data or"),
    "data a number": (_x(data=31337), SHAPE, "x is a single number"),
    "data text": (_x(data=CANARY), SHAPE, "x is text"),
    "data null": (lambda request: request["inputs"][0].update(data=None), SHAPE, "x is null"),
    "nan": (_cell(NAN), "not_finite", PLACE),
    "infinity": (_cell(-INF), "not_finite", PLACE),
    "text": (_cell(CANARY), "not_numeric", PLACE),
    "true": (_cell(True), "not_numeric", PLACE),
    "null": (_cell(None), "not_numeric", PLACE),
    "object": (_cell({CANARY: 1}), "not_numeric", PLACE),
    "true, INT32": (_cell(True, "INT32"), "not_numeric", PLACE),
    "text, flat": (_x(data=[1] * 7 + [CANARY] + [1] * 16), "not_numeric", "x row 7, column 0"),
    "2**53 + 1": (_cell(2**53 + 1), "precision_loss", PLACE),
    "2**53 + 1, INT64": (_cell(2**53 + 1, "INT64"), "precision_loss", PLACE),
    "400 digits": (_cell(10**399), "precision_loss", PLACE),
    "2**31, INT32": (_cell(2**31, "INT32"), "precision_loss", "INT32 has no room"),
    "-(2**31) - 1, INT32": (_cell(-(2**31) - 1, "INT32"), "precision_loss", "INT32 has no room"),
    "1.5, INT32": (_cell(1.5, "INT32"), "not_numeric", "its datatype is INT32"),
    "1e-9, INT64": (_cell(1e-9, "INT64"), "not_numeric", "its datatype is INT64"),
    "nan, INT64": (_cell(NAN, "INT64"), "not_finite", PLACE),
    "1e39, FP32": (_cell(1e39, "FP32"), "not_finite", "FP32 has no room"),
    "70000, FP16": (_cell(70000, "FP16"), "not_finite", "FP16 has no room"),
    "9 rows": (_both([9], COLUMN[:9]), "too_few_samples", "at least 10"),
    "unequal": (_x(shape=[11, 2], data=[[0, 1]] * 11), "length_mismatch", "11 rows and y has 12"),
    "wide": (_x(shape=[ROWS, 65], data=[0] * 12 * 65), "too_many_columns", "65 columns"),
    "one batched": (_x(shape=[1, ROWS, 2], data=[1] * 24), SHAPE, "same batch axis"),
    "batches of two sizes": (
        lambda request: [
            entry.update(shape=[b, ROWS, 1], data=[1] * b * ROWS)
            for entry, b in zip(request["inputs"], (2, 3), strict=True)
        ],
        SHAPE,
        "same batch axis",
    ),
    "bad cell in a batch": (
        _both([2, ROWS, 1], [[[cell] for cell in part] for part in BATCH]),
        "not_numeric",
        "problem 1 (counted from 0): x row 11, column 0",
    ),
    "wide batch": (
        _both([2, 10, 65], [1] * 1300),
        "too_many_columns",
        "problem 0 (counted from 0): x has 65",
    ),
    "levels a list": (_whole(parameters={"levels": [0.5]}), "invalid_level", "must be text"),
    "levels null": (_whole(parameters={"levels": None}), "invalid_level", "must be text"),
    "levels empty": (_whole(parameters={"levels": ""}), "invalid_level", "numbers between commas"),
    "levels words": (_whole(parameters={"levels": CANARY + "x"}), "invalid_level", "numbers between commas"),
    "level out of range": (_whole(parameters={"levels": "0.5,1"}), "invalid_level", "0.005 to 0.995"),
    "level nan": (_whole(parameters={"levels": "nan"}), "invalid_level", "numbers between commas"),
    "levels fall": (_whole(parameters={"levels": "0.5,0.25"}), "invalid_level", "increase"),
    "levels many": (_whole(parameters={"levels": "0.5," * 100 + "0.5"}), "invalid_level", ""),
    "timeout 0": (_whole(parameters={"timeout": 0}), FORM, "microseconds"),
    "timeout a float": (_whole(parameters={"timeout": 1e6}), FORM, "microseconds"),
    "timeout true": (_whole(parameters={"timeout": True}), FORM, "microseconds"),
    "timeout of 400 digits": (_whole(parameters={"timeout": 10**399}), FORM, "microseconds"),
    "binary 1": (_whole(parameters={"binary_data_output": 1}), FORM, "true or false"),
    "id a number": (_whole(id=42), FORM, "id must be text"),
    "id null": (_whole(id=None), FORM, "id must be text"),
    "id long": (_whole(id=CANARY * 60), FORM, "at most 256"),
    "other model": (_whole(model_name=CANARY), FORM, "model_name"),
    "other version": (_whole(model_version=CANARY), FORM, "model_version"),
    "output unknown": (_whole(outputs=[{"name": CANARY}]), FORM, "mi, median, quantiles"),
    "output a list": (_whole(outputs=[{"name": ["mi"]}]), FORM, "mi, median, quantiles"),
    "output twice": (_whole(outputs=[{"name": "mi"}] * 2), FORM, "each may be named once"),
    "output without a name": (_whole(outputs=[{}]), FORM, "mi, median, quantiles"),
    "output a word": (_whole(outputs=["mi"]), FORM, "an output must be"),
    "outputs an object": (_whole(outputs={"name": "mi"}), FORM, "must be a list"),
    "outputs null": (_whole(outputs=None), FORM, "must be a list"),
    "classification": (
        _whole(outputs=[{"name": "mi", "parameters": {"classification": 2}}]),
        FORM,
        "the parameters of an output",
    ),
    "binary_data a word": (
        _whole(outputs=[{"name": "mi", "parameters": {"binary_data": "true"}}]),
        FORM,
        "true or false",
    ),
}


MOST_JSON = 150_000


@pytest.fixture(scope="module")
def http(serve_here, new_fake: type[FakeEstimator]):
    """A connection to one service for all tables."""
    settings = Settings(max_body_bytes=200_000, max_json_bytes=MOST_JSON, max_request_problems=3)
    with serve_here(settings, new_fake()) as url, httpx2.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    "change", [lambda text: '{"inputs": 1, ' + text[1:], lambda text: text + " " * 20_000]
)
def test_of_two_members_the_last_counts_and_space_does_not(http, change) -> None:
    assert send(http, change(json.dumps(_good()))).status_code == 200


def test_a_long_json_object_is_sent_in_binary(http) -> None:
    """The same numbers as text are too long, and as bytes are not."""
    x = (np.arange(2 * 6000).reshape(-1, 2) % 7 + 1) / 16
    content, headers = body_of(tensor("x", x), tensor("y", x))
    assert MOST_JSON < len(content) < 200_000
    words = f"has {len(content)} bytes and may have {MOST_JSON}; send the numbers as binary data"
    refused(send(http, content, headers), 413, "too_large", words)
    content, headers = body_of(tensor("x", x, way="binary"), tensor("y", x, way="binary"))
    assert len(content) > MOST_JSON
    assert send(http, content, headers).status_code == 200


def _next_is_answered(http) -> None:
    assert send(http, json.dumps(_good())).status_code == 200


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_refused(http, case) -> None:
    change, code, words = BAD[case]
    request = _good()
    change(request)
    status = 413 if code == "too_large" else 422
    refused(send(http, json.dumps(request)), status, code, words)
    _next_is_answered(http)


GOOD_TEXT = json.dumps(_good())
TEXTS: dict[str, Any] = {
    "empty": ("", 400, "malformed"),
    "cut": (GOOD_TEXT[:-3], 400, "malformed"),
    "trailing": (GOOD_TEXT + CANARY, 400, "malformed"),
    "a list": ("[]", 422, FORM),
    "null": ("null", 422, FORM),
    "latin-1": (GOOD_TEXT.encode() + b"\xff", 400, "malformed"),
    "utf-16": (GOOD_TEXT.encode("utf-16"), 400, "malformed"),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + GOOD_TEXT.encode(), 400, "malformed"),
    "deep": ('{"inputs": ' + "[" * 90_000, 400, "malformed"),
    "deep objects": ('{"inputs":' * 15_000, 400, "malformed"),
    "4000 digits": (GOOD_TEXT.replace("[12, 2]", "[" + "9" * 4000 + "]"), 422, "invalid_shape"),
    "5000 digits": (GOOD_TEXT.replace("[12, 2]", "[" + "9" * 5000 + "]"), 400, "malformed"),
    "half a surrogate pair": ('{"id": "\\ud800", ' + GOOD_TEXT[1:], 400, "malformed"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_that_is_no_request_is_refused(http, case) -> None:
    refused(send(http, TEXTS[case][0]), *TEXTS[case][1:])
    _next_is_answered(http)


X, Y = np.arange(24.0).reshape(ROWS, 2) % 7, np.arange(12.0).reshape(ROWS, 1)


def _binary(x=X, y=Y, dtype="FP64", **changes):
    """A body with both inputs in binary, and the length of its object; x is changed."""
    entry, raw = tensor("x", x, dtype, "binary")
    content, headers = body_of((entry | changes, raw), tensor("y", y, way="binary"))
    return content, int(headers[LENGTH])


def _body(end=None, tail=b"", longer=0, **changes):
    """A changed body, cut, continued, or with a header that is not true."""
    content, length = _binary(**changes)
    return content[:end] + tail, {LENGTH: str(length + longer)}


def _header(text, content=None):
    return content or _binary()[0], {LENGTH: text}


SIZE = "binary_data_size"
SIXES = X == 6
# name: (body and headers, status, code, words)
BAD_BINARY: dict[str, Any] = {
    "no header": ((_binary()[0], {}), 400, "malformed", ""),
    "one byte short": (_body(end=-1), 400, "malformed", "ends before the binary data of y"),
    "no bytes": (_body(end=_binary()[1]), 400, "malformed", "ends before the binary data of x"),
    "one byte more": (_body(tail=b"\0"), 400, "malformed", "more bytes"),
    "object cut": (_body(longer=-1), 400, "malformed", ""),
    "object too long": (_body(longer=1), 400, "malformed", ""),
    "beyond the body": (_header("99999"), 400, "malformed", "the header"),
    "0": (_header("0"), 400, "malformed", ""),
    "negative": (_header("-1"), 400, "malformed", "the header"),
    "plus": (_header("+5"), 400, "malformed", "the header"),
    "hexadecimal": (_header("0x10"), 400, "malformed", "the header"),
    "exponent": (_header("1e2"), 400, "malformed", "the header"),
    "nothing": (_header(""), 400, "malformed", "the header"),
    "5000 digits": (_header("1" * 5000), 400, "malformed", "the header"),
    "other digits": (_header("²".encode("latin-1")), 400, "malformed", "the header"),
    "header for JSON alone": (_header("5", GOOD_TEXT), 400, "malformed", ""),
    "size of another datatype": (_body(parameters={SIZE: 96}), 422, SHAPE, "make 192 bytes"),
    "size true": (_body(parameters={SIZE: True}), 422, SHAPE, "make 192 bytes"),
    "size text": (_body(parameters={SIZE: "192"}), 422, SHAPE, "make 192 bytes"),
    "size null": (_body(parameters={SIZE: None}), 422, SHAPE, "make 192 bytes"),
    "size a float": (_body(parameters={SIZE: 192.0}), 422, SHAPE, "make 192 bytes"),
    "size negative": (_body(parameters={SIZE: -192}), 422, SHAPE, "make 192 bytes"),
    "shape larger": (_body(shape=[ROWS, 3]), 422, SHAPE, "make 288 bytes"),
    "shape of terabytes": (_body(shape=[2**40, 2**40], parameters={SIZE: 2**83}), 400, "malformed", "ends"),
    "data besides": (_body(data=[1]), 422, FORM, "either data or"),
    "no size": (_body(parameters={}), 422, FORM, "either data or"),
    "BYTES": (_body(datatype="BYTES"), 422, FORM, "FP16, FP32"),
    "nan": (_body(x=np.where(SIXES, NAN, X)), 422, "not_finite", "x row 3, column 0"),
    "infinity, FP16": (
        _body(x=np.where(SIXES, INF, X), dtype="FP16"),
        422,
        "not_finite",
        "x row 3, column 0",
    ),
    "2**53 + 1": (
        _body(x=np.where(SIXES, 2**53 + 1, X.astype(int)), dtype="INT64"),
        422,
        "precision_loss",
        "x row 3, column 0",
    ),
    "9 rows": (_body(x=X[:9], y=Y[:9]), 422, "too_few_samples", "at least 10"),
    "four problems": (_body(x=np.ones((4, ROWS, 1)), y=np.ones((4, ROWS, 1))), 413, "too_large", "at most 3"),
}


@pytest.mark.parametrize("case", BAD_BINARY)
def test_bad_binary_data_are_refused(http, case) -> None:
    (content, headers), *refusal = BAD_BINARY[case]
    refused(send(http, content, headers), *refusal)
    _next_is_answered(http)


def test_two_lengths_are_refused(http) -> None:
    content, length = _binary()
    both = [(LENGTH, str(length)), (LENGTH, str(length))]
    refused(http.post(INFER, content=content, headers=both), 400, "malformed", "the header")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-npy"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-encoding": "gzip"},
        {"content-encoding": "deflate", "content-type": "application/json"},
    ],
)
def test_another_media_type_is_415(http, headers) -> None:
    refused(send(http, GOOD_TEXT, headers), 415, "unsupported_media_type")


def test_a_large_body_is_413(http) -> None:
    refused(send(http, b" " * 200_001), 413, "too_large")


def test_whatever_a_body_is_it_is_read_or_refused() -> None:
    """A few bytes changed, cut, doubled or put in: nothing but numbers or our own refusals come of it."""
    rng = random.Random(0)
    whole, length = _binary()
    seeds = [(GOOD_TEXT.encode(), None), (whole, str(length)), (_binary(dtype="INT32")[0], None)]
    read = 0
    for _ in range(10_000):
        content, header = rng.choice(seeds)
        with suppress(InvalidInput):
            found = protocol.read(_mutated(content, rng), header, INFO, GRID, 3, 10_000)
            assert all(np.isfinite(side).all() for one in found.problems for side in one[:2])
            read += 1
    assert read > 100


def _mutated(content, rng):
    changed = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        i, j = sorted(rng.randrange(len(changed) + 1) for _ in range(2))
        match rng.randrange(4):
            case 0:
                changed[i : i + 1] = bytes([rng.randrange(256)])
            case 1:
                changed[i:i] = rng.choice([b"0", b"[", b"]", b'"', b"{}", b",", b"-", b"1e9", b"null", b"\0"])
            case 2:
                del changed[i : min(j, i + 8)]
            case 3:
                changed[j:j] = changed[i : min(j, i + 16)]
    return bytes(changed)
