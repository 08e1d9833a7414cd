"""Distributions that know their own mutual information, and the prior over them.

>>> problem = dataset(seed=0, i=7)
>>> len(problem.x) == len(problem.y), problem.truth.nats >= 0.0
(True, True)
"""

from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.archimedean import ArchimedeanCopula
from mizzle.metadata_gen.families.binned import Binned
from mizzle.metadata_gen.families.channels import Channel
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.families.copulas import CopulaMixture, NormalCopula, Rotated
from mizzle.metadata_gen.families.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.families.independent import Independent, Noise
from mizzle.metadata_gen.families.mixtures import ClassLabel, NormalMixture
from mizzle.metadata_gen.families.operators import (
    ColumnsShuffled,
    Concatenated,
    Contaminated,
    MonotoneWarped,
    SideWarped,
    Swapped,
    WithCopies,
    WithNuisance,
    ZeroInflated,
)
from mizzle.metadata_gen.families.thin import ConcentricClasses, NoisyRadius
from mizzle.metadata_gen.family import Family, Truth
from mizzle.metadata_gen.prior import HELD_OUT, describe, draw, draw_held_out, draw_rows
from mizzle.metadata_gen.prior.channels import random_channel
from mizzle.metadata_gen.prior.ranges import Limits
from mizzle.metadata_gen.store.shards import Shards
from mizzle.metadata_gen.stream import DataSet, dataset, stream

__all__ = [
    "HELD_OUT",
    "AdditiveUniformNoise",
    "ArchimedeanCopula",
    "Binned",
    "Channel",
    "ClassLabel",
    "ColumnsShuffled",
    "Concatenated",
    "ConcentricClasses",
    "Contaminated",
    "ContingencyTable",
    "CopulaMixture",
    "DataSet",
    "Family",
    "Independent",
    "Limits",
    "MonotoneWarped",
    "MultivariateNormal",
    "MultivariateStudent",
    "Noise",
    "NoisyRadius",
    "NormalCopula",
    "NormalMixture",
    "Rotated",
    "Shards",
    "SideWarped",
    "Swapped",
    "Truth",
    "WithCopies",
    "WithNuisance",
    "ZeroInflated",
    "dataset",
    "describe",
    "draw",
    "draw_held_out",
    "draw_rows",
    "random_channel",
    "stream",
]
