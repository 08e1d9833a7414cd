"""A stand-in for whoever answers the pairs of a table."""

from collections.abc import Callable, Iterable

import numpy as np
from fakes import FakeEstimator

from mizzle.backends.pairs import Errors, Pair
from mizzle.errors import MizzleError
from mizzle.progress import Wanted
from mizzle.types import Estimate


class FakeBackend:
    """The Gaussian formula; remembers its pairs.

    Attributes:
        pairs: the arrays of every pair so far.
        chunks: how many pairs came at once.
        meddle: called with (how many pairs came before, answer), gives the answer or raises.
    """

    def __init__(self) -> None:
        self.estimator = FakeEstimator()
        self.pairs: list[Pair] = []
        self.chunks: list[int] = []
        self.meddle: Callable[[int, Estimate], Estimate | MizzleError] = lambda place, answer: answer

    def estimate_many(
        self, pairs: Iterable[Pair], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> list[Estimate | MizzleError]:
        assert errors == "return"
        assert callable(progress)
        pairs = list(pairs)
        before = len(self.pairs)
        self.chunks.append(len(pairs))
        self.pairs += pairs
        answers = [self.estimator.estimate(x, y) for x, y in pairs]
        progress(len(pairs), len(pairs))
        return [self.meddle(before + i, answer) for i, answer in enumerate(answers)]


def frame(n: int = 60, p: int = 6, seed: int = 0) -> dict[str, np.ndarray]:
    """Columns a, b, .. that depend on each other."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, p)) @ rng.normal(size=(p, p))
    return {chr(97 + j): values[:, j] for j in range(p)}
