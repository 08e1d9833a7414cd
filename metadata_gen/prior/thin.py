"""The prior over thin signals: what many columns together tell, and hardly any of them alone."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.metadata_gen import dispersion as dsp
from mizzle.metadata_gen.families.elliptical import MultivariateNormal
from mizzle.metadata_gen.families.independent import Noise
from mizzle.metadata_gen.families.mixtures import ClassLabel, Components
from mizzle.metadata_gen.families.operators import SideWarped, Swapped, WithNuisance
from mizzle.metadata_gen.families.thin import ConcentricClasses, NoisyRadius
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.maps.invertible import Linear
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals, whole
from mizzle.metadata_gen.prior.mixtures import random_weights


def thin(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A thin signal in dim_x columns, against a number, a label or dim_y columns, or the other way round."""
    family = THIN[choice(rng, "thin")](rng, dim_x, dim_y)
    return family if rng.random() < 0.5 else Swapped(family)


def _sum(rng: Rng, dim_x: int, _: int) -> Family:
    """Independent columns, and their weighted sum plus noise."""
    return _sums(rng, dim_x, 1)


def _sums(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Weighted sums of either side's columns that correlate, and nothing else that does."""
    pairs = whole(rng, "thin.pairs", min(dim_x, dim_y))
    rho = np.sqrt(-np.expm1(-2.0 * reals(rng, "thin.nats", pairs) / pairs))
    return MultivariateNormal(dsp.canonical(rho, _frame(rng, dim_x), _frame(rng, dim_y)), dim_x, "thin-sum")


def _frame(rng: Rng, dim: int) -> Array:
    """An orthogonal matrix whose first column has equal entries or random ones, shape (dim, dim)."""
    if not chance(rng, "thin.equal"):
        return dsp.random_rotation(rng, dim)
    axes = rng.standard_normal((dim, dim))
    axes[:, 0] = 1.0
    return np.asarray(np.linalg.qr(axes)[0])


def _radius(rng: Rng, dim_x: int, _: int) -> Family:
    return NoisyRadius(dim_x, real(rng, "thin.noise"))


def _distance(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Classes apart along a random direction of dim_x columns."""
    k, codes = _classes(rng, dim_y)
    means = real(rng, "thin.distance") * rng.standard_normal(k)
    means = np.sort(means) if rng.random() < 0.5 else means
    widths = np.exp(real(rng, "thin.unevenness") * rng.standard_normal(k))
    label = ClassLabel(Components(random_weights(rng, k), means[:, None], widths[:, None, None]), codes)
    if dim_x == 1:
        return label
    return SideWarped(
        WithNuisance(label, Noise(np.eye(dim_x - 1)), None), Linear(dsp.random_rotation(rng, dim_x)), None
    )


def _concentric(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Classes around the same centre; log |x| has about the standard deviation 1 / sqrt(2 d) inside one."""
    k, codes = _classes(rng, dim_y)
    spread = real(rng, "thin.width") / np.sqrt(2.0 * dim_x)
    widths = np.exp(spread * rng.standard_normal(k))
    widths = np.sort(widths) if rng.random() < 0.5 else widths
    return ConcentricClasses(random_weights(rng, k), widths, dim_x, codes)


def _classes(rng: Rng, dim_y: int) -> tuple[int, Array]:
    """How many classes, and the rows that stand for them: numbers, or one-hot where dim_y allows."""
    k = whole(rng, "thin.classes")
    one_hot = k <= dim_y and chance(rng, "label.one_hot")
    return k, np.eye(k) if one_hot else np.arange(float(k))[:, None]


THIN: Final[Mapping[str, Callable[[Rng, int, int], Family]]] = MappingProxyType(
    {"sum": _sum, "sums": _sums, "radius": _radius, "distance": _distance, "concentric": _concentric}
)
