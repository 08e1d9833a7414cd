"""What waits for a batch: a queue for each priority, so that small problems are not behind large ones."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, Literal, TypeVar

from mizzle.cost import Size

Item = TypeVar("Item")
Result = TypeVar("Result")
Priority = Literal["small", "large"]
PRIORITIES: tuple[Priority, ...] = ("small", "large")
_SMALL_TURNS = 2  # batches of small problems to one of large ones, while both wait


@dataclass(eq=False)
class QueuedItem(Generic[Item, Result]):
    """An item on its way, with the future that its caller awaits.

    Attributes:
        used_cells: cells of the item without padding.
        deadline: in seconds of `time.monotonic`; infinite where the caller set none.
        losses: how often a worker was lost while it ran this; after the first it runs alone.
        since: when it was queued, in seconds of `time.monotonic`.
        abandoned: whether its caller waits no longer.
    """

    item: Item
    size: Size
    used_cells: int
    priority: Priority
    future: "asyncio.Future[Result]"
    deadline: float
    since: float = field(default_factory=time.monotonic)
    losses: int = 0
    abandoned: bool = False

    def settle(self, result: Result) -> None:
        """Give the caller a result, unless the caller has gone."""
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Give the caller an error, unless the caller has gone."""
        if not self.future.done():
            self.future.set_exception(error)


class PriorityQueues(Generic[Item, Result]):
    """Items in order of arrival, by priority. Every operation but `take` is O(1)."""

    def __init__(self) -> None:
        self._queues: dict[Priority, dict[QueuedItem[Item, Result], None]] = {p: {} for p in PRIORITIES}
        self._cells: dict[Priority, int] = dict.fromkeys(PRIORITIES, 0)
        self._small_turns = 0

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[QueuedItem[Item, Result]]:
        return (queued for priority in PRIORITIES for queued in self._queues[priority])

    @property
    def cells(self) -> int:
        """The cost of all that waits."""
        return sum(self._cells.values())

    def standing(self, priority: Priority) -> tuple[int, int, float]:
        """Items, cells, and the age of the oldest in seconds, of one queue."""
        queue = self._queues[priority]
        oldest = next(iter(queue), None)
        age = time.monotonic() - oldest.since if oldest else 0.0
        return len(queue), self._cells[priority], age

    @property
    def typical_small_cells(self) -> int:
        """The cost of a small problem, by those that wait; 0 where none does."""
        count = len(self._queues["small"])
        return self._cells["small"] // count if count else 0

    def add(self, queued: QueuedItem[Item, Result]) -> None:
        """Last in its queue."""
        self._queues[queued.priority][queued] = None
        self._cells[queued.priority] += queued.size.cells

    def requeue(self, items: list[QueuedItem[Item, Result]]) -> None:
        """First in their queues: they have waited already."""
        for priority in PRIORITIES:
            ahead = [queued for queued in items if queued.priority == priority]
            self._queues[priority] = dict.fromkeys(ahead) | self._queues[priority]
            self._cells[priority] += sum(queued.size.cells for queued in ahead)

    def remove(self, queued: QueuedItem[Item, Result]) -> bool:
        """Whether it was still waiting."""
        if queued not in self._queues[queued.priority]:
            return False
        del self._queues[queued.priority][queued]
        self._cells[queued.priority] -= queued.size.cells
        return True

    def take(self, items: int, cells: int) -> list[QueuedItem[Item, Result]]:
        """The oldest of the queue whose turn it is, whatever its cost, and with it those of equal size.

        Args:
            items, cells: that a batch may hold.
        """
        queue = self._queues[self._turn()]
        head = next(iter(queue), None)
        if head is None:
            return []
        batch = [head]
        if not head.losses:
            limit = min(items, max(1, cells // head.size.cells))
            alike = (q for q in queue if q is not head and q.size == head.size and not q.losses)
            batch += islice(alike, limit - 1)
        for queued in batch:
            self.remove(queued)
        return batch

    def _turn(self) -> Priority:
        small, large = (bool(self._queues[priority]) for priority in PRIORITIES)
        if small and not (large and self._small_turns >= _SMALL_TURNS):
            self._small_turns += 1
            return "small"
        self._small_turns = 0
        return "large"
