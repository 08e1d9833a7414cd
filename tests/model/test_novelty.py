"""The novelty score: one usual draw in a hundred exceeds 1, and what is odd does so by far."""

import pytest
import torch

from mizzle.model.calibrate import SHAPES
from mizzle.model.novelty import FALSE_ALARMS, Novelty, stretch, widening
from mizzle.model.quantiles import LEVELS

FEATURES, COUNT = 6, 20_000
Draws = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def draws(seed: int, count: int = COUNT) -> Draws:
    """Correlated features that spread more where rows are few, with n and columns."""
    generator = torch.Generator().manual_seed(seed)
    n = torch.tensor([30, 100, 300, 1000, 3000])[torch.randint(5, (count,), generator=generator)]
    mixing = torch.eye(FEATURES) + 0.5
    features = torch.randn(count, FEATURES, generator=generator) @ mixing
    wider = torch.where(n < 150, 3.0, 1.0)[:, None]
    return 1.0 + wider * features, n, torch.randint(5, 20, (count,), generator=generator)


@pytest.fixture(scope="module")
def novelty() -> Novelty:
    return Novelty.fit(*draws(0))


@pytest.mark.parametrize("few", [True, False], ids=["few rows", "many rows"])
def test_one_draw_of_a_hundred_is_a_false_alarm(novelty: Novelty, few: bool) -> None:
    """In every cell of shapes; fitting and measuring each add binomial noise."""
    features, n, columns = draws(1)
    alarm = (novelty.excess(features, n, columns) > 1)[(n < 150) == few].float()
    assert abs(float(alarm.mean()) - FALSE_ALARMS) < 4 * (2 * FALSE_ALARMS / len(alarm)) ** 0.5


def test_what_lies_far_out_is_noticed(novelty: Novelty) -> None:
    features, n, columns = draws(2, 100)
    against = features * torch.tensor([1.0, -1.0] * (FEATURES // 2))  # each as usual, together not
    assert (novelty.excess(features + 40.0, n, columns) > 1).all()
    assert novelty.score(against).mean() > 1.5 * novelty.score(features).mean()


def test_cells_with_few_draws_take_the_threshold_of_all() -> None:
    features, _, columns = draws(4, 2000)
    found = Novelty.fit(features, torch.full((2000,), 100), columns)
    assert found.thresholds.shape == (SHAPES,)
    assert torch.isfinite(found.thresholds).all()
    assert found.thresholds[-1] == torch.quantile(found.score(features), 1 - FALSE_ALARMS)


def test_the_interval_widens_about_the_median_and_stays_ordered() -> None:
    values = torch.linspace(1.0, 2.0, len(LEVELS)).expand(4, -1)
    excess = torch.tensor([0.3, 1.0, 1.7, 50.0])
    out = stretch(values, excess)
    width = (out[:, -1] - out[:, 0]) / (values[:, -1] - values[:, 0])
    torch.testing.assert_close(width, torch.tensor([1.0, 1.0, 1.7, 3.0]))
    torch.testing.assert_close(width, widening(excess))
    torch.testing.assert_close(out.median(1).values, values.median(1).values)
    assert (out.diff(dim=1) >= 0).all()
