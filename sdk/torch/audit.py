"""A second opinion: the k nearest neighbours of Kraskov et al., which share nothing with the network."""

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from mizzle.backends.local import estimate
from mizzle.errors import InvalidInput
from mizzle.types import Estimate, Unit

LARGEST: Final = 20_000  # rows: all distances are computed
_AT_ONCE: Final = 1 << 22  # distances
_ERRORS: Final = 3.0  # standard errors of KSG by which it may lie outside of the interval
_LEVEL: Final = 0.99


@dataclass(frozen=True)
class Audit:
    """Two estimates of the same rows by estimators that err in different ways.

    Attributes:
        mizzle: the network's, with its warnings.
        ksg: of the k nearest neighbours, not cut at 0, in the unit of `mizzle`.
        ksg_error: the standard error of `ksg`, without its bias, which is downwards for many columns and for
            large information (some 10 % from 2 nats on).
        k: the number of neighbours.
    """

    mizzle: Estimate
    ksg: float
    ksg_error: float
    k: int

    @property
    def agrees(self) -> bool:
        """Whether KSG lies in the 99 % interval, or outside by at most three of its standard errors."""
        low, high = self.mizzle.interval(_LEVEL)
        reach = _ERRORS * self.ksg_error
        return low - reach <= self.ksg <= high + reach


def audit(x: Tensor, y: Tensor, k: int, unit: Unit) -> Audit:
    """Both estimates of rows of shape (n, dx) and (n, dy).

    Raises:
        InvalidInput: as `mizzle.estimate`; or not more than k rows, or more than `LARGEST`.
    """
    x, y = (side.detach().to("cpu", torch.float64) for side in (x, y))
    ours = estimate(x.numpy(), y.numpy(), unit=unit)
    if not 1 <= k < len(x) <= LARGEST:
        raise InvalidInput(f"there are {len(x):,} rows and k = {k}; an audit takes k + 1 to {LARGEST:,} rows")
    terms = local_terms(x, y, k) / (math.log(2) if unit == "bits" else 1.0)
    return Audit(ours, float(terms.mean()), float(terms.std() / len(x) ** 0.5), k)


def local_terms(x: Tensor, y: Tensor, k: int) -> Tensor:
    """psi(k') + log n - psi(n_x) - psi(n_y) of every row, in nats, shape (n,); their mean estimates I(X;Y).

    Kraskov, Stoegbauer and Grassberger (2004) with standardised columns and the largest difference as the
    distance. Where the k-th neighbour is a copy, k' counts the copies, and n_x and n_y those of the sides
    (Gao, Kannan, Oh and Viswanath 2017); so labels are no trouble. n_x counts the row itself.
    """
    sides = [(side - side.mean(0)) / side.std(0).clamp_min(1e-300) for side in (x, y)]
    terms = [_terms(sides, part, k) for part in torch.arange(len(x)).split(max(1, _AT_ONCE // len(x)))]
    return torch.cat(terms)


def _terms(sides: list[Tensor], rows: Tensor, k: int) -> Tensor:
    apart = [torch.cdist(side[rows], side, p=math.inf) for side in sides]
    joint = torch.maximum(*apart)
    radius = joint.kthvalue(k + 1, dim=1, keepdim=True).values  # the nearest is the row itself
    copies = radius == 0
    reached = torch.where(copies, (joint == 0).sum(1, keepdim=True) - 1, k)[:, 0]
    inside = [torch.where(copies, side == 0, side < radius).sum(1) for side in apart]
    total = torch.digamma(reached.double()) + math.log(len(sides[0]))
    terms: Tensor = total - sum(torch.digamma(count.double()) for count in inside)
    return terms
