"""The prior over maps of a side: a random invertible map, by its kind."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.dispersion import Order, random_mixing, random_rotation
from mizzle.metadata_gen.family import Rng
from mizzle.metadata_gen.maps.curves import Arc, Fold, SwissRoll, Wave
from mizzle.metadata_gen.maps.invertible import Coupling, Linear, Polar, Spiral
from mizzle.metadata_gen.maps.shears import Banana, Shear
from mizzle.metadata_gen.maps.side_map import Composed, SideMap
from mizzle.metadata_gen.prior.draws import real, reals, whole
from mizzle.metadata_gen.prior.ranges import HIDDEN, MAPS


def random_map(rng: Rng, kind: str, dim: int) -> SideMap:
    """A map of a side of `dim` columns, of a kind in `kinds(dim)`, with parameters from `ranges.MAPS`.

    Raises:
        InvalidInput: there is no such kind for so many columns.
    """
    if kind not in kinds(dim):
        raise InvalidInput(f"no map of kind {kind!r} of {dim} columns; there are {kinds(dim)}")
    return _BUILDERS[kind](rng, dim)


def kinds(dim: int) -> tuple[str, ...]:
    """The KINDS that a side of `dim` columns allows; those in PLANAR need two columns."""
    return tuple(kind for kind in KINDS if dim > 1 or kind not in PLANAR)


def _rotation(rng: Rng, dim: int) -> SideMap:
    return Linear(random_rotation(rng, dim))


def _mixing(rng: Rng, dim: int) -> SideMap:
    return Linear(random_mixing(rng, reals(rng, "mixing.scales", dim, MAPS)))


def _shear(rng: Rng, dim: int) -> SideMap:
    sources, targets = _sheared(rng, dim)
    keys = ("shear.amplitude", "wave.frequency", "wave.phase")
    waves = np.column_stack([reals(rng, key, len(targets), MAPS) for key in keys])
    return Shear(dim, sources, targets, waves)


def _banana(rng: Rng, dim: int) -> SideMap:
    sources, targets = _sheared(rng, dim)
    return Banana(dim, sources, targets, reals(rng, "banana.bend", len(targets), MAPS))


def _sheared(rng: Rng, dim: int) -> tuple[Order, Order]:
    """Any number of targets, each with a source among the rest: sources, targets."""
    order, pairs = rng.permutation(dim), int(rng.integers(1, dim))
    return rng.choice(order[pairs:], pairs), order[:pairs]


def _spiral(rng: Rng, dim: int) -> SideMap:
    """r^2 of the whole row or of the plane: chi-squared, with variance twice its degrees of freedom."""
    whole_row = bool(rng.random() < 0.5)
    freedom = dim if whole_row else 2
    turn = math.copysign(real(rng, "spiral.turn", MAPS), rng.random() - 0.5)
    plane = np.linalg.qr(rng.standard_normal((dim, 2)))[0]
    return Spiral(plane, turn / math.sqrt(2.0 * freedom), limit=9.0 * freedom, whole=whole_row)


def _polar(rng: Rng, dim: int) -> SideMap:
    i, j = rng.permutation(dim)[:2]
    return Polar(dim, int(i), int(j))


def _swiss(rng: Rng, dim: int) -> SideMap:
    return SwissRoll(dim, int(rng.integers(dim)))


def _arc(rng: Rng, dim: int) -> SideMap:
    return Arc(dim, int(rng.integers(dim)), real(rng, "arc.span", MAPS))


def _wave(rng: Rng, dim: int) -> SideMap:
    column = int(rng.integers(dim))
    return Wave(dim, column, real(rng, "wave.frequency", MAPS), real(rng, "wave.phase", MAPS))


def _fold(rng: Rng, dim: int) -> SideMap:
    return Fold(dim, int(rng.integers(dim)), real(rng, "fold.corner", MAPS))


def _flow(rng: Rng, dim: int) -> SideMap:
    """Couplings of random halves; every second one fixes what the one before has changed."""
    layers: list[SideMap] = []
    fixed = np.zeros(dim, dtype=bool)
    gain, log_scale, shift = (real(rng, f"coupling.{key}", MAPS) for key in ("gain", "log_scale", "shift"))
    for i in range(whole(rng, "coupling.layers", table=MAPS)):
        fixed = ~fixed if i % 2 else rng.permutation(dim) < dim // 2
        weights = rng.normal(0.0, gain / math.sqrt(fixed.sum()), (dim, HIDDEN))
        outer = rng.normal(0.0, 1.0 / math.sqrt(HIDDEN), (2, HIDDEN, dim))
        bias = rng.standard_normal(HIDDEN)
        layers.append(Coupling(fixed, weights, bias, log_scale * outer[0], shift * outer[1]))
    return Composed(layers)


_BUILDERS: Final[Mapping[str, Callable[[Rng, int], SideMap]]] = MappingProxyType(
    {
        "rotation": _rotation,
        "mixing": _mixing,
        "swiss": _swiss,
        "arc": _arc,
        "wave": _wave,
        "fold": _fold,
        "shear": _shear,
        "banana": _banana,
        "spiral": _spiral,
        "coupling": _flow,
        "polar": _polar,
    }
)
KINDS: Final = tuple(_BUILDERS)
PLANAR: Final = ("shear", "banana", "spiral", "coupling", "polar")  # they need two columns
WIDENING: Final = ("swiss", "arc", "wave", "fold")  # they add a column
