"""What is measured against the true mutual information: errors, pinball loss, coverage; in nats."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

RELIABILITY_LEVELS = tuple(round(0.05 * i, 2) for i in range(1, 20))
LEVELS = (0.005, 0.01, 0.025, *RELIABILITY_LEVELS, 0.975, 0.99, 0.995)
# The five levels MIST reports its pinball loss over.
PINBALL_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
INTERVALS = {"50": (0.25, 0.75), "80": (0.1, 0.9), "90": (0.05, 0.95), "95": (0.025, 0.975)}


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

    def pick(self, keep: Mask) -> "Answers":
        """The problems where `keep` holds."""
        return Answers(self.truth[keep], self.mean[keep], self.quantiles[keep])

    def answered(self) -> "Answers":
        """The problems that have an answer."""
        return self.pick(np.isfinite(self.mean))

    def at(self, level: float) -> Floats:
        """The quantile at one of LEVELS."""
        values: Floats = self.quantiles[:, LEVELS.index(level)]
        return values


def point_scores(truth: Floats, guess: Floats) -> dict[str, Any]:
    """Errors of point estimates over the problems that were answered."""
    answered = np.isfinite(guess)
    error = (guess - truth)[answered]
    return {
        "answered": int(answered.sum()),
        "mae": mean_of(np.abs(error)),
        "mse": mean_of(np.square(error)),
        "bias": mean_of(error),
    }


def posterior_scores(answers: Answers) -> dict[str, Any]:
    """Errors of mean and median, mean pinball loss, and coverage of the central intervals.

    `mae_se` is the standard error of `mae`, `worst` the largest error; `below` and `above` are the
    shares of truths beyond the ends of the 90 % interval.
    """
    picked = answers.answered()
    low, high = picked.at(0.05), picked.at(0.95)
    return {
        **point_scores(picked.truth, picked.mean),
        "mae_se": standard_error(np.abs(picked.mean - picked.truth)),
        "worst": float(np.abs(picked.mean - picked.truth).max()) if len(picked.truth) else None,
        "mae_median": mean_of(np.abs(picked.at(0.5) - picked.truth)),
        "pinball": pinball(picked, PINBALL_LEVELS),
        **{f"cover{name}": coverage(picked, *ends) for name, ends in INTERVALS.items()},
        "below": share(picked.truth < low),
        "above": share(picked.truth > high),
    }


def peer_scores(answers: Answers, guess: Floats) -> dict[str, Any]:
    """Errors of a peer, and `ours_mae`, `ours_mse` of our mean over the problems both answered."""
    both = np.isfinite(guess) & np.isfinite(answers.mean)
    ours = point_scores(answers.truth[both], answers.mean[both])
    theirs = point_scores(answers.truth, guess)
    return {**theirs, "ours_mae": ours["mae"], "ours_mse": ours["mse"]}


def pinball(answers: Answers, levels: Sequence[float]) -> float | None:
    """Mean over problems and levels of max(q e, (q - 1) e), with e = truth - quantile."""
    errors = [(q, answers.truth - answers.at(q)) for q in levels]
    return mean_of(np.array([np.maximum(q * e, (q - 1.0) * e) for q, e in errors]))


def coverage(answers: Answers, low: float, high: float) -> float | None:
    """Share of problems whose truth lies between two quantiles, ends included."""
    # A truth of exactly 0 is at the edge of what an answer may say, so the ends must count.
    return share((answers.at(low) <= answers.truth) & (answers.truth <= answers.at(high)))


def reliability(answers: Answers) -> list[float | None]:
    """Share of truths at or below the quantile, for each of RELIABILITY_LEVELS.

    A truth of 0 met by quantiles of 0 up to level p is spread evenly over the levels 0 to p, as in
    the calibration of the weights: it counts min(1, t / p) at level t.
    """
    below = answers.truth[:, None] <= answers.quantiles
    at_zero = np.where(answers.quantiles <= 0.0, LEVELS, 0.0).max(axis=1, initial=0.0)
    zero = (answers.truth <= 0.0) & (at_zero > 0.0)
    spread = np.minimum(1.0, np.asarray(LEVELS) / np.where(zero, at_zero, 1.0)[:, None])
    counts = np.where(zero[:, None], spread, below)
    return [mean_of(counts[:, LEVELS.index(level)]) for level in RELIABILITY_LEVELS]


def share(hits: Mask) -> float | None:
    """How often something holds; None of nothing."""
    return mean_of(hits.astype(np.float64))


def mean_of(values: Floats) -> float | None:
    """The mean; None of nothing."""
    return float(values.mean()) if values.size else None


def standard_error(values: Floats) -> float | None:
    """Standard deviation over sqrt(count): of the mean of independent values."""
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else None


def ratio_of_sums(above: Floats, below: Floats) -> tuple[float, float]:
    """R = sum a / sum b over pairs, and its standard error sd(a - R b) / (sqrt(K) mean(b))."""
    ratio = float(above.sum() / below.sum())
    rest = above - ratio * below
    return ratio, float(rest.std(ddof=1) / (np.sqrt(rest.size) * below.mean()))
