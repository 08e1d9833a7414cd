"""The prior over small problems, which are also the parts of larger ones; copulas among them, also binned."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.metadata_gen.families.archimedean import ArchimedeanCopula
from mizzle.metadata_gen.families.binned import Binned, rounding_edges
from mizzle.metadata_gen.families.copulas import Copula, CopulaMixture, NormalCopula, Rotated
from mizzle.metadata_gen.families.operators import Contaminated, Swapped, ZeroInflated
from mizzle.metadata_gen.families.phases import TURN, Kind, Phases, Wrapped
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior import transformations
from mizzle.metadata_gen.prior.channels import channel
from mizzle.metadata_gen.prior.contingency import any_table, random_levels
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals, whole
from mizzle.metadata_gen.prior.elliptical import additive_pair, heavy, normal_pair, pair_rho, student_pair
from mizzle.metadata_gen.prior.map_ranges import CHANNELS
from mizzle.metadata_gen.prior.mixtures import label, mixture, random_weights, rare

Draw = Callable[[Rng, int, int], Family]
_MAX_CELLS: Final = 20_000  # of a pair that was cut into levels on both sides
_WRAPPED: Final[Mapping[str, Kind]] = MappingProxyType(
    {"normal": "normal", "cauchy": "cauchy", "uniform": "uniform"}
)


def pair(rng: Rng) -> Family:
    """One column against one column."""
    return _disturbed(rng, PARTS[choice(rng, "pair")](rng, 1, 1))


def part(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A problem with at most these many columns."""
    return _disturbed(rng, PARTS[choice(rng, "part")](rng, dim_x, dim_y))


def part_either_way(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A part, or one whose sides have changed places."""
    return part(rng, dim_x, dim_y) if rng.random() < 0.5 else Swapped(part(rng, dim_y, dim_x))


def _disturbed(rng: Rng, family: Family) -> Family:
    """Some rows without dependence, or some at zero."""
    if chance(rng, "contaminated"):
        return Contaminated(family, real(rng, "contaminated.share"))
    if family.continuous and chance(rng, "zero_inflated"):
        keep_x, keep_y = reals(rng, "zero_inflated.keep", 2).tolist()
        return ZeroInflated(family, keep_x, keep_y, shared=chance(rng, "zero_inflated.shared"))
    return family


# Copulas


def archimedean(rng: Rng, name: str) -> Copula:
    """A copula of this name with Kendall's tau and rotation drawn."""
    upright = ArchimedeanCopula.from_tau(name, real(rng, "copula.tau"))
    return Rotated(upright, int(choice(rng, "copula.rotation")))


def copula(rng: Rng, *_: int) -> Copula:
    """Clayton's, Gumbel's or Frank's copula, rotated."""
    return archimedean(rng, choice(rng, "copula"))


def copula_mixture(rng: Rng, *_: int) -> Family:
    """Two or three such copulas with random weights."""
    k = whole(rng, "copula_mixture.components")
    copulas = [copula(rng) for _ in range(k)]
    return CopulaMixture(random_weights(rng, k).tolist(), copulas)


def phases(rng: Rng, dim_x: int, dim_y: int) -> Phases:
    """An angle that follows another, as angles or, where there is room, as cosine and sine."""
    law = Wrapped("normal", real(rng, "phases.spread", CHANNELS)) if rng.random() < 0.4 else None
    noise = Wrapped(_WRAPPED[choice(rng, "phases.noise", CHANNELS)], real(rng, "phases.width", CHANNELS))
    circles = min(dim_x, dim_y) > 1 and rng.random() < 0.6
    origins = (TURN * rng.random(), TURN * rng.random())
    return Phases(
        law, noise, whole(rng, "phases.turns", table=CHANNELS), origins, "circles" if circles else "angles"
    )


def binned(rng: Rng, *_: int) -> Family:
    """A pair of which one or both columns were cut into levels: thresholds, rounding, grades."""
    smooth = NormalCopula(pair_rho(rng)) if rng.random() < 0.5 else copula(rng)
    if chance(rng, "binned.both"):
        edges = _edges(rng), _edges(rng)
        if len(edges[0]) * len(edges[1]) <= _MAX_CELLS:
            return Binned(smooth, *edges)
    family = Binned(smooth, _edges(rng), None)
    return Swapped(family) if rng.random() < 0.5 else family


def random_edges(rng: Rng, levels: int, concentration: float) -> Array:
    """Inner edges of bins whose probabilities are `random_levels`, shape (levels - 1,)."""
    return np.cumsum(random_levels(rng, levels, concentration))[:-1]


def _edges(rng: Rng) -> Array:
    if chance(rng, "binned.rounded"):
        return rounding_edges(whole(rng, "rounded.levels"), transformations.random_skew(rng))
    return random_edges(rng, whole(rng, "binned.levels"), real(rng, "levels.evenness"))


PARTS: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "normal": lambda rng, *_: normal_pair(rng),
        "student": lambda rng, *_: student_pair(rng),
        "additive": lambda rng, *_: additive_pair(rng),
        "copula": copula,
        "copula-mixture": copula_mixture,
        "binned": binned,
        "table": lambda rng, *_: any_table(rng),
        "mixture": mixture,
        "label": label,
        "channel": channel,
        "heavy": heavy,
        "rare": rare,
        "phases": phases,
        "independent": lambda rng, *_: transformations.independent(rng, 1, 1),
    }
)
