"""Problems of different shapes in one padded batch.

Axes, here and in the whole room: b data set, s side (two: X and Y), n row, m query row, d column, e channel,
h head, q quantile. Masks are made here from the shapes, never guessed from values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from mizzle.cost import DISTANCE_CELLS
from mizzle.model.preprocess import Table

CACHE_CELLS = 60_000  # of a group, so that it stays in the processor's cache
DEVICE_CELLS = 4_000_000  # of a group on a device of its own, which many small ones would leave idle


@dataclass(frozen=True, eq=False)
class Batch:
    """Centred ranks with their masks; padding holds rank 0. Sizes are computed once, when first asked for."""

    ranks: Int64[Tensor, "b 2 n d"]
    rows: Bool[Tensor, "b n"]
    columns: Bool[Tensor, "b 2 d"]

    @cached_property
    def n(self) -> Int64[Tensor, " b"]:
        """Rows of each data set."""
        return self.rows.sum(-1)

    @cached_property
    def dims(self) -> Int64[Tensor, "b 2"]:
        """Columns of each side."""
        return self.columns.sum(-1)

    @cached_property
    def cells(self) -> Bool[Tensor, "b 2 n d"]:
        """Which cells are data and not padding."""
        return self.rows[:, None, :, None] & self.columns[:, :, None, :]

    def to(self, device: str) -> "Batch":
        """This batch on another device, copied while the host goes on."""
        parts = (self.ranks, self.rows, self.columns)
        return Batch(*(part.pin_memory().to(device, non_blocking=True) for part in parts))


def collate(tables: list[Table]) -> Batch:
    """Pad to the largest n and the largest side."""
    n = max(table.n for table in tables)
    d = max(len(side) for table in tables for side in (table.x, table.y))
    ranks = torch.zeros(len(tables), 2, n, d, dtype=torch.int64)
    rows = torch.zeros(len(tables), n, dtype=torch.bool)
    columns = torch.zeros(len(tables), 2, d, dtype=torch.bool)
    for i, table in enumerate(tables):
        rows[i, : table.n] = True
        for s, side in enumerate((table.x, table.y)):
            ranks[i, s, : table.n, : len(side)] = torch.from_numpy(side.T)
            columns[i, s, : len(side)] = True
    return Batch(ranks, rows, columns)


def grouped(tables: list[Table], cells: int = CACHE_CELLS) -> Iterator[list[int]]:
    """Split into runs of similar shape, of at most so many padded cells.

    Yields:
        positions in `tables`; together they cover it once.
    """
    order = sorted(range(len(tables)), key=lambda i: (_side_bucket(tables[i]), tables[i].n))
    group: list[int] = []
    n = d = 0
    for i in order:
        n, d = max(n, tables[i].n), max(d, _larger_side(tables[i]))
        if group and (len(group) + 1) * n * (2 * d + DISTANCE_CELLS) > cells:
            yield group
            group, n, d = [], tables[i].n, _larger_side(tables[i])
        group.append(i)
    if group:
        yield group


def _larger_side(table: Table) -> int:
    return max(len(table.x), len(table.y))


def _side_bucket(table: Table) -> int:
    """0 for up to 2 columns, 1 for up to 8, 2 for up to 32, ..: sizes that share padding well."""
    return (_larger_side(table) - 1).bit_length() // 2


def normal_scores(batch: Batch) -> Float32[Tensor, "b 2 n d"]:
    """Phi^-1((rank - 1/2) / n), written with erfinv, which is exactly odd; 0 on padding."""
    share = batch.ranks.double() / batch.n[:, None, None, None]
    return (2**0.5 * torch.erfinv(share)).float()
