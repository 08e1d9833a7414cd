"""A plan at work in other processes: what they share of a table, and what they do with a task.

Where no value is missing, the ranks of all variables are made once, and shared. Where rows are left out pair
by pair, or tests shuffle them, the values themselves are.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast, overload

import numpy as np

from mizzle.backends.conditional import ConditionalBackend
from mizzle.backends.isolation import outcomes
from mizzle.backends.pairs import Backend, Outcome
from mizzle.backends.shared_ranks import SharedRanks
from mizzle.data.columns import Column
from mizzle.data.lru import SizedLRU
from mizzle.errors import MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.executors import Engine, Executing, opened, worker
from mizzle.executors.sharing import Arrays
from mizzle.tables.folder import Sheet, content
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.run import failure_of_all
from mizzle.tables.variables import Variable

_TOGETHER = 256  # pairs of complete variables that one run of the model answers
_HELD = 16_000_000  # cells of the sides that a worker holds


class Facts(NamedTuple):
    """What every task says beside its pairs.

    Attributes:
        sha256: of the weights that are to answer.
        condition: the place of the variable that is given, if one is.
        ranked: whether ranks are shared, and not values.
    """

    sha256: str
    condition: int | None
    ranked: bool


class File(NamedTuple):
    """A tile that is answered.

    Attributes:
        content: of its file.
        failure: why none of its pairs has an estimate, where that is not because of the pairs.
    """

    content: bytes
    failure: MizzleError | None

    @classmethod
    def of(cls, sheet: Sheet, answers: Sequence[Outcome]) -> "File":
        """From the answers to the pairs that are wanted."""
        return cls(content(sheet, answers), failure_of_all(answers))


class Tasks:
    """An engine that answers pairs of one plan."""

    def __init__(self, engine: Engine, facts: Facts) -> None:
        self.engine = engine
        self.facts = facts

    def answers(self, groups: Iterable[Sequence[PairIndex]]) -> Iterator[tuple[int, list[Outcome]]]:
        """The outcomes of each group of pairs, with its number, as they become ready.

        Raises:
            MizzleError: the engine fails.
        """
        tasks = ((self.facts, np.array(places, np.int32)) for places in groups)
        yield from self.engine.run(answer, tasks)

    def files(self, sheets: Iterable[Sheet]) -> Iterator[tuple[int, File]]:
        """The file of each tile, with its number, as they become ready; made where the pairs are answered.

        Raises:
            MizzleError: the engine fails.
        """
        yield from self.engine.run(answer_sheet, ((self.facts, sheet) for sheet in sheets))


@contextmanager
def shared(
    plan: Plan, model: EstimatorLike, executor: Executing, folder: Path | None, values: bool
) -> Iterator[Tasks]:
    """An engine whose workers have the table, as long as the context lasts.

    Args:
        values: whether the values are needed and ranks alone will not do.

    Raises:
        MizzleError: there is no such engine.
    """
    ranked = not values and plan.condition is None and plan.complete
    arrays = model.packed([model.side(v.values) for v in plan.variables]) if ranked else _values(plan)
    with opened(executor, arrays, folder) as engine:
        yield Tasks(engine, Facts(model.info.sha256, plan.condition, ranked))


def _values(plan: Plan) -> Arrays:
    """The columns of all variables."""
    columns = [column for variable in plan.variables for column in variable.columns]
    return {
        "values": np.array([column.values for column in columns]),
        "missing": np.array([column.missing for column in columns]),
        "starts": np.cumsum([0, *(len(variable.columns) for variable in plan.variables)]),
    }


def answer(arrays: Arrays, task: tuple[Facts, np.ndarray[Any, Any]]) -> list[Outcome]:
    """What a worker makes of a task: the outcomes of its pairs, in order."""
    facts, pairs = task
    model = worker.model(facts.sha256)
    places: list[PairIndex] = [(i, j) for i, j in pairs.tolist()]
    if facts.ranked:
        return _of_ranks(model, arrays, places)
    plan, backend = stored(arrays, facts)
    parts = (plan.chunk(part) for part in plan.cut(places) if part)
    return [
        outcome
        for chunk in parts
        for outcome in backend.estimate_many(cast(Any, chunk.arrays), progress=False, errors="return")
    ]


def answer_sheet(arrays: Arrays, task: tuple[Facts, Sheet]) -> File:
    """What a worker makes of a task: the file of a tile."""
    facts, sheet = task
    return File.of(sheet, answer(arrays, (facts, np.array(sheet.wanted, np.int32).reshape(-1, 2))))


def stored(arrays: Arrays, facts: Facts) -> tuple[Plan, Backend]:
    """A plan over the values that are shared, and who answers its pairs."""
    plan = Plan(_Stored(arrays), (), (), facts.condition)
    backend: Backend = SharedRanks(worker.model(facts.sha256))
    return plan, backend if facts.condition is None else ConditionalBackend(backend)


class _Stored(Sequence[Variable]):
    """Variables without names and notices, each made when it is wanted."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._cached = lru_cache(1024)(self._variable)

    def __len__(self) -> int:
        return len(self._arrays["starts"]) - 1

    @overload
    def __getitem__(self, k: int) -> Variable: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[Variable]: ...
    def __getitem__(self, k: int | slice) -> Variable | Sequence[Variable]:
        return self._cached(k) if isinstance(k, int) else [self._cached(i) for i in range(len(self))[k]]

    def _variable(self, k: int) -> Variable:
        columns = range(*self._arrays["starts"][k : k + 2])
        values, missing = self._arrays["values"], self._arrays["missing"]
        return Variable("", tuple(Column(values[c], missing[c]) for c in columns), ())


def _of_ranks(model: EstimatorLike, arrays: Arrays, places: Sequence[PairIndex]) -> list[Outcome]:
    """The outcomes of pairs of ranked variables."""
    held: SizedLRU[Any] = SizedLRU(_HELD)
    n, starts = arrays["ranks"].shape[1], arrays["starts"]

    def side(k: int) -> Any:
        return held.get(k, n * int(starts[k + 1] - starts[k]), lambda: model.unpacked(arrays, k))

    def problem(place: PairIndex) -> Any:
        try:
            return model.pair(side(place[0]), side(place[1]))
        except MizzleError as error:
            return error

    answers: list[Outcome] = []
    for start in range(0, len(places), _TOGETHER):
        problems = [problem(place) for place in places[start : start + _TOGETHER]]
        good = iter(outcomes(model, [p for p in problems if not isinstance(p, MizzleError)]))
        answers += [p if isinstance(p, MizzleError) else next(good) for p in problems]
    return answers
