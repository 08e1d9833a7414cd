"""Examples of mixtures for the laws over all families."""

import numpy as np

from mizzle.metadata_gen.families.mixtures import (
    ClassLabel,
    Components,
    NormalMixture,
    product_components,
)
from mizzle.metadata_gen.family import Family
from mizzle.metadata_gen.prior.contingency import random_table
from mizzle.metadata_gen.prior.mixtures import random_components

RNG = np.random.default_rng(3)
TABLE = random_table(RNG, 3, 4, 1.0, 0.9).probabilities
THIRDS = np.array([0.2, 0.3, 0.5])
RARE, RARE_RNG = np.array([0.39, 0.6, 0.01]), np.random.default_rng(4)
ROUND = np.eye(2)[None].repeat(3, 0)

FAMILIES: dict[str, Family] = {
    "mixture of one": NormalMixture(random_components(RNG, np.ones(1), 4, 1.0, 0.3), 2),
    "mixture 1+1": NormalMixture(random_components(RNG, THIRDS, 2, 2.0, 0.5), 1),
    "mixture 1+7": NormalMixture(random_components(RNG, np.full(5, 0.2), 8, 1.0, 0.4), 1),
    "mixture of twenty": NormalMixture(random_components(RNG, np.full(20, 0.05), 8, 3.0, 0.5), 4),
    "mixture concentric": NormalMixture(random_components(RNG, THIRDS, 4, 0.0, 0.2), 2),
    "mixture clusters": NormalMixture(Components(THIRDS, 9.0 * np.eye(3)[:, :2], ROUND), 1),
    "mixture separate": NormalMixture(
        product_components(
            TABLE,
            random_components(RNG, TABLE.sum(1), 2, 3.0, 0.5),
            random_components(RNG, TABLE.sum(0), 1, 2.0, 0.5),
        ),
        2,
    ),
    "mixture of regimes": NormalMixture(
        product_components(
            np.diag(RARE),
            random_components(RARE_RNG, RARE, 1, 2.0, 0.5),
            random_components(RARE_RNG, RARE, 1, 2.0, 0.5),
        ),
        1,
    ),
    "rare label": ClassLabel(random_components(RARE_RNG, RARE, 1, 2.0, 0.5), np.arange(3.0)[:, None]),
    "label": ClassLabel(random_components(RNG, THIRDS, 3, 1.0, 0.5), np.arange(3.0)[:, None]),
    "label one hot": ClassLabel(random_components(RNG, np.full(8, 0.125), 2, 2.0, 0.5), np.eye(8)),
}
