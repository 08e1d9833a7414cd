"""What a sample is warned of: copies of rows and series are noticed, and clean tables are not."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn import datasets

from mizzle.model import Estimator
from mizzle.model.preprocess import prepare

Rng = np.random.Generator
Sample = tuple[np.ndarray, np.ndarray]


def codes(x: np.ndarray, y: np.ndarray) -> list[str]:
    n = len(x)
    return [notice.code for notice in prepare(x.reshape(n, -1), y.reshape(n, -1)).warnings]


def normals(rng: Rng, n: int, r: float = 0.6) -> Sample:
    x = rng.normal(size=n)
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=n)


def again(sample: Sample, rows: np.ndarray) -> Sample:
    x, y = sample
    return np.concatenate([x, x[rows]]), np.concatenate([y, y[rows]])


def rounded(sample: Sample, decimals: int) -> Sample:
    return sample[0].round(decimals), sample[1].round(decimals)


def one_label(sample: Sample, decimals: int = 9) -> Sample:
    return sample[0].round(decimals), np.sign(sample[1])


def zeros(sample: Sample) -> Sample:
    return np.maximum(sample[0], 0.0), np.maximum(sample[1], 0.0)


def counts(rate: np.ndarray, rng: Rng) -> Sample:
    return rng.poisson(rate).astype(float), rng.poisson(rate).astype(float)


def labels(rng: Rng, n: int, levels: int, share: float) -> Sample:
    """Labels, of which a share is the same under other names."""
    x = rng.integers(levels, size=n)
    y = np.where(rng.random(n) < share, rng.permutation(levels)[x], rng.integers(levels, size=n))
    return x.astype(float), y.astype(float)


@pytest.mark.parametrize("table", ["iris", "wine", "diabetes", "breast_cancer"])
def test_no_pair_of_a_clean_table_is_warned_of(table: str) -> None:
    data = getattr(datasets, f"load_{table}")()
    columns = [*data.data.T, data.target.astype(float)]
    for i, x in enumerate(columns):
        for y in columns[:i]:
            assert codes(x, y) == []


CLEAN: dict[str, Callable[[Rng], Sample]] = {
    "continuous": lambda rng: normals(rng, 500),
    "two decimals": lambda rng: rounded(normals(rng, 500), 2),
    "one decimal": lambda rng: rounded(normals(rng, 500), 1),
    "one decimal, strong": lambda rng: rounded(normals(rng, 500, 0.98), 1),
    "whole numbers": lambda rng: rounded(normals(rng, 500), 0),
    "a label": lambda rng: one_label(normals(rng, 500), 1),
    "counts": lambda rng: counts(rng.gamma(4, size=500), rng),
    "labels": lambda rng: labels(rng, 2000, 30, 0.7),
    "labels under other names": lambda rng: labels(rng, 2000, 100, 1.0),
    "many zeros": lambda rng: zeros(normals(rng, 500)),
    "a design": lambda rng: (np.repeat(np.arange(5.0), 60), np.tile(np.arange(20.0), 15)),
    "people in groups": lambda rng: (np.repeat(np.arange(40.0), 10), np.repeat(np.arange(40.0) % 3, 10)),
    "few copies": lambda rng: again(normals(rng, 500), np.arange(10)),
}


@pytest.mark.parametrize("kind", CLEAN)
def test_repeats_that_are_natural_are_no_copies(kind: str) -> None:
    x, y = CLEAN[kind](np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(len(x))
    assert codes(x[order], y[order]) == []
    assert codes(y[order], x[order]) == []


SOURCES: dict[str, Callable[[Rng], Sample]] = {
    "continuous": lambda rng: normals(rng, 200),
    "independent": lambda rng: normals(rng, 200, 0.0),
    "one decimal": lambda rng: rounded(normals(rng, 200), 1),
    "a label": lambda rng: one_label(normals(rng, 200)),
    "three columns": lambda rng: (rng.normal(size=(200, 3)), rng.normal(size=(200, 2))),
}


@pytest.mark.parametrize("times", [2, 5, 25])
@pytest.mark.parametrize("source", SOURCES)
def test_a_table_that_is_repeated_is_reported_with_the_share(source: str, times: int) -> None:
    x, y = SOURCES[source](np.random.default_rng(3))
    x, y = (side.reshape(200, -1) for side in (x, y))
    distinct = len(np.unique(np.hstack([x, y]), axis=0))
    rows = np.random.default_rng(4).permutation(np.tile(np.arange(200), times))
    [notice] = prepare(x[rows], y[rows]).warnings
    assert notice.code == "repeated_rows"
    assert notice.message.startswith(f"{1 - distinct / len(rows):.0%} of the rows are copies")
    assert "too high" in notice.message
    assert "deduplicate=True" in notice.message


@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("n", [100, 1000])
def test_partial_copies_are_reported(n: int, share: float) -> None:
    rng = np.random.default_rng(5)
    x, y = again(normals(rng, n), rng.integers(n, size=int(share * n)))
    assert codes(x, y) == ["repeated_rows"]
    assert codes(y, x) == ["repeated_rows"]
    assert codes(x.round(1), y) == ["repeated_rows"]  # one side with ties of its own


def test_an_estimate_of_copies_is_not_in_range() -> None:
    rng, estimator = np.random.default_rng(6), Estimator.load()
    sample = normals(rng, 400, 0.45)
    assert estimator.estimate(*sample).in_range
    assert not estimator.estimate(*again(sample, rng.integers(400, size=80))).in_range


@pytest.mark.parametrize("n", [60, 500, 5000])
def test_two_series_are_reported_and_draws_are_not(n: int) -> None:
    rng = np.random.default_rng(8)
    walks = rng.normal(size=(2, n)).cumsum(axis=1)
    draws = rng.normal(size=(2, n, 8))
    assert "rows_alike" in codes(*walks)
    assert "rows_alike" not in codes(*draws)
    assert "rows_alike" not in codes(walks[0], draws[0])  # one series among draws does no harm


@pytest.mark.parametrize("n", [60, 500, 5000])
def test_a_table_sorted_by_a_label_is_no_series(n: int) -> None:
    rng = np.random.default_rng(9)
    label = np.sort(rng.integers(3, size=n))
    x, y = label * [[3.0], [4.0]] + rng.normal(size=(2, n))
    for pair in ((x, y), (x, label * 1.0), (label * 1.0, y)):
        assert codes(*pair) == []


def test_a_wave_in_noise_is_a_series() -> None:
    time, noise = np.arange(300) / 5, np.random.default_rng(10).normal(size=(2, 300)) * 0.3
    assert codes(np.sin(time) + noise[0], np.cos(time) + noise[1]) == ["rows_alike"]
