"""A plan carried out: chunks of pairs go to a backend, estimates are stored, and none is estimated twice."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from mizzle.backends.pairs import Backend, Outcome
from mizzle.errors import InvalidFile, MizzleError
from mizzle.progress import Wanted, track
from mizzle.tables.checkpoint import Checkpoint
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.tiles import side, tiles
from mizzle.types import Estimate

_OF_THE_PAIR = (413, 422)  # statuses of errors that say something about one pair and nothing about the next


class Answering(Protocol):
    """Who answers groups of pairs of one plan."""

    def answers(self, groups: Iterable[Sequence[PairIndex]]) -> Iterator[tuple[int, list[Outcome]]]:
        """The outcomes of each group, with its number, in any order."""


class PlanRunner:
    """The outcomes of a plan so far, and the file in which the estimates are stored.

    Args:
        level: of the interval that will be read from the estimates.
        path: of the file, if there is to be one; the pairs that it holds are done.

    Raises:
        InvalidFile: the file is of another table, or no checkpoint.
    """

    def __init__(self, plan: Plan, level: float, path: str | os.PathLike[str] | None) -> None:
        self._plan = plan
        self._level = level
        self._file = None if path is None else Checkpoint(path, plan.fingerprint)
        self._estimates: dict[PairIndex, Estimate] = {} if self._file is None else self._file.load()
        self._errors: dict[PairIndex, MizzleError] = plan.refusals()
        self._first = next(iter(self._estimates.values()), None)

    def run(
        self, backend: Backend, progress: Wanted, elsewhere: Answering | None = None
    ) -> dict[PairIndex, Outcome]:
        """The outcome of every pair.

        Args:
            backend: who answers.
            elsewhere: who answers in its place, but for a pair that shows whether the weights are the same.

        Raises:
            MizzleError: the backend fails, or has other weights than before. The file has what was done.
        """
        with track(progress, len(self._plan.places)) as advance:
            try:
                self._save()  # now: that it cannot be written should not cost hours
                self._check_first(backend)
                if elsewhere is None:
                    self._run_chunks(backend, advance)
                else:
                    self._run_tiles(elsewhere, advance)
            finally:  # also when interrupted from the keyboard
                self._save()
        return {**self._estimates, **self._errors}

    def _done(self, advance: Callable[[int], object]) -> set[PairIndex]:
        # Of this plan: a file of the matrix of these variables holds more pairs than a ranking of them has.
        done = {place for place in self._plan.places if place in self._estimates or place in self._errors}
        advance(len(done))
        return done

    def _run_chunks(self, backend: Backend, advance: Callable[[int], object]) -> None:
        for chunk in self._plan.chunks(self._done(advance)):
            self._store(chunk.places, outcomes_of(backend, self._plan, chunk.places, advance))

    def _run_tiles(self, elsewhere: Answering, advance: Callable[[int], object]) -> None:
        done = self._done(advance)
        parts = (
            tuple(p for p in tile.places if p not in done) for tile in tiles(self._plan, side(self._plan))
        )
        groups = [places for places in parts if places]
        for k, outcomes in elsewhere.answers(groups):
            self._store(groups[k], outcomes)
            advance(len(groups[k]))

    def _store(self, places: Sequence[PairIndex], outcomes: Sequence[Outcome]) -> None:
        """Store the outcomes of pairs.

        Raises:
            MizzleError: the first error, if no pair has an estimate and not because of the pairs.
        """
        if (failure := failure_of_all(outcomes)) is not None:
            raise failure
        for place, outcome in zip(places, outcomes, strict=True):
            if isinstance(outcome, MizzleError):
                self._errors[place] = outcome
            else:
                self._estimates[place] = self._like_first(outcome)
        if self._file is not None:
            self._file.save_if_due(self._estimates)

    def _like_first(self, estimate: Estimate) -> Estimate:
        """The estimate, if it is of the weights of the first, with the levels of the first as one object.

        Raises:
            InvalidFile: it is of other weights.
            InvalidLevel: of the first: its levels do not hold the interval.
        """
        if self._first is None:
            estimate.interval(self._level)  # now, before the rest is estimated
            self._first = estimate
        if estimate.model != self._first.model:
            text = "the first answer" if self._file is None else str(self._file)
            raise InvalidFile(f"{text} is of other weights than answer now; begin anew, with another file")
        return replace(estimate, levels=self._first.levels)

    def _check_first(self, backend: Backend) -> None:
        """Estimate a pair of the file again: it may be of other weights, or of levels too narrow."""
        if self._first is None:
            return
        self._first.interval(self._level)
        again = (next(iter(self._estimates)),)
        for outcome in outcomes_of(backend, self._plan, again, lambda count: None):
            if not isinstance(outcome, MizzleError):  # an error will come again with the next chunk
                self._like_first(outcome)

    def _save(self) -> None:
        if self._file is not None:
            self._file.save(self._estimates)


def failure_of_all(outcomes: Sequence[Outcome]) -> MizzleError | None:
    """The first error, if no pair has an estimate and not because of the pairs."""
    errors = [outcome for outcome in outcomes if isinstance(outcome, MizzleError)]
    of_pairs = any(error.status in _OF_THE_PAIR for error in errors)
    return errors[0] if errors and len(errors) == len(outcomes) and not of_pairs else None


def outcomes_of(
    backend: Backend, plan: Plan, places: tuple[PairIndex, ...], advance: Callable[[int], object]
) -> Sequence[Outcome]:
    """The outcomes of pairs that fit into memory; `advance` is called with how many more there are."""
    so_far = 0

    def report(done: int, total: int) -> None:
        nonlocal so_far
        advance(done - so_far)
        so_far = done

    arrays: Any = plan.chunk(places).arrays
    outcomes = backend.estimate_many(arrays, progress=report, errors="return")
    report(len(outcomes), len(outcomes))
    return outcomes
