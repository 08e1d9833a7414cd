"""Dependence of a column on the other side and on its own side."""

import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from mizzle.model.statistics.bins import BINS, binned_information
from mizzle.model.statistics.moments import CROSS, PARTIAL_RIDGES, WITHIN, information, linear, pairs
from mizzle.model.statistics.statistic import TOTAL_MEAN_LARGEST, Context, Statistic, total_mean_largest


def mask(context: Context) -> Bool[Tensor, "b c"]:
    """Which columns exist: those of X, then those of Y."""
    return context.batch.columns.flatten(1)


def tokens(context: Context) -> Float32[Tensor, "b c e"]:
    """A column's dependence on the other side, on its own side, and its ties; 0 on padding."""
    batch, axes, moments = context.batch, context.once(linear), context.once(pairs)
    cross = _both_ways(moments.cross, swap=(0, 1, 2, 3, 5, 4))
    binned = _both_ways(context.once(binned_information))
    partial = _both_ways(axes.partial.float())
    own = ~torch.eye(moments.within.shape[-1], dtype=torch.bool)
    within = (moments.within * own).transpose(1, 2)
    scatter = (context.scores.square().sum(2) / batch.n[:, None, None])[..., None]
    parts = [
        cross.amax(-1),
        cross.square().sum(-1),
        information(cross).sum(-1),
        binned.amax(-1),
        binned.sum(-1),
        partial.amax(-1),
        information(partial).sum(-1),
        within.amax(-1),
        within.square().sum(-1),
    ]
    values = torch.cat([part.transpose(2, 3) for part in parts], -1)
    values = torch.cat([values, axes.explained.float()[..., None], scatter], -1)
    return (values * batch.columns[..., None]).flatten(1, 2)


def pooled(context: Context) -> Float32[Tensor, "b g"]:
    """Total, mean and largest over the columns of both sides."""
    return total_mean_largest(context.once(tokens), mask(context))


def _both_ways(cross: Tensor, swap: tuple[int, ...] | None = None) -> Float32[Tensor, "b 2 e d d"]:
    """Cross statistics seen from X and from Y; `swap` exchanges those that name a side."""
    back = cross if swap is None else cross[:, list(swap)]
    return torch.stack([cross, back.transpose(-1, -2)], 1)


_CHANNELS = {
    "largest correlation": len(CROSS),
    "total squared correlation": len(CROSS),
    "total Gaussian information": len(CROSS),
    "largest binned information": len(BINS),
    "total binned information": len(BINS),
    "largest partial correlation": len(PARTIAL_RIDGES),
    "total partial information": len(PARTIAL_RIDGES),
    "largest correlation with its own side": len(WITHIN),
    "total squared correlation with its own side": len(WITHIN),
    "variance explained": 1,
    "ties": 1,
}

COLUMNS = Statistic(
    name="columns",
    about=f"correlations with the columns of the other side under {', '.join(CROSS)}; binned information "
    f"({' and '.join(map(str, BINS))} equally filled bins); partial correlations from two ridge precision "
    "matrices; correlations with its own side; variance explained by all other columns; ties",
    token="columns",
    channels=_CHANNELS,
    compute=tokens,
    pooled=dict.fromkeys(TOTAL_MEAN_LARGEST, sum(_CHANNELS.values())),
    pool=pooled,
    settings={"bins": list(BINS), "partial_ridges": list(PARTIAL_RIDGES)},
)
