"""Problems that are no table's, on executors: batches of pairs, and one pair with its rows in other orders.

An array that is part of several pairs is shared once; tasks name arrays by their numbers.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.backends.isolation import outcomes, prepared_outcomes
from mizzle.backends.pairs import Outcome, Pair
from mizzle.data.arrays import FloatArray
from mizzle.estimator import EstimatorLike
from mizzle.executors import Executing, opened, worker
from mizzle.executors.sharing import Arrays

Order = NDArray[np.intp]
Numbers = tuple[int, int]  # of the two arrays of a pair


def batches(
    executor: Executing, sha256: str, lists: Sequence[Sequence[Pair]]
) -> Iterator[tuple[int, list[Outcome]]]:
    """The outcomes of each list of pairs, with its number, as they become ready.

    Args:
        sha256: of the weights that are to answer.

    Raises:
        MizzleError: the engine fails.
    """
    arrays, numbers = shared_pairs([pair for pairs in lists for pair in pairs])
    left = iter(numbers)
    tasks = ((sha256, list(islice(left, len(pairs)))) for pairs in lists)
    with opened(executor, arrays) as engine:
        yield from engine.run(estimate, tasks)


def shared_pairs(pairs: Iterable[Pair]) -> tuple[Arrays, list[Numbers]]:
    """The arrays of all pairs for workers, each once, and the numbers of those of each pair."""
    numbers: dict[int, int] = {}
    arrays: list[FloatArray] = []
    listed = list(pairs)  # which also keeps arrays alive, and so their ids apart
    for side in (side for pair in listed for side in pair):
        if id(side) not in numbers:
            numbers[id(side)] = len(arrays)
            arrays.append(side)
    return _joined(arrays), [(numbers[id(x)], numbers[id(y)]) for x, y in listed]


def pair_of(arrays: Arrays, numbers: Numbers) -> Pair:
    """A pair, as a worker finds it."""
    return _array(arrays, numbers[0]), _array(arrays, numbers[1])


def _joined(arrays: Sequence[FloatArray]) -> dict[str, NDArray[Any]]:
    """Arrays of shape (n, d) one behind the other, and where each begins."""
    return {
        "values": np.concatenate([np.empty(0), *(array.ravel() for array in arrays)]),
        "starts": np.cumsum([0, *(array.size for array in arrays)]),
        "columns": np.array([array.shape[1] for array in arrays], np.int64),
    }


def estimate(arrays: Arrays, task: tuple[str, Sequence[Numbers]]) -> list[Outcome]:
    """What a worker makes of a task: the outcomes of a list of pairs."""
    sha256, pairs = task
    model = worker.model(sha256)
    return prepared_outcomes(model, [pair_of(arrays, numbers) for numbers in pairs])


def _array(arrays: Arrays, k: int) -> FloatArray:
    part = arrays["values"][slice(*arrays["starts"][k : k + 2])]
    return np.asarray(part).reshape(-1, int(arrays["columns"][k]))


def reordered(
    executor: Executing, model: EstimatorLike, x: FloatArray, y: FloatArray, lists: Iterable[Sequence[Order]]
) -> Iterator[tuple[int, list[Outcome]]]:
    """The outcomes of a pair with the rows of y in each order of each list, as they become ready.

    Raises:
        MizzleError: the engine fails.
    """
    tasks = ((model.info.sha256, np.array(orders, np.int32)) for orders in lists)
    with opened(executor, model.packed([model.side(x), model.side(y)])) as engine:
        yield from engine.run(estimate_reordered, tasks)


def estimate_reordered(arrays: Arrays, task: tuple[str, NDArray[np.int32]]) -> list[Outcome]:
    """What a worker makes of a task: the outcomes of a pair with the rows of y in other orders."""
    sha256, orders = task
    model = worker.model(sha256)
    left, right = (model.unpacked(arrays, k) for k in (0, 1))
    return outcomes(model, model.reordered(left, right, orders.astype(np.intp)))
