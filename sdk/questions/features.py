"""Numbers that the verdict weighs: how far apart answers are that should agree, in log(1 + I)."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mizzle.questions.neighbours import Opinion
from mizzle.types import Estimate

Gaps = Sequence[float]
_DEVIATIONS: Final = 2 * 1.645  # in a 90 % interval
_LEAST: Final = 0.01  # deviation of log(1 + I) below which no interval counts as narrower
_EQUAL: Final = ("rotated", "whitened", "functions", "noise")  # variants of the same information
_COMPONENTS: Final = ("components 0.5", "components 0.75")  # variants that cannot have more
_PARTS: Final = ("half", "quarter")
_THICK: Final = 0.3  # log of columns over dimensions up to which a side fills its space
_LIGHT: Final = 3.0  # log of the largest value over the distance of quartiles, up to which tails are light
MEANINGS: Final[Mapping[str, str]] = {
    "level": "the size of the estimate",
    "width": "the width of its interval",
    "rows": "the number of rows",
    "columns": "the number of columns",
    "narrow_side": "the columns of the narrower side",
    "highest": "sides of the same information that give more",
    "exceeds": "fewer components that give more",
    "spread": "rotations that differ from each other",
    "parts": "parts of the rows that give another answer than all",
    "parts_spread": "parts of the rows that differ from each other",
    "tails": "the heaviest tails of a column",
    "heavy": "tails beyond those of exponential ones",
    "thin": "sides on surfaces of fewer dimensions than columns",
    "dimension": "the dimensions of both sides",
    "neighbours_below": "neighbours that give less",
    "normals_above": "normals of the same correlations that have more",
    "thin_components": "sides on surfaces, with information in their weakest components",
    "thin_neighbours": "sides on surfaces, of which neighbours give less",
    "thin_normals": "sides on surfaces, with dependence that correlations do not show",
    "thin_highest": "sides on surfaces, whose rotations or components give more",
    "heavy_normals": "heavy tails, with dependence that correlations do not show",
}
"""What every number is, in the words of a reason."""
SIZES: Final = ("level", "width", "rows", "columns", "narrow_side", "dimension")
"""Those that say what is usual for the others, and are no reason by themselves."""


def features(estimate: Estimate, named: Sequence[tuple[str, Estimate]], opinion: Opinion) -> dict[str, float]:
    """The numbers of `MEANINGS`; what does not apply is 0.

    Args:
        estimate: of the sample.
        named: of its variants, by the names of these.
    """
    centre, deviation = _on_log_scale(estimate)
    answers = {name: [_on_log_scale(e) for own, e in named if own == name] for name, _ in named}
    gaps = {name: _gap(name, own, centre, deviation) for name, own in answers.items()}
    spreads = {name: _spread(own) for name, own in answers.items()}
    equal = [gaps.get(name, 0.0) for name in _EQUAL]
    fewer = [gaps.get(name, 0.0) for name in _COMPONENTS]
    highest, exceeds = max(0.0, *equal), max(0.0, *fewer)
    normals = _to_opinion(opinion.gaussian, centre, deviation)
    thin = max(0.0, _thinness(estimate, opinion) - _THICK)
    heavy = max(0.0, opinion.tails - _LIGHT)
    return {
        "level": centre,
        "width": float(np.log(deviation)),
        "rows": float(np.log(estimate.n)),
        "columns": float(np.log(estimate.dim_x + estimate.dim_y)),
        "narrow_side": float(np.log(min(estimate.dim_x, estimate.dim_y))),
        "highest": highest,
        "exceeds": exceeds,
        "spread": max(spreads.get("rotated", 0.0), spreads.get("whitened", 0.0)),
        "parts": max(abs(gaps.get(name, 0.0)) for name in _PARTS),
        "parts_spread": max(spreads.get(name, 0.0) for name in _PARTS),
        "tails": opinion.tails,
        "heavy": heavy,
        "thin": thin,
        "dimension": float(np.log(sum(opinion.dimensions))),
        "neighbours_below": max(0.0, centre - float(np.log1p(max(opinion.spherical, 0.0)))),
        "normals_above": max(0.0, normals),
        "thin_components": thin * max(0.0, -gaps.get("components 0.75", 0.0)),
        "thin_neighbours": thin * max(0.0, -_to_opinion(opinion.close, centre, deviation)),
        "thin_normals": thin * max(0.0, -normals),
        "thin_highest": thin * max(highest, exceeds),
        "heavy_normals": heavy * max(0.0, -normals),
    }


def _on_log_scale(estimate: Estimate) -> tuple[float, float]:
    """log(1 + I) at the mean, and the standard deviation that the 90 % interval suggests; in nats."""
    estimate = estimate.to("nats")
    low, high = np.log1p(estimate.interval())
    return float(np.log1p(estimate.mi)), max(float(high - low) / _DEVIATIONS, _LEAST)


def _gap(name: str, answers: Sequence[tuple[float, float]], centre: float, deviation: float) -> float:
    """How far variants of one kind lie above the sample, in deviations; of parts, in those of both."""
    values, scales = np.transpose(answers)
    own = float(np.hypot(deviation, scales.mean())) if name in _PARTS else deviation
    return _compressed(float(values.mean() - centre) / own)


def _spread(answers: Sequence[tuple[float, float]]) -> float:
    """How far variants of one kind lie from each other, in their deviations."""
    values, scales = np.transpose(answers)
    return _compressed(float(values.std() / scales.mean()))


def _to_opinion(mi: float, centre: float, deviation: float) -> float:
    """How far a second opinion lies above the sample, in deviations."""
    return _compressed((float(np.log1p(max(mi, 0.0))) - centre) / deviation)


def _thinness(estimate: Estimate, opinion: Opinion) -> float:
    """Log of columns over dimensions, of both sides together."""
    columns = estimate.dim_x, estimate.dim_y
    return float(sum(np.log(c / d) for c, d in zip(columns, opinion.dimensions, strict=True)))


def _compressed(z: float) -> float:
    """A number of deviations, large ones on the scale of logarithms."""
    return float(np.arcsinh(z))
