"""How good the answers are on draws with known truth: errors and coverage by n and by family."""

from typing import NamedTuple

import torch
from torch import Tensor

from mizzle.model import quantiles
from mizzle.model.calibrate import Calibration

ROW_BINS = ((10, 30), (30, 100), (100, 300), (300, 1000), (1000, 10**9))
_LOW, _HIGH = quantiles.LEVELS.index(0.05), quantiles.LEVELS.index(0.95)


class Draws(NamedTuple):
    """Answers beside the truth: quantiles of log(1 + I), true log(1 + I), n, dx + dy, family."""

    values: Tensor
    truth: Tensor
    n: Tensor
    columns: Tensor
    family: list[str]

    @classmethod
    def joined(cls, parts: list["Draws"]) -> "Draws":
        """All parts as one."""
        values, truth, n, columns, family = zip(*parts, strict=True)
        labels = [label for part in family for label in part]
        return cls(torch.cat(values), torch.cat(truth), torch.cat(n), torch.cat(columns), labels)

    def calibrated(self, calibration: Calibration) -> "Draws":
        """The same answers after recalibration."""
        return self._replace(values=calibration.apply(self.values, self.n, self.columns))


def table(draws: Draws) -> str:
    """Errors in nats, pinball loss in log(1 + nats) and interval coverage, by n and by family, as text."""
    groups: list[tuple[str, Tensor]] = [("all", torch.ones_like(draws.n, dtype=torch.bool))]
    for low, high in ROW_BINS:
        name = f"n {low}-{high}" if high < 10**9 else f"n {low}+"
        groups.append((name, (draws.n >= low) & (draws.n < high)))
    for family in sorted(set(draws.family)):
        groups.append((family, torch.tensor([f == family for f in draws.family])))
    head = f"{'':24}{'sets':>7}{'MAE':>9}{'MSE':>9}{'bias':>9}{'pinball':>9}{'cover 90':>10}"
    return "\n".join([head, *(_line(draws, name, pick) for name, pick in groups if pick.any())])


def _line(draws: Draws, name: str, pick: Tensor) -> str:
    nats = quantiles.to_nats(draws.values[pick].double())
    truth = torch.expm1(draws.truth[pick].double())
    error = quantiles.mean(nats) - truth
    loss = quantiles.pinball(draws.values[pick].clamp_min(0), draws.truth[pick]).mean()
    inside = (nats[:, _LOW] <= truth + 1e-6) & (truth <= nats[:, _HIGH] + 1e-6)
    scores = (error.abs(), error.square(), error, loss[None], inside.double())
    forms = ("9.4f", "9.4f", "+9.4f", "9.4f", "10.3f")
    cells = (f"{float(s.mean()):{form}}" for s, form in zip(scores, forms, strict=True))
    return f"{name:24}{len(truth):7d}" + "".join(cells)
