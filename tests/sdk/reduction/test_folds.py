"""Halves of the rows by what they hold."""

import numpy as np
import pytest

from mizzle.reduction import folds as module
from mizzle.reduction.folds import chunks, folds


def _table(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def _contents(x: np.ndarray, rows: np.ndarray) -> list[list[float]]:
    return list(x[rows].tolist())


@pytest.mark.parametrize("n", [20, 21, 500])
def test_every_row_is_in_one_half(n: int) -> None:
    first, second = folds(_table(n, 3), _table(n, 2, 1))
    assert sorted([*first, *second]) == list(range(n))
    assert len(first) - len(second) == n % 2


def test_neither_the_order_of_rows_nor_of_columns_nor_of_sides_matters() -> None:
    x, y = _table(100, 3), _table(100, 2, 1)
    wanted = [_contents(x, rows) for rows in folds(x, y)]
    order = np.random.default_rng(2).permutation(100)
    assert [_contents(x[order], rows) for rows in folds(x[order], y[order])] == wanted
    assert [_contents(x, rows) for rows in folds(x[:, ::-1], y)] == wanted
    assert [_contents(x, rows) for rows in folds(y, x)] == wanted


def test_the_sign_of_zero_does_not_matter() -> None:
    x, y = np.round(_table(100, 3)), _table(100, 1, 1)
    assert all(np.array_equal(*rows) for rows in zip(folds(x, y), folds(x * 1.0 + 0.0, y), strict=True))
    negative = np.where(x == 0, -0.0, x)
    assert all(np.array_equal(*rows) for rows in zip(folds(x, y), folds(negative, y), strict=True))


def test_equal_rows_of_a_discrete_sample_come_to_both_halves_alike() -> None:
    x, y = np.divmod(np.random.default_rng(0).integers(64, size=1000), 8)
    first, second = folds(x[:, None].astype(float), y[:, None].astype(float))
    counts = [np.bincount(8 * x[rows] + y[rows], minlength=64) for rows in (first, second)]
    assert np.abs(counts[0] - counts[1]).max() <= 1


@pytest.mark.parametrize("times", [2, 4])
def test_copies_of_a_row_come_to_the_same_half(times: int) -> None:
    x, y = _table(100, 3), np.random.default_rng(1).integers(2, size=(100, 1)).astype(float)
    halves = folds(np.tile(x, (times, 1)), np.tile(y, (times, 1)))
    first, second = ({row % 100 for row in rows.tolist()} for rows in halves)
    assert (len(first), len(second), first & second) == (50, 50, set())


def test_a_sample_of_equal_rows_has_two_halves_too() -> None:
    assert [len(rows) for rows in folds(np.ones((21, 3)), np.ones((21, 1)))] == [11, 10]


def test_a_half_is_a_random_sample() -> None:
    """The difference of the halves' means has standard deviation 2 / sqrt(n); 4 of these are allowed."""
    x = _table(2000, 20)
    first, second = folds(x, x[:, :1])
    assert np.abs(x[first].mean(axis=0) - x[second].mean(axis=0)).max() < 4 * 2 / np.sqrt(2000)


def test_wide_sides_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = _table(100, 30), _table(100, 2, 1)
    wanted = folds(x, y)
    monkeypatch.setattr(module, "CHUNK_CELLS", 70)
    assert len(chunks(100, 30)) == 50
    assert all(np.array_equal(*rows) for rows in zip(folds(x, y), wanted, strict=True))
