"""An endless stream of problems in which problem i depends on (seed, i) and on nothing else.

So workers may share the work in any order, and a run may resume anywhere. Bytes agree between machines as far
as numpy does: same version of numpy, same linear algebra library.
"""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen import prior
from mizzle.metadata_gen.family import Array, Family, Rng, Truth
from mizzle.metadata_gen.prior.ranges import EVERYTHING, ROWS, Limits


class DataSet(NamedTuple):
    """A sample together with its true mutual information.

    Attributes:
        index: i of `dataset(seed, i)`.
        family: label of the distribution.
        x, y: the sample, shapes (n, dim_x) and (n, dim_y).
        truth: I(X;Y) of the distribution in nats, rounded to ten decimals.
    """

    index: int  # type: ignore[assignment]  # shadows tuple.index, which no data set needs
    family: str
    x: Array
    y: Array
    truth: Truth


def dataset(seed: int, i: int, limits: Limits = EVERYTHING) -> DataSet:
    """Problem i of the stream with this seed. Other limits make another stream.

    Raises:
        InvalidInput: seed or i is negative, or the limits leave no rows or columns.
    """
    if min(seed, i) < 0:
        raise InvalidInput(f"seed is {seed} and i is {i}; neither may be negative")
    if limits.rows < ROWS[0] or limits.columns < 1:
        raise InvalidInput(f"{limits} leaves nothing; the least are {ROWS[0]} rows and 1 column")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i,)))
    return sampled(rng, i, prior.draw(rng, limits), limits)


def sampled(rng: Rng, i: int, family: Family, limits: Limits = EVERYTHING) -> DataSet:
    """Rows of a distribution, as problem i."""
    x, y = _varying(family, rng, prior.draw_rows(rng, family, limits))
    return DataSet(i, family.name, x, y, family.mi().rounded())


def _varying(family: Family, rng: Rng, n: int) -> tuple[Array, Array]:
    """A sample neither side of which is constant: few rows of discrete data may be, and then say nothing."""
    while True:
        x, y = family.sample(rng, n)
        if all((side != side[0]).any() for side in (x, y)):
            return x, y


def stream(seed: int, start: int = 0, limits: Limits = EVERYTHING) -> Iterator[DataSet]:
    """Problems start, start + 1, ... of the stream with this seed, without end."""
    return (dataset(seed, i, limits) for i in count(start))
