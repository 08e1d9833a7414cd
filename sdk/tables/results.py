"""Results of a whole table: those of its pairs, as records, frames, files and pictures.

A record has the keys of `KEYS`: plain numbers and text, None where a pair has no estimate. `below` is the
share of the predictive distribution below the threshold: small where the variables surely depend.
What all records have in common stands in the head of JSON and Parquet, and in the last columns of CSV.
"""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from mizzle.errors import InvalidInput, MissingColumn, MizzleError
from mizzle.tables.screening import Screened
from mizzle.types import (
    DEFAULT_LEVEL,
    DEFAULT_THRESHOLD,
    DEFAULT_UNIT,
    SHOWN_NOTICES,
    Estimate,
    ModelInfo,
    Notice,
    Unit,
    check_unit,
    interval_levels,
    severest,
)

KEYS = ("x", "y", "mi", "low", "high", "median", "below", "n", "dropped", "in_range", "warnings", "error")
TESTED = ("pvalue", "pvalue_bh")  # keys besides, where p-values were wanted
SHARED = ("unit", "level", "threshold", "model")  # columns of CSV beside the keys
Record = dict[str, Any]
Library = Literal["pandas", "polars", "pyarrow"]
_NOTEBOOK_LINES = 20  # pairs that a notebook shows, strongest first
_TEXT_LINES = 10  # pairs that print() shows


def csv_of(records: Iterable[Record], shared: Record, keys: Sequence[str] = KEYS) -> str:
    """Records as CSV with a header line, with what they share at the end of each line."""
    out = io.StringIO()
    writer = csv.DictWriter(out, (*keys, *SHARED))
    writer.writeheader()
    writer.writerows({**record, **shared} for record in records)
    return out.getvalue()


