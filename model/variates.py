"""Canonical variates: each side's columns turned so that the best correlated combinations come first.

They carry dependence that is spread thinly over many columns into a few, where curves and products can be
looked for as if the problem were small.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.moments import Linear

VARIATES = 5  # a side


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
