"""Neighbourhoods of query rows: who the nearest rows are, in what metric, and how many dimensions they fill.

Axes: see `batch.py`; here D is dx + dy, e is 2 d, p counts monomials, h neighbours and t scales. Rows stand
in the order of their content, so that ties among distances are broken by what rows hold.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.batch import Batch
from mizzle.model.statistics.neighbours import AT_ONCE, TINY, digammas, kth, missing_rows, smallest, within
from mizzle.model.statistics.queries import QueryRows, content_order, fewer_queries
from mizzle.model.statistics.statistic import Context, Statistic

BEYOND = (2, 10)  # neighbours beyond D: fewer have no covariance, more see the bend
SMALL = 3  # another k, for its small bias
_FAR = 1e30  # squared distance of padding
SCALES = (6, 20)  # neighbours within a side that its dimension is read from
EVERY = 2  # query row that dimensions and covariances of all columns are read from


class Points(NamedTuple):
    """What distances are measured among, in the order of `content_order`, and which rows are looked up.

    Attributes:
        values: 0 on padding; rows are added until they fill whole words.
        outside: which rows are padding.
        queries: rows that are looked up, by their places in this order.
        k: numbers of neighbours whose radius is counted in: D + `BEYOND` and `SMALL`, below n.
    """

    values: Float64[Tensor, "b 2 n d"]
    outside: Bool[Tensor, "b n"]
    queries: QueryRows
    k: Int64[Tensor, "b 3"]


class Neighbourhoods(NamedTuple):
    """What the nearest rows of every query row say.

    Attributes:
        counted: local KSG terms at k of `Points`, in nats.
        nearest: the D + `BEYOND[1]` nearest rows, nearest first.
        ratios: mean of log(e_k / e_j) over the nearer neighbours j, at k of `SCALES`, of x, y and both, at
            every second row; e is the distance.
    """

    counted: Float64[Tensor, "b m 3"]
    nearest: Int64[Tensor, "b m h"]
    ratios: Float64[Tensor, "b half t 3"]


def points(context: Context) -> Points:
    """All columns of the batch, in double precision."""
    batch, order = context.batch, context.once(content_order)
    rows = context.once(fewer_queries)
    missing = missing_rows(order.shape[1])
    values = context.scores.double().gather(2, order[:, None, :, None].expand_as(context.scores))
    outside = F.pad(~batch.rows.gather(1, order), (0, missing), value=True)
    queries = QueryRows(order.argsort(-1).gather(1, rows.places), rows.valid)
    return Points(F.pad(values, (0, 0, 0, missing)), outside, queries, numbers(batch))


def numbers(batch: Batch) -> Int64[Tensor, "b 3"]:
    """See k of `Points`."""
    beyond = batch.dims.sum(-1, keepdim=True) + torch.tensor(BEYOND)
    return F.pad(beyond, (0, 1), value=SMALL).minimum(batch.n[:, None] - 1)


def among_all(context: Context) -> Neighbourhoods:
    """Neighbourhoods among all columns, by the Euclidean distance of either side."""
    return neighbourhoods(context.batch, context.once(points), dimensions=True)


@torch.no_grad()  # the choice of neighbours is a constant to the gradient
def neighbourhoods(
    batch: Batch,
    points: Points,
    metric: Float64[Tensor, "b 2 m d d"] | None = None,
    *,
    dimensions: bool = False,
) -> Neighbourhoods:
    """Look up all query rows.

    Args:
        metric: of every query row and side, positive definite; Euclidean without it.
        dimensions: whether `ratios` are wanted.
    """
    functions = _functions(points, metric is not None)
    cells = len(functions) * functions.shape[-1]
    step = EVERY * max(1, AT_ONCE[functions.device.type] // (EVERY * cells))
    places = points.queries.places.split(step, 1)
    metrics = [None] * len(places) if metric is None else metric.split(step, 2)
    chunks = zip(places, metrics, strict=True)
    parts = [_of(batch, points, functions, *chunk, dimensions) for chunk in chunks]
    inside, ranks, nearest, ratios = zip(*parts, strict=True)
    total, marginal = digammas(batch, torch.cat(inside, 2), torch.cat(ranks, 1))
    return Neighbourhoods(total - marginal.sum(1), torch.cat(nearest, 1), torch.cat(ratios, 1))


def _of(
    batch: Batch,
    points: Points,
    functions: Float64[Tensor, "b 2 p n"],
    places: Int64[Tensor, "b m"],
    metric: Float64[Tensor, "b 2 m d d"] | None,
    dimensions: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What `within` gives of some query rows, then `nearest` and `ratios` of `Neighbourhoods`."""
    sides = _distances(points, functions, places, metric)
    joint = torch.maximum(*sides.unbind(1))
    largest = int(points.k.max())
    closest, index = _nearest(joint, max(largest, max(SCALES) * dimensions))
    inside, ranks = within(sides, joint, kth(closest, points.k), points.k)
    ratios = points.values.new_zeros(len(sides), 0, len(SCALES), 3)
    if dimensions:
        ratios = _ratios(batch, sides[:, :, ::EVERY], closest[:, ::EVERY])
    return inside, ranks, index[..., :largest], ratios


