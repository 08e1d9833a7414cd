"""Problems and tokens as the library takes and gives them."""

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mizzle.model.native.library import (
    KINDS,
    OVERALL,
    PROBLEM,
    TOKENS,
    address,
    channels,
    check,
    load,
    message,
)

Tokens = Mapping[str, NDArray[np.float32]]
"""Of every kind of token by its name, shape (t, channels), and `overall`, shape (channels,)."""


@runtime_checkable
class Problem(Protocol):
    """A ranked problem, as a `Table` is.

    Attributes:
        n: rows.
        x, y: centred ranks of the columns that vary, shape (columns, n), at least one column each.
        ceiling: quantiles of an upper bound on I(X;Y) in nats.
    """

    @property
    def n(self) -> int: ...
    @property
    def x(self) -> ArrayLike: ...
    @property
    def y(self) -> ArrayLike: ...
    @property
    def ceiling(self) -> ArrayLike: ...


class Packed:
    """Structures of the interface, and the arrays that they point into."""

    def __init__(self, dtype: np.dtype[Any], count: int) -> None:
        self.entries = np.zeros(count, dtype)
        self.alive: list[NDArray[Any]] = []

    def point(self, array: NDArray[Any]) -> int:
        """The address of an array, which stays alive as long as this."""
        self.alive.append(array)
        return address(array)


def packed_problems(problems: Iterable[Problem]) -> Packed:
    """Problems as the library reads them."""
    problems = list(problems)
    packed = Packed(PROBLEM, len(problems))
    for entry, problem in zip(packed.entries, problems, strict=True):
        sides = [np.ascontiguousarray(side, np.int64) for side in (problem.x, problem.y)]
        if any(len(side) == 0 or side.shape[1] != problem.n for side in sides):
            raise ValueError("each side must have a column, and each column n ranks")
        entry["n"] = problem.n
        entry["dims"] = [len(side) for side in sides]
        entry["ranks"] = [packed.point(side) for side in sides]
    return packed


def canonical_order(problem: Problem) -> NDArray[np.int32]:
    """The rows of a problem in an order that their content decides, whatever their order; shape (n,)."""
    packed, order, said = packed_problems([problem]), np.empty(problem.n, np.int32), message()
    check(load().mizzle_canonical_order(address(packed.entries), address(order), said), said)
    return order


def packed_tokens(problems: Sequence[Tokens]) -> Packed:
    """Tokens as the library reads them."""
    packed = Packed(TOKENS, len(problems))
    for entry, tokens in zip(packed.entries, problems, strict=True):
        arrays = {name: np.ascontiguousarray(tokens[name], np.float32) for name in (OVERALL, *KINDS)}
        if any(array.shape[-1] != channels()[name] for name, array in arrays.items()):
            raise ValueError("tokens with other channels than the engine's")
        entry["overall"] = packed.point(arrays[OVERALL])
        entry["values"] = [packed.point(arrays[kind]) for kind in KINDS]
        entry["counts"] = [len(arrays[kind]) for kind in KINDS]
    return packed


def tokens(problems: Iterable[Problem]) -> list[Tokens]:
    """Tokens of each problem."""
    packed = packed_problems(problems)
    return [_tokens(address(packed.entries) + i * PROBLEM.itemsize) for i in range(len(packed.entries))]


def _tokens(problem: int) -> Tokens:
    """Tokens of the problem at an address."""
    library, said, view, pointer = load(), message(), np.zeros(1, TOKENS), ctypes.c_void_p()
    check(library.mizzle_new_tokens(problem, ctypes.byref(pointer), said), said)
    try:
        library.mizzle_view_tokens(pointer, address(view))
        entry = view[0]
        sized = zip(KINDS, entry["values"], entry["counts"], strict=True)
        result = {kind: _copied(int(at), (int(count), channels()[kind])) for kind, at, count in sized}
        return {OVERALL: _copied(int(entry["overall"]), (channels()[OVERALL],)), **result}
    finally:
        library.mizzle_free_tokens(pointer)


def _copied(at: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The floats at an address."""
    result = np.empty(shape, np.float32)
    ctypes.memmove(address(result), at, result.nbytes)
    return result
