"""What waits for a batch: a queue for each priority, so that small problems are not behind large ones.

In each, callers share the model alike, in units of cost, whatever they ask for and however often. Whoever was
served least is next, and who comes starts level with the one whose turn it is: start-time fair queueing
(Goyal, Vin and Cheng, 1996), which deficit round robin approximates.
"""

import asyncio
import heapq
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from mizzle.cost import Size

Item = TypeVar("Item")
Result = TypeVar("Result")
Priority = Literal["small", "large"]
PRIORITIES: tuple[Priority, ...] = ("small", "large")
_MAX_REMEMBERED = 64  # callers beyond those who wait, before some are forgotten
_SMALL_TURNS = 2  # batches of small problems to one of large ones, while both wait


@dataclass(eq=False)
class QueuedItem(Generic[Item, Result]):
    """An item on its way, with the future that its caller awaits.

    Attributes:
        cost: what the item takes of the model, in padded cells as they are measured.
        used_cells: cells of the item without padding.
        deadline: in seconds of `time.monotonic`; infinite where the caller set none.
        losses: how often a worker was lost while it ran this; after the first it runs alone.
        since: when it was queued, in seconds of `time.monotonic`.
        abandoned: whether its caller waits no longer.
        caller: who asks; callers share the model.
    """

    item: Item
    size: Size
    used_cells: int
    priority: Priority
    future: "asyncio.Future[Result]"
    deadline: float
    cost: int
    caller: str = ""
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


