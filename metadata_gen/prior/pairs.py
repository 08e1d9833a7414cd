"""The prior over small problems: pairs of columns, and the parts of which larger problems are composed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.metadata_gen.families.archimedean import ArchimedeanCopula
from mizzle.metadata_gen.families.binned import Binned, random_edges
from mizzle.metadata_gen.families.channels import random_channel
from mizzle.metadata_gen.families.contaminated import Contaminated
from mizzle.metadata_gen.families.contingency import ContingencyTable, random_table
from mizzle.metadata_gen.families.copulas import Copula, CopulaMixture, NormalCopula, Rotated
from mizzle.metadata_gen.families.mixtures import (
    ClassLabel,
    Components,
    NormalMixture,
    product_components,
    random_components,
)
from mizzle.metadata_gen.families.operators import Swapped, ZeroInflated
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior.elliptical import additive_pair, normal_pair, pair_rho, student_pair
from mizzle.metadata_gen.prior.ranges import (
    MAX_MIXED,
    chance,
    choice,
    real,
    reals,
    whole,
)

Draw = Callable[[Rng, int, int], Family]


def pair(rng: Rng) -> Family:
    """One column against one column."""
    return _disturbed(rng, PARTS[choice(rng, "pair")](rng, 1, 1))


def part(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A problem with at most these many columns."""
    return _disturbed(rng, PARTS[choice(rng, "part")](rng, dim_x, dim_y))


def _disturbed(rng: Rng, family: Family) -> Family:
    """Some rows without dependence, or some at zero."""
    if chance(rng, "contaminated"):
        return Contaminated(family, real(rng, "contaminated.share"))
    if family.continuous and chance(rng, "zero_inflated"):
        keep_x, keep_y = reals(rng, "zero_inflated.keep", 2).tolist()
        return ZeroInflated(family, keep_x, keep_y, shared=chance(rng, "zero_inflated.shared"))
    return family


# Copulas, whole and binned


def archimedean(rng: Rng, name: str) -> Copula:
    """A copula of this name with Kendall's tau and rotation drawn."""
    upright = ArchimedeanCopula.from_tau(name, real(rng, "copula.tau"))
    return Rotated(upright, int(choice(rng, "copula.rotation")))


def _copula(rng: Rng, *_: int) -> Family:
    return archimedean(rng, choice(rng, "copula"))


def _copula_mixture(rng: Rng, *_: int) -> Family:
    k = whole(rng, "copula_mixture.components")
    copulas = [archimedean(rng, choice(rng, "copula")) for _ in range(k)]
    return CopulaMixture(_weights(rng, k).tolist(), copulas)


def _binned(rng: Rng, *_: int) -> Family:
    """A pair of which one or both columns were cut into levels: thresholds, rounding, grades."""
    smooth = NormalCopula(pair_rho(rng)) if rng.random() < 0.5 else archimedean(rng, choice(rng, "copula"))
    if chance(rng, "binned.both"):
        return Binned(smooth, _edges(rng), _edges(rng))
    family = Binned(smooth, _edges(rng), None)
    return Swapped(family) if rng.random() < 0.5 else family


def _edges(rng: Rng) -> Array:
    return random_edges(rng, whole(rng, "binned.levels"), real(rng, "levels.evenness"))


def _table(rng: Rng, *_: int) -> Family:
    return _random_table(rng, "table.levels")


def _random_table(rng: Rng, levels: str) -> ContingencyTable:
    levels_x, levels_y = whole(rng, levels), whole(rng, levels)
    return random_table(rng, levels_x, levels_y, real(rng, "table.evenness"), real(rng, "table.coupling"))


# Mixtures


def _mixture(rng: Rng, dim_x: int, dim_y: int) -> Family:
    dim_x = whole(rng, "mixture.dims", min(dim_x, MAX_MIXED - 1))
    dim_y = whole(rng, "mixture.dims", min(dim_y, MAX_MIXED - dim_x))
    if chance(rng, "mixture.separate"):
        return _separate_mixture(rng, dim_x, dim_y)
    weights = _weights(rng, whole(rng, "mixture.components"))
    return NormalMixture(_components(rng, weights, dim_x + dim_y), dim_x)


def _separate_mixture(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Clusters of its own on either side, and a table of how they meet."""
    table = _random_table(rng, "mixture.side_components").probabilities
    side_x, side_y = _components(rng, table.sum(1), dim_x), _components(rng, table.sum(0), dim_y)
    return NormalMixture(product_components(table, side_x, side_y), dim_x, "mixture-separate")


def _label(rng: Rng, dim_x: int, dim_y: int) -> Family:
    k = whole(rng, "label.classes")
    one_hot = k <= dim_y and chance(rng, "label.one_hot")
    codes = np.eye(k) if one_hot else np.arange(float(k))[:, None]
    classes = _components(rng, _weights(rng, k), whole(rng, "mixture.dims", dim_x))
    return ClassLabel(classes, codes)


def _components(rng: Rng, weights: Array, dim: int) -> Components:
    spread = 0.0 if chance(rng, "mixture.concentric") else real(rng, "mixture.spread")
    return random_components(rng, weights, dim, spread, real(rng, "mixture.roundness"))


def _weights(rng: Rng, k: int) -> Array:
    """Random shares, none below a tenth of an even one."""
    shares = rng.standard_gamma(real(rng, "mixture.evenness"), k) + 1e-9
    return np.asarray(0.1 / k + 0.9 * shares / shares.sum())


# Channels


def _channel(rng: Rng, dim_x: int, dim_y: int) -> Family:
    inputs = whole(rng, "channel.inputs", dim_x)
    signal = choice(rng, "channel.signal" if inputs > 1 else "channel.signal_of_one")
    return random_channel(rng, signal, choice(rng, "channel.response"), inputs, real(rng, "channel.noise"))


PARTS: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "normal": lambda rng, *_: normal_pair(rng),
        "student": lambda rng, *_: student_pair(rng),
        "additive": lambda rng, *_: additive_pair(rng),
        "copula": _copula,
        "copula-mixture": _copula_mixture,
        "binned": _binned,
        "table": _table,
        "mixture": _mixture,
        "label": _label,
        "channel": _channel,
    }
)
