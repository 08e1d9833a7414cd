"""At which lag one series tells most about another: the mutual information of y(t) and x(t - lag).

Positive lags look at x before y, as in ennemi (Laarne, Zaidan and Nieminen 2021). All lags are estimated on
the same rows t, those that every lag leaves, so that they can be compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import index
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mizzle.backends import conditional
from mizzle.backends.effects import Compute, Steps, perform_compute, run
from mizzle.backends.local import LocalBackend
from mizzle.data.samples import Missing, Side, check_missing, read_side
from mizzle.errors import InvalidInput, LengthMismatch, TooFewSamples
from mizzle.progress import Wanted
from mizzle.questions.chunks import conditional_estimates, estimates
from mizzle.questions.lag_results import Lagged, LagRecord
from mizzle.questions.surrogates import Rng, generator_of
from mizzle.types import DEFAULT_LEVEL, DEFAULT_UNIT, Estimate, Notice, Unit, check_unit, interval_levels

__all__ = ["LagRecord", "Lagged", "lagged"]
DEFAULT_LAGS: Final = range(-20, 21)
MIN_ROWS: Final = 50
DEFAULT_SHIFTS: Final = 199
SHIFTS: Final = (19, 9999)  # how many circular shifts a test may have; with 19 it can just reach p = .05
_MAX_LAGS: Final = 10_000
Doubles = NDArray[np.float64]
Rows = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)


def lagged(
    x: object,
    y: object,
    *,
    lags: Iterable[int] = DEFAULT_LAGS,
    history: int = 0,
    given: object = None,
    pvalues: bool | int = False,
    level: float = DEFAULT_LEVEL,
    unit: Unit = DEFAULT_UNIT,
    missing: Missing = "raise",
    rng: Rng = 0,
    progress: Wanted = None,
) -> Lagged:
    """The mutual information of y(t) and x(t - lag) at every lag, two series observed at the same times.

    A lag of 3 asks what x tells about y three rows later, a lag of -3 what x tells about y three rows before.
    All lags share the rows t for which every x(t - lag) exists; how many are left out is said in `notices`.
    Rows of a series are alike, so the interval of each lag may be too narrow (`rows_alike`): `pvalues` tests
    each lag in a way that stays right for series.

    Args:
        x, y: series of shape (n,) or (n, d), in the order of time, as for `mizzle.estimate`.
        lags: different integers, in rows.
        history: condition on so many past values of y, y(t - 1) .. y(t - history): the transfer entropy from
            x to y (Schreiber 2000), at each lag.
        given: series of shape (n,) or (n, d), to condition on at time t.
        pvalues: True for a test of each lag by 199 circular shifts of x, or how many shifts, 19 to 9999.
        level: probability of the interval from `low` to `high`.
        unit: "nats" or "bits".
        missing: "raise" refuses missing cells; "drop" leaves out, at each lag, the rows in which one of the
            values that this lag puts together is missing. Never before: that would shift what comes later.
        rng: seed or generator of the shifts; the same seed gives the same answer.
        progress: None for a bar on stderr where that is a terminal and the work takes longer than two
            seconds; True or False; or a function of (done, total).

    Raises:
        InvalidInput: a series or an argument cannot be used; LengthMismatch, or TooFewSamples where the lags
            leave fewer than 50 rows.
        MissingExtra, ModelUnavailable: as `mizzle.estimate`.
    """
    options = Options(lags, history, given, pvalues, level, unit, missing, rng, progress)
    return run(steps(LocalBackend(), x, y, options), perform_compute)


class Options(NamedTuple):
    """The arguments of `lagged`, with their defaults."""

    lags: Iterable[int] = DEFAULT_LAGS
    history: int = 0
    condition: object = None
    pvalues: bool | int = False
    level: float = DEFAULT_LEVEL
    unit: Unit = DEFAULT_UNIT
    missing: Missing = "raise"
    rng: Rng = 0
    progress: Wanted = None


def options_of(**options: Any) -> Options:
    """The keyword arguments of `lagged` as one object."""
    return Options(condition=options.pop("given", None), **options)


def steps(backend: conditional.Many, x: object, y: object, options: Options) -> Steps[Lagged]:
    """The steps to the answer by any backend; see `lagged`."""
    check_unit(options.unit)
    check_missing(options.missing)
    interval_levels(options.level)
    plan: Plan = yield Compute(_plan, (x, y, options))
    answers = yield from _estimates(backend, plan, options.progress)
    return _answer(plan, answers, options)


class Problem(NamedTuple):
    """Sides of shape (n, d), and what to condition on, or None."""

    x: Doubles
    y: Doubles
    z: Doubles | None


@dataclass(frozen=True)
class Plan:
    """Which rows meet at which lag.

    Attributes:
        x, y, z: the series, of the same rows; z is what to condition on at time t, or None.
        rows: the first time t that every lag leaves, and the one after the last.
        lags: in rows.
        shifts: further lags, taken circularly, of the surrogates.
        notices: of the series, and what is left out.
    """

    x: Side
    y: Side
    z: Side | None
    rows: tuple[int, int]
    lags: tuple[int, ...]
    shifts: tuple[int, ...]
    notices: tuple[Notice, ...]

    def problems(self) -> Iterator[Problem]:
        """One for each lag, then one for each shift."""
        whole = _cut(self.y.values, self.rows, 0)  # one array, so that it is ranked once
        for lag in (*self.lags, *self.shifts):
            y = whole if self.complete(lag) is None else self._taken(self.y.values, lag, 0)
            z = None if self.z is None else self._taken(self.z.values, lag, 0)
            yield Problem(self._taken(self.x.values, lag, lag), y, z)

    def complete(self, lag: int) -> Rows | None:
        """The times at which nothing is missing once x is shifted; None for all that the lags leave."""
        masks = [(self.x.missing, lag), (self.y.missing, 0), (self.z.missing if self.z else None, 0)]
        absent = [_cut(mask, self.rows, back).any(axis=1) for mask, back in masks if mask is not None]
        return np.arange(*self.rows)[~np.logical_or.reduce(absent)] if absent else None

    def count(self, lag: int) -> int:
        """How many rows a lag has."""
        rows = self.complete(lag)
        return self.rows[1] - self.rows[0] if rows is None else len(rows)

    def _taken(self, values: Doubles, lag: int, back: int) -> Doubles:
        """Rows of a series, so many rows back, at the times of a lag."""
        rows = self.complete(lag)
        return _cut(values, self.rows, back) if rows is None else values[(rows - back) % len(values)]


def _cut(values: NDArray[Scalar], rows: tuple[int, int], back: int) -> NDArray[Scalar]:
    """The rows of an array, so many back; past its ends it goes on at the other one."""
    first, last, n = rows[0] - back, rows[1] - back, len(values)
    if first >= 0 and last <= n:
        return values[first:last]  # no copy
    return np.take(values, np.arange(first, last), axis=0, mode="wrap")


_ENOUGH: Final = f"at least {MIN_ROWS} are needed: shorten the lags, or bring a longer series"


def _plan(x: object, y: object, options: Options) -> Plan:
    """Checks everything, before any work."""
    lags, shifts = _lags(options.lags), _shift_count(options.pvalues)
    history = _integer(options.history, "history")
    if history < 0:
        raise InvalidInput(f"history is {history}; it must be 0 or a number of past rows of y")
    names = {"x": x, "y": y, **({} if options.condition is None else {"given": options.condition})}
    sides = {name: read_side(series, name, options.missing) for name, series in names.items()}
    n = _length({name: len(side.values) for name, side in sides.items()})
    rows = _common_rows(n, lags, history)
    rng = generator_of(options.rng)
    chosen = _shifts(n, lags, shifts, rng) if shifts else ()
    condition = _condition(sides["y"], history, sides.get("given"))
    notices = [notice for side in sides.values() for notice in side.notices]
    notices += _left_out(n, rows)
    if len(chosen) < shifts:
        text = f"the series has only {len(chosen)} circular shifts beyond the lags, and all were taken"
        notices.append(Notice("shifts", text))
    plan = Plan(sides["x"], sides["y"], condition, rows, lags, chosen, tuple(notices))
    return replace(plan, notices=(*plan.notices, *_dropped(plan)))


def _dropped(plan: Plan) -> list[Notice]:
    """How many rows lack a value, at the lags that lose fewest and most.

    Raises:
        TooFewSamples: missing values leave fewer than `MIN_ROWS` rows of a lag or of a shift.
    """
    n = plan.rows[1] - plan.rows[0]
    left = {lag: plan.count(lag) for lag in (*plan.lags, *plan.shifts)}
    fewest = min(left, key=left.__getitem__)
    if left[fewest] < MIN_ROWS:
        raise TooFewSamples(f"at lag {fewest}, {left[fewest]} complete rows are left; {_ENOUGH}")
    counts = {n - left[lag] for lag in plan.lags}
    if counts == {0}:
        return []
    low, high = min(counts), max(counts)
    count = f"{low}" if low == high else f"{low} to {high}"
    text = f"{count} of {n} rows were left out, by lag, in which a value is missing once x is shifted"
    return [Notice("dropped", text)]


def _integer(value: object, name: str) -> int:
    try:
        if isinstance(value, bool | np.bool):
            raise TypeError
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidInput(f"{name} must be whole numbers of rows") from None


def _lags(lags: Iterable[int]) -> tuple[int, ...]:
    """The lags in rising order.

    Raises:
        InvalidInput: there are none, or too many; one is no integer or comes twice.
    """
    if isinstance(lags, str | bytes) or not isinstance(lags, Iterable):
        lags = [_integer(lags, "lags")]
    listed = [_integer(lag, "lags") for _, lag in zip(range(_MAX_LAGS + 1), lags, strict=False)]
    if not 0 < len(listed) <= _MAX_LAGS:
        raise InvalidInput(f"lags must be 1 to {_MAX_LAGS} whole numbers of rows, say range(-20, 21)")
    if len(set(listed)) < len(listed):
        twice = next(lag for lag in listed if listed.count(lag) > 1)
        raise InvalidInput(f"lag {twice} is named twice; name each lag once")
    return tuple(sorted(listed))


def _shift_count(pvalues: object) -> int:
    """How many surrogates."""
    if isinstance(pvalues, bool | np.bool) or pvalues is None:
        return DEFAULT_SHIFTS if pvalues else 0
    count = _integer(pvalues, "pvalues")
    if not SHIFTS[0] <= count <= SHIFTS[1]:
        raise InvalidInput(
            f"pvalues is {count}; it must be True, False or a number of shifts, {SHIFTS[0]} to {SHIFTS[1]}"
        )
    return count


def _length(lengths: dict[str, int]) -> int:
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} has {n} rows" for name, n in lengths.items())
        raise LengthMismatch(f"{text}; the series must be observed at the same times")
    return lengths["x"]


def _common_rows(n: int, lags: Sequence[int], history: int) -> tuple[int, int]:
    """The first time for which x is there at every lag, and the past of y, and the one after the last."""
    longest = max(lags, key=abs)
    if max(abs(longest), history) >= n:
        what = f"lag {longest}" if abs(longest) >= n else f"history {history}"
        raise InvalidInput(f"{what} is as long as the series, which has {n} rows; shorten it")
    rows = max(0, lags[-1], history), n + min(0, lags[0])
    count = max(rows[1] - rows[0], 0)
    if count < MIN_ROWS:
        span = f"lags {lags[0]} to {lags[-1]}" + (f" with history {history}" if history else "")
        raise TooFewSamples(f"{span} leave {count} of {n} rows; {_ENOUGH}")
    return rows


def _left_out(n: int, rows: tuple[int, int]) -> list[Notice]:
    count = n - (rows[1] - rows[0])
    text = f"{count} of {n} rows were left out, at the ends, so that all lags share the same rows"
    return [Notice("left_out", text)] if count else []


def _shifts(n: int, lags: Sequence[int], count: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Different circular shifts beyond the lags, as far from 0 as the longest of them.

    Raises:
        InvalidInput: there are too few for a test.
    """
    reach = max(map(abs, lags)) + 1
    possible = np.arange(reach, n - reach + 1)
    if len(possible) < SHIFTS[0]:
        raise InvalidInput(
            f"the series has {len(possible)} circular shifts beyond the lags; a test needs {SHIFTS[0]}: "
            "shorten the lags, or bring a longer series"
        )
    return tuple(rng.permutation(possible)[:count].tolist())


