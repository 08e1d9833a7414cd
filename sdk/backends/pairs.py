"""Lists of problems: each complaint says which pair it is about, each answer finds its place."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeVar

from mizzle.data.arrays import FloatArray, check_pair
from mizzle.errors import InvalidInput, MizzleError
from mizzle.progress import Wanted
from mizzle.types import Estimate

Pair = tuple[FloatArray, FloatArray]
Outcome = Estimate | MizzleError
Errors = Literal["raise", "return"]
E = TypeVar("E", bound=MizzleError)


class Backend(Protocol):
    """Whoever answers many pairs: a client, or the estimator in this process."""

    def estimate_many(
        self, pairs: Iterable[Pair], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> Sequence[Outcome]:
        """The estimates of pairs, in order, or what became of them instead."""


def both(pair: object) -> tuple[object, object]:
    """The two samples of a pair.

    Raises:
        InvalidInput: it is no tuple or list of two.
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InvalidInput("this is not a pair (x, y)")
    return pair[0], pair[1]


def checked(pairs: Iterable[object], errors: Errors) -> list[Pair | InvalidInput]:
    """Every pair as two tables, or as what is wrong with it.

    Raises:
        InvalidInput: errors are to be raised, and there is one; or `errors` is neither word.
    """
    if errors not in ("raise", "return"):
        raise InvalidInput(f"errors is {errors!r}; it must be 'raise' or 'return'")
    found: list[Pair | InvalidInput] = []
    for i, pair in enumerate(pairs):
        try:
            found.append(check_pair(*both(pair)))
        except InvalidInput as error:
            if errors == "raise":
                raise numbered(i, error) from None
            found.append(error)
    return found


def numbered(i: int, error: E) -> E:
    """The same error with the number of its pair in front."""
    found = type(error)(f"pair {i} (counted from 0): {error}")
    found.retry_after, found.request_id = error.retry_after, error.request_id
    return found


class Answers:
    """What becomes of every pair, filled in any order.

    Args:
        count: of the pairs.
        errors: whether an error is raised as soon as it comes, or is an answer like any other.
        progress: told how many more are done.
    """

    def __init__(self, count: int, errors: Errors, progress: Callable[[int], object]) -> None:
        self._found: list[Outcome | None] = [None] * count
        self._raising = errors == "raise"
        self._progress = progress

    def put(self, places: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """The outcomes of the pairs at these places.

        Raises:
            MizzleError: one of them, if errors are to be raised.
        """
        for place, outcome in zip(places, outcomes, strict=True):
            if self._raising and isinstance(outcome, MizzleError):
                raise numbered(place, outcome) from outcome
            self._found[place] = outcome
        if places:
            self._progress(len(places))

    def all(self) -> list[Outcome]:
        """The outcomes in the order of the pairs."""
        return [outcome for outcome in self._found if outcome is not None]
