"""Columns without a partner: noise that may depend on itself inside a side, but never across."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.binned import bins, rounding_edges
from mizzle.metadata_gen.families.elliptical import cholesky, student_scale
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

Marginal = Literal["normal", "uniform", "student", "discrete", "rounded"]


@dataclass(frozen=True, eq=False)
class Noise:
    """Columns that are independent of the other side.

    Attributes:
        dispersion: correlation inside the side, shape (d, d).
        marginal: "normal" z = N(0, dispersion); "uniform" Phi(z); "student" sqrt(df/chi2) z; "discrete"
            floor(levels Phi(z)); "rounded" z in equal steps, by `rounding_edges`.
        df: degrees of freedom of "student".
        levels: number of values of "discrete", of steps of "rounded".
        skew: of "rounded".

    Raises:
        InvalidInput: there is no such marginal, df is not positive, or there are fewer than two levels.
    """

    dispersion: Array
    marginal: Marginal = "normal"
    df: float = 3.0
    levels: int = 2
    skew: float = 0.0

    def __post_init__(self) -> None:
        if self.marginal not in get_args(Marginal) or not self.df > 0.0 or self.levels < 2:
            raise InvalidInput(f"no noise {self.marginal!r} with df {self.df} and {self.levels} levels")

    @property
    def dim(self) -> int:
        """The number of columns."""
        return len(self.dispersion)

    @property
    def continuous(self) -> bool:
        """Whether no two rows can be equal."""
        return self.marginal not in ("discrete", "rounded")

    @cached_property
    def _edges(self) -> Array:
        return rounding_edges(self.levels, self.skew)

    @cached_property
    def _factor(self) -> Array:
        return cholesky(self.dispersion)

    def sample(self, rng: Rng, n: int) -> Array:
        """Draw n rows, shape (n, dim)."""
        z = rng.standard_normal((n, self.dim)) @ self._factor.T
        if self.marginal == "uniform":
            return np.asarray(ndtr(z))
        if self.marginal == "discrete":
            return np.asarray(np.floor(self.levels * ndtr(z)))
        if self.marginal == "rounded":
            return bins(np.asarray(ndtr(z)), self._edges)
        return z * student_scale(rng, n, self.df) if self.marginal == "student" else z


class Independent(Family):
    """X and Y are drawn separately: I = 0, whatever the dependence inside either side."""

    def __init__(self, side_x: Noise, side_y: Noise, name: str = "independent") -> None:
        super().__init__(name, side_x.dim, side_y.dim)
        self.side_x, self.side_y = side_x, side_y

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        return self.side_x.sample(rng, n), self.side_y.sample(rng, n)

    @property
    def continuous(self) -> bool:
        return self.side_x.continuous and self.side_y.continuous

    def mi(self) -> Truth:
        return closed_form(0.0)

    def pmi(self, x: Array, y: Array) -> Array:
        return np.zeros(len(x))
