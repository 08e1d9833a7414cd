"""Rows that come more than once: each different one is taken once, where the caller says so."""

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import FloatArray
from mizzle.types import Notice


def first_places(table: FloatArray) -> NDArray[np.int64]:
    """The places, in rising order, where the different rows of a table of shape (n, d) come first."""
    return np.sort(np.unique(table, axis=0, return_index=True)[1])


def left_out(before: int, after: int) -> tuple[Notice, ...]:
    """The notice about rows that were left out, if any."""
    if after == before:
        return ()
    text = f"{before - after} of {before} rows repeat another row and were left out, as deduplicate says"
    return (Notice("deduplicated", f"{text}; take all of them if each is an observation of its own"),)
