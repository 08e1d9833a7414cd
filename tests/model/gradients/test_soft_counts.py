"""Counts of neighbours: exact forward; backward, the derivative of soft counts."""

import pytest
import torch
from torch import Tensor

from mizzle.model.gradients.counts import WIDTH, counted

N, M, D = 40, 12, 2
K = torch.tensor([[3, 8]])
PLACES = torch.arange(0, N, 3)[None, :M]


def points() -> Tensor:
    return torch.randn(1, 2, N, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def metric() -> Tensor:
    roots = torch.randn(1, 2, M, D, D, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return roots @ roots.transpose(-1, -2) + torch.eye(D, dtype=torch.float64)


def distances(z: Tensor, of: Tensor | None) -> Tensor:
    """Squared, of shape (2, m, n), written out."""
    apart = z[0, :, None] - z[0][:, PLACES[0], None]
    image = apart if of is None else (of[0][:, :, None] @ apart[..., None])[..., 0]
    own = torch.zeros(M, N, dtype=torch.bool)
    own[torch.arange(M), PLACES[0]] = True
    return (apart * image).sum(-1).masked_fill(own, 1e30)


@pytest.mark.parametrize("bent", [False, True])
def test_counts_forward_are_exact(bent: bool) -> None:
    of = metric() if bent else None
    z = points()
    near = counted(z, PLACES, K, of)
    squared = distances(z, of)
    radius = squared.amax(0).sort(-1).values[:, K[0] - 1]
    inside = (squared[..., None] < radius[None, :, None]).sum(2)
    torch.testing.assert_close(near.log_radius[0], radius.log(), rtol=0, atol=1e-5)
    torch.testing.assert_close(near.marginal[0], torch.digamma(inside + 1.0).double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("bent", [False, True])
def test_the_gradient_is_that_of_soft_counts_and_soft_radii(bent: bool) -> None:
    """Along random directions, by torch's own derivative of both as they are written in the docstring.

    Tolerance: distances are in single precision, whose rounding moves a row over an edge once in 1e5.
    """
    of = metric() if bent else None
    generator = torch.Generator().manual_seed(3)
    of_marginal = torch.randn(1, 2, M, 2, generator=generator, dtype=torch.float64)
    of_radius = torch.randn(1, M, 2, generator=generator, dtype=torch.float64)
    z = points().requires_grad_()
    near = counted(z, PLACES, K, of)
    ((near.marginal * of_marginal).sum() + (near.log_radius * of_radius).sum()).backward()

    other = points().requires_grad_()
    logs = distances(other, of).log()
    joint = logs.amax(0)
    at = joint.detach().sort(-1).values[:, K[0] - 1]
    # Where the soft count of the joint space stays, the radius moves with the mean of those at its edge.
    edge = ((joint.detach()[..., None] - at[:, None]).abs() < WIDTH).double()
    radius = (edge * joint[..., None]).sum(1) / edge.sum(1)
    radius = at + radius - radius.detach()
    inside = ((radius[None, :, None] - logs[..., None]) / (2 * WIDTH) + 0.5).clamp(0, 1).sum(2)
    slope = torch.polygamma(1, (logs[..., None] < at[None, :, None]).sum(2) + 1.0)
    total = (inside * slope * of_marginal[0]).sum() + (radius * of_radius[0]).sum()
    total.backward()
    assert z.grad is not None
    assert other.grad is not None
    torch.testing.assert_close(z.grad, other.grad, rtol=1e-3, atol=1e-4 * float(other.grad.abs().max()))


def test_copies_have_finite_gradients() -> None:
    z = points()
    z[:, :, 5:25] = z[:, :, 4:5]
    z.requires_grad_()
    near = counted(z, PLACES, K)
    (near.marginal.sum() + near.log_radius.sum()).backward()
    assert z.grad is not None
    assert bool(z.grad.isfinite().all())