@dataclass(frozen=True)
class PairResult:
    """One pair of variables.

    Attributes:
        x, y: their names.
        estimate: in the table's unit; None exactly where `error` is not.
        error: why there is no estimate.
        dropped: rows that the pair left out because a value was missing.
        notes: notices about the two variables; those about the sample are `estimate.warnings`.
        pvalue: of their independence; None where it was not wanted, or could not be had.
        pvalue_bh: the same, adjusted for the number of pairs (Benjamini and Hochberg 1995).
    """

    x: str
    y: str
    estimate: Estimate | None
    error: MizzleError | None
    dropped: int
    notes: tuple[Notice, ...]
    pvalue: float | None = None
    pvalue_bh: float | None = None

    @property
    def mi(self) -> float:
        """The estimate's mean, NaN where there is none."""
        return float("nan") if self.estimate is None else self.estimate.mi

    @property
    def notices(self) -> tuple[Notice, ...]:
        """All notices, about the variables and about the sample."""
        return (*self.notes, *(() if self.estimate is None else self.estimate.warnings))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all notices, each once."""
        return tuple(dict.fromkeys(notice.code for notice in self.notices))

    def severest(self) -> list[str]:
        """The codes that a line shows: of what asks for something, at most the two severest."""
        return severest(self.codes, SHOWN_NOTICES)

    def record(self, level: float, threshold: float) -> Record:
        """The pair as the values of `KEYS`."""
        record: Record = dict.fromkeys(KEYS)
        record |= {"x": self.x, "y": self.y, "dropped": self.dropped, "warnings": " ".join(self.codes)}
        if self.error is not None:
            return record | {"error": f"{self.error.code}: {self.error}"}
        assert self.estimate is not None
        low, high = self.estimate.interval(level)
        return record | {
            "mi": self.estimate.mi,
            "low": low,
            "high": high,
            "median": self.estimate.median,
            "below": self.estimate.below(threshold),
            "n": self.estimate.n,
            "in_range": self.estimate.in_range,
        }


@dataclass(frozen=True, repr=False)
class Pairs:
    """Results of pairs, and the level, unit and threshold of their records.

    Attributes:
        pairs: the results.
        level: of the interval from `low` to `high`.
        unit: of all numbers, "nats" or "bits".
        threshold: of `below`, in `unit`.
        notices: about the table as a whole: what of it was left out.
        surrogates: of which kind, and how many a pair, where p-values were wanted.
    """

    pairs: Sequence[PairResult]
    level: float
    unit: Unit
    threshold: float
    notices: tuple[Notice, ...] = field(default=(), kw_only=True)
    surrogates: tuple[str, int] | None = field(default=None, kw_only=True)

    def records(self) -> list[Record]:
        """One dict a pair, with the keys `keys`."""
        return self._records(self.pairs)

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of the records: `KEYS`, and `TESTED` where p-values were wanted."""
        return KEYS if self.surrogates is None else (*KEYS, *TESTED)

    def _records(self, pairs: Sequence[PairResult]) -> list[Record]:
        records = [pair.record(self.level, self.threshold) for pair in pairs]
        if self.surrogates is not None:
            for record, pair in zip(records, pairs, strict=True):
                record |= {"pvalue": pair.pvalue, "pvalue_bh": pair.pvalue_bh}
        return records

    def strongest(self) -> list[PairResult]:
        """The pairs in falling order of their estimates; those without one come last."""
        return strongest(self.pairs)

    def to_frame(self, library: Library = "pandas") -> Any:
        """The records as a frame of that library.

        Raises:
            MissingExtra: the library is not installed.
        """
        from mizzle.display import formats

        return formats.frame(self.records(), self.keys, library, self.head())

    def to_json(self) -> str:
        """The records as a JSON object, with what they have in common."""
        return json.dumps({**self.head(), "pairs": self.records()}, allow_nan=False)

    def to_csv(self) -> str:
        """The records as CSV (RFC 4180) with a header, `SHARED` in every line; nothing stands for None."""
        return csv_of(self.records(), self.shared(), self.keys)

    def shared(self) -> Record:
        """`SHARED`: the model by name, version and the first 12 digits of its SHA-256."""
        model = self.model
        named = None if model is None else f"{model.name} {model.version} {model.sha256[:12]}"
        return dict(zip(SHARED, (self.unit, self.level, self.threshold, named), strict=True))

    @property
    def model(self) -> ModelInfo | None:
        """The weights that answered; None where no pair has an estimate."""
        return next((pair.estimate.model for pair in self.pairs if pair.estimate is not None), None)

    def head(self) -> Record:
        """What all records have in common."""
        model = None if self.model is None else self.model._asdict()
        options = {"level": self.level, "unit": self.unit, "threshold": self.threshold}
        notices = [notice._asdict() for notice in self.notices]
        tested: Record = {}
        if self.surrogates is not None:
            tested = {"surrogates": {"kind": self.surrogates[0], "n": self.surrogates[1]}}
        return {**self._head(), **options, **tested, "model": model, "notices": notices}

    def to_html(self) -> str:
        """All pairs as an HTML table, strongest first; names are escaped."""
        return self._html(len(self.pairs))

    def _repr_html_(self) -> str:
        """The strongest pairs in a notebook."""
        return self._html(_NOTEBOOK_LINES)

    def _html(self, lines: int) -> str:
        from mizzle.display import formats

        return formats.html(repr(self), self._strongest_records(lines), len(self.pairs), self.head())

    def _strongest_records(self, count: int) -> list[Record]:
        largest = getattr(self.pairs, "strongest", None)  # of pairs in a folder, which are too many to sort
        return self._records(largest(count) if largest else self.strongest()[:count])

    def _head(self) -> Record:
        return {}

    def _flags(self) -> str:
        return "".join(f", {notice.message.rpartition(': ')[0]}" for notice in self.notices)

    def __str__(self) -> str:
        """The strongest pairs, a line each, below a line about all."""
        from mizzle.display import formats

        return formats.text(repr(self), self._strongest_records(_TEXT_LINES), len(self.pairs), self.head())

    def __iter__(self) -> Iterator[PairResult]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, repr=False)
