"""Estimates: numbers in one unit, with the quantile function that they come from."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Final, Literal, NamedTuple

from mizzle.errors import InvalidInput, InvalidLevel

Unit = Literal["nats", "bits"]
# Defaults of Python, HTTP, shell and page alike.
DEFAULT_LEVEL: Final = 0.9  # probability of an interval
DEFAULT_THRESHOLD: Final = 0.02  # nats below which a dependence is as good as none
DEFAULT_UNIT: Final[Unit] = "nats"
PER_NAT: dict[str, float] = {"nats": 1.0, "bits": 1.0 / math.log(2.0)}


class Notice(NamedTuple):
    """A warning that travels with an estimate: a stable code and a sentence."""

    code: str
    message: str


# Codes of notices in falling order of what they may cost a reader. The first ask for something; the facts, at
# the end, say what was done. A code that stands in neither is of another version, and stands between them.
SEVERITY: Final = (
    *("repeated_rows", "rows_alike", "trend", "contradiction", "determined", "nearly_determined"),
    *("deterministic", "duplicate", "constant", "constant_x", "constant_y", "constant_given"),
    *("unordered", "unfamiliar", "rows_out_of_range", "above_log_n", "limited_by_entropy", "untested"),
)
SHOWN_NOTICES: Final = 2  # of a pair, in the line that it has in a table of many
FACTS: Final = (
    *("deduplicated", "dropped", "left_out", "reduced", "blocks", "counted", "coded", "time"),
    *("copies_x", "copies_y", "copies_given", "block_length", "all_shifts", "shifts", "screened"),
)


def severest(codes: Iterable[str], count: int) -> list[str]:
    """At most `count` of the codes that ask for something, the severest first; facts are left out.

    That a side is constant is said once, where a column and the sample both say it.
    """
    pending = [code for code in dict.fromkeys(codes) if code not in FACTS]
    if "constant" in pending:
        pending = [code for code in pending if code not in ("constant_x", "constant_y")]
    places = {code: place for place, code in enumerate(SEVERITY)}
    return sorted(pending, key=lambda code: places.get(code, len(places)))[:count]


class ModelInfo(NamedTuple):
    """Which weights answered: name, version, and SHA-256 of the file."""

    name: str
    version: str
    sha256: str


class Rung(NamedTuple):
    """An estimate of the ladder by which a dimension is chosen: components of a side, and I in nats."""

    method: str
    components: int
    mi: float


class ReducedSide(NamedTuple):
    """What is left of one side; of the two halves of the rows, where they differ, the first and the second.

    Attributes:
        columns: of the side as it came.
        method: "pca" or "ridge", by half.
        components: that stand in for the columns, by half.
        variance: share of the variance of the standardised columns that so many principal components have,
            mean of the halves.
        participation: (sum of the components' variances)^2 / sum of their squares, mean of the halves: how
            many components there are in effect.
    """

    columns: int
    method: tuple[str, str]
    components: tuple[int, int]
    variance: float
    participation: float


class Reduced(NamedTuple):
    """What `reduce=` made of a sample, of which the estimate is that of the reduced sides.

    Attributes:
        x, y: what is left of each; None for a side that stayed as it was.
        ladder: estimates by half of the rows; the choice for one half is made by the ladder of the other.
    """

    x: ReducedSide | None
    y: ReducedSide | None
    ladder: tuple[tuple[Rung, ...], tuple[Rung, ...]]


@dataclass(frozen=True, repr=False)
class Normalized:
    """Posterior of mutual information on a scale from 0 to 1, on which it keeps its order.

    The information coefficient of correlation, sqrt(1 - exp(-2 I)), I in nats (Linfoot 1957): 0 without
    dependence, |r| of a bivariate normal, 1 for a deterministic relation of continuous sides. Or a share of
    the entropy of discrete sides; see `mizzle.normalized`.

    Attributes:
        mi: the value at the posterior mean of I.
        levels: quantile levels, as of the estimate.
        values: the quantiles at `levels`, in [0, 1].
    """

    mi: float
    levels: tuple[float, ...]
    values: tuple[float, ...]

    def quantile(self, q: float) -> float:
        """The quantile at level q; errors as `Estimate.quantile`."""
        return interpolate(q, self.levels, self.values)

    def interval(self, level: float = DEFAULT_LEVEL) -> tuple[float, float]:
        """The central interval of probability `level`; errors as `Estimate.quantile`."""
        low, high = interval_levels(level)
        return self.quantile(low), self.quantile(high)

    def __float__(self) -> float:
        return self.mi

    def __repr__(self) -> str:
        low, high = self.interval()
        return f"Normalized({self.mi:.3f}, 90% [{low:.3f}, {high:.3f}])"


@dataclass(frozen=True, repr=False)
class Estimate:
    """Posterior of the mutual information I(X;Y), or of I(X;Y|Z), given one sample.

    Attributes:
        mi: posterior mean, in `unit`.
        levels: increasing quantile levels in (0, 1).
        values: the quantiles at `levels`, in `unit`, non-decreasing and non-negative.
        n, dim_x, dim_y: rows and columns of the sample.
        in_range: whether the sample lies inside what the model was trained on.
        warnings: everything that was noticed about the sample.
        model: the weights that answered.
        unit: "nats" or "bits".
        reduced: what stands in for the columns, where they were reduced; see `mizzle.estimate`.
        dim_z: columns of what was given, where this is I(X;Y|Z); None where it is I(X;Y).
    """

    mi: float
    levels: tuple[float, ...]
    values: tuple[float, ...]
    n: int
    dim_x: int
    dim_y: int
    in_range: bool
    warnings: tuple[Notice, ...]
    model: ModelInfo
    unit: Unit = DEFAULT_UNIT
    reduced: Reduced | None = None
    dim_z: int | None = None

    @property
    def median(self) -> float:
        """The posterior median, in `unit`."""
        return self.quantile(0.5)

    def quantile(self, q: float) -> float:
        """The posterior quantile at level q, linear between the model's levels, in `unit`.

        Raises:
            InvalidLevel: q lies outside the model's levels.
        """
        return interpolate(q, self.levels, self.values)

    def interval(self, level: float = DEFAULT_LEVEL) -> tuple[float, float]:
        """The central interval that holds the true value with probability `level`.

        Raises:
            InvalidLevel: level is not in (0, 1) or needs quantiles beyond the model's levels.
        """
        low, high = interval_levels(level)
        if low < self.levels[0] or high > self.levels[-1]:
            largest = round(1 - 2 * self.levels[0], 12)
            raise InvalidLevel(f"interval level is {level!r}; this estimate covers at most {largest}")
        return self.quantile(low), self.quantile(high)

    def below(self, threshold: float) -> float:
        """The share of the predictive distribution below a threshold, which is in `unit`.

        Linear between the model's levels, and from 0 up to the lowest. How the distribution ends is not
        known, so the share above the highest quantile counts as not below: it is at most `levels[-1]`,
        unless the distribution is a single point.

        Raises:
            InvalidInput: the threshold is no finite number.
        """
        if not isinstance(threshold, Real) or not math.isfinite(threshold):
            raise InvalidInput(f"threshold is {threshold!r}; it must be a finite number of {self.unit}")
        return share_below(float(threshold), self.levels, self.values)

    def to(self, unit: Unit) -> "Estimate":
        """The same estimate in another unit, "nats" or "bits"."""
        check_unit(unit)
        if unit == self.unit:
            return self
        factor = PER_NAT[unit] / PER_NAT[self.unit]
        values = tuple(v * factor for v in self.values)
        return replace(self, mi=self.mi * factor, values=values, unit=unit)

    @property
    def normalized(self) -> "Normalized":
        """The same posterior on the scale of a correlation, from 0 to 1.

        Of two discrete sides I / min(H(X), H(Y)) says more, which needs the samples: `mizzle.normalized`.
        """
        factor = PER_NAT[self.unit]
        mean, *values = (math.sqrt(-math.expm1(-2 * mi / factor)) for mi in (self.mi, *self.values))
        return Normalized(mean, self.levels, tuple(values))

    def to_dict(self) -> dict[str, Any]:
        """The estimate as plain values, ready for JSON: the form in which a service answers.

        With all quantiles and, for reading, the interval of the default level; `from_dict` turns it back.
        """
        from mizzle import wire

        low, high = self.interval()
        return {**wire.answer(self), "interval": {"level": DEFAULT_LEVEL, "low": low, "high": high}}

    @classmethod
    def from_dict(cls, answer: dict[str, Any]) -> "Estimate":
        """The estimate of which `to_dict` gave this, to the last bit.

        Raises:
            InvalidInput: it is no such dictionary.
        """
        from mizzle import wire

        try:
            return wire.estimate(answer)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise InvalidInput("this is no dictionary that Estimate.to_dict() gave") from None

    def to_frame(self, library: Literal["pandas", "polars", "pyarrow"] = "pandas") -> Any:
        """One row with the estimate's numbers and its 90 % interval, as a table of that library.

        Raises:
            MissingExtra: the library is not installed.
        """
        from mizzle.display import formats

        record = self._record()
        return formats.frame([record], tuple(record), library)

    def plot(self) -> Any:
        """A matplotlib Figure of the predictive distribution.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from mizzle.display import plots

        intervals = {level: self.interval(level) for level in (DEFAULT_LEVEL, 0.5)}
        return plots.estimate(self.mi, self.levels, self.values, intervals, self.unit)

    def _repr_html_(self) -> str:
        """The estimate in a notebook."""
        from mizzle.display import formats

        return formats.estimate_html(self._record(), "; ".join(w.message for w in self.warnings))

    def _record(self) -> dict[str, Any]:
        """The numbers as plain values, with the interval of the default level."""
        low, high = self.interval()
        return {
            "mi": self.mi,
            "low": low,
            "high": high,
            "median": self.median,
            "unit": self.unit,
            "n": self.n,
            "dim_x": self.dim_x,
            "dim_y": self.dim_y,
            "in_range": self.in_range,
            "warnings": " ".join(w.code for w in self.warnings),
            "reduced": "" if self.reduced is None else in_words(self.reduced),
            **({} if self.dim_z is None else {"dim_z": self.dim_z}),
        }

    def __repr__(self) -> str:
        low, high = self.interval()
        flags = "" if self.in_range else ", out of range"
        if self.warnings:
            flags += ", warnings: " + ", ".join(w.code for w in self.warnings)
        what, condition = ("", "") if self.dim_z is None else ("I(X;Y|Z) ", f" given {self.dim_z}")
        return (
            f"Estimate({what}{self.mi:.3f} {self.unit}, 90% [{low:.3f}, {high:.3f}], "
            f"n={self.n}, {self.dim_x}+{self.dim_y}{condition} columns{flags})"
        )


def check_unit(unit: object) -> None:
    """Check a word.

    Raises:
        InvalidInput: it is neither "nats" nor "bits".
    """
    if unit not in ("nats", "bits"):
        raise InvalidInput(f"unit is {short_repr(unit)}; it must be 'nats' or 'bits'")


def in_words(reduced: Reduced) -> str:
    """What is left of the sides, say "x: 256 columns to 8 (pca)"."""
    sides = {"x": reduced.x, "y": reduced.y}
    return "; ".join(
        f"{name}: {side.columns} columns to {_both(side.components)} ({_both(side.method)})"
        for name, side in sides.items()
        if side is not None
    )


def _both(halves: tuple[object, object]) -> str:
    """What holds of both halves, or the one and the other."""
    first, second = map(str, halves)
    return first if first == second else f"{first} and {second}"


def short_repr(value: object) -> str:
    """The repr of a wrong argument, for a message, or "something else" where it is long or not printable."""
    text = repr(value) if isinstance(value, str | int | float | None) else ""
    return text if 0 < len(text) <= 30 and text.isprintable() else "something else"


def interval_levels(level: float) -> tuple[float, float]:
    """The quantile levels at the two ends of the central interval of probability `level`.

    Raises:
        InvalidLevel: level is not in (0, 1).
    """
    if not isinstance(level, Real) or not 0.0 < level < 1.0:
        raise InvalidLevel(f"interval level is {level!r}; it must lie between 0 and 1, say 0.9")
    # Rounding keeps 1 - level from missing an outermost level by one ulp.
    return round(0.5 - level / 2, 12), round(0.5 + level / 2, 12)


def interpolate(q: float, levels: Sequence[float], values: Sequence[float]) -> float:
    """Linear interpolation of a quantile function given at `levels`.

    Raises:
        InvalidLevel: q lies outside `levels`.
    """
    if not isinstance(q, Real):
        raise InvalidLevel("a quantile level is one number; ask for several one by one, in a loop")
    if not levels[0] <= q <= levels[-1]:
        raise InvalidLevel(f"quantile level is {q!r}; this estimate covers {levels[0]} to {levels[-1]}")
    for i in range(1, len(levels)):
        if q == levels[i]:
            return values[i]  # exact: a + (b - a) need not be b
        if q < levels[i]:
            share = (q - levels[i - 1]) / (levels[i] - levels[i - 1])
            return values[i - 1] + share * (values[i] - values[i - 1])
    raise AssertionError("unreachable: q lies within the levels")


def share_below(threshold: float, levels: Sequence[float], values: Sequence[float]) -> float:
    """The share of a distribution of support [0, ..) below `threshold`, given its quantiles; see `below`."""
    if threshold <= 0.0:
        return 0.0
    if threshold > values[-1]:
        return 1.0 if values[0] == values[-1] else levels[-1]
    # Strictly below: where several quantiles are equal to the threshold, the lowest of them counts.
    i = bisect_left(values, threshold)
    if threshold == values[i]:
        return levels[i]  # exact: a + (b - a) need not be b
    low, start = (0.0, 0.0) if i == 0 else (levels[i - 1], values[i - 1])
    return min(low + (levels[i] - low) * (threshold - start) / (values[i] - start), levels[i])
