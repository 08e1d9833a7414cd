"""The prior over copulas: Archimedean ones, rotated and mixed, and those seen through bins."""

import numpy as np

from mizzle.metadata_gen.families.archimedean import ArchimedeanCopula
from mizzle.metadata_gen.families.binned import Binned
from mizzle.metadata_gen.families.copulas import Copula, CopulaMixture, NormalCopula, Rotated
from mizzle.metadata_gen.families.operators import Swapped
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior.contingency import random_levels
from mizzle.metadata_gen.prior.draws import chance, choice, real, whole
from mizzle.metadata_gen.prior.elliptical import pair_rho
from mizzle.metadata_gen.prior.mixtures import random_weights


def archimedean(rng: Rng, name: str) -> Copula:
    """A copula of this name with Kendall's tau and rotation drawn."""
    upright = ArchimedeanCopula.from_tau(name, real(rng, "copula.tau"))
    return Rotated(upright, int(choice(rng, "copula.rotation")))


def copula(rng: Rng, *_: int) -> Copula:
    """Clayton's, Gumbel's or Frank's copula, rotated."""
    return archimedean(rng, choice(rng, "copula"))


def copula_mixture(rng: Rng, *_: int) -> Family:
    """Two or three such copulas with random weights."""
    k = whole(rng, "copula_mixture.components")
    copulas = [copula(rng) for _ in range(k)]
    return CopulaMixture(random_weights(rng, k).tolist(), copulas)


def binned(rng: Rng, *_: int) -> Family:
    """A pair of which one or both columns were cut into levels: thresholds, rounding, grades."""
    smooth = NormalCopula(pair_rho(rng)) if rng.random() < 0.5 else copula(rng)
    if chance(rng, "binned.both"):
        return Binned(smooth, _edges(rng), _edges(rng))
    family = Binned(smooth, _edges(rng), None)
    return Swapped(family) if rng.random() < 0.5 else family


def random_edges(rng: Rng, levels: int, concentration: float) -> Array:
    """Inner edges of bins whose probabilities are `random_levels`, shape (levels - 1,)."""
    return np.cumsum(random_levels(rng, levels, concentration))[:-1]


def _edges(rng: Rng) -> Array:
    return random_edges(rng, whole(rng, "binned.levels"), real(rng, "levels.evenness"))