class Matrix(Pairs):
    """All pairs of the variables of a table.

    Attributes:
        names: the variables, in the table's order.
        pairs: every variable with every later one; of a screened table those that were answered.
        screened: how many were, and how much was missed; None where all were.
    """

    names: tuple[str, ...] = ()
    screened: Screened | None = field(default=None, kw_only=True)

    @property
    def values(self) -> Any:
        """The estimates as a symmetric array of shape (p, p); NaN on the diagonal and where there is none."""
        stored = getattr(self.pairs, "square", None)
        return stored() if stored else self._square(lambda pair: pair.mi)

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        *,
        level: float = DEFAULT_LEVEL,
        unit: Unit = DEFAULT_UNIT,
        threshold: float = DEFAULT_THRESHOLD,
    ) -> "Matrix":
        """The matrix in a folder that `mizzle.matrix(.., folder=)` filled; pairs are read when wanted.

        Args:
            level, unit, threshold: as for `mizzle.matrix`.

        Raises:
            InvalidFile: it is no such folder, or lacks tiles.
            MissingExtra: pyarrow is not installed.
        """
        from mizzle.tables.stored import opened_matrix

        interval_levels(level)
        check_unit(unit)
        return opened_matrix(folder, level, unit, check_threshold(threshold))

    def plot(self) -> Any:
        """A matplotlib Figure: a map of all pairs, variables that share much beside each other.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from mizzle.display import plots

        below = self._square(lambda pair: pair.estimate.below(self.threshold) if pair.estimate else math.nan)
        return plots.matrix(self.names, self.values, below, self.head())

    def _square(self, number: Callable[[PairResult], float]) -> Any:
        """A number of each pair as a symmetric array of shape (p, p), NaN on the diagonal."""
        import numpy as np

        square = np.full((len(self.names), len(self.names)), np.nan)
        places = {name: i for i, name in enumerate(self.names)}
        for pair in self.pairs:
            i, j = places[pair.x], places[pair.y]
            square[i, j] = square[j, i] = number(pair)
        return square

    def __getitem__(self, names: tuple[str, str]) -> PairResult:
        """The result of two variables, named in either order.

        Raises:
            MissingColumn: there is no such pair.
        """
        pair = self._pair(names)
        if pair is None:
            raise MissingColumn(
                "there is no such pair; name two variables of this matrix that were not screened out"
            )
        return pair

    def _pair(self, names: tuple[str, str]) -> PairResult | None:
        find = getattr(self.pairs, "find", None)
        if find is None:
            return self._by_names.get(frozenset(names))
        return find(*map(self.names.index, names)) if set(names) <= set(self.names) else None

    @cached_property
    def _by_names(self) -> dict[frozenset[str], PairResult]:
        return {frozenset((pair.x, pair.y)): pair for pair in self.pairs}

    def _head(self) -> Record:
        return {"kind": "matrix", "names": list(self.names)}

    def __repr__(self) -> str:
        return f"Matrix({len(self.names)} variables, {len(self.pairs)} pairs, {self.unit}{self._flags()})"


@dataclass(frozen=True, repr=False)
class Ranking(Pairs):
    """Every variable of a table against a target.

    Attributes:
        target: the name of `y` in every pair.
        pairs: strongest first; those without an estimate last.
    """

    target: str = ""

    def plot(self) -> Any:
        """A matplotlib Figure: a line for each of the strongest variables, with two intervals.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        import numpy as np

        from mizzle.display import plots

        names = [pair.x for pair in self.pairs if pair.estimate is not None]
        estimates = [pair.estimate for pair in self.pairs if pair.estimate is not None]
        wide, narrow = (
            np.array([estimate.interval(level) for estimate in estimates]).reshape(-1, 2)
            for level in (self.level, min(0.5, self.level))
        )
        means = np.array([estimate.mi for estimate in estimates])
        return plots.ranking(names, means, wide, narrow, len(self), self.head())

    def _head(self) -> Record:
        return {"kind": "ranking", "target": self.target}

    def __repr__(self) -> str:
        return f"Ranking({len(self.pairs)} variables against {self.target!r}, {self.unit}{self._flags()})"


def strongest(pairs: Iterable[PairResult]) -> list[PairResult]:
    """Pairs in falling order of their estimates; those without one come last."""
    return sorted(pairs, key=lambda pair: (pair.estimate is None, -pair.mi if pair.estimate else 0.0))


def check_threshold(threshold: object) -> float:
    """The threshold, a number of nats or bits, if it can be one.

    Raises:
        InvalidInput: it is no finite number of at least 0.
    """
    if (
        isinstance(threshold, bool)
        or not isinstance(threshold, int | float)
        or not 0 <= threshold <= sys.float_info.max  # an integer may be larger
    ):
        raise InvalidInput("threshold must be a finite number of at least 0, in the unit of the answer")
    return float(threshold)
