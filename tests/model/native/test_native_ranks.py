"""Compiled ranks, numbers of rows and counts are those of `preprocess` and `counting`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzle.model import counting, native
from mizzle.model.preprocess import centred_ranks, side

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.reason()))

VALUES = {
    "normal": lambda rng, size: rng.normal(size=size),
    "huge and tiny": lambda rng, size: rng.normal(size=size) * 10.0 ** rng.integers(-300, 300, size),
    "subnormal": lambda rng, size: rng.integers(-3, 4, size) * 5e-324,
    "labels": lambda rng, size: rng.integers(0, 4, size).astype(float),
    "constant": lambda rng, size: np.full(size, -2.5),
    "both zeros": lambda rng, size: np.copysign(0.0, rng.normal(size=size)),
    "both zeros among numbers": lambda rng, size: np.where(
        rng.random(size) < 0.5, np.copysign(0.0, rng.normal(size=size)), rng.normal(size=size).round(1)
    ),
}


@pytest.fixture(params=VALUES)
def values(request: pytest.FixtureRequest) -> np.ndarray:
    rng = np.random.default_rng(5)
    drawn: np.ndarray = VALUES[request.param](rng, (int(rng.integers(10, 3000)), 5))
    return drawn


def test_ranks_are_those_of_numpy(values: np.ndarray) -> None:
    ranked = native.rank(values)
    ranks, distinct = centred_ranks(values)
    np.testing.assert_array_equal(ranked.ranks, ranks)
    np.testing.assert_array_equal(ranked.distinct, distinct)


def test_negative_zero_equals_zero() -> None:
    ranked = native.rank(np.array([[-0.0], [0.0], [1.0]]))
    assert ranked.distinct.tolist() == [2]
    assert ranked.ranks[0, 0] == ranked.ranks[0, 1]


@pytest.mark.parametrize(
    "strided",
    [np.asfortranarray, lambda v: v[::-1], lambda v: v[:, ::-2], lambda v: np.repeat(v, 3, 0)[::3]],
    ids=["column by column", "backwards", "every second column backwards", "every third row"],
)
def test_strides_do_not_matter(strided: object, values: np.ndarray) -> None:
    view = strided(values)  # type: ignore[operator]
    np.testing.assert_array_equal(native.rank(view).ranks, centred_ranks(np.ascontiguousarray(view))[0])


def test_likeness_of_neighbouring_rows_is_the_same(values: np.ndarray) -> None:
    values = np.column_stack([values, np.arange(len(values)) // 3])
    ranked = native.rank(values)
    assert ranked.alike[ranked.distinct > 1].max() == pytest.approx(side(values).alike, abs=1e-12)


def test_rows_have_the_same_numbers(values: np.ndarray) -> None:
    for columns in range(1, 6):
        prepared = side(values[:, :columns])
        numbers, count = native.number_rows(prepared.ranks)
        np.testing.assert_array_equal(numbers, prepared.rows)
        assert count == len(np.unique(prepared.rows))


LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=200)


@given(LABELS)
def test_counts_are_the_same(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.unique(labels, return_inverse=True)[1] for labels in zip(*pairs, strict=True))
    assert native.entropy(x) == pytest.approx(tuple(counting.entropy(x)), abs=1e-9)
    expected, counts = counting.information(x, y), native.information(x, y)
    assert (counts is None) == (expected is None)
    assert counts is None or counts == pytest.approx(tuple(expected or ()), abs=1e-9)
