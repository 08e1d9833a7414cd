"""What every distribution of this room promises: samples, and its own mutual information.

Axes: `n` row (sample), `d` column (variable).
"""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import InvalidInput

Array = NDArray[np.float64]
Rng = np.random.Generator


class Truth(NamedTuple):
    """The true mutual information in nats; stderr 0 means closed form."""

    nats: float
    stderr: float = 0.0

    def rounded(self) -> "Truth":
        """To ten decimals: how many threads summed it shows from the fourteenth on."""
        return Truth(round(self.nats, 10), round(self.stderr, 10))


class Family(ABC):
    """A joint distribution of X (dim_x columns) and Y (dim_y columns) that knows I(X;Y).

    Attributes:
        name: a short label; evaluation tables group by it.
        dim_x, dim_y: columns on either side.
    """

    def __init__(self, name: str, dim_x: int, dim_y: int) -> None:
        if min(dim_x, dim_y) < 1:
            raise InvalidInput(f"{name} has {dim_x}+{dim_y} columns; each side needs at least 1")
        self.name, self.dim_x, self.dim_y = name, dim_x, dim_y

    @property
    def continuous(self) -> bool:
        """Whether every column has a density, so that no two rows can tie."""
        return True

    @abstractmethod
    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        """n independent rows: x of shape (n, dim_x) and y of shape (n, dim_y)."""

    @abstractmethod
    def mi(self) -> Truth:
        """I(X;Y) in nats."""

    @abstractmethod
    def pmi(self, x: Array, y: Array) -> Array:
        """log p(x,y) / (p(x) p(y)) of every row, in nats, shape (n,); its mean over p(x,y) is MI.

        Where the density p(x,y) is zero it is -inf.
        """

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}({self.name!r}, {self.dim_x}+{self.dim_y}, {self.mi().nats:.4f} nats)"


def closed_form(nats: float) -> Truth:
    """A Truth without error; rounding below zero is lifted to zero, since MI >= 0."""
    assert math.isfinite(nats), nats
    assert nats > -1e-6, nats
    return Truth(max(0.0, nats))
