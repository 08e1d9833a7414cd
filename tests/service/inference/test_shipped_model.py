"""The real thing: the shipped weights behind every door, with the same answer at each.

The tolerance of 1e-4 nats is for float32 sums that depend on who shares a batch.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

import mizzle
from mizzle import cost, wire
from mizzle import estimator as estimators
from mizzle.service.app import create_app
from mizzle.service.settings import Settings

DATA = Path(__file__).parents[3] / "examples" / "breast_cancer.csv"
SHAPES = [(1, 1), (2, 3), (5, 5)]
ROWS = 150
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def estimator():
    return estimators.load()


@pytest.fixture
def app(settings: Settings, estimator):
    """The real one in the place of the fake, for `play`."""
    return create_app(settings, estimator)


@pytest.fixture
def pairs(draw):
    return [draw(ROWS, dx, dy, seed=dx) for dx, dy in SHAPES]


def test_it_is_ready(play) -> None:
    response = play(lambda http: http.get(wire.READY))
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


def test_posted_problems_have_the_answers_of_the_package(play, pairs, as_body) -> None:
    async def post(http):
        return [await http.post(wire.PATH, json=as_body(pair)) for pair in pairs]

    for pair, response in zip(pairs, play(post), strict=True):
        assert response.status_code == 200
        there, here = response.json(), wire.answer(mizzle.estimate(*pair), wire.DEFAULT_LEVELS)
        assert there.keys() == here.keys()
        for name, value in here.items():
            numeric = name in ("mi", "median", "quantiles")
            assert there[name] == (pytest.approx(value, abs=TOLERANCE) if numeric else value), name


def test_a_client_over_a_socket_has_the_answers_of_the_package(
    serve_here, settings: Settings, estimator, pairs
) -> None:
    here = [mizzle.estimate(*pair) for pair in pairs]
    with serve_here(settings, estimator) as url, mizzle.Client(url) as client:
        assert client.ready()
        _check_same([client.estimate(*pair) for pair in pairs], here)
        _check_same(client.estimate_many(pairs), here)


def test_many_rows_over_a_socket_are_in_range(serve_here, settings: Settings, estimator, draw) -> None:
    """In blocks of their rows, by the limits as they are."""
    pair = draw(30_000, 1, 1)
    limits = {"max_body_bytes": 2**20, "max_problem_cells": Settings().max_problem_cells}
    with serve_here(settings.model_copy(update=limits), estimator) as url, mizzle.Client(url) as client:
        there, here = client.estimate(*pair), mizzle.estimate(*pair)
    assert there.values == pytest.approx(here.values, abs=TOLERANCE)
    assert (there.n, there.in_range, there.warnings) == (30_000, True, here.warnings)
    assert [notice.code for notice in there.warnings] == ["blocks"]


def test_a_million_rows_are_within_the_limits() -> None:
    assert cost.size(1_000_000, 1, 1).cells <= Settings().max_problem_cells


def _check_same(there, here) -> None:
    for one, other in zip(there, here, strict=True):
        assert one.mi == pytest.approx(other.mi, abs=TOLERANCE)
        assert one.values == pytest.approx(other.values, abs=TOLERANCE)
        assert (one.levels, one.n, one.dim_x, one.dim_y) == (other.levels, ROWS, other.dim_x, other.dim_y)
        assert (one.in_range, one.warnings, one.model) == (other.in_range, other.warnings, other.model)


def test_the_command_answers_about_the_shipped_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    command = [
        sys.executable,
        "-m",
        "mizzle",
        "estimate",
        str(DATA),
        "--x",
        "mean_radius",
        "--y",
        "worst_area",
    ]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (answer["n"], answer["dim_x"], answer["dim_y"]) == (569, 1, 1)
    assert all(map(math.isfinite, [answer["mi"], answer["median"], *answer["quantiles"].values()]))
    assert answer["mi"] > 0
