"""Invertible maps of one side, (n, dim_in) -> (n, dim_out), and the random ones of every kind.

They are made for columns of about unit scale and remain sound on heavy tails: up to |x| = 1e6 the image is
finite and the inverse errs by less than 1e-6 of the row's largest entry, unless a class says otherwise.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.dispersion import random_mixing, random_rotation
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.hyperpriors import (
    IntegerLaw,
    Integers,
    LogUniform,
    RealLaw,
    Uniform,
)
from mizzle.metadata_gen.maps.curves import Arc, Fold, SwissRoll, Wave
from mizzle.metadata_gen.maps.shears import Banana, Shear
from mizzle.metadata_gen.maps.side_map import Composed, Order, SideMap, check_columns

__all__ = [
    "KINDS",
    "PLANAR",
    "WIDENING",
    "Arc",
    "Banana",
    "Composed",
    "Coupling",
    "Fold",
    "Linear",
    "Polar",
    "Shear",
    "SideMap",
    "Spiral",
    "SwissRoll",
    "Wave",
    "kinds",
    "random_map",
]

Mask = NDArray[np.bool_]

SCALES: Final = LogUniform(0.2, 1.0)  # singular values of a mixing
AMPLITUDE: Final = LogUniform(0.3, 3.0)  # of the waves of a shear
BEND: Final = LogUniform(0.2, 2.0)  # of a banana
CORNER: Final = Uniform(-1.0, 1.0)  # of a fold
FREQUENCY: Final = LogUniform(0.3, 3.0)  # radians per unit of a column, of any wave
PHASE: Final = Uniform(0.0, 2.0 * math.pi)
TURN: Final = LogUniform(0.3, 4.0)  # radians per standard deviation of r^2, of a spiral
SPAN: Final = Uniform(0.4, 0.95)  # of an arc
LAYERS: Final = Integers(2, 4)  # of a flow
HIDDEN: Final = 8  # columns of h, of a coupling
GAIN: Final = LogUniform(0.5, 3.0)  # standard deviation of what tanh is applied to
LOG_SCALE: Final = Uniform(0.1, 0.6)  # standard deviation of h S at |h| = 1
SHIFT: Final = LogUniform(0.2, 2.0)  # standard deviation of h T at |h| = 1
RANGES: Final[Mapping[str, RealLaw | IntegerLaw]] = MappingProxyType(
    {
        "mixing.scales": SCALES,
        "shear.amplitude": AMPLITUDE,
        "banana.bend": BEND,
        "fold.corner": CORNER,
        "wave.frequency": FREQUENCY,
        "wave.phase": PHASE,
        "spiral.turn": TURN,
        "arc.span": SPAN,
        "coupling.layers": LAYERS,
        "coupling.gain": GAIN,
        "coupling.log_scale": LOG_SCALE,
        "coupling.shift": SHIFT,
    }
)


class Linear(SideMap):
    """M x. The inverse errs by the condition number of M (at most 1e8) times the machine's precision."""

    def __init__(self, matrix: Array) -> None:
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.linalg.cond(matrix) < 1e8:
            raise InvalidInput(f"a matrix of shape {matrix.shape} must be square and well invertible")
        super().__init__(len(matrix), len(matrix))
        self.matrix = matrix

    def forward(self, x: Array) -> Array:
        return x @ self.matrix.T

    def inverse(self, y: Array) -> Array:
        return np.ascontiguousarray(np.linalg.solve(self.matrix, y.T).T)


