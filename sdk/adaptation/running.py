"""One adaptation from rows to weights, within its minutes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from mizzle import estimator as estimators
from mizzle import progress as bars
from mizzle.adaptation import adapted, columns, fitting, problems, sides
from mizzle.adaptation.columns import Columns
from mizzle.adaptation.report import Report, Score, SideReport, told_apart
from mizzle.adaptation.sides import FittedSide
from mizzle.data.arrays import FloatArray
from mizzle.estimator import EstimatorLike
from mizzle.model import torch_weights, weights
from mizzle.model.threads import single_thread
from mizzle.model.training.fitting import stop_signal
from mizzle.types import Estimate

_FITTED_MAPS = 3  # of the rows to fit on; the last is for calibration alone
_JUDGED_ROWS = 1 / 3  # of the data, that no map for fitting or calibration sees
_MAP_ROWS = 0.8  # of the rows to fit on, that each map sees
_PASSES = 120  # over the rows, of a flow
_FITTED_PER_MINUTE, _CALIBRATED, _JUDGED = 500, 600, 300  # problems
_MAPS_END, _FIT_END = 0.4, 0.8  # shares of the minutes after which maps, and fitting, end
_TOKENS_END = 0.6
_ASSESS_MINUTES = 1.0
_GROUP, _PICTURED = 16, 1000

Sides = tuple[Columns, Columns]
Maps = list[tuple[FittedSide, FittedSide]]


class _Clock(NamedTuple):
    """Minutes from a start, which an interrupt ends."""

    started: float
    minutes: float
    interrupted: Callable[[], bool]

    def over(self, share: float) -> Callable[[], bool]:
        """Whether this share of the time is over, or the user wants an end."""
        end = self.started + 60.0 * self.minutes * share
        return lambda: self.interrupted() or time.monotonic() > end


@contextmanager
def _clock(minutes: float) -> Iterator[_Clock]:
    with single_thread(), stop_signal() as stopped:  # small networks: more threads only wait for each other
        yield _Clock(time.monotonic(), minutes, stopped.is_set)


class _Halves(NamedTuple):
    """Rows to fit on and rows to judge on, of both sides."""

    fit: tuple[Columns, Columns]
    judge: tuple[Columns, Columns]


class _Judge(NamedTuple):
    """Problems through maps that were fitted to rows which no other map has seen."""

    maps: tuple[FittedSide, FittedSide]
    problems: list[problems.Problem]

    def score(self, estimator: EstimatorLike, advance: Callable[[int], object]) -> Score:
        """Of the answers that a user gets."""
        estimates: list[Estimate] = []
        for start in range(0, len(self.problems), _GROUP):
            group = self.problems[start : start + _GROUP]
            estimates += estimator.run([estimator.prepare(p.x, p.y) for p in group])
            advance(len(group))
        return Score.of(estimates, [p.nats for p in self.problems])


def adapt(left: Columns, right: Columns, minutes: float, seed: int, progress: bars.Wanted) -> adapted.Adapted:
    """Maps, problems, fitting, calibration, report; see `mizzle.adapt`."""
    rngs = list(map(np.random.default_rng, np.random.SeedSequence(seed).spawn(4)))
    parent = torch_weights.load(weights.SHIPPED)
    count, rows = round(_FITTED_PER_MINUTE * minutes), _most_rows(left, right)
    total = round(count * (1.0 + fitting.REPLAY)) + _CALIBRATED + 2 * _JUDGED
    with _clock(minutes) as clock, bars.track(progress, total) as advance:
        halves = _halved(left, right, rngs[0])
        maps = _maps(halves.fit, _FITTED_MAPS, rngs[1], clock.over(_MAPS_END) if minutes else _never)
        drawn = problems.stream(maps[:-1], seed, count, rows)
        found = fitting.summaries(fitting.replayed(drawn, seed), clock.over(_TOKENS_END), advance)
        net, steps = fitting.fine_tuned(parent, found, seed, clock.over(_FIT_END))
        stopped = _reason(clock) if len(found.tokens) < count or steps < fitting.planned(found) else None
        held_out = problems.stream(maps[-1:], seed + 1, _CALIBRATED, rows)
        fitted = fitting.calibrated(parent, net, fitting.summaries(held_out, _never, advance))
        judge = _judge(halves, rngs[2], seed + 2, rows)
        report = _report(judge, maps[0], halves, seed, minutes, rngs[3], advance)
        report = replace(report, steps=steps, stopped=stopped)
        modality = {"x": asdict(report.x), "y": asdict(report.y)}
        about = {"parent": parent.info.sha256, "modality": modality, "seed": seed, "minutes": minutes}
        fresh = adapted.written(partial(fitting.write, parent, net, fitted, about), report)
        report = replace(report, after=judge.score(fresh.estimator, advance))
    about["report"] = report.to_dict()
    return adapted.written(partial(fitting.write, parent, net, fitted, about), report)


def assess(left: Columns, right: Columns, seed: int, progress: bars.Wanted) -> Report:
    """The shipped weights on problems that look like the data; see `mizzle.assess`."""
    rngs = list(map(np.random.default_rng, np.random.SeedSequence(seed).spawn(4)))
    with _clock(_ASSESS_MINUTES) as clock, bars.track(progress, _JUDGED) as advance:
        halves = _halved(left, right, rngs[0])
        maps = _maps(halves.fit, 1, rngs[1], clock.over(_MAPS_END))
        judge = _Judge(maps[0], list(problems.stream(maps, seed, _JUDGED, _most_rows(left, right))))
        return _report(judge, maps[0], halves, seed, 0.0, rngs[3], advance)


def _never() -> bool:
    return False


def _most_rows(left: Columns, right: Columns) -> int:
    """Of a problem: no more than the data have, or a few hundred."""
    return min(problems.MAX_ROWS, max(len(left.values), len(right.values), 500))


def _halved(left: Columns, right: Columns, rng: np.random.Generator) -> _Halves:
    """Rows to fit on, and a third to judge on, each side by itself, as they need not be paired."""
    parts = []
    for side in (left, right):
        order = rng.permutation(len(side.values))
        cut = round(len(order) * (1.0 - _JUDGED_ROWS))
        parts.append((side.taken(order[:cut]), side.taken(order[cut:])))
    (fit_x, judge_x), (fit_y, judge_y) = parts
    return _Halves((fit_x, fit_y), (judge_x, judge_y))


def _maps(sides_: Sides, count: int, rng: np.random.Generator, stopped: Callable[[], bool]) -> Maps:
    """Several maps of each side, each fitted to other rows."""
    return [tuple_of([_map(side, rng, stopped) for side in sides_]) for _ in range(count)]


def tuple_of(pair: list[FittedSide]) -> tuple[FittedSide, FittedSide]:
    """A pair."""
    left, right = pair
    return left, right


def _map(side: Columns, rng: np.random.Generator, stopped: Callable[[], bool]) -> FittedSide:
    rows = rng.permutation(len(side.values))[: round(_MAP_ROWS * len(side.values))]
    return sides.fit(side.taken(rows), rng, _PASSES, stopped)


def _judge(halves: _Halves, rng: np.random.Generator, seed: int, rows: int) -> _Judge:
    left, right = (sides.fit(side, rng, _PASSES, _never) for side in halves.judge)
    return _Judge((left, right), list(problems.stream([(left, right)], seed, _JUDGED, rows)))


def _report(
    judge: _Judge,
    maps: tuple[FittedSide, FittedSide],
    halves: _Halves,
    seed: int,
    minutes: float,
    rng: np.random.Generator,
    advance: Callable[[int], object],
) -> Report:
    """What the shipped weights do, and how well the first map imitates rows that it has not seen."""
    before = judge.score(estimators.load(), advance)
    told = [_imitation(own, unseen, rng) for own, unseen in zip(maps, halves.judge, strict=True)]
    (x, real_x), (y, real_y) = told
    return Report(before, None, x, y, seed, minutes, pictures={"x": real_x, "y": real_y})


def _imitation(
    own: FittedSide, unseen: Columns, rng: np.random.Generator
) -> tuple[SideReport, tuple[FloatArray, FloatArray]]:
    """How a side was imitated, and real beside made rows of its continuous columns as normal scores."""
    names = own.columns.names
    discrete = tuple(name for name, is_so in zip(names, own.columns.discrete, strict=True) if is_so)
    if not own.latents:
        nothing = np.empty((0, 0))
        return SideReport(names, discrete, len(unseen.values), None, 0, own.way, None), (nothing, nothing)
    real = columns.normal_scores(unseen.continuous, rng)[:_PICTURED]
    made = columns.normal_scores(own.scores(rng.standard_normal((len(unseen.values), own.latents))), rng)
    accuracy = told_apart(real, made[:_PICTURED])
    facts = (len(own.columns.values), round(own.dimension, 2), own.latents, own.way, accuracy)
    return SideReport(names, discrete, *facts), (real, made[:_PICTURED])


def _reason(clock: _Clock) -> str:
    if clock.interrupted():
        return "interrupted; what was fitted until then was kept"
    return "the minutes were over before all that was planned was done; another run may differ"
