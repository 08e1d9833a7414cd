"""P-values of the pairs of a table: the estimates that are there already beside those of surrogates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from mizzle.backends.pairs import Backend, Outcome
from mizzle.backends.shared_ranks import SharedRanks
from mizzle.data.arrays import FloatArray
from mizzle.errors import InvalidInput
from mizzle.executors.sharing import Arrays
from mizzle.progress import Wanted, track
from mizzle.questions.significance import Design, benjamini_hochberg, chunks, means, pvalue
from mizzle.questions.surrogates import Kind, Order, Rng, check_count, generator_of
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.results import PairResult
from mizzle.tables.shared_plan import Facts, Tasks, stored
from mizzle.tables.tiles import side
from mizzle.types import Estimate, Notice

PValues = dict[PairIndex, float | InvalidInput]
Todo = tuple[
    PairIndex, Estimate, np.random.Generator
]  # a pair, what it has, and what its surrogates are drawn of


@dataclass(frozen=True)
class Significance:
    """How pairs are tested.

    Attributes:
        rng: of which each pair has a child of its own.
    """

    design: Design
    rng: np.random.Generator

    @classmethod
    def of(cls, kind: Kind | None, count: int, rng: Rng, *, given: bool = False) -> "Significance":
        """From what a caller says; `given`: whether the pairs have a third side.

        Raises:
            InvalidInput: one of these cannot be used.
        """
        return cls(Design.of(kind, check_count(count, "pvalues"), None, given=given), generator_of(rng))

    @property
    def name(self) -> tuple[str, int]:
        """The kind of surrogates, and how many a pair has."""
        return self.design.kind, self.design.n

    def of_pairs(
        self,
        plan: Plan,
        outcomes: Mapping[PairIndex, Outcome],
        backend: Backend,
        wanted: Wanted,
        tasks: Tasks | None = None,
    ) -> PValues:
        """The p-value of every pair that has an estimate, or why it has none.

        Args:
            outcomes: in nats.
            tasks: who computes in place of the backend.

        Raises:
            MizzleError: the backend fails.
        """
        values: PValues = {}
        with track(wanted, len(plan.places)) as advance:
            todo: list[Todo] = []
            for place, rng in zip(plan.places, self.rng.spawn(len(plan.places)), strict=True):
                if isinstance(estimate := outcomes[place], Estimate):
                    todo.append((place, estimate, rng))
                else:
                    advance(1)
            for part in self._computed(plan, todo, backend, tasks):
                values.update(part)
                advance(len(part))
        return values

    def _computed(
        self, plan: Plan, todo: Sequence["Todo"], backend: Backend, tasks: Tasks | None
    ) -> Iterator[PValues]:
        """P-values, some at a time, in any order."""
        if tasks is None:
            yield from ({item[0]: self.of_pair(plan, *item, backend)} for item in todo)
            return
        size = max(1, side(plan) ** 2 // self.design.n)
        groups = (todo[start : start + size] for start in range(0, len(todo), size))
        work = ((tasks.facts, self.design, group) for group in groups)
        yield from (values for _, values in tasks.engine.run(tested, work))

    def of_pair(
        self, plan: Plan, place: PairIndex, estimate: Estimate, rng: np.random.Generator, backend: Backend
    ) -> float | InvalidInput:
        """The p-value of one pair, or why it has none."""
        [sides] = plan.chunk((place,)).arrays
        x, y, *condition = sides
        try:
            orders = self.design.surrogates(x, y, *condition).orders(rng)
        except InvalidInput as error:
            return error
        cells = sum(side.size for side in sides)
        null = [mi for chunk in chunks(orders, cells) for mi in _null(backend, sides, chunk)]
        return pvalue(estimate.mi, null)


def tested(arrays: Arrays, task: tuple[Facts, Design, Sequence[Todo]]) -> PValues:
    """What a worker makes of a task: the p-values of its pairs."""
    facts, design, todo = task
    plan, backend = stored(arrays, facts)
    significance = Significance(design, np.random.default_rng(0))  # each pair brings its own generator
    return {item[0]: significance.of_pair(plan, *item, backend) for item in todo}


def with_pvalues(plan: Plan, pairs: Sequence[PairResult], values: PValues) -> tuple[PairResult, ...]:
    """The results with p-values, and with those adjusted for how many there are.

    Args:
        pairs: in the order of the plan.
    """
    numbers = {place: value for place, value in values.items() if not isinstance(value, InvalidInput)}
    adjusted = dict(zip(numbers, benjamini_hochberg(list(numbers.values())), strict=True))
    return tuple(
        replace(
            pair,
            pvalue=numbers.get(place),
            pvalue_bh=adjusted.get(place),
            notes=(*pair.notes, *_untested(values.get(place))),
        )
        for place, pair in zip(plan.places, pairs, strict=True)
    )


def _null(backend: Backend, sides: tuple[FloatArray, ...], orders: Sequence[Order]) -> list[float]:
    """The estimates of surrogates, in nats."""
    x, y, *condition = sides
    if isinstance(backend, SharedRanks):
        return list(means(backend.estimate_reordered(x, y, orders)))
    problems = [(x, y[order], *condition) for order in orders]
    return list(means(backend.estimate_many(cast(Any, problems), progress=False)))


def _untested(value: float | InvalidInput | None) -> tuple[Notice, ...]:
    return (Notice("untested", f"there is no p-value: {value}"),) if isinstance(value, InvalidInput) else ()
