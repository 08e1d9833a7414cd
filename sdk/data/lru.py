"""A cache of bounded size, from which the least recently used values go first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SizedLRU(Generic[T]):
    """Values by key, up to a number of cells in all; the value used last always stays.

    Args:
        capacity: of the cache, in cells of arrays.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._cells = 0
        self._entries: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get(self, key: Hashable, cells: int, make: Callable[[], T]) -> T:
        """The value of this key, which `make` makes where the cache does not have it.

        Args:
            cells: size of the value.
        """
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key][0]
        value = make()
        self._entries[key] = value, cells
        self._cells += cells
        while self._cells > self._capacity and len(self._entries) > 1:
            self._cells -= self._entries.popitem(last=False)[1][1]
        return value
