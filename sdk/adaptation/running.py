"""One adaptation from rows to weights, within its minutes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from mizzle import estimator as estimators
from mizzle import progress as bars
from mizzle.adaptation import adapted, fitting, imitation, problems, sides
from mizzle.adaptation.columns import Columns
from mizzle.adaptation.report import Report, Score
from mizzle.adaptation.sides import FittedSide
from mizzle.estimator import EstimatorLike
from mizzle.model.threads import single_thread
from mizzle.model.training.fitting import stop_signal
from mizzle.types import Estimate

_PARTS = (0.4, 0.3, 0.3)  # of the rows: to fit on, to calibrate on, to judge on; no map sees two of them
_MAPS = (8, 4, 3)  # pairs of each part
_MAP_ROWS, _MAP_ROWS_LIMIT = 0.8, 2000  # of a part, that each of its maps sees
_PASSES = 120  # over the rows, of a flow
_FITTED_PER_MINUTE, _CALIBRATED, _JUDGED = 2000, 2400, 400  # problems
_ORDINARY = 400  # problems of the prior, to see what is forgotten
_MAPS_END, _TOKENS_END, _FIT_END = 0.3, 0.6, 0.95  # shares of the minutes after which something ends
_KEY = 0x616461707421  # beside the user's seed, so that no stream here is one of a training
_ASSESS_MINUTES = 1.0
_GROUP = 16

Maps = list[problems.Pair]
Sides = tuple[Columns, Columns]


class _Clock(NamedTuple):
    """Minutes from a start, which an interrupt ends."""

    started: float
    minutes: float
    interrupted: Callable[[], bool]

    def over(self, share: float) -> Callable[[], bool]:
        """Whether this share of the time is over, or the user wants an end. No minutes never end."""
        end = self.started + 60.0 * (self.minutes or float("inf")) * share
        return lambda: self.interrupted() or time.monotonic() > end


class _Seeds(NamedTuple):
    """Of problems, each of its own kind."""

    fit: int
    replay: int
    calibrate: int
    judge: int
    ordinary: int

    @classmethod
    def of(cls, seed: int) -> "_Seeds":
        """Those that belong to the user's."""
        drawn = np.random.SeedSequence([seed, _KEY]).generate_state(len(cls._fields), np.uint64)
        return cls(*(int(number) >> 2 for number in drawn))


@contextmanager
def _clock(minutes: float) -> Iterator[_Clock]:
    """A clock, beside which torch has one thread and its random numbers come back as they were."""
    with single_thread(), torch.random.fork_rng(devices=[]), stop_signal() as stopped:
        yield _Clock(time.monotonic(), minutes, stopped.is_set)


class _Parts(NamedTuple):
    """Rows of both sides, to fit on, to calibrate on, and to judge on."""

    fit: Sides
    calibrate: Sides
    judge: Sides


class Judge(NamedTuple):
    """Problems through maps that were fitted to rows which no other map has seen."""

    problems: list[problems.Problem]

    def score(self, estimator: EstimatorLike, advance: Callable[[int], object]) -> Score:
        """Of the answers that a user gets."""
        estimates: list[Estimate] = []
        for start in range(0, len(self.problems), _GROUP):
            group = self.problems[start : start + _GROUP]
            estimates += estimator.run([estimator.prepare(p.x, p.y) for p in group])
            advance(len(group))
        return Score.of(estimates, [p.nats for p in self.problems])


def adapt(
    left: Columns, right: Columns, minutes: float, seed: int, progress: bars.Wanted, name: str | None
) -> adapted.Adapted:
    """Maps, problems, fitting, calibration, report; see `mizzle.adapt`."""
    rngs, seeds, rows = _generators(seed), _Seeds.of(seed), _most_rows(left, right)
    count = round(_FITTED_PER_MINUTE * minutes)
    total = fitting.with_replays(count) + _CALIBRATED + 2 * _JUDGED
    with _clock(minutes) as clock, bars.track(progress, total, "problem") as advance:
        parts = _divided(left, right, rngs[0])
        maps, held_out, judges = _all_maps(parts, rngs[1:4], clock)
        judge = _judge(judges, seeds.judge, rows)
        report = _report(judge, maps[0], parts, seed, minutes, rngs[4], advance)
        drawn = problems.groups(held_out, seeds.calibrate, _CALIBRATED, rows)
        unseen = fitting.summaries(drawn, clock.interrupted, advance)
        fitted, steps, is_done = _fitted(maps, unseen, clock, count, seeds, rows, advance)
        about = {"parent": fitting.parent().info.sha256, "seed": seed, "minutes": minutes}
        about["modality"] = {"x": asdict(report.x), "y": asdict(report.y)}
        fresh = adapted.written(partial(fitting.write, fitted, about, name), report)
        stopped = _reason(clock, is_done, [*maps, *held_out, *judges], sum(_MAPS))
        after = judge.score(fresh.estimator, advance)
        report = replace(report, steps=steps, share=fitted.share, stopped=stopped, after=after)
    about["report"] = report.to_dict()
    return adapted.written(partial(fitting.write, fitted, about, name), report)


