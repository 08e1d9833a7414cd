"""The prior over transformations that keep the MI: more columns, maps inside a side, warps, shuffles."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

import numpy as np

from mizzle.metadata_gen.dispersion import Order
from mizzle.metadata_gen.families.independent import Independent, Marginal, Noise
from mizzle.metadata_gen.families.operators import (
    ColumnsShuffled,
    MonotoneWarped,
    SideWarped,
    WithCopies,
    WithNuisance,
)
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.maps import warps as wrp
from mizzle.metadata_gen.maps.side_map import SideMap
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals, whole
from mizzle.metadata_gen.prior.elliptical import factors
from mizzle.metadata_gen.prior.maps import WIDENING, kinds, random_map

# Columns without a partner


def independent(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Two sides that are independent of each other."""
    return Independent(noise(rng, dim_x), noise(rng, dim_y))


def noise(rng: Rng, dim: int) -> Noise:
    """Columns of noise, which may depend on one another."""
    marginal = cast(Marginal, choice(rng, "noise.marginal"))
    matrix = np.eye(dim) if chance(rng, "noise.plain") else factors(rng, dim, 0)
    return Noise(matrix, marginal, real(rng, "noise.df"), whole(rng, "noise.levels"))


def filled(rng: Rng, family: Family, dim_x: int, dim_y: int) -> Family:
    """Noise columns are appended until the sides have these sizes."""
    rest = (dim_x - family.dim_x, dim_y - family.dim_y)
    if not any(rest):
        return family
    return WithNuisance(family, *(noise(rng, d) if d else None for d in rest))


def with_nuisance(rng: Rng, family: Family, max_columns: int) -> Family:
    """Some noise columns on either side or both, as far as max_columns allows."""
    return WithNuisance(family, *(_extra(rng, max_columns - d) for d in (family.dim_x, family.dim_y)))


def _extra(rng: Rng, room: int) -> Noise | None:
    if room < 1 or not chance(rng, "nuisance.side"):
        return None
    return noise(rng, whole(rng, "nuisance.columns", room))


def with_copies(rng: Rng, family: Family, max_columns: int) -> Family:
    """Some columns repeated, exactly or with noise, as far as max_columns allows."""
    of_x, of_y = (_picks(rng, d, max_columns - d) for d in (family.dim_x, family.dim_y))
    count = len(of_x) + len(of_y)
    scales = np.zeros(count) if chance(rng, "copies.exact") else reals(rng, "copies.noise", count)
    return WithCopies(family, of_x, of_y, scales)


def _picks(rng: Rng, dim: int, room: int) -> Order:
    return rng.integers(dim, size=whole(rng, "copies.columns", room) if room > 0 else 0)


# Maps of a side, and of a column


def mapped(rng: Rng, family: Family, max_columns: int) -> Family:
    """Invertible maps inside either side or both, perhaps several after one another."""
    once = SideWarped(family, *(_map(rng, d, max_columns) for d in (family.dim_x, family.dim_y)))
    return mapped(rng, once, max_columns) if chance(rng, "mapped.again") else once


def _map(rng: Rng, dim: int, max_columns: int) -> SideMap | None:
    if not chance(rng, "mapped.side"):
        return None
    kind = choice(rng, "map")
    if kind not in kinds(dim) or (kind in WIDENING and dim == max_columns):
        return None  # one column has nothing to turn with, a full side no room to widen
    return random_map(rng, kind, dim)


def shuffled(rng: Rng, family: Family) -> Family:
    """Columns of either side in random order."""
    return ColumnsShuffled(family, *(rng.permutation(d) for d in (family.dim_x, family.dim_y)))


def warped(rng: Rng, family: Family, light: bool) -> Family:
    """Every column through a strictly monotone map; `light` tails allow those that saturate or explode."""
    warps_x, warps_y = ([_warp(rng, light) for _ in range(d)] for d in (family.dim_x, family.dim_y))
    return MonotoneWarped(family, warps_x, warps_y)


def _warp(rng: Rng, light: bool) -> wrp.Warp:
    kind = choice(rng, "warp.light_tails" if light else "warp")
    if kind == "affine":
        return wrp.Affine(math.copysign(real(rng, "warp.scale"), rng.random() - 0.5))
    if kind == "power":
        return wrp.SignedPower(real(rng, "warp.power"))
    return _wiggly(rng) if kind == "wiggly" else PLAIN_WARPS[kind]


def _wiggly(rng: Rng) -> wrp.Warp:
    """Three waves that share the slope sum |a b| < 1."""
    slopes = rng.dirichlet((1.0, 1.0, 1.0)) * real(rng, "wiggly.slope")
    frequencies, phases = reals(rng, "wiggly.frequency", 3), reals(rng, "wiggly.phase", 3)
    waves: Array = np.column_stack([slopes / frequencies, frequencies, phases])
    return wrp.Wiggly(tuple((a, b, c) for a, b, c in waves.tolist()))


PLAIN_WARPS: Final[Mapping[str, wrp.Warp]] = MappingProxyType(
    {
        "asinh": wrp.Asinh(),
        "sinh": wrp.Sinh(),
        "exp": wrp.Exponential(),
        "cdf": wrp.NormalCdf(),
        "logistic": wrp.Logistic(),
    }
)