class Spiral(SideMap):
    """A rotation in one plane by an angle that grows with the squared norm r^2 of the row.

    x -> exp(speed s(r^2) A) x, s(q) = q / (1 + q / limit), A the generator of rotations in the plane. With
    limit infinite this is the spiral of BMI (Czyz et al. 2023, NeurIPS), which is accurate on light tails
    only. It keeps r, so the inverse turns back.

    Args:
        plane: two orthonormal columns that span the plane, shape (dim, 2).
        whole: r is the norm of the whole row, or else of its part in the plane.
    """

    def __init__(self, plane: Array, speed: float, limit: float = 9.0, whole: bool = True) -> None:
        super().__init__(len(plane), len(plane))
        if plane.shape != (len(plane), 2) or not np.abs(plane.T @ plane - np.eye(2)).max() < 1e-9:
            raise InvalidInput(f"a plane of shape {plane.shape} must be two orthonormal columns")
        if not (limit > 0.0 and np.isfinite(speed)):
            raise InvalidInput(f"speed {speed} must be finite and limit {limit} positive")
        self.plane, self.speed, self.limit, self.whole = plane, speed, limit, whole

    def forward(self, x: Array) -> Array:
        return self._turned(x, self.speed)

    def inverse(self, y: Array) -> Array:
        return self._turned(y, -self.speed)

    def _turned(self, x: Array, speed: float) -> Array:
        flat = x @ self.plane
        squares = ((x if self.whole else flat) ** 2).sum(axis=1)
        angle = speed * squares / (1.0 + squares / self.limit)
        cos, sin, (a, b) = np.cos(angle), np.sin(angle), flat.T
        turned = np.column_stack([cos * a - sin * b, sin * a + cos * b])
        return np.asarray(x + (turned - flat) @ self.plane.T)


class Polar(SideMap):
    """Columns i and j become radius and angle (-pi, pi]; injective, and cut along the negative axis."""

    def __init__(self, dim: int, i: int, j: int) -> None:
        super().__init__(dim, dim)
        check_columns(dim, np.array([i, j]))
        self.i, self.j = i, j

    def forward(self, x: Array) -> Array:
        a, b = x[:, self.i], x[:, self.j]
        return self._replaced(x, np.hypot(a, b), np.arctan2(b, a))

    def inverse(self, y: Array) -> Array:
        radius, angle = y[:, self.i], y[:, self.j]
        return self._replaced(y, radius * np.cos(angle), radius * np.sin(angle))

    def _replaced(self, x: Array, at_i: Array, at_j: Array) -> Array:
        y = x.copy()
        y[:, self.i], y[:, self.j] = at_i, at_j
        return y


class Coupling(SideMap):
    """An affine coupling layer: x_j exp(h S)_j + (h T)_j where column j is not kept, h = tanh(x_kept W + c).

    RealNVP's layer (Dinh, Sohl-Dickstein & Bengio 2017, eq. 4) with one hidden layer; |h| < 1 bounds the
    logarithm of the scale. The inverse finds the same h, as the kept columns are kept.

    Args:
        kept: whether a column is kept, boolean, shape (dim,); some are and some are not.
        weights, bias: W of shape (dim, hidden) and c of shape (hidden,).
        log_scale, shift: S and T, shape (hidden, dim).
    """

    def __init__(self, kept: Mask, weights: Array, bias: Array, log_scale: Array, shift: Array) -> None:
        dim, hidden = len(kept), len(bias)
        super().__init__(dim, dim)
        if kept.all() or not kept.any():
            raise InvalidInput(f"kept is {kept}; a coupling keeps some columns and changes the others")
        if (weights.shape, log_scale.shape, shift.shape) != ((dim, hidden), (hidden, dim), (hidden, dim)):
            raise InvalidInput(
                f"weights {weights.shape}, {log_scale.shape} and {shift.shape} for {dim} columns"
            )
        self.weights, self.bias = weights * kept[:, None], bias
        # zeros keep a column exactly, in a quarter of the time that picking columns out takes
        self.log_scale, self.shift = log_scale * ~kept, shift * ~kept

    def forward(self, x: Array) -> Array:
        h = self._hidden(x)
        return np.asarray(x * np.exp(h @ self.log_scale) + h @ self.shift)

    def inverse(self, y: Array) -> Array:
        h = self._hidden(y)
        return np.asarray((y - h @ self.shift) * np.exp(-h @ self.log_scale))

    def _hidden(self, x: Array) -> Array:
        return np.tanh(x @ self.weights + self.bias)


