"""Whatever a body holds: it is refused, or needs no more memory than the job is charged before it starts."""

import json
import tracemalloc

import numpy as np
import pytest
from fakes import FakeEstimator
from job_bodies import JSON, NPY, SAFETENSORS, json_body, npy_body, tensor_body

from mizzle.errors import InferenceFailed, TooLarge
from mizzle.service.jobs import memory, request, rows
from mizzle.service.jobs import runner as job_runner
from mizzle.service.jobs.repository import StoredInput
from mizzle.service.settings import Settings

CELLS, PAIRS = 200_000, 3000
SETTINGS = Settings(jobs_max_cells=CELLS, jobs_max_pairs=PAIRS, max_body_bytes=2**21)
BOUNDS = request.JobBounds(PAIRS, CELLS)
COLUMN = (np.arange(CELLS // 4) % 251).astype(np.uint8)[:, None]


def _gaps(n, p):
    values = np.random.default_rng(0).standard_normal((n, p)).astype(np.float32)
    for j in range(p):
        values[j :: p + 3, j] = np.nan
    return values


def _overlapping(p, size):
    return {f"g{i}": [f"c{(i + k) % p}" for k in range(size)] for i in range(p)}


BOMBS = {
    "ten thousand groups of one column": tensor_body(
        COLUMN, columns=["c0"], groups={f"g{i}": ["c0"] for i in range(10_000)}
    ),
    "sixty groups of one column": tensor_body(COLUMN, groups={f"g{i}": ["c0"] for i in range(60)}),
    "groups of all columns": tensor_body(COLUMN.reshape(-1, 50), groups=_overlapping(50, 50)),
    "a ranking of groups": tensor_body(
        COLUMN, what="rank", target="g0", groups={f"g{i}": ["c0"] for i in range(PAIRS)}
    ),
    "one row": tensor_body(np.ones((1, CELLS), np.uint8)),
    "a row of more than all cells": tensor_body(np.ones((1, 2**20), np.uint8)),
    "wide": tensor_body(np.ones((10, CELLS // 10), np.uint8)),
    "wide, in one group": tensor_body(
        np.ones((10, CELLS // 10), np.uint8),
        groups={"g": [f"c{i}" for i in range(1, CELLS // 10)]},
    ),
    "wide npy": npy_body(np.ones((10, CELLS // 10), np.float32)),
    "no rows": tensor_body(np.ones((0, 1000), np.uint8)),
    "many pairs": tensor_body(np.ones((10, 200), np.uint8)),
}
LEGAL = {
    "long": tensor_body(np.hstack([COLUMN, COLUMN[::-1]])),
    "as many pairs as may be": tensor_body(np.random.default_rng(0).random((CELLS // 70, 70), np.float32)),
    "as many columns as may be": tensor_body(_gaps(60, PAIRS), what="rank", target="c0", missing="drop"),
    "gaps": tensor_body(_gaps(2000, 70), missing="drop"),
    "overlapping groups": tensor_body(_gaps(500, 20), groups=_overlapping(20, 20), missing="drop"),
    "npy": npy_body(np.random.default_rng(0).random((3000, 60))),
    "json": json_body(np.arange(30_000).reshape(-1, 30) % 97),
}


def _media(name):
    return NPY if "npy" in name else JSON if "json" in name else SAFETENSORS


def _peak(work):
    """The result of some work, or its refusal, and the bytes that it held at most."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        try:
            result = work()
        except TooLarge as error:
            result = error
        return result, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _submit(media, body):
    return request.count_pairs(request.parse(media, body, {}, BOUNDS), FakeEstimator.levels, BOUNDS)


def _run(media, body):
    """All that a job does besides the model's work, with a copy of its body as the database returns it."""
    stored = StoredInput(media, "{}", bytes(bytearray(body)))
    prepared = job_runner._prepare(stored, BOUNDS, FakeEstimator.info, FakeEstimator.levels)
    refused = job_runner._refusal_rows(prepared.plan, prepared.refusals)
    count = sum(len(chunk.places) for chunk in prepared.plan.chunks(set(prepared.refusals)))
    return count + len(refused)


@pytest.mark.parametrize("work", [_submit, _run])
@pytest.mark.parametrize("name", BOMBS)
def test_a_body_that_would_grow_is_refused_before_it_does(name: str, work) -> None:
    body = BOMBS[name]
    result, peak = _peak(lambda: work(_media(name), body))
    assert isinstance(result, TooLarge)
    assert peak <= memory.job_bytes(len(body), SETTINGS)


@pytest.mark.parametrize("work", [_submit, _run])
@pytest.mark.parametrize("name", LEGAL)
def test_a_job_needs_no_more_than_it_is_charged(name: str, work) -> None:
    body = LEGAL[name]
    result, peak = _peak(lambda: work(_media(name), body))
    assert isinstance(result, int)
    assert peak <= memory.job_bytes(len(body), SETTINGS)


def test_the_charge_of_a_job_is_bounded() -> None:
    largest = memory.job_bytes(Settings().max_body_bytes, Settings())
    assert largest <= Settings().jobs_memory_bytes
    assert memory.job_bytes(100, Settings()) < largest / 20


def test_groups_are_refused_by_the_cells_that_they_have_together() -> None:
    spec = request.parse(SAFETENSORS, tensor_body(COLUMN, groups={f"g{i}": ["c0"] for i in range(4)}), {})
    assert request.count_pairs(spec, FakeEstimator.levels, BOUNDS) == 6
    body = tensor_body(COLUMN, groups={f"g{i}": ["c0"] for i in range(5)})
    with pytest.raises(TooLarge, match="columns and groups have more than 200000 cells"):
        request.count_pairs(request.parse(SAFETENSORS, body, {}), FakeEstimator.levels, BOUNDS)


def test_the_notices_of_a_large_group_are_not_stored_with_every_pair() -> None:
    values = np.ones((12, 1000), np.uint8)
    names = [f"c{i}" for i in range(100, 1000)]
    body = tensor_body(values, what="rank", target="g", groups={"g": names})
    spec = request.parse(SAFETENSORS, body, {})
    plan = request.make_plan(spec, BOUNDS)
    row = rows.answer_row(plan, (0, len(plan.variables) - 1), InferenceFailed("no answer"))
    notes = json.loads(row.notes)
    assert len(notes) == 50
    assert notes[-1][1].endswith("; and 851 more notices")
    assert len(row.notes) < 6000
