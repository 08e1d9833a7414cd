"""Canonical variates: each side's columns turned so that the best correlated combinations come first.

They carry dependence that is spread thinly over many columns into a few, where curves and products can be
looked for as if the problem were small.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.moments import Linear, canonical, whitening

VARIATES = 5  # a side
QUADRATIC_RIDGES = (0.1, 1.0)


class Variates(NamedTuple):
    """values[b, s]: whitened combinations of a side's columns; used: which of them exist.

    A side of at most `VARIATES` columns keeps all its directions, a wider one only those that have a partner:
    the others could be turned at will.
    """

    values: Float64[Tensor, "b 2 n v"]
    used: Bool[Tensor, "b 2 v"]


def variates(batch: Batch, axes: Linear) -> Variates:
    """The first canonical variates of the normal scores, of unit variance (Hotelling 1936).

    Their directions are constants to the gradient: correlation is extremal along them.
    """
    with torch.no_grad():
        directions = _directions(batch, axes)
    values = axes.unit @ directions * batch.n.double().sqrt()[:, None, None, None]
    used = _used(batch)[..., : values.shape[-1]]
    return Variates(values * used[:, :, None], used)


def _directions(batch: Batch, axes: Linear) -> Float64[Tensor, "b 2 d v"]:
    """Singular vectors of the whitened cross-correlations; padded columns come last."""
    core = axes.roots[:, 0] @ axes.cross @ axes.roots[:, 1]
    grams = torch.stack([core @ core.transpose(-1, -2), core.transpose(-1, -2) @ core], 1)
    vectors = torch.linalg.eigh(grams - torch.diag_embed((~batch.columns).double())).eigenvectors
    directions: Tensor = axes.roots @ vectors.flip(-1)[..., :VARIATES]
    return directions


def _used(batch: Batch) -> Bool[Tensor, "b 2 v"]:
    smaller = batch.dims.amin(-1, keepdim=True)
    count = torch.where(batch.dims <= VARIATES, batch.dims, smaller)
    return torch.arange(VARIATES) < count[..., None]


def quadratic(batch: Batch, found: Variates) -> Float64[Tensor, "b r q"]:
    """Canonical correlations between the polynomials of degree two of either side's variates, at each ridge.

    Hermite's basis z_i, z_i z_j, (z_i^2 - 1) / sqrt(2): a rotation of the variates rotates it too, so that
    the ridge does not depend on how they happen to be turned.
    """
    i, j = torch.triu_indices(found.values.shape[-1], found.values.shape[-1])
    products = found.values[..., i] * found.values[..., j] * torch.where(i == j, 0.5**0.5, 1.0)
    features = torch.cat([found.values, products], -1)
    used = torch.cat([found.used, found.used[..., i] & found.used[..., j]], -1)
    n = batch.n.double()[:, None, None, None]
    centred = (features - features.sum(2, keepdim=True) / n) * batch.rows[:, None, :, None] / n.sqrt()
    padding = torch.arange(2, 2 + used.shape[-1]) * ~used  # as in `moments`
    within = centred.transpose(-1, -2) @ centred + torch.diag_embed(padding.double())
    noise = used.sum((1, 2)).double() / batch.n
    cross = centred[:, 0].transpose(-1, -2) @ centred[:, 1]
    return canonical(cross, *whitening(within, noise, QUADRATIC_RIDGES))


def centred_ranks(batch: Batch, values: Float64[Tensor, "b 2 n v"]) -> Int64[Tensor, "b 2 n v"]:
    """Rows below minus rows above, per variate; equal values share a rank; 0 on padding.

    Single precision first: it hides the order of summation, so that equal combinations stay equal.
    """
    rows = batch.rows[:, None, :, None]
    ordered, order = values.float().masked_fill(~rows, float("inf")).sort(dim=2)
    first = torch.ones_like(ordered, dtype=torch.bool)
    torch.ne(ordered[:, :, 1:], ordered[:, :, :-1], out=first[:, :, 1:])
    place = torch.arange(ordered.shape[2])[:, None]
    start = torch.where(first, place, 0).cummax(2).values
    last = first.roll(-1, 2)
    end = -torch.where(last, place, len(place)).neg().flip(2).cummax(2).values.flip(2)
    n = batch.n[:, None, None, None]
    ranks = torch.empty_like(order).scatter_(2, order, start + end - (n - 1))
    return ranks.where(rows, 0)
