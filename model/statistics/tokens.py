"""Statistic tokens: everything the network gets to see of a sample.

One token per canonical correlation (spectrum), per column, per query row, per strong pair of columns (edge),
and one global token. Each is free of signs, of column order, of row order and of which side is called X; see
docs/method.md for the list.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from mizzle.model.batch import Batch, collate, grouped, normal_scores
from mizzle.model.preprocess import Table
from mizzle.model.statistics import nonlinear, pooling
from mizzle.model.statistics.bins import BINS, binned_information
from mizzle.model.statistics.edges import FINE_BINS, at, fine_information, strongest
from mizzle.model.statistics.moments import (
    RIDGES,
    Linear,
    Pairs,
    information,
    linear,
    pairs,
)
from mizzle.model.statistics.neighbours import (
    NEIGHBOURS,
    QUERIES,
    ROWS,
    Neighbours,
    QueryRows,
    neighbours,
    query_rows,
    subset,
)
from mizzle.model.statistics.variates import Variates, centred_ranks, variates

_CONTEXT = 3
SPECTRUM_CHANNELS = 4 * len(RIDGES) + 1 + _CONTEXT + nonlinear.SPECTRUM_CHANNELS
COLUMN_CHANNELS = 6 * 3 + 2 * len(BINS) + 4 + 1 + 4 + 1 + _CONTEXT
_POOLED_ROW_CHANNELS = 3 * len(NEIGHBOURS) + 2
PLANE = 2  # canonical variates a side whose neighbours are counted
ROW_CHANNELS = _POOLED_ROW_CHANNELS + len(NEIGHBOURS) + 2 * PLANE + _CONTEXT
EDGE_CHANNELS = len(FINE_BINS) + 6 + 2 + 2 + _CONTEXT
GLOBAL_CHANNELS = (
    pooling.channels(COLUMN_CHANNELS - _CONTEXT, _POOLED_ROW_CHANNELS) + nonlinear.GLOBAL_CHANNELS
)


class Tokens(NamedTuple):
    """Token arrays with their masks; e counts the channels of each kind."""

    overall: Float32[Tensor, "*b g"]
    spectrum: Float32[Tensor, "*b j es"]
    spectrum_mask: Bool[Tensor, "*b j"]
    columns: Float32[Tensor, "*b c ec"]
    columns_mask: Bool[Tensor, "*b c"]
    rows: Float32[Tensor, "*b m er"]
    rows_mask: Bool[Tensor, "*b m"]
    edges: Float32[Tensor, "*b k ek"]
    edges_mask: Bool[Tensor, "*b k"]

    def unbind(self) -> list["Tokens"]:
        """One `Tokens` a data set, still padded as it was in the batch."""
        return [Tokens(*parts) for parts in zip(*(t.unbind() for t in self), strict=True)]


def tokenise(batch: Batch, scores: Float32[Tensor, "b 2 n d"] | None = None) -> Tokens:
    """Summarise a batch of ranked problems.

    Args:
        scores: in place of the batch's normal scores, for gradients; ignored on padding.
    """
    z = normal_scores(batch) if scores is None else scores.where(batch.cells, 0)
    axes, bent, queries = linear(batch, z), nonlinear.nonlinear(batch, z), query_rows(batch)
    near, context = neighbours(batch, z, queries), _context(batch)
    moments, binned, turned = pairs(batch, z), binned_information(batch), variates(batch, axes)
    spectrum, spectrum_mask = _spectrum(batch, axes)
    columns, columns_mask = _columns(batch, z, axes, moments, binned), batch.columns.flatten(1)
    few = subset(near, QUERIES)
    plane = _in_plane(batch, turned, few)
    few, seen = subset(few, ROWS), subset(plane, ROWS)
    edges, edges_mask = _edges(batch, axes, moments, binned, turned)
    overall = torch.cat(
        [
            pooling.columns(columns, columns_mask),
            pooling.rows(_rows(batch, axes, near), near.valid),
            pooling.spectrum(axes),
            pooling.norm_coupling(batch, axes),
            pooling.near(plane),
            pooling.edges(edges),
            pooling.shape(batch),
            nonlinear.pooled(batch, bent),
        ],
        -1,
    )
    return Tokens(
        overall,
        _joined(spectrum, context, nonlinear.of_spectrum(bent, spectrum.shape[1])),
        spectrum_mask,
        _joined(columns, context),
        columns_mask,
        _joined(_rows(batch, axes, few), _rows_in_plane(turned, seen), context),
        few.valid,
        _joined(edges, context),
        edges_mask,
    )


def _context(batch: Batch) -> Float32[Tensor, "b 1 e"]:
    """Log n and the logs of the smaller and larger side, which every token is told."""
    low, high = batch.dims.aminmax(dim=-1)
    return torch.stack([batch.n, low, high], -1).float().log()[:, None]


def _joined(tokens: Float32[Tensor, "b t e"], *others: Tensor) -> Tensor:
    """Tokens with further channels; those of length 1 are the same for all."""
    return torch.cat([tokens, *(other.expand(-1, tokens.shape[1], -1) for other in others)], -1)


def _spectrum(batch: Batch, axes: Linear) -> tuple[Tensor, Tensor]:
    """Token j: the j-th canonical correlation and its information at each ridge, plain and robust."""
    rho = torch.cat([axes.canonical, axes.robust], 1).transpose(1, 2).float()
    order = torch.arange(rho.shape[1])
    smaller = batch.dims.amin(-1, keepdim=True)
    place = (order / smaller).clamp_max(1)[..., None]
    return torch.cat([rho, information(rho), place], -1), order < smaller


def _columns(
    batch: Batch, z: Float32[Tensor, "b 2 n d"], axes: Linear, moments: Pairs, binned: Tensor
) -> Tensor:
    """Token of a column: its dependence on the other side, on its own side, and its ties."""
    cross = _both_ways(moments.cross, swap=(0, 1, 2, 3, 5, 4))
    binned = _both_ways(binned)
    partial = _both_ways(axes.partial.float())
    within = _off_diagonal(moments).transpose(1, 2)
    scatter = (z.square().sum(2) / batch.n[:, None, None])[..., None]
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
    channels = torch.cat([part.transpose(2, 3) for part in parts], -1)
    tokens = torch.cat([channels, axes.explained.float()[..., None], scatter], -1)
    return (tokens * batch.columns[..., None]).flatten(1, 2)


def _both_ways(cross: Tensor, swap: tuple[int, ...] | None = None) -> Float32[Tensor, "b 2 e d d"]:
    """Cross statistics seen from X and from Y; `swap` exchanges those that name a side."""
    back = cross if swap is None else cross[:, list(swap)]
    return torch.stack([cross, back.transpose(-1, -2)], 1)


def _off_diagonal(moments: Pairs) -> Float32[Tensor, "b e 2 d d"]:
    return moments.within * ~torch.eye(moments.within.shape[-1], dtype=torch.bool)


def _rows(batch: Batch, axes: Linear, near: Neighbours) -> Float32[Tensor, "b m e"]:
    """Token of a query row: local information, its asymmetry, radii, and whitened norms."""
    index = near.queries[:, None].expand(-1, 2, -1)
    norms = pooling.log_norms(batch, axes).gather(2, index)
    summed, apart = norms.sum(1), (norms[:, 0] - norms[:, 1]).abs()
    radius = near.squared_radius.clamp(1e-8, 1e8).log() / 2
    tokens = [near.local, near.gap, radius, summed[..., None], apart[..., None]]
    return torch.cat(tokens, -1) * near.valid[..., None]


def _edges(
    batch: Batch, axes: Linear, moments: Pairs, binned: Tensor, turned: Variates
) -> tuple[Tensor, Tensor]:
    """Token of a pair of columns, then of variates: its information in fine bins and its correlations."""
    correlations = (moments.cross[:, 0] + axes.partial[:, 0]) / 2
    chosen = strongest(batch, binned[:, 0], correlations)
    ranks = [
        side.gather(2, index[:, None].expand(-1, side.shape[1], -1))
        for side, index in zip(batch.ranks.unbind(1), (chosen.x, chosen.y), strict=True)
    ]
    paired = turned.used
    turned_ranks = centred_ranks(batch, turned.values).unbind(1)
    fine = fine_information(batch, *(torch.cat(both, -1) for both in zip(ranks, turned_ranks, strict=True)))
    cross, mixed = moments.cross.split([4, 2], 1)
    symmetric = torch.cat([cross, mixed.amax(1, keepdim=True), mixed.amin(1, keepdim=True)], 1)
    picked = at(chosen, torch.cat([symmetric, axes.partial.float()], 1))
    picked = torch.cat([picked, picked.new_zeros(len(picked), paired.shape[1], picked.shape[-1])], 1)
    place = torch.cat([torch.arange(k) / 10 for k in (chosen.x.shape[1], paired.shape[1])])
    kind = torch.cat([torch.zeros(chosen.x.shape[1]), torch.ones(paired.shape[1])])
    labels = torch.stack([kind, place], -1).expand(len(picked), -1, -1)
    mask = torch.cat([chosen.mask, paired], 1)
    return torch.cat([fine, picked, labels], -1) * mask[..., None], mask


def _in_plane(batch: Batch, turned: Variates, near: Neighbours) -> Neighbours:
    """Neighbours of the same rows among the first pairs of variates; for one column a side `near` again."""
    if batch.columns.shape[-1] == 1:
        return near
    plane = neighbours(batch, _plane(turned).float(), QueryRows(near.queries, near.valid))
    single = (batch.dims.amax(-1) == 1)[:, None, None]
    return plane._replace(local=near.local.where(single, plane.local))


def _plane(turned: Variates) -> Float64[Tensor, "b 2 n v"]:
    """The first pairs of variates."""
    return turned.values[..., :PLANE]


def _rows_in_plane(turned: Variates, plane: Neighbours) -> Float32[Tensor, "b m e"]:
    """Where a query row lies among the first pairs of variates, and its local information there."""
    pairs = F.pad(_plane(turned), (0, PLANE))[..., :PLANE].float()
    index = plane.queries[:, None, :, None].expand(-1, 2, -1, PLANE)
    u, v = pairs.gather(2, index).unbind(1)
    return torch.cat([plane.local, (u * v).abs(), u * u + v * v], -1) * plane.valid[..., None]


def summarise(tables: list[Table]) -> list[Tokens]:
    """Tokens of each problem, computed in groups of similar shape."""
    found: dict[int, Tokens] = {}
    with torch.no_grad():
        for group in grouped(tables):
            tokens = tokenise(collate([tables[i] for i in group]))
            found.update(zip(group, tokens.unbind(), strict=True))
    return [found[i] for i in range(len(tables))]


def repad(tokens: list[Tokens]) -> Tokens:
    """Stack single data sets from different batches, each kind padded to its longest valid run."""
    stacked = [torch.stack([one.overall for one in tokens])]
    for kind in (1, 3, 5, 7):
        valid = [one[kind][one[kind + 1]] for one in tokens]
        stacked.append(pad_sequence(valid, batch_first=True))
        stacked.append(pad_sequence([torch.ones(len(v), dtype=torch.bool) for v in valid], True))
    return Tokens(*stacked)
