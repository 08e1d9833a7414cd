"""Neighbour counts in normal-score space: the ingredients of the KSG estimator, row by row.

Kraskov, Stoegbauer, Grassberger (2004), algorithm 1, with the Euclidean norm inside a side and the larger of
the two across; where the k-th neighbour lies at distance 0 (ties) the counts follow Gao et al. (2017), so
that discrete columns do not break it. At most `queries.POOLED[1]` rows are looked up
against all rows, so that no n x n matrix exists.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float32, Float64, Int32, Int64
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.batch import Batch
from mizzle.model.statistics.moments import log_norms
from mizzle.model.statistics.queries import (
    FEW_COLUMNS,
    POOLED,
    ROWS,
    QueryRows,
    all_queries,
    evenly,
    fewer_queries,
)
from mizzle.model.statistics.statistic import MEAN_AND_SPREAD, Context, Statistic, mean_and_spread

NEIGHBOURS = (1, 3, 10)
AT_ONCE = {"cpu": 1 << 17, "cuda": 1 << 24}  # distances per side: on a CPU, what stays in its cache
_DIRECT = 2  # columns up to which differences are squared one by one
_WORDS = 250  # of eight counters of one byte, summed before a counter overflows
_HEAP = 64  # topk of k among at least 64 k uses a heap, three times as fast as its other way: padding pays
_FAR = 1e15  # where padding lies: not at infinity, which has no gradient
TINY = 1e-9  # squared distance below which two rows are the same


class Neighbours(NamedTuple):
    """Per query row and k: local information and the asymmetry of the marginal counts, both in nats."""

    queries: Int64[Tensor, "b m"]
    valid: Bool[Tensor, "b m"]
    local: Float[Tensor, "b m k"]
    gap: Float[Tensor, "b m k"]
    squared_radius: Float[Tensor, "b m k"]


def neighbours(batch: Batch, z: Float32[Tensor, "b 2 n d"], rows: QueryRows) -> Neighbours:
    """Local KSG terms psi(k) + psi(n) - psi(n_x + 1) - psi(n_y + 1) at the query rows.

    Args:
        z: normal scores or functions of them, 0 on padding (a padded column then adds 0 to every distance).
    """
    k = torch.tensor(NEIGHBOURS).expand(len(z), -1).minimum(batch.n[:, None] - 1)
    points = _points(batch, z)
    step = max(1, AT_ONCE[z.device.type] // (len(z) * points.shape[2]))
    size = (len(z), rows.places.shape[1], len(NEIGHBOURS))
    radius, ranks = torch.empty(size), torch.empty(size, dtype=torch.int64)
    inside = torch.empty(len(z), 2, *size[1:], dtype=torch.int32)
    for start in range(0, size[1], step):  # in place: a list of small results would scatter the memory
        part = slice(start, start + step)
        radius[:, part], inside[:, :, part], ranks[:, part] = _counts(points, rows.places[:, part], k)
    total, marginal = digammas(batch, inside, ranks)
    local = (total - marginal.sum(1)).float()
    gap = (marginal[:, 0] - marginal[:, 1]).abs().float()
    return Neighbours(rows.places, rows.valid, local, gap, radius)


def subset(rows: Neighbours, count: int | Int64[Tensor, "b 1"]) -> Neighbours:
    """At most `count` of each data set's query rows, evenly spaced."""
    place, valid = evenly(rows.valid, count)
    wide = place[..., None].expand(-1, -1, len(NEIGHBOURS))
    picked = (values.gather(1, wide) for values in (rows.local, rows.gap, rows.squared_radius))
    return Neighbours(rows.queries.gather(1, place), valid, *picked)


def _counts(
    points: Tensor, queries: Int64[Tensor, "b m"], k: Int64[Tensor, "b k"]
) -> tuple[Float32[Tensor, "b m k"], Int32[Tensor, "b 2 m k"], Int64[Tensor, "b m k"]]:
    """Squared distance to the k-th neighbour, rows inside it on each side, and the k that was reached."""
    sides = _distances(points, queries)
    joint = torch.maximum(*sides.unbind(1))
    radius = kth(smallest(joint, max(NEIGHBOURS))[0], k)
    return radius, *within(sides, joint, radius, k)


