"""How the evidence of a check is weighed: a logistic score of a dozen numbers, fitted to known problems.

`python benchmarks/questions_verdict.py --fit` prints this table anew.
"""

from collections.abc import Mapping
from typing import Final

INTERCEPT: Final = 0.0
LIMIT: Final = 0.0
WEIGHTS: Final[Mapping[str, float]] = {"thinness": -1.0}


def contributions(numbers: Mapping[str, float]) -> dict[str, float]:
    """What each number adds to the score."""
    return {name: weight * numbers[name] for name, weight in WEIGHTS.items()}


def score(numbers: Mapping[str, float]) -> float:
    """The sum of the intercept and all contributions."""
    return INTERCEPT + sum(contributions(numbers).values())
