"""Second-order statistics of the normal scores and of three functions of them.

Only quantities without a sign leave this file: absolute or squared correlations, spectra, norms.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float32, Float64
from torch import Tensor
from torch.nn import functional as F

from mizzle.model.batch import Batch
from mizzle.model.statistics.statistic import Context, Statistic

RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0)
NORM_RIDGE = 1  # index into RIDGES used for the whitened norms of rows
PARTIAL_RIDGES = (0.1, 1.0)
CROSS = ("z", "z^2", "tanh 3z", "z^3 - 3z", "z with z^2", "z^2 with z")  # functions of x and of y
WITHIN = CROSS[:2]  # of two columns of one side
_TOP = 3  # canonical correlations that enter the global token by themselves
_NEVER_ONE = 1.0 - 1e-6


class Linear(NamedTuple):
    """What the joint correlation matrix of the normal scores says.

    `canonical` and `robust` are canonical correlations at each ridge, in falling order; `robust` gives rows
    far out less weight, and so does not mistake heavy joint tails for lack of correlation. `unit` are the
    standardised columns, `cross` their correlations across, `roots` whiten a side.
    """

    canonical: Float64[Tensor, "b r d"]
    robust: Float64[Tensor, "b r d"]
    norms: Float64[Tensor, "b 2 n"]
    partial: Float64[Tensor, "b p d d"]
    explained: Float64[Tensor, "b 2 d"]
    unit: Float64[Tensor, "b 2 n d"]
    roots: Float64[Tensor, "b 2 d d"]
    cross: Float64[Tensor, "b d d"]


class Pairs(NamedTuple):
    """Absolute correlations of functions of two columns; e counts `CROSS` and `WITHIN`."""

    cross: Float32[Tensor, "b e d d"]
    within: Float32[Tensor, "b e 2 d d"]


def information(correlation: Tensor) -> Tensor:
    """-1/2 log(1 - r^2): the mutual information in nats of a bivariate normal with correlation r."""
    return -0.5 * torch.log1p(-correlation.clamp(-_NEVER_ONE, _NEVER_ONE).square())


def standardise(batch: Batch, values: Float[Tensor, "b *f 2 n d"]) -> Float[Tensor, "b *f 2 n d"]:
    """Columns of mean 0 and unit length over the data's rows; columns that do not vary become 0.

    Args:
        values: 0 on padding.
    """
    ones = [1] * (values.ndim - 3)
    n, rows = batch.n.view(-1, *ones, 1, 1), batch.rows.view(len(values), *ones, -1, 1)
    # In single precision the mean of equal values is not that value, and what is left would seem to vary.
    mean = (values.sum(-2, keepdim=True, dtype=torch.float64) / n).to(values.dtype)
    centred = (values - mean) * rows
    # In single precision vector_norm errs by 3e-6 of 10,000 rows, and a root of 0 has no gradient.
    length = centred.square().sum(-2, keepdim=True).clamp_min(1e-12).sqrt()
    return torch.where(length > 1e-4, centred / length.clamp_min(1e-4), 0)


def pairs(context: Context) -> Pairs:
    """|correlation| between columns under z, z^2, tanh 3z, z^3 - 3z, and z against z^2 both ways.

    In double precision: the information of a correlation near 1 multiplies its error by up to 1 / (1 - r^2).
    """
    columns = standardise(context.batch, torch.stack(functions(context.scores), 1).double())
    x, y = columns.unbind(2)
    first = columns[:, : len(WITHIN)]
    cross = [x.transpose(-1, -2) @ y, x[:, :2].transpose(-1, -2) @ y[:, :2].flip(1)]
    return Pairs(torch.cat(cross, 1).abs().float(), (first.transpose(-1, -2) @ first).abs().float())


def functions(z: Tensor) -> list[Tensor]:
    """z, z^2, tanh 3z and z^3 - 3z, each rounded once."""
    wide = z.double()
    values = [wide, wide * wide, torch.tanh(3 * wide), wide * (wide * wide - 3)]
    return [value.to(z.dtype) for value in values]


def linear(context: Context) -> Linear:
    """Ridge canonical correlations, plain and robust; whitened row norms; partial correlations.

    The robust ones come from rows divided by their whitened length: for an elliptical sample that leaves the
    dispersion, whatever the tails (one step towards Tyler 1987).
    """
    batch = context.batch
    unit = standardise(batch, context.scores.double())
    within, cross = _covariance(batch, unit)
    axes, scale = _whitening(within, _noise(batch), RIDGES)
    norms = _norms(batch, unit, axes, scale[:, NORM_RIDGE])
    length = (norms / batch.dims[..., None]).mean(1).clamp_min(0.05).sqrt()
    shrunk_within, shrunk_cross = _covariance(batch, standardise(batch, unit / length[:, None, :, None]))
    robust = _canonical(shrunk_cross, *_whitening(shrunk_within, _noise(batch), RIDGES))
    partial, explained = _precision(batch, within, cross)
    roots = axes * scale[:, NORM_RIDGE, :, None] @ axes.transpose(-1, -2)
    return Linear(_canonical(cross, axes, scale), robust, norms, partial, explained, unit, roots, cross)


def _noise(batch: Batch) -> Float64[Tensor, " b"]:
    """(dx + dy) / n: the size of sampling noise in an eigenvalue, and the unit of every ridge."""
    return batch.dims.sum(-1).double() / batch.n


def _covariance(
    batch: Batch, unit: Float64[Tensor, "b 2 n d"]
) -> tuple[Float64[Tensor, "b 2 d d"], Float64[Tensor, "b d d"]]:
    """Correlations inside each side and across. Padded columns are independent of everything.

    Their variances differ from one another, or the decomposition would have no gradient.
    """
    padding = torch.arange(2, 2 + unit.shape[-1]) * ~batch.columns
    within = unit.transpose(-1, -2) @ unit + torch.diag_embed(padding.double())
    return within, unit[:, 0].transpose(-1, -2) @ unit[:, 1]


def _whitening(
    within: Float64[Tensor, "b 2 d d"], noise: Float64[Tensor, " b"], ridges: tuple[float, ...]
) -> tuple[Float64[Tensor, "b 2 d d"], Float64[Tensor, "b r 2 d"]]:
    """Principal axes of either side, and at every ridge the factors that bring them to unit variance."""
    values, axes = torch.linalg.eigh(within)
    level = torch.tensor(ridges, dtype=torch.float64) * noise[:, None]
    return axes, (values.clamp_min(0)[:, None] + level[:, :, None, None]).rsqrt()


def _canonical(
    cross: Float64[Tensor, "b d d"], axes: Float64[Tensor, "b 2 d d"], scale: Float64[Tensor, "b r 2 d"]
) -> Float64[Tensor, "b r d"]:
    """Canonical correlations at every ridge, in falling order, from what `_whitening` gave."""
    rotated = axes[:, 0].transpose(-1, -2) @ cross @ axes[:, 1]
    core = scale[:, :, 0, :, None] * rotated[:, None] * scale[:, :, 1, None, :]
    squared = torch.linalg.eigvalsh(core @ core.transpose(-1, -2)).flip(-1)
    rho: Tensor = squared.clamp(1e-12, 1).sqrt()
    return rho


def _norms(
    batch: Batch,
    unit: Float64[Tensor, "b 2 n d"],
    axes: Float64[Tensor, "b 2 d d"],
    scale: Float64[Tensor, "b 2 d"],
) -> Float64[Tensor, "b 2 n"]:
    """Whitened squared length of every row."""
    return (unit @ axes * scale[:, :, None]).square().sum(-1) * batch.n[:, None, None]


def _precision(
    batch: Batch,
    within: Float64[Tensor, "b 2 d d"],
    cross: Float64[Tensor, "b d d"],
) -> tuple[Float64[Tensor, "b p d d"], Float64[Tensor, "b 2 d"]]:
    """|Partial correlations| across the sides, and 1 - 1 / (precision x variance) per column."""
    joint = torch.cat(
        [
            torch.cat([within[:, 0], cross], -1),
            torch.cat([cross.transpose(-1, -2), within[:, 1]], -1),
        ],
        -2,
    )
    level = torch.tensor(PARTIAL_RIDGES, dtype=torch.float64) * _noise(batch)[:, None]
    eye = torch.eye(joint.shape[-1], dtype=torch.float64)
    inverse = torch.linalg.inv(joint[:, None] + level[:, :, None, None] * eye)
    diagonal = inverse.diagonal(dim1=-2, dim2=-1)
    partial = inverse / (diagonal[..., :, None] * diagonal[..., None, :]).sqrt()
    d = cross.shape[-1]
    explained = 1 - 1 / (diagonal[:, 0] * (1 + level[:, :1]))
    return partial[..., :d, d:].abs(), explained.clamp(0, 1).unflatten(-1, (2, d))


def spectrum_mask(context: Context) -> Bool[Tensor, "b j"]:
    """Which canonical correlations exist: as many as the smaller side has columns."""
    batch = context.batch
    return torch.arange(batch.columns.shape[-1]) < batch.dims.amin(-1, keepdim=True)


def spectrum(context: Context) -> Float32[Tensor, "b j e"]:
    """Token j: the j-th canonical correlation and its information at each ridge, plain and robust."""
    rho = context.once(_correlations).transpose(1, 2)
    smaller = context.batch.dims.amin(-1, keepdim=True)
    place = (torch.arange(rho.shape[1]) / smaller).clamp_max(1)[..., None]
    return torch.cat([rho, information(rho), place], -1)


def pooled_spectrum(context: Context) -> Float32[Tensor, "b e"]:
    """Gaussian information and total squared correlation at each ridge, and the largest correlations."""
    rho = context.once(_correlations)
    top = F.pad(rho, (0, _TOP))[..., :_TOP].flatten(1)
    return torch.cat([information(rho).sum(-1), rho.square().sum(-1), top], -1)


def _correlations(context: Context) -> Float32[Tensor, "b r j"]:
    """Plain canonical correlations at every ridge, then robust ones."""
    axes = context.once(linear)
    return torch.cat([axes.canonical, axes.robust], 1).float()


_SPECTRA = 2 * len(RIDGES)

SPECTRUM = Statistic(
    name="spectrum",
    about="canonical correlations rho_j and -1/2 log(1 - rho_j^2) at ridges "
    f"{', '.join(f'{ridge:g}' for ridge in RIDGES)} times (dx + dy) / n; the same with each row divided by "
    "its whitened length, which for an elliptical sample leaves the dispersion whatever the tails",
    token="spectrum",
    channels={"correlation": _SPECTRA, "information": _SPECTRA, "place": 1},
    compute=spectrum,
    pooled={"information": _SPECTRA, "squared correlation": _SPECTRA, f"{_TOP} largest": _TOP * _SPECTRA},
    pool=pooled_spectrum,
    settings={"ridges": list(RIDGES)},
)


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
