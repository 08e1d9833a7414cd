"""Requests of jobs, their results in three formats, and what the service and its worker tell each other."""

import csv
import io
import json
import math
from typing import Any

import numpy as np
from fuzz_bodies import GRID, INFO, tensors_of
from mutator import PLAIN
from target import Target, refusal

from mizzle import wire
from mizzle.client import jobs as client_jobs
from mizzle.errors import InvalidInput, MizzleError
from mizzle.service.inference import ipc
from mizzle.service.jobs import request, result_formats, rows
from mizzle.tables.plan import Plan
from mizzle.types import Estimate

_BOUNDS = request.JobBounds(pairs=200, cells=5000)
_MEDIA = {b"json": wire.JSON, b"npy": wire.NPY, b"safetensors": wire.SAFETENSORS}


def _check_request(content: bytes) -> str:
    """The first line is the format, and the query behind a question mark; the body follows."""
    line, _, body = content.partition(b"\n")
    word, _, text = line.partition(b"?")
    query = dict(part.partition("=")[::2] for part in text.decode("latin-1").split("&") if part)
    try:
        spec = request.parse(_MEDIA.get(word, "text/plain"), body, query, _BOUNDS)
        count = request.count_pairs(spec, GRID, _BOUNDS)
        plan = request.make_plan(spec, _BOUNDS)
    except InvalidInput as error:
        return refusal(error)
    assert count <= _BOUNDS.pairs
    assert len(plan.places) == count
    assert 0 < spec.level < 1
    assert math.isfinite(spec.threshold)
    _check_table(spec, word, body)
    _check_result(spec, plan)
    return "read"


def _check_table(spec: request.JobSpec, word: bytes, body: bytes) -> None:
    """The cells are those of the body, as another library reads them."""
    if word == b"json":
        table: Any = json.loads(body.removeprefix(b"\xef\xbb\xbf"))["table"]
        columns = [[row[j] for row in table] for j in range(len(table[0]))]
        assert repr([list(cells) for cells in spec.table.values()]) == repr(columns)
        return
    table = tensors_of(body)[0]["table"] if word == b"safetensors" else np.load(io.BytesIO(body))
    for cells, column in zip(spec.table.values(), table.T, strict=True):
        assert np.array_equal(np.asarray(cells), column, equal_nan=column.dtype.kind == "f")


def _check_result(spec: request.JobSpec, plan: Plan) -> None:
    """An answer or an error for every pair, written in every format and read again."""
    values = tuple(float(i) for i in range(len(GRID)))
    outcomes = [
        Estimate(3.0, GRID, values, 20, 1, 1, True, (), INFO) if i % 3 else InvalidInput("no, for a reason")
        for i in range(len(plan.places))
    ]
    answers = [rows.answer_row(plan, pair, out) for pair, out in zip(plan.places, outcomes, strict=True)]
    header = rows.header_of(rows.encode_about(spec, plan), rows.encode_fingerprint(plan, INFO, GRID))
    result = rows.result_of(header, answers)
    texts = {media: write(header, result) for media, write in result_formats.WRITERS.items()}
    records = json.loads(texts[wire.JSON])["pairs"]
    table = list(csv.DictReader(io.StringIO(texts[result_formats.CSV].decode(), newline="")))
    assert len(table) == len(records) == len(answers)
    for row, record in zip(table, records, strict=True):
        assert not row["x"].startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0"))
        assert row["x"].removeprefix("'") == record["x"].removeprefix("'")
    read = client_jobs._result(texts[wire.SAFETENSORS])
    assert [pair.x for pair in read] == [pair.x for pair in result]
    assert [repr(pair.mi) for pair in read] == [repr(pair.mi) for pair in result]


def _check_ipc_request(content: bytes) -> str:
    """What the worker reads is what was sent, or nothing at all."""
    try:
        pairs = ipc.read_request(content)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
        return "refused"  # the worker ends, and is replaced
    again = ipc.read_request(ipc.request(pairs))
    for pair, copy in zip(pairs, again, strict=True):
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(pair, copy, strict=True))
    return "read"


def _check_ipc_reply(content: bytes) -> str:
    try:
        results = ipc.results(ipc.read(content)["done"])
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, OverflowError, RecursionError):
        return "refused"
    for result in results:
        assert isinstance(result, MizzleError) or (isinstance(result, Estimate) and wire.is_sound(result))
    assert len(ipc.results(ipc.read(ipc.reply(results))["done"])) == len(results)
    return "read"


_FIELDS = (
    b'"table" "columns" "what" "target" "groups" "missing" "level" "unit" "threshold" "rank" "matrix"'.split()
    + b'"=1+1" "drop" "bits" json npy safetensors ?what=rank &target=c0 &level=0.9 "a" "b"'.split()
)
TARGETS = (
    Target("job-request", _check_request, PLAIN, _FIELDS, executions=3000),
    Target("ipc-request", _check_ipc_request, PLAIN, (b'{"run": ', b"\n", b"[10, 1, 1]", b"-1")),
    Target("ipc-reply", _check_ipc_reply, PLAIN, (b'"done"', b'"error"', b'"detail"', b'"quantiles"')),
)
