"""How good an estimator is on data like one's own: before, after, and how like one's own they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from mizzle import extras
from mizzle.data.arrays import FloatArray
from mizzle.errors import InvalidInput
from mizzle.types import Estimate

_LEVEL = 0.9


@dataclass(frozen=True)
class Score:
    """Answers to problems of known information.

    Attributes:
        problems: how many.
        error, width: means of |estimate - truth| and of the width of the 90 % interval, in nats.
        coverage: share of 90 % intervals that hold the truth; its standard error is sqrt(.09 / problems).
        familiar: share of answers without a notice that the sample is out of range.
        score: mean interval score in nats, which punishes width and misses alike, less is better: the width,
            and 20 times by how far the truth lies outside (Gneiting & Raftery 2007, of 90 % intervals).
    """

    problems: int
    error: float
    width: float
    coverage: float
    familiar: float
    score: float

    @classmethod
    def of(cls, estimates: Sequence[Estimate], nats: Sequence[float]) -> "Score":
        """The score of these answers."""
        truth = np.asarray(nats)
        low, high = np.array([estimate.interval(_LEVEL) for estimate in estimates]).T
        error = np.abs(np.array([estimate.mi for estimate in estimates]) - truth)
        inside = (low <= truth + 1e-6) & (truth <= high + 1e-6)
        familiar = np.mean([estimate.in_range for estimate in estimates])
        outside = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
        score = (high - low + 2.0 / (1.0 - _LEVEL) * outside).mean()
        means = (error.mean(), (high - low).mean(), inside.mean(), familiar, score)
        return cls(len(truth), *(round(float(mean), 5) for mean in means))


@dataclass(frozen=True)
class SideReport:
    """How one side was imitated.

    Attributes:
        names: of its columns; discrete: of those that are.
        notices: what was assumed to read it, and what is not imitated.
        rows: that each map was fitted to, other ones for each; at most 2,000.
        dimension: intrinsic dimension of the continuous columns; None without any.
        latents: columns of the map's inner side.
        way: "components", "autoencoder", or "none" where every column is discrete.
        accuracy: of a classifier (5 nearest neighbours) that tells imitated rows from rows that the map has
            not seen; .5 cannot tell them apart, 1 always can. None without continuous columns; discrete ones
            are drawn independently of the others.
    """

    names: tuple[str, ...]
    discrete: tuple[str, ...]
    notices: tuple[str, ...]
    rows: int
    dimension: float | None
    latents: int
    way: str
    accuracy: float | None


@dataclass(frozen=True)
class Report:
    """What was found; numbers only, but for the rows that `plot` draws, which no file keeps.

    Attributes:
        before: of the shipped weights; after: of the adapted ones, None for `mizzle.assess`.
        x, y: how well the sides were imitated.
        seed: of all randomness.
        minutes: that were given.
        steps: optimizer steps; 0 where only quantiles and novelty were calibrated.
        share: of the way from the shipped weights to the fitted ones, at which the adapted ones stand:
            chosen on held-out problems of the data's kind and ordinary ones.
        stopped: what was left out or cut short, and why; None where all was done that was planned.
    """

    before: Score
    after: Score | None
    x: SideReport
    y: SideReport
    seed: int
    minutes: float
    steps: int = 0
    share: float = 0.0
    stopped: str | None = None
    pictures: Mapping[str, tuple[FloatArray, FloatArray]] | None = field(default=None, compare=False)

    @property
    def warning(self) -> str | None:
        """Why to keep the shipped weights; None where the adapted ones answer better, or there are none.

        An error that grew counts even where intervals, which are calibrated anew, hold more truths.
        """
        if self.after is None:
            return None
        before, after = asdict(self.before), asdict(self.after)
        worse = [
            f"{name} {before[name]:.3f} before, {after[name]:.3f} after"
            for name in ("error", "score")
            if after[name] > before[name]
        ]
        if not worse:
            return None
        text = f"worse than the shipped weights ({' and '.join(worse)})"
        return f"{text}: keep those, or adapt with more rows or minutes"

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without the rows."""
        text = asdict(self)
        del text["pictures"]
        return text

    @classmethod
    def of(cls, text: Mapping[str, Any]) -> "Report":
        """The report that `to_dict` gave."""
        sides = {
            name: SideReport(
                **{**text[name], **{k: tuple(text[name][k]) for k in ("names", "discrete", "notices")}}
            )
            for name in ("x", "y")
        }
        after = text["after"] and Score(**text["after"])
        return cls(**{**text, **sides, "before": Score(**text["before"]), "after": after})

    def __str__(self) -> str:
        names = ("error", "width", "coverage", "familiar", "score")
        lines = [f"{'90 % intervals':16}" + "".join(f"{name:>10}" for name in names)]
        for name, score in (("before", self.before), ("after", self.after)):
            if score:
                lines.append(f"{name:16}" + "".join(f"{getattr(score, column):10.3f}" for column in names))
        for name, side in (("x", self.x), ("y", self.y)):
            accuracy = "" if side.accuracy is None else f", told from real rows {side.accuracy:.0%}"
            sizes = f"{len(side.names)} columns by {side.latents} latents ({side.way})"
            lines.append(f"{name}: {sizes}, {side.rows} rows a map{accuracy}")
        lines += [f"{name}: {text}" for name, side in (("x", self.x), ("y", self.y)) for text in side.notices]
        last = {"stopped": self.stopped, "warning": self.warning}
        return "\n".join([*lines, *(f"{name}: {text}" for name, text in last.items() if text)])

    def plot(self) -> Any:
        """A picture of real rows beside imitated ones, two columns of either side.

        Raises:
            InvalidInput: the report comes from a file, which keeps no rows. MissingExtra: no matplotlib.
        """
        if self.pictures is None:
            raise InvalidInput(
                "this report comes from a file, which keeps no rows; adapt again for a picture"
            )
        plt = extras.load("matplotlib.pyplot", "pip install 'mizzle[plot]'")
        figure, axes = plt.subplots(2, 2, sharex="row", sharey="row", figsize=(7, 7), layout="constrained")
        for row, (side, pair) in zip(axes, self.pictures.items(), strict=True):
            for axis, rows, name in zip(row, pair, ("real", "imitated"), strict=True):
                axis.set_title(f"{side}, {name}: normal scores")
                if rows.shape[1]:
                    axis.plot(rows[:, 0], rows[:, -1], ".", markersize=3)
        return figure
