"""Pairs of a table answered in this process: every array is ranked once, and a pool of threads runs them.

Ranks are all that pays to share: of the time of a pair of columns (n = 1000) a tenth was ranking both, while
every other statistic of a single column took less than a fiftieth.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.backends.isolation import outcomes
from mizzle.backends.pairs import Collector, Errors, Outcome
from mizzle.data.arrays import FloatArray, as_table, check_rows
from mizzle.data.lru import SizedLRU
from mizzle.errors import MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.progress import Wanted, track

_MAX_CELLS = 8_000_000  # of the sides that are held
_UNIT = 16  # pairs that a thread runs at once: a few batches, so that no thread waits long for the last


class SharedRanks:
    """A backend over one estimator that knows an array again, by identity, as long as it lives.

    For pairs whose arrays nobody changes meanwhile: those of a `mizzle.tables.plan.Plan` are read-only.
    """

    def __init__(self, model: EstimatorLike) -> None:
        self._model = model
        self._recent: SizedLRU[tuple[FloatArray, Any]] = SizedLRU(_MAX_CELLS)

    def estimate_many(
        self,
        pairs: Iterable[tuple[FloatArray, FloatArray]],
        *,
        progress: Wanted = None,
        errors: Errors = "raise",
    ) -> list[Outcome]:
        """The estimates of pairs of tables of shape (n, d), or what became of them instead, in order.

        Raises:
            MizzleError: of the first pair that fails, if errors are to be raised.
        """
        problems = list(pairs)
        with track(progress, len(problems)) as advance:
            collector = Collector(len(problems), errors, advance)
            with self._model.thread_pool() as pool:
                pending = {}
                for unit in self._units(problems, collector):
                    places, tables = zip(*unit, strict=True)
                    pending[pool.submit(outcomes, self._model, list(tables))] = places
                for done in as_completed(pending):
                    collector.add(pending[done], done.result())
        return collector.results()

    def estimate_reordered(
        self, x: FloatArray, y: FloatArray, orders: Sequence[NDArray[np.intp]]
    ) -> list[Outcome]:
        """The estimates of checked x with the rows of y in other orders, or what became of them instead."""
        left, right = self._side(x, "x"), self._side(y, "y")
        return outcomes(self._model, self._model.reordered(left, right, orders))

    def _units(
        self, problems: Sequence[tuple[FloatArray, FloatArray]], collector: Collector
    ) -> Iterator[list[tuple[int, Any]]]:
        """Prepared problems of similar cost, a few at a time; those that cannot be prepared are answered."""
        unit: list[tuple[int, Any]] = []
        for place in sorted(range(len(problems)), key=lambda i: sum(side.size for side in problems[i])):
            try:
                unit.append((place, self._prepared(*problems[place])))
            except MizzleError as error:
                collector.add([place], [error])
            if len(unit) == _UNIT:
                yield unit
                unit = []
        if unit:
            yield unit

    def _prepared(self, x: FloatArray, y: FloatArray) -> Any:
        check_rows(x, y)
        return self._model.pair(self._side(x, "x"), self._side(y, "y"))

    def _side(self, values: FloatArray, name: str) -> Any:
        """The array's side. The array is held with it, or another might come to have its identity."""

        def make() -> tuple[FloatArray, Any]:
            return values, self._model.side(as_table(values, name))

        return self._recent.get(id(values), values.size, make)[1]
