"""A side that is prepared once gives what preparing each pair anew gives."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mizzle import errors
from mizzle.model import Estimator
from mizzle.model.preprocess import Table, pair, prepare, side


def sample(rng: np.random.Generator, n: int) -> np.ndarray:
    """Columns that are continuous, rounded, binary or constant."""
    kinds = rng.integers(0, 4, size=rng.integers(1, 5))
    values = rng.normal(size=(n, len(kinds)))
    for j, kind in enumerate(kinds):
        values[:, j] = (values[:, j], values[:, j].round(), values[:, j] > 0, 1.5)[kind]
    return values


def same(one: Table, other: Table) -> None:
    for field in dataclasses.fields(Table):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            np.testing.assert_equal(left, right)


@given(st.integers(0, 2**32), st.integers(10, 60))
def test_two_sides_make_the_same_table(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = [sample(rng, n) for _ in range(3)]
    sides = [side(values) for values in arrays]
    for i, j in [(0, 1), (1, 2), (2, 0), (1, 1)]:  # each side meets several others, and itself
        same(pair(sides[i], sides[j]), prepare(arrays[i], arrays[j]))


def test_the_answers_are_bitwise_the_same() -> None:
    rng, estimator = np.random.default_rng(3), Estimator.load()
    arrays = [sample(rng, 50) for _ in range(4)]
    sides = [estimator.side(values) for values in arrays]
    pairs = [(i, j) for i in range(4) for j in range(i)]
    one = estimator.run([estimator.pair(sides[i], sides[j]) for i, j in pairs])
    other = estimator.run([estimator.prepare(arrays[i], arrays[j]) for i, j in pairs])
    assert one == other


def test_too_many_columns_are_refused_as_by_prepare() -> None:
    estimator = Estimator.load()
    wide, narrow = np.zeros((10, estimator.max_columns + 1)), np.zeros((10, 1))
    for x, y in ((wide, narrow), (narrow, wide)):
        with pytest.raises(errors.TooManyColumns) as one:
            estimator.prepare(x, y)
        with pytest.raises(errors.TooManyColumns) as other:
            estimator.pair(estimator.side(x), estimator.side(y))
        assert str(one.value) == str(other.value)


def test_a_thread_pool_of_torch_answers_as_one_thread_does_and_leaves_the_threads_as_they_were() -> None:
    rng, estimator = np.random.default_rng(4), Estimator.load(engine="torch")
    units = [
        [estimator.prepare(x, x + rng.normal(size=(80, 1))) for x in rng.normal(size=(3, 80, 1))]
        for _ in range(6)
    ]
    before = torch.get_num_threads()
    with estimator.thread_pool() as pool:
        together = list(pool.map(estimator.run, units))
    assert torch.get_num_threads() == before
    for unit, answers in zip(units, together, strict=True):
        for one, other in zip(estimator.run(unit), answers, strict=True):
            assert one.values == pytest.approx(other.values, rel=1e-4, abs=1e-6)


def test_of_two_pools_the_last_to_end_puts_the_threads_back() -> None:
    estimator, before = Estimator.load(engine="torch"), torch.get_num_threads()
    first, second = estimator.thread_pool(), estimator.thread_pool()
    for context in (first, second):
        pool = context.__enter__()
        assert pool.submit(torch.get_num_threads).result(10) == 1
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert torch.get_num_threads() == before
