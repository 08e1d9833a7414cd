"""Lists of problems: each error says which pair it is about, each answer is put in its place."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeVar

from mizzle.data.arrays import FloatArray
from mizzle.data.samples import Missing, Sample, check_missing, read_sample
from mizzle.errors import InvalidInput, MizzleError
from mizzle.progress import Wanted
from mizzle.types import Estimate, Unit

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


def split_pair(pair: object) -> tuple[object, object]:
    """The two samples of a pair.

    Raises:
        InvalidInput: it is no tuple or list of two.
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InvalidInput("this is not a pair (x, y)")
    return pair[0], pair[1]


def read_samples(pairs: Iterable[object], errors: Errors, missing: Missing) -> list[Sample | InvalidInput]:
    """Every pair as a sample, or as what is wrong with it.

    Raises:
        InvalidInput: errors are to be raised, and there is one; or `errors` is neither word.
    """
    if errors not in ("raise", "return"):
        raise InvalidInput(f"errors is {errors!r}; it must be 'raise' or 'return'")
    check_missing(missing)
    samples: list[Sample | InvalidInput] = []
    for i, pair in enumerate(pairs):
        try:
            samples.append(read_sample(*split_pair(pair), missing))
        except InvalidInput as error:
            if errors == "raise":
                raise numbered(i, error) from None
            samples.append(error)
    return samples


def problems_of(samples: Iterable[Sample | InvalidInput]) -> list[Pair | InvalidInput]:
    """What an estimator gets to see of samples."""
    return [(sample.x, sample.y) if isinstance(sample, Sample) else sample for sample in samples]


def finished(
    samples: Iterable[Sample | InvalidInput], outcomes: Iterable[Outcome], unit: Unit
) -> list[Outcome]:
    """The outcomes of samples, with what was noticed about these, in a unit."""
    return [
        sample.noted(outcome).to(unit)
        if isinstance(sample, Sample) and isinstance(outcome, Estimate)
        else outcome
        for sample, outcome in zip(samples, outcomes, strict=True)
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
