"""Many estimates of one question, a few arrays at a time: of a million rows, not all fit the memory."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any

from mizzle import estimator as estimators
from mizzle.backends import conditional
from mizzle.backends.effects import Compute, Steps
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Outcome, Pair
from mizzle.backends.reduced import Many
from mizzle.errors import MizzleError
from mizzle.progress import Wanted, track
from mizzle.types import Estimate

Sides = tuple[Any, ...]  # of one problem: arrays of shape (n, d)
_CELLS, _PROBLEMS = 1_000_000, 64  # of a chunk; a larger problem is one by itself


def estimates(backend: Many, pairs: Iterable[Pair], count: int, wanted: Wanted) -> Steps[list[Estimate]]:
    """The estimates of pairs that are made as they are needed, in order.

    Args:
        pairs: checked arrays of shape (n, dx) and (n, dy), all of about the same size.
        count: how many there are.

    Raises:
        MizzleError: of the first pair that has no estimate.
    """
    return (yield from _in_chunks(partial(_estimated, backend), pairs, count, wanted))


def conditional_estimates(
    backend: conditional.Many, problems: Iterable[Sides], count: int, wanted: Wanted
) -> Steps[list[Estimate]]:
    """The same of I(X;Y|Z), of checked arrays x, y and z."""
    return (yield from _in_chunks(partial(_estimated_given, backend), problems, count, wanted))


def _in_chunks(
    estimated: Callable[[list[Any]], Steps[list[Estimate]]],
    problems: Iterable[Sides],
    count: int,
    wanted: Wanted,
) -> Steps[list[Estimate]]:
    """The estimates of all problems, by a function of some of them."""
    remaining, answers, size = iter(problems), list[Estimate](), 1
    with track(wanted, count) as advance:
        while len(answers) < count:
            chunk: list[Sides] = yield Compute(_next, (remaining, size))
            answers += yield from estimated(chunk)
            advance(len(chunk))
            size = min(max(_CELLS // sum(side.size for side in chunk[0]), 1), _PROBLEMS)
    return answers


def _estimated(backend: Many, chunk: list[Pair]) -> Steps[list[Estimate]]:
    answers: list[Estimate] = []
    for outcome in (yield from _outcomes(backend, chunk)):
        if isinstance(outcome, MizzleError):
            raise outcome
        answers.append(outcome)
    return answers


def _estimated_given(backend: conditional.Many, chunk: list[Sides]) -> Steps[list[Estimate]]:
    triples: list[estimators.TripleLike] = yield Compute(_triples, (chunk,))
    return (yield from conditional.answered(backend, triples))


def _triples(chunk: list[Any]) -> list[estimators.TripleLike]:
    return [estimators.triple(*sides) for sides in chunk]


def _outcomes(backend: Many, chunk: list[Pair]) -> Steps[list[Outcome]]:
    """In this process, arrays that are part of several pairs are ranked once."""
    if not isinstance(backend, LocalBackend):
        return (yield from backend.estimate_many(chunk, False, "return"))
    outcomes: list[Outcome] = yield Compute(_ranked_once, (backend, chunk))
    return outcomes


def _ranked_once(backend: LocalBackend, chunk: list[Pair]) -> list[Outcome]:
    return list(backend.for_tables().estimate_many(chunk, progress=False, errors="return"))


def _next(problems: Iterable[Sides], size: int) -> list[Sides]:
    return list(islice(problems, size))
