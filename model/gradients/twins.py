"""Twins of the statistics that count: the same tokens of the same rows, with a gradient."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.gradients.counts import Counted, counted
from mizzle.model.gradients.tables import soft_fine, soft_information
from mizzle.model.statistics import bins, edges, local_information, neighbourhoods, neighbours, variates
from mizzle.model.statistics.local_information import RIDGES, Frame, frame
from mizzle.model.statistics.moments import linear, pairs
from mizzle.model.statistics.neighbourhoods import Neighbourhoods, Points, covariances, points, with_ridge
from mizzle.model.statistics.neighbours import NEIGHBOURS, Neighbours
from mizzle.model.statistics.queries import ROWS, QueryRows, evenly, fewer_queries
from mizzle.model.statistics.statistic import Context, Result


class SoftContext(Context):
    """A context whose counting statistics have a gradient in its scores; what they choose is exact."""

    def once(self, compute: Callable[[Context], Result]) -> Result:
        """What the twin of `compute` gives, or `compute` itself where it has none; at the first call only."""
        if compute not in self._results:
            self._results[compute] = TWINS.get(compute, compute)(self)
        return cast(Result, self._results[compute])


def chosen(context: Context) -> edges.Edges:
    """Twin of `edges.chosen`: the same pairs."""
    with torch.no_grad():
        ties = (context.once(pairs).cross[:, 0] + context.once(linear).partial[:, 0]) / 2
        return edges.strongest(context.batch, bins.binned_information(context)[:, 0], ties)


def of_all_columns(context: Context) -> Neighbours:
    """Twin of `neighbours.of_all_columns`, of the rows in `queries.fewer_queries` alone."""
    return _neighbours(context.batch, context.scores, context.once(fewer_queries))


def token_points(context: Context) -> Points:
    """Twin of `neighbourhoods.points`: only the rows that become tokens are looked up, in half the time."""
    own = points(context)
    place, valid = evenly(own.queries.valid, ROWS)
    return own._replace(queries=QueryRows(own.queries.places.gather(1, place), valid))


def in_plane(context: Context) -> Neighbours:
    """Twin of `variates.in_plane`, of the rows that become tokens."""
    batch, rows = context.batch, context.once(neighbours.of_tokens)
    if batch.columns.shape[-1] == 1:
        return rows
    plane = _neighbours(
        batch, context.once(variates.first_pairs).float(), QueryRows(rows.queries, rows.valid)
    )
    single = (batch.dims.amax(-1) == 1)[:, None, None]
    return plane._replace(local=rows.local.where(single, plane.local))


def _neighbours(batch: Batch, z: Float[Tensor, "b 2 n d"], rows: QueryRows) -> Neighbours:
    k = torch.tensor(NEIGHBOURS).expand(len(z), -1).minimum(batch.n[:, None] - 1)
    counts = counted(z.double(), rows.places, k)
    gap = (counts.marginal[:, 0] - counts.marginal[:, 1]).abs()
    values = (_local(batch, counts, k), gap, counts.log_radius.exp())
    return Neighbours(rows.places, rows.valid, *(value.float() for value in values))


def _local(batch: Batch, counts: Counted, k: Tensor) -> Float[Tensor, "b m k"]:
    """psi(k) + psi(n) - psi(n_x + 1) - psi(n_y + 1)."""
    total = torch.digamma(k.double()) + torch.digamma(batch.n.double())[:, None]
    return total.to(counts.marginal.dtype)[:, None] - counts.marginal.sum(1)


def terms(context: Context) -> Float32[Tensor, "b m e"]:
    """Twin of `local_information.terms`."""
    own = context.once(frame)
    with torch.no_grad():
        metric = local_information.metric(own)
        second = neighbourhoods.neighbourhoods(own.batch, own.points, metric)
    counts = [_counted(own, None)[..., :-1], _counted(own, metric)]
    both = torch.cat([counts[0], counts[1][..., :-1]], -1)[..., 1:, None] + _gaussian(own, second)
    values = torch.cat([counts[0], counts[1][..., :-1], both.flatten(2), counts[1][..., -1:]], -1)
    return values.float() * own.points.queries.valid[..., None]


def _counted(own: Frame, metric: Float64[Tensor, "b 2 m w w"] | None) -> Float64[Tensor, "b m 3"]:
    values = own.points.values[:, :, : own.batch.rows.shape[1]]
    counts = counted(values, own.points.queries.places, own.points.k, metric)
    return _local(own.batch, counts, own.points.k)


def _gaussian(own: Frame, second: Neighbourhoods) -> Float64[Tensor, "b m c r"]:
    """1/2 log(det C_xx det C_yy / det C) to first order in C: its gradient is exact, its value is not."""
    k, w = own.points.k, own.points.values.shape[-1]
    of_second = [covariances(own.points, second.nearest, k[:, i]) for i in range(2)]
    stacked = torch.stack([own.covariances, *of_second], 2)
    with torch.no_grad():
        ridged = torch.stack([with_ridge(own.batch, stacked, ridge) for ridge in RIDGES], 3)
        slope = -_inverse(ridged)
        for side in (slice(0, w), slice(w, None)):
            slope[..., side, side] += _inverse(ridged[..., side, side])
    return (slope * stacked[:, :, :, None]).sum((-1, -2)) / 2


def _inverse(matrices: Float64[Tensor, "... e e"]) -> Float64[Tensor, "... e e"]:
    inverse: Tensor = torch.cholesky_inverse(torch.linalg.cholesky_ex(matrices)[0])
    return inverse


def dimensions(context: Context) -> Float64[Tensor, "b t 3"]:
    """Twin of `neighbourhoods.dimensions`: constant. No experiment moved by it."""
    return torch.ones(len(context.scores), len(neighbourhoods.SCALES), 3, dtype=torch.float64)


def among_all(context: Context) -> Neighbourhoods:
    """Twin of `neighbourhoods.among_all`: who the nearest are, and no ratios."""
    return neighbourhoods.neighbourhoods(context.batch, context.once(points))


TWINS: Final[Mapping[Callable[[Context], Any], Callable[[Context], Any]]] = {
    bins.binned_information: soft_information,
    edges.chosen: chosen,
    edges.fine: soft_fine,
    neighbours.of_all_columns: of_all_columns,
    variates.in_plane: in_plane,
    local_information.terms: terms,
    neighbourhoods.dimensions: dimensions,
    neighbourhoods.among_all: among_all,
    neighbourhoods.points: token_points,
}
