"""Which dimension, by a ladder of estimates on one half of the rows, and the pooled answer of both halves.

A longer ladder was tried: with 32 and 64 components a side the estimate on noise that the columns share with
nobody is too high, which no rule of choice mended.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mizzle.types import Estimate

LADDER: Final = (1, 2, 4, 8, 16)
_CERTAIN = 0.01  # level of the quantile by which more components must pay
_SATURATED = 0.7  # of the largest of these quantiles, that a dimension must reach before it is enough
_LOW = 0.05  # level of the quantile by which methods are compared
# How much further than the halves say the lower quantiles lie from the median: curved sides in more columns
# than they have dimensions are overestimated, so that too many intervals would lie above the truth.
_CAUTION = 1.25
Rungs = Mapping[tuple[str, int], Estimate]  # by method and components


def rungs(widest: int) -> list[int]:
    """The rungs for a pair whose wider side has so many columns: up to the first that holds them all."""
    return [k for k in LADDER if k == 1 or k // 2 < widest]


def choice(estimates: Rungs) -> tuple[str, int]:
    """Method and rung to go by: the saturated rung of each method, then the largest lower quantile."""
    methods = dict.fromkeys(method for method, _ in estimates)
    candidates = [
        (method, _saturated({k: e for (m, k), e in estimates.items() if m == method})) for method in methods
    ]
    return max(candidates, key=lambda rung: estimates[rung].quantile(_LOW))


def nearest(estimates: Rungs, rung: tuple[str, int]) -> tuple[str, int]:
    """The same method and rung on the other half, or the last where this half has fewer components."""
    method, k = rung
    return method, max(size for m, size in estimates if m == method and size <= k)


def pooled(first: Estimate, second: Estimate) -> Estimate:
    """One estimate of two that stand on different rows, by the means of their quantiles.

    Independent errors would cancel in part, but what the halves have in common, the law and the model, does
    not: the interval is as wide as those of the halves are, and wider below.
    """
    means = [(a + b) / 2 for a, b in zip(first.values, second.values, strict=True)]
    median = (first.median + second.median) / 2
    values = tuple(max(0.0, median - _CAUTION * (median - v)) if v < median else v for v in means)
    notices = {notice.code: notice for notice in (*first.warnings, *second.warnings)}
    return replace(
        first,
        mi=(first.mi + second.mi) / 2,
        values=values,
        n=first.n + second.n,
        in_range=first.in_range and second.in_range,
        warnings=tuple(notices.values()),
    )


def _saturated(estimates: Mapping[int, Estimate]) -> int:
    """The smallest dimension that is enough.

    It has most of what any has, so that a signal behind the leading components is reached, and what the next
    one has more is not certain.
    """
    sizes = sorted(estimates)
    lows = [estimates[k].quantile(_CERTAIN) for k in sizes]
    means = [estimates[k].mi for k in sizes]
    after = [*lows[1:], 0.0]
    enough = (m >= max(low, _SATURATED * max(lows)) for m, low in zip(means, after, strict=True))
    return next((k for k, is_enough in zip(sizes, enough, strict=True) if is_enough), sizes[-1])
