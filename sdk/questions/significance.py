"""Tests of independence: the estimate beside those of surrogates, in which the two sides are independent.

p = (1 + #{surrogates with an estimate >= that of the sample}) / (1 + n), which is valid whatever the
estimator does, as it does the same to all (Phipson and Smyth 2010).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from mizzle import estimator as estimators
from mizzle.backends import conditional, elsewhere
from mizzle.backends.effects import Compute, Steps, perform_compute, run
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Errors, Outcome, numbered, read_samples
from mizzle.data.arrays import FloatArray
from mizzle.data.samples import Missing, Sample, Triple, read_sample, read_triple
from mizzle.errors import InvalidInput, MizzleError
from mizzle.executors import Executing, worker
from mizzle.executors.sharing import Arrays
from mizzle.progress import Wanted, track
from mizzle.questions.chunks import conditional_estimates
from mizzle.questions.surrogates import (
    DEFAULT_COUNT,
    Kind,
    Order,
    Rng,
    Surrogates,
    check_block,
    check_count,
    chosen_kind,
    generator_of,
    surrogates,
)
from mizzle.types import DEFAULT_UNIT, PER_NAT, Estimate, Notice, Unit, check_unit

_ROUNDING = 1e-4  # nats by which estimates differ that are the same but for rounding, by either engine
_MAX_PROBLEMS = 256  # surrogates that are estimated together
_MAX_CELLS = 2_000_000


class Answering(conditional.Many, Protocol):
    """A backend, as far as a test needs it."""

    def estimate_reordered(
        self, x: FloatArray, y: FloatArray, orders: Sequence[Order]
    ) -> Steps[list[Outcome]]:
        """The estimates of x with the rows of y in other orders."""


@dataclass(frozen=True, repr=False, eq=False)
class Test:
    """A test of the independence of two sides.

    Attributes:
        statistic: the estimate's mean, in `unit`.
        pvalue: the share of surrogates, and of the sample itself, whose estimate is no smaller.
        null: the estimates of the surrogates, in `unit`, in the order in which they were drawn; shape (n,).
        kind: of the surrogates, "shuffle", "shift", "block" or "local".
        n: how many surrogates there were.
        length: rows of a block; the smallest shift in either direction; 1 for permutations.
        estimate: of the sample.
        warnings: what was assumed for the test, and what was noticed about the sample.
        unit: "nats" or "bits".
    """

    __test__ = False  # or pytest would collect it from a test that imports it

    statistic: float
    pvalue: float
    null: NDArray[np.float64]
    kind: Kind
    n: int
    length: int
    estimate: Estimate
    warnings: tuple[Notice, ...]
    unit: Unit

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers, texts and lists, fit for JSON."""
        low, high = self.estimate.interval()
        return {
            "statistic": self.statistic,
            "pvalue": self.pvalue,
            "kind": self.kind,
            "n": self.n,
            "length": self.length,
            "unit": self.unit,
            "low": low,
            "high": high,
            "rows": self.estimate.n,
            "dim_x": self.estimate.dim_x,
            "dim_y": self.estimate.dim_y,
            "null": self.null.tolist(),
            "warnings": [notice._asdict() for notice in self.warnings],
            "model": self.estimate.model._asdict(),
        }

    def plot(self) -> Any:
        """A matplotlib Figure: a histogram of the null distribution, and the statistic.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from mizzle.display import plots

        return plots.null_distribution(self.null, self.statistic, self.pvalue, self.kind, self.unit)

    def __repr__(self) -> str:
        flags = f", warnings: {', '.join(w.code for w in self.warnings)}" if self.warnings else ""
        text = f"{self.statistic:.3f} {self.unit}, p={self.pvalue:.3g}, {self.n} surrogates ({self.kind})"
        return f"Test({text}, {self.estimate.n} rows{flags})"


class Design(NamedTuple):
    """What is to be drawn for every sample, and the unit of the answers.

    Attributes:
        kind, n, block, unit: as for `mizzle.test`, checked.
    """

    kind: Kind
    n: int
    block: int | None
    unit: Unit

    @classmethod
    def of(
        cls, kind: Kind | None, n: int, block: int | None, unit: Unit = DEFAULT_UNIT, *, given: bool = False
    ) -> "Design":
        """From what a caller says.

        Args:
            given: whether there is a third side.

        Raises:
            InvalidInput: one of these cannot be used.
        """
        chosen = chosen_kind(kind, given=given)
        check_block(block, chosen)
        check_unit(unit)
        return cls(chosen, check_count(n), block, unit)

    def surrogates(self, x: FloatArray, y: FloatArray, z: FloatArray | None = None) -> Surrogates:
        """Of one sample; errors as `surrogates.surrogates`."""
        return surrogates(x, y, self.kind, self.n, self.block, z)


def test(
    x: object,
    y: object,
    *,
    given: object = None,
    kind: Kind | None = None,
    n: int = DEFAULT_COUNT,
    block: int | None = None,
    rng: Rng = 0,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    progress: Wanted = None,
    executor: Executing | None = None,
) -> Test:
    """Whether the dependence of two samples could be chance: a p-value of their independence.

    The statistic is the estimate of the mutual information, and its null distribution that of surrogates: the
    same rows, those of `y` in other orders.

    Args:
        x, y: as for `mizzle.estimate`.
        given: a third sample Z of the same rows: the statistic is then I(X;Y|Z), and the question whether x
            and y share anything where z is known.
        kind: "shuffle" for rows without an order, which is taken for None. For series, whose rows follow each
            other in time: "shift" turns `y` against `x` by at least their autocorrelation length, "block"
            permutes circular blocks of its rows. Two series that remember look dependent to shuffles even
            where they are not. With `given` it is "local": `y` is permuted among the five rows that are
            nearest by z, which leaves what it shares with z (Runge 2018).
        n: how many surrogates, 19 to 99,999; the smallest p-value is 1 / (1 + n).
        block: rows of a block; None for eight times the autocorrelation length, the lag at which that is 1/2.
        rng: a seed, a generator, or None for other surrogates each time.
        missing, unit: as for `mizzle.estimate`.
        progress: None for a bar on stderr where that is a terminal and the work takes longer than two
            seconds; True or False; or a function of (done, total).
        executor: who works, as for `mizzle.matrix`; None for this process.

    Raises:
        InvalidInput: an argument or the samples cannot be used; TooFewSamples below 50 rows.
        MissingExtra, ModelUnavailable: as `mizzle.estimate`.
    """
    options: Any = {"kind": kind, "n": n, "block": block, "rng": rng, "missing": missing, "unit": unit}
    backend = LocalBackend(executor=executor)
    return run(tested(backend, x, y, given=given, progress=progress, **options), perform_compute)


@overload
def test_many(
    pairs: Iterable[object],
    *,
    kind: Kind | None = None,
    n: int = DEFAULT_COUNT,
    block: int | None = None,
    rng: Rng = 0,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    errors: Literal["raise"] = "raise",
    progress: Wanted = None,
    executor: Executing | None = None,
) -> list[Test]: ...


@overload
def test_many(
    pairs: Iterable[object],
    *,
    kind: Kind | None = None,
    n: int = DEFAULT_COUNT,
    block: int | None = None,
    rng: Rng = 0,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    errors: Errors,
    progress: Wanted = None,
    executor: Executing | None = None,
) -> list[Test | MizzleError]: ...


def test_many(
    pairs: Iterable[object],
    *,
    kind: Kind | None = None,
    n: int = DEFAULT_COUNT,
    block: int | None = None,
    rng: Rng = 0,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    errors: Errors = "raise",
    progress: Wanted = None,
    executor: Executing | None = None,
) -> Sequence[Test | MizzleError]:
    """`test` of many pairs of samples, in order; `benjamini_hochberg` adjusts their p-values.

    Args:
        pairs: of two samples each, as for `mizzle.estimate`.
        kind, n, block, missing, unit, progress: as for `test`, for all pairs.
        rng: as for `test`; each pair has other surrogates.
        errors: "raise" the first one, or "return" each in the place of its test.
        executor: who works, as for `mizzle.matrix`, a test a task; None for this process.

    Raises:
        InvalidInput: with "pair i" in front, of a pair that cannot be answered.
        MissingExtra, ModelUnavailable: as `mizzle.estimate`.
    """
    options: Any = {"kind": kind, "n": n, "block": block, "rng": rng, "missing": missing, "unit": unit}
    backend = LocalBackend(executor=executor)
    return run(tested_many(backend, pairs, errors=errors, progress=progress, **options), perform_compute)


test.__test__ = test_many.__test__ = False  # type: ignore[attr-defined]  # as for `Test`


def tested(
    backend: Answering,
    x: object,
    y: object,
    *,
    given: object = None,
    kind: Kind | None = None,
    n: int = DEFAULT_COUNT,
    block: int | None = None,
    rng: Rng = 0,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    progress: Wanted = None,
) -> Steps[Test]:
    """The steps to one test by a backend; see `test`."""
    design = Design.of(kind, n, block, unit, given=given is not None)
    generator = generator_of(rng)
    if given is not None:
        triple: Triple = yield Compute(read_triple, (x, y, given, missing))
        return (yield from _tested_given(backend, triple, design, generator, progress))
    sample: Sample = yield Compute(read_sample, (x, y, missing))
    return (yield from _tested(backend, sample, design, generator, progress))


def tested_many(
    backend: Answering,
    pairs: Iterable[object],
    *,
    kind: Kind | None = None,
    n: int = DEFAULT_COUNT,
    block: int | None = None,
    rng: Rng = 0,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    errors: Errors = "raise",
    progress: Wanted = None,
) -> Steps[list[Test | MizzleError]]:
    """The steps to many tests by a backend; see `test_many`."""
    design = Design.of(kind, n, block, unit)
    generator = generator_of(rng)
    samples: list[Sample | InvalidInput] = yield Compute(read_samples, (pairs, errors, missing))
    outcomes: list[Test | MizzleError] = []
    with track(progress, len(samples)) as advance:
        if isinstance(backend, LocalBackend) and backend.elsewhere:
            rngs = generator.spawn(len(samples))
            outcomes = yield Compute(_tests_elsewhere, (backend, samples, design, rngs, errors, advance))
            return outcomes
        for i, (sample, own) in enumerate(zip(samples, generator.spawn(len(samples)), strict=True)):
            try:
                outcomes.append((yield from _tested(backend, sample, design, own, False)))
            except MizzleError as error:
                if errors == "raise":
                    raise numbered(i, error) from error
                outcomes.append(error)
            advance(1)
    return outcomes


def _tests_elsewhere(
    backend: LocalBackend,
    samples: Sequence[Sample | InvalidInput],
    design: Design,
    rngs: Sequence[np.random.Generator],
    errors: Errors,
    advance: Callable[[int], object],
) -> list[Test | MizzleError]:
    """The tests of many samples on an executor.

    Raises:
        MizzleError: the engine fails; or the first error that comes up, where they are raised.
    """
    outcomes: dict[int, Any] = dict(enumerate(samples))
    good = {i: sample for i, sample in enumerate(samples) if isinstance(sample, Sample)}
    advance(len(samples) - len(good))
    arrays, numbers = elsewhere.shared_pairs((sample.x, sample.y) for sample in good.values())
    places, rest = list(good), zip(numbers, good.items(), strict=True)
    tasks = ((pair, sample.notices, design, rngs[i]) for pair, (i, sample) in rest)
    for k, outcome in backend.run_elsewhere(test_of_task, arrays, tasks):
        if isinstance(outcome, MizzleError) and errors == "raise":
            raise numbered(places[k], outcome) from outcome
        outcomes[places[k]] = outcome
        advance(1)
    return list(outcomes.values())


def test_of_task(arrays: Arrays, task: tuple[str, Any]) -> Test | MizzleError:
    """What a worker makes of a task: a test, or what became of it."""
    sha256, (numbers, notices, design, rng) = task
    backend = LocalBackend(worker.model(sha256))
    sample = Sample(*elsewhere.pair_of(arrays, numbers), notices)
    try:
        return run(_tested(backend, sample, design, rng, False), perform_compute)
    except MizzleError as error:
        return error


def _tested(
    backend: Answering,
    sample: Sample | InvalidInput,
    design: Design,
    rng: np.random.Generator,
    wanted: Wanted,
) -> Steps[Test]:
    """The test of one sample.

    Raises:
        MizzleError: it is none, or cannot be answered.
    """
    if isinstance(sample, InvalidInput):
        raise sample
    x, y = sample.x, sample.y
    plan: Surrogates = yield Compute(design.surrogates, (x, y))
    estimate = yield from backend.estimate(x, y, missing="raise", unit=DEFAULT_UNIT, deduplicate=False)
    null: list[float] = []
    with track(wanted, plan.count) as advance:
        lists = chunks(plan.orders(rng), x.size + y.size)
        if isinstance(backend, LocalBackend) and backend.elsewhere:
            null += means((yield Compute(backend.reordered_elsewhere, (x, y, lists, advance))))
        for orders in lists:  # none is left where they were estimated elsewhere
            null += means((yield from backend.estimate_reordered(x, y, orders)))
            advance(len(orders))
    return result(sample.noted(estimate), null, plan, design.unit)


def _tested_given(
    backend: Answering, sample: Triple, design: Design, rng: np.random.Generator, wanted: Wanted
) -> Steps[Test]:
    """The test of what x and y share where z is given.

    Raises:
        MizzleError: it cannot be answered.
    """
    x, y, z = sample.x, sample.y, sample.z
    plan: Surrogates = yield Compute(design.surrogates, (x, y, z))
    triple: estimators.TripleLike = yield Compute(estimators.triple, (x, y, z))
    [estimate] = yield from conditional.answered(backend, [triple])
    reordered = ((x, y[order], z) for order in plan.orders(rng))
    answers = yield from conditional_estimates(backend, reordered, plan.count, wanted)
    null = [answer.mi for answer in answers]
    return result(Sample(x, y, sample.notices).noted(estimate), null, plan, design.unit)


def chunks(orders: Iterator[Order], cells: int) -> Iterator[list[Order]]:
    """Orders that are estimated together, as many as memory allows of samples of so many cells."""
    size = max(1, min(_MAX_PROBLEMS, _MAX_CELLS // cells))
    while chunk := list(islice(orders, size)):
        yield chunk


def means(outcomes: Iterable[Outcome]) -> Iterator[float]:
    """The means of estimates, in nats.

    Raises:
        MizzleError: the first that is one.
    """
    for outcome in outcomes:
        if isinstance(outcome, MizzleError):
            raise outcome
        yield outcome.mi


def pvalue(statistic: float, null: Sequence[float]) -> float:
    """(1 + #{null >= statistic}) / (1 + n), where what differs by rounding counts as equal; in nats."""
    return (1 + sum(value >= statistic - _ROUNDING for value in null)) / (1 + len(null))


def benjamini_hochberg(pvalues: Sequence[float]) -> list[float]:
    """Adjusted p-values: calling those up to q dependent, at most a share q of them are not, on average.

    p_(i) m / i, and at most what larger p-values have (Benjamini and Hochberg 1995).
    """
    p = np.asarray(pvalues, np.float64)
    order = np.argsort(-p)
    scaled = p[order] * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    values: list[float] = adjusted.tolist()
    return values


def result(estimate: Estimate, null: Sequence[float], plan: Surrogates, unit: Unit) -> Test:
    """The test of an estimate in nats."""
    in_unit = estimate.to(unit)
    values = np.asarray(null, np.float64) * PER_NAT[unit]
    values.setflags(write=False)
    return Test(
        statistic=in_unit.mi,
        pvalue=pvalue(estimate.mi, null),
        null=values,
        kind=plan.kind,
        n=len(null),
        length=plan.length,
        estimate=in_unit,
        warnings=(*plan.notices, *in_unit.warnings),
        unit=unit,
    )