def within(
    sides: Float32[Tensor, "b 2 m n"],
    joint: Float32[Tensor, "b m n"],
    radius: Float32[Tensor, "b m k"],
    k: Int64[Tensor, "b k"],
) -> tuple[Int32[Tensor, "b 2 m k"], Int64[Tensor, "b m k"]]:
    """Rows inside the radius on each side, and the k that was reached."""
    reach = radius.clamp_min(TINY)[:, None]  # copies count as inside, or ties would see no neighbour
    inside = [count_true(sides < reach[..., i, None]) for i in range(k.shape[-1])]
    return torch.stack(inside, -1), _reached(joint, radius, k)


def digammas(
    batch: Batch, inside: Int32[Tensor, "b 2 m k"], ranks: Int64[Tensor, "b m k"]
) -> tuple[Float64[Tensor, "b m k"], Float64[Tensor, "b 2 m k"]]:
    """psi(k) + psi(n) and psi(n_x + 1), psi(n_y + 1), from what `within` gave.

    Where a query row does not exist, other padding may lie inside, and outnumber the rows.
    """
    largest = max(int(batch.n.max()), int(inside.max()) + 1)
    digamma = torch.digamma(torch.arange(1.0, largest + 1, dtype=torch.float64))
    return digamma[ranks - 1] + digamma[batch.n - 1][:, None, None], digamma[inside]


def of_all_columns(context: Context) -> Neighbours:
    """Neighbours of all query rows, by the distance over all columns."""
    return neighbours(context.batch, context.scores, context.once(all_queries))


def of_fewer_rows(context: Context) -> Neighbours:
    """Those of the rows in `fewer_queries`."""
    count = context.once(fewer_queries).valid.sum(-1, keepdim=True)
    return subset(context.once(of_all_columns), count)


def of_tokens(context: Context) -> Neighbours:
    """Those of the rows that become tokens."""
    return subset(context.once(of_fewer_rows), ROWS)


def token_mask(context: Context) -> Bool[Tensor, "b m"]:
    """Which of the rows that become tokens exist."""
    return context.once(of_tokens).valid


def tokens(context: Context) -> Float32[Tensor, "b m e"]:
    """Channels of the rows that become tokens."""
    return _channels(context, context.once(of_tokens))


def pooled(context: Context) -> Float32[Tensor, "b g"]:
    """Mean and spread over all query rows, not only over those that become tokens."""
    rows = context.once(of_all_columns)
    return mean_and_spread(_channels(context, rows), rows.valid)


def _channels(context: Context, rows: Neighbours) -> Float32[Tensor, "b m e"]:
    """Local information of query rows, its asymmetry, radii, and whitened norms; 0 on padding."""
    index = rows.queries[:, None].expand(-1, 2, -1)
    norms = context.once(log_norms).gather(2, index)
    summed, apart = norms.sum(1), (norms[:, 0] - norms[:, 1]).abs()
    radius = rows.squared_radius.clamp(1e-8, 1e8).log() / 2
    values = [rows.local, rows.gap, radius, summed[..., None], apart[..., None]]
    return torch.cat(values, -1) * rows.valid[..., None]


def _points(batch: Batch, z: Float32[Tensor, "b 2 n d"]) -> Tensor:
    """What distances are made of, with rows added until they fill whole words; padding is far away.

    Few columns: the scores themselves. More: [z, |z|^2] in double precision, for one product.
    """
    missing = missing_rows(z.shape[2])
    z = F.pad(z, (0, 0, 0, missing))
    outside = F.pad(~batch.rows, (0, missing), value=True)[:, None, :, None]
    if z.shape[-1] <= _DIRECT:
        return z.masked_fill(outside, _FAR)
    z = z.double()
    return torch.cat([z, z.square().sum(-1, keepdim=True).masked_fill(outside, _FAR**2)], -1)


