"""Numbers that float64 would round, as their ranks: only their order counts, and ranks keep it exactly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 2**53  # up to which float64 holds every integer


def dense_ranks(numbers: NDArray[Any] | Sequence[Any]) -> NDArray[np.float64]:
    """The place of each number among the different ones, from 0: equal numbers, equal ranks.

    Args:
        numbers: shape (n,): an array of integers or times, or Python numbers of any size and of types that
            can be compared (int, float, Decimal).

    Returns:
        Shape (n,).
    """
    # Never through np.array(numbers): of 2**63 beside -1 it would make floats.
    array = numbers if isinstance(numbers, np.ndarray) else np.array(numbers, dtype=object)
    return np.unique(array, return_inverse=True)[1].astype(np.float64)
