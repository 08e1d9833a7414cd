"""The inputs X of a channel: standardised columns, independent or correlated."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.elliptical import cholesky
from mizzle.metadata_gen.families.montecarlo import open_uniforms
from mizzle.metadata_gen.family import Array, Rng


@dataclass(frozen=True, eq=False)
class Inputs:
    """The law of X: columns with mean 0 and variance 1, independent or normal with a correlation matrix.

    Attributes:
        dim: number of columns.
        marginal: "normal", "uniform" or "laplace".
        dispersion: the correlation matrix of a normal, shape (dim, dim); None for independent columns.

    Raises:
        InvalidInput: there is no such marginal, or the dispersion does not fit.
    """

    dim: int
    marginal: str = "normal"
    dispersion: Array | None = None

    def __post_init__(self) -> None:
        shape = (self.dim, self.dim) if self.dispersion is None else self.dispersion.shape
        plain = self.dispersion is None or self.marginal == "normal"
        if self.marginal not in QUANTILES or not plain or shape != (self.dim, self.dim):
            raise InvalidInput(f"no {self.dim} {self.marginal!r} inputs with a dispersion of shape {shape}")

    def sample(self, rng: Rng, n: int) -> Array:
        """Draw n independent rows, shape (n, dim)."""
        return self.mixed(QUANTILES[self.marginal](open_uniforms(rng, (n, self.dim))))

    def mixed(self, z: Array) -> Array:
        """Give independent columns these correlations: z L^T with L L^T the dispersion, shape (n, dim)."""
        return z if self._factor is None else np.asarray(z @ self._factor.T)

    @cached_property
    def _factor(self) -> Array | None:
        return None if self.dispersion is None else cholesky(self.dispersion)


def _uniform_quantile(u: Array) -> Array:
    return np.asarray(math.sqrt(12.0) * (u - 0.5))


def _laplace_quantile(u: Array) -> Array:
    return np.asarray(np.copysign(np.log(1.0 - np.abs(2.0 * u - 1.0)), u - 0.5) * -math.sqrt(0.5))


QUANTILES: Final[Mapping[str, Callable[[Array], Array]]] = MappingProxyType(
    {"normal": ndtri, "uniform": _uniform_quantile, "laplace": _laplace_quantile}
)
