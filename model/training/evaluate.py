"""How good the answers are on draws with known truth: errors and coverage by n and by family."""

from typing import NamedTuple

import torch
from torch import Tensor

from mizzle.model import posterior, quantiles
from mizzle.model.calibrate import Calibration
from mizzle.model.novelty import Novelty, stretch

ROW_BINS = ((10, 30), (30, 100), (100, 300), (300, 1000), (1000, 10**9))
COLUMN_BINS = ((2, 3), (3, 11), (11, 31), (31, 129))  # of dx + dy
TRUTH_BINS = ((0.0, 1e-9), (1e-9, 0.05), (0.05, 0.5), (0.5, 2.0), (2.0, 100.0))  # nats
_LOW, _HIGH = quantiles.LEVELS.index(0.05), quantiles.LEVELS.index(0.95)


class Draws(NamedTuple):
    """Answers beside the truth: quantiles of log(1 + I), true log(1 + I), n, dx + dy, family, features."""

    values: Tensor
    truth: Tensor
    n: Tensor
    columns: Tensor
    family: list[str]
    features: Tensor

    @classmethod
    def joined(cls, parts: list["Draws"]) -> "Draws":
        """All parts as one."""
        values, truth, n, columns, family, features = zip(*parts, strict=True)
        labels = [label for part in family for label in part]
        tensors = (torch.cat(values), torch.cat(truth), torch.cat(n), torch.cat(columns))
        return cls(*tensors, labels, torch.cat(features))

    def answered(self, calibration: Calibration, novelty: Novelty) -> tuple["Draws", Tensor]:
        """What a user would get, but for what a discrete sample's entropy and counts change.

        Returns:
            quantiles, recalibrated and stretched where the sample is unfamiliar; means in nats, before that.
        """
        values = calibration.apply(self.values, self.n, self.columns)
        means = quantiles.mean(posterior.to_nats(values.double()).numpy())
        stretched = stretch(values, novelty.excess(self.features, self.n, self.columns))
        return self._replace(values=stretched), torch.from_numpy(means)


def table(draws: Draws, means: Tensor) -> str:
    """Errors in nats, pinball loss in log(1 + nats) and interval coverage, by n and by family, as text."""
    groups: list[tuple[str, Tensor]] = [("all", torch.ones_like(draws.n, dtype=torch.bool))]
    for low, high in ROW_BINS:
        name = f"n {low}-{high}" if high < 10**9 else f"n {low}+"
        groups.append((name, _between(draws.n, low, high)))
    groups += [(f"columns {low}-{high - 1}", _between(draws.columns, low, high)) for low, high in COLUMN_BINS]
    nats = torch.expm1(draws.truth)
    groups += [(f"truth {low:g}-{high:g}", _between(nats, low, high)) for low, high in TRUTH_BINS]
    for family in sorted(set(draws.family)):
        groups.append((family, torch.tensor([f == family for f in draws.family])))
    head = f"{'':24}{'sets':>7}{'MAE':>9}{'MSE':>9}{'bias':>9}{'pinball':>9}{'cover 90':>10}"
    return "\n".join([head, *(_line(draws, means, name, pick) for name, pick in groups if pick.any())])


def _between(values: Tensor, low: int | float, high: int | float) -> Tensor:
    return (values >= low) & (values < high)


def _line(draws: Draws, means: Tensor, name: str, pick: Tensor) -> str:
    nats = posterior.to_nats(draws.values[pick].double())
    truth = torch.expm1(draws.truth[pick].double())
    error = means[pick] - truth
    loss = posterior.pinball(draws.values[pick].clamp_min(0), draws.truth[pick]).mean()
    inside = (nats[:, _LOW] <= truth + 1e-6) & (truth <= nats[:, _HIGH] + 1e-6)
    scores = (error.abs(), error.square(), error, loss[None], inside.double())
    forms = ("9.4f", "9.4f", "+9.4f", "9.4f", "10.3f")
    cells = (f"{float(s.mean()):{form}}" for s, form in zip(scores, forms, strict=True))
    return f"{name:24}{len(truth):7d}" + "".join(cells)
