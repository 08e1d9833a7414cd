"""A yes or no whose odds depend on a number."""

import math
from functools import cached_property
from typing import Final

import numpy as np
from scipy.optimize import brentq  # type: ignore[import-untyped]
from scipy.special import entr, expit, log_expit  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

MAX_SLOPE: Final = 30.0  # the grid of x is fine enough for it
X: Final = np.linspace(-9.0, 9.0, 901)
WEIGHTS: Final = (X[1] - X[0]) * np.exp(-0.5 * X**2) / math.sqrt(2.0 * math.pi)


class LogisticEvent(Family):
    """X ~ N(0, 1) and P(Y = 1 | x) = q(x) = 1 / (1 + exp(-offset - slope x)).

    I = H(E q(X)) - E H(q(X)) nats with H the entropy of a coin, by the trapezoidal rule (McCullagh & Nelder
    1989, Generalized linear models, ch. 4, has the model).

    Args:
        offset: the log-odds at x = 0.
        slope: of the log-odds, at most MAX_SLOPE in size.

    Raises:
        InvalidInput: the slope is too large, or the offset infinite.

    >>> LogisticEvent(0.0, 0.0).mi().nats
    0.0
    """

    def __init__(self, offset: float, slope: float, name: str = "event") -> None:
        super().__init__(name, 1, 1)
        if not (abs(slope) <= MAX_SLOPE and math.isfinite(offset)):
            raise InvalidInput(f"no event of offset {offset} and slope {slope}")
        self.offset, self.slope = offset, slope

    @classmethod
    def with_rate(cls, rate: float, slope: float) -> "LogisticEvent":
        """The event of this slope whose probability is `rate`.

        Raises:
            InvalidInput: the rate is outside (0, 1), or the slope too large.
        """
        if not 0.0 < rate < 1.0:
            raise InvalidInput(f"rate is {rate}; it must be in (0, 1)")
        bound = 9.0 * abs(slope) + 40.0
        offset = brentq(lambda a: float(WEIGHTS @ expit(a + slope * X)) - rate, -bound, bound)
        return cls(float(offset), slope)

    @property
    def continuous(self) -> bool:
        return False

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = rng.standard_normal(n)
        happens = rng.random(n) < expit(self.offset + self.slope * x)
        return x[:, None], happens.astype(np.float64)[:, None]

    def mi(self) -> Truth:
        log_odds = self.offset + self.slope * X
        chances = np.stack([expit(log_odds), expit(-log_odds)])
        return closed_form(float(entr(self._rates).sum() - entr(chances).sum(axis=0) @ WEIGHTS))

    def pmi(self, x: Array, y: Array) -> Array:
        """log P(y | x) - log P(y)."""
        happens = np.rint(y[:, 0]) == 1.0
        log_odds = self.offset + self.slope * x[:, 0]
        happening, failing = self._rates
        log_rate = np.where(happens, math.log(happening), math.log(failing))
        return np.asarray(log_expit(np.where(happens, log_odds, -log_odds)) - log_rate)

    @cached_property
    def _rates(self) -> Array:
        """P(Y = 1) and P(Y = 0)."""
        log_odds = self.offset + self.slope * X
        return np.array([WEIGHTS @ expit(log_odds), WEIGHTS @ expit(-log_odds)])
