"""Truth by quasi Monte Carlo, for families whose density is known and whose MI has no closed form."""

from abc import abstractmethod
from functools import cached_property
from typing import Final

import numpy as np

from mizzle.metadata_gen.family import Array, Family, Rng, Truth

SEED: Final = 20_260  # of the integration alone; the samples of a data set have their own
REPLICATES: Final = 16
FIRST: Final = 192  # rows of a replicate in the first pass
MOST: Final = 2**12  # what would need more keeps its larger stderr, and the prior draws again
CHUNK: Final = 1024  # rows at a time, which fit the processor's cache


def tolerance(nats: float) -> float:
    """The largest standard error, in nats, that a truth of this size may have."""
    return max(0.002, 0.005 * nats)


class Integrated(Family):
    """A family whose rows are a function of `uniforms` independent U(0, 1) numbers each, and I the mean pmi.

    The uniforms of the integral come from randomly shifted lattices (Cranley & Patterson 1976), which spread
    more evenly than independent numbers. The pmi is regressed on `controls` whose mean is known to be 0
    (Glasserman 2003, section 4.1); the spread of the replicates is the standard error.
    """

    uniforms: int

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        return self.rows(open_uniforms(rng, (n, self.uniforms)))

    def mi(self) -> Truth:
        return self._truth

    @abstractmethod
    def rows(self, u: Array) -> tuple[Array, Array]:
        """The rows that u of shape (n, uniforms) stands for."""

    @abstractmethod
    def controls(self, u: Array) -> Array:
        """Functions of the same rows with mean 0, shape (n, c)."""

    @cached_property
    def _truth(self) -> Truth:
        rng, rows = np.random.default_rng(SEED), FIRST
        while True:
            truth = self._integrated(rng, rows)
            excess = truth.stderr / tolerance(truth.nats)
            if excess <= 1.0 or rows >= MOST or rows * excess**2 > 4.0 * MOST:
                return truth
            rows = int(rows * min(4.0, 1.0 + excess))  # stderr falls with the root of the rows, or faster

    def _integrated(self, rng: Rng, rows: int) -> Truth:
        """The mean of the replicates, `rows` each, and its standard error."""
        moments = [self._moments(lattice(rows, rng.random(self.uniforms))) for _ in range(REPLICATES)]
        means = np.array([moment[0] for moment in moments]) / rows
        covariance = np.sum(moments, axis=0) / (rows * REPLICATES) - np.outer(means.mean(0), means.mean(0))
        slopes = np.linalg.lstsq(covariance[2:, 2:], covariance[2:, 1], rcond=1e-9)[0]
        estimates = means[:, 1] - means[:, 2:] @ slopes
        stderr = float(estimates.std(ddof=1)) / REPLICATES**0.5
        return Truth(max(0.0, float(estimates.mean())), stderr)

    def _moments(self, u: Array) -> Array:
        """sum v v^T over the rows, with v = (1, pmi, controls)."""
        total = np.zeros(())
        for part in np.split(u, range(CHUNK, len(u), CHUNK)):
            v = np.column_stack([np.ones(len(part)), self.pmi(*self.rows(part)), self.controls(part)])
            total = total + v.T @ v
        return total


def open_uniforms(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Uniform on the open interval (0, 1): neither end, where quantile functions are infinite."""
    return np.maximum(rng.random(shape), 2.0**-54)


def lattice(n: int, shift: Array) -> Array:
    """n points of the Kronecker sequence i a + shift mod 1 in d = len(shift) dimensions.

    a_j = g^-j with g the root of g^(d+1) = g + 1, the generalised golden ratio.
    """
    d = len(shift)
    g = 1.5
    for _ in range(40):  # contracts by at least 1/2 a time
        g = (1.0 + g) ** (1.0 / (d + 1))
    steps = g ** -np.arange(1.0, d + 1)
    return np.maximum((np.arange(1.0, n + 1)[:, None] * steps + shift) % 1.0, 2.0**-54)
