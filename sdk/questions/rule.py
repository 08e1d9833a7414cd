"""How the evidence of a check is weighed: a logistic score of numbers, fitted to known problems.

`python benchmarks/questions_verdict.py --fit` fits these tables anew.
"""

from collections.abc import Mapping
from typing import Final

INTERCEPT: Final = -2.433
LIMIT: Final = 0.0  # which 4 % of the ordinary draws exceeded
WEIGHTS: Final[Mapping[str, float]] = {
    "highest": 0.448,
    "exceeds": 0.793,
    "spread": 1.243,
    "parts": 0.952,
    "parts_spread": 0.177,
    "tails": -0.615,
    "heavy": 1.175,
    "thin": -0.617,
    "rows": 0.666,
    "level": -0.042,
    "width": 0.617,
    "columns": 0.904,
    "narrow_side": 1.626,
    "dimension": -3.157,
    "neighbours_below": -2.996,
    "normals_above": -1.230,
    "thin_components": 0.404,
    "thin_neighbours": 0.250,
    "thin_normals": -0.345,
    "thin_highest": 0.210,
    "heavy_normals": -0.006,
}
ORDINARY: Final[Mapping[str, float]] = {  # medians of ordinary draws
    "highest": 0.589,
    "exceeds": 0.000,
    "spread": 0.239,
    "parts": 0.398,
    "parts_spread": 0.514,
    "tails": 1.194,
    "heavy": 0.000,
    "thin": 0.221,
    "rows": 5.633,
    "level": 0.484,
    "width": -3.213,
    "columns": 2.398,
    "narrow_side": 1.099,
    "dimension": 1.787,
    "neighbours_below": 0.146,
    "normals_above": 0.000,
    "thin_components": 0.000,
    "thin_neighbours": 0.058,
    "thin_normals": 0.000,
    "thin_highest": 0.024,
    "heavy_normals": 0.000,
}


def contributions(numbers: Mapping[str, float]) -> dict[str, float]:
    """What each number adds to the score beyond the median of ordinary draws."""
    return {name: weight * (numbers[name] - ORDINARY[name]) for name, weight in WEIGHTS.items()}


def score(numbers: Mapping[str, float]) -> float:
    """Above `LIMIT` the numbers are like those of estimates that are far off."""
    return INTERCEPT + sum(weight * numbers[name] for name, weight in WEIGHTS.items())
