"""What a small network is told of a sample: an estimate to start from, a scale, and features; in nats."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]


class Summary(NamedTuple):
    """A sample in numbers that neither names nor the order of rows change.

    Attributes:
        base: an estimate of I in nats, which the network corrects.
        scale: of its corrections, in nats; positive.
        bound: what I cannot exceed, in nats.
        features: shape (f,).
    """

    base: float
    scale: float
    bound: float
    features: Doubles


def positive(counts: Integers) -> Integers:
    """The counts that are not 0."""
    return counts[counts > 0]


def scaled(nats: list[float], base: float, scale: float) -> list[float]:
    """Estimates in nats as differences to the base, in units of the scale, large ones compressed."""
    return [float(v) for v in np.arcsinh((np.array(nats) - base) / scale)]
