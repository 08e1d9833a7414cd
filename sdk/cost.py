"""What a problem costs, in padded cells: the one unit of batches, queues and published limits."""

from functools import lru_cache
from typing import NamedTuple

DISTANCE_CELLS = 8  # a row's distances take about the time and memory of this many of its cells
BLOCK_CELLS = 3_200_000  # of the rows that are more than ranked: of many rows some blocks are enough
_ROWS = tuple(round(16 * 2 ** (i / 2)) for i in range(40))  # ratio sqrt 2: a third of padding at worst


class Size(NamedTuple):
    """The padded shape of a problem: rows, and columns of the larger side. Equal ones share a batch."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """Cells that the problem adds to a batch, its neighbour distances counted as cells."""
        return _cells(self.rows, 2 * self.columns)


def cells(n: int, dim_x: int, dim_y: int) -> int:
    """Cost of n rows of dim_x + dim_y columns without any padding."""
    return _cells(n, dim_x + dim_y)


@lru_cache(4096)
def size(n: int, dim_x: int, dim_y: int) -> Size:
    """The smallest standard size that holds n rows of dim_x + dim_y columns."""
    rows = next((rows for rows in _ROWS if rows >= n), n)
    return Size(rows, 1 << (max(dim_x, dim_y, 1) - 1).bit_length())


def _cells(rows: int, columns: int) -> int:
    """Linear in the rows; from 400,000 on only the ranks of further ones count."""
    return rows * columns + min(rows * DISTANCE_CELLS, BLOCK_CELLS)
