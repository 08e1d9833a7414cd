"""`deduplicate`: each different row once, said and counted, whatever the order of the rows."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fakes import FakeEstimator

import mizzle
from mizzle import AsyncClient, Client, Estimate, tables
from mizzle.errors import TooFewSamples
from mizzle.tables.variables import variables

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 2)), RNG.normal(size=30)
TIMES = [2, 5, 25]


def by_many(x: object, y: object, **options: Any) -> Estimate:
    [answer] = mizzle.estimate_many([(x, y)], deduplicate=options["deduplicate"])
    return answer


def by_client(x: object, y: object, **options: Any) -> Estimate:
    return Client.local().estimate(x, y, **options)


def by_async_client(x: object, y: object, **options: Any) -> Estimate:
    return asyncio.run(AsyncClient.local().estimate(x, y, **options))


def by_async_many(x: object, y: object, **options: Any) -> Estimate:
    many = AsyncClient.local().estimate_many([(x, y)], deduplicate=options["deduplicate"])
    [answer] = asyncio.run(many)
    return answer


WAYS: list[Callable[..., Estimate]] = [mizzle.estimate, by_many, by_client, by_async_client, by_async_many]


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("way", WAYS)
def test_a_repeated_sample_gives_the_answer_of_the_sample(way: Callable[..., Estimate], times: int) -> None:
    estimate = way(np.tile(X, (times, 1)), np.tile(Y, times), deduplicate=True)
    alone = mizzle.estimate(X, Y)
    assert (estimate.mi, estimate.values, estimate.n) == (alone.mi, alone.values, 30)
    [notice] = [notice for notice in estimate.warnings if notice not in alone.warnings]
    assert notice.code == "deduplicated"
    assert notice.message.startswith(f"{30 * (times - 1)} of {30 * times} rows ")
    assert estimate.in_range == alone.in_range


@pytest.mark.parametrize("way", WAYS)
def test_without_copies_nothing_changes_and_nothing_is_said(way: Callable[..., Estimate]) -> None:
    assert way(X, Y, deduplicate=True) == mizzle.estimate(X, Y)


def test_the_order_of_the_rows_changes_nothing() -> None:
    x, y = np.tile(X, (3, 1)), np.tile(Y, 3)
    order = RNG.permutation(90)
    one, other = (mizzle.estimate(*pair, deduplicate=True) for pair in ((x, y), (x[order], y[order])))
    assert other.n == one.n
    np.testing.assert_allclose(other.values, one.values, rtol=0, atol=1e-6)


def test_rows_that_are_equal_on_one_side_alone_stay() -> None:
    assert mizzle.estimate(np.tile(Y, 2), RNG.normal(size=60), deduplicate=True).n == 60


def test_too_few_different_rows_are_an_error_of_their_pair() -> None:
    few = (np.tile(X[:9], (5, 1)), np.tile(Y[:9], 5))
    with pytest.raises(TooFewSamples, match="9 different rows"):
        mizzle.estimate(*few, deduplicate=True)
    with pytest.raises(TooFewSamples, match="pair 1 "):
        mizzle.estimate_many([(X, Y), few], deduplicate=True)
    good, bad, shape = mizzle.estimate_many([(X, Y), few, (X, 3)], deduplicate=True, errors="return")
    assert isinstance(good, Estimate)
    assert isinstance(bad, TooFewSamples)
    assert "pair" not in str(shape)


def frame(times: int = 1) -> dict[str, np.ndarray]:
    columns = {"a": X[:, 0], "b": X[:, 1], "c": np.where(Y > 1, np.nan, Y)}
    return {name: np.tile(column, times) for name, column in columns.items()}


def sides(table: object, **options: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    plan = tables.plan.Plan.all_pairs(variables(table, missing="drop", **options))
    return [(x, y) for chunk in plan.chunks(()) for x, y in chunk.arrays]


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("numbered", [False, True])
def test_a_repeated_table_has_the_pairs_of_the_table(times: int, numbered: bool) -> None:
    """Missing cells and a column of row numbers included."""
    row = {"row": np.arange(30.0 * times)} if numbered else {}
    repeated = sides({**frame(times), **row}, deduplicate=True)
    single = sides({**frame(), **({"row": row["row"][:30]} if row else {})})
    for one, other in zip(repeated, single, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)


def test_row_numbers_of_a_table_of_two_columns_count() -> None:
    """Or every different value of the other would be left, once."""
    table = {"row": np.arange(30.0), "label": np.arange(30.0) % 3}
    assert len(sides(table, deduplicate=True)[0][0]) == 30


def test_the_tables_say_it_once_a_pair() -> None:
    backend = Client.local(FakeEstimator())
    options: dict[str, Any] = {"missing": "drop", "progress": False, "deduplicate": True}
    for result in (
        tables.matrix(frame(2), backend=backend, **options),
        tables.rank(frame(2), "c", backend=backend, **options),
    ):
        for pair in result:
            assert [note.code for note in pair.notes] == ["deduplicated"]
            assert pair.notes[0].message.startswith("30 of 60 rows ")
            assert "deduplicated" in pair.record(0.9, 0.02)["warnings"]
            assert pair.severest() == []
