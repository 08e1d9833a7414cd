"""The estimator as a module of torch."""

import math
from typing import Final, Literal

import torch
from torch import Tensor, nn

from mizzle.errors import InvalidInput, InvalidLevel, InvalidShape, LengthMismatch
from mizzle.torch.audit import Audit, audit
from mizzle.torch.operators import information
from mizzle.types import DEFAULT_LEVEL, DEFAULT_UNIT, Unit, check_unit, interval_levels, short_repr

LARGEST_ROWS: Final = 10_000  # with gradients: as many as the network was trained on
_LOWEST, _HIGHEST = 0.005, 0.995


class MutualInformation(nn.Module):
    """I(X;Y) of a sample as a loss or a reward, with gradients to both sides.

    The value is that of `mizzle.estimate` on the same rows. It depends on ranks, which are steps; its
    gradient is that of a smooth twin: ranks of a smoothed distribution function, soft bins and neighbours
    (docs/torch.md). Where the value is cut at 0 the gradient goes on below, so that learning may start from
    independence. Gradients are first order only. The module has no parameters and no state: weights are
    frozen, shared by all modules of the process, and in no state_dict. It computes on the processor, whatever
    device the tensors are on.

    What is optimised by an estimate may come to game it: judge by `audit`, on rows that no gradient saw.

    Args:
        quantile: "mean" of the predictive distribution, or a level of it between .005 and .995: a low one is
            cautious where information is to be found, a high one where it is to be removed.
        unit: "nats" or "bits".

    Raises:
        InvalidLevel: there is no such quantile. InvalidInput: there is no such unit.
    """

    def __init__(self, quantile: Literal["mean"] | float = "mean", unit: Unit = DEFAULT_UNIT) -> None:
        super().__init__()
        check_unit(unit)
        self.quantile = quantile
        self.unit = unit
        self._levels = [] if quantile == "mean" else [_level(quantile)]

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The information of one data set, a scalar, or of each of b, shape (b,).

        Args:
            x, y: shapes (n, dx) and (n, dy), or (b, n, dx) and (b, n, dy); one column may be (n,). At least
                10 rows; row i of x is observed together with row i of y. Labels are whole numbers.

        Returns:
            In the unit of the module, in the precision of x, or single precision if x is of whole numbers.

        Raises:
            InvalidInput: the samples cannot be answered, as `mizzle.estimate` says, have other shapes, or
                have more than 10,000 rows and need gradients.
            MissingExtra, ModelUnavailable: as `mizzle.estimate`.
        """
        return self._values(x, y, self._levels)[..., 0]

    def interval(self, x: Tensor, y: Tensor, level: float = DEFAULT_LEVEL) -> tuple[Tensor, Tensor]:
        """The ends of the central interval at `level`, each of the shape that `forward` gives.

        Both have gradients.

        Raises:
            InvalidLevel: there is no such interval; and as `forward`.
        """
        low, high = self._values(x, y, list(interval_levels(level))).unbind(-1)
        return low, high

    @torch.no_grad()
    def audit(self, x: Tensor, y: Tensor, k: int = 3) -> Audit:
        """This estimate beside one by another estimator, KSG, on rows that no gradient has seen.

        Args:
            x, y: shapes (n, dx) and (n, dy), or (n,): held-out rows of one data set.
            k: of the nearest neighbours.

        Raises:
            InvalidInput: as `forward`; or there are not more than k rows, or more than 20,000.
        """
        _, x, y = _shaped(x, y)
        if len(x) > 1:
            raise InvalidShape(f"audit takes one data set, shapes (n, dx) and (n, dy); there are {len(x)}")
        return audit(x[0], y[0], k, self.unit)

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"quantile={self.quantile!r}, unit={self.unit!r}"

    def _values(self, x: Tensor, y: Tensor, levels: list[float]) -> Tensor:
        """Shape (levels,) of one data set, (b, levels) of many."""
        alone, left, right = _shaped(x, y)
        if left.shape[1] > LARGEST_ROWS and torch.is_grad_enabled() and (x.requires_grad or y.requires_grad):
            text = f"n = {left.shape[1]:,} rows, and gradients are of at most {LARGEST_ROWS:,}"
            raise InvalidInput(f"{text}; take batches of rows, or torch.no_grad() for the value alone")
        values = information(left, right, levels)
        if self.unit == "bits":
            values = values / math.log(2)
        values = values.to(x.dtype if x.is_floating_point() else torch.get_default_dtype())
        answers: Tensor = values[0] if alone else values
        return answers


def _level(quantile: object) -> float:
    if isinstance(quantile, float) and _LOWEST <= quantile <= _HIGHEST:
        return quantile
    text = f'quantile is {short_repr(quantile)}; it must be "mean" or a number from {_LOWEST} to {_HIGHEST}'
    raise InvalidLevel(text)


def _shaped(x: Tensor, y: Tensor) -> tuple[bool, Tensor, Tensor]:
    """Whether there is one data set and no axis of many; both sides with that axis."""
    sides = []
    for name, side in (("x", x), ("y", y)):
        if not isinstance(side, Tensor):
            raise InvalidShape(f"{name} is a {type(side).__name__}; mizzle.torch takes tensors")
        if side.is_complex():
            raise InvalidInput(f"{name} has complex numbers; take the real and imaginary parts as columns")
        sides.append(side[:, None] if side.ndim == 1 else side)
    left, right = sides
    if not (left.ndim == right.ndim and left.ndim in (2, 3)):
        text = f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; they must be (n, dx) and (n, dy)"
        raise InvalidShape(f"{text}, or (b, n, dx) and (b, n, dy)")
    if left.shape[:-1] != right.shape[:-1]:
        text = f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; all but the columns must be the same"
        raise LengthMismatch(text)
    alone = left.ndim == 2
    return alone, left[None] if alone else left, right[None] if alone else right
