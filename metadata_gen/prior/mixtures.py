"""The prior over mixtures of normals, and over labels of classes."""

import numpy as np

from mizzle.metadata_gen.families.mixtures import ClassLabel, Components, NormalMixture, product_components
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior.contingency import table
from mizzle.metadata_gen.prior.draws import chance, real, whole
from mizzle.metadata_gen.prior.ranges import MAX_MIXED


def mixture(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A mixture of normals with at most these many columns, and at most MAX_MIXED together."""
    dim_x = whole(rng, "mixture.dims", min(dim_x, MAX_MIXED - 1))
    dim_y = whole(rng, "mixture.dims", min(dim_y, MAX_MIXED - dim_x))
    if chance(rng, "mixture.separate"):
        return _separate_mixture(rng, dim_x, dim_y)
    weights = _weights(rng, whole(rng, "mixture.components"))
    return NormalMixture(clusters(rng, weights, dim_x + dim_y), dim_x)


def label(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """The label of a class against rows of that class, as a number or one-hot where dim_y allows."""
    k = whole(rng, "label.classes")
    one_hot = k <= dim_y and chance(rng, "label.one_hot")
    codes = np.eye(k) if one_hot else np.arange(float(k))[:, None]
    classes = clusters(rng, _weights(rng, k), whole(rng, "mixture.dims", dim_x))
    return ClassLabel(classes, codes)


def random_weights(rng: Rng, k: int) -> Array:
    """Random shares that sum to 1, shape (k,), none below a tenth of an even one."""
    shares = rng.standard_gamma(real(rng, "mixture.evenness"), k) + 1e-9
    return np.asarray(0.1 / k + 0.9 * shares / shares.sum())


def rare_weights(rng: Rng, k: int) -> Array:
    """Random shares of which one is small, shape (k,), at a random place; k is at least 2."""
    share = real(rng, "rare.share")
    return rng.permutation(np.append((1.0 - share) * random_weights(rng, k - 1), share))


def random_components(rng: Rng, weights: Array, dim: int, spread: float, roundness: float) -> Components:
    """Normals of about unit size around random centres.

    Args:
        spread: standard deviation of the centres; 0 makes them concentric.
        roundness: of the shapes, in (0, 1]; 1 makes them unit spheres, small values needles.
    """
    k = len(weights)
    means = spread * rng.standard_normal((k, dim))
    loads = (1.0 - roundness) * rng.standard_normal((k, dim, dim)) / np.sqrt(dim)
    sizes = np.exp(0.5 * (1.0 - roundness) * rng.standard_normal(k))[:, None, None]
    shapes = loads @ loads.transpose(0, 2, 1) + roundness * np.eye(dim)
    return Components(weights, means, sizes * np.linalg.cholesky(shapes))


def _separate_mixture(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Clusters of its own on either side, and a table of how they meet."""
    cells = table(rng, "mixture.side_components").probabilities
    side_x, side_y = clusters(rng, cells.sum(1), dim_x), clusters(rng, cells.sum(0), dim_y)
    return NormalMixture(product_components(cells, side_x, side_y), dim_x, "mixture-separate")


def _weights(rng: Rng, k: int) -> Array:
    return rare_weights(rng, k) if k > 1 and chance(rng, "mixture.rare") else random_weights(rng, k)


def clusters(rng: Rng, weights: Array, dim: int) -> Components:
    """Normals with these weights, their centres apart or common, their shapes round or not."""
    spread = 0.0 if chance(rng, "mixture.concentric") else real(rng, "mixture.spread")
    return random_components(rng, weights, dim, spread, real(rng, "mixture.roundness"))
