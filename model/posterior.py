"""The network's answer as tensors: increasing by construction, zero where the data say zero, and its loss."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.quantiles import LEVELS, MIDDLE

_LEAK = 0.1


def increasing(raw: Float[Tensor, "b q"]) -> Float[Tensor, "b q"]:
    """Non-decreasing values: the median is free, softplus steps lead away from it on both sides."""
    median = raw[:, MIDDLE, None]
    down = F.softplus(raw[:, :MIDDLE]).flip(1).cumsum(1).flip(1)
    up = F.softplus(raw[:, MIDDLE + 1 :]).cumsum(1)
    return torch.cat([median - down, median, median + up], 1)


def pinball(
    values: Float[Tensor, "b q"], target: Float[Tensor, " b"], levels: Sequence[float] = LEVELS
) -> Float[Tensor, " b"]:
    """Mean quantile loss of `values` (before clamping at 0) at `levels`, in log(1 + nats).

    Values below 0 will be reported as 0, so they cost what 0 costs, but for a small slope that lets a wrongly
    negative quantile come back. That is what makes exact zeros reachable for independent data.
    """
    reported = F.leaky_relu(values, _LEAK)
    error = target[:, None] - reported
    level = torch.tensor(levels, dtype=values.dtype, device=values.device)
    return torch.maximum(level * error, (level - 1) * error).mean(1)


def to_nats(values: Float[Tensor, "b q"]) -> Float[Tensor, "b q"]:
    """From log(1 + I) to I, clamped at 0."""
    return torch.expm1(values.clamp_min(0))
