"""Rows in two halves by what they hold, so that their order, and which side is x, change nothing."""

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import MIN_ROWS, FloatArray

Rows = NDArray[np.intp]
Bits = NDArray[np.uint64]
_GOLDEN = 0x9E3779B97F4A7C15  # the golden ratio: digests of two sides are told apart in a sum
_DISCRETE = 0.2  # different rows, as a share of all, up to which a sample counts as discrete
CHUNK_CELLS = 1_000_000  # that are worked on at once, so that a copy of a wide side is never made


def folds(x: FloatArray, y: FloatArray) -> tuple[Rows, Rows]:
    """Two halves of the rows of x, shape (n, dx), and y, shape (n, dy), as positions.

    The rows are sorted by a hash of their cells and dealt out in turn. The order inside a half is that of the
    hash: a piece of it is a random sample of rows, and again depends on nothing but what they hold.

    Equal rows of a discrete sample come to both halves alike, as a half would otherwise lack half of the
    cells. Copies of rows come to the same half: a map fitted to a row must not be tried on it. What tells
    copies is that one side alone has as many different rows as both together, and not just a few.
    """
    # Which side comes first is again a matter of what they hold.
    left, right = sorted((_digests(x), _digests(y)), key=lambda digests: int(digests.sum()))
    both = _scrambled(left + np.uint64(_GOLDEN) * right)
    order = np.argsort(both, kind="stable")
    different, turn = np.unique(both[order], return_inverse=True)
    copied = len(different) == max(len(np.unique(left)), len(np.unique(right)))
    if not copied or len(different) <= max(_DISCRETE * len(order), 4 * MIN_ROWS):
        turn = np.arange(len(order))
    return order[turn % 2 == 0], order[turn % 2 == 1]


def chunks(n: int, d: int) -> list[slice]:
    """The rows of a table of shape (n, d) in pieces of about `CHUNK_CELLS` cells."""
    step = max(1, CHUNK_CELLS // d)
    return [slice(start, start + step) for start in range(0, n, step)]


def _digests(side: FloatArray) -> Bits:
    """A number for every row, whatever the order of its columns, and whichever of them are constant."""
    varies = side.min(axis=0) < side.max(axis=0)
    cells = ((side[rows] + 0.0).view(np.uint64) for rows in chunks(*side.shape))  # -0.0 counts as 0.0
    sums = [_scrambled(bits).sum(axis=1, dtype=np.uint64, where=varies) for bits in cells]
    return _scrambled(np.concatenate(sums))


def _scrambled(bits: Bits) -> Bits:
    """Bits in place, scrambled by the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits
