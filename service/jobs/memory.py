"""What a job needs of this process's memory: charged before it starts, and bounded over all of them.

The charge is a bound, known from the length of the stored body alone. A cell is a byte of the body at least,
and becomes a float64, a mark where it is missing, and copies of both while its column is read and compared.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from mizzle.data.arrays import MIN_ROWS
from mizzle.service.settings import Settings
from mizzle.tables.plan import MAX_CHUNK_CELLS

T = TypeVar("T")
_BASE_BYTES = 4 * 2**20  # pairs, and answers that are not saved yet
_BODY_COPIES = 3  # as it is stored, as it is read, and the table in it
_MAX_JSON_BYTES, _BYTES_PER_JSON_BYTE = 2**20, 40  # fields and cells as Python's objects
_BYTES_PER_CELL = 20  # float64 and a mark, which stay, and copies of most of that in passing
_BYTES_PER_COLUMN = 2048  # its objects and name
_BYTES_PER_NUMBER = 8  # of a chunk, and of the arrays that are held for the next
_PAIRS = 1024  # sides of the pairs of a chunk


def job_bytes(body_bytes: int, settings: Settings) -> int:
    """Return a bound of the memory of a job while it is prepared and runs.

    Args:
        body_bytes: length of its request.
    """
    cells = min(body_bytes, settings.jobs_max_cells)
    columns = min(cells // MIN_ROWS, settings.jobs_max_pairs + 1)
    chunk = min(max(MAX_CHUNK_CELLS, settings.jobs_max_cells), _PAIRS * cells)
    return (
        _BASE_BYTES
        + _BODY_COPIES * body_bytes
        + _BYTES_PER_JSON_BYTE * min(body_bytes, _MAX_JSON_BYTES)
        + _BYTES_PER_CELL * cells
        + _BYTES_PER_COLUMN * columns
        + 2 * _BYTES_PER_NUMBER * chunk
    )


async def to_the_end(work: Callable[..., T], *arguments: object) -> T:
    """Return the result of `work` in a thread, which no cancellation leaves behind with what it holds."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
