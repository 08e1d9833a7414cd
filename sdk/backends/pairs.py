"""Lists of problems: each error says which pair it is about, each answer is put in its place."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeVar

from mizzle.data.arrays import FloatArray, check_pair
from mizzle.data.copies import noted, without_copies
from mizzle.errors import InvalidInput, MizzleError
from mizzle.progress import Wanted
from mizzle.types import Estimate, Notice

Pair = tuple[FloatArray, FloatArray]
Outcome = Estimate | MizzleError
Notices = tuple[Notice, ...]
Errors = Literal["raise", "return"]
E = TypeVar("E", bound=MizzleError)


class Backend(Protocol):
    """Whoever answers many pairs: a client, or the estimator in this process."""

    def estimate_many(
        self, pairs: Iterable[Pair], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> Sequence[Outcome]:
        """The estimates of pairs, in order, or what became of them instead."""


def split_pair(pair: object) -> tuple[object, object]:
    """The two samples of a pair.

    Raises:
        InvalidInput: it is no tuple or list of two.
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InvalidInput("this is not a pair (x, y)")
    return pair[0], pair[1]


def check_pairs(pairs: Iterable[object], errors: Errors) -> list[Pair | InvalidInput]:
    """Every pair as two tables, or as what is wrong with it.

    Raises:
        InvalidInput: errors are to be raised, and there is one; or `errors` is neither word.
    """
    if errors not in ("raise", "return"):
        raise InvalidInput(f"errors is {errors!r}; it must be 'raise' or 'return'")
    problems: list[Pair | InvalidInput] = []
    for i, pair in enumerate(pairs):
        try:
            problems.append(check_pair(*split_pair(pair)))
        except InvalidInput as error:
            if errors == "raise":
                raise numbered(i, error) from None
            problems.append(error)
    return problems


def each_without_copies(
    problems: Sequence[Pair | InvalidInput], errors: Errors
) -> tuple[list[Pair | InvalidInput], list[Notices]]:
    """Every problem with each different row once, and the notice about those left out.

    Raises:
        InvalidInput: errors are to be raised, and one is left with too few rows.
    """
    left: list[Pair | InvalidInput] = []
    notices: list[Notices] = []
    for i, problem in enumerate(problems):
        reduced, notice = _without_copies(problem)
        if errors == "raise" and isinstance(reduced, InvalidInput):
            raise numbered(i, reduced)
        left.append(reduced)
        notices.append(notice)
    return left, notices


def _without_copies(problem: Pair | InvalidInput) -> tuple[Pair | InvalidInput, Notices]:
    if isinstance(problem, InvalidInput):
        return problem, ()
    try:
        x, y, notice = without_copies(*problem)
    except InvalidInput as error:
        return error, ()
    return (x, y), notice


def each_noted(outcomes: Sequence[Outcome], notices: Sequence[Notices]) -> list[Outcome]:
    """Every estimate with the notices of its problem; errors as they are."""
    return [
        noted(outcome, notice) if isinstance(outcome, Estimate) else outcome
        for outcome, notice in zip(outcomes, notices, strict=True)
    ]


def numbered(i: int, error: E) -> E:
    """The same error with the number of its pair in front."""
    complaint = type(error)(f"pair {i} (counted from 0): {error}")
    complaint.retry_after, complaint.request_id = error.retry_after, error.request_id
    return complaint


class Collector:
    """Takes what becomes of every pair, in any order.

    Args:
        count: of the pairs.
        errors: whether an error is raised as soon as it comes, or is an answer like any other.
        progress: called with how many more are done.
    """

    def __init__(self, count: int, errors: Errors, progress: Callable[[int], object]) -> None:
        self._outcomes: list[Outcome | None] = [None] * count
        self._raising = errors == "raise"
        self._progress = progress

    def add(self, places: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Takes the outcomes of the pairs at these places.

        Raises:
            MizzleError: one of them, if errors are to be raised.
        """
        for place, outcome in zip(places, outcomes, strict=True):
            if self._raising and isinstance(outcome, MizzleError):
                raise numbered(place, outcome) from outcome
            self._outcomes[place] = outcome
        if places:
            self._progress(len(places))

    def results(self) -> list[Outcome]:
        """The outcomes in the order of the pairs."""
        return [outcome for outcome in self._outcomes if outcome is not None]
