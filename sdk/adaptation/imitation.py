"""How well a map imitates rows: what tells its rows from real ones, and both to be drawn."""

import numpy as np
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from mizzle.adaptation.columns import Columns, normal_scores
from mizzle.adaptation.report import SideReport
from mizzle.adaptation.sides import FittedSide
from mizzle.data.arrays import FloatArray

_PICTURED = 1000  # rows
_NEIGHBOURS = 5


def compare(
    own: FittedSide, unseen: Columns, rng: np.random.Generator
) -> tuple[SideReport, tuple[FloatArray, FloatArray]]:
    """How a side was imitated, and real beside imitated rows of its continuous columns as normal scores."""
    names = own.columns.names
    discrete = tuple(name for name, is_so in zip(names, own.columns.discrete, strict=True) if is_so)
    about = names, discrete, unseen.notices, len(own.columns.values)
    if not own.latents:
        nothing = np.empty((0, 0))
        return SideReport(*about, None, 0, own.way, None), (nothing, nothing)
    real = normal_scores(unseen.continuous[:_PICTURED], rng)
    imitated = normal_scores(own.scores(rng.standard_normal((len(real), own.latents))), rng)
    accuracy = distinguished(real, imitated)
    return SideReport(*about, round(own.dimension, 2), own.latents, own.way, accuracy), (real, imitated)


def distinguished(real: FloatArray, imitated: FloatArray) -> float:
    """How often real and imitated rows are told apart, as many of both, by 5 neighbours of each.

    Accuracy, each row left out (Lopez-Paz & Oquab 2017).
    """
    count = min(len(real), len(imitated))
    rows = np.concatenate([real[:count], imitated[:count]])
    labels = np.repeat([0.0, 1.0], count)
    neighbours = cKDTree(rows).query(rows, _NEIGHBOURS + 1)[1][:, 1:]
    return round(float(((labels[neighbours].mean(axis=1) > 0.5) == labels).mean()), 4)
