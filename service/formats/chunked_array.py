"""An array that comes a few rows at a time, each lot made into floats at once."""

from typing import Any

import numpy as np

from mizzle.data.arrays import FloatArray, as_table
from mizzle.errors import InvalidInput


class ChunkedArray:
    """The array so far; the first thing that is wrong with it is kept, and the rest then ignored.

    Args:
        name: what to call it in messages, "x" or "y".
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[FloatArray] = []
        self._first: list[Any] = []
        self._count = 0
        self._refusal: InvalidInput | None = None

    def add(self, rows: list[Any]) -> None:
        """At least one more row, or cell of a single column."""
        if self._refusal is not None:
            return
        self._first = self._first or rows[:1]
        try:
            self._parts.append(self._floats(rows))
        except InvalidInput as error:
            self._refusal = error
        self._count += len(rows)

    def whole(self) -> FloatArray | InvalidInput:
        """All of it as float64 of shape (n, d), or what is wrong with it, by the place in the whole."""
        if self._refusal is not None:
            return self._refusal
        try:
            return np.concatenate(self._parts) if self._parts else as_table([], self._name)
        except InvalidInput as error:
            return error

    def _floats(self, rows: list[Any]) -> FloatArray:
        if _width(rows[0]) == _width(self._first[0]):
            try:
                return as_table(rows, self._name)
            except InvalidInput:
                pass
        # The first row stands in for all that went before, so that the refusal names a place in the whole.
        return as_table(self._first * self._count + rows, self._name)


def _width(row: Any) -> int | None:
    return len(row) if isinstance(row, list) else None
