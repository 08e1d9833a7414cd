"""The prior over maps of a side: a random invertible map, by its kind."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.dispersion import Order, random_mixing, random_rotation
from mizzle.metadata_gen.family import Rng
from mizzle.metadata_gen.maps.bends import Henon, Residual, Triangular
from mizzle.metadata_gen.maps.curves import Arc, Fold, SwissRoll, Wave
from mizzle.metadata_gen.maps.invertible import Coupling, Linear, Polar, Spiral
from mizzle.metadata_gen.maps.shears import Banana, Shear
from mizzle.metadata_gen.maps.side_map import Composed, SideMap
from mizzle.metadata_gen.maps.warps import Columnwise, Skew, Step, TailPower, Warp, Wiggly
from mizzle.metadata_gen.prior.draws import choice, real, reals, whole
from mizzle.metadata_gen.prior.map_ranges import MAPS
from mizzle.metadata_gen.prior.ranges import HIDDEN


def random_map(rng: Rng, kind: str, dim: int) -> SideMap:
    """A map of a side of `dim` columns, of a kind in `kinds(dim)`, with parameters from `map_ranges.MAPS`.

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


def _henon(rng: Rng, dim: int) -> SideMap:
    """Steps in a random frame each, over all pairs of columns."""
    steps, pairs = whole(rng, "henon.steps", table=MAPS), dim // 2
    return Composed(
        [
            Henon(
                random_rotation(rng, dim),
                rng.choice((-1.0, 1.0), pairs) * reals(rng, "henon.curvature", pairs, MAPS),
                rng.choice((-1.0, 1.0), pairs) * reals(rng, "henon.scale", pairs, MAPS),
            )
            for _ in range(steps)
        ]
    )


def _residual(rng: Rng, dim: int) -> SideMap:
    """Layers whose tanh are applied to numbers of the drawn standard deviation, about random biases.

    Both matrices have orthonormal rows or columns, which makes the step as long as the Lipschitz constant
    allows.
    """
    layers: list[SideMap] = []
    for _ in range(whole(rng, "residual.layers", table=MAPS)):
        units = whole(rng, "residual.units", table=MAPS)
        norm = real(rng, "residual.gain", MAPS) * math.sqrt(max(1.0, units / dim))
        inner, outer = (random_rotation(rng, max(units, dim))[:units, :dim] for _ in range(2))
        lipschitz = real(rng, "residual.lipschitz", MAPS)
        layers.append(Residual(norm * inner, rng.standard_normal(units), lipschitz / norm * outer.T))
    return Composed(layers)


def _triangular(rng: Rng, dim: int) -> SideMap:
    """Autoregressive layers, each after a random rotation."""
    maps: list[SideMap] = []
    for _ in range(whole(rng, "triangular.layers", table=MAPS)):
        gain, log_scale, shift = (real(rng, f"triangular.{key}", MAPS) for key in ("gain", "scale", "shift"))
        weights = gain * rng.standard_normal((dim, dim)) / np.sqrt(np.maximum(1.0, np.arange(dim)))[:, None]
        bias, a, b = rng.standard_normal((3, dim))
        maps += [_rotation(rng, dim), Triangular(weights, bias, log_scale * a, shift * b)]
    return Composed(maps)


def _post_nonlinear(rng: Rng, dim: int) -> SideMap:
    """Every column through a monotone map, all mixed, and through monotone maps again."""
    before, after = (Columnwise([_stretch(rng) for _ in range(dim)]) for _ in range(2))
    return Composed([before, _mixing(rng, dim), after])


def _stretch(rng: Rng) -> Warp:
    kind = choice(rng, "stretch", MAPS)
    if kind == "skew":
        return Skew(real(rng, "skew.skewness", MAPS))
    if kind == "step":
        return Step(*(real(rng, f"step.{key}", MAPS) for key in ("height", "width", "centre")))
    if kind == "tails":
        return TailPower(*(real(rng, f"tails.{key}", MAPS) for key in ("power", "scale")))
    return wiggly(rng)


def wiggly(rng: Rng) -> Warp:
    """Three waves that share the slope sum |a b| < 1."""
    slopes = rng.dirichlet((1.0, 1.0, 1.0)) * real(rng, "wiggly.slope")
    frequencies, phases = reals(rng, "wiggly.frequency", 3), reals(rng, "wiggly.phase", 3)
    waves = np.column_stack([slopes / frequencies, frequencies, phases])
    return Wiggly(tuple((a, b, c) for a, b, c in waves.tolist()))


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
        "henon": _henon,
        "residual": _residual,
        "triangular": _triangular,
        "post-nonlinear": _post_nonlinear,
    }
)
KINDS: Final = tuple(_BUILDERS)
PLANAR: Final = (  # they need two columns
    "shear", "banana", "spiral", "coupling", "polar", "henon", "triangular", "post-nonlinear",
)  # fmt: skip
WIDENING: Final = ("swiss", "arc", "wave", "fold")  # they add a column
