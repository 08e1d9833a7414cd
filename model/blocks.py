"""More rows than the model was trained on: blocks of as many rows as it was, answered one by one and pooled.

The blocks take turns along the rows in the order of their content, so that copies spread evenly over them and
the order of rows changes nothing. Blocks err partly in the same way, so that more and more of them narrow the
interval less and less; how far was measured on draws of the prior (benchmarks/many_rows.py).
"""

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.cost import BLOCK_CELLS, cells
from mizzle.model import quantiles
from mizzle.model.engines import Engine
from mizzle.model.native import Answers
from mizzle.model.preprocess import Table, side
from mizzle.model.quantiles import LEVELS
from mizzle.types import Notice

LARGEST_ROWS = 1_000_000  # up to which the narrowing was measured
COMMON = 0.4  # of the variance of a block's answer: what blocks of one distribution err by in the same way
_NORMAL = NormalDist()

Order = NDArray[np.integer[Any]]
Doubles = NDArray[np.float64]


def groups(engine: Engine, tables: list[Table], size: int, workers: int) -> list[list[int]]:
    """Groups that the engine makes; a problem of more rows than `size` goes alone."""
    large = [[i] for i, table in enumerate(tables) if table.n > size]
    small = [i for i, table in enumerate(tables) if table.n <= size]
    chosen = engine.groups([tables[i] for i in small], workers)
    return [*large, *([small[i] for i in group] for group in chosen)]


def run(engine: Engine, tables: list[Table], size: int) -> Answers:
    """The answers to one of these groups."""
    if tables[0].n <= size:
        return engine.run(tables)
    [table] = tables
    parts = list(split(table, engine.canonical_order(table), size, count(table, size)))
    blocks = [part for part in parts if not part.constant]
    answers = [engine.run([blocks[i] for i in group]) for group in engine.groups(blocks, 1)]
    return pool(table, size, answers, len(parts) - len(blocks))


def count(table: Table, size: int) -> int:
    """How many blocks of `size` rows: enough for all rows, but at most 32 of 1 + 1 columns, fewer of more.

    Further ones would cost time and narrow the interval by next to nothing.
    """
    largest = max(1, BLOCK_CELLS // cells(size, len(table.x), len(table.y)))
    return min(-(-table.n // size), largest)


def split(table: Table, order: Order, size: int, total: int) -> Iterator[Table]:
    """The blocks: each of `size` rows, ranked among themselves, whose columns may be constant there.

    Args:
        order: the rows by their content.
        total: how many blocks.
    """
    for block in range(total):
        places = np.arange(block, total * size, total) * table.n // (total * size)
        rows = order[places]
        x, y = (side(ranks[:, rows].T.astype(np.float64)).varying for ranks in (table.x, table.y))
        yield Table(x, y, size, table.dim_x, table.dim_y, table.ceiling)


def notices(table: Table, size: int) -> Iterator[Notice]:
    """Say what was done, where the problem has more rows than `size` and a side of it varies."""
    if table.n <= size or table.constant:
        return
    total = count(table, size)
    text = f"n = {table.n:,} rows were answered as {total:,} blocks of {size:,}, whose answers were pooled"
    chosen = f"; {total * size:,} rows, chosen by their content, are as many as narrow the interval"
    yield Notice("blocks", text + (chosen if total * size < table.n else ""))


def pool(table: Table, size: int, answers: Sequence[Answers], constant: int = 0) -> Answers:
    """The one answer from those of the blocks: quantiles are averaged, and drawn together to the median.

    Args:
        answers: of groups of blocks.
        constant: how many blocks are missing, as a side did not vary there: their answer is 0.
    """
    if not answers:
        return Answers(np.zeros(1), np.zeros((1, len(LEVELS))), np.zeros(1))
    _, nats, excess = map(np.concatenate, zip(*answers, strict=True))
    nats = np.concatenate([nats, np.zeros((constant, len(LEVELS)))])
    blocks = min(table.n / size, float(len(nats)))  # as many as the rows fill
    narrow = narrowed(nats.mean(0), width(blocks))
    limited = nats.min(0) >= table.ceiling  # where all are, the limit itself says how uncertain it is
    values = np.where(limited, table.ceiling, np.minimum(narrow, table.ceiling))
    return Answers(quantiles.mean(values[None]), values[None], excess.mean(keepdims=True))


def width(blocks: float) -> float:
    """Of the interval of so many blocks, as a share of that of one."""
    return math.sqrt(COMMON + (1 - COMMON) / blocks)


def narrowed(nats: Doubles, width: float) -> Doubles:
    """Quantiles at `LEVELS` so many times as wide: each is read at a level nearer to the median.

    What is 0 up to some level stays so, and there is none below 0, which moving them would not ensure.
    """
    levels = [_NORMAL.cdf(width * _NORMAL.inv_cdf(level)) for level in LEVELS]
    values: Doubles = np.interp(levels, LEVELS, nats)
    return values
