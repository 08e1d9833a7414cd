"""A verdict on an estimate: whether to believe it, in words, with the evidence.

Answers that must agree are compared: those of parts of the rows, of sides that are rotated or joined by
columns that tell nothing new, of fewer columns, of shuffled rows, and a second opinion by nearest neighbours.
What they say together is weighed by `mizzle.questions.rule`, fitted to problems whose information is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from mizzle.backends.effects import Compute, Steps, perform_compute, run
from mizzle.backends.info import Limits
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Errors, Outcome, Pair
from mizzle.data.arrays import check_columns
from mizzle.data.samples import Missing, Sample, read_sample
from mizzle.errors import Fault, TooFewSamples
from mizzle.progress import Wanted
from mizzle.questions.evidence import Evidence, gathered, in_words
from mizzle.questions.features import features
from mizzle.questions.neighbours import Opinion, opinion
from mizzle.questions.rule import LIMIT, score
from mizzle.questions.surrogates import Rng, generator_of
from mizzle.questions.variants import Variant, variants
from mizzle.types import DEFAULT_UNIT, Estimate, Unit, check_unit

MIN_ROWS: Final = 20  # two halves that can be estimated
LARGEST: Final = 10_000  # rows that variants are made of


@dataclass(frozen=True, repr=False)
class Check:
    """Whether to believe an estimate, and why.

    Attributes:
        reliable: whether the evidence, weighed together, is like that of estimates that hold.
        reasons: sentences with numbers: the verdict first, then what speaks for it, the weightiest first.
        evidence: every comparison.
        estimate: of the whole sample.
        score: the weighed evidence; above `LIMIT` an estimate counts as unreliable.
        rows: of the sample that the comparisons were made on.
    """

    reliable: bool
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    estimate: Estimate
    score: float
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON; numbers in the unit of the estimate."""
        low, high = self.estimate.interval()
        return {
            "reliable": self.reliable,
            "reasons": list(self.reasons),
            "score": self.score,
            "limit": LIMIT,
            "unit": self.estimate.unit,
            "mi": self.estimate.mi,
            "interval": [low, high],
            "n": self.estimate.n,
            "rows": self.rows,
            "in_range": self.estimate.in_range,
            "warnings": [notice._asdict() for notice in self.estimate.warnings],
            "evidence": [{**e._asdict(), "interval": e.interval and list(e.interval)} for e in self.evidence],
        }

    def plot(self) -> Any:
        """A matplotlib Figure of the estimate and of everything that it was compared with.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from mizzle.display import plots

        rows = [(e.what, e.estimate, e.interval, e.agrees) for e in self.evidence]
        return plots.evidence(rows, self.estimate.mi, self.estimate.interval(), self.estimate.unit)

    def __repr__(self) -> str:
        low, high = self.estimate.interval()
        word = "reliable" if self.reliable else "not reliable"
        agreeing = sum(e.agrees for e in self.evidence)
        return (
            f"Check({word}: {self.estimate.mi:.3f} {self.estimate.unit}, 90% [{low:.3f}, {high:.3f}], "
            f"{agreeing} of {len(self.evidence)} comparisons agree)"
        )


class Many(Protocol):
    """A backend, as far as a check needs it."""

    def estimate(
        self, x: object, y: object, *, missing: Missing, unit: Unit, deduplicate: bool
    ) -> Steps[Estimate]:
        """The estimate of one problem."""

    def estimate_many(self, pairs: Sequence[Pair], wanted: Wanted, errors: Errors) -> Steps[list[Outcome]]:
        """The estimates of many."""

    def limits(self) -> Steps[Limits]:
        """What can be answered at once."""


def check(
    x: object,
    y: object,
    *,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
    progress: Wanted = None,
    rng: Rng = 0,
) -> Check:
    """Whether the estimate of two samples is to be believed, with reasons and evidence.

    About 16 further estimates are made: of halves and quarters of the rows; of sides rotated at random, which
    changes no information; of sides with columns added that tell nothing new; of the strongest principal
    components, which cannot have more; of shuffled rows, which have none. Neighbours give a second opinion.
    Of more than 10,000 rows, 10,000 are compared.

    Args:
        x, y, missing, unit, deduplicate: as for `mizzle.estimate`.
        progress: as for `mizzle.estimate_many`; counts estimates.
        rng: of the random choices: a seed or a generator of numpy; None for other choices every time.

    Raises:
        InvalidInput: the samples cannot be answered as they stand, or `rng` is no seed.
        TooFewSamples: there are fewer than 20 rows, too few for two halves.
        MissingExtra, ModelUnavailable: as `mizzle.estimate`.
    """
    options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
    return run(steps(LocalBackend(), x, y, progress=progress, rng=rng, **options), perform_compute)


def steps(
    backend: Many,
    x: object,
    y: object,
    *,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
    progress: Wanted = None,
    rng: Rng = 0,
) -> Steps[Check]:
    """The steps to a check by any backend; arguments and errors as `check`."""
    check_unit(unit)
    generator = generator_of(rng)
    sample: Sample = yield Compute(read_sample, (x, y, missing, None, deduplicate))
    _check_rows(len(sample.x))
    limits = yield from backend.limits()
    check_columns(sample.x, sample.y, limits.max_columns)
    whole = yield from backend.estimate(
        sample.x, sample.y, missing="raise", unit=DEFAULT_UNIT, deduplicate=False
    )
    if any(bool((side == side[0]).all()) for side in (sample.x, sample.y)):
        return _of_constant(sample.noted(whole).to(unit))
    x_rows, y_rows = yield Compute(_rows, (sample, generator))
    changed: list[Variant] = yield Compute(variants, (x_rows, y_rows, generator))
    if len(x_rows) < len(sample.x):
        changed.append(Variant("sample", x_rows, y_rows))
    outcomes = yield from backend.estimate_many([(v.x, v.y) for v in changed], progress, "return")
    named = _answered(changed, outcomes)
    second: Opinion = yield Compute(opinion, (x_rows, y_rows, generator))
    return _verdict(sample.noted(whole).to(unit), named, second)


def _check_rows(n: int) -> None:
    if n < MIN_ROWS:
        raise TooFewSamples(
            f"x and y have {n} rows; to compare halves of them, at least {MIN_ROWS} are needed"
        )


def _rows(sample: Sample, rng: np.random.Generator) -> Pair:
    """The rows that variants are made of: all, or as many as are compared, at random."""
    if len(sample.x) <= LARGEST:
        return sample.x, sample.y
    rows = np.sort(rng.choice(len(sample.x), LARGEST, replace=False))
    x, y = sample.x[rows], sample.y[rows]
    constant = any(bool((side == side[0]).all()) for side in (x, y))
    return (sample.x[:LARGEST], sample.y[:LARGEST]) if constant else (x, y)


def _answered(changed: Sequence[Variant], outcomes: Sequence[Outcome]) -> list[tuple[str, Estimate]]:
    """Estimates by the names of their variants; a variant that the backend does not cover is left out.

    Raises:
        Fault: one has no estimate because something failed.
    """
    for outcome in outcomes:
        if isinstance(outcome, Fault):
            raise outcome
    return [(v.name, e) for v, e in zip(changed, outcomes, strict=True) if isinstance(e, Estimate)]


def _of_constant(estimate: Estimate) -> Check:
    reason = "A side is constant, so the information is exactly 0 whatever the rows."
    return Check(True, (reason,), (), estimate, 0.0, estimate.n)


def _verdict(estimate: Estimate, named: Sequence[tuple[str, Estimate]], second: Opinion) -> Check:
    """Weighs the evidence, which stands beside the estimate of the rows that were compared."""
    compared = next((own for name, own in named if name == "sample"), estimate)
    numbers = features(compared, [pair for pair in named if pair[0] != "sample"], second)
    total = score(numbers)
    evidence = gathered(estimate, compared, named, second)
    reasons = in_words(estimate, evidence, second, numbers)
    return Check(total <= LIMIT, reasons, evidence, estimate, total, compared.n)