def missing_rows(n: int) -> int:
    """How many rows to add so that `count_true` can count them in whole words."""
    return -n % (8 * -(-n // (8 * _WORDS)))


def _distances(points: Tensor, queries: Int64[Tensor, "b m"]) -> Float32[Tensor, "b 2 m n"]:
    """Squared distances of query rows to all other rows, per side; infinite to self, 1e30 to padding.

    Of many columns in double precision: the rounding to single afterwards hides the order of summation, and
    equal rows come out far below the distance of any two different ones.
    """
    index = queries[:, None, :, None].expand(-1, 2, -1, 1)
    query = points.gather(2, index.expand(-1, -1, -1, points.shape[-1]))
    if points.dtype == torch.float32:
        gaps = [(query[..., c, None] - points[..., None, :, c]).square_() for c in range(points.shape[-1])]
        distance = gaps[0] if len(gaps) == 1 else gaps[0].add_(gaps[1])
    else:
        ones = torch.ones_like(points[..., :1])
        left = torch.cat([-2 * query[..., :-1], query[..., -1:], torch.ones_like(query[..., :1])], -1)
        right = torch.cat([points[..., :-1], ones, points[..., -1:]], -1)
        distance = (left @ right.transpose(-1, -2)).float()
    return distance.scatter_(-1, index, float("inf"))


def kth(nearest: Float32[Tensor, "b m h"], k: Int64[Tensor, "b k"]) -> Float32[Tensor, "b m k"]:
    """The k-th of distances in rising order."""
    return nearest.gather(-1, (k - 1)[:, None].expand(-1, nearest.shape[1], -1))


def smallest(distance: Float32[Tensor, "*b m n"], k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of every row in rising order, and their places; all of them where there are fewer."""
    k = min(k, distance.shape[-1])
    missing = _HEAP * k - distance.shape[-1]
    if 0 < missing < 4 * distance.shape[-1]:
        distance = F.pad(distance, (0, missing), value=float("inf"))
    values, places = distance.topk(k, dim=-1, largest=False)
    return values, places


def _reached(
    joint: Float32[Tensor, "b m n"], radius: Float32[Tensor, "b m k"], k: Int64[Tensor, "b k"]
) -> Int64[Tensor, "b m k"]:
    """k, or the number of exact copies of the row where they outnumber it."""
    wanted = k[:, None].expand(-1, radius.shape[1], -1)
    if bool((radius > TINY).all()):
        return wanted
    copies = (joint < TINY).sum(-1, keepdim=True)
    return torch.where(radius > TINY, wanted, copies.expand_as(wanted))


def count_true(flags: Bool[Tensor, "b 2 m n"]) -> Int32[Tensor, "b 2 m"]:
    """How many are true: eight flags make a word whose bytes count side by side, ten times as fast."""
    words = flags.view(torch.int64)
    groups = -(-words.shape[-1] // _WORDS)
    counted: Tensor = words.unflatten(-1, (groups, -1)).sum(-1).view(torch.uint8)
    return counted.sum(-1, dtype=torch.int32)


_CHANNELS = {
    "local information": len(NEIGHBOURS),
    "asymmetry": len(NEIGHBOURS),
    "radius": len(NEIGHBOURS),
    "norms": 1,
    "asymmetry of norms": 1,
}

ROW_NEIGHBOURS = Statistic(
    name="neighbours",
    about=f"the terms of the KSG estimator at k = {', '.join(map(str, NEIGHBOURS))} (Euclidean norm per "
    "side, the larger of the two across), the asymmetry of its neighbour counts, radii, whitened norms",
    token="rows",
    channels=_CHANNELS,
    compute=tokens,
    pooled=dict.fromkeys(MEAN_AND_SPREAD, sum(_CHANNELS.values())),
    pool=pooled,
    settings={
        "neighbours": list(NEIGHBOURS),
        "rows": ROWS,
        "pooled": list(POOLED),
        "few_columns": FEW_COLUMNS,
    },
)
