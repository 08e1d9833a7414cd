"""Examples of every operator and every map of a side, for the laws."""

import numpy as np

from mizzle.metadata_gen import dispersion
from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.families.operators import (
    Contaminated,
    MonotoneWarped,
    SideWarped,
    Swapped,
    WithCopies,
    ZeroInflated,
)
from mizzle.metadata_gen.family import Family
from mizzle.metadata_gen.maps.curves import SwissRoll
from mizzle.metadata_gen.maps.side_map import Composed, SideMap
from mizzle.metadata_gen.maps.warps import Affine, NormalCdf
from mizzle.metadata_gen.prior.maps import KINDS, random_map
from mizzle.metadata_gen.prior.transformations import bends

PAIR = MultivariateNormal(dispersion.pair(0.8), 1)
NORMAL = MultivariateNormal(dispersion.latent_variable(3, 4, 2, 0.5, 1.5, 0.7, 2.0), 3)
STUDENT = MultivariateStudent(dispersion.sparse(3, 2, 2, 1.2), 3, 1.5)
ADDITIVE = AdditiveUniformNoise(np.array([0.1, 0.5, 2.0]))


def of_kind(kind: str, dim: int, seed: int) -> SideMap:
    return random_map(np.random.default_rng(seed), kind, dim)


def chain(dim: int, *kinds: str) -> SideMap:
    maps: list[SideMap] = []
    for seed, kind in enumerate(kinds):
        maps.append(of_kind(kind, maps[-1].dim_out if maps else dim, seed))
    return Composed(maps)


FAMILIES: dict[str, Family] = {
    **{f"{kind} of normal": SideWarped(NORMAL, of_kind(kind, 3, 1), of_kind(kind, 4, 2)) for kind in KINDS},
    **{f"{kind} of student": SideWarped(STUDENT, of_kind(kind, 3, 3), None) for kind in KINDS},
    "coupling of additive": SideWarped(ADDITIVE, None, of_kind("coupling", 3, 4)),
    "swiss roll of pair": SideWarped(PAIR, SwissRoll(1, 0, NormalCdf()), None),
    **{f"bends {seed}": bends(np.random.default_rng(seed), 6, 5) for seed in range(4)},
    "composed maps": SideWarped(NORMAL, chain(3, "mixing", "arc", "spiral"), chain(4, "coupling", "shear")),
    "copies of normal": WithCopies(NORMAL, [0, 0, 2], [3], np.array([0.5, 0.0, 2.0, 0.1])),
    "copies of student": WithCopies(STUDENT, [1], [], np.array([0.0])),
    "zero-inflated normal": ZeroInflated(NORMAL, 0.7, 0.4),
    "zero-inflated student": ZeroInflated(STUDENT, 0.9, 1.0),
    "zero-inflated together": ZeroInflated(NORMAL, 0.6, 0.6, shared=True),
    "zero-inflated nested": ZeroInflated(ADDITIVE, 0.3, 0.8, shared=True),
    "contaminated pair": Contaminated(PAIR, 0.3),
    "contaminated normal": Contaminated(NORMAL, 0.05),
    "contaminated student": Contaminated(STUDENT, 0.8),
    "contaminated additive": Contaminated(ADDITIVE, 0.2),
    "contaminated zeros": Contaminated(ZeroInflated(PAIR, 0.5, 0.7, shared=True), 0.3),
    "operators on top of another": Swapped(
        MonotoneWarped(
            WithCopies(
                SideWarped(Contaminated(PAIR, 0.1), None, of_kind("swiss", 1, 5)), [0], [], np.ones(1)
            ),
            [Affine(-2.0), Affine(0.5, 3.0)],
            [Affine(0.1), Affine(3.0)],
        )
    ),
}
