"""The contracts of maps of one side: they are injective, so they cannot change the mutual information."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array

Order = NDArray[np.intp]


class Injection(ABC):
    """An injective map of rows of dim_in columns to rows of dim_out columns.

    Raises:
        InvalidInput: either number of columns is below 1.
    """

    def __init__(self, dim_in: int, dim_out: int) -> None:
        if min(dim_in, dim_out) < 1:
            raise InvalidInput(f"a map of {dim_in} to {dim_out} columns; both must be at least 1")
        self.dim_in, self.dim_out = dim_in, dim_out

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The image of every row of x, shapes (n, dim_in) and (n, dim_out)."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dim_in} -> {self.dim_out})"


class SideMap(Injection):
    """An injective map whose inverse is known."""

    @abstractmethod
    def inverse(self, y: Array) -> Array:
        """The rows of shape (n, dim_in) whose image is y."""


class Chained(Injection):
    """Several injective maps after each other, the first of the list first.

    Raises:
        InvalidInput: there is no map, or one does not take what the one before gives.
    """

    def __init__(self, maps: Sequence[Injection]) -> None:
        if not maps or any(a.dim_out != b.dim_in for a, b in pairwise(maps)):
            raise InvalidInput(f"the maps {list(maps)} do not form a chain")
        super().__init__(maps[0].dim_in, maps[-1].dim_out)
        self.maps = tuple(maps)

    def forward(self, x: Array) -> Array:
        for each in self.maps:
            x = each.forward(x)
        return x


class Composed(Chained, SideMap):
    """Several maps with inverses after each other, which have an inverse together."""

    maps: tuple[SideMap, ...]

    def __init__(self, maps: Sequence[SideMap]) -> None:
        super().__init__(maps)

    def inverse(self, y: Array) -> Array:
        for each in reversed(self.maps):
            y = each.inverse(y)
        return y


def check_columns(dim: int, columns: Order) -> None:
    """Check that these are different columns of a side of dim columns.

    Raises:
        InvalidInput: one is missing from the side or comes twice.
    """
    if not set(columns.tolist()) <= set(range(dim)) or len(set(columns.tolist())) < len(columns):
        raise InvalidInput(f"columns {columns.tolist()} must be different ones of 0..{dim - 1}")
