"""Edges: the cross pairs of columns that depend most, and pairs of canonical variates, each in fine bins.

What two columns share is a problem of its own, and for one column against one the whole of it. A histogram of
equally filled bins at several widths tells it as precisely as the sample can: a table of 4 x 4 cells has next
to no bias and misses what is narrow, one of 32 x 32 misses little and is biased by known amounts.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.batch import Batch
from mizzle.model.statistics.bins import binned_information, ends, plogp
from mizzle.model.statistics.moments import CROSS, PARTIAL_RIDGES, linear, pairs
from mizzle.model.statistics.statistic import Context, Statistic
from mizzle.model.statistics.variates import VARIATES, centred_ranks, variates

EDGES = 12  # pairs of columns
EACH = (
    f"cross pair of columns, of the {EDGES} with most binned information, "
    f"and pair of canonical variates, of the first {VARIATES}"
)
# Steps to a nat, in which binned information is compared. Rounding errs by some 1e-6 nats and sampling noise
# by more than a thousandth, so a step hides the one and loses nothing to the other.
_STEPS = 1000
_TIE_BREAK = 0.9  # of a step at the utmost for what decides between equals: below 1, it never outranks a step
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
    score = (binned.double() * _STEPS).round() + _TIE_BREAK * ties
    score = score.masked_fill(~real, -1).flatten(1)
    best = score.topk(min(EDGES, score.shape[1]), sorted=True)
    d = binned.shape[-1]
    return Edges(best.indices // d, best.indices % d, best.values >= 0)


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
    nats = []
    for fewer in FINE_BINS:
        while bins > fewer:
            joint = joint[..., ::2, :] + joint[..., 1::2, :]
            joint = joint[..., ::2] + joint[..., 1::2]
            bins //= 2
        margins = (joint.sum(-1), joint.sum(-2))
        nats.append(plogp(joint).sum((-1, -2)) - sum(plogp(margin).sum(-1) for margin in margins))
    return torch.stack(nats, -1).clamp_min(0)


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


def chosen(context: Context) -> Edges:
    """The strongest pairs of columns; of equally strong ones those of larger correlations."""
    correlations = (context.once(pairs).cross[:, 0] + context.once(linear).partial[:, 0]) / 2
    return strongest(context.batch, context.once(binned_information)[:, 0], correlations)


def mask(context: Context) -> Bool[Tensor, "b k"]:
    """Which pairs of columns and which pairs of variates exist."""
    return torch.cat([context.once(chosen).mask, context.once(variates).used], 1)


def tokens(context: Context) -> Float32[Tensor, "b k e"]:
    """A pair of columns, then of variates: its information in fine bins, its correlations, kind and place."""
    of_columns, of_variates = context.once(chosen).x.shape[1], context.once(variates).used.shape[1]
    correlations = F.pad(_correlations(context), (0, 0, 0, of_variates))
    kind = torch.cat([torch.zeros(of_columns), torch.ones(of_variates)])
    place = torch.cat([torch.arange(k) / 10 for k in (of_columns, of_variates)])
    labels = torch.stack([kind, place], -1).expand(len(correlations), -1, -1)
    return torch.cat([context.once(fine), correlations, labels], -1) * context.once(mask)[..., None]


def pooled(context: Context) -> Float32[Tensor, "b g"]:
    """Fine information: largest and total over columns, total and largest over variates, first of columns."""
    values = context.once(tokens)
    fine, is_variate = values[..., : len(FINE_BINS)], values[..., -2, None]
    plain, variate = fine * (1 - is_variate), fine * is_variate
    return torch.cat([plain.amax(1), plain.sum(1), variate.sum(1), variate.amax(1), plain[:, 0]], -1)


def fine(context: Context) -> Float32[Tensor, "b k r"]:
    """Information of the chosen columns, then of the variates."""
    batch, edges = context.batch, context.once(chosen)
    columns = [
        side.gather(2, index[:, None].expand(-1, side.shape[1], -1))
        for side, index in zip(batch.ranks.unbind(1), (edges.x, edges.y), strict=True)
    ]
    others = centred_ranks(batch, context.once(variates).values).unbind(1)
    return fine_information(batch, *(torch.cat(both, -1) for both in zip(columns, others, strict=True)))


def _correlations(context: Context) -> Float32[Tensor, "b k e"]:
    """Of the chosen columns: plain ones, larger and smaller of the mixed ones, partial ones."""
    cross, mixed = context.once(pairs).cross.split([len(CROSS) - 2, 2], 1)
    symmetric = torch.cat([cross, mixed.amax(1, keepdim=True), mixed.amin(1, keepdim=True)], 1)
    return at(context.once(chosen), torch.cat([symmetric, context.once(linear).partial.float()], 1))


PAIRS = Statistic(
    name="edges",
    about=f"information of the pair in {', '.join(map(str, FINE_BINS))} equally filled bins; of columns also "
    f"their correlations under {', '.join(CROSS)}, and partial ones",
    token="edges",
    channels={
        "fine information": len(FINE_BINS),
        "correlation": len(CROSS),
        "partial correlation": len(PARTIAL_RIDGES),
        "variates": 1,
        "place": 1,
    },
    compute=tokens,
    pooled=dict.fromkeys(
        (
            "largest of columns",
            "total of columns",
            "total of variates",
            "largest of variates",
            "strongest columns",
        ),
        len(FINE_BINS),
    ),
    pool=pooled,
    settings={"edges": EDGES, "fine_bins": list(FINE_BINS), "variates": VARIATES},
)
