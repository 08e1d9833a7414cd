"""Estimates of samples with any number of columns, by any backend: folds, ladders, and one answer of both."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple, Protocol, get_args

from mizzle.backends.effects import Compute, Steps
from mizzle.backends.info import Limits
from mizzle.backends.pairs import Errors, Outcome, Pair
from mizzle.data.arrays import MIN_ROWS, FloatArray
from mizzle.data.samples import Missing, Sample, read_sample
from mizzle.errors import InvalidInput, MizzleError, TooFewSamples
from mizzle.progress import Wanted
from mizzle.reduction.folds import Rows, folds
from mizzle.reduction.ladder import LADDER, choice, nearest, pooled, rungs
from mizzle.reduction.projections import (
    Components,
    Projection,
    components,
    fitted_rows,
    participation,
    share,
)
from mizzle.types import (
    DEFAULT_UNIT,
    Estimate,
    Notice,
    Reduced,
    ReducedSide,
    Rung,
    Unit,
    check_unit,
    in_words,
    short_repr,
)

Reduce = Literal["auto", "pca", "none"]
Key = tuple[str, int]  # method and components
_METHODS: Final = {"pca": ("pca",), "auto": ("pca", "ridge")}


class Many(Protocol):
    """A backend, as far as a reduction needs it."""

    def estimate(
        self, x: object, y: object, *, missing: Missing, unit: Unit, deduplicate: bool
    ) -> Steps[Estimate]:
        """The estimate of one problem."""

    def estimate_many(self, pairs: Sequence[Pair], wanted: Wanted, errors: Errors) -> Steps[list[Outcome]]:
        """The estimates of many, or what became of them instead."""

    def limits(self) -> Steps[Limits]:
        """What can be answered at once."""


class Half(NamedTuple):
    """One half of the rows, seen through maps that were fitted to the other.

    Attributes:
        variances: of all components of x and of y, on the rows that were fitted.
        pairs: a problem for every method and rung.
    """

    variances: tuple[FloatArray, FloatArray]
    pairs: dict[Key, Pair]


class Plan(NamedTuple):
    """What is to be reduced, and how.

    Attributes:
        wide: whether x, and whether y, is reduced.
        methods: "pca", "ridge".
        components: of a side, at most.
    """

    wide: tuple[bool, bool]
    methods: tuple[str, ...]
    components: int


def estimate(
    backend: Many,
    x: object,
    y: object,
    reduce: Reduce | None,
    *,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
) -> Steps[Estimate]:
    """The steps to the estimate of one problem, reduced where `reduce` says so; see `mizzle.estimate`."""
    check_unit(unit)
    if reduce is None or _check(reduce) == "none":
        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return (yield from backend.estimate(x, y, **options))
    sample: Sample = yield Compute(read_sample, (x, y, missing, None, deduplicate))
    answer = yield from _reduced(backend, (sample.x, sample.y), reduce)
    return sample.noted(answer).to(unit)


def _reduced(backend: Many, pair: Pair, reduce: Reduce) -> Steps[Estimate]:
    """In nats."""
    limits = yield from backend.limits()
    widest = 1 if reduce == "pca" else limits.max_columns
    wide = pair[0].shape[1] > widest, pair[1].shape[1] > widest
    if not any(wide):
        return (yield from backend.estimate(*pair, missing="raise", unit=DEFAULT_UNIT, deduplicate=False))
    plan = Plan(wide, _METHODS[reduce], min(limits.max_columns, LADDER[-1]))
    halves: list[Half] = yield Compute(_halves, (pair, plan))
    problems = [problem for half in halves for problem in half.pairs.values()]
    outcomes = yield from backend.estimate_many(problems, False, "return")
    answer: Estimate = yield Compute(_answer, (pair, plan, halves, outcomes))
    return answer


def _check(reduce: object) -> object:
    if reduce not in get_args(Reduce):
        raise InvalidInput(f"reduce is {short_repr(reduce)}; it must be 'auto', 'pca' or 'none'")
    return reduce


def _halves(pair: Pair, plan: Plan) -> list[Half]:
    """Both halves of the rows with all that is to be estimated on them.

    Raises:
        TooFewSamples: a half of the rows is too few.
    """
    if len(pair[0]) < 2 * MIN_ROWS:
        raise TooFewSamples(
            f"x and y have {len(pair[0])} rows; to reduce columns, at least {2 * MIN_ROWS} are needed: "
            "each half of them is estimated by a map that was fitted to the other"
        )
    first, second = folds(*pair)
    return [_half(pair, plan, fitted=second, estimated=first), _half(pair, plan, first, second)]


def _half(pair: Pair, plan: Plan, fitted: Rows, estimated: Rows) -> Half:
    """The problems of the rows `estimated`, through maps of the rows `fitted`."""
    rows = fitted[: min(fitted_rows(side.shape[1]) for side in pair)]
    x, y = components(pair[0], rows), components(pair[1], rows)
    pairs: dict[Key, Pair] = {}
    for method in plan.methods:
        maps = _projection(method, x, y, plan.components), _projection(method, y, x, plan.components)
        left, right = (
            project(side, estimated) if wide else side[estimated]
            for project, side, wide in zip(maps, pair, plan.wide, strict=True)
        )
        widest = max(side.shape[1] for side, wide in zip((left, right), plan.wide, strict=True) if wide)
        for k in rungs(widest):
            cut_x, cut_y = (slice(k if wide else None) for wide in plan.wide)
            pairs[method, k] = left[:, cut_x], right[:, cut_y]
    return Half((x.variances, y.variances), pairs)


def _projection(method: str, side: Components, other: Components, k: int) -> Projection:
    """The map of a side to at most k columns."""
    return side.leading(k) if method == "pca" else side.towards(other, k)


def _answer(pair: Pair, plan: Plan, halves: Sequence[Half], outcomes: Sequence[Outcome]) -> Estimate:
    """The estimate of both halves, each by the dimension that the other one chose.

    Raises:
        MizzleError: the first among the outcomes.
    """
    estimates: list[Estimate] = []
    for outcome in outcomes:
        if isinstance(outcome, MizzleError):
            raise outcome
        estimates.append(outcome)
    split = len(halves[0].pairs)
    first = dict(zip(halves[0].pairs, estimates[:split], strict=True))
    second = dict(zip(halves[1].pairs, estimates[split:], strict=True))
    keys = nearest(first, choice(second)), nearest(second, choice(first))
    both = pooled(first[keys[0]], second[keys[1]])
    ladders = tuple(tuple(Rung(*key, e.mi) for key, e in half.items()) for half in (first, second))
    sides = [_side(i, pair, halves, keys) if wide else None for i, wide in enumerate(plan.wide)]
    reduced = Reduced(sides[0], sides[1], (ladders[0], ladders[1]))
    dims = {"dim_x": pair[0].shape[1], "dim_y": pair[1].shape[1]}
    return replace(both, **dims, reduced=reduced, warnings=(*both.warnings, _notice(reduced)))


def _side(i: int, pair: Pair, halves: Sequence[Half], keys: tuple[Key, Key]) -> ReducedSide:
    """What is left of side i, 0 or 1."""
    widths = [half.pairs[key][i].shape[1] for half, key in zip(halves, keys, strict=True)]
    variances = [half.variances[i] for half in halves]
    return ReducedSide(
        columns=pair[i].shape[1],
        method=(keys[0][0], keys[1][0]),
        components=(widths[0], widths[1]),
        variance=sum(map(share, variances, widths)) / 2,
        participation=sum(map(participation, variances)) / 2,
    )


def _notice(reduced: Reduced) -> Notice:
    """That the estimate is one of fewer columns, and how it is to be read."""
    return Notice(
        "reduced",
        f"{in_words(reduced)}, by maps fitted to the other half of the rows; the estimate is the "
        "information of what is left of the sides, a lower bound on that of all columns",
    )
