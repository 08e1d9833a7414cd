"""Many estimates of one question, a few arrays at a time: of a million rows, not all fit the memory."""

from collections.abc import Iterable, Iterator
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

_CELLS, _PROBLEMS = 1_000_000, 64  # of a chunk; a larger problem is one by itself


def estimates(backend: Many, pairs: Iterable[Pair], count: int, wanted: Wanted) -> Steps[list[Estimate]]:
    """The estimates of pairs that are made as they are needed, in order.

    Args:
        pairs: checked arrays of shape (n, dx) and (n, dy), all of about the same size.
        count: how many there are.

    Raises:
        MizzleError: of the first pair that has no estimate.
    """
    remaining, answers, size = iter(pairs), list[Estimate](), 1
    with track(wanted, count) as advance:
        while len(answers) < count:
            chunk: list[Pair] = yield Compute(_next, (remaining, size))
            for outcome in (yield from _outcomes(backend, chunk)):
                if isinstance(outcome, MizzleError):
                    raise outcome
                answers.append(outcome)
            advance(len(chunk))
            size = min(max(_CELLS // sum(side.size for side in chunk[0]), 1), _PROBLEMS)
    return answers


def conditional_estimates(
    backend: conditional.Many, problems: Iterator[Any], count: int, wanted: Wanted
) -> Steps[list[Estimate]]:
    """The estimates of I(X;Y|Z) of triples of arrays that are made as they are needed, in order.

    Args:
        problems: checked arrays x, y and z of shape (n, d), all of about the same size.
        count: how many there are.

    Raises:
        MizzleError: of the first that has no estimate.
    """
    answers, size = list[Estimate](), 1
    with track(wanted, count) as advance:
        while len(answers) < count:
            triples: list[estimators.TripleLike] = yield Compute(_triples, (problems, size))
            answers += yield from conditional.answered(backend, triples)
            advance(len(triples))
            cells = sum(side.size for pair in triples[0].problems for side in pair)
            size = min(max(_CELLS // max(cells, 1), 1), _PROBLEMS)
    return answers


def _triples(problems: Iterator[Any], count: int) -> list[estimators.TripleLike]:
    return [estimators.triple(*sides) for sides in islice(problems, count)]


def _outcomes(backend: Many, chunk: list[Pair]) -> Steps[list[Outcome]]:
    """In this process, arrays that are part of several pairs are ranked once."""
    if not isinstance(backend, LocalBackend):
        return (yield from backend.estimate_many(chunk, False, "return"))
    outcomes: list[Outcome] = yield Compute(_ranked_once, (backend, chunk))
    return outcomes


def _ranked_once(backend: LocalBackend, chunk: list[Pair]) -> list[Outcome]:
    return list(backend.for_tables().estimate_many(chunk, progress=False, errors="return"))


def _next(pairs: Iterable[Pair], size: int) -> list[Pair]:
    return list(islice(pairs, size))
