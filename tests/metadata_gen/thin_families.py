"""Examples of thin signals for the laws over all families."""

import numpy as np

from mizzle.metadata_gen.families.thin import ConcentricClasses, NoisyRadius
from mizzle.metadata_gen.family import Family
from mizzle.metadata_gen.prior.thin import THIN

THIRDS = np.array([0.2, 0.3, 0.5])

FAMILIES: dict[str, Family] = {
    "thin radius": NoisyRadius(17, 0.5),
    "thin radius of one": NoisyRadius(1, 1.0),
    "thin radius of two, sharp": NoisyRadius(2, 0.04),
    "thin radius of many, noisy": NoisyRadius(64, 3.0),
    "concentric classes": ConcentricClasses(THIRDS, np.array([1.0, 1.4, 0.8]), 9, np.eye(3)),
    "concentric classes in one column": ConcentricClasses(
        THIRDS, np.array([1.0, 9.0, 0.1]), 1, np.arange(3.0)[:, None]
    ),
    "concentric classes in many columns": ConcentricClasses(
        THIRDS, np.array([1.0, 1.1, 1.2]), 48, np.arange(3.0)[:, None]
    ),
    **{
        f"thin {kind}": draw(np.random.default_rng(5), 24, 6)
        for kind, draw in THIN.items()
        if kind != "radius"
    },
}
