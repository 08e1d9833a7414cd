"""Ranks: exact forward; backward, the derivative of the smoothed distribution function."""

import pytest
import torch
from torch import Tensor

from mizzle.model.gradients import ranks

N = 60


def column(kind: str) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    normal = torch.randn(N, generator=generator, dtype=torch.float64)
    return {
        "normal": normal,
        "heavy": normal**5,
        "rounded": (2 * normal).round(),
        "two values": (normal > 0).double(),
        "large": 1e9 + 1e6 * normal,
    }[kind]


KINDS = ("normal", "heavy", "rounded", "two values", "large")


def smooth(values: Tensor, half: Tensor) -> Tensor:
    """The smoothed distribution function at every value, of which no row takes a short way."""
    inside = (values[:, None] - values) / (2 * half[:, None]) + 0.5
    return inside.clamp(0, 1).mean(1)


def boxes(values: Tensor) -> tuple[ranks.Boxes, Tensor]:
    own = ranks.boxes(values)
    half = torch.empty_like(own.half).scatter_(-1, own.order, own.half)
    return own, half


@pytest.mark.parametrize("kind", KINDS)
def test_the_distribution_function_is_that_of_boxes(kind: str) -> None:
    values = column(kind)
    own, half = boxes(values)
    expected = smooth(values, half)[own.order].clamp(0.25 / N, 1 - 0.25 / N)
    torch.testing.assert_close(own.smooth, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["normal", "heavy", "large"])
@pytest.mark.parametrize("of", ["shares", "scores"])
def test_the_gradient_is_that_of_finite_differences_of_the_smooth_path(kind: str, of: str) -> None:
    """F is piecewise linear in the values, so that central differences are exact but for rounding.

    A step must move no value over the edge of a box: 1e-7 of the spread, where gaps are 1e-3 of it.
    """
    values = column(kind)
    _, half = boxes(values)
    weights = torch.randn(N, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    free = values.clone().requires_grad_()
    (getattr(ranks, of)(free, torch.zeros(N, dtype=torch.float64)) * weights).sum().backward()
    assert free.grad is not None

    def path(at: Tensor) -> Tensor:
        share = smooth(at, half).clamp(0.25 / N, 1 - 0.25 / N)
        return ((share if of == "shares" else torch.special.ndtri(share)) * weights).sum()

    step = 1e-7 * values.std()
    eye = step * torch.eye(N, dtype=torch.float64)
    slope = torch.stack([(path(values + e) - path(values - e)) / (2 * step) for e in eye])
    torch.testing.assert_close(free.grad, slope, rtol=1e-4, atol=1e-5 * float(slope.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
def test_values_forward_are_exact_and_moving_all_moves_none(kind: str) -> None:
    values, exact = column(kind).requires_grad_(), torch.randn(N, dtype=torch.float64)
    shares = ranks.shares(values, exact)
    assert torch.equal(shares, exact)
    shares.square().sum().backward()
    assert values.grad is not None
    assert bool(values.grad.isfinite().all())
    assert float(values.grad.abs().max()) > 0
    assert abs(float(values.grad.sum())) <= 1e-12 * N * float(values.grad.abs().max())


def test_a_constant_column_has_no_slope() -> None:
    values = torch.full((N,), 3.0, dtype=torch.float64, requires_grad=True)
    ranks.shares(values, torch.zeros(N, dtype=torch.float64)).sum().backward()
    assert values.grad is not None
    assert not values.grad.any()
