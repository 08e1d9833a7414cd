"""Many estimates of one question, a few arrays at a time: of a million rows, not all fit the memory."""

from collections.abc import Iterable
from itertools import islice

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
