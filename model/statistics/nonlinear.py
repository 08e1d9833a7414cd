"""Nonlinear canonical correlations: those of functions of the columns, where columns alone may show little.

Each column enters with functions of two families. The additive ones (Lancaster 1958) undo what pushes one
column by a curve of another; the radial ones, the column times waves of the length of its row, undo rotations
that depend on the length. Each family contains the column itself, so where nothing is bent all of them say
what `moments.linear` does, and where they tell more, something is.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.statistics.moments import functions
from mizzle.model.statistics.statistic import Context, Statistic

FUNCTIONS = 4  # of each column
WIDE_FUNCTIONS = 2  # of these, where a side has more than `WIDE` columns
WIDE = 8
FUNCTION_RIDGES = (0.1, 1.0)  # in units of (functions of x + functions of y) / n
FAMILIES = 2
TOP = 3  # correlations that enter the global token by themselves
_LARGEST_SHARE = 0.9  # functions of both sides to a row, beyond which there is no correction for their number
_TINY = 1e-6
_VARIES = 1e-2  # of its size, that a function varies by, or what varies may be rounding
_LEAST = 1e-4  # ridge that rounding cannot undo
_AT_ONCE = 1 << 14  # rows that are widened to double precision together


class Nonlinear(NamedTuple):
    """Squared canonical correlations of f families at r ridges, corrected for the number of functions.

    squared[..., j] falls with j; excess is what their uncorrected sum has beyond its mean under independence.
    """

    squared: Float64[Tensor, "b f r j"]
    excess: Float64[Tensor, "b f r"]


def nonlinear(context: Context) -> Nonlinear:
    """Canonical correlations between functions of X and functions of Y, by ridges."""
    batch, z = context.batch, context.scores
    wide = batch.dims.amax(-1) > WIDE
    count = WIDE_FUNCTIONS if bool(wide.all()) else FUNCTIONS
    used = (~wide[:, None] | (torch.arange(count) < WIDE_FUNCTIONS)).float()
    families = torch.stack([*functions(z)[:count], *_radial(batch, z, count)], 1)
    gram = _correlations(batch, families.unflatten(1, (FAMILIES, count)), used)
    levels = (
        torch.tensor(FUNCTION_RIDGES, dtype=torch.float64)
        * (batch.dims.sum(-1) * used.sum(-1) / batch.n)[:, None]
    )
    return _canonical(batch, gram, levels.clamp_min(_LEAST)[:, None])


def spectrum(context: Context) -> Float32[Tensor, "b j e"]:
    """Channels of the j-th spectrum token: the j-th correlation of each family and ridge, and its nats."""
    length = context.batch.columns.shape[-1]
    squared = context.once(nonlinear).squared.flatten(1, 2).transpose(1, 2)[:, :length]
    return torch.cat([_root(squared), _nats(squared)], -1).float()


def pooled(context: Context) -> Float32[Tensor, "b e"]:
    """Channels of the global token: nats of all, of as many as there are columns, sums, and the largest."""
    squared, excess = context.once(nonlinear)
    nats = _nats(squared)
    of_columns = torch.arange(nats.shape[-1]) < context.batch.dims.amin(-1)[:, None, None, None]
    sums = [nats.sum(-1), (nats * of_columns).sum(-1), squared.sum(-1), excess]
    return torch.cat([torch.stack(sums, -1), _root(squared[..., :TOP])], -1).flatten(1).float()


def _radial(batch: Batch, z: Float32[Tensor, "b 2 n d"], count: int) -> list[Float32[Tensor, "b 2 n d"]]:
    """z cos(pi k u), u the place of a row's length among the rows: its cube root of r^2 is near normal."""
    rows, n = batch.rows[:, None], batch.n[:, None, None]
    length = z.double().square().sum(-1).clamp_min(_TINY).pow(1 / 3)
    centred = (length - (length * rows).sum(-1, keepdim=True) / n) * rows
    spread = (centred.square().sum(-1, keepdim=True) / n).clamp_min(_TINY).sqrt()
    angle = torch.pi * torch.special.ndtr(centred / spread)
    return [z, *(z * torch.cos(k * angle).float()[..., None] for k in range(1, count))]


