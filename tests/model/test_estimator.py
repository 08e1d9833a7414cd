"""What the estimator says of a sample that lies outside its training, with a small net of its own."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_model import HEADER, all_familiar, identity

from mizzle.errors import InferenceFailed
from mizzle.model import Estimator
from mizzle.model.calibrate import SHAPES
from mizzle.model.net import Net
from mizzle.model.statistics import registry
from mizzle.model.torch_engine import TorchEngine
from mizzle.types import Estimate, ModelInfo

ROWS = 60


def estimate(threshold: float, rows: tuple[int, int]) -> Estimate:
    """Of one fixed sample, by a net that has been trained on so many rows and whose usual score is this."""
    torch.manual_seed(0)
    net = Net(HEADER.net).eval()
    torch.nn.init.constant_(net.shortcut.bias, 5.0)  # a median above 0, where nothing is clamped
    familiar = all_familiar(registry.channels(registry.OVERALL))
    novelty = replace(familiar, thresholds=torch.full((SHAPES,), threshold))
    header = replace(HEADER, rows=rows)
    engine = TorchEngine(net, identity(), novelty, rows)
    model = Estimator(engine, header, ModelInfo("test", "0", "0" * 64))
    x, noise = np.random.default_rng(0).normal(size=(2, ROWS))
    return model.estimate(x, x + noise)


@pytest.fixture(scope="module")
def usual() -> Estimate:
    return estimate(1e30, (10, 100))


def _width(found: Estimate) -> float:
    """Above the median, where nothing is clamped at 0, in log(1 + nats)."""
    return float(np.log1p(found.quantile(0.95)) - np.log1p(found.median))


def test_a_usual_sample_is_in_range(usual: Estimate) -> None:
    assert usual.in_range
    assert usual.warnings == ()


def test_an_unfamiliar_sample_is_said_to_be_and_its_interval_widens(usual: Estimate) -> None:
    """Its score is far beyond a tiny threshold: three times as wide, the utmost; the mean stays."""
    found = estimate(1e-3, (10, 100))
    assert not found.in_range
    assert [w.code for w in found.warnings] == ["unfamiliar"]
    assert "3 times as wide" in found.warnings[0].message
    assert _width(found) == pytest.approx(3 * _width(usual), rel=1e-4)
    assert found.mi == usual.mi
    assert found.median == pytest.approx(usual.median)


def test_rows_outside_the_training_widen_by_a_half(usual: Estimate) -> None:
    found = estimate(1e30, (ROWS + 1, 100))
    assert [w.code for w in found.warnings] == ["rows_out_of_range"]
    assert _width(found) == pytest.approx(1.5 * _width(usual), rel=1e-4)


def test_both_are_said() -> None:
    found = estimate(1e-3, (ROWS + 1, 100))
    assert [w.code for w in found.warnings] == ["rows_out_of_range", "unfamiliar"]


@pytest.mark.parametrize("part", ["mean", "nats"])
def test_an_answer_that_is_not_finite_is_an_error(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Estimator.load()
    answers = model._engine.run
    spoilt = {part: np.full((1, len(model.levels))[: 1 + (part == "nats")], np.nan)}
    monkeypatch.setattr(model._engine, "run", lambda tables: answers(tables)._replace(**spoilt))
    with pytest.raises(InferenceFailed, match="not finite"):
        model.estimate(range(20), range(20))
