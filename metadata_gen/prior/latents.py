"""The prior over problems shown by looks: few latents a side, and many columns that tell them."""

from collections.abc import Callable

import numpy as np

from mizzle.metadata_gen import dispersion as dsp
from mizzle.metadata_gen.families.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.families.operators import SideWarped
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.maps.looks import Scaled
from mizzle.metadata_gen.maps.side_map import Chained, Injection
from mizzle.metadata_gen.prior.draws import chance, choice, real, whole
from mizzle.metadata_gen.prior.elliptical import canonical_mixing, canonical_rho
from mizzle.metadata_gen.prior.looks import random_look, with_mixtures
from mizzle.metadata_gen.prior.map_ranges import (
    HEAVY,
    LIMIT_HEAVY,
    LIMIT_LIGHT,
    LOOKS,
    MAX_LATENTS,
    REFERENCE,
    SMALLEST_SCALE,
)
from mizzle.metadata_gen.prior.maps import random_map
from mizzle.metadata_gen.prior.pairs import part_either_way
from mizzle.metadata_gen.prior.transformations import independent

Drawn = Callable[[Rng, int, int], Injection]

# What is shown


def latents(rng: Rng, max_columns: int) -> Family:
    """A continuous problem of so few columns that looks of 2 k + 1 columns fit into max_columns."""
    dim_x = whole(rng, "latents", _room(max_columns), LOOKS)
    dim_y = dim_x if chance(rng, "looks.equal") else whole(rng, "latents", _room(max_columns), LOOKS)
    kind = choice(rng, "problem", LOOKS)
    if kind in ("normal", "student"):
        return _elliptical(rng, kind, dim_x, dim_y)
    draw = independent if kind == "independent" else part_either_way
    while not (family := draw(rng, dim_x, dim_y)).continuous:
        pass
    return family


def _room(max_columns: int) -> int:
    return min(MAX_LATENTS, max((max_columns - 1) // 2, 1))


def _elliptical(rng: Rng, kind: str, dim_x: int, dim_y: int) -> Family:
    """Pairs that share the information, plain or mixed inside each side; further latents are noise."""
    nats = real(rng, "nats." + choice(rng, "nats", LOOKS), LOOKS)
    rho = canonical_rho(rng, min(dim_x, dim_y), nats)
    plain = chance(rng, "looks.plain")
    mixes = [np.eye(d) if plain else canonical_mixing(rng, d) for d in (dim_x, dim_y)]
    matrix = dsp.canonical(rho, *mixes)
    if kind == "student":
        return MultivariateStudent(matrix, dim_x, real(rng, "student.df", LOOKS), "student-latents")
    return MultivariateNormal(matrix, dim_x, "normal-latents")


# How it is shown


def with_looks(rng: Rng, family: Family, max_columns: int, draw: Drawn = random_look) -> Family:
    """One side or both go through a look; sides too wide for any look of max_columns stay as they are.

    Args:
        draw: a look of so many latents, within so many columns.
    """
    raw = family.sample(rng, REFERENCE)
    looks = [chance(rng, "looks.side") for _ in raw]
    if not any(looks):
        looks[int(rng.integers(2))] = True
    pairs = zip(raw, looks, strict=True)
    map_x, map_y = (_look(rng, x, max_columns, draw) if look else None for x, look in pairs)
    return SideWarped(family, map_x, map_y, name="looks")


def _look(rng: Rng, reference: Array, max_columns: int, draw: Drawn) -> Injection | None:
    """Columns of unit scale and light tails, then a look; invertible maps before and after make more of it.

    Few kinds of looks let latents act on one another; behind such maps all do.
    """
    dim = reference.shape[1]
    if 2 * dim + 1 > max_columns:
        return None
    maps: list[Injection] = [_scaled(reference)]
    if dim > 1 and chance(rng, "looks.before"):
        maps.append(random_map(rng, choice(rng, "before", LOOKS), dim))
        maps.append(_scaled(Chained(maps).forward(reference)))
    maps.append(draw(rng, dim, max_columns))
    if maps[-1].dim_out < max_columns and chance(rng, "looks.again"):
        maps.append(with_mixtures(rng, maps[-1].dim_out, max_columns))
    if chance(rng, "looks.mixed"):
        maps.append(random_map(rng, "rotation" if rng.random() < 0.5 else "mixing", maps[-1].dim_out))
    elif maps[-1].dim_out > 1 and chance(rng, "looks.after"):
        scaled = _scaled(Chained(maps).forward(reference))
        maps += [scaled, random_map(rng, choice(rng, "after", LOOKS), scaled.dim_out)]
    return Chained(maps)


def _scaled(reference: Array) -> Scaled:
    """By the median and the quartiles of these rows; long tails are shortened."""
    low, center, high = np.quantile(reference, [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / 1.349  # 1 for standard normals
    scale = np.maximum(scale, np.maximum(1e-3 * reference.std(axis=0), SMALLEST_SCALE))
    heavy = np.abs((reference - center) / scale).max(axis=0) > HEAVY
    return Scaled(center, scale, np.where(heavy, LIMIT_HEAVY, LIMIT_LIGHT))
