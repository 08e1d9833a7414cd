"""Lengths of rows: heavy joint tails depend without correlating, but make rows long on both sides."""

import torch
from jaxtyping import Float32
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.statistics.moments import NORM_RIDGE, linear
from mizzle.model.statistics.statistic import Context, Statistic


def log_norms(context: Context) -> Float32[Tensor, "b 2 n"]:
    """Log of the whitened squared norm per column of a side."""
    return (context.once(linear).norms / context.batch.dims[..., None] + 1e-3).log().float()


def coupling(context: Context) -> Float32[Tensor, "b e"]:
    """Correlation of the norms of X and Y, as logs and squared; spread of the logs, and its asymmetry."""
    batch = context.batch
    logs, norms = context.once(log_norms).double(), context.once(linear).norms
    covariances = [_row_covariance(batch, values) for values in (logs, norms)]
    variance = covariances[0].diagonal(dim1=-2, dim2=-1) * batch.dims / 2  # 1 for normal rows, large d
    spread = torch.stack([variance.sum(-1), (variance[:, 0] - variance[:, 1]).abs()], -1)
    return torch.cat([torch.stack([_correlation(c) for c in covariances], -1), spread], -1).float()


def _row_covariance(batch: Batch, values: Tensor) -> Tensor:
    rows, n = batch.rows[:, None], batch.n[:, None, None]
    mean = (values * rows).sum(-1, keepdim=True) / n
    centred = (values - mean) * rows
    return centred @ centred.transpose(-1, -2) / n


def _correlation(covariance: Tensor) -> Tensor:
    product = covariance[:, 0, 0] * covariance[:, 1, 1]
    return covariance[:, 0, 1] / (product + 1e-12).sqrt()


COUPLING = Statistic(
    name="coupling",
    about="correlation of the whitened lengths of a row's two sides, and how much these lengths vary: heavy "
    "joint tails depend without correlating",
    pooled={"correlation": 2, "spread": 2},
    pool=coupling,
    settings={"norm_ridge": NORM_RIDGE},
)
