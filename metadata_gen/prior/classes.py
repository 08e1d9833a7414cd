"""The prior over labels of many levels, one-hot or renamed, and over embeddings of classes."""

import numpy as np
from scipy.spatial.distance import pdist  # type: ignore[import-untyped]

from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.metadata_gen.families.classes import ClassPair, Clouds, Codes, Representation, Shape
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.families.mixtures import ClassLabel
from mizzle.metadata_gen.families.operators import Swapped
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior.contingency import random_table
from mizzle.metadata_gen.prior.draws import chance, choice, real, whole
from mizzle.metadata_gen.prior.mixtures import clusters, random_weights
from mizzle.metadata_gen.prior.rare import spread_out


def labels(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A label of up to 50 levels, against numbers or another label; each one-hot or renamed."""
    if chance(rng, "labels.numbers"):
        family = _label_of_numbers(rng, min(dim_x, dim_y))
        return family if rng.random() < 0.5 else Swapped(family)
    side_x, side_y = (_codes(rng, whole(rng, "labels.levels"), dim) for dim in (dim_x, dim_y))
    coupling = real(rng, "labels.coupling")
    table = random_table(rng, side_x.classes, side_y.classes, real(rng, "levels.evenness"), coupling)
    return ClassPair(table, side_x, side_y, "labels")


def embeddings(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Two classes with a channel between them, at least one shown as a point of the cloud of its class."""
    table = _class_table(rng)
    k_x, k_y = table.probabilities.shape
    if not chance(rng, "embeddings.both"):
        family = ClassPair(table, _clouds(rng, k_x, dim_x), _codes(rng, k_y, dim_y), "embeddings")
        return family if rng.random() < 0.5 else Swapped(family)
    return ClassPair(table, _clouds(rng, k_x, dim_x), _clouds(rng, k_y, dim_y), "embeddings")


def random_clouds(rng: Rng, k: int, dim: int) -> Clouds:
    """Clouds of k classes in `dim` columns: a few tell the classes apart, the others fade."""
    centres = _centres(rng, k, whole(rng, "clouds.separating", min(dim, k)))
    radius = 0.5 * real(rng, "clouds.fullness") * float(pdist(centres).min())
    further, rank = dim - centres.shape[1], whole(rng, "clouds.rank")
    fade = _fade(rng, further)
    within = 2.0 * radius * real(rng, "clouds.within")
    alike = real(rng, "clouds.alike")

    def loads(columns: int) -> Array:
        """Matrices that classes share in part, shape (k, columns, rank)."""
        own, common = (rng.standard_normal((a, columns, rank)) for a in (k, 1))
        return np.asarray((np.sqrt(1.0 - alike) * own + np.sqrt(alike) * common) / np.sqrt(rank))

    shape = Shape(
        spin=loads(centres.shape[1]),
        offsets=within * real(rng, "clouds.offset") * fade * rng.standard_normal((k, further)),
        loadings=within * fade[:, None] * loads(further),
        bends=within * real(rng, "clouds.bend") * fade[:, None] * loads(further),
        scales=within * real(rng, "clouds.noise") * fade + 1e-4 * radius,
    )
    rotation = random_rotation(rng, dim) if chance(rng, "clouds.rotated") else np.eye(dim)
    return Clouds(centres, radius, shape, rotation)


def _centres(rng: Rng, k: int, columns: int) -> Array:
    """The set of random centres, of eight, whose closest two are farthest apart."""
    drawn = rng.standard_normal((8, k, columns))
    return np.asarray(max(drawn, key=lambda centres: float(pdist(centres).min())))


def _fade(rng: Rng, columns: int) -> Array:
    """Deviations that fall exponentially with the column, or as a power of it."""
    if chance(rng, "clouds.power"):
        return np.arange(1.0, columns + 1.0) ** -real(rng, "clouds.power")
    return np.asarray(np.exp(-real(rng, "clouds.decay") * np.arange(columns)))


def _clouds(rng: Rng, k: int, max_dim: int) -> Representation:
    return random_clouds(rng, k, whole(rng, "clouds.columns", max_dim))


def _class_table(rng: Rng) -> ContingencyTable:
    """A symmetric channel between equally probable classes, or any table."""
    k = whole(rng, "embeddings.classes")
    if not chance(rng, "embeddings.symmetric"):
        evenness, coupling = real(rng, "levels.evenness"), real(rng, "labels.coupling")
        return random_table(rng, k, whole(rng, "embeddings.classes"), evenness, coupling)
    coupling = real(rng, "labels.coupling")
    return ContingencyTable(coupling * np.eye(k) / k + (1.0 - coupling) * np.full((k, k), k**-2.0))


def _label_of_numbers(rng: Rng, max_dim: int) -> Family:
    """A label against one number that it shifts and scales, or against a few of which that is a direction."""
    codes = _codes(rng, whole(rng, "labels.levels"), max_dim).codes
    label = ClassLabel(clusters(rng, random_weights(rng, len(codes)), 1), codes, "labels")
    return spread_out(rng, label, whole(rng, "labels.columns", max_dim))


def _codes(rng: Rng, k: int, max_dim: int) -> Codes:
    """One-hot, also without the last level, or the numbers 0 to k - 1 in random order."""
    kind = choice(rng, "labels.codes")
    if kind == "renamed" or k > max_dim:
        return Codes(rng.permutation(np.arange(float(k)))[:, None])
    return Codes(np.eye(k) if kind == "one-hot" else np.eye(k)[:, :-1])
