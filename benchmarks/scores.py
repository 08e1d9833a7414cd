"""What is measured against the true mutual information: errors, pinball loss, coverage; in nats."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
# The five levels MIST reports its pinball loss over.
PINBALL_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
INTERVALS = {"50": (0.25, 0.75), "80": (0.1, 0.9), "90": (0.05, 0.95)}


@dataclass(frozen=True)
class Answers:
    """Answers to b problems; a row of NaN where none was given.

    Attributes:
        truth, mean: (b,), nats.
        quantiles: (b, len(LEVELS)), nats.
    """

    truth: Floats
    mean: Floats
    quantiles: Floats

    def pick(self, keep: NDArray[np.bool_]) -> "Answers":
        """The problems where `keep` holds."""
        return Answers(self.truth[keep], self.mean[keep], self.quantiles[keep])

    def at(self, level: float) -> Floats:
        """The quantile at one of LEVELS."""
        values: Floats = self.quantiles[:, LEVELS.index(level)]
        return values


def point_scores(truth: Floats, guess: Floats) -> dict[str, Any]:
    """Errors of point estimates over the problems that were answered."""
    given = np.isfinite(guess)
    error = (guess - truth)[given]
    return {
        "answered": int(given.sum()),
        "mse": _mean(np.square(error)),
        "mae": _mean(np.abs(error)),
        "bias": _mean(error),
    }


def posterior_scores(answers: Answers) -> dict[str, Any]:
    """Errors of mean and median, mean pinball loss, and coverage of the central intervals."""
    given = answers.pick(np.isfinite(answers.mean))
    mean = point_scores(answers.truth, answers.mean)
    median = point_scores(answers.truth, answers.at(0.5))
    return {
        **mean,
        "mse_median": median["mse"],
        "mae_median": median["mae"],
        "pinball": pinball(given, PINBALL_LEVELS),
        **{f"cover{name}": coverage(given, *ends) for name, ends in INTERVALS.items()},
    }


def pinball(answers: Answers, levels: Sequence[float]) -> float | None:
    """Mean over problems and levels of max(q e, (q - 1) e), with e = truth - quantile."""
    errors = [(q, answers.truth - answers.at(q)) for q in levels]
    return _mean(np.array([np.maximum(q * e, (q - 1.0) * e) for q, e in errors]))


def coverage(answers: Answers, low: float, high: float) -> float | None:
    """Share of problems whose truth lies between two quantiles, ends included."""
    # A truth of exactly 0 is at the edge of what an answer may say, so the ends must count.
    inside = (answers.at(low) <= answers.truth) & (answers.truth <= answers.at(high))
    return _mean(inside.astype(np.float64))


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
