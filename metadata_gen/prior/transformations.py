"""The prior over transformations that keep the MI: more columns, maps inside a side, warps, shuffles.

Also the problems that are made of nothing else: independent sides, and strong pairs behind nonlinear maps.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

import numpy as np

from mizzle.metadata_gen.dispersion import Order, canonical
from mizzle.metadata_gen.families.elliptical import MultivariateNormal
from mizzle.metadata_gen.families.independent import Independent, Marginal, Noise
from mizzle.metadata_gen.families.operators import (
    ColumnsShuffled,
    MonotoneWarped,
    SideWarped,
    WithCopies,
    WithNuisance,
)
from mizzle.metadata_gen.family import Family, Rng
from mizzle.metadata_gen.maps import warps as wrp
from mizzle.metadata_gen.maps.side_map import Composed, SideMap
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals, whole
from mizzle.metadata_gen.prior.elliptical import factors, shared_rho
from mizzle.metadata_gen.prior.maps import WIDENING, kinds, random_map, wiggly

# Columns without a partner


def independent(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Two sides that are independent of each other."""
    return Independent(noise(rng, dim_x), noise(rng, dim_y))


def noise(rng: Rng, dim: int) -> Noise:
    """Columns of noise, which may depend on one another."""
    marginal = cast(Marginal, choice(rng, "noise.marginal"))
    matrix = np.eye(dim) if chance(rng, "noise.plain") else factors(rng, dim, 0)
    if marginal == "rounded":
        return Noise(matrix, marginal, levels=whole(rng, "rounded.levels"), skew=random_skew(rng))
    return Noise(matrix, marginal, real(rng, "noise.df"), whole(rng, "noise.levels"))


def random_skew(rng: Rng) -> float:
    """Of a column before it is rounded: none, or to either side."""
    return rng.choice([-1.0, 1.0]) * real(rng, "rounded.skew") if chance(rng, "rounded.skewed") else 0.0


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
    return random_map(rng, kind, dim) if _fits(kind, dim, max_columns) else None


def _fits(kind: str, dim: int, max_columns: int) -> bool:
    """Whether a side allows this kind: many need two columns, some room for one more."""
    return kind in kinds(dim) and (kind not in WIDENING or dim < max_columns)


def bends(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Strong normal pairs and noise columns, at most this many, one side or both through nonlinear maps."""
    pairs = whole(rng, "bends.pairs", min(dim_x, dim_y))
    nats = real(rng, "bends.nats_middling" if chance(rng, "bends.middling") else "bends.nats")
    rho = shared_rho(rng, nats, pairs, real(rng, "bends.evenness"))
    d_x, d_y = (pairs + whole(rng, "bends.noise", dim - pairs) for dim in (dim_x, dim_y))
    base = MultivariateNormal(canonical(rho, np.eye(d_x), np.eye(d_y)), d_x, "normal-bends")
    left, right = _which_sides(rng)
    return SideWarped(
        base, _bend(rng, d_x, dim_x) if left else None, _bend(rng, d_y, dim_y) if right else None
    )


def _which_sides(rng: Rng) -> tuple[bool, bool]:
    """Both, or one of them."""
    if chance(rng, "bends.both"):
        return True, True
    left = bool(rng.random() < 0.5)
    return left, not left


def _bend(rng: Rng, dim: int, max_columns: int) -> SideMap | None:
    """One nonlinear map or two in turn, as far as they fit."""
    maps: list[SideMap] = []
    for _ in range(1 + chance(rng, "bends.again")):
        kind = choice(rng, "bend")
        if _fits(kind, dim, max_columns):
            maps.append(random_map(rng, kind, dim))
            dim = maps[-1].dim_out
    return Composed(maps) if maps else None


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
    return wiggly(rng) if kind == "wiggly" else PLAIN_WARPS[kind]


PLAIN_WARPS: Final[Mapping[str, wrp.Warp]] = MappingProxyType(
    {
        "asinh": wrp.Asinh(),
        "sinh": wrp.Sinh(),
        "exp": wrp.Exponential(),
        "cdf": wrp.NormalCdf(),
        "logistic": wrp.Logistic(),
    }
)
