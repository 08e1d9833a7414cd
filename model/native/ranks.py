"""Ranks, numbers of rows and counts of nats: what `preprocess` and `counting` compute, as compiled loops."""

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.model.native.library import COUNTED, address, check, load, message

Integers = NDArray[np.int64]


class Ranked(NamedTuple):
    """Columns, ranked.

    Attributes:
        ranks: centred double ranks, shape (d, n).
        distinct: how many different values each column has.
        alike: the correlation of each column's ranks with themselves one row later; NaN of a constant one.
    """

    ranks: Integers
    distinct: Integers
    alike: NDArray[np.float64]


class Counts(NamedTuple):
    """A number of nats by counting: its value, its standard error, and what it cannot exceed."""

    value: float
    error: float
    bound: float


def rank(values: NDArray[np.float64]) -> Ranked:
    """Rank the columns of finite values of shape (n, d), which may have any strides."""
    if values.dtype != np.float64 or any(stride % values.itemsize for stride in values.strides):
        values = np.ascontiguousarray(values, np.float64)
    n, d = values.shape
    result = Ranked(np.empty((d, n), np.int64), np.empty(d, np.int64), np.empty(d))
    steps = [stride // values.itemsize for stride in values.strides]
    said = message()
    check(load().mizzle_rank(address(values), n, d, *steps, *map(address, result), said), said)
    return result


def number_rows(ranks: Integers) -> tuple[Integers, int]:
    """A number for every row of ranks of shape (d, n), the same for equal rows, and how many there are."""
    ranks = np.ascontiguousarray(ranks)
    numbers, count, said = np.empty(ranks.shape[1], np.int64), ctypes.c_int64(), message()
    call = load().mizzle_number_rows
    check(call(address(ranks), ranks.shape[1], len(ranks), address(numbers), ctypes.byref(count), said), said)
    return numbers, count.value


def entropy(labels: Integers) -> Counts:
    """Entropy in nats of the distribution that labels 0, 1, .. were drawn from."""
    labels, result, said = np.ascontiguousarray(labels), np.empty(1, COUNTED), message()
    check(load().mizzle_entropy(address(labels), len(labels), address(result), said), said)
    return _counts(result)


def information(x: Integers, y: Integers) -> Counts | None:
    """Mutual information in nats of labels 0, 1, ..; None where their table has too few rows to a cell."""
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    result, counts, said = np.empty(1, COUNTED), ctypes.c_int32(), message()
    call = load().mizzle_information
    check(call(address(x), address(y), len(x), address(result), ctypes.byref(counts), said), said)
    return _counts(result) if counts.value else None


def _counts(result: NDArray[Any]) -> Counts:
    return Counts(*map(float, result[0]))
