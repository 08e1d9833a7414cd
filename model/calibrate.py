"""Recalibration: in each stratum of n, columns and answer, which of the net's levels covers how often.

The net's quantiles are right on average over its training stream, not in every stratum. On held-out draws the
level u at which the net places the truth should be uniform; where its empirical distribution is not, the
reported quantile at level t is the net's quantile at the t-quantile of u (Kuleshov et al. 2018, per stratum).
The map of levels keeps quantiles increasing and non-negative. A stratum is known from the sample alone, so
what holds over the draws holds inside each.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mizzle.model.quantiles import LEVELS, MIDDLE

ROW_EDGES = (50, 150, 500, 2000)
COLUMN_EDGES = (3, 11)  # of dx + dy: 1 + 1, a handful, many
ANSWERS = (0.02, 0.2, 1.0, 4.0)  # medians of the net, in nats, in the middle of the strata
SHAPES = (len(ROW_EDGES) + 1) * (len(COLUMN_EDGES) + 1)
_ANSWERS = len(ANSWERS)
_WEIGHT = 200  # draws that what is known of a coarser stratum counts for
_SHIFT = (
    0.5  # share that is made of a shift to one side: more of it lowers no loss above 50 rows and adds error
)


@dataclass(frozen=True)
class Calibration:
    """levels[c, q]: the net's level to report as nominal LEVELS[q] in stratum c."""

    levels: Float[Tensor, "c q"]

    @classmethod
    def fit(
        cls,
        values: Float[Tensor, "b q"],
        truth: Float[Tensor, " b"],
        n: Int64[Tensor, " b"],
        columns: Int64[Tensor, " b"],
        start: "Calibration | None" = None,
    ) -> "Calibration":
        """Fit on held-out draws: per shape, drawn to the nominal levels; per stratum, drawn to its shape's.

        Of what shifts both ends of an interval to one side, half is made. With a start, draws are of one
        kind: a shape is drawn to what all of them say, and that to the start; shifts are made whole.

        Args:
            values: the net's quantiles of log(1 + I); truth: the true log(1 + I).
            n, columns: rows and dx + dy of each draw.
            start: what to draw to in place of the nominal levels, which stays where no draw lies.
        """
        placed = _spread_zeros(placement(values, truth), values, truth)
        shape, inner = shape_cell(n, columns), stratum(values, n, columns)
        nominal = torch.tensor(LEVELS)
        before = start.levels if start else nominal.expand(SHAPES * _ANSWERS, -1)
        observed = set(shape.tolist()) if start else set()
        of_all = [
            _drawn_to(own, placed) if c // _ANSWERS in observed else own for c, own in enumerate(before)
        ]
        coarse = [_drawn_to(own, placed[shape == c // _ANSWERS]) for c, own in enumerate(of_all)]
        fine = [_drawn_to(coarse[c], placed[inner == c]) for c in range(SHAPES * _ANSWERS)]
        levels = torch.stack(fine)
        share = 1.0 if start else _SHIFT
        return cls(levels.lerp(_mirrored(levels), (1.0 - share) / 2).clamp(LEVELS[0], LEVELS[-1]))

    def apply(
        self, values: Float[Tensor, "b q"], n: Int64[Tensor, " b"], columns: Int64[Tensor, " b"]
    ) -> Float[Tensor, "b q"]:
        """The recalibrated quantiles at LEVELS; between two answers their levels are interpolated."""
        place, first = _place(values), shape_cell(n, columns) * _ANSWERS
        lower = place.long().clamp_max(_ANSWERS - 2)
        wanted = torch.lerp(
            self.levels[first + lower], self.levels[first + lower + 1], (place - lower)[:, None]
        )
        nominal = torch.tensor(LEVELS)
        right = torch.searchsorted(nominal, wanted.contiguous()).clamp(1, len(LEVELS) - 1)
        left = right - 1
        share = (wanted - nominal[left]) / (nominal[right] - nominal[left])
        low, high = values.gather(1, left), values.gather(1, right)
        return low + share * (high - low)


def shape_cell(n: Int64[Tensor, " b"], columns: Int64[Tensor, " b"]) -> Int64[Tensor, " b"]:
    """Index of the cell of n and dx + dy."""
    row = torch.bucketize(n, torch.tensor(ROW_EDGES), right=True)
    column = torch.bucketize(columns, torch.tensor(COLUMN_EDGES), right=True)
    return row * (len(COLUMN_EDGES) + 1) + column


def stratum(
    values: Float[Tensor, "b q"], n: Int64[Tensor, " b"], columns: Int64[Tensor, " b"]
) -> Int64[Tensor, " b"]:
    """Index of the stratum: the cell of the shape, divided by the net's own median."""
    return shape_cell(n, columns) * _ANSWERS + _place(values).round().long()


def _place(values: Float[Tensor, "b q"]) -> Float[Tensor, " b"]:
    """Where the net's median lies among ANSWERS: 0 to 3, linear between neighbours."""
    answers = torch.tensor([math.log1p(nats) for nats in ANSWERS])
    median = values[:, MIDDLE, None]
    share: Tensor = ((median - answers[:-1]) / answers.diff()).clamp(0, 1)
    return share.sum(1)


def _drawn_to(levels: Float[Tensor, " q"], placed: Float[Tensor, " b"]) -> Float[Tensor, " q"]:
    """Quantiles of where truths fell, averaged with these levels, which count as `_WEIGHT` draws."""
    if not len(placed):
        return levels
    share = len(placed) / (len(placed) + _WEIGHT)
    return levels + share * (torch.quantile(placed, torch.tensor(LEVELS)) - levels)


def _mirrored(levels: Float[Tensor, "c q"]) -> Float[Tensor, "c q"]:
    """Levels that widen an interval as much as these, and shift it as far to the other side."""
    return 1.0 - levels.flip(1)


def _spread_zeros(
    placed: Float[Tensor, " b"], values: Float[Tensor, "b q"], truth: Float[Tensor, " b"]
) -> Float[Tensor, " b"]:
    """Spread a truth of 0 evenly over the levels whose quantile is 0.

    Any of these levels places it rightly. Counted as the lowest they would heap up at level 0 and push the
    lower quantiles of every other problem in the stratum down (randomised probability integral transform).
    """
    zeros = (values <= 0).sum(1)
    highest = torch.tensor((0.0, *LEVELS))[zeros]
    share = torch.rand(len(truth), generator=torch.Generator().manual_seed(0))
    return torch.where(truth <= 0, share * highest, placed)


def placement(values: Float[Tensor, "b q"], truth: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """The lowest level whose quantile reaches the truth; 0 below and 1 above all levels."""
    q = values.clamp_min(0).contiguous()
    nominal = torch.tensor(LEVELS)
    right = torch.searchsorted(q, truth[:, None].contiguous()).squeeze(1)
    inner = right.clamp(1, len(LEVELS) - 1)
    low, high = (q.gather(1, i[:, None]).squeeze(1) for i in (inner - 1, inner))
    share = ((truth - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
    level = nominal[inner - 1] + share * (nominal[inner] - nominal[inner - 1])
    return level.where(right > 0, 0).where(right < len(LEVELS), 1)
