"""Ranks that pass gradients: exact forward, those of a smoothed distribution function backward.

The distribution function of a column, smoothed by a box as wide as its neighbours need, is
F(t) = 1/n sum_j clamp((t - x_j) / (2 h) + 1/2, 0, 1). A value moves its rank by the density there, and all
values inside its box move it back, so that moving all of them moves no rank.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

_SHARE, _POWER = 0.15, 0.8  # values on either side within a box: share * n^power, which is 18 of 400
_FEWEST = 4
_MARGIN = 1.001  # so that no value lies on the edge of a box
_LEAST, _LEAST_OF_SPREAD = 0.01, 0.05  # half-width, of the middle 90 % or else of the standard deviation


class Boxes(NamedTuple):
    """Around every value, in rising order, the box that its rank is smoothed over.

    Attributes:
        order: of the values, shape (*, n).
        low, high: the first place inside, and the first one behind it.
        half: half-width, in the units of the values.
        smooth: F at every value, in (0, 1).
    """

    order: Int64[Tensor, "*c n"]
    low: Int64[Tensor, "*c n"]
    high: Int64[Tensor, "*c n"]
    half: Float[Tensor, "*c n"]
    smooth: Float[Tensor, "*c n"]

    @property
    def density(self) -> Float[Tensor, "*c n"]:
        """Of F at every value: what a value's own move adds to its rank, as a share of the rows."""
        density: Tensor = (self.high - self.low) / (2 * self.half * self.order.shape[-1])
        return density


def boxes(values: Float[Tensor, "*c n"]) -> Boxes:
    """Boxes of columns of finite values, not all equal."""
    n = values.shape[-1]
    ordered, order = values.contiguous().sort(-1)
    reach = max(_FEWEST, round(_SHARE * n**_POWER))
    place = torch.arange(n)
    below = ordered[..., (place - reach).clamp_min(0)]
    above = ordered[..., (place + reach).clamp_max(n - 1)]
    half = _MARGIN * torch.maximum(ordered - below, above - ordered).maximum(_least(ordered))
    half = half.where(half > 0, torch.inf)  # a column that does not vary has no slope
    low = torch.searchsorted(ordered, (ordered - half).contiguous())
    high = torch.searchsorted(ordered, (ordered + half).contiguous(), right=True)
    total = torch.nn.functional.pad(ordered.cumsum(-1), (1, 0))
    inside = total.gather(-1, high) - total.gather(-1, low)
    count = high - low
    smooth = (low + count * (ordered / (2 * half) + 0.5) - inside / (2 * half)) / n
    return Boxes(order, low, high, half, smooth.clamp(0.25 / n, 1 - 0.25 / n))


def _least(ordered: Float[Tensor, "*c n"]) -> Float[Tensor, "*c 1"]:
    """The smallest half-width: ties would need none, and no gradient could pass them."""
    n = ordered.shape[-1]
    middle = ordered[..., -1 - n // 20, None] - ordered[..., n // 20, None]
    spread = ordered.std(-1, keepdim=True)
    return torch.where(middle > 0, _LEAST * middle, _LEAST_OF_SPREAD * spread)


class _Straight(torch.autograd.Function):
    """Exact values forward; backward the slope of each in its own value, less what its box's mean does."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, exact: Tensor, slope: Tensor, own: Boxes) -> Tensor:
        ctx.save_for_backward(slope, own.order, own.low, own.high)
        return exact.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        slope, order, low, high = ctx.saved_tensors
        push = gradient.gather(-1, order).to(slope.dtype) * slope
        share = push / (high - low)
        edges = torch.zeros(*push.shape[:-1], push.shape[-1] + 1, dtype=push.dtype)
        edges.scatter_add_(-1, low, share).scatter_add_(-1, high, -share)
        ordered = push - edges.cumsum(-1)[..., :-1]
        return torch.empty_like(ordered).scatter_(-1, order, ordered), None, None, None


def shares(values: Float[Tensor, "*c n"], exact: Float[Tensor, "*c n"]) -> Float[Tensor, "*c n"]:
    """`exact` ranks, as shares of the rows in (0, 1), whose gradient is that of F."""
    own = boxes(values.detach())
    shares: Tensor = _Straight.apply(values, exact, own.density, own)  # type: ignore[no-untyped-call]
    return shares


def scores(values: Float[Tensor, "*c n"], exact: Float[Tensor, "*c n"]) -> Float[Tensor, "*c n"]:
    """`exact` normal scores, whose gradient is that of the normal score of F."""
    own = boxes(values.detach())
    smooth = torch.special.ndtri(own.smooth)
    slope = own.density * (2 * torch.pi) ** 0.5 * (smooth.square() / 2).exp()
    scores: Tensor = _Straight.apply(values, exact, slope, own)  # type: ignore[no-untyped-call]
    return scores
