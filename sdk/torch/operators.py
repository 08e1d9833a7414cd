"""Two operators that torch takes as they are: the answer, and its slope.

Being operators, they are opaque to `torch.compile`, which neither looks inside nor breaks its graph at them.
They compute on the processor, whatever device the tensors are on.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from mizzle import estimator
from mizzle.backends import local


@torch.library.custom_op("mizzle::information", mutates_args=())
def information(x: Tensor, y: Tensor, levels: Sequence[float]) -> Tensor:
    """I(X;Y) of b data sets in nats, in double precision.

    Args:
        x, y: shapes (b, n, dx) and (b, n, dy).
        levels: of the quantiles; none for the mean.

    Returns:
        Shape (b, levels), or (b, 1) for the mean.

    Raises:
        InvalidInput: as `mizzle.estimate`.
    """
    pairs = list(zip(_on_processor(x).numpy(), _on_processor(y).numpy(), strict=True))
    estimates = local.estimate_many(pairs, progress=False)
    values = [[e.quantile(level) for level in levels] or [e.mi] for e in estimates]
    return torch.tensor(values, dtype=torch.float64, device=x.device)


@information.register_fake
def _(x: Tensor, y: Tensor, levels: Sequence[float]) -> Tensor:
    return x.new_empty((x.shape[0], max(1, len(levels))), dtype=torch.float64)


@torch.library.custom_op("mizzle::slopes", mutates_args=())
def slopes(
    x: Tensor, y: Tensor, levels: Sequence[float], upstream: Tensor, of_x: bool, of_y: bool
) -> tuple[Tensor, Tensor]:
    """Gradients of `information` in x and in y, where they are wanted; `upstream` is that in its value."""
    arguments = _on_processor(x), _on_processor(y), levels, _on_processor(upstream), (of_x, of_y)
    # Inside an operator torch records nothing to differentiate; in another thread it does. One of a pool that
    # stayed would be missing in a process that was forked later.
    with ThreadPoolExecutor(1, "mizzle") as thread:
        both = thread.submit(estimator.slopes().slopes, *arguments).result()
    return both[0].to(x), both[1].to(y)


@slopes.register_fake
def _(
    x: Tensor, y: Tensor, levels: Sequence[float], upstream: Tensor, of_x: bool, of_y: bool
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x), torch.empty_like(y)


def _on_processor(values: Tensor) -> Tensor:
    """In double precision; numpy reads no bfloat16, and every smaller number is exact there."""
    return values.detach().to("cpu", torch.float64)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, y, ctx.levels = inputs
    ctx.save_for_backward(x, y)


def _backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, None]:
    of_x, of_y = slopes(*ctx.saved_tensors, ctx.levels, upstream, *ctx.needs_input_grad[:2])
    return of_x, of_y, None


def _keep_nothing(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    """There is no way back from a slope."""


def _refuse(ctx: Any, *upstream: Tensor) -> tuple[None, ...]:
    text = "mizzle.torch has first derivatives only: ranks are steps, and the curvature of what smooths them"
    text = f"{text} says nothing of the estimate"
    raise RuntimeError(
        f"{text}. Take the information out of what is differentiated twice, or detach its slope"
    )


information.register_autograd(_backward, setup_context=_keep)
slopes.register_autograd(_refuse, setup_context=_keep_nothing)