# Random maps


def random_map(rng: Rng, kind: str, dim: int) -> SideMap:
    """A random map of `dim` columns, one of `kinds(dim)`."""
    if kind not in kinds(dim):
        raise InvalidInput(f"no map of kind {kind!r} of {dim} columns; there are {kinds(dim)}")
    return _BUILDERS[kind](rng, dim)


def kinds(dim: int) -> tuple[str, ...]:
    """The KINDS that a side of `dim` columns allows; those in PLANAR need two columns."""
    return tuple(kind for kind in KINDS if dim > 1 or kind not in PLANAR)


def _rotation(rng: Rng, dim: int) -> SideMap:
    return Linear(random_rotation(rng, dim))


def _mixing(rng: Rng, dim: int) -> SideMap:
    return Linear(random_mixing(rng, SCALES.draw_many(rng, dim)))


def _shear(rng: Rng, dim: int) -> SideMap:
    sources, targets = _sheared(rng, dim)
    waves = np.column_stack([law.draw_many(rng, len(targets)) for law in (AMPLITUDE, FREQUENCY, PHASE)])
    return Shear(dim, sources, targets, waves)


def _banana(rng: Rng, dim: int) -> SideMap:
    sources, targets = _sheared(rng, dim)
    return Banana(dim, sources, targets, BEND.draw_many(rng, len(targets)))


def _sheared(rng: Rng, dim: int) -> tuple[Order, Order]:
    """Any number of targets, each with a source among the rest: sources, targets."""
    order, pairs = rng.permutation(dim), int(rng.integers(1, dim))
    return rng.choice(order[pairs:], pairs), order[:pairs]


def _spiral(rng: Rng, dim: int) -> SideMap:
    """r^2 of the whole row or of the plane: chi-squared, with variance twice its degrees of freedom."""
    whole = bool(rng.random() < 0.5)
    freedom = dim if whole else 2
    speed = math.copysign(TURN.draw(rng), rng.random() - 0.5) / math.sqrt(2.0 * freedom)
    plane = np.linalg.qr(rng.standard_normal((dim, 2)))[0]
    return Spiral(plane, speed, limit=9.0 * freedom, whole=whole)


def _polar(rng: Rng, dim: int) -> SideMap:
    i, j = rng.permutation(dim)[:2]
    return Polar(dim, int(i), int(j))


def _swiss(rng: Rng, dim: int) -> SideMap:
    return SwissRoll(dim, int(rng.integers(dim)))


def _arc(rng: Rng, dim: int) -> SideMap:
    return Arc(dim, int(rng.integers(dim)), SPAN.draw(rng))


def _wave(rng: Rng, dim: int) -> SideMap:
    return Wave(dim, int(rng.integers(dim)), FREQUENCY.draw(rng), PHASE.draw(rng))


def _fold(rng: Rng, dim: int) -> SideMap:
    return Fold(dim, int(rng.integers(dim)), CORNER.draw(rng))


def _flow(rng: Rng, dim: int) -> SideMap:
    """Couplings of random halves; every second one keeps what the one before has changed."""
    layers: list[SideMap] = []
    kept = np.zeros(dim, dtype=bool)
    gain, log_scale, shift = GAIN.draw(rng), LOG_SCALE.draw(rng), SHIFT.draw(rng)
    for i in range(LAYERS.draw(rng)):
        kept = ~kept if i % 2 else rng.permutation(dim) < dim // 2
        weights = rng.normal(0.0, gain / math.sqrt(kept.sum()), (dim, HIDDEN))
        outer = rng.normal(0.0, 1.0 / math.sqrt(HIDDEN), (2, HIDDEN, dim))
        bias = rng.standard_normal(HIDDEN)
        layers.append(Coupling(kept, weights, bias, log_scale * outer[0], shift * outer[1]))
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
