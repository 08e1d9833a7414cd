"""What waits for a batch: two lanes, so that small problems are not stuck behind large ones."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from mizzle.cost import Size

Item = TypeVar("Item")
Result = TypeVar("Result")
Lane = Literal["small", "large"]
LANES: tuple[Lane, ...] = ("small", "large")
_SMALL_TURNS = 2  # batches of small problems to one of large ones, while both wait


@dataclass(eq=False)
class QueuedItem(Generic[Item, Result]):
    """An item on its way, with the future that its caller awaits.

    Attributes:
        used: cells of the item without padding.
        deadline: in seconds of `time.monotonic`; infinite where the caller set none.
        losses: how often a worker was lost while it ran this; after the first it runs alone.
        left: whether its caller waits no longer.
    """

    item: Item
    size: Size
    used: int
    lane: Lane
    future: "asyncio.Future[Result]"
    deadline: float
    since: float = field(default_factory=time.monotonic)
    losses: int = 0
    left: bool = False

    def settle(self, result: Result) -> None:
        """Give the caller a result, unless the caller has gone."""
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Give the caller an error, unless the caller has gone."""
        if not self.future.done():
            self.future.set_exception(error)


class PriorityQueues(Generic[Item, Result]):
    """Entries in order of arrival, by lane. Every operation but `take` is O(1)."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, dict[QueuedItem[Item, Result], None]] = {lane: {} for lane in LANES}
        self._cells: dict[Lane, int] = dict.fromkeys(LANES, 0)
        self._small_turns = 0

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def __iter__(self) -> Iterator[QueuedItem[Item, Result]]:
        return (entry for lane in LANES for entry in self._lanes[lane])

    @property
    def cells(self) -> int:
        """The cost of all that waits."""
        return sum(self._cells.values())

    def standing(self, lane: Lane) -> tuple[int, int, float]:
        """Items, cells, and the age of the oldest in seconds."""
        oldest = next(iter(self._lanes[lane]), None)
        age = time.monotonic() - oldest.since if oldest else 0.0
        return len(self._lanes[lane]), self._cells[lane], age

    @property
    def usual(self) -> int:
        """The cost of a small problem, by those that wait; 0 where none does."""
        count = len(self._lanes["small"])
        return self._cells["small"] // count if count else 0

    def add(self, entry: QueuedItem[Item, Result]) -> None:
        """Last in its lane."""
        self._lanes[entry.lane][entry] = None
        self._cells[entry.lane] += entry.size.cells

    def requeue(self, entries: list[QueuedItem[Item, Result]]) -> None:
        """First in their lanes: they have waited already."""
        for lane in LANES:
            back = [entry for entry in entries if entry.lane == lane]
            self._lanes[lane] = dict.fromkeys(back) | self._lanes[lane]
            self._cells[lane] += sum(entry.size.cells for entry in back)

    def remove(self, entry: QueuedItem[Item, Result]) -> bool:
        """Whether it was still waiting."""
        if entry not in self._lanes[entry.lane]:
            return False
        del self._lanes[entry.lane][entry]
        self._cells[entry.lane] -= entry.size.cells
        return True

    def take(self, items: int, cells: int) -> list[QueuedItem[Item, Result]]:
        """The oldest of the lane whose turn it is, whatever its cost, and with it those of equal size."""
        waiting = self._lanes[self._turn()]
        head = next(iter(waiting), None)
        if head is None:
            return []
        batch = [head]
        if not head.losses:
            most = min(items, max(1, cells // head.size.cells))
            alike = (e for e in waiting if e is not head and e.size == head.size and not e.losses)
            batch += [entry for entry, _ in zip(alike, range(most - 1), strict=False)]
        for entry in batch:
            self.remove(entry)
        return batch

    def _turn(self) -> Lane:
        small, large = (bool(self._lanes[lane]) for lane in LANES)
        if small and not (large and self._small_turns >= _SMALL_TURNS):
            self._small_turns += 1
            return "small"
        self._small_turns = 0
        return "large"