class FairQueue(Generic[Item, Result]):
    """Items of one priority: in order of arrival for each caller, the callers by what they were served."""

    def __init__(self) -> None:
        self.cells = 0
        self._callers: dict[str, dict[QueuedItem[Item, Result], None]] = {}
        self._served: dict[str, float] = {}  # of those who wait, or were served more
        self._level = 0.0  # what the caller had been served whose turn was last

    def __len__(self) -> int:
        return sum(map(len, self._callers.values()))

    def __iter__(self) -> Iterator[QueuedItem[Item, Result]]:
        return (queued for queue in self._callers.values() for queued in queue)

    def count(self, caller: str) -> int:
        """How many items of one caller wait."""
        return len(self._callers.get(caller, ()))

    @property
    def callers(self) -> int:
        """Callers of whom something waits."""
        return len(self._callers)

    def add(self, queued: QueuedItem[Item, Result], first: bool = False) -> None:
        """Last of its caller's, or first."""
        caller = queued.caller
        if caller not in self._callers:
            self._served[caller] = max(self._served.get(caller, 0.0), self._level)
        queue = self._callers.setdefault(caller, {})
        queue[queued] = None
        if first:
            self._callers[caller] = {queued: None} | queue
        self.cells += queued.cost

    def remove(self, queued: QueuedItem[Item, Result]) -> bool:
        """Whether it was still waiting."""
        queue = self._callers.get(queued.caller, {})
        if queued not in queue:
            return False
        del queue[queued]
        self.cells -= queued.cost
        if not queue:
            del self._callers[queued.caller]
            self._forget()
        return True

    def take(self, items: int, cells: int) -> list[QueuedItem[Item, Result]]:
        """The first item of the caller whose turn it is, and with it those of equal size."""
        if not self._callers:
            return []
        # Of callers who were served alike, the one who came last: most likely it does not ask for much.
        caller = min(reversed(self._callers), key=self._served.__getitem__)
        head = next(iter(self._callers[caller]))
        self._level = self._served[caller]
        self._take(head)
        batch = [head]
        if not head.losses:
            batch += self._alike(head, min(items, max(1, cells // head.cost)) - 1)
        return batch

    def charge(self, caller: str, cells: float) -> None:
        """What a caller was served cost more, or less, than was thought."""
        if caller in self._served:
            self._served[caller] += cells

    def _alike(self, head: QueuedItem[Item, Result], count: int) -> list[QueuedItem[Item, Result]]:
        """At most so many items of the size of `head`, by turns of their callers."""
        alike = {
            caller: [q for q in queue if q.size == head.size and not q.losses][::-1]
            for caller, queue in self._callers.items()
        }
        turns = [(self._served[caller], i, caller) for i, caller in enumerate(alike) if alike[caller]]
        heapq.heapify(turns)
        taken: list[QueuedItem[Item, Result]] = []
        while turns and len(taken) < count:
            served, i, caller = turns[0]
            queued = alike[caller].pop()
            taken.append(queued)
            self._take(queued)
            if alike[caller]:
                heapq.heapreplace(turns, (served + queued.cost, i, caller))
            else:
                heapq.heappop(turns)
        return taken

    def _take(self, queued: QueuedItem[Item, Result]) -> None:
        self._served[queued.caller] += queued.cost
        self.remove(queued)

    def _forget(self) -> None:
        """Keep in mind who waits, and who would else have more than a share; nobody else adds up."""
        limit = 2 * len(self._callers) + _MAX_REMEMBERED
        if len(self._served) > limit:
            self._served = {c: s for c, s in self._served.items() if c in self._callers or s > self._level}
        if len(self._served) > limit:
            self._served = {c: self._served[c] for c in self._callers}


class PriorityQueues(Generic[Item, Result]):
    """Items by priority, and by turns of their callers."""

    def __init__(self) -> None:
        self._queues: dict[Priority, FairQueue[Item, Result]] = {p: FairQueue() for p in PRIORITIES}
        self._small_turns = 0
        self._last_small_cells = 0

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[QueuedItem[Item, Result]]:
        return (queued for queue in self._queues.values() for queued in queue)

    @property
    def cells(self) -> int:
        """The cost of all that waits."""
        return sum(queue.cells for queue in self._queues.values())

    def count(self, caller: str) -> int:
        """How many items of one caller wait."""
        return sum(queue.count(caller) for queue in self._queues.values())

    @property
    def callers(self) -> int:
        """How many callers wait, about: who waits with both priorities counts twice."""
        return sum(queue.callers for queue in self._queues.values())

    def standing(self, priority: Priority) -> tuple[int, int, float]:
        """Items, cells, and the age of the oldest in seconds, of one queue."""
        queue = self._queues[priority]
        oldest = min((queued.since for queued in queue), default=math.inf)
        return len(queue), queue.cells, max(time.monotonic() - oldest, 0.0)

    @property
    def typical_small_cells(self) -> int:
        """The cost of a small problem, by those that wait or waited last; 0 where there was none."""
        queue = self._queues["small"]
        return queue.cells // len(queue) if queue.callers else self._last_small_cells

    def add(self, queued: QueuedItem[Item, Result]) -> None:
        """Last of its caller's in its queue."""
        if queued.priority == "small":
            self._last_small_cells = queued.cost
        self._queues[queued.priority].add(queued)

    def requeue(self, items: list[QueuedItem[Item, Result]]) -> None:
        """First of their callers': they have waited already."""
        for queued in reversed(items):
            self._queues[queued.priority].add(queued, first=True)

    def remove(self, queued: QueuedItem[Item, Result]) -> bool:
        """Whether it was still waiting."""
        return self._queues[queued.priority].remove(queued)

    def charge(self, queued: QueuedItem[Item, Result], cells: float) -> None:
        """What an item took beyond its cost counts for its caller."""
        self._queues[queued.priority].charge(queued.caller, cells)

    def take(self, items: int, cells: int) -> list[QueuedItem[Item, Result]]:
        """An item of the queue whose turn it is, whatever its cost, and with it those of equal size.

        Args:
            items, cells: that a batch may hold.
        """
        return self._queues[self._turn()].take(items, cells)

    def _turn(self) -> Priority:
        small, large = (bool(self._queues[priority].callers) for priority in PRIORITIES)
        if small and not (large and self._small_turns >= _SMALL_TURNS):
            self._small_turns += 1
            return "small"
        self._small_turns = 0
        return "large"
