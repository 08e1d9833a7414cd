"""The prior over mixtures of normals, labels of classes, rare ones too, and rare events."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.metadata_gen.families.classes import LogisticEvent
from mizzle.metadata_gen.families.independent import Noise
from mizzle.metadata_gen.families.mixtures import ClassLabel, Components, NormalMixture, product_components
from mizzle.metadata_gen.families.operators import SideWarped, Swapped, WithNuisance
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.maps.invertible import Linear
from mizzle.metadata_gen.prior.contingency import label_pair, random_codes, table
from mizzle.metadata_gen.prior.draws import chance, choice, real, whole
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


# Labels of many levels, and what is rare


def labels(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A label of up to 50 levels, against numbers or another label; each one-hot or renamed."""
    if not chance(rng, "labels.numbers"):
        return label_pair(rng, dim_x, dim_y)
    family = _label_of_numbers(rng, min(dim_x, dim_y))
    return family if rng.random() < 0.5 else Swapped(family)


def rare(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A rare class, a rare event or a rare regime; where the sides allow, either may be X."""
    build = _RARE[choice(rng, "rare")]
    return build(rng, dim_x) if rng.random() < 0.5 else Swapped(build(rng, dim_y))


def _rare_class(rng: Rng, dim: int) -> Family:
    """A label with a rare class, against numbers that it shifts and scales along a direction."""
    k = whole(rng, "rare.classes")
    codes = rng.permutation(np.arange(float(k)))[:, None]
    label = ClassLabel(clusters(rng, rare_weights(rng, k), 1), codes)
    return _spread_out(rng, label, whole(rng, "rare.columns", dim))


def _event(rng: Rng, dim: int) -> Family:
    """An event whose log-odds are linear in some columns."""
    slope = real(rng, "event.slope")
    event = LogisticEvent.with_rate(real(rng, "event.rate"), slope)
    return _spread_out(rng, event, whole(rng, "event.columns", dim))


def _regime(rng: Rng, _: int) -> Family:
    """Two numbers that are independent within classes that do not show, of which one is rare."""
    weights = rare_weights(rng, whole(rng, "rare.classes"))
    sides = clusters(rng, weights, 1), clusters(rng, weights, 1)
    return NormalMixture(product_components(np.diag(weights), *sides), 1, "mixture-separate")


def _label_of_numbers(rng: Rng, max_dim: int) -> Family:
    """A label against one number that it shifts and scales, or against a few of which that is a direction."""
    codes = random_codes(rng, whole(rng, "labels.levels"), max_dim).codes
    label = ClassLabel(clusters(rng, random_weights(rng, len(codes)), 1), codes, "labels")
    return _spread_out(rng, label, whole(rng, "labels.columns", max_dim))


def _spread_out(rng: Rng, family: Family, dim: int) -> Family:
    """X of one column becomes `dim` columns, of which one direction counts and the others are normal."""
    if dim == 1:
        return family
    wide = WithNuisance(family, Noise(np.eye(dim - 1)), None)
    return SideWarped(wide, Linear(random_rotation(rng, dim)), None)


_RARE: Final[Mapping[str, Callable[[Rng, int], Family]]] = MappingProxyType(
    {"class": _rare_class, "event": _event, "regime": _regime}
)
