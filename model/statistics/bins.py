"""Mutual information of two columns cut into equally filled bins: catches what no moment sees."""

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.statistics.statistic import Context

BINS = (8, 4)  # each divides the one before, so that one table of counts serves all


def binned_information(context: Context) -> Float32[Tensor, "b k d d"]:
    """Plug-in mutual information in nats of every cross pair, for each number of bins in `BINS`.

    sum p(i,j) log p(i,j) minus the same of the two margins; padded columns give 0.
    """
    batch = context.batch
    member = _membership(batch, BINS[0])
    x, y = member.flatten(3).unbind(1)
    n = batch.n[:, None, None]
    joint = (x.transpose(-1, -2) @ y / n).unflatten(2, (-1, BINS[0])).unflatten(1, (-1, BINS[0]))
    margin = member.sum(2) / n[..., None]
    nats = []
    for bins in BINS:
        joint = joint.unflatten(4, (bins, -1)).sum(5).unflatten(2, (bins, -1)).sum(3)
        margin = margin.unflatten(3, (bins, -1)).sum(4)
        entropy = plogp(margin).sum(-1)
        nats.append(plogp(joint).sum((2, 4)) - entropy[:, 0, :, None] - entropy[:, 1, None, :])
    real = batch.columns[:, 0, :, None] & batch.columns[:, 1, None, :]
    return torch.stack(nats, 1).clamp_min(0).where(real[:, None], 0)


def plogp(p: Tensor) -> Tensor:
    """p log p, and 0 at 0."""
    return torch.xlogy(p, p)


def ends(ranks: Int64[Tensor, "*s"], n: Int64[Tensor, "*t"], bins: int) -> tuple[Tensor, Tensor]:
    """The bin from below and the bin from above of every rank: two where it falls on an edge."""
    position = bins * (ranks + n)
    low = position.div(2 * n, rounding_mode="floor").clamp(0, bins - 1)
    high = (-(-position).div(2 * n, rounding_mode="floor") - 1).clamp(0, bins - 1)
    return low, high


def _membership(batch: Batch, bins: int) -> Float32[Tensor, "b 2 n d k"]:
    """Share of a cell in each bin: 1, or 1/2 and 1/2 for a rank that falls on an edge.

    The halves make reversal of a column exact: bin i becomes bin k - 1 - i, edges included.
    """
    low, high = ends(batch.ranks, batch.n[:, None, None, None], bins)
    member = torch.zeros(*batch.ranks.shape, bins)
    half = 0.5 * batch.cells.float()[..., None]
    return member.scatter_add_(-1, low[..., None], half).scatter_add_(-1, high[..., None], half)
