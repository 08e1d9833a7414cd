"""What `mizzle.lagged` answers: a record for every lag, as a frame, as JSON and drawn."""

import csv
import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from mizzle.questions.significance import benjamini_hochberg, pvalue
from mizzle.types import DEFAULT_LEVEL, DEFAULT_UNIT, Estimate, Notice, Unit

_CONFIDENCE: Final = 0.95  # of the band
_KEYS: Final = ("lag", "mi", "low", "high", "n")
_TESTED: Final = (*_KEYS, "pvalue", "pvalue_bh")


class LagRecord(NamedTuple):
    """One lag.

    Attributes:
        lag: rows by which x comes before y.
        mi, low, high: posterior mean and interval of I(y(t); x(t - lag)), in the unit of the result.
        n: rows.
        pvalue: of the circular-shift test, (1 + #{null >= mi}) / (1 + #null); None without a test.
        pvalue_bh: adjusted over the lags (Benjamini and Hochberg 1995).
    """

    lag: int
    mi: float
    low: float
    high: float
    n: int
    pvalue: float | None = None
    pvalue_bh: float | None = None


@dataclass(frozen=True, repr=False)
class Lagged:
    """The information of y(t) and x(t - lag) at every lag.

    Attributes:
        lags: in rows, rising; positive ones look at x before y.
        estimates: one for each lag.
        null: estimates for circular shifts of x beyond all lags, in `unit`; () without a test. A shift takes
            away what x and y have in common and leaves each series as it is, at any lag alike, so one null
            distribution serves them all.
        level: probability of the interval from `low` to `high`.
        unit: "nats" or "bits", of all numbers.
        history: how many past values of y were conditioned on.
        notices: what was assumed, left out, and noticed about the rows.
    """

    lags: tuple[int, ...]
    estimates: tuple[Estimate, ...]
    null: tuple[float, ...] = ()
    level: float = DEFAULT_LEVEL
    unit: Unit = DEFAULT_UNIT
    history: int = 0
    notices: tuple[Notice, ...] = ()

    @cached_property
    def records(self) -> tuple[LagRecord, ...]:
        """One for each lag, in rising order."""
        estimates = zip(self.lags, self.estimates, strict=True)
        records = [LagRecord(lag, e.mi, *e.interval(self.level), e.n) for lag, e in estimates]
        if not self.null:
            return tuple(records)
        pvalues = [pvalue(estimate.mi, self.null) for estimate in self.estimates]
        tested = zip(records, pvalues, benjamini_hochberg(pvalues), strict=True)
        return tuple(record._replace(pvalue=p, pvalue_bh=q) for record, p, q in tested)

    @property
    def best(self) -> LagRecord:
        """The lag of the largest estimate, of several the one nearest 0."""
        return max(self.records, key=lambda record: (record.mi, -abs(record.lag)))

    @property
    def band(self) -> float | None:
        """What 95 % of the shifts stay below, in `unit`: each lag alone passes it by chance once in 20 times.

        It is a band for each lag and not for the largest of all, so that it means the same whatever other
        lags were asked for; for the question whether any lag stands out, see `pvalue_bh`.
        """
        if not self.null:
            return None
        # The k-th largest for which (1 + #{null >= value}) / (1 + #null) just passes 5 %.
        rank = max(int((1 - _CONFIDENCE) * (1 + len(self.null))), 1)
        return sorted(self.null, reverse=True)[rank - 1]

    def to_frame(self, library: Literal["pandas", "polars", "pyarrow"] = "pandas") -> Any:
        """A row for each lag, as a table of that library; p-values where there was a test.

        Raises:
            MissingExtra: the library is not installed.
        """
        from mizzle.display import formats

        keys = _TESTED if self.null else _KEYS
        return formats.frame([record._asdict() for record in self.records], keys, library)

    def to_dict(self) -> dict[str, Any]:
        """All numbers as plain values, ready for JSON."""
        keys = _TESTED if self.null else _KEYS
        return {
            "lags": [{key: getattr(record, key) for key in keys} for record in self.records],
            "best": self.best.lag,
            "band": self.band,
            "shifts": len(self.null),
            "level": self.level,
            "unit": self.unit,
            "history": self.history,
            "notices": [notice._asdict() for notice in self.notices],
        }

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def to_csv(self) -> str:
        """A line for each lag under a head."""
        keys = _TESTED if self.null else _KEYS
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(keys)
        writer.writerows([getattr(record, key) for key in keys] for record in self.records)
        return out.getvalue()

    def plot(self) -> Any:
        """A matplotlib Figure: estimates with their intervals over the lags, and the band of the test.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from mizzle.display import plots

        return plots.lags(self.records, self.level, self.unit, self.band)

    def __repr__(self) -> str:
        best = self.best
        test = "" if best.pvalue is None else f", p = {best.pvalue:.3g}"
        codes = ", ".join(dict.fromkeys(notice.code for notice in self.notices))
        flags = f", notices: {codes}" if codes else ""
        span = f"lags {self.lags[0]} to {self.lags[-1]}" if len(self.lags) > 1 else "1 lag"
        return (
            f"Lagged({span}; best {best.lag}: "
            f"{best.mi:.3f} {self.unit}, {100 * self.level:.4g}% [{best.low:.3f}, {best.high:.3f}]{test}, "
            f"n={best.n}{flags})"
        )
