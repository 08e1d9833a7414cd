"""The answer's form: quantiles of log(1 + I), increasing by construction, zero where the data say zero."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

LEVELS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
    0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995,
)  # fmt: skip
MIDDLE = LEVELS.index(0.5)
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


def mean(nats: Float[Tensor, "b q"]) -> Float[Tensor, " b"]:
    """Posterior mean: the integral of the quantile function, flat beyond the outermost levels."""
    level = torch.tensor((0.0, *LEVELS, 1.0), dtype=nats.dtype, device=nats.device)
    ends = torch.cat([nats[:, :1], nats, nats[:, -1:]], 1)
    return torch.trapezoid(ends, level, dim=1)
