"""Soft twins of neighbour counts: a row is inside a radius by degrees, on a logarithmic scale of distances.

n_s(r) = sum_j clamp(log(r^2 / D_sj) / (2 h) + 1/2, 0, 1) rows lie inside r on side s, where D are squared
distances, and the radius r of the k-th neighbour is where as many of max_s D_sj do. Both are differentiated
in closed form, so that no graph of n x m distances is kept.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mizzle.model.statistics.neighbours import TINY

WIDTH = 1.0  # h, of the logarithm of squared distances
_FAR = 1e30


class Counted(NamedTuple):
    """psi(n_s + 1) of the rows inside the k-th neighbour on either side, and log r^2 of that neighbour."""

    marginal: Float[Tensor, "b 2 m k"]
    log_radius: Float[Tensor, "b m k"]


def counted(
    points: Float[Tensor, "b 2 n d"],
    places: Int64[Tensor, "b m"],
    k: Int64[Tensor, "b k"],
    metric: Float[Tensor, "b 2 m d d"] | None = None,
) -> Counted:
    """Neighbours of the rows at `places`.

    Args:
        points: 0 in columns that do not exist.
        metric: of every query row and side, constant to the gradient; Euclidean without it.
    """
    return Counted(*_Counted.apply(points, places, k, metric))  # type: ignore[no-untyped-call]


class _Counted(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, points: Tensor, places: Tensor, k: Tensor, metric: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        squared = _distances(points, places, metric)
        joint = squared.amax(1)
        nearest = joint.topk(int(k.max()), dim=-1, largest=False).values
        radius = nearest.gather(-1, (k - 1)[:, None].expand(-1, nearest.shape[1], -1))
        inside = torch.stack([(squared < radius[:, None, :, i, None]).sum(-1) for i in range(k.shape[1])], -1)
        log_radius = radius.log()
        ctx.save_for_backward(points, places, metric, squared, log_radius, inside)
        return torch.digamma(inside + 1.0).to(points.dtype), log_radius.to(points.dtype)

    @staticmethod
    def backward(ctx: Any, of_marginal: Tensor, of_radius: Tensor) -> tuple[Tensor, None, None, None]:
        points, places, metric, squared, log_radius, inside = ctx.saved_tensors
        push = of_marginal * torch.polygamma(1, inside + 1.0) / (2 * WIDTH)
        weights = _weights(squared.log(), log_radius, push.float(), of_radius.float())
        weights = weights / squared  # of d log D, then of d D
        return _to_points(points, places, metric, weights.to(points.dtype)), None, None, None


def _weights(
    logs: Float[Tensor, "b 2 m n"],
    log_radius: Float[Tensor, "b m k"],
    push: Float[Tensor, "b 2 m k"],
    of_radius: Float[Tensor, "b m k"],
) -> Float[Tensor, "b 2 m n"]:
    """Gradient in the logarithm of every squared distance; copies, which lie nowhere near, have none."""
    weights = torch.zeros_like(logs)
    joint = logs.amax(1)
    for k in range(log_radius.shape[-1]):
        at = log_radius[..., k, None]
        close = ((logs - at[:, None]).abs() < WIDTH).float()
        weights -= close * push[..., k, None]
        moved = of_radius[..., k] + (close.sum(-1) * push[..., k]).sum(1)
        at_radius = ((joint - at).abs() < WIDTH).float()
        share = at_radius * (moved / at_radius.sum(-1).clamp_min(1))[..., None]
        weights += share[:, None] * (logs >= joint[:, None])
    return weights


def _to_points(
    points: Float[Tensor, "b 2 n d"],
    places: Int64[Tensor, "b m"],
    metric: Float[Tensor, "b 2 m d d"] | None,
    weights: Float[Tensor, "b 2 m n"],
) -> Float[Tensor, "b 2 n d"]:
    """Gradient in the points of sum w_ij (z_i - z_j)' P_i (z_i - z_j)."""
    index = places[:, None, :, None].expand(-1, 2, -1, points.shape[-1])
    query = points.gather(2, index)
    of_query = query * weights.sum(-1, keepdim=True) - weights @ points
    if metric is None:
        of_others = points * weights.sum(2)[..., None] - weights.transpose(-1, -2) @ query
    else:
        of_query = (metric @ of_query[..., None])[..., 0]
        image = (metric @ query[..., None])[..., 0]
        pulled = (weights.transpose(-1, -2) @ metric.flatten(3)).unflatten(-1, metric.shape[-2:])
        of_others = (pulled @ points[..., None])[..., 0] - weights.transpose(-1, -2) @ image
    gradient: Tensor = (2 * of_others).scatter_add(2, index, 2 * of_query)
    return gradient


def _distances(
    points: Float[Tensor, "b 2 n d"], places: Int64[Tensor, "b m"], metric: Float[Tensor, "b 2 m d d"] | None
) -> Float[Tensor, "b 2 m n"]:
    """Squared, in single precision; far for the row itself."""
    index = places[:, None, :, None].expand(-1, 2, -1, points.shape[-1])
    query = points.gather(2, index)
    if metric is None:
        image = query
        squares = points.square().sum(-1)[:, :, None]
    else:
        image = (metric @ query[..., None])[..., 0]
        products = (points[..., :, None] * points[..., None, :]).flatten(3)
        squares = metric.flatten(3) @ products.transpose(-1, -2)
    cross = image @ points.transpose(-1, -2)
    squared = (query * image).sum(-1, keepdim=True) - 2 * cross + squares
    return squared.float().clamp_min(TINY).scatter(-1, index[..., :1], _FAR)
