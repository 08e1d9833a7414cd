"""Problems in batches, as many as the limits allow; what is too large for them is an error of its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mizzle import cost
from mizzle.backends import encode
from mizzle.backends.info import Limits
from mizzle.backends.pairs import Collector, Pair
from mizzle.data.arrays import check_columns
from mizzle.errors import InvalidInput, TooLarge

_MAX_PROBLEMS = 4096  # whose names and shapes fit the longest header of a body
_MAX_CELLS = 4_000_000
_MAX_BYTES = 8 * 2**20  # a slow network must have sent a body before the service loses patience
_QUEUE_SHARE = 2  # batches that make up what may wait, so that one is there when another has been taken
_FREE_SECONDS = 0.5  # of work in what may always wait, so that it does not keep others waiting for long


class Room(NamedTuple):
    """What one batch may hold; a problem beyond it goes alone.

    Attributes:
        free_problems: that may wait whatever they cost; a batch of no more may have `free_cells`.
        free_cells: counts where that is more than `cells`.
    """

    problems: int
    cells: int
    bytes: int
    free_problems: int = 0
    free_cells: int = 0

    def holds(self, problems: int, cells: int, size: int) -> bool:
        """Whether there is room for so much together."""
        limit = max(self.cells, self.free_cells) if problems <= self.free_problems else self.cells
        return problems <= self.problems and cells <= limit and size <= self.bytes


@dataclass
class Batch:
    """Problems that go together, and their places in the list of all."""

    places: list[int] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)


def room(limits: Limits) -> Room:
    """What a request should hold: no more than the service takes, less where others would have to wait."""
    max_cells = limits.max_request_cells or _MAX_CELLS
    cells = limits.queue_cells // _QUEUE_SHARE if limits.queue_cells else max_cells
    return Room(
        problems=min(limits.max_request_problems or _MAX_PROBLEMS, _MAX_PROBLEMS),
        cells=min(cells, max_cells),
        bytes=min(limits.max_body_bytes or _MAX_BYTES, _MAX_BYTES) - encode.FIXED_BYTES,
        free_problems=limits.always_admitted_problems // _QUEUE_SHARE,
        free_cells=min(round((limits.cells_per_second or 0) * _FREE_SECONDS), max_cells),
    )


def answerable(
    problems: Iterable[Pair | InvalidInput], limits: Limits, collector: Collector
) -> list[tuple[int, Pair]]:
    """The problems that can be sent, with their places; the others are answered at once."""
    good: list[tuple[int, Pair]] = []
    for place, problem in enumerate(problems):
        error = problem if isinstance(problem, InvalidInput) else refusal(problem, limits)
        if error is not None:
            collector.add([place], [error])
        elif not isinstance(problem, InvalidInput):
            good.append((place, problem))
    return good


def refusal(pair: Pair, limits: Limits) -> InvalidInput | None:
    """Why this problem cannot be sent at all, if it cannot."""
    try:
        check_columns(*pair, limits.max_columns)
    except InvalidInput as error:
        return error
    cells, limit = padded_size(pair).cells, limits.max_problem_cells
    if limit is not None and cells > limit:
        return TooLarge(
            f"the problem has {cells} cells, padded; this service takes {limit}: send fewer rows or columns"
        )
    limit = limits.max_body_bytes
    if limit is not None and encode.size(*pair) + encode.FIXED_BYTES > limit:
        return TooLarge(
            f"the problem is larger than the {limit} bytes of a request; send fewer rows or columns"
        )
    return None


def batches(problems: Iterable[tuple[int, Pair]], room: Room) -> Iterator[Batch]:
    """The problems in order, each batch with as many as there is room for, and at least one.

    Args:
        problems: with their places.
    """
    batch, cells, size = Batch(), 0, 0
    for place, pair in problems:
        more_cells, more_size = padded_size(pair).cells, encode.size(*pair)
        if batch.places and not room.holds(len(batch.places) + 1, cells + more_cells, size + more_size):
            yield batch
            batch, cells, size = Batch(), 0, 0
        batch.places.append(place)
        batch.pairs.append(pair)
        cells, size = cells + more_cells, size + more_size
    if batch.places:
        yield batch


def padded_size(pair: Pair) -> cost.Size:
    """The padded shape of a problem, by which problems of similar cost are sorted."""
    x, y = pair
    return cost.size(len(x), x.shape[1], y.shape[1])
