"""Distributions that know their own mutual information, and the prior over them.

>>> problem = dataset(seed=0, i=7)
>>> len(problem.x) == len(problem.y), problem.truth.nats >= 0.0
(True, True)
"""

from mizzle.metadata_gen.additive import AdditiveUniformNoise
from mizzle.metadata_gen.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.family import Family, Truth
from mizzle.metadata_gen.independent import Independent, Noise
from mizzle.metadata_gen.operators import (
    ColumnsShuffled,
    Concatenated,
    MonotoneWarped,
    Swapped,
    WithNuisance,
)
from mizzle.metadata_gen.prior import describe, draw, draw_rows
from mizzle.metadata_gen.stream import DataSet, dataset, stream

__all__ = [
    "AdditiveUniformNoise",
    "ColumnsShuffled",
    "Concatenated",
    "DataSet",
    "Family",
    "Independent",
    "MonotoneWarped",
    "MultivariateNormal",
    "MultivariateStudent",
    "Noise",
    "Swapped",
    "Truth",
    "WithNuisance",
    "dataset",
    "describe",
    "draw",
    "draw_rows",
    "stream",
]
