"""Examples of every family and operator, for the laws that all of them obey.

A new class gets an example or two here, or in the list of its kind, which is joined at the end.
"""

import numpy as np
from channel_families import FAMILIES as CHANNELS
from class_families import FAMILIES as CLASSES
from copula_families import FAMILIES as COPULAS
from discrete_families import FAMILIES as DISCRETE
from discrete_families import LABELS
from map_families import FAMILIES as MAPS
from mixture_families import FAMILIES as MIXTURES
from thin_families import FAMILIES as THIN

from mizzle.metadata_gen import dispersion
from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.families.independent import Independent, Noise
from mizzle.metadata_gen.families.operators import (
    ColumnsShuffled,
    Concatenated,
    MonotoneWarped,
    Swapped,
    WithNuisance,
)
from mizzle.metadata_gen.families.phases import Phases, Wrapped
from mizzle.metadata_gen.family import Family
from mizzle.metadata_gen.maps.warps import Affine, Asinh, SignedPower, Wiggly
from mizzle.metadata_gen.prior.elliptical import rotated

RNG = np.random.default_rng(0)

CANONICAL = dispersion.canonical(
    np.array([0.9, 0.5]),
    dispersion.random_mixing(RNG, np.array([0.2, 0.5, 1.0])),
    dispersion.random_mixing(RNG, np.array([0.3, 1.0])),
)
FACTOR = dispersion.random_factor_model(
    RNG, 4, 2, np.array([1.0, 0.3]), np.array([0.5, 1.0]), np.linspace(0.3, 1.0, 6)
)
NOISE = Noise(dispersion.dense(2, 0.6), "student", 2.0)
UNIFORM_NOISE = Noise(dispersion.dense(3, 0.3), "uniform")
NORMAL = MultivariateNormal(dispersion.latent_variable(3, 4, 2, 0.5, 1.5, 0.7, 2.0), 3)
STUDENT = MultivariateStudent(dispersion.sparse(3, 2, 2, 1.2), 3, 1.5)
ADDITIVE = AdditiveUniformNoise(np.array([0.1, 0.5, 2.0]))
WARPS = [Affine(-2.0, 1.0), SignedPower(1.5), Wiggly(((0.4, 1.0, 0.0), (0.2, 1.7, 1.0))), Asinh()]

BLOCK_OF = np.array([0, 1, 0, 1, 1])

FAMILIES: dict[str, Family] = {
    "normal pair": MultivariateNormal(dispersion.pair(0.9), 1),
    "normal weak pair": MultivariateNormal(dispersion.pair(-0.01), 1),
    "normal sharp pair": MultivariateNormal(dispersion.pair(0.9999), 1),
    "normal dense": MultivariateNormal(dispersion.dense(9, 0.4), 3),
    "normal lvm": NORMAL,
    "normal two pair": MultivariateNormal(dispersion.sparse(16, 16, 2, 2.0), 16),
    "normal canonical": MultivariateNormal(CANONICAL, 3),
    "normal factor": MultivariateNormal(FACTOR, 4),
    "student pair": MultivariateStudent(dispersion.pair(0.7), 1, 0.8),
    "student identity": MultivariateStudent(np.eye(7), 4, 2.0),
    "student sparse": STUDENT,
    "student canonical": MultivariateStudent(CANONICAL, 3, 30.0),
    "normal rotated": rotated(np.random.default_rng(2), 10, 7),
    "additive": ADDITIVE,
    "additive sharp": AdditiveUniformNoise(np.array([0.01])),
    "additive wide": AdditiveUniformNoise(np.array([5.0])),
    "independent": Independent(NOISE, UNIFORM_NOISE),
    "warped normal": MonotoneWarped(NORMAL, WARPS[:3], WARPS),
    "warped student": MonotoneWarped(STUDENT, WARPS[1:], WARPS[:2]),
    "concatenated": Concatenated([NORMAL, STUDENT, ADDITIVE]),
    "nuisance": WithNuisance(ADDITIVE, NOISE, UNIFORM_NOISE),
    "nuisance on one side": WithNuisance(STUDENT, None, NOISE),
    "shuffled": ColumnsShuffled(NORMAL, np.array([2, 0, 1]), np.array([3, 1, 0, 2])),
    "swapped": Swapped(NORMAL),
    "nested": Swapped(WithNuisance(Concatenated([STUDENT, ADDITIVE]), NOISE, None)),
    "independent discrete": Independent(Noise(np.eye(2), "discrete", levels=5), NOISE),
    "normal toeplitz": MultivariateNormal(dispersion.toeplitz(-0.9, np.array([2, 0, 3, 1])), 2),
    "normal blocks": MultivariateNormal(dispersion.blocks(BLOCK_OF, np.array([0.8, 0.3])), 2),
    **MIXTURES,
    **COPULAS,
    **DISCRETE,
    **CHANNELS,
    **MAPS,
    **CLASSES,
    **THIN,
    "phases": Phases(None, Wrapped("normal", 0.3)),
    "uneven phases": Phases(Wrapped("normal", 0.7), Wrapped("cauchy", 0.2), turns=3, origins=(1.0, 2.0)),
    "phases on circles": Phases(Wrapped("cauchy", 0.5), Wrapped("uniform", 0.4), 2, (1.0, 2.0), "circles"),
    **LABELS,
}
