"""The global token: what is left of the other tokens when their axis is summed away, and the sizes."""

import torch
from jaxtyping import Bool, Float32
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.batch import Batch
from mizzle.model.statistics.edges import FINE_BINS
from mizzle.model.statistics.moments import RIDGES, Linear, information
from mizzle.model.statistics.neighbours import NEIGHBOURS, Neighbours

_TOP = 3  # canonical correlations that enter by themselves
_SHAPE = 6


def channels(of_columns: int, of_rows: int) -> int:
    """Channels of the global token, from those of a column and of a row."""
    spectra, fine = 2 * (2 + _TOP) * len(RIDGES), 5 * len(FINE_BINS)
    return 3 * of_columns + 2 * of_rows + spectra + 4 + 2 * len(NEIGHBOURS) + fine + _SHAPE


def columns(values: Float32[Tensor, "b c e"], mask: Bool[Tensor, "b c"]) -> Tensor:
    """Total, mean and largest of each channel."""
    total = values.sum(1)
    return torch.cat([total, total / mask.sum(1, keepdim=True), values.amax(1)], -1)


def rows(values: Float32[Tensor, "b m e"], mask: Bool[Tensor, "b m"]) -> Tensor:
    """Mean and spread of each channel; values are 0 where the mask is."""
    count = mask.sum(1, keepdim=True)
    mean = values.sum(1) / count
    spread = ((values - mean[:, None]) * mask[..., None]).square().sum(1) / count
    return torch.cat([mean, spread.clamp_min(1e-12).sqrt()], -1)


def spectrum(axes: Linear) -> Tensor:
    """Gaussian information and total squared correlation at each ridge, and the largest correlations."""
    rho = torch.cat([axes.canonical, axes.robust], 1).float()
    top = F.pad(rho, (0, _TOP))[..., :_TOP].flatten(1)
    return torch.cat([information(rho).sum(-1), rho.square().sum(-1), top], -1)


def near(found: Neighbours) -> Tensor:
    """Mean and spread of the local information at each k."""
    return rows(found.local * found.valid[..., None], found.valid)


def edges(values: Float32[Tensor, "b k e"]) -> Tensor:
    """Fine information: largest and total over columns, total and largest over variates, first of columns."""
    fine, variate = values[..., : len(FINE_BINS)], values[..., -2, None]
    plain, turned = fine * (1 - variate), fine * variate
    return torch.cat([plain.amax(1), plain.sum(1), turned.sum(1), turned.amax(1), plain[:, 0]], -1)


def log_norms(batch: Batch, axes: Linear) -> Float32[Tensor, "b 2 n"]:
    """Log of the whitened squared norm per column of a side."""
    return (axes.norms / batch.dims[..., None] + 1e-3).log().float()


def norm_coupling(batch: Batch, axes: Linear) -> Tensor:
    """Do long rows of X meet long rows of Y? (Heavy joint tails depend without correlating.)"""
    rows = batch.rows[:, None]
    logs = log_norms(batch, axes).double()
    coupling = [_row_covariance(values, rows, batch) for values in (logs, axes.norms)]
    variance = coupling[0].diagonal(dim1=-2, dim2=-1) * batch.dims / 2  # 1 for normal rows, large d
    spread = torch.stack([variance.sum(-1), (variance[:, 0] - variance[:, 1]).abs()], -1)
    return torch.cat([torch.stack([_correlation(c) for c in coupling], -1), spread], -1).float()


def _row_covariance(values: Tensor, rows: Tensor, batch: Batch) -> Tensor:
    n = batch.n[:, None, None]
    mean = (values * rows).sum(-1, keepdim=True) / n
    centred = (values - mean) * rows
    return centred @ centred.transpose(-1, -2) / n


def _correlation(covariance: Tensor) -> Tensor:
    product = covariance[:, 0, 0] * covariance[:, 1, 1]
    return covariance[:, 0, 1] / (product + 1e-12).sqrt()


def shape(batch: Batch) -> Tensor:
    """Sizes as logs and as the ratios that sampling noise depends on."""
    n = batch.n.double()
    low, high = batch.dims.double().sort(dim=-1).values.unbind(-1)
    logs = [n.log(), low.log(), high.log()]
    ratios = [(low + high) / n, low * high / n, 1 / n]
    return torch.stack([*logs, *ratios], -1).float()
