"""Estimates of what two samples share where a third is given, by any backend: two estimates as one."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from mizzle import estimator as estimators
from mizzle import selftest
from mizzle.backends import reduced
from mizzle.backends.effects import Compute, Steps
from mizzle.backends.info import ModelCard
from mizzle.backends.pairs import Backend, Errors, Outcome, numbered
from mizzle.data import samples
from mizzle.data.arrays import FloatArray, as_table
from mizzle.data.samples import Missing
from mizzle.errors import InvalidInput, MizzleError, TooManyColumns
from mizzle.progress import Wanted, track
from mizzle.types import DEFAULT_UNIT, Estimate, ModelInfo, Unit, check_unit


class Many(reduced.Many, Protocol):
    """A backend, as far as this needs it."""

    def info(self) -> Steps[ModelCard]:
        """The model that answers."""


class ConditionalBackend:
    """A backend of tables whose problems have a third array, over one whose problems have two."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._model: ModelInfo | None = None

    def estimate_many(
        self, pairs: Iterable[Sequence[FloatArray]], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> list[Outcome]:
        """The estimates of I(X;Y|Z), in order, or what became of them instead."""
        triples = [estimators.triple(*sides) for sides in pairs]
        problems = [pair for triple in triples for pair in triple.problems]
        outcomes = iter(self._backend.estimate_many(problems, progress=False, errors="return"))
        answers: list[Outcome] = []
        with track(progress, len(triples)) as advance:
            for place, triple in enumerate(triples):
                answer = self._answer(triple, [next(outcomes) for _ in triple.problems])
                if errors == "raise" and isinstance(answer, MizzleError):
                    raise numbered(place, answer)
                answers.append(answer)
                advance(1)
        return answers

    def _answer(self, triple: estimators.TripleLike, outcomes: Sequence[Outcome]) -> Outcome:
        try:
            estimates = [estimate_or_error(outcome) for outcome in outcomes]
            model = estimates[0].model if estimates else self._known_model()
            return estimators.conditional(triple, estimates, model)
        except MizzleError as error:
            return error

    def _known_model(self) -> ModelInfo:
        """Which weights answer: those of a known problem, where none of this table needs them."""
        if self._model is None:
            sides = [as_table(side, name) for side, name in zip(selftest.sample(), "xy", strict=True)]
            [outcome] = self._backend.estimate_many([(sides[0], sides[1])], progress=False)
            self._model = estimate_or_error(outcome).model
        return self._model


def estimate(
    backend: Many,
    x: object,
    y: object,
    z: object | None,
    reduce: reduced.Reduce | None,
    *,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
) -> Steps[Estimate]:
    """The steps to the estimate of one problem, of I(X;Y|Z) unless z is None; see `mizzle.estimate`."""
    if z is None:
        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return (yield from reduced.estimate(backend, x, y, reduce, **options))
    check_unit(unit)
    if reduce not in (None, "none"):
        raise InvalidInput(
            "reduce goes with x and y alone; with given, choose the columns, and leave reduce out"
        )
    read: samples.Triple = yield Compute(samples.read_triple, (x, y, z, missing, None, deduplicate))
    triple: estimators.TripleLike = yield Compute(estimators.triple, (read.x, read.y, read.z))
    [answer] = yield from answered(backend, [triple])
    return samples.Sample(read.x, read.y, read.notices).noted(answer).to(unit)


def answered(backend: Many, triples: Sequence[estimators.TripleLike]) -> Steps[list[Estimate]]:
    """I(X;Y|Z) of each in nats, the problems of all estimated together.

    Raises:
        MizzleError: of the first that has none.
    """
    problems = [pair for triple in triples for pair in triple.problems]
    outcomes: list[Outcome] = []
    if problems:
        outcomes = yield from backend.estimate_many(problems, False, "return")
    remaining, answers = iter(outcomes), list[Estimate]()
    for triple in triples:
        estimates = [estimate_or_error(next(remaining)) for _ in triple.problems]
        model = estimates[0].model if estimates else (yield from backend.info()).info
        answer: Estimate = yield Compute(estimators.conditional, (triple, estimates, model))
        answers.append(answer)
    return answers


def estimate_or_error(outcome: Outcome) -> Estimate:
    """The estimate of one of the problems of a triple.

    Raises:
        MizzleError: there is none; in words of three sides.
    """
    if isinstance(outcome, TooManyColumns):
        raise TooManyColumns(
            "a side and given together have more columns than the model covers; choose fewer"
        )
    if isinstance(outcome, MizzleError):
        raise outcome
    return outcome