def _condition(y: Side, history: int, side: Side | None) -> Side | None:
    """The past of y and another series, side by side; the first rows of the past are never used."""
    parts = [np.roll(y.values, k, axis=0) for k in range(1, history + 1)]
    masks = [np.roll(_mask(y), k, axis=0) for k in range(1, history + 1)]
    if side is not None:
        parts.append(side.values)
        masks.append(_mask(side))
    return Side(np.hstack(parts), np.hstack(masks)) if parts else None


def _mask(side: Side) -> NDArray[np.bool]:
    return np.zeros(side.values.shape, bool) if side.missing is None else side.missing


def _estimates(backend: conditional.Many, plan: Plan, wanted: Wanted) -> Steps[list[Estimate]]:
    """Of every problem, conditional where it has a condition."""
    count = len(plan.lags) + len(plan.shifts)
    if plan.z is None:
        pairs = ((problem.x, problem.y) for problem in plan.problems())
        return (yield from estimates(backend, pairs, count, wanted))
    return (yield from conditional_estimates(backend, plan.problems(), count, wanted))


def _answer(plan: Plan, answers: Sequence[Estimate], options: Options) -> Lagged:
    answers, split = [answer.to(options.unit) for answer in answers], len(plan.lags)
    notices = {(n.code, n.message): n for n in plan.notices}
    for code, listed in _by_code(plan.lags, answers[:split]).items():
        message, where = listed
        text = message if len(where) == split else f"{message} (at {len(where)} of {split} lags)"
        notices[code, text] = Notice(code, text)
    return Lagged(
        lags=plan.lags,
        estimates=tuple(answers[:split]),
        null=tuple(estimate.mi for estimate in answers[split:]),
        level=options.level,
        unit=options.unit,
        history=options.history,
        notices=tuple(notices.values()),
    )


def _by_code(lags: Sequence[int], estimates: Sequence[Estimate]) -> dict[str, tuple[str, list[int]]]:
    """What was noticed at the lags: one message a code, and where."""
    noticed: dict[str, tuple[str, list[int]]] = {}
    for lag, estimate in zip(lags, estimates, strict=True):
        for code, message in dict(estimate.warnings).items():
            noticed.setdefault(code, (message, []))[1].append(lag)
    return noticed