def _nearest(joint: Float32[Tensor, "b m n"], k: int) -> tuple[Tensor, Tensor]:
    """The k smallest distances and where they are; of equal ones those that stand first.

    Distances of copies are rounding, and so count as equal. Bits of a float that is not negative rise with
    it, so that with places behind them no two keys are equal.
    """
    joint = joint.clamp_min(TINY)
    values, places = smallest(joint, k + 1)
    if bool(((values[..., 1:] == values[..., :-1]) & (values[..., 1:] < _FAR)).any()):
        keys = (joint.view(torch.int32).long() << 32) + torch.arange(joint.shape[-1])
        places = keys.topk(places.shape[-1], dim=-1, largest=False).indices
    return values[..., :k], places[..., :k]


def _functions(points: Points, quadratic: bool) -> Float64[Tensor, "b 2 p n"]:
    """What distances are linear in: whether a row is padding, 1, z, and |z|^2 or all z_i z_j with i <= j."""
    columns = points.values.transpose(-1, -2)
    ones = torch.ones_like(columns[:, :, :1])
    outside = points.outside[:, None, None].expand_as(ones)
    if quadratic:
        i, j = torch.triu_indices(*2 * [columns.shape[2]])
        squares = columns[:, :, i] * columns[:, :, j]
    else:
        squares = columns.square().sum(2, keepdim=True)
    return torch.cat([outside, ones, columns, squares], 2)


def _distances(
    points: Points,
    functions: Float64[Tensor, "b 2 p n"],
    places: Int64[Tensor, "b m"],
    metric: Float64[Tensor, "b 2 m d d"] | None,
) -> Float32[Tensor, "b 2 m n"]:
    """(z - z_q)' P (z - z_q) of all rows z; infinite to self, `_FAR` and more to padding.

    Formed in double precision: the rounding to single afterwards hides the order of summation.
    """
    d = points.values.shape[-1]
    q = points.values.gather(2, places[:, None, :, None].expand(-1, 2, -1, d))
    image, products = q, torch.ones_like(q[..., :1])
    if metric is not None:
        i, j = torch.triu_indices(d, d)
        image = (metric @ q[..., None])[..., 0]
        products = metric[..., i, j] * torch.where(i == j, 1.0, 2.0)
    far = torch.full_like(q[..., :1], _FAR)
    left = torch.cat([far, (q * image).sum(-1, keepdim=True), -2 * image, products], -1)
    distance = (left @ functions).float()
    return distance.scatter_(-1, places[:, None, :, None].expand(-1, 2, -1, 1), float("inf"))


def covariances(
    points: Points, nearest: Int64[Tensor, "b m h"], k: Int64[Tensor, " b"]
) -> Float64[Tensor, "b m e e"]:
    """Of (x, y) among the k nearest rows, about their own mean; padded columns have variance 0."""
    both = points.values.transpose(1, 2).flatten(2)
    nearest = nearest[..., : int(k.max())]
    chosen = nearest.flatten(1)[..., None].expand(-1, -1, both.shape[-1])
    rows = both.gather(1, chosen).unflatten(1, nearest.shape[1:])
    included = (torch.arange(nearest.shape[-1]) < k[:, None])[:, None, :, None]
    count = k[:, None, None, None]
    centred = (rows - (rows * included).sum(2, keepdim=True) / count) * included
    covariance: Tensor = centred.transpose(-1, -2) @ centred / (count - 1).clamp_min(1)
    return covariance


def with_ridge(
    batch: Batch, covariance: Float64[Tensor, "b m *c e e"], ridge: float
) -> Float64[Tensor, "b m *c e e"]:
    """With a ridge relative to the mean variance; padded columns get a variance of their own, 1."""
    columns = _columns(batch, covariance)
    return covariance + torch.diag_embed(
        columns * (ridge * mean_diagonal(batch, covariance) + TINY) + (1 - columns)
    )


