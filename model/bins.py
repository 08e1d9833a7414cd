"""Mutual information of two columns cut into equally filled bins: catches what no moment sees."""

import torch
from jaxtyping import Float32
from torch import Tensor

from mizzle.model.batch import Batch

BINS = (4, 10)


def binned_information(batch: Batch) -> Float32[Tensor, "b k d d"]:
    """Plug-in mutual information in nats of every cross pair, for each number of bins in `BINS`."""
    return torch.stack([_one_resolution(batch, bins) for bins in BINS], 1)


def _one_resolution(batch: Batch, bins: int) -> Float32[Tensor, "b d d"]:
    """sum p(i,j) log p(i,j) minus the same of the two margins; padded columns give 0."""
    member = _membership(batch, bins)
    n = batch.n[:, None, None]
    x, y = member.flatten(3).unbind(1)
    joint = (x.transpose(-1, -2) @ y / n).unflatten(2, (-1, bins)).unflatten(1, (-1, bins))
    margin = _plogp(member.sum(2) / n[..., None]).sum(-1)
    known = _plogp(joint).sum((2, 4)) - margin[:, 0, :, None] - margin[:, 1, None, :]
    real = batch.columns[:, 0, :, None] & batch.columns[:, 1, None, :]
    return known.clamp_min(0).where(real, 0)


def _plogp(p: Tensor) -> Tensor:
    return torch.xlogy(p, p)


def _membership(batch: Batch, bins: int) -> Float32[Tensor, "b 2 n d k"]:
    """Share of a cell in each bin: 1, or 1/2 and 1/2 for a rank that falls on an edge.

    The halves make reversal of a column exact: bin i becomes bin k - 1 - i, edges included.
    """
    twice_n = 2 * batch.n[:, None, None, None]
    position = bins * (batch.ranks + twice_n // 2)
    low = position.div(twice_n, rounding_mode="floor").clamp(0, bins - 1)
    high = (-(-position).div(twice_n, rounding_mode="floor") - 1).clamp(0, bins - 1)
    member = torch.zeros(*batch.ranks.shape, bins)
    half = 0.5 * batch.cells.float()[..., None]
    return member.scatter_add_(-1, low[..., None], half).scatter_add_(-1, high[..., None], half)
