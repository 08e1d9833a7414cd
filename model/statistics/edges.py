"""Edges: the cross pairs of columns that depend most, and pairs of canonical variates, each in fine bins.

What two columns share is a problem of its own, and for one column against one the whole of it. A histogram of
equally filled bins at several widths tells it as precisely as the sample can: a table of 4 x 4 cells has next
to no bias and misses what is narrow, one of 32 x 32 misses little and is biased by known amounts.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.statistics.bins import ends, plogp

EDGES = 12  # pairs of columns
_STEPS = 1000  # to a nat, in which binned information is compared
FINE_BINS = (32, 16, 8, 4)  # each divides the one before


class Edges(NamedTuple):
    """Chosen cross pairs: columns x[b, k] and y[b, k], in falling order of their binned information."""

    x: Int64[Tensor, "b k"]
    y: Int64[Tensor, "b k"]
    mask: Bool[Tensor, "b k"]


def strongest(batch: Batch, binned: Float32[Tensor, "b d d"], ties: Float64[Tensor, "b d d"]) -> Edges:
    """The `EDGES` cross pairs of the largest binned information.

    Of few rows many pairs share one value of it, up to rounding. Then the larger of `ties`, in [0, 1],
    decides: the order of the columns must not.
    """
    real = batch.columns[:, 0, :, None] & batch.columns[:, 1, None, :]
    score = (binned.double() * _STEPS).round() + 0.9 * ties
    score = score.masked_fill(~real, -1).flatten(1)
    found = score.topk(min(EDGES, score.shape[1]), sorted=True)
    d = binned.shape[-1]
    return Edges(found.indices // d, found.indices % d, found.values >= 0)


def at(edges: Edges, values: Float32[Tensor, "b e d d"]) -> Float32[Tensor, "b k e"]:
    """Statistics of cross pairs, picked at the edges."""
    d = values.shape[-1]
    index = (edges.x * d + edges.y)[:, None].expand(-1, values.shape[1], -1)
    return values.flatten(2).gather(2, index).transpose(1, 2)


def fine_information(
    batch: Batch, x: Int64[Tensor, "b n k"], y: Int64[Tensor, "b n k"]
) -> Float32[Tensor, "b k r"]:
    """Plug-in mutual information in nats of the ranks x[..., k] and y[..., k] at each of `FINE_BINS`."""
    bins = FINE_BINS[0]
    joint = _joint(batch, x, y, bins) / batch.n[:, None, None, None]
    found = []
    for fewer in FINE_BINS:
        while bins > fewer:
            joint = joint[..., ::2, :] + joint[..., 1::2, :]
            joint = joint[..., ::2] + joint[..., 1::2]
            bins //= 2
        margins = (joint.sum(-1), joint.sum(-2))
        found.append(plogp(joint).sum((-1, -2)) - sum(plogp(margin).sum(-1) for margin in margins))
    return torch.stack(found, -1).clamp_min(0)


def _joint(batch: Batch, x: Tensor, y: Tensor, bins: int) -> Float32[Tensor, "b k i j"]:
    """Counts of rows in each cell; a rank on the edge of two bins falls half into either (see `bins.py`)."""
    weight = 0.25 * batch.rows.float()[:, None].expand(-1, x.shape[-1], -1)
    table = torch.zeros(*weight.shape[:2], bins * bins)
    sides = [ends(ranks.transpose(1, 2), batch.n[:, None, None], bins) for ranks in (x, y)]
    for i in sides[0]:
        for j in sides[1]:
            table.scatter_add_(-1, i * bins + j, weight)
    counts: Tensor = table.unflatten(-1, (bins, bins))
    return counts
