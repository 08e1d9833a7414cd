"""The pairs of a table in tiles: what one task answers and one file holds.

Tiles depend on the table alone, not on who computes them, so that work goes on elsewhere where it was
stopped. A tile is a square of variables, or as many pairs of a row of squares where not all are wanted; of
about ten seconds, so that what an engine adds to a task does not count.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from mizzle.cost import cells
from mizzle.tables.plan import AllPairs, PairIndex, Plan

_LARGEST, _SMALLEST = 64, 4  # variables of a side
_LONGEST, _SHORTEST = 20.0, 1.0  # seconds of a tile
_ENOUGH = 64  # tiles, so that workers end at about the same time
_PAIR, _CELL = (
    1e-3,
    1.1e-7,
)  # seconds of one core: of any pair, and of a cell; as measured, within a factor of two


class Tile(NamedTuple):
    """Pairs that are answered together.

    Attributes:
        number: of the tile in the table, from 0.
        band: which rows of variables its pairs begin in: results are in the order of bands.
        places: of the pairs.
    """

    number: int
    band: int
    places: tuple[PairIndex, ...]


def side(plan: Plan) -> int:
    """Variables of a tile's side."""
    width = sum(len(variable.columns) for variable in plan.variables) / len(plan.variables)
    seconds = _PAIR + _CELL * cells(plan.variables[0].rows, round(width), round(width))
    size = _LARGEST
    while size > _SMALLEST and (
        size**2 * seconds > _LONGEST
        or (len(plan.places) < _ENOUGH * size**2 and size**2 * seconds / 4 >= _SHORTEST)
    ):
        size //= 2
    return size


def tiles(plan: Plan, size: int) -> Iterator[Tile]:
    """All pairs of the plan, each in one tile.

    Args:
        size: variables of a side.
    """
    number = 0
    for band, places in _bands(plan, size):
        for start in range(0, len(places), size**2):
            yield Tile(number, band, tuple(places[start : start + size**2]))
            number += 1


def _bands(plan: Plan, size: int) -> Iterator[tuple[int, list[PairIndex]]]:
    """The pairs by the row of squares that they lie in, those of a square together."""
    if isinstance(plan.places, AllPairs):
        p = plan.places.variables
        for band in range(-(-(p - 1) // size)):
            rows = range(band * size, min((band + 1) * size, p - 1))
            places = [(i, j) for i in rows for j in range(i + 1, p)]
            yield band, sorted(places, key=lambda place: (place[1] // size, place))
        return
    against_one = len({j for _, j in plan.places}) == 1
    rows_of_band = size**2 if against_one else size
    ordered = sorted(plan.places, key=lambda place: (place[0] // rows_of_band, place[1] // size, place))
    for band, group in groupby(ordered, key=lambda place: place[0] // rows_of_band):
        yield band, list(group)