def _correlations(
    batch: Batch, families: Float32[Tensor, "b f k 2 n d"], used: Float32[Tensor, "b k"]
) -> Float64[Tensor, "b f 2 2 p p"]:
    """Between the functions of either side and those of either; of what does not vary 0, even with itself."""
    values = families.permute(0, 1, 4, 2, 3, 5)
    shape = values.shape[3:]
    values = values.flatten(3)
    rows, n = batch.rows[:, None, :, None], batch.n[:, None, None]
    mean = values.sum(2) / n
    gram = _products((values - mean[:, :, None]) * rows)
    variance = gram.diagonal(dim1=2, dim2=3)
    varies = variance > _VARIES**2 * (variance + n * mean.double().square())
    varies = varies * used[:, None, :, None, None].expand(-1, -1, *shape).flatten(2)
    scale = varies / variance.clamp_min(_TINY**2).sqrt()
    gram = gram * scale[..., None] * scale[:, :, None]
    sides: Tensor = gram.unflatten(-1, shape).unflatten(2, shape).permute(0, 1, 3, 6, 2, 4, 5, 7)
    return sides.flatten(6).flatten(4, 5)


def _products(values: Float32[Tensor, "b f n e"]) -> Float64[Tensor, "b f e e"]:
    """Sums over rows of the products of any two columns, in double precision, so many rows at a time.

    Functions of a column of few values depend on each other linearly. In single precision their many equal
    addends are all rounded the same way, and leave an eigenvalue further below 0 than a ridge mends.
    """
    parts = (part.double() for part in values.split(_AT_ONCE, 2))
    return torch.stack([part.transpose(2, 3) @ part for part in parts]).sum(0)


def _canonical(
    batch: Batch, gram: Float64[Tensor, "b f 2 2 p p"], levels: Float64[Tensor, "b 1 r"]
) -> Nonlinear:
    p = gram.shape[-1]
    within = torch.stack([gram[:, :, 0, 0], gram[:, :, 1, 1]], 2)[:, :, None]
    eye = torch.eye(p, dtype=torch.float64)
    root = torch.linalg.cholesky(within + levels[:, :, :, None, None, None] * eye)
    half = torch.linalg.solve_triangular(root, eye.expand_as(root), upper=False)
    freedom = p - levels[..., None] * half.square().sum((-1, -2))
    core = half[..., 0, :, :] @ gram[:, :, None, 0, 1] @ half[..., 1, :, :].transpose(-1, -2)
    squared = torch.linalg.eigvalsh(core @ core.transpose(-1, -2)).flip(-1).clamp(0, 1)
    share = freedom / (batch.n - 1)[:, None, None, None]  # a mean was taken off
    excess = squared.sum(-1) - share.prod(-1) * (batch.n - 1)[:, None, None]
    fewer = share / (share.sum(-1, keepdim=True) / _LARGEST_SHARE).clamp_min(1)
    return Nonlinear(_corrected(squared, *fewer[..., None, :].unbind(-1)), excess)


def _corrected(sample: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The squared correlation that shows as `sample` among x n and y n functions of n rows, x + y < 1.

    Bao, Hu, Pan & Zhou (2019, Annals of Statistics 47): sample = (r (1 - x) + x) (r (1 - y) + y) / r where
    r is large enough to be told from noise; the real part of the solution goes on from there to 0.
    """
    a = (1 - x) * (1 - y)
    b = sample - x * (1 - y) - y * (1 - x)
    root = (b * b - 4 * a * x * y).clamp_min(_TINY**2).sqrt()
    return ((b + root) / (2 * a)).clamp(0, 1 - _TINY)


def _nats(squared: Tensor) -> Tensor:
    return -torch.log1p(-squared) / 2


def _root(squared: Tensor) -> Tensor:
    """Whose gradient stays finite."""
    return squared.clamp_min(_TINY).sqrt()


_SPECTRA = FAMILIES * len(FUNCTION_RIDGES)

NONLINEAR = Statistic(
    name="nonlinear",
    about=f"canonical correlations between {FUNCTIONS} functions of every column, in {FAMILIES} families, "
    f"additive and radial, at ridges {' and '.join(f'{ridge:g}' for ridge in FUNCTION_RIDGES)} times "
    "(functions of x + functions of y) / n, corrected for the number of functions",
    token="spectrum",
    channels={"correlation": _SPECTRA, "information": _SPECTRA},
    compute=spectrum,
    pooled={f"by family and ridge: four sums, {TOP} largest": _SPECTRA * (4 + TOP)},
    pool=pooled,
    settings={"functions": [FUNCTIONS, WIDE_FUNCTIONS, WIDE, list(FUNCTION_RIDGES)]},
)
