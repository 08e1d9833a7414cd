"""Soft twins of binned information: a row falls into the two nearest bins, in proportion to nearness."""

import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.gradients import ranks
from mizzle.model.statistics.bins import BINS, plogp
from mizzle.model.statistics.edges import FINE_BINS, chosen
from mizzle.model.statistics.statistic import Context
from mizzle.model.statistics.variates import variates

_SOURCES = {32: (32, 16), 8: (8, 4)}  # bins that rows fall into softly, and the tables that are made of them


def soft_shares(context: Context) -> Float[Tensor, "b 2 n d"]:
    """Ranks as shares of the rows, from the normal scores."""
    shares: Tensor = torch.special.ndtr(context.scores)
    return shares


def soft_information(context: Context) -> Float32[Tensor, "b k d d"]:
    """Twin of `bins.binned_information`."""
    batch, bins = context.batch, BINS[0]
    centre = (torch.arange(bins) + 0.5) / bins
    share = context.once(soft_shares).clamp(centre[0].item(), centre[-1].item())
    member = F.relu(1 - bins * (share[..., None] - centre).abs()) * batch.cells[..., None]
    x, y = member.flatten(3).unbind(1)
    joint = (
        (x.transpose(-1, -2) @ y / batch.n[:, None, None]).unflatten(2, (-1, bins)).unflatten(1, (-1, bins))
    )
    joint = joint.permute(0, 1, 3, 2, 4)
    nats = [_information(joint)]
    nats += [_information(_coarser(joint)) for _ in BINS[1:]]
    real = batch.columns[:, 0, :, None] & batch.columns[:, 1, None, :]
    return torch.stack(nats, 1) * real[:, None]


def soft_fine(context: Context) -> Float32[Tensor, "b k r"]:
    """Twin of `edges.fine`: of the chosen columns, then of the variates."""
    edges, share = context.once(chosen), context.once(soft_shares)
    picked = [
        side.gather(2, index[:, None].expand(-1, side.shape[1], -1))
        for side, index in zip(share.unbind(1), (edges.x, edges.y), strict=True)
    ]
    others = context.once(variate_shares).float().unbind(1)
    x, y = (torch.cat(both, -1).transpose(1, 2) for both in zip(picked, others, strict=True))
    nats = {}
    for source, wanted in _SOURCES.items():
        joint = _table(x, y, source)
        for bins in wanted:
            while joint.shape[-1] > bins:
                joint = _coarser(joint)
            nats[bins] = _information(joint)
    return torch.stack([nats[bins] for bins in FINE_BINS], -1)


def variate_shares(context: Context) -> Float[Tensor, "b 2 n v"]:
    """Smoothed ranks of canonical variates as shares of the rows."""
    values = context.once(variates).values.transpose(2, 3)
    place = values.detach().argsort(-1).argsort(-1)
    exact = (place + 0.5) / values.shape[-1]
    used = context.once(variates).used[:, None, :, None]
    return torch.where(used, ranks.shares(values, exact.to(values.dtype)), 0.5).transpose(2, 3)


def _table(x: Float[Tensor, "b k n"], y: Float[Tensor, "b k n"], bins: int) -> Float[Tensor, "b k i j"]:
    """Shares of the rows in each cell."""
    sides = [_nearest(side, bins) for side in (x, y)]
    table = torch.zeros(*x.shape[:2], bins * bins)
    for i, of_x in sides[0]:
        for j, of_y in sides[1]:
            table = table.scatter_add(-1, i * bins + j, of_x * of_y / x.shape[-1])
    cells: Tensor = table.unflatten(-1, (bins, bins))
    return cells


def _nearest(share: Tensor, bins: int) -> list[tuple[Tensor, Tensor]]:
    """The two nearest bins of every row, and how much of it falls into either."""
    position = (bins * share - 0.5).clamp(0, bins - 1)
    low = position.detach().floor().clamp_max(bins - 2)
    above = position - low
    return [(low.long(), 1 - above), (low.long() + 1, above)]


def _coarser(joint: Float[Tensor, "*b i j"]) -> Float[Tensor, "*b i2 j2"]:
    """Of half as many bins."""
    joint = joint[..., ::2, :] + joint[..., 1::2, :]
    return joint[..., ::2] + joint[..., 1::2]


def _information(joint: Float[Tensor, "*b i j"]) -> Float[Tensor, "*b"]:
    """Plug-in information in nats; empty cells have no gradient."""
    parts = (joint, joint.sum(-1), joint.sum(-2))
    both, x, y = (plogp(part.clamp_min(1e-9)) for part in parts)
    information: Tensor = both.sum((-1, -2)) - x.sum(-1) - y.sum(-1)
    return information
