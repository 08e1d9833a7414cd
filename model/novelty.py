"""Novelty: how far a sample's statistics lie from everything in the training.

The score is the Mahalanobis distance of the net's standardised global features from those of held-out
training draws. What distance is common depends on n and on the number of columns, so each cell of shapes has
its own threshold, which one draw of a hundred exceeds. Beyond it the net extrapolates, and its interval is
stretched in proportion.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mizzle.model.calibrate import SHAPES, shape_cell
from mizzle.model.quantiles import LARGEST_WIDENING, MIDDLE

FALSE_ALARMS = 0.01
_FEWEST = 500  # draws in a cell below which it takes the threshold of all
_FEW_MORE = 50  # of another kind, below which a cell keeps its threshold
_FLOOR = 1e-3  # of the largest eigenvalue: features repeat one another


@dataclass(frozen=True)
class Novelty:
    """Centre and spread of g features over the draws of the training.

    Attributes:
        centre, whitening: score = |(features - centre) whitening|, 1 on average over the draws in square.
        thresholds: of the score, per cell of the shape.
    """

    centre: Float[Tensor, " g"]
    whitening: Float[Tensor, "g g"]
    thresholds: Float[Tensor, " c"]

    @classmethod
    def fit(
        cls, features: Float[Tensor, "b g"], n: Int64[Tensor, " b"], columns: Int64[Tensor, " b"]
    ) -> "Novelty":
        """Fit on held-out draws of the training stream; columns counts dx + dy."""
        centre = features.double().mean(0)
        values, axes = torch.linalg.eigh((features.double() - centre).T.cov())
        values = values.clamp_min(_FLOOR * values[-1])
        whitening = axes / (values * len(values)).sqrt()
        fitted = cls(centre.float(), whitening.float(), torch.full((SHAPES,), torch.inf))
        score, cell = fitted.score(features), shape_cell(n, columns)
        of_all = _threshold(score)
        cells = [score[cell == c] for c in range(SHAPES)]
        thresholds = [_threshold(own) if len(own) >= _FEWEST else of_all for own in cells]
        return cls(fitted.centre, fitted.whitening, torch.stack(thresholds))

    def raised(
        self, features: Float[Tensor, "b g"], n: Int64[Tensor, " b"], columns: Int64[Tensor, " b"]
    ) -> "Novelty":
        """The same distance, with thresholds that further held-out draws rarely exceed, either.

        A cell with fewer than `_FEW_MORE` of these draws keeps its threshold.
        """
        score, cell = self.score(features), shape_cell(n, columns)
        thresholds = self.thresholds.clone()
        for c in range(SHAPES):
            if (own := score[cell == c]).numel() >= _FEW_MORE:
                thresholds[c] = thresholds[c].maximum(_threshold(own))
        return Novelty(self.centre, self.whitening, thresholds)

    def score(self, features: Float[Tensor, "b g"]) -> Float[Tensor, " b"]:
        """Distance from the centre, in standard deviations."""
        distance: Tensor = torch.linalg.vector_norm((features - self.centre) @ self.whitening, dim=-1)
        return distance

    def excess(
        self, features: Float[Tensor, "b g"], n: Int64[Tensor, " b"], columns: Int64[Tensor, " b"]
    ) -> Float[Tensor, " b"]:
        """The score as a multiple of the threshold for this shape; familiar up to 1."""
        return self.score(features) / self.thresholds[shape_cell(n, columns)]


def stretch(values: Float[Tensor, "b q"], excess: Float[Tensor, " b"]) -> Float[Tensor, "b q"]:
    """Quantiles of log(1 + I) spread about their median, in proportion to the excess over 1."""
    middle = values[:, MIDDLE, None]
    return middle + (values - middle) * widening(excess)[:, None]


def widening(excess: Float[Tensor, "*b"]) -> Float[Tensor, "*b"]:
    """How many times as wide the interval becomes."""
    return excess.clamp(1.0, LARGEST_WIDENING)


def _threshold(score: Float[Tensor, " b"]) -> Float[Tensor, ""]:
    return torch.quantile(score, 1 - FALSE_ALARMS)
