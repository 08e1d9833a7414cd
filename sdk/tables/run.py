"""A plan carried out: chunks of pairs go to a backend, estimates are stored, and none is estimated twice."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from mizzle.backends.pairs import Backend, Outcome
from mizzle.errors import InvalidFile, MizzleError
from mizzle.progress import Wanted, track
from mizzle.tables.checkpoint import Checkpoint
from mizzle.tables.plan import Chunk, PairIndex, Plan
from mizzle.types import Estimate

_OF_THE_PAIR = (413, 422)  # statuses of errors that say something about one pair and nothing about the next


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

    def run(self, backend: Backend, progress: Wanted) -> dict[PairIndex, Outcome]:
        """The outcome of every pair.

        Raises:
            MizzleError: the backend fails, or has other weights than before. The file has what was done.
        """
        with track(progress, len(self._plan.places)) as advance:
            try:
                self._save()  # now: that it cannot be written should not cost hours
                self._check_first(backend)
                self._run_chunks(backend, advance)
            finally:  # also when interrupted from the keyboard
                self._save()
        return {**self._estimates, **self._errors}

    def _run_chunks(self, backend: Backend, advance: Callable[[int], object]) -> None:
        # Of this plan: a file of the matrix of these variables holds more pairs than a ranking of them has.
        done = {place for place in self._plan.places if place in self._estimates or place in self._errors}
        advance(len(done))
        for chunk in self._plan.chunks(done):
            self._store(chunk, _outcomes(backend, chunk, advance))
            if self._file is not None:
                self._file.save_if_due(self._estimates)

    def _store(self, chunk: Chunk, outcomes: Sequence[Outcome]) -> None:
        """Store the outcomes of a chunk.

        Raises:
            MizzleError: the first error, if no pair has an estimate and not because of the pairs.
        """
        errors = [outcome for outcome in outcomes if isinstance(outcome, MizzleError)]
        if len(errors) == len(outcomes) and all(error.status not in _OF_THE_PAIR for error in errors):
            raise errors[0]
        for place, outcome in zip(chunk.places, outcomes, strict=True):
            if isinstance(outcome, MizzleError):
                self._errors[place] = outcome
            else:
                self._estimates[place] = self._like_first(outcome)

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
        again = self._plan.chunk((next(iter(self._estimates)),))
        for outcome in _outcomes(backend, again, lambda count: None):
            if not isinstance(outcome, MizzleError):  # an error will come again with the next chunk
                self._like_first(outcome)

    def _save(self) -> None:
        if self._file is not None:
            self._file.save(self._estimates)


def _outcomes(backend: Backend, chunk: Chunk, advance: Callable[[int], object]) -> Sequence[Outcome]:
    """The outcomes of a chunk; `advance` is called with how many more there are."""
    so_far = 0

    def report(done: int, total: int) -> None:
        nonlocal so_far
        advance(done - so_far)
        so_far = done

    outcomes = backend.estimate_many(cast(Any, chunk.arrays), progress=report, errors="return")
    report(len(outcomes), len(outcomes))
    return outcomes
