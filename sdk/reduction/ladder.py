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
_LOW = 0.05  # of that by which methods are compared
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
    not: the interval is as wide as those of the halves are, and measured so.
    """
    values = tuple((a + b) / 2 for a, b in zip(first.values, second.values, strict=True))
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
    """The smallest dimension whose estimate no larger one exceeds even by its lower quantile."""
    sizes = sorted(estimates)
    lows = [estimates[k].quantile(_CERTAIN) for k in sizes]
    return next(k for i, k in enumerate(sizes) if max(lows[i:]) <= estimates[k].mi)
