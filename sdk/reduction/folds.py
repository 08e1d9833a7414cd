"""Rows in two halves by what they hold, so that their order, and which side is x, change nothing."""

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import FloatArray

Rows = NDArray[np.intp]
CHUNK_CELLS = 1_000_000  # that are worked on at once, so that a copy of a wide side is never made


def folds(x: FloatArray, y: FloatArray) -> tuple[Rows, Rows]:
    """Two halves of the rows of x, shape (n, dx), and y, shape (n, dy), as positions.

    The rows are sorted by a hash of their cells and dealt out in turn, so equal rows, of which a discrete
    sample has many, come to both halves alike. The order inside a half is that of the hash: a piece of it is
    a random sample of rows, and again depends on nothing but what they hold.
    """
    order = np.argsort(_digests(x) + _digests(y), kind="stable")
    return order[::2], order[1::2]


def chunks(n: int, d: int) -> list[slice]:
    """The rows of a table of shape (n, d) in pieces of about `CHUNK_CELLS` cells."""
    step = max(1, CHUNK_CELLS // d)
    return [slice(start, start + step) for start in range(0, n, step)]


def _digests(side: FloatArray) -> NDArray[np.uint64]:
    """A number for every row, whatever the order of its columns, and whichever of them are constant."""
    varies = side.min(axis=0) < side.max(axis=0)
    sums = [_mixed(side[rows]).sum(axis=1, dtype=np.uint64, where=varies) for rows in chunks(*side.shape)]
    return _mixed(np.concatenate(sums).view(np.float64), clean=False)


def _mixed(cells: FloatArray, clean: bool = True) -> NDArray[np.uint64]:
    """The bits of cells, scrambled by the finaliser of splitmix64 (Steele, Lea & Flood 2014).

    Args:
        clean: whether -0.0 is to count as 0.0.
    """
    bits = (cells + 0.0 if clean else cells.copy()).view(np.uint64)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits
