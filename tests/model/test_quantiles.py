"""The answer's form: ordered, non-negative, honest about zero, integrated rightly."""

import numpy as np
import pytest
import torch

from mizzle.model.posterior import increasing, pinball, to_nats
from mizzle.model.quantiles import LEVELS, mean


def test_levels_are_symmetric_and_hold_the_documented_defaults() -> None:
    assert tuple(sorted(LEVELS)) == LEVELS
    assert [round(1 - q, 10) for q in reversed(LEVELS)] == list(LEVELS)
    assert {0.05, 0.25, 0.5, 0.75, 0.95} <= set(LEVELS)


def test_values_increase_whatever_the_net_says() -> None:
    raw = 30 * torch.randn(200, len(LEVELS), generator=torch.Generator().manual_seed(0))
    values = increasing(raw)
    assert (values.diff(dim=1) >= 0).all()
    assert (to_nats(values.clamp_max(5)) >= 0).all()


def test_mean_integrates_the_quantile_function() -> None:
    """Uniform on (0, 2): mean 1; the flat ends beyond the outermost levels cancel."""
    values = 2 * np.array(LEVELS)[None]
    assert mean(values).item() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("share_of_zeros", [0.0, 0.3])
def test_pinball_is_least_at_the_true_quantiles(share_of_zeros: float) -> None:
    """On a large sample of truths, moving any one quantile away from its empirical value costs."""
    generator = torch.Generator().manual_seed(1)
    truth = torch.rand(20_000, generator=generator, dtype=torch.float64)
    truth = truth.where(torch.rand(20_000, generator=generator) > share_of_zeros, 0)
    level = torch.tensor(LEVELS, dtype=torch.float64)
    best = torch.quantile(truth, level)
    base = pinball(best.expand(len(truth), -1), truth).mean()
    for i in range(0, len(LEVELS), 4):
        for step in (-0.1, 0.1):
            moved = best.clone()
            moved[i] += step
            assert pinball(moved.expand(len(truth), -1), truth).mean() > base


def test_a_wrongly_negative_quantile_still_has_a_gradient() -> None:
    values = torch.full((1, len(LEVELS)), -1.0, requires_grad=True)
    pinball(values, torch.ones(1)).sum().backward()
    assert values.grad is not None
    assert (values.grad < 0).all()