def mean_diagonal(batch: Batch, matrices: Float64[Tensor, "b m *c e e"]) -> Float64[Tensor, "b m *c 1"]:
    """Mean of the diagonal over the columns that exist."""
    columns = _columns(batch, matrices)
    diagonal = matrices.diagonal(dim1=-2, dim2=-1)
    return (diagonal * columns).sum(-1, keepdim=True) / columns.sum(-1, keepdim=True)


def _columns(batch: Batch, matrices: Float64[Tensor, "b m *c e e"]) -> Float64[Tensor, "b ... e"]:
    """1 for columns that exist and 0 for padding, beside diagonals of these matrices."""
    return batch.columns.double().view(len(matrices), *[1] * (matrices.ndim - 3), -1)


# Geometry of the sides


def _ratios(
    batch: Batch, sides: Float32[Tensor, "b 2 m n"], closest: Float32[Tensor, "b m h"]
) -> Float64[Tensor, "b m t 3"]:
    """See `Neighbourhoods`."""
    h = min(max(SCALES), sides.shape[-1])
    of_sides = [smallest(side, h)[0] for side in sides.unbind(1)]
    squared = torch.stack([*of_sides, closest[..., :h]], -1).double().clamp_min(TINY)
    by_scale = []
    for scale in SCALES:
        k = (batch.n - 1).clamp_max(scale)[:, None, None, None]
        last = squared.gather(2, (k - 1).expand(-1, squared.shape[1], 1, 3))
        nearer = torch.arange(h)[:, None] < k - 1
        logs = ((last / squared).log().clamp(0, 30) / 2).where(nearer, 0)
        by_scale.append(logs.sum(2) / (k[:, 0] - 1).clamp_min(1))
    return torch.stack(by_scale, 2)


def dimensions(context: Context) -> Float64[Tensor, "b t 3"]:
    """Intrinsic dimensions of the smaller side, the larger and both, by scale (Levina and Bickel 2004).

    The inverse of the mean of `ratios`, as MacKay and Ghahramani (2005) have it: columns that are computed
    from others add columns, and no dimension.
    """
    valid = context.once(points).queries.valid[:, ::EVERY, None, None]
    mean = (context.once(among_all).ratios * valid).sum(1) / valid.sum(1)
    dimension = 1 / mean.clamp_min(1e-3)
    low, high = dimension[..., :2].aminmax(dim=-1)
    return torch.stack([low, high, dimension[..., 2]], -1)


def local_covariances(context: Context) -> Float64[Tensor, "b half e e"]:
    """Covariances of all columns among the D + `BEYOND[1]` nearest rows, of every second query row."""
    own = context.once(points)
    return covariances(own, context.once(among_all).nearest[:, ::EVERY], own.k[:, 1])


def _participation(covariance: Float64[Tensor, "*b d d"]) -> Float64[Tensor, "*b"]:
    """(sum of the eigenvalues)^2 / (sum of their squares): how many directions share the variance."""
    trace = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)
    ratio: Tensor = trace.square() / covariance.square().sum((-1, -2)).clamp_min(TINY)
    return ratio.clamp_min(1)


def geometry(context: Context) -> Float32[Tensor, "b g"]:
    """Logs of dimensions and participation ratios, each of the smaller and of the larger."""
    batch, valid = context.batch, context.once(points).queries.valid[:, ::EVERY, None]
    z = context.scores.double()
    centred = (z - z.sum(2, keepdim=True) / batch.n[:, None, None, None]) * batch.cells
    overall = _participation(centred.transpose(-1, -2) @ centred).log()
    own, d = context.once(local_covariances), z.shape[-1]
    local = torch.stack([_participation(own[..., :d, :d]), _participation(own[..., d:, d:])], -1).log()
    local = (local * valid).sum(1) / valid.sum(1)
    ordered = [ratio.sort(-1).values for ratio in (overall, local)]
    return torch.cat([context.once(dimensions).log().flatten(1), *ordered], -1).float()


GEOMETRY = Statistic(
    name="geometry",
    about=f"intrinsic dimensions of the smaller side, the larger and both, from {SCALES[0]} and from "
    f"{SCALES[1]} neighbours; participation ratios of either side, overall and among neighbours: columns "
    "that are computed from others add no dimension",
    pooled={"dimensions": 3 * len(SCALES), "participation": 2, "participation among neighbours": 2},
    pool=geometry,
    settings={"scales": list(SCALES)},
)
