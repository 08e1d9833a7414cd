"""Canonical variates: each side's columns rotated so that the best correlated combinations come first.

They carry dependence that is spread thinly over many columns into a few, where curves and products can be
looked for as if the problem were small.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.batch import Batch
from mizzle.model.statistics.moments import Linear, linear
from mizzle.model.statistics.neighbours import (
    NEIGHBOURS,
    Neighbours,
    neighbours,
    of_fewer_rows,
    subset,
)
from mizzle.model.statistics.queries import QUERIES, ROWS, QueryRows, content_order
from mizzle.model.statistics.statistic import MEAN_AND_SPREAD, Context, Statistic, mean_and_spread

VARIATES = 5  # a side
PLANE = 2  # of these, those whose neighbours are counted
_LEAST = 1e-6  # variance of a variate that exists; copies of a column leave less
_STEPS = 2.0**24  # to a standard deviation, in which variates are compared
_TIED = 1e-8  # difference of squared correlations below which rounding would choose the directions
_LONG = 0.41  # share of the longest row's squared length, from which on a row may choose a direction


class Variates(NamedTuple):
    """values[b, s, :, v]: whitened combinations of a side's columns; used[b, v]: which pairs exist.

    There are as many pairs as the smaller side has columns, less those that only repeat others: where one
    side has no direction left, the other's could be rotated at will.
    """

    values: Float64[Tensor, "b 2 n v"]
    used: Bool[Tensor, "b v"]


def variates(context: Context) -> Variates:
    """The first canonical variates of the normal scores, of unit variance (Hotelling 1936).

    Their directions are constants to the gradient: correlation is extremal along them.
    """
    batch, axes = context.batch, context.once(linear)
    with torch.no_grad():
        directions = _directions(context, axes)
    values = axes.unit @ directions * batch.n.double().sqrt()[:, None, None, None]
    varies = (values.square().sum(2) > _LEAST * batch.n[:, None, None]).all(1)
    used = varies & (torch.arange(values.shape[-1]) < batch.dims.amin(-1, keepdim=True))
    return Variates(values * used[:, None, None], used)


def _directions(context: Context, axes: Linear) -> Float64[Tensor, "b 2 d v"]:
    """Singular vectors of the whitened cross-correlations; padded columns come last."""
    batch, core = context.batch, axes.roots[:, 0] @ axes.cross @ axes.roots[:, 1]
    grams = torch.stack([core @ core.transpose(-1, -2), core.transpose(-1, -2) @ core], 1)
    squared, vectors = torch.linalg.eigh(grams - torch.diag_embed((~batch.columns).double()))
    directions: Tensor = axes.roots @ vectors.flip(-1)
    counts = batch.dims.amin(-1).clamp_max(VARIATES)
    tied = squared.diff().flip(-1) < _TIED
    matters = tied & (torch.arange(tied.shape[-1]) < counts[:, None, None])
    for b, s in matters.any(-1).nonzero().tolist():
        order, d = context.once(content_order)[b, : batch.n[b]], int(batch.dims[b, s])
        rows = axes.unit[b, s, order] @ directions[b, s] * len(order) ** 0.5
        for first, last in _runs(tied[b, s, : d - 1].tolist()):
            chosen = _chosen_by_rows(rows[:, first:last])
            directions[b, s, :, first:last] = directions[b, s, :, first:last] @ chosen
    return directions[..., :VARIATES]


def _runs(tied: list[bool]) -> Iterator[tuple[int, int]]:
    """Runs of directions, each of which ties with the next: the first, and the one after the last."""
    first = 0
    for last, ties in enumerate((*tied, False), 1):
        if not ties:
            if last - first > 1:
                yield first, last
            first = last


def _chosen_by_rows(rows: Float64[Tensor, "n m"]) -> Float64[Tensor, "m m"]:
    """A basis that does not depend on the one that rows come in: each direction is the first long row's.

    Of what earlier directions leave of the rows, which stand in the order of their content; 0 where they
    leave nothing.
    """
    basis = rows.new_zeros(rows.shape[1], rows.shape[1])
    for k in range(min(VARIATES, rows.shape[1])):
        squared = rows.square().sum(-1)
        longest = squared.max()
        if longest > _LEAST:
            row = int((squared > _LONG * longest).to(torch.uint8).argmax())
            basis[:, k] = rows[row] / squared[row].sqrt()
            rows = rows - torch.outer(rows @ basis[:, k], basis[:, k])
    return basis


def centred_ranks(batch: Batch, values: Float64[Tensor, "b 2 n v"]) -> Int64[Tensor, "b 2 n v"]:
    """Rows below minus rows above, per variate; equal values share a rank; 0 on padding.

    Rounded first, which hides the order of summation, so that equal combinations stay equal.
    """
    rows = batch.rows[:, None, :, None]
    ordered, order = (values * _STEPS).round().masked_fill(~rows, torch.inf).sort(dim=2)
    first = torch.ones_like(ordered, dtype=torch.bool)
    torch.ne(ordered[:, :, 1:], ordered[:, :, :-1], out=first[:, :, 1:])
    place = torch.arange(ordered.shape[2])[:, None]
    start = torch.where(first, place, 0).cummax(2).values
    last = first.roll(-1, 2)
    end = -torch.where(last, place, len(place)).neg().flip(2).cummax(2).values.flip(2)
    n = batch.n[:, None, None, None]
    ranks = torch.empty_like(order).scatter_(2, order, start + end - (n - 1))
    return ranks.where(rows, 0)


def in_plane(context: Context) -> Neighbours:
    """Neighbours of query rows among the first pairs of variates; among all columns where a side has one."""
    batch, rows = context.batch, context.once(of_fewer_rows)
    if batch.columns.shape[-1] == 1:
        return rows
    plane = neighbours(batch, first_pairs(context).float(), QueryRows(rows.queries, rows.valid))
    single = (batch.dims.amax(-1) == 1)[:, None, None]
    return plane._replace(local=rows.local.where(single, plane.local))


def plane_tokens(context: Context) -> Float32[Tensor, "b m e"]:
    """Local information of a row among the first pairs of variates, and where it lies there."""
    plane_rows = subset(context.once(in_plane), ROWS)
    values = F.pad(first_pairs(context), (0, PLANE))[..., :PLANE].float()
    index = plane_rows.queries[:, None, :, None].expand(-1, 2, -1, PLANE)
    u, v = values.gather(2, index).unbind(1)
    return torch.cat([plane_rows.local, (u * v).abs(), u * u + v * v], -1) * plane_rows.valid[..., None]


def pooled_plane(context: Context) -> Float32[Tensor, "b g"]:
    """Mean and spread of local information over all rows of the plane, not only over those of tokens."""
    plane_rows = context.once(in_plane)
    return mean_and_spread(plane_rows.local * plane_rows.valid[..., None], plane_rows.valid)


def first_pairs(context: Context) -> Float64[Tensor, "b 2 n v"]:
    """The first pairs of variates."""
    return context.once(variates).values[..., :PLANE]


PLANE_NEIGHBOURS = Statistic(
    name="plane",
    about=f"the terms of the KSG estimator among the first {PLANE} pairs of canonical variates, and where "
    "the row lies in that plane",
    token="rows",
    channels={"local information": len(NEIGHBOURS), "product": PLANE, "squared radius": PLANE},
    compute=plane_tokens,
    pooled=dict.fromkeys(MEAN_AND_SPREAD, len(NEIGHBOURS)),
    pool=pooled_plane,
    settings={"queries": list(QUERIES), "plane": PLANE},
)
