"""Numbers that the verdict weighs: how far apart answers are that should agree, in log(1 + I)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from mizzle.questions.neighbours import Opinion
from mizzle.types import Estimate

_DEVIATIONS: Final = 2 * 1.645  # in a 90 % interval
_LEAST: Final = 0.01  # deviation of log(1 + I) below which no interval counts as narrower


def on_log_scale(estimate: Estimate) -> tuple[float, float]:
    """log(1 + I) at the mean, and the standard deviation that the 90 % interval suggests."""
    low, high = estimate.to("nats").interval()
    deviation = (np.log1p(high) - np.log1p(low)) / _DEVIATIONS
    return float(np.log1p(estimate.to("nats").mi)), max(float(deviation), _LEAST)


def features(estimate: Estimate, named: Sequence[tuple[str, Estimate]], opinion: Opinion) -> dict[str, float]:
    """Everything that may be weighed, by name; 0 where it does not apply.

    Args:
        estimate: of the sample.
        named: of its variants, by the names of these.
    """
    centre, deviation = on_log_scale(estimate)
    columns = estimate.dim_x + estimate.dim_y
    numbers = {
        "level": centre,
        "width": float(np.log(deviation)),
        "rows": float(np.log(estimate.n)),
        "columns": float(np.log(columns)),
        "narrow_side": float(np.log(min(estimate.dim_x, estimate.dim_y))),
        "unfamiliar": float(not estimate.in_range),
        "skewness": _skewness(estimate),
    }
    for name in NAMES:
        numbers |= _group(name, [on_log_scale(e) for own, e in named if own == name], centre, deviation)
    for name in ("close", "wide", "spherical", "gaussian"):
        gap = (float(np.log1p(max(getattr(opinion, name), 0.0))) - centre) / deviation
        numbers |= {name: _squash(gap), f"{name}_abs": abs(_squash(gap))}
    shares = [
        np.log(d / c) for d, c in zip(opinion.dimensions, (estimate.dim_x, estimate.dim_y), strict=True)
    ]
    numbers |= {"thinnest": float(min(shares)), "thinness": float(sum(shares))}
    numbers |= {"dimension": float(np.log(sum(opinion.dimensions))), "tails": opinion.tails}
    return numbers


NAMES: Final = (
    *("half", "quarter", "rotated", "whitened", "components 0.5", "components 0.75"),
    *("functions", "noise", "permuted"),
)


def _group(
    name: str, answers: Sequence[tuple[float, float]], centre: float, deviation: float
) -> dict[str, float]:
    """How far variants of one kind are from the sample's own estimate, and from each other."""
    if not answers:
        return {name: 0.0, f"{name}_abs": 0.0, f"{name}_spread": 0.0}
    values = np.array([value for value, _ in answers])
    scale = np.array([own for _, own in answers])
    if name == "permuted":
        return {name: _squash(values.mean() / scale.mean()), f"{name}_abs": 0.0, f"{name}_spread": 0.0}
    own = deviation if name not in ("half", "quarter") else float(np.hypot(deviation, scale.mean()))
    gap = (values.mean() - centre) / own
    return {
        name: _squash(gap),
        f"{name}_abs": abs(_squash(gap)),
        f"{name}_spread": _squash(values.std() / scale.mean()),
    }


def _skewness(estimate: Estimate) -> float:
    """Log of the upper half of the 90 % interval over the lower, on the scale of log(1 + I)."""
    low, middle, high = (np.log1p(estimate.to("nats").quantile(q)) for q in (0.05, 0.5, 0.95))
    return float(np.log((high - middle + _LEAST) / (middle - low + _LEAST)))


def _squash(z: float) -> float:
    return float(np.arcsinh(z))
