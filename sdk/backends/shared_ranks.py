"""Pairs of a table answered in this process: every array is ranked once, and a pool of threads runs them.

Ranks are all that pays to share: of the time of a pair of columns (n = 1000) a tenth was ranking both, while
every other statistic of a single column took less than a fiftieth.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any

from mizzle.backends.local import isolated
from mizzle.backends.pairs import Answers, Errors, Outcome
from mizzle.data.arrays import MIN_ROWS, FloatArray, as_table
from mizzle.errors import LengthMismatch, MizzleError, TooFewSamples
from mizzle.estimator import EstimatorLike
from mizzle.progress import Wanted, shown
from mizzle.tables.plan import SizedLRU

_MOST_CELLS = 8_000_000  # of the sides that are kept
_UNIT = 16  # pairs that a thread runs at once: a few batches, so that no thread waits long for the last


class SharedRanks:
    """An asker over one estimator that knows an array again, by identity, as long as it lives.

    For pairs whose arrays nobody changes meanwhile: those of a `mizzle.tables.plan.Plan` are read-only.
    """

    def __init__(self, model: EstimatorLike) -> None:
        self._model = model
        self._recent: SizedLRU[tuple[FloatArray, Any]] = SizedLRU(_MOST_CELLS)

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
        asked = list(pairs)
        with shown(progress, len(asked)) as tell:
            answers = Answers(len(asked), errors, tell)
            with self._model.thread_pool() as pool:
                waiting = {}
                for unit in self._units(asked, answers):
                    places, tables = zip(*unit, strict=True)
                    waiting[pool.submit(isolated, self._model, list(tables))] = places
                for done in as_completed(waiting):
                    answers.put(waiting[done], done.result())
        return answers.all()

    def _units(
        self, asked: Sequence[tuple[FloatArray, FloatArray]], answers: Answers
    ) -> Iterator[list[tuple[int, Any]]]:
        """Prepared problems of similar cost, a few at a time; those that cannot be prepared are answered."""
        unit: list[tuple[int, Any]] = []
        for place in sorted(range(len(asked)), key=lambda i: sum(side.size for side in asked[i])):
            try:
                unit.append((place, self._prepared(*asked[place])))
            except MizzleError as error:
                answers.put([place], [error])
            if len(unit) == _UNIT:
                yield unit
                unit = []
        if unit:
            yield unit

    def _prepared(self, x: FloatArray, y: FloatArray) -> Any:
        if len(x) != len(y):
            raise LengthMismatch(f"x has {len(x)} rows and y has {len(y)}; both need the same")
        if len(x) < MIN_ROWS:
            raise TooFewSamples(f"x and y have {len(x)} rows; at least {MIN_ROWS} are needed")
        return self._model.pair(self._side(x, "x"), self._side(y, "y"))

    def _side(self, values: FloatArray, name: str) -> Any:
        """The array's side. The array is kept beside it, or another might come to have its identity."""

        def made() -> tuple[FloatArray, Any]:
            return values, self._model.side(as_table(values, name))

        return self._recent.get(id(values), values.size, made)[1]
