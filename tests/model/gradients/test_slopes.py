"""Slopes of an answer: complete, finite, and those of what the estimator sees."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from mizzle.model import Estimator
from mizzle.model.batch import collate
from mizzle.model.gradients.slopes import Slopes
from mizzle.model.gradients.twins import TWINS, SoftContext
from mizzle.model.preprocess import prepare
from mizzle.model.statistics import registry
from mizzle.model.statistics.statistic import Context
from mizzle.model.statistics.tokens import of_context


@cache
def model() -> Slopes:
    return Slopes.shipped()


def slopes(x: Tensor, y: Tensor, of_y: bool = True) -> tuple[Tensor, Tensor]:
    both = model().slopes(x[None], y[None], (), torch.ones(1, 1, dtype=torch.float64), (True, of_y))
    return both[0][0], both[1][0]


def draws(seed: int, n: int, d: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d)))


CASES = {
    "1 + 1": lambda: (draws(0, 100, 1), draws(0, 100, 1) + draws(1, 100, 1)),
    "3 + 2": lambda: (draws(0, 100, 3), draws(0, 100, 3)[:, :2] + draws(1, 100, 2)),
    "2 + 12": lambda: (draws(0, 100, 2), draws(0, 100, 2).repeat(1, 6) + draws(1, 100, 12)),
    "ten rows": lambda: (draws(0, 10, 2), draws(1, 10, 1)),
    "the same": lambda: (draws(0, 100, 2), draws(0, 100, 2)),
    "a constant column": lambda: (
        torch.cat([draws(0, 100, 1), torch.ones(100, 1)], 1).double(),
        draws(0, 100, 1) + draws(1, 100, 1),
    ),
    "a copied column": lambda: (draws(0, 100, 1).repeat(1, 2), draws(0, 100, 1) + draws(1, 100, 1)),
    "rounded": lambda: (draws(0, 100, 2).round(), (draws(0, 100, 2) + draws(1, 100, 2)).round()),
    "two values": lambda: (draws(0, 100, 1).sign(), draws(1, 100, 1)),
    "labels": lambda: (draws(0, 200, 2), (draws(0, 200, 2)[:, :1] * 2).round().clamp(-2, 2) * 7 % 5),
    "labels of one": lambda: (draws(0, 200, 1), (draws(0, 200, 1) * 2).round().clamp(-2, 2) * 7 % 5),
    "copied rows": lambda: (draws(0, 50, 2).repeat(2, 1), draws(1, 50, 2).repeat(2, 1)),
    "heavy": lambda: (draws(0, 100, 2) ** 9, draws(0, 100, 2) ** 3),
}


@pytest.mark.parametrize("case", CASES)
def test_slopes_are_finite_and_not_all_zero(case: str) -> None:
    x, y = CASES[case]()
    of_x, of_y = slopes(x, y, of_y="label" not in case)
    assert of_x.shape == x.shape
    assert of_y.shape == y.shape
    assert bool(of_x.isfinite().all())
    assert bool(of_y.isfinite().all())
    assert float(of_x.abs().max()) > 0


def test_a_constant_side_has_no_slope() -> None:
    of_x, of_y = slopes(torch.ones(50, 2).double(), draws(1, 50, 1))
    assert not of_x.any()
    assert not of_y.any()


@pytest.mark.parametrize("d", [1, 3, 9])
def test_twins_look_at_the_same_tokens(d: int) -> None:
    """As many of each kind, and what twins leave alone has the same value: the slope is of these channels.

    Counts are over fewer rows in the pooled token, and bins are soft: there only sizes can be compared.
    """
    rng = np.random.default_rng(d)
    x = rng.normal(size=(120, d))
    batch = collate([prepare(x, x + rng.normal(size=(120, d)))])
    exact, twins = (of_context(context(batch)) for context in (Context, SoftContext))
    assert exact.overall.shape == twins.overall.shape
    for name, (values, mask) in exact.kinds.items():
        assert values.shape == twins.kinds[name].values.shape
        assert torch.equal(mask, twins.kinds[name].mask)
    for name in ("spectrum", "coupling", "sizes", "nonlinear"):
        place = registry.places(registry.OVERALL)[name]
        torch.testing.assert_close(exact.overall[:, place], twins.overall[:, place])
    place = registry.places("rows")["neighbours"]
    own, other = (tokens.kinds["rows"].values[..., place] for tokens in (exact, twins))
    # Of one column many distances are equal, and rounding says which of them lie inside.
    assert float(((own - other).abs() > 1e-4).float().mean()) < 0.01


def test_twins_are_of_statistics_that_are_asked_for() -> None:
    """A twin of what nobody computes would be silently unused."""
    rng = np.random.default_rng(0)
    batch = collate([prepare(rng.normal(size=(60, 3)), rng.normal(size=(60, 3)))])
    context = SoftContext(batch)
    of_context(context)
    assert set(TWINS) <= set(context._results)


@pytest.mark.parametrize("kind", ["linear", "absolute"])
def test_slopes_say_how_the_estimate_changes(kind: str) -> None:
    """The estimate of turned directions, by the slope and by the estimator, over eight samples.

    Changes by a turn of .2, half ahead and half back, must have the sign that slopes say, on all eight
    samples: by chance that is 1 in 256. The projection starts 45 degrees off, far from flat.
    """
    estimator = Estimator.load()
    for seed in range(8):
        rng = np.random.default_rng(seed)
        columns = rng.normal(size=(1000, 2))
        response = columns[:, 0] if kind == "linear" else np.abs(columns[:, 0])
        y = response + 0.3 * rng.normal(size=1000)

        def at(angle: float, columns: np.ndarray = columns) -> np.ndarray:
            return columns @ [np.cos(angle), np.sin(angle)]

        half_way = torch.tensor(np.pi / 4, dtype=torch.float64, requires_grad=True)
        side = torch.from_numpy(columns) @ torch.stack([half_way.cos(), half_way.sin()])
        of_side, _ = slopes(side.detach()[:, None], torch.from_numpy(y)[:, None])
        side.backward(of_side[:, 0])
        assert half_way.grad is not None
        ahead, back = (estimator.estimate(at(np.pi / 4 + step), y).mi for step in (0.1, -0.1))
        assert float(half_way.grad) * (ahead - back) > 0


def test_there_is_a_slope_below_zero() -> None:
    """Of independent sides, whose estimate is 0: without it learning would never start."""
    x, y = draws(0, 400, 2), draws(1, 400, 2)
    assert Estimator.load().estimate(x.numpy(), y.numpy()).quantile(0.25) == 0
    both = model().slopes(x[None], y[None], (0.25,), torch.ones(1, 1, dtype=torch.float64))
    assert float(both[0].abs().max()) > 0


def test_a_batch_gives_what_its_parts_give() -> None:
    """Padding and neighbours in the batch change nothing; tolerance: sums in single precision."""
    x, y = torch.stack([draws(s, 80, 3) for s in (0, 1)]), torch.stack([draws(s, 80, 2) for s in (2, 3)])
    y[0] += x[0, :, :2]
    x[1, :, 2] = 1.0  # so that the second has fewer columns
    upstream = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    both = model().slopes(x, y, (), upstream)
    for i in range(2):
        own = slopes(x[i], y[i])
        for whole, part in zip(both, own, strict=True):
            expected = part * upstream[i, 0]
            scale = float(expected.abs().max())
            torch.testing.assert_close(whole[i], expected, rtol=1e-3, atol=1e-3 * scale)
