"""Which of two pairs of samples on the same rows shares more information, and by how much.

Both estimates come from the same rows, so their errors are correlated: two features that are much alike are
over- and underestimated together. The correlation is measured on halves of the rows, in which both pairs are
estimated side by side: what the halves differ by is noise of sampling alone (McCarthy 1969, balanced
half-samples). The two posteriors are then joined by a normal copula of that correlation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import erf, sqrt
from statistics import NormalDist
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.backends.effects import Compute, Steps, perform_compute, run
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Pair
from mizzle.backends.reduced import Many
from mizzle.data.arrays import FloatArray
from mizzle.data.samples import Missing, check_missing, read_side
from mizzle.errors import InvalidShape, LengthMismatch, TooFewSamples
from mizzle.progress import Wanted
from mizzle.questions.chunks import estimates
from mizzle.questions.surrogates import Rng, generator_of
from mizzle.types import (
    DEFAULT_LEVEL,
    DEFAULT_UNIT,
    PER_NAT,
    Estimate,
    Notice,
    Unit,
    check_unit,
    interpolate,
    interval_levels,
)

MIN_ROWS: Final = 50  # halves of fewer say nothing
SPLITS: Final = 16  # of the rows in halves, at random
_PRIOR_SPLITS: Final = 16  # of no correlation; with these, 90 % intervals hold 90 % of the truths of draws
_POINTS: Final = 200  # of the copula, along each axis


@dataclass(frozen=True, repr=False)
class Difference:
    """Posterior of I(X1;Y1) - I(X2;Y2) given both pairs of samples on the same rows.

    Attributes:
        mi: posterior mean of the difference, in `unit`; above 0 where the first pair shares more.
        levels: increasing quantile levels in (0, 1).
        values: the quantiles at `levels`, in `unit`, non-decreasing.
        probability: that the first pair shares more than the second.
        correlation: of the errors of both estimates.
        first, second: the two estimates.
        n: rows.
        unit: "nats" or "bits".
        warnings: what was noticed about the rows, and about each estimate.
    """

    mi: float
    levels: tuple[float, ...]
    values: tuple[float, ...]
    probability: float
    correlation: float
    first: Estimate
    second: Estimate
    n: int
    unit: Unit = DEFAULT_UNIT
    warnings: tuple[Notice, ...] = ()

    @property
    def median(self) -> float:
        """The posterior median, in `unit`."""
        return self.quantile(0.5)

    def quantile(self, q: float) -> float:
        """The posterior quantile at level q, in `unit`.

        Raises:
            InvalidLevel: q lies outside `levels`.
        """
        return interpolate(q, self.levels, self.values)

    def interval(self, level: float = DEFAULT_LEVEL) -> tuple[float, float]:
        """The central interval that holds the true difference with probability `level`.

        Raises:
            InvalidLevel: level is not in (0, 1) or needs quantiles beyond `levels`.
        """
        low, high = interval_levels(level)
        return self.quantile(low), self.quantile(high)

    def to(self, unit: Unit) -> "Difference":
        """The same in another unit, "nats" or "bits"."""
        check_unit(unit)
        factor = PER_NAT[unit] / PER_NAT[self.unit]
        values = tuple(value * factor for value in self.values)
        first, second = self.first.to(unit), self.second.to(unit)
        return replace(self, mi=self.mi * factor, values=values, unit=unit, first=first, second=second)

    def to_dict(self) -> dict[str, Any]:
        """All numbers as plain values, ready for JSON."""
        low, high = self.interval()
        return {
            "mi": self.mi,
            "interval": {"level": DEFAULT_LEVEL, "low": low, "high": high},
            "quantiles": {repr(q): value for q, value in zip(self.levels, self.values, strict=True)},
            "probability": self.probability,
            "correlation": self.correlation,
            "unit": self.unit,
            "n": self.n,
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "warnings": [notice._asdict() for notice in self.warnings],
        }

    def plot(self) -> Any:
        """A matplotlib Figure of the predictive distribution of the difference.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from mizzle.display import plots

        intervals = {level: self.interval(level) for level in (DEFAULT_LEVEL, 0.5)}
        figure = plots.estimate(self.mi, self.levels, self.values, intervals, self.unit)
        figure.axes[0].set_xlabel(f"difference of mutual information ({self.unit})")
        figure.axes[0].axvline(0.0, color="black", lw=0.8)
        return figure

    def __repr__(self) -> str:
        low, high = self.interval()
        codes = ", ".join(dict.fromkeys(notice.code for notice in self.warnings))
        flags = f", warnings: {codes}" if codes else ""
        return (
            f"Difference({self.mi:+.3f} {self.unit}, 90% [{low:+.3f}, {high:+.3f}], "
            f"P(first larger) = {self.probability:.3f}, n={self.n}{flags})"
        )


def difference(
    first: tuple[object, object],
    second: tuple[object, object],
    *,
    unit: Unit = DEFAULT_UNIT,
    missing: Missing = "raise",
    rng: Rng = 0,
    progress: Wanted = None,
) -> Difference:
    """I(X1;Y1) - I(X2;Y2) of two pairs of samples that were observed on the same rows.

    Say, which of two features tells more about a target: `difference((a, target), (b, target))`. Both pairs
    are estimated on all rows and on random halves of them, 66 estimates in all.

    Args:
        first, second: pairs (x, y) as for `mizzle.estimate`, all four of the same n >= 50 rows.
        unit: "nats" or "bits".
        missing: "raise" refuses missing cells; "drop" leaves out the rows in which any of the four has one.
        rng: seed or generator of the halves; the same seed gives the same answer.
        progress: None for a bar on stderr where that is a terminal and the work takes longer than two
            seconds; True or False; or a function of (done, total).

    Raises:
        InvalidInput: a side cannot be used; LengthMismatch or TooFewSamples for their rows.
        MissingExtra, ModelUnavailable: as `mizzle.estimate`.
    """
    return run(steps(LocalBackend(), first, second, unit, missing, rng, progress), perform_compute)


