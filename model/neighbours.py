"""Neighbour counts in normal-score space: the ingredients of the KSG estimator, row by row.

Kraskov, Stoegbauer, Grassberger (2004), algorithm 1, with the Euclidean norm inside a side and the larger of
the two across; where the k-th neighbour lies at distance 0 (ties) the counts follow Gao et al. (2017), so
that discrete columns do not break it. At most `QUERIES` rows are looked up against all rows, so that no n x n
matrix exists.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float32, Int32, Int64
from torch import Tensor

from mizzle.model.batch import Batch

QUERIES = 128
NEIGHBOURS = (1, 3, 10)
_MOST_DISTANCES = 4_000_000  # held at a time, per side
_TINY = 1e-9  # squared distance below which two rows are the same


class Neighbours(NamedTuple):
    """Per query row and k: local information and the asymmetry of the marginal counts, both in nats."""

    queries: Int64[Tensor, "b m"]
    valid: Bool[Tensor, "b m"]
    local: Float[Tensor, "b m k"]
    gap: Float[Tensor, "b m k"]
    squared_radius: Float[Tensor, "b m k"]


def neighbours(batch: Batch, z: Float32[Tensor, "b 2 n d"]) -> Neighbours:
    """Local KSG terms psi(k) + psi(n) - psi(n_x + 1) - psi(n_y + 1) at the query rows.

    Args:
        z: normal scores, 0 on padding (a padded column then adds 0 to every distance).
    """
    queries, valid = query_rows(batch)
    k = torch.tensor(NEIGHBOURS).expand(len(z), -1).minimum(batch.n[:, None] - 1)
    step = max(1, _MOST_DISTANCES // batch.rows.numel())  # bounds memory; one step unless n is huge
    parts = [_counts(batch, z, part, k) for part in queries.split(step, 1)]
    radius, inside, found = (torch.cat(columns, -2) for columns in zip(*parts, strict=True))
    marginal = torch.digamma(inside.double() + 1)
    total = torch.digamma(found.double()) + torch.digamma(batch.n.double())[:, None, None]
    local = (total - marginal.sum(1)).float()
    gap = (marginal[:, 0] - marginal[:, 1]).abs().float()
    return Neighbours(queries, valid, local, gap, radius)


def _counts(
    batch: Batch, z: Float32[Tensor, "b 2 n d"], queries: Int64[Tensor, "b m"], k: Int64[Tensor, "b k"]
) -> tuple[Float32[Tensor, "b m k"], Int32[Tensor, "b 2 m k"], Int64[Tensor, "b m k"]]:
    """Squared distance to the k-th neighbour, rows inside it on each side, and the k that was reached."""
    sides = _distances(batch, z, queries)
    joint = sides.amax(1)
    radius = _kth_smallest(joint, k)
    reach = radius.clamp_min(_TINY)  # copies of a row count as inside, or ties would see no neighbour
    return radius, _count_below(sides, reach[:, None]), _neighbours_found(joint, radius, k)


def query_rows(batch: Batch) -> tuple[Int64[Tensor, "b m"], Bool[Tensor, "b m"]]:
    """All rows where they are few; else evenly spaced ones in an order that depends on content alone."""
    m = min(QUERIES, batch.rows.shape[1])
    if batch.rows.shape[1] <= QUERIES:
        return torch.arange(m).expand(len(batch.rows), -1), batch.rows
    order = _content_key(batch).masked_fill(~batch.rows, torch.iinfo(torch.int64).max).argsort(-1)
    n = batch.n[:, None]
    slot = torch.arange(m)[None]
    place = torch.where(n > m, (2 * slot + 1) * n // (2 * m), slot)
    return order.gather(1, place), slot < n


def _content_key(batch: Batch) -> Int64[Tensor, "b n"]:
    """A hash of each row that ignores row order, column order, side names and column signs.

    Integer arithmetic wraps and is exact, so the order of summation does not matter. A column is oriented by
    an odd moment, so that reversing it changes nothing, and marked by an even one, so that two rows that
    exchange their values still differ. The second pass orients columns that only the signs of others can
    orient. What then still ties is the mirror image of another row in a data set that is its own mirror
    image.
    """
    a, cells = batch.ranks, batch.cells
    size = _mix(a * a).masked_fill(~cells, 0)
    key = size.sum((1, 3))
    mark = (size * _mix(key)[:, None, :, None]).sum(2, keepdim=True)
    for _ in range(2):
        sign = (a * (key & 0xFFFF)[:, None, :, None]).sum(2, keepdim=True).sign()
        oriented = torch.where(sign == 0, a.abs(), a * sign)
        key = _mix(oriented + mark).masked_fill(~cells, 0).sum((1, 3))
    return key


def _mix(v: Tensor) -> Tensor:
    """Scatter integers over 64 bits (the finaliser of splitmix64, Steele et al. 2014)."""
    v = (v ^ (v >> 30)) * -4658895280553007687
    v = (v ^ (v >> 27)) * -7723592293110705685
    return v ^ (v >> 31)


def _distances(
    batch: Batch, z: Float32[Tensor, "b 2 n d"], queries: Int64[Tensor, "b m"]
) -> Float32[Tensor, "b 2 m n"]:
    """Squared distances of query rows to all other rows, per side; infinite to self and to padding.

    One product [-2 q, |q|^2, 1] [z, 1, |z|^2]^T, in double precision: the rounding to single afterwards hides
    the order of summation, and equal rows come out far below the distance of any two different ones.
    """
    z = z.double()
    norm, one = z.square().sum(-1, keepdim=True), torch.ones_like(z[..., :1])
    index = queries[:, None, :, None].expand(-1, 2, -1, 1)
    point = z.gather(2, index.expand(-1, -1, -1, z.shape[-1]))
    left = torch.cat([-2 * point, norm.gather(2, index), one.gather(2, index)], -1)
    distance = (left @ torch.cat([z, one, norm], -1).transpose(-1, -2)).float()
    distance.masked_fill_(~batch.rows[:, None, None, :], float("inf"))
    return distance.scatter_(-1, index, float("inf"))


def _kth_smallest(distance: Float32[Tensor, "b m n"], k: Int64[Tensor, "b k"]) -> Float32[Tensor, "b m k"]:
    width = min(max(NEIGHBOURS), distance.shape[-1])
    nearest = distance.topk(width, dim=-1, largest=False).values
    return nearest.gather(-1, (k - 1)[:, None].expand(-1, nearest.shape[1], -1))


def _neighbours_found(
    joint: Float32[Tensor, "b m n"], radius: Float32[Tensor, "b m k"], k: Int64[Tensor, "b k"]
) -> Int64[Tensor, "b m k"]:
    """k, or the number of exact copies of the row where they outnumber it."""
    wanted = k[:, None].expand(-1, radius.shape[1], -1)
    if bool((radius > _TINY).all()):
        return wanted
    copies = (joint < _TINY).sum(-1, keepdim=True)
    return torch.where(radius > _TINY, wanted, copies.expand_as(wanted))


def _count_below(
    sides: Float32[Tensor, "b 2 m n"], reach: Float32[Tensor, "b 1 m k"]
) -> Int32[Tensor, "b 2 m k"]:
    # int32 sums are four times as fast as the default int64 ones
    counts = [(sides < reach[..., i, None]).sum(-1, dtype=torch.int32) for i in range(reach.shape[-1])]
    return torch.stack(counts, -1)
