"""Modules of the page against the library: the same bytes, costs, codes and numbers."""

import ast
import io
import itertools
from typing import Any

import numpy as np
import pytest
from fakes import FakeEstimator

from mizzle import cost, estimator, wire
from mizzle.questions import local_permutations, surrogates
from mizzle.service.formats import registry
from mizzle.service.formats.problem import Problem

RNG = np.random.default_rng(3)
TEXTS = ["a", 'say "so"', "back\\slash", "\u202eabc", "\U000e0001", "\n\t\x7f", "größe", "{x}%s"]
LEVELS = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
CALL = """async ([file, name, values]) => {
    const made = (await import(`/page/${file}.js`))[name](...values);
    return made instanceof Uint8Array ? Array.from(made) : made;
}"""


@pytest.fixture(scope="module")
def call(desk: Any):
    """What a function of a module gives for values of JSON."""
    return lambda file, name, *values: desk.evaluate(CALL, [file, name, list(values)])


def columns(*shape):
    return RNG.normal(size=shape)


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (3, 2), (11, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_npy_is_numpys(call, dx: int, dy: int, dtype) -> None:
    table = columns(17, dx + dy).astype(dtype)
    body = bytes(call("encode", "npy", table[:, :dx].T.tolist(), table[:, dx:].T.tolist()))
    saved = io.BytesIO()
    np.save(saved, table)
    assert body == saved.getvalue()


def test_safetensors_are_read_by_the_service(call) -> None:
    problems = [(columns(12, 2), columns(12, 1)), (columns(20, 1).astype("f4"), columns(20, 3))]
    sent = [{"x": x.T.tolist(), "y": y.T.tolist()} for x, y in problems]
    body = bytes(call("encode", "safetensors", sent))
    read = registry.parse_batch(registry.SAFETENSORS, body, {}, LEVELS, 10)
    for (x, y), asked in zip(problems, read, strict=True):
        assert isinstance(asked, Problem)
        assert np.array_equal(asked.x, x)
        assert np.array_equal(asked.y, y)
        assert asked.levels is None


def test_what_is_given_is_read_by_the_service(call) -> None:
    x, y, z = columns(17, 2), columns(17, 1), columns(17, 3)
    sent = [side.T.tolist() for side in (x, y, z)]
    single = registry.parse_problem(registry.NPY, bytes(call("encode", "npy", *sent)), _dims(2, 3), LEVELS)
    sides = [dict(zip(("x", "y", "given"), sent, strict=True)), {"x": sent[0], "y": sent[1]}]
    body = bytes(call("encode", "safetensors", sides))
    first, second = registry.parse_batch(registry.SAFETENSORS, body, {}, LEVELS, 10)
    for problem in (single, first):
        assert isinstance(problem, Problem)
        triple: Any = problem.triple
        assert triple.dims == (2, 1, 3)
        assert np.array_equal(problem.x, x)
        assert np.array_equal(problem.y, y)
    assert isinstance(second, Problem)
    assert second.triple is None


def _dims(x: int, given: int) -> dict[str, str]:
    return {"dim_x": str(x), "dim_given": str(given)}


@pytest.mark.parametrize("dims", [(1, 1, 1), (2, 1, 3), (1, 4, 2)])
def test_what_is_given_costs_the_service_no_more_than_the_page_counts(call, dims) -> None:
    x, y, z = (columns(300, d) for d in dims)
    problems = estimator.triple(x, y, z).problems
    counted = call("cost", "cost", {"x": [0] * dims[0], "y": [0] * dims[1], "given": [0] * dims[2], "n": 300})
    assert sum(cost.size(300, a.shape[1], b.shape[1]).cells for a, b in problems) <= counted


@pytest.mark.parametrize("memory", [0.0, 0.8, 0.97, 1.0])
def test_a_series_remembers_as_long_as_in_the_library(call, memory: float) -> None:
    series = np.zeros(400)
    for i, noise in enumerate(columns(399)):
        series[i + 1] = memory * series[i] + noise
    for values in (series, series.round(), np.sign(series)):
        length = surrogates.autocorrelation_length(values[:, None])
        assert call("surrogates", "autocorrelationLength", values.tolist()) == length


def test_the_nearest_rows_are_those_of_the_library(desk: Any) -> None:
    script = """async sides => (await import("/page/surrogates.js"))
        .neighbours(sides.map((side) => Float64Array.from(side)), sides[0].length, d3.randomLcg(1))"""
    column = columns(80, 1)
    nearest = [set(rows) for rows in desk.evaluate(script, column.T.tolist())]
    assert nearest == [set(rows) for rows in local_permutations.neighbours(column).tolist()]
    # Of several columns rows may be as far away as each other, so that the distances are compared.
    table = columns(80, 2)
    ranks = table.argsort(axis=0).argsort(axis=0)
    distances = np.abs(ranks[:, None] - ranks[None]).max(axis=2)
    rows = desk.evaluate(script, table.T.tolist())
    assert (
        np.sort(np.take_along_axis(distances, np.array(rows), 1))
        == np.sort(np.take_along_axis(distances, local_permutations.neighbours(table), 1))
    ).all()


@pytest.mark.parametrize("size", [(10, 1, 1), (569, 1, 1), (16, 5, 2), (10_000, 33, 64), (23, 8, 8)])
def test_costs_are_those_of_the_service(call, size) -> None:
    assert call("cost", "cells", *size) == cost.size(*size).cells


def test_summaries_are_those_of_the_library(call, new_fake: type[FakeEstimator]) -> None:
    for i in range(20):
        x = columns(50, 1)
        estimate = new_fake().run([new_fake().prepare(x, 0.1 * i * x + columns(50, 1))])[0]
        answer = wire.answer(estimate)
        for level in (0.5, 0.9, 0.99):
            assert call("posterior", "interval", answer, level) == pytest.approx(estimate.interval(level))
        for threshold in (0.02, 0.3, 5.0):
            assert call("posterior", "below", answer, threshold) == pytest.approx(estimate.below(threshold))


def test_the_line_of_normal_variables_is_their_formula(call) -> None:
    x, y = columns(300, 2), columns(300, 2)
    y[:, 0] += x[:, 1]
    whole, left, right = (np.corrcoef(side.T) for side in (np.hstack([x, y]), x, y))
    formula = -np.log(np.linalg.det(whole) / np.linalg.det(left) / np.linalg.det(right)) / 2
    assert call("gaussian", "gaussian", x.T.tolist(), y.T.tolist()) == pytest.approx(formula)
    huge = call("gaussian", "gaussian", (1e200 * x.T).tolist(), (1e-200 * y.T).tolist())
    assert huge == pytest.approx(formula)


@pytest.mark.parametrize("text", TEXTS)
def test_a_name_in_python_code_is_that_name(call, text: str) -> None:
    code = call("code", "quoted", text)
    assert ast.literal_eval(code) == text
    assert code.isprintable()


def test_similar_columns_stand_side_by_side(call, desk: Any) -> None:
    groups = [0, 1, 2, 0, 1, 2, 0, 1, 2]
    script = """async groups => (await import("/page/cluster.js"))
        .clustered(groups.length, (i, j) => Number(groups[i] !== groups[j]))"""
    order = [groups[i] for i in desk.evaluate(script, groups)]
    changes = sum(a != b for a, b in itertools.pairwise(order))
    assert changes == 2


def test_normal_variables_share_what_their_partial_correlation_says(call) -> None:
    z = columns(300, 1)
    x, y = z + columns(300, 1), z + columns(300, 1)
    precision = np.linalg.inv(np.corrcoef(np.hstack([x, y, z]).T))
    partial = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    sides = [side.T.tolist() for side in (x, y, z)]
    assert call("gaussian", "gaussian", *sides) == pytest.approx(-np.log(1 - partial**2) / 2)


def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(call) -> None:
    records = [{"x": "=1+1", "mi": -0.5, "y": 'a "b", c'}]
    assert call("save", "csv", records) == 'x,mi,y\r\n\'=1+1,-0.5,"a ""b"", c"\r\n'
