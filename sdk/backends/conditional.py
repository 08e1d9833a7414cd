"""Estimates of what two samples share where a third is given, by any backend: two estimates as one."""

from typing import Any, Protocol

from mizzle import estimator as estimators
from mizzle.backends import reduced
from mizzle.backends.effects import Compute, Steps
from mizzle.backends.info import ModelCard
from mizzle.backends.pairs import Outcome
from mizzle.data import samples
from mizzle.data.samples import Missing
from mizzle.errors import InvalidInput, MizzleError, TooManyColumns
from mizzle.types import DEFAULT_UNIT, Estimate, Unit, check_unit


class Many(reduced.Many, Protocol):
    """A backend, as far as this needs it."""

    def info(self) -> Steps[ModelCard]:
        """The model that answers."""


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
    answer = yield from answered(backend, triple)
    return samples.Sample(read.x, read.y, read.notices).noted(answer).to(unit)


def answered(backend: Many, triple: estimators.TripleLike) -> Steps[Estimate]:
    """I(X;Y|Z) in nats."""
    if triple.problems:
        outcomes: list[Outcome] = yield from backend.estimate_many(list(triple.problems), False, "return")
        estimates = [estimate_or_error(outcome) for outcome in outcomes]
        model = estimates[0].model
    else:
        card = yield from backend.info()
        estimates, model = [], card.info
    answer: Estimate = yield Compute(estimators.conditional, (triple, estimates, model))
    return answer


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
