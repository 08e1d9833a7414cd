"""Rows that come more than once: each different one is taken once, where the caller says so."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import MIN_ROWS, FloatArray, check_pair
from mizzle.errors import TooFewSamples
from mizzle.types import Estimate, Notice


def first_places(table: FloatArray) -> NDArray[np.int64]:
    """The places, in rising order, where the different rows of a table of shape (n, d) come first."""
    return np.sort(np.unique(table, axis=0, return_index=True)[1])


def without_copies(x: object, y: object) -> tuple[FloatArray, FloatArray, tuple[Notice, ...]]:
    """Every different row of two samples once, as `check_pair` gives them, and how many were left out.

    Raises:
        InvalidInput: as `check_pair`; TooFewSamples, too, where fewer than `MIN_ROWS` are left.
    """
    left, right = check_pair(x, y)
    rows = first_places(np.hstack([left, right]))
    if len(rows) < MIN_ROWS:
        raise TooFewSamples(f"x and y have {len(rows)} different rows; at least {MIN_ROWS} are needed")
    return left[rows], right[rows], left_out(len(left), len(rows))


def left_out(before: int, after: int) -> tuple[Notice, ...]:
    """The notice about rows that were left out, if any."""
    if after == before:
        return ()
    text = f"{before - after} of {before} rows repeat another row and were left out, as deduplicate says"
    return (Notice("deduplicated", f"{text}; take all of them if each is an observation of its own"),)


def noted(estimate: Estimate, notices: tuple[Notice, ...]) -> Estimate:
    """The estimate with these notices, too."""
    return replace(estimate, warnings=(*notices, *estimate.warnings)) if notices else estimate
