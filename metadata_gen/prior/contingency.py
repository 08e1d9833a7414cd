"""The prior over contingency tables, labels of many levels, and embeddings of classes."""

import numpy as np
from scipy.spatial.distance import pdist  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.metadata_gen.families.classes import ClassPair, Clouds, Codes, Representation, Shape
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.families.operators import Swapped
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals, whole
from mizzle.metadata_gen.prior.ranges import MIN_LEVEL


def table(rng: Rng, levels: str = "table.levels") -> ContingencyTable:
    """A contingency table, whose numbers of levels come from this key of INTEGERS."""
    levels_x, levels_y = whole(rng, levels), whole(rng, levels)
    return random_table(rng, levels_x, levels_y, real(rng, "table.evenness"), real(rng, "table.coupling"))


def any_table(rng: Rng) -> ContingencyTable:
    """Two columns of yes and no, two of which one has two or three levels, or two of any."""
    kind = choice(rng, "table")
    if kind == "binary":
        return binary_table(rng)
    if kind == "any":
        return table(rng)
    levels = whole(rng, "table.small_levels"), whole(rng, "table.levels")
    x, y = levels if rng.random() < 0.5 else levels[::-1]
    return random_table(rng, x, y, real(rng, "levels.evenness"), real(rng, "table.any_coupling"))


def binary_table(rng: Rng) -> ContingencyTable:
    """Two events with any marginals, rare ones too, which go together or exclude each other.

    P(both) = p q + c (m - p q), with m the largest or the smallest that the marginals p and q allow.
    """
    rates = reals(rng, "table.rare_rate" if chance(rng, "table.rare") else "table.rate", 2)
    p, q = np.abs(rng.integers(2, size=2) - rates).tolist()
    extreme = min(p, q) if rng.random() < 0.6 else max(0.0, p + q - 1.0)
    both = p * q + real(rng, "table.any_coupling") * (extreme - p * q)
    cells = np.array([[1.0 - p - q + both, q - both], [p - both, both]])
    return ContingencyTable(np.maximum(cells, 0.0))


def random_table(
    rng: Rng, levels_x: int, levels_y: int, concentration: float, coupling: float
) -> ContingencyTable:
    """(1 - coupling) p q^T + coupling J, where J has the marginals p and q and depends in one of three ways.

    J is, at equal odds, the matching of randomly ordered levels, Dirichlet cells, or a mixture of 2 to 4
    classes within which X and Y are independent.

    Args:
        concentration: of the Dirichlet laws; below 1 uneven, far above 1 nearly equal.
        coupling: 0 is independence, 1 is J itself.

    Raises:
        InvalidInput: coupling is not in [0, 1].
    """
    if not 0.0 <= coupling <= 1.0:
        raise InvalidInput(f"coupling is {coupling}; it must lie in [0, 1]")
    kind = rng.integers(3)
    if kind == 0:
        coupled = _matched(rng, levels_x, levels_y, concentration)
    elif kind == 1:
        cells = rng.dirichlet(np.full(levels_x * levels_y, concentration)).reshape(levels_x, levels_y)
        coupled = (1.0 - MIN_LEVEL) * cells + MIN_LEVEL / cells.size
    else:
        coupled = _classes(rng, levels_x, levels_y, concentration)
    product = np.outer(coupled.sum(axis=1), coupled.sum(axis=0))
    return ContingencyTable((1.0 - coupling) * product + coupling * coupled)


def random_levels(rng: Rng, levels: int, concentration: float) -> Array:
    """Dirichlet probabilities, shape (levels,), each at least MIN_LEVEL / levels."""
    drawn = rng.dirichlet(np.full(levels, concentration))
    return np.asarray((1.0 - MIN_LEVEL) * drawn + MIN_LEVEL / levels)


def _matched(rng: Rng, levels_x: int, levels_y: int, concentration: float) -> Array:
    """X and Y as one uniform number sees them that is cut into either's levels: Y's most probable partner."""
    of_x, of_y = (random_levels(rng, k, concentration) for k in (levels_x, levels_y))
    ends_x, ends_y = (np.minimum(np.cumsum(p), 1.0) for p in (of_x, of_y))
    overlap = np.minimum.outer(ends_x, ends_y) - np.maximum.outer(ends_x - of_x, ends_y - of_y)
    return np.asarray(np.maximum(overlap, 0.0)[rng.permutation(levels_x)])


def _classes(rng: Rng, levels_x: int, levels_y: int, concentration: float) -> Array:
    """sum_h r_h p(x|h) p(y|h): a table of low rank."""
    share = random_levels(rng, int(rng.integers(2, 5)), concentration)
    of_x, of_y = (
        np.array([random_levels(rng, k, concentration) for _ in share]) for k in (levels_x, levels_y)
    )
    return np.asarray(np.einsum("h,hx,hy->xy", share, of_x, of_y))


# Classes


def label_pair(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Two labels of up to 50 levels, each one-hot or renamed."""
    side_x, side_y = (random_codes(rng, whole(rng, "labels.levels"), dim) for dim in (dim_x, dim_y))
    coupling = real(rng, "labels.coupling")
    table = random_table(rng, side_x.classes, side_y.classes, real(rng, "levels.evenness"), coupling)
    return ClassPair(table, side_x, side_y, "labels")


def embeddings(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Two classes with a channel between them, at least one shown as a point of the cloud of its class."""
    table = _class_table(rng)
    k_x, k_y = table.probabilities.shape
    if not chance(rng, "embeddings.both"):
        family = ClassPair(table, _clouds(rng, k_x, dim_x), random_codes(rng, k_y, dim_y), "embeddings")
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


def random_codes(rng: Rng, k: int, max_dim: int) -> Codes:
    """One-hot, also without the last level, or the numbers 0 to k - 1 in random order."""
    kind = choice(rng, "labels.codes")
    if kind == "renamed" or k > max_dim:
        return Codes(rng.permutation(np.arange(float(k)))[:, None])
    return Codes(np.eye(k) if kind == "one-hot" else np.eye(k)[:, :-1])


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
