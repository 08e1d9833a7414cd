"""Canonical variates: each side's columns turned so that the best correlated combinations come first.

They carry dependence that is spread thinly over many columns into a few, where curves and products can be
looked for as if the problem were small.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.statistics.moments import Linear

VARIATES = 5  # a side
_LEAST = 1e-6  # variance of a variate that exists; copies of a column leave less
_STEPS = 2.0**24  # to a standard deviation, in which variates are compared


class Variates(NamedTuple):
    """values[b, s, :, v]: whitened combinations of a side's columns; used[b, v]: which pairs exist.

    There are as many pairs as the smaller side has columns, less those that only repeat others: where one
    side has no direction left, the other's could be turned at will.
    """

    values: Float64[Tensor, "b 2 n v"]
    used: Bool[Tensor, "b v"]


def variates(batch: Batch, axes: Linear) -> Variates:
    """The first canonical variates of the normal scores, of unit variance (Hotelling 1936).

    Their directions are constants to the gradient: correlation is extremal along them.
    """
    with torch.no_grad():
        directions = _directions(batch, axes)
    values = axes.unit @ directions * batch.n.double().sqrt()[:, None, None, None]
    varies = (values.square().sum(2) > _LEAST * batch.n[:, None, None]).all(1)
    used = varies & (torch.arange(values.shape[-1]) < batch.dims.amin(-1, keepdim=True))
    return Variates(values * used[:, None, None], used)


def _directions(batch: Batch, axes: Linear) -> Float64[Tensor, "b 2 d v"]:
    """Singular vectors of the whitened cross-correlations; padded columns come last."""
    core = axes.roots[:, 0] @ axes.cross @ axes.roots[:, 1]
    grams = torch.stack([core @ core.transpose(-1, -2), core.transpose(-1, -2) @ core], 1)
    vectors = torch.linalg.eigh(grams - torch.diag_embed((~batch.columns).double())).eigenvectors
    directions: Tensor = axes.roots @ vectors.flip(-1)[..., :VARIATES]
    return directions


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
