"""Maps and problems: truth against other estimators, exactly normal sides, discrete columns, dimensions."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.special import digamma
from scipy.stats import kstest
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from mizzle.adaptation import columns, dimension, imitation, problems, sides
from mizzle.adaptation.problems import Problem
from mizzle.model.threads import single_thread


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Small networks, whose threads would only wait for each other."""
    with single_thread():
        yield


def crescent(n: int, seed: int = 0) -> np.ndarray:
    """Rows on a bent cloud in the plane."""
    a, b = np.random.default_rng(seed).standard_normal((2, n))
    return np.stack([a, 0.7 * a * a + 0.5 * b], axis=1)


@cache
def fitted(kinds: str) -> sides.FittedSide:
    """A side with two continuous columns ("c"), with a discrete one of three levels ("d"), or with both."""
    rng = np.random.default_rng(1)
    levels = rng.choice((0.0, 1.0, 4.0), size=(600, 1), p=(0.5, 0.3, 0.2))
    values = np.hstack([{"c": crescent(600), "d": levels}[kind] for kind in kinds])
    names = tuple(map(str, range(values.shape[1])))
    return sides.fit(columns.read(values, names, "x"), rng, 12, lambda: False)


def drawn(left: str, right: str, count: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """Problems of exactly so many rows."""
    monkeypatch.setattr(problems, "MIN_ROWS", rows)
    made = problems.groups([(fitted(left), fitted(right))], 3, count, rows)
    return [problem for group in made for problem in group()]


def ksg(x: np.ndarray, y: np.ndarray, k: int = 4) -> float:
    """Kraskov, Stoegbauer & Grassberger 2004, equation 8, on ranks as normal scores."""
    rng = np.random.default_rng(0)
    x, y = (columns.normal_scores(side, rng) for side in (x, y))
    distances = cKDTree(np.hstack([x, y])).query(np.hstack([x, y]), k + 1, p=np.inf)[0][:, -1]
    radii = np.nextafter(distances, 0.0)
    inside = [cKDTree(s).query_ball_point(s, radii, p=np.inf, return_length=True) for s in (x, y)]
    return float(digamma(k) + digamma(len(x)) - np.mean(digamma(inside[0]) + digamma(inside[1])))


def check(deviations: list[float], bias: float) -> None:
    """Their mean is within 4 standard errors, and what such an estimator is known to be off by."""
    assert abs(np.mean(deviations)) < 4.0 * np.std(deviations) / len(deviations) ** 0.5 + bias


def test_truth_of_continuous_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every kind, with weak links, as neighbours underestimate strong ones by more than 0.03 nats."""
    weak = [p for p in drawn("c", "c", 40, 1000, monkeypatch) if p.nats < 0.8]
    for kind in ("pairs", "gated", "independent"):
        own = [p for p in weak if p.kind == kind]
        assert len(own) >= 3
        check([ksg(p.x, p.y) - p.nats for p in own], 0.03)
    assert np.mean([p.nats for p in weak if p.kind != "independent"]) > 0.15


def test_truth_of_two_discrete_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the plug-in estimate, whose bias is (levels - 1)^2 / 2n."""
    pairs = drawn("d", "d", 64, 4000, monkeypatch)
    check([mutual_info_score(p.x[:, 0], p.y[:, 0]) - 2 / 4000 - p.nats for p in pairs], 0.0)
    assert np.mean([p.nats for p in pairs]) > 0.1


def test_truth_of_a_discrete_and_a_continuous_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against Ross 2014, which takes one continuous column: here the sum of both, of independent halves."""
    pairs = [p for p in drawn("d", "c", 32, 1000, monkeypatch) if p.kind == "pairs"]
    upper = [p.nats - mutual_info_classif(p.y, p.x[:, 0], random_state=0).max() for p in pairs]
    assert min(upper) > -4.0 * 0.02  # a column tells no more than both do; 0.02: deviation at independence
    assert np.median(upper) < 0.1


def test_sides_stay_exactly_normal_inside() -> None:
    """A direction of the latents of either side, of many problems, by Kolmogorov and Smirnov."""
    rng = np.random.default_rng(2)
    for side in (0, 1):
        latents = []
        for _ in range(30):
            draft = problems._draft(fitted("cd"), fitted("c"), rng, 120)
            z = (draft.left, draft.right)[side].z
            direction = rng.standard_normal(z.shape[1])
            latents.append(z @ direction / np.linalg.norm(direction))
        assert kstest(np.concatenate(latents), "norm").pvalue > 1e-4


def test_each_problem_depends_on_its_number_alone() -> None:
    maps = [(fitted("cd"), fitted("c"))]
    small, large = (problems.groups(maps, 5, count, 150)[0]() for count in (3, 20))
    for a, b in zip(small, large[:3], strict=True):
        assert (a.nats, a.kind) == (b.nats, b.kind)
        np.testing.assert_allclose(a.x, b.x, rtol=1e-4, atol=1e-4)  # in single precision, in other batches


def test_every_map_of_x_meets_every_map_of_y(monkeypatch: pytest.MonkeyPatch) -> None:
    met = []
    monkeypatch.setattr(problems, "draw", lambda maps, *_: met.append(maps))
    maps: Any = [(f"x{i}", f"y{i}") for i in range(3)]
    for group in problems.groups(maps, 0, 9 * problems.GROUP, 100):
        group()
    assert set(met) == {(f"x{i}", f"y{j}") for i in range(3) for j in range(3)}


def test_levels_come_as_often_as_in_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    own = fitted("cd")
    real = own.columns.values[:, 2]
    rows = np.concatenate([p.x[:, 2] for p in drawn("cd", "c", 40, 500, monkeypatch)])
    for level in np.unique(real):
        share = np.mean(real == level)
        assert abs(np.mean(rows == level) - share) < 4.0 * np.sqrt(share * (1 - share) / len(rows))


def test_rows_that_are_imitated_are_hard_to_tell_from_real_ones() -> None:
    unseen = columns.read(crescent(400, seed=7), ("a", "b"), "x")
    report, (real, imitated) = imitation.compare(fitted("c"), unseen, np.random.default_rng(0))
    assert real.shape == imitated.shape == (400, 2)
    assert report.accuracy is not None
    assert (
        report.accuracy < 0.5 + 4.0 * 0.5 / 800**0.5 + 0.05
    )  # what a classifier finds by chance, and a little
    independent = np.random.default_rng(0).permuted(real, axis=0)
    assert imitation.distinguished(real, independent) > report.accuracy + 0.03


@pytest.mark.parametrize("k", [1, 2, 4])
def test_dimension(k: int) -> None:
    """Of normals in k of six dimensions; the estimate of 1,500 rows has a standard deviation below .05 k."""
    rng = np.random.default_rng(k)
    rows = rng.standard_normal((1500, k)) @ rng.standard_normal((k, 6))
    assert abs(dimension.intrinsic(rows) - k) < 0.25 * k


def test_columns_that_are_sums_of_others_get_no_latent() -> None:
    rows = crescent(400)
    both = np.hstack([rows, rows[:, :1]])
    side = sides.fit(columns.read(both, ("a", "b", "c"), "x"), np.random.default_rng(0), 3, lambda: False)
    assert side.latents == 2
    values = side.rows(np.random.default_rng(1).standard_normal((50, 2)), np.empty((50, 0)))
    assert np.abs(values[:, 0] - values[:, 2]).max() < 0.1  # ties in random order keep them from being equal
