"""The prior over heavy-tailed noise, rare classes and rare events."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.metadata_gen.families import additive as add
from mizzle.metadata_gen.families.events import LogisticEvent
from mizzle.metadata_gen.families.independent import Noise
from mizzle.metadata_gen.families.mixtures import ClassLabel, NormalMixture, product_components
from mizzle.metadata_gen.families.operators import Concatenated, SideWarped, Swapped, WithNuisance
from mizzle.metadata_gen.family import Family, Rng
from mizzle.metadata_gen.maps.invertible import Linear
from mizzle.metadata_gen.prior.draws import chance, choice, real, whole
from mizzle.metadata_gen.prior.mixtures import clusters, rare_weights


def heavy(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """One to three columns, and the same with noise, both of laws that are drawn once; either may be X."""
    law = _law(rng)
    noise = law if chance(rng, "heavy.alike") else _law(rng)
    count = whole(rng, "heavy.pairs", min(dim_x, dim_y))
    pairs = [add.AdditiveNoise(law, noise, real(rng, "heavy.scale")) for _ in range(count)]
    family = pairs[0] if count == 1 else Concatenated(pairs, "heavy")
    return family if rng.random() < 0.5 else Swapped(family)


def rare(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A rare class, a rare event or a rare regime; where the sides allow, either may be X."""
    build = _RARE[choice(rng, "rare")]
    return build(rng, dim_x) if rng.random() < 0.5 else Swapped(build(rng, dim_y))


def spread_out(rng: Rng, family: Family, dim: int) -> Family:
    """X of one column becomes `dim` columns, of which one direction counts and the others are normal."""
    if dim == 1:
        return family
    wide = WithNuisance(family, Noise(np.eye(dim - 1)), None)
    return SideWarped(wide, Linear(random_rotation(rng, dim)), None)


def _rare_class(rng: Rng, dim: int) -> Family:
    """A label with a rare class, against numbers that it shifts and scales along a direction."""
    k = whole(rng, "rare.classes")
    codes = rng.permutation(np.arange(float(k)))[:, None]
    label = ClassLabel(clusters(rng, rare_weights(rng, k), 1), codes)
    return spread_out(rng, label, whole(rng, "rare.columns", dim))


def _event(rng: Rng, dim: int) -> Family:
    """An event whose log-odds are linear in some columns."""
    slope = real(rng, "event.slope")
    event = LogisticEvent.with_rate(real(rng, "event.rate"), slope)
    return spread_out(rng, event, whole(rng, "event.columns", dim))


def _regime(rng: Rng, _: int) -> Family:
    """Two numbers that are independent within classes that do not show, of which one is rare."""
    weights = rare_weights(rng, whole(rng, "rare.classes"))
    sides = clusters(rng, weights, 1), clusters(rng, weights, 1)
    return NormalMixture(product_components(np.diag(weights), *sides), 1, "mixture-separate")


def _law(rng: Rng) -> add.SymmetricLaw:
    kind = choice(rng, "heavy.law")
    if kind == "student":
        return add.Student(real(rng, "heavy.df"))
    return add.NormalWithOutliers(real(rng, "heavy.outliers")) if kind == "outliers" else _FIXED_LAWS[kind]


_FIXED_LAWS: Final[Mapping[str, add.SymmetricLaw]] = MappingProxyType(
    {
        "normal": add.Normal(),
        "logistic": add.Logistic(),
        "secant": add.HyperbolicSecant(),
        "slash": add.Slash(),
    }
)
_RARE: Final[Mapping[str, Callable[[Rng, int], Family]]] = MappingProxyType(
    {"class": _rare_class, "event": _event, "regime": _regime}
)
