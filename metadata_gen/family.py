"""The contract of every distribution here: it can be sampled, and it knows its own mutual information.

Axes: `n` row (sample), `d` column (variable). Samples x have shape (n, dim_x) and y (n, dim_y); information
is in nats everywhere.

A class of a distribution states its formula and its source. Its methods `sample`, `mi`, `pmi` and
`continuous` inherit the docstrings of `Family`, unless they have something of their own to say. The same
holds for the other base classes of this room: `Copula`, `Generator`, `Signal`, `Response`, `Standard`,
`Injection`, `SideMap` and `Warp`.
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
    """The true mutual information.

    Attributes:
        nats: I(X;Y) in nats, at least 0.
        stderr: its standard error in nats, where it was integrated by sampling; 0 for a closed form or a
            quadrature.
    """

    nats: float
    stderr: float = 0.0

    def rounded(self) -> "Truth":
        """Rounded to ten decimals, so that machines agree.

        Sums differ from the fourteenth decimal on with the number of threads that form them.
        """
        return Truth(round(self.nats, 10), round(self.stderr, 10))


class Family(ABC):
    """A joint distribution of X (dim_x columns) and Y (dim_y columns) that knows I(X;Y).

    Attributes:
        name: a short label; evaluation tables group by it.
        dim_x, dim_y: number of columns of either side.

    Raises:
        InvalidInput: a side has no column.
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
        """Draw n independent rows: x of shape (n, dim_x) and y of shape (n, dim_y)."""

    @abstractmethod
    def mi(self) -> Truth:
        """I(X;Y) in nats, with its standard error."""

    @abstractmethod
    def pmi(self, x: Array, y: Array) -> Array:
        """Pointwise mutual information log p(x,y) / (p(x) p(y)) of every row, in nats, shape (n,).

        Its mean over p(x,y) is I(X;Y). It is -inf where the joint density is zero.
        """

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}({self.name!r}, {self.dim_x}+{self.dim_y}, {self.mi().nats:.4f} nats)"


def closed_form(nats: float) -> Truth:
    """A truth without error. Rounding errors below zero are lifted to zero, since MI is never negative."""
    assert math.isfinite(nats), nats
    assert nats > -1e-6, nats
    return Truth(max(0.0, nats))
