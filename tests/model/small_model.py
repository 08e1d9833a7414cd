"""A small model: its header, and a calibration and a novelty score that change nothing."""

import torch

from mizzle.model import weights
from mizzle.model.calibrate import ANSWERS, SHAPES, Calibration
from mizzle.model.novelty import Novelty
from mizzle.model.quantiles import LEVELS
from mizzle.model.weights import NetConfig

HEADER = weights.Header(
    name="test",
    version="0",
    net=NetConfig(width=16, channels=8, heads=2, rounds=1, blocks=2),
    rows=(10, 100),
    columns=(1, 4),
    prior={"a": [1, 2]},
    training={"seed": 3},
)


def identity() -> Calibration:
    """Reports the net's own quantiles."""
    return Calibration(torch.tensor(LEVELS).repeat(SHAPES * len(ANSWERS), 1))


def all_familiar(features: int) -> Novelty:
    """Whatever comes is familiar."""
    largest = torch.finfo(torch.float32).max
    return Novelty(torch.zeros(features), torch.eye(features), torch.full((SHAPES,), largest))
