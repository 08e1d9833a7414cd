"""A plan carried out: portions go to an asker, answers are kept, and none is asked for twice."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from mizzle.backends.pairs import Backend, Outcome
from mizzle.errors import InvalidFile, MizzleError
from mizzle.progress import Wanted, shown
from mizzle.tables.checkpoint import Checkpoint
from mizzle.tables.plan import Chunk, PairIndex, Plan
from mizzle.types import Estimate

_OF_THE_PAIR = (413, 422)  # statuses of errors that say something about one pair and nothing about the next


class PlanRunner:
    """The answers of a plan so far, and the file in which they are kept.

    Args:
        level: of the interval that will be read from the answers.
        path: of the file, if there is to be one; what it holds counts as answered.

    Raises:
        InvalidFile: the file is of another table, or no checkpoint.
    """

    def __init__(self, plan: Plan, level: float, path: str | os.PathLike[str] | None) -> None:
        self._plan = plan
        self._level = level
        self._file = None if path is None else Checkpoint(path, plan.fingerprint)
        self._found: dict[PairIndex, Estimate] = {} if self._file is None else self._file.load()
        self._errors: dict[PairIndex, MizzleError] = plan.refusals()
        self._first = next(iter(self._found.values()), None)

    def all(self, asker: Backend, progress: Wanted) -> dict[PairIndex, Outcome]:
        """The answer of every pair.

        Raises:
            MizzleError: nobody answers, or other weights than before. The file has what was answered.
        """
        with shown(progress, len(self._plan.places)) as tell:
            try:
                self._save()  # now: that it cannot be written should not cost hours
                self._check_first(asker)
                self._ask(asker, tell)
            finally:  # also when interrupted from the keyboard
                self._save()
        return {**self._found, **self._errors}

    def _ask(self, asker: Backend, tell: Callable[[int], object]) -> None:
        done = {place for place in self._plan.places if place in self._found or place in self._errors}
        tell(len(done))
        for portion in self._plan.portions(done):
            self._take(portion, _asked(asker, portion, tell))
            if self._file is not None:
                self._file.save_if_due(self._found)

    def _take(self, portion: Chunk, outcomes: Sequence[Outcome]) -> None:
        """Keep the answers of a portion.

        Raises:
            MizzleError: the first error, if no pair was answered and not because of the pairs.
        """
        errors = [one for one in outcomes if isinstance(one, MizzleError)]
        if len(errors) == len(outcomes) and all(one.status not in _OF_THE_PAIR for one in errors):
            raise errors[0]
        for place, outcome in zip(portion.places, outcomes, strict=True):
            if isinstance(outcome, MizzleError):
                self._errors[place] = outcome
            else:
                self._found[place] = self._like_first(outcome)

    def _like_first(self, estimate: Estimate) -> Estimate:
        """The estimate, made by the weights that made the first, with its levels as one object of memory."""
        if self._first is None:
            estimate.interval(self._level)  # or InvalidLevel, before the rest is asked
            self._first = estimate
        if estimate.model != self._first.model:
            text = "the first answer" if self._file is None else str(self._file)
            raise InvalidFile(f"{text} is of other weights than answer now; begin anew, with another file")
        return replace(estimate, levels=self._first.levels)

    def _check_first(self, asker: Backend) -> None:
        """Ask one pair of the file again: it may be of other weights, or of levels too narrow."""
        if self._first is None:
            return
        self._first.interval(self._level)
        again = self._plan.portion((next(iter(self._found)),))
        for outcome in _asked(asker, again, lambda count: None):
            if not isinstance(outcome, MizzleError):  # an error will come again with the next portion
                self._like_first(outcome)

    def _save(self) -> None:
        if self._file is not None:
            self._file.save(self._found)


def _asked(asker: Backend, portion: Chunk, tell: Callable[[int], object]) -> Sequence[Outcome]:
    """The answers of a portion; `tell` is told how many more there are."""
    so_far = 0

    def told(done: int, total: int) -> None:
        nonlocal so_far
        tell(done - so_far)
        so_far = done

    outcomes = asker.estimate_many(portion.arrays, progress=told, errors="return")
    told(len(outcomes), len(outcomes))
    return outcomes
