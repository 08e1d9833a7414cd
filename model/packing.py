"""Ranked sides as a few large arrays: what workers share of a table, so that each column is ranked once.

Ranks are kept as 32-bit integers, which hold those of two thousand million rows, in half the memory.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.model.preprocess import Side, side_of

Arrays = Mapping[str, NDArray[Any]]


def packed(sides: Sequence[Side]) -> dict[str, NDArray[Any]]:
    """Sides over the same rows.

    Returns:
        `ranks` and `distinct` of all columns, shape (columns, n) and (columns,); `starts`, the first column
        of each side and the end of the last, shape (sides + 1,); `alike` and `whole`, shape (sides,).
    """
    starts = np.cumsum([0, *(len(side.ranks) for side in sides)])
    ranks = np.empty((starts[-1], sides[0].ranks.shape[1]), np.int32)
    for start, side in zip(starts, sides, strict=False):
        ranks[start : start + len(side.ranks)] = side.ranks
    return {
        "ranks": ranks,
        "distinct": np.concatenate([side.distinct for side in sides]),
        "starts": starts,
        "alike": np.array([side.alike for side in sides]),
        "whole": np.array([side.whole for side in sides]),
    }


def unpacked(arrays: Arrays, k: int) -> Side:
    """Side k, as it was."""
    columns = slice(*arrays["starts"][k : k + 2])
    ranks = arrays["ranks"][columns].astype(np.int64)
    distinct = np.array(arrays["distinct"][columns])
    return side_of(ranks, distinct, float(arrays["alike"][k]), bool(arrays["whole"][k]))
