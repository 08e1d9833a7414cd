"""Problems in batches, as many as the limits allow; what is too large for them is an error of its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mizzle import cost
from mizzle.backends import encode
from mizzle.backends.info import Limits
from mizzle.backends.pairs import Answers, Pair
from mizzle.data.arrays import check_columns
from mizzle.errors import InvalidInput, TooLarge

_MOST_PROBLEMS = 4096  # whose names and shapes fit the longest header of a body
_MOST_CELLS = 4_000_000
_MOST_BYTES = 8 * 2**20  # a slow network must have sent a body before the service loses patience
_SHARE = 2  # batches that make up what may wait, so that one is there when another has been taken
_ALWAYS_ADMITTED = 16  # problems; what services of version 0.9 do not say of themselves
_FEW_SECONDS = 0.5  # of work in those few, so that they do not keep others waiting for long


class Room(NamedTuple):
    """What one batch may hold; a problem beyond it goes alone.

    Attributes:
        few_cells, few_problems: cells that the first problems of a batch may have, where that is more than
            `cells`, and how many problems these are.
    """

    problems: int
    cells: int
    bytes: int
    few_cells: int = 0
    few_problems: int = 0

    def holds(self, problems: int, cells: int, size: int) -> bool:
        """Whether there is room for so much together."""
        most = max(self.cells, self.few_cells) if problems <= self.few_problems else self.cells
        return problems <= self.problems and cells <= most and size <= self.bytes


@dataclass
class Batch:
    """Problems that go together, and their places in the list of all."""

    places: list[int] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)


def room(limits: Limits) -> Room:
    """What a request should hold: no more than the service takes, less where others would have to wait."""
    most = limits.max_request_cells or _MOST_CELLS
    usual = limits.queue_cells // _SHARE if limits.queue_cells else most
    always_admitted = limits.always_admitted_problems
    return Room(
        problems=min(limits.max_request_problems or _MOST_PROBLEMS, _MOST_PROBLEMS),
        cells=min(usual, most),
        bytes=min(limits.max_body_bytes or _MOST_BYTES, _MOST_BYTES) - encode.FIXED_BYTES,
        few_cells=min(round((limits.cells_per_second or 0) * _FEW_SECONDS), most),
        few_problems=(_ALWAYS_ADMITTED if always_admitted is None else always_admitted) // _SHARE,
    )


def answerable(
    problems: Iterable[Pair | InvalidInput], limits: Limits, answers: Answers
) -> list[tuple[int, Pair]]:
    """The problems that can be asked, with their places; the others are answered at once."""
    good: list[tuple[int, Pair]] = []
    for place, problem in enumerate(problems):
        error = problem if isinstance(problem, InvalidInput) else refusal(problem, limits)
        if error is not None:
            answers.put([place], [error])
        elif not isinstance(problem, InvalidInput):
            good.append((place, problem))
    return good


def refusal(pair: Pair, limits: Limits) -> InvalidInput | None:
    """Why this problem cannot be asked at all, if it cannot."""
    try:
        check_columns(*pair, limits.max_columns)
    except InvalidInput as error:
        return error
    cells, most = _cells(pair), limits.max_problem_cells
    if most is not None and cells > most:
        return TooLarge(
            f"the problem has {cells} cells, padded; this service takes {most}: send fewer rows or columns"
        )
    most = limits.max_body_bytes
    if most is not None and encode.size(*pair) + encode.FIXED_BYTES > most:
        return TooLarge(
            f"the problem is larger than the {most} bytes of a request; send fewer rows or columns"
        )
    return None


def batches(problems: Iterable[tuple[int, Pair]], room: Room) -> Iterator[Batch]:
    """The problems in order, each batch with as many as there is room for, and at least one.

    Args:
        problems: with their places.
    """
    batch, cells, size = Batch(), 0, 0
    for place, pair in problems:
        more_cells, more_size = _cells(pair), encode.size(*pair)
        if batch.places and not room.holds(len(batch.places) + 1, cells + more_cells, size + more_size):
            yield batch
            batch, cells, size = Batch(), 0, 0
        batch.places.append(place)
        batch.pairs.append(pair)
        cells, size = cells + more_cells, size + more_size
    if batch.places:
        yield batch


def _cells(pair: Pair) -> int:
    x, y = pair
    return cost.size(len(x), x.shape[1], y.shape[1]).cells
