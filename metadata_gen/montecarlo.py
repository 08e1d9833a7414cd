"""Truth by quasi Monte Carlo, for families whose density is known and whose MI has no closed form.

Axes: `c` the integrand and its controls, `r` replicate, `n` row.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import islice
from typing import Final

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]
from scipy.stats.qmc import Sobol  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array, Family, Rng, Truth

SEED: Final = 20_260  # of the integration alone; the samples of a data set have their own
REPLICATES: Final = 16
POINTS: Final = 128  # of a replicate in one block, which with its 2048 rows fits the processor's cache
MAX_BLOCKS: Final = 32  # blocks; what would need more keeps its larger stderr, and the prior draws again
CELL: Final = 2.0**-30  # of a Sobol sequence, whose points are the lower ends of cells


def tolerance(nats: float) -> float:
    """The largest standard error, in nats, that a truth of this size may have."""
    return max(0.002, 0.005 * nats)


def controlled_mean(blocks: Iterable[Array], max_blocks: int) -> Truth:
    """The mean of row 0 of the blocks, an MI in nats, by regression on the other rows, whose means are 0.

    That is the method of control variates (Glasserman 2003, section 4.1); the spread of the replicates is the
    standard error. Blocks are doubled until it is within `tolerance`, `max_blocks` of them are used up, or
    four times as many would not do.

    Args:
        blocks: each of shape (c, r * n), the columns of a replicate one after another.
        max_blocks: the largest number of blocks to use.
    """
    means, products, truth = np.zeros(()), np.zeros(()), Truth(0.0)
    for count, block in enumerate(islice(blocks, max_blocks), 1):
        means = means + block.reshape(len(block), REPLICATES, -1).mean(axis=2)
        products = products + block @ block.T / block.shape[1]
        if count & (count - 1):
            continue  # neither 1, 2, 4, ...
        truth = _regressed(means / count, products / count)
        excess = truth.stderr / tolerance(truth.nats)
        if excess <= 1.0 or count * excess**2 > 4.0 * max_blocks:
            break
    return truth


def _regressed(means: Array, products: Array) -> Truth:
    """From the means of every replicate, shape (c, r), and the mean products of all rows, shape (c, c)."""
    centre = means.mean(axis=1)
    covariance = products - np.outer(centre, centre)
    slopes = np.linalg.lstsq(covariance[1:, 1:], covariance[1:, 0], rcond=1e-9)[0]
    estimates = means[0] - slopes @ means[1:]
    return Truth(max(0.0, float(estimates.mean())), float(estimates.std(ddof=1)) / REPLICATES**0.5)


class Integrated(Family):
    """Rows that are a function of u ~ U(0, 1) and of `normals` independent N(0, 1); I is their mean pmi.

    The numbers of the integral come from randomly scrambled Sobol sequences (Matousek 1998), which spread
    more evenly than independent ones.

    Attributes:
        normals: how many normal numbers a row takes.
    """

    normals: int

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        return self.rows(rng.random(n), rng.standard_normal((n, self.normals)))

    def mi(self) -> Truth:
        return self._truth

    @abstractmethod
    def rows(self, u: Array, z: Array) -> tuple[Array, Array]:
        """The rows that u of shape (n,) and z of shape (n, normals) stand for."""

    @abstractmethod
    def integrand(self, u: Array, z: Array) -> Array:
        """The pmi of these rows, and below it functions of them with mean 0, shape (c, n)."""

    def blocks(self, seed: int = SEED) -> Iterator[Array]:
        """The integrand at block after block of points, each of shape (c, r * n)."""
        return (self.integrand(u, z) for u, z in _points(self.normals, seed))

    @cached_property
    def _truth(self) -> Truth:
        return self._integrated()

    def _integrated(self) -> Truth:
        return controlled_mean(self.blocks(), MAX_BLOCKS)


@lru_cache(maxsize=16)
def _points(normals: int, seed: int) -> list[tuple[Array, Array]]:
    """MAX_BLOCKS blocks of u and z, replicate after replicate. All families share them."""
    rng = np.random.default_rng(seed)
    sobol = [Sobol(1 + normals, seed=rng).random(MAX_BLOCKS * POINTS) for _ in range(REPLICATES)]
    cut = np.reshape(sobol, (REPLICATES, MAX_BLOCKS, POINTS, 1 + normals)).swapaxes(0, 1)
    points = (cut + CELL / 2.0).reshape(MAX_BLOCKS, REPLICATES * POINTS, 1 + normals)
    return [(block[:, 0].copy(), ndtri(block[:, 1:])) for block in points]


def open_uniforms(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Uniform numbers on the open interval (0, 1): neither end, where quantile functions are infinite."""
    return np.maximum(rng.random(shape), 2.0**-54)


def lattice(n: int, shift: Array) -> Array:
    """n points of the Kronecker sequence i a + shift mod 1 in d = len(shift) dimensions, shape (n, d).

    a_j = g^-j with g the root of g^(d+1) = g + 1, the generalised golden ratio.
    """
    d = len(shift)
    g = 1.5
    for _ in range(40):  # contracts by at least 1/2 a time
        g = (1.0 + g) ** (1.0 / (d + 1))
    steps = g ** -np.arange(1.0, d + 1)
    return np.maximum((np.arange(1.0, n + 1)[:, None] * steps + shift) % 1.0, 2.0**-54)
