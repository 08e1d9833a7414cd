"""Heavy-tailed noise, events, and classes shown as codes or clouds, for the laws over all families."""

import numpy as np

from mizzle.metadata_gen import dispersion
from mizzle.metadata_gen.families.additive import (
    AdditiveNoise,
    HyperbolicSecant,
    Logistic,
    Normal,
    NormalWithOutliers,
    Slash,
    Student,
)
from mizzle.metadata_gen.families.classes import ClassPair, Codes, LogisticEvent
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.families.operators import SideWarped
from mizzle.metadata_gen.family import Family
from mizzle.metadata_gen.maps.invertible import Linear
from mizzle.metadata_gen.prior.contingency import random_clouds, random_table

RNG = np.random.default_rng(6)
CAUCHY = Student(1.0)
FIVE = random_table(RNG, 5, 5, 2.0, 0.9)
TWELVE_BY_THREE = random_table(RNG, 12, 3, 1.0, 0.7)
FIFTY = random_table(RNG, 50, 50, 3.0, 0.6)
COIN = ContingencyTable(np.array([[0.4, 0.1], [0.1, 0.4]]))

FAMILIES: dict[str, Family] = {
    "heavy cauchy": AdditiveNoise(CAUCHY, CAUCHY, 1.0),
    "heavy cauchy sharp": AdditiveNoise(CAUCHY, CAUCHY, 0.05),
    "heavy student": AdditiveNoise(Student(2.3), Student(5.0), 0.4),
    "heavy normal with student noise": AdditiveNoise(Normal(), Student(1.5), 0.2),
    "heavy student with normal noise": AdditiveNoise(Student(1.5), Normal(), 5.0),
    "heavy logistic": AdditiveNoise(Logistic(), HyperbolicSecant(), 1.5),
    "heavy slash": AdditiveNoise(Slash(), NormalWithOutliers(0.1), 0.7),
    "rare event": LogisticEvent.with_rate(0.02, 2.0),
    "likely event": LogisticEvent(1.0, -8.0),
    "one-hot labels": ClassPair(FIFTY, Codes(np.eye(50)), Codes(np.eye(50)[:, :-1]), "labels"),
    "renamed labels": ClassPair(
        FIVE,
        Codes(RNG.permutation(np.arange(5.0))[:, None]),
        Codes(RNG.permutation(np.arange(5.0))[:, None]),
        "labels",
    ),
    "clouds of two": ClassPair(COIN, random_clouds(RNG, 2, 24), random_clouds(RNG, 2, 8), "embeddings"),
    "clouds in few columns": ClassPair(
        FIVE, random_clouds(RNG, 5, 2), random_clouds(RNG, 5, 1), "embeddings"
    ),
    "clouds and a label": ClassPair(
        TWELVE_BY_THREE, random_clouds(RNG, 12, 48), Codes(np.arange(3.0)[:, None]), "embeddings"
    ),
    "clouds mixed": SideWarped(
        ClassPair(FIVE, random_clouds(RNG, 5, 6), random_clouds(RNG, 5, 7), "embeddings"),
        Linear(dispersion.random_mixing(RNG, np.linspace(0.2, 1.0, 6))),
        None,
    ),
}
