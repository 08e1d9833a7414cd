"""Ranks of integers are exact where floats are not."""

import decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzle.data.integers import dense_ranks

ID = 1_700_000_000_000_000_000  # of 19 digits; float64 holds every 256th of these

SAME: dict[str, Any] = {
    "int64": np.array([ID + 1, ID, ID + 1, ID + 2]),
    "uint64": np.array([2**64 - 2, 2**64 - 3, 2**64 - 2, 2**64 - 1], np.uint64),
    "times": np.array([ID + 1, ID, ID + 1, ID + 2], "M8[ns]"),
    "list": [ID + 1, ID, ID + 1, ID + 2],
    "both signs": [2**63, -1, 2**63, 2**63 + 1],
    "longer than any array has": [10**400 + 1, 10**400, 10**400 + 1, 10**400 + 2],
    "decimals": [decimal.Decimal(f"{ID}.{digit}") for digit in (2, 1, 2, 3)],
    "mixed": [1, decimal.Decimal("0.5"), 1.0, 1.5],
}


@pytest.mark.parametrize("kind", SAME)
def test_ranks_of_every_form_are_the_same(kind: str) -> None:
    assert dense_ranks(SAME[kind]).tolist() == [1, 0, 1, 2]


@given(st.lists(st.integers(), min_size=1))
def test_ranks_keep_order_and_ties(numbers: list[int]) -> None:
    ranks = dense_ranks(numbers)
    assert [ranks[i] < ranks[0] for i in range(len(numbers))] == [number < numbers[0] for number in numbers]
    assert set(ranks) == set(range(len(set(numbers))))
