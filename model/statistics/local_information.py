"""Local information in each query row's own metric: right on manifolds and behind bends, unlike spectra.

Around a query row the nearest rows are nearly jointly normal, whatever bends the space. Their covariance C
says how much of the dependence lies within the neighbourhood, as in LNC (Gao, Ver Steeg and Galstyan 2015),
and the counts of Kraskov et al. (2004) say the rest. A second round measures distance in units of what the
other side leaves open, with P = Cov(x | y)^-1 and Q = Cov(y | x)^-1 of the neighbourhood: directions that
tell nothing are short, coupled ones long. Sides of more than `WIDE` columns are first projected on the
directions that the other side tells something about.

Axes: as in `neighbourhoods.py`; here r counts `RIDGES` and w the columns after projection.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.statistics.neighbourhoods import (
    BEYOND,
    EVERY,
    SMALL,
    Neighbourhoods,
    Points,
    among_all,
    covariances,
    local_covariances,
    mean_diagonal,
    neighbourhoods,
    numbers,
    points,
    with_ridge,
)
from mizzle.model.statistics.queries import ROWS, evenly
from mizzle.model.statistics.statistic import MEAN_AND_SPREAD, Context, Statistic, mean_and_spread

RIDGES = (0.001, 0.03)  # of the mean variance: apart on manifolds, whose covariances are singular
METRIC_RIDGE = 0.01
WIDE = 8  # columns of a side up to which all are looked at, and directions of a wider one
_LEAST = 1e-12  # a pivot
_TELLS = 1 + 1e-9  # variance, over that which the other side leaves open, of a direction that it tells about


class Frame(NamedTuple):
    """Where neighbours are looked for, all columns or directions of wide sides, and the first round there."""

    batch: Batch
    points: Points
    first: Neighbourhoods
    covariances: Float64[Tensor, "b m e e"]  # of the first round, at D + `BEYOND[1]`


def frame(context: Context) -> Frame:
    """All columns where no side of the batch is wide."""
    batch, own = context.batch, context.once(points)
    if batch.columns.shape[-1] <= WIDE:
        first = context.once(among_all)
        return Frame(batch, own, first, covariances(own, first.nearest, own.k[:, 1]))
    narrow = Batch(batch.ranks[..., :WIDE], batch.rows, batch.columns[..., :WIDE])
    values = own.values @ directions(batch, context.once(local_covariances), own)
    projected = own._replace(values=values, k=numbers(narrow))
    first = neighbourhoods(narrow, projected)
    return Frame(narrow, projected, first, covariances(projected, first.nearest, projected.k[:, 1]))


@torch.no_grad()
def directions(
    batch: Batch, covariance: Float64[Tensor, "b half e e"], points: Points
) -> Float64[Tensor, "b 2 d w"]:
    """Those along which a side varies most in units of what the other side leaves open, locally.

    Generalised eigenvectors of the mean of the neighbourhoods' C_xx and of their Cov(x | y), on one scale. A
    side that is not wide keeps its columns.
    """
    d, valid = batch.columns.shape[-1], points.queries.valid[:, ::EVERY, None, None]
    size = mean_diagonal(batch, covariance).clamp_min(_LEAST)
    scaled = with_ridge(batch, covariance / size[..., None], METRIC_RIDGE)
    identity = torch.eye(d, WIDE, dtype=torch.float64)
    sides = []
    for s, (own, other) in enumerate([(slice(0, d), slice(d, None)), (slice(d, None), slice(0, d))]):
        root = torch.linalg.cholesky_ex(scaled[..., other, other])[0]
        half = torch.linalg.solve_triangular(root, scaled[..., other, own], upper=False)
        left_open = scaled[..., own, own] - half.transpose(-1, -2) @ half
        varies, open_mean = ((c * valid).sum(1) / valid.sum(1) for c in (scaled[..., own, own], left_open))
        varies = varies - 0.5 * torch.diag_embed((~batch.columns[:, s]).double())  # padding comes last
        best = _generalised(varies, open_mean)[..., :WIDE]
        sides.append(torch.where((batch.dims[:, s] > WIDE)[:, None, None], best, identity))
    return torch.stack(sides, 1)


def _generalised(a: Float64[Tensor, "b d d"], b: Float64[Tensor, "b d d"]) -> Float64[Tensor, "b d d"]:
    """Generalised eigenvectors v of a v = lambda b v with v' b v = 1, largest lambda first.

    Zero where lambda is 1: the other side tells nothing along all of these, and no few of them are the first.
    """
    root = torch.linalg.cholesky_ex(b)[0]
    half = torch.linalg.solve_triangular(root, a, upper=False)
    core = torch.linalg.solve_triangular(root, half.transpose(-1, -2), upper=False)
    values, vectors = torch.linalg.eigh((core + core.transpose(-1, -2)) / 2)
    vectors = (vectors * (values > _TELLS)[:, None]).flip(-1)
    generalised: Tensor = torch.linalg.solve_triangular(root.transpose(-1, -2), vectors, upper=True)
    return generalised


def terms(context: Context) -> Float32[Tensor, "b m e"]:
    """Channels of all query rows: counts of both rounds, those with a Gaussian term, and at a small k."""
    own = context.once(frame)
    second = neighbourhoods(own.batch, own.points, metric(own))
    counted = torch.cat([own.first.counted[..., :-1], second.counted[..., :-1]], -1)
    both = counted[..., 1:, None] + _gaussian(own, second)
    values = [counted, both.flatten(2), second.counted[..., -1:]]
    return torch.cat(values, -1).float() * own.points.queries.valid[..., None]


@torch.no_grad()
def metric(own: Frame) -> Float64[Tensor, "b 2 m w w"]:
    """Cov(x | y)^-1 and Cov(y | x)^-1 of every query row, on a common scale of about 1.

    Only their ratio matters to who is near, but distances of copies must stay rounding.
    """
    ridged = with_ridge(own.batch, own.covariances, METRIC_RIDGE)
    precision = torch.cholesky_inverse(torch.linalg.cholesky_ex(ridged)[0])
    precision = precision / mean_diagonal(own.batch, precision)[..., None]
    w = precision.shape[-1] // 2
    return torch.stack([precision[..., :w, :w], precision[..., w:, w:]], 1)


def _gaussian(own: Frame, second: Neighbourhoods) -> Float64[Tensor, "b m c r"]:
    """1/2 log(det C_xx det C_yy / det C) less its mean under independence, by ridge.

    Of the D + `BEYOND[1]` nearest rows in the first round, and of both numbers in the second.
    """
    k, w = own.points.k, own.points.values.shape[-1]
    of_second = [covariances(own.points, second.nearest, k[:, i]) for i in range(2)]
    stacked = torch.stack([own.covariances, *of_second], 2)
    ridged = torch.stack([with_ridge(own.batch, stacked, ridge) for ridge in RIDGES], 3)
    alone = _log_pivots(ridged[..., w:, w:]).sum(-1)
    after_x = _log_pivots(ridged)[..., w:].sum(-1)
    bias = torch.stack([_bias(own.batch, k[:, i]) for i in (1, 0, 1)], -1)
    return (alone - after_x) / 2 - bias[:, None, :, None]


def _log_pivots(matrix: Float64[Tensor, "... e e"]) -> Float64[Tensor, "... e"]:
    """Logs of the pivots of elimination, which sum to the log determinant of every leading block."""
    root = torch.linalg.cholesky_ex(matrix)[0]
    logs: Tensor = 2 * root.diagonal(dim1=-2, dim2=-1).clamp_min(_LEAST).log()
    return logs


def _bias(batch: Batch, k: Int64[Tensor, " b"]) -> Float64[Tensor, " b"]:
    """Mean of the Gaussian term under independence, from those of log-Wishart determinants; 0 for k <= D."""
    total = batch.dims.sum(-1)
    freedom = (k[:, None] - 1 - torch.arange(int(total.max()))).double() / 2
    terms = torch.digamma(freedom.clamp_min(0.25)).cumsum(-1)
    x, y, both = (terms.gather(-1, d[:, None] - 1)[:, 0] for d in (*batch.dims.unbind(-1), total))
    return torch.where(k > total, (x + y - both) / 2, 0)


def tokens(context: Context) -> Float32[Tensor, "b m e"]:
    """Channels of the rows that become tokens."""
    values = context.once(terms)
    place, valid = evenly(context.once(points).queries.valid, ROWS)
    return values.gather(1, place[..., None].expand(-1, -1, values.shape[-1])) * valid[..., None]


def pooled(context: Context) -> Float32[Tensor, "b g"]:
    """Mean and spread over all query rows, not only over those that become tokens."""
    return mean_and_spread(context.once(terms), context.once(points).queries.valid)


_COUNTED = 2 * len(BEYOND)
_CHANNELS = {
    "counted": _COUNTED,
    "with Gaussian term": (_COUNTED - 1) * len(RIDGES),
    f"own metric at {SMALL}": 1,
}

LOCAL_INFORMATION = Statistic(
    name="local information",
    about=f"the terms of the KSG estimator at k = dx + dy + {BEYOND[0]} and + {BEYOND[1]}, alone and with "
    "what the covariance of these neighbours tells, in the Euclidean metric and in the row's own; in the "
    f"latter also at k = {SMALL}",
    token="rows",
    channels=_CHANNELS,
    compute=tokens,
    pooled=dict.fromkeys(MEAN_AND_SPREAD, sum(_CHANNELS.values())),
    pool=pooled,
    settings={
        "beyond": [*BEYOND, SMALL],
        "local_ridges": [*RIDGES, METRIC_RIDGE],
        "directions": WIDE,
    },
)