def steps(
    backend: Many,
    first: tuple[object, object],
    second: tuple[object, object],
    unit: Unit = DEFAULT_UNIT,
    missing: Missing = "raise",
    rng: Rng = 0,
    progress: Wanted = None,
) -> Steps[Difference]:
    """The steps to the difference of two pairs by any backend; see `difference`."""
    check_unit(unit)
    rows: _Rows = yield Compute(_read, (first, second, missing))
    problems = _problems(rows.pairs, generator_of(rng))
    answers = yield from estimates(backend, problems, 2 + 4 * SPLITS, progress)
    answer: Difference = yield Compute(_answer, (rows, answers))
    return answer.to(unit)


class _Rows(NamedTuple):
    """Complete rows of both pairs, and what was noticed about them."""

    pairs: tuple[Pair, Pair]
    notices: tuple[Notice, ...]


def _read(first: object, second: object, missing: Missing) -> _Rows:
    """Both pairs on the rows that all four sides have."""
    check_missing(missing)
    parts = {
        f"{side}{i}": part for i, pair in enumerate((first, second), 1) for side, part in _sides(pair, i)
    }
    sides = [read_side(part, name, missing) for name, part in parts.items()]
    lengths = [len(side.values) for side in sides]
    if len(set(lengths)) > 1:
        text = ", ".join(f"{name} has {n}" for name, n in zip(parts, lengths, strict=True))
        raise LengthMismatch(f"{text} rows; both pairs must be observed on the same rows")
    complete = np.ones(lengths[0], bool)
    for side in sides:
        if side.missing is not None:
            complete &= ~side.missing.any(axis=1)
    if complete.sum() < MIN_ROWS:
        raise TooFewSamples(f"{complete.sum()} complete rows are there; at least {MIN_ROWS} are needed")
    x1, y1, x2, y2 = (side.values if complete.all() else side.values[complete] for side in sides)
    notices = [notice for side in sides for notice in side.notices]
    if not complete.all():
        text = f"{(~complete).sum()} of {len(complete)} rows were left out, in which a value is missing"
        notices.append(Notice("dropped", text))
    return _Rows(((x1, y1), (x2, y2)), tuple(notices))


def _sides(pair: object, i: int) -> list[tuple[str, object]]:
    """The two sides of pair i, by name."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        word = "first" if i == 1 else "second"
        raise InvalidShape(f"the {word} argument must be a pair (x, y) of samples")
    return [("x", pair[0]), ("y", pair[1])]


def _problems(pairs: Sequence[Pair], rng: np.random.Generator) -> Iterator[Pair]:
    """Both pairs on all rows, then on both halves of every split."""
    yield from pairs
    for _ in range(SPLITS):
        for half in np.array_split(rng.permutation(len(pairs[0][0])), 2):
            rows = np.sort(half)
            yield from ((x[rows], y[rows]) for x, y in pairs)


def _answer(rows: _Rows, answers: Sequence[Estimate]) -> Difference:
    """The difference from the estimates of `_problems`, in nats."""
    first, second, *halves = answers
    correlation = _correlation(np.array([half.mi for half in halves]).reshape(SPLITS, 2, 2))
    draws = np.sort(_differences(first, second, correlation), axis=None)
    levels = first.levels
    values = tuple(np.quantile(draws, levels).tolist())
    noticed = [Notice(n.code, f"first pair: {n.message}") for n in first.warnings]
    noticed += [Notice(n.code, f"second pair: {n.message}") for n in second.warnings]
    return Difference(
        mi=first.mi - second.mi,
        levels=levels,
        values=values,
        probability=float((draws > 0).mean() + (draws == 0).mean() / 2),
        correlation=correlation,
        first=first,
        second=second,
        n=first.n,
        warnings=(*rows.notices, *noticed),
    )


def _correlation(estimates: FloatArray) -> float:
    """Of the errors of both pairs.

    Args:
        estimates: of splits, halves and pairs, shape (SPLITS, 2, 2).
    """
    contrasts = estimates[:, 0] - estimates[:, 1]
    scale = float(np.sqrt((contrasts**2).sum(0).prod()))
    raw = float((contrasts[:, 0] * contrasts[:, 1]).sum()) / scale if scale else 0.0
    fisher = np.arctanh(np.clip(raw, -0.9999, 0.9999))
    return float(np.tanh(fisher * SPLITS / (SPLITS + _PRIOR_SPLITS)))


def _differences(first: Estimate, second: Estimate, correlation: float) -> FloatArray:
    """Equally probable differences under the copula, shape (points, points)."""
    middle = (np.arange(_POINTS) + 0.5) / _POINTS
    normal = np.array([NormalDist().inv_cdf(p) for p in middle])
    other = correlation * normal[:, None] + sqrt(1 - correlation**2) * normal
    q: NDArray[np.float64] = 0.5 * (1 + np.vectorize(erf)(other / sqrt(2)))
    left = np.interp(middle, first.levels, first.values)
    return np.asarray(left[:, None] - np.interp(q, second.levels, second.values))
