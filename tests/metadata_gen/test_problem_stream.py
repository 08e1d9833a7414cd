"""Problem i of a stream depends on (seed, i) and on nothing else."""

from itertools import islice

import numpy as np
import pytest

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.stream import DataSet, dataset, stream


def fingerprint(data: DataSet) -> tuple[object, ...]:
    return data.index, data.family, data.x.tobytes(), data.y.tobytes(), data.truth


def test_order_of_access_does_not_matter() -> None:
    forwards = [fingerprint(dataset(5, i)) for i in range(60)]
    backwards = [fingerprint(dataset(5, i)) for i in reversed(range(60))]
    assert forwards == backwards[::-1]


def test_global_randomness_does_not_matter() -> None:
    first = fingerprint(dataset(5, 3))
    np.random.seed(0)  # noqa: NPY002  # the global state is what must not be looked at
    assert fingerprint(dataset(5, 3)) == first


def test_stream_is_its_data_sets_from_anywhere() -> None:
    resumed = [fingerprint(data) for data in islice(stream(5, start=7), 5)]
    assert resumed == [fingerprint(dataset(5, i)) for i in range(7, 12)]


def test_problems_differ_between_indices_and_seeds() -> None:
    prints = {fingerprint(dataset(seed, i))[2] for seed in range(20) for i in range(20)}
    assert len(prints) == 400


@pytest.mark.parametrize("i", range(30))
def test_sides_have_the_same_rows(i: int) -> None:
    data = dataset(2**70, i)
    assert len(data.x) == len(data.y) >= 10
    assert data.index == i


@pytest.mark.parametrize(("seed", "i"), [(-1, 0), (0, -1)])
def test_negative_is_refused(seed: int, i: int) -> None:
    with pytest.raises(InvalidInput):
        dataset(seed, i)
