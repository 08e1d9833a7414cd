"""What a problem costs, in padded cells: the one unit of batches, queues and published limits."""

from typing import NamedTuple

DISTANCE_CELLS = 8  # a row's distances take about the time and memory of this many of its cells
_ROWS = tuple(round(16 * 2 ** (i / 2)) for i in range(40))  # ratio sqrt 2: a third of padding at worst


class Size(NamedTuple):
    """The padded shape of a problem: rows, and columns of the larger side. Equal ones share a batch."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """Cells that the problem adds to a batch, its neighbour distances counted as cells."""
        return self.rows * (2 * self.columns + DISTANCE_CELLS)


def cells(n: int, dim_x: int, dim_y: int) -> int:
    """Cost of n rows of dim_x + dim_y columns without any padding."""
    return n * (dim_x + dim_y + DISTANCE_CELLS)


def size(n: int, dim_x: int, dim_y: int) -> Size:
    """The smallest standard size that holds n rows of dim_x + dim_y columns."""
    rows = next((rows for rows in _ROWS if rows >= n), n)
    return Size(rows, 1 << (max(dim_x, dim_y, 1) - 1).bit_length())
