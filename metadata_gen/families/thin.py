"""Signals spread thinly over many columns that still leave one number to integrate over: the radius of a row.

Axes: `k` class, `g` node, `n` row.
"""

import math
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from scipy.special import gammaln, logsumexp, xlogy  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.mixtures import Labels, nearest_codes
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

NODES: Final = 600  # of a Gauss-Legendre rule: exact for what changes over more than a few nodes
REACH: Final = 6.0  # of a radius about sqrt(d), whose standard deviation is at most .71
MIN_NOISE: Final = 0.04  # of a radius; smaller noise falls between the nodes
CHUNK: Final = 4096  # rows at a time, which bounds the memory that a density takes


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return np.asarray(nodes), np.asarray(weights)


def _rule(low: float, high: float) -> tuple[Array, Array]:
    """Nodes and weights of the integral from low to high, both of shape (g,)."""
    nodes, weights = _legendre()
    half = (high - low) / 2.0
    return low + half * (nodes + 1.0), half * weights


def _radii(dim: int) -> tuple[Array, Array]:
    """Nodes r and probabilities of |Z| ~ chi_d, Z ~ N(0, 1) in d columns, both of shape (g,)."""
    r, weights = _rule(max(0.0, math.sqrt(dim) - REACH), math.sqrt(dim) + REACH)
    log_density = xlogy(dim - 1.0, r) - r * r / 2.0 - (dim / 2.0 - 1.0) * math.log(2.0) - gammaln(dim / 2.0)
    return r, np.asarray(weights * np.exp(log_density))


class NoisyRadius(Family):
    """Y = |X| + s E with X ~ N(0, 1) in d columns and E ~ N(0, 1): I = h(Y) - 1/2 log(2 pi e s^2) nats.

    p(y) = int N(y; r, s^2) chi_d(r) dr, and h(Y), are integrals over one number (Gauss-Legendre).

    Args:
        dim: d, the number of columns of X.
        noise: s, at least MIN_NOISE.

    Raises:
        InvalidInput: there is no column, or the noise is too small.
    """

    def __init__(self, dim: int, noise: float, name: str = "thin-radius") -> None:
        super().__init__(name, dim, 1)
        if not MIN_NOISE <= noise < math.inf:
            raise InvalidInput(f"noise is {noise}; it must be finite and at least {MIN_NOISE}")
        self.noise = noise
        self._r, self._probabilities = _radii(dim)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = rng.standard_normal((n, self.dim_x))
        return x, (_norm(x) + self.noise * rng.standard_normal(n))[:, None]

    def mi(self) -> Truth:
        return self._truth

    def pmi(self, x: Array, y: Array) -> Array:
        """log N(y; |x|, s^2) - log p(y)."""
        constant = math.log(self.noise * math.sqrt(2.0 * math.pi))
        of_noise = -(((y[:, 0] - _norm(x)) / self.noise) ** 2) / 2.0 - constant
        chunks = np.array_split(y[:, 0], len(y) // CHUNK + 1)
        return np.asarray(of_noise - np.concatenate([self._log_density(chunk) for chunk in chunks]))

    def _log_density(self, y: Array) -> Array:
        """log p(y), shape (n,)."""
        exponents = -(((y[:, None] - self._r) / self.noise) ** 2) / 2.0
        top = exponents.max(axis=1)
        sums = np.exp(exponents - top[:, None]) @ self._probabilities
        return np.asarray(np.log(sums) + top - math.log(self.noise * math.sqrt(2.0 * math.pi)))

    @cached_property
    def _truth(self) -> Truth:
        reach = REACH + 9.0 * self.noise
        y, weights = _rule(math.sqrt(self.dim_x) - reach, math.sqrt(self.dim_x) + reach)
        log_density = self._log_density(y)
        entropy = -float(weights @ (np.exp(log_density) * log_density))
        return closed_form(entropy - 0.5 * math.log(2.0 * math.pi * math.e * self.noise**2))


class ConcentricClasses(Family):
    """Y is the label of a class, and X ~ N(0, s_y^2) in d columns: r = log N(x; 0, s_y^2) - log p(x).

    p(x) = sum_k w_k N(x; 0, s_k^2). Both depend on x through |x| alone, and |x| / s_y ~ chi_d, so that I =
    E[r] nats is an integral over one number for each class (Gauss-Legendre).

    Args:
        weights: w, shape (k,), positive with sum 1.
        widths: s, shape (k,), positive.
        dim: d, the number of columns of X.
        codes: the row that stands for each label, shape (k, dim_y), all different.

    Raises:
        InvalidInput: shapes do not agree, weights or widths are not positive, weights do not add up to 1, or
            two codes are equal.
    """

    def __init__(
        self, weights: Array, widths: Array, dim: int, codes: Array, name: str = "thin-concentric"
    ) -> None:
        super().__init__(name, dim, codes.shape[1])
        if not weights.shape == widths.shape == (len(np.unique(codes, axis=0)),) == (len(codes),):
            raise InvalidInput(f"{weights.shape} weights, {widths.shape} widths and {len(codes)} codes")
        if not (np.all(weights > 0.0) and abs(weights.sum() - 1.0) < 1e-9 and np.all(widths > 0.0)):
            raise InvalidInput(f"weights {weights} must be positive with sum 1, and widths {widths} positive")
        self.weights, self.widths, self.codes = weights, widths, codes

    @property
    def continuous(self) -> bool:
        return False

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        labels = rng.choice(len(self.weights), n, p=self.weights)
        return self.widths[labels, None] * rng.standard_normal((n, self.dim_x)), self.codes[labels]

    def mi(self) -> Truth:
        return self._truth

    def pmi(self, x: Array, y: Array) -> Array:
        """log N(x; 0, s_y^2) - log p(x), y being the label whose code is nearest."""
        return self._log_ratio(_norm(x), nearest_codes(y, self.codes))

    def _log_ratio(self, radius: Array, labels: Labels) -> Array:
        """r at these radii of x, shape (n,)."""
        log_densities = -0.5 * (radius[:, None] / self.widths) ** 2 - self.dim_x * np.log(self.widths)
        own = np.take_along_axis(log_densities, labels[:, None], axis=1)[:, 0]
        return np.asarray(own - logsumexp(log_densities, axis=1, b=self.weights))

    @cached_property
    def _truth(self) -> Truth:
        r, probabilities = _radii(self.dim_x)
        labels = np.arange(len(self.weights)).repeat(len(r))
        ratios = self._log_ratio(np.outer(self.widths, r).ravel(), labels).reshape(-1, len(r))
        return closed_form(float(self.weights @ ratios @ probabilities))


def _norm(x: Array) -> Array:
    """|x| of every row, shape (n,)."""
    return np.asarray(np.sqrt((x * x).sum(axis=1)))