def _fitted(
    maps: Maps,
    unseen: fitting.Summaries,
    clock: _Clock,
    count: int,
    seeds: _Seeds,
    rows: int,
    advance: Callable[[int], object],
) -> tuple[fitting.Fitted, int, bool]:
    """The network, after how many steps, and whether all was done that was planned."""
    drawn = list(fitting.replayed(problems.groups(maps, seeds.fit, count, rows), seeds.replay))
    own = fitting.summaries(drawn, clock.over(_TOKENS_END), advance)
    net, steps = fitting.fine_tuned(own, seeds.fit, clock.over(_FIT_END))
    is_done = len(own.tokens) == fitting.with_replays(count) and steps == fitting.planned(own)
    held_out = fitting.ordinary(seeds.ordinary, _ORDINARY if steps else 0, clock.interrupted)
    return fitting.calibrated(net, unseen, held_out), steps, is_done


def assess(left: Columns, right: Columns, seed: int, progress: bars.Wanted) -> Report:
    """The shipped weights on problems that look like the data; see `mizzle.assess`."""
    rngs = _generators(seed)
    with _clock(_ASSESS_MINUTES) as clock, bars.track(progress, _JUDGED, "problem") as advance:
        parts = _divided(left, right, rngs[0])
        judges = fitted_maps(parts.judge, _MAPS[2], rngs[3], clock.over(_MAPS_END))
        maps = fitted_maps(parts.fit, 1, rngs[1], clock.over(2 * _MAPS_END))
        judge = _judge(judges, _Seeds.of(seed).judge, _most_rows(left, right))
        report = _report(judge, maps[0], parts, seed, _ASSESS_MINUTES, rngs[4], advance)
        return replace(report, stopped=_reason(clock, True, [*maps, *judges], _MAPS[2] + 1))


def _generators(seed: int) -> list[np.random.Generator]:
    return list(map(np.random.default_rng, np.random.SeedSequence(seed).spawn(5)))


def _most_rows(left: Columns, right: Columns) -> int:
    """Of a problem: no more than the data have, or a few hundred."""
    return min(problems.MAX_ROWS, max(len(left.values), len(right.values), 500))


def _divided(left: Columns, right: Columns, rng: np.random.Generator) -> _Parts:
    """Three parts of the rows, of each side by itself, as they need not be paired."""
    divided = []
    for side in (left, right):
        cuts = np.cumsum([round(share * len(side.values)) for share in _PARTS[:-1]])
        divided.append([side.taken(rows) for rows in np.split(rng.permutation(len(side.values)), cuts)])
    return _Parts(*zip(*divided, strict=True))


def _all_maps(parts: _Parts, rngs: Sequence[np.random.Generator], clock: _Clock) -> Iterator[Maps]:
    """Maps of every part, each of which has its share of the time for maps."""
    ends = np.cumsum(_MAPS) / sum(_MAPS) * _MAPS_END
    for own, count, rng, end in zip(parts, _MAPS, rngs, ends, strict=True):
        yield fitted_maps(own, count, rng, clock.over(float(end)))


def fitted_maps(sides_: Sides, count: int, rng: np.random.Generator, stopped: Callable[[], bool]) -> Maps:
    """Maps of both sides, each fitted to other rows; as many as there is time for, and one at least."""
    maps: Maps = []
    while not maps or (len(maps) < count and not stopped()):
        left, right = (_map(side, rng, stopped) for side in sides_)
        maps.append((left, right))
    return maps


def _map(side: Columns, rng: np.random.Generator, stopped: Callable[[], bool]) -> FittedSide:
    count = min(round(_MAP_ROWS * len(side.values)), _MAP_ROWS_LIMIT)
    rows = rng.permutation(len(side.values))[:count]
    return sides.fit(side.taken(rows), rng, _PASSES, stopped)


def _judge(maps: Maps, seed: int, rows: int) -> Judge:
    return Judge([p for group in problems.groups(maps, seed, _JUDGED, rows) for p in group()])


def _report(
    judge: Judge,
    maps: problems.Pair,
    parts: _Parts,
    seed: int,
    minutes: float,
    rng: np.random.Generator,
    advance: Callable[[int], object],
) -> Report:
    """What the shipped weights do, and how well the first map imitates rows that it has not seen."""
    before = judge.score(estimators.load(), advance)
    compared = [imitation.compare(own, unseen, rng) for own, unseen in zip(maps, parts.judge, strict=True)]
    (x, rows_x), (y, rows_y) = compared
    return Report(before, None, x, y, seed, minutes, pictures={"x": rows_x, "y": rows_y})


def _reason(clock: _Clock, is_done: bool, maps: Maps, planned: int) -> str | None:
    """What was left out or cut short, and why; None where nothing was."""
    cut = sum(side.is_cut for pair in maps for side in pair)
    if is_done and len(maps) == planned and not cut:
        return None
    why = "interrupted" if clock.interrupted() else "the minutes were over; another run may differ"
    text = f"{why}: {len(maps)} of {planned} pairs of maps were fitted, {cut} of their maps cut short"
    return text if is_done else f"{text}, and less was learnt than was planned"
