"""Looks that expand every latent on its own: powers, orthogonal functions, harmonics, steps, several scales.

z has shape (n, k); a parameter of shape (k,) has one number per latent.
"""

from collections.abc import Callable, Sequence
from math import factorial
from typing import Final

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.polynomial.hermite_e import hermevander
from scipy.special import expit, ndtr  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.looks import squashed


def powers(z: Array, degree: int) -> Array:
    """z, z^2, ..., z^degree."""
    return np.hstack([z**power for power in range(1, degree + 1)])


def chebyshev(z: Array, degree: int, scale: float) -> Array:
    """Chebyshev's polynomials 1 to degree of z / sqrt(scale^2 + z^2)."""
    terms = np.asarray(chebvander(squashed(z, scale), degree), dtype=np.float64)
    return _in_rows(terms[..., 1:])


def hermite(z: Array, degree: int, scale: float) -> Array:
    """Hermite functions He_j(t) exp(-t^2 / 4) / sqrt(j!) of t = scale z, j = 0 to degree."""
    t = scale * z
    norms = np.sqrt([float(factorial(j)) for j in range(degree + 1)])
    return _in_rows(hermevander(t, degree) / norms * np.exp(-0.25 * np.square(t))[..., None])


def hats(z: Array, knots: Array, mixing: Array) -> Array:
    """Linear splines: mixtures of max(0, 1 - |j - t|) for the knots j, where t is the place among them.

    Args:
        knots: increasing, shape (m,); outside of them the first and last piece go on.
        mixing: shape (k m, d).
    """
    last = len(knots) - 2
    piece = np.clip(np.searchsorted(knots, z) - 1, 0, last)
    part = (z - knots[piece]) / (knots[piece + 1] - knots[piece])
    place = np.arange(len(knots))
    left, right = place == piece[..., None], place == piece[..., None] + 1
    return np.asarray(_in_rows(left * (1.0 - part[..., None]) + right * part[..., None]) @ mixing)


def harmonics(z: Array, span: Array, start: Array, orders: Sequence[int], scale: float) -> Array:
    """cos and sin of multiples of the angle start + pi span z / sqrt(scale^2 + z^2), span below 1."""
    angle = start + np.pi * span * squashed(z, scale)
    return np.hstack([f(order * angle) for order in orders for f in (np.cos, np.sin)])


def torus(z: Array, span: Array, start: Array, sums: Array, scale: float) -> Array:
    """cos and sin of sums of the angles start + pi span z / sqrt(scale^2 + z^2), span below 1.

    Args:
        sums: integers with an integer inverse, shape (k, k): sums on the circle tell the angles there.
    """
    angle = (start + np.pi * span * squashed(z, scale)) @ sums.T
    return np.hstack([np.cos(angle), np.sin(angle)])


def lissajous(z: Array, frequency: Array, phase: Array, scale: float) -> Array:
    """sin(pi t / 2.2) and sin(pi f t + phase), t = z / sqrt(scale^2 + z^2); f and phase have shape (m, k)."""
    t = squashed(z, scale)
    waves = [np.sin(np.pi * f * t + p) for f, p in zip(frequency, phase, strict=True)]
    return np.hstack([np.sin(np.pi * t / 2.2), *waves])


def helix(z: Array, frequency: Array, pitch: Array) -> Array:
    """Points of a helix, (cos f z, sin f z, pitch z), for every latent."""
    return np.hstack([np.cos(frequency * z), np.sin(frequency * z), pitch * z])


def staircase(z: Array, frequency: Array, phase: Array, depth: float) -> Array:
    """The latents, and soft staircases z + depth sin(f z + p) / f of them.

    Args:
        frequency, phase: shape (stairs, k).
        depth: below 1, where stairs are level.
    """
    stairs = [z + depth * np.sin(f * z + p) / f for f, p in zip(frequency, phase, strict=True)]
    return np.hstack([z, *stairs])


def views(z: Array, kinds: Sequence[str], gains: Array) -> Array:
    """Every latent through several monotone functions of MONOTONE, of gain z each, gains (kinds, k)."""
    return np.hstack([MONOTONE[kind](gain * z) for kind, gain in zip(kinds, gains, strict=True)])


def _in_rows(columns: Array) -> Array:
    return columns.reshape(len(columns), -1)


MONOTONE: Final[dict[str, Callable[[Array], Array]]] = {
    "sinh": np.sinh,
    "asinh": lambda u: np.arcsinh(3.0 * u),
    "arctan": lambda u: np.arctan(1.5 * u),
    "exp": np.exp,
    "falling": lambda u: np.exp(-u),
    "logistic": expit,
    "normal": ndtr,
    "cube": lambda u: u + u**3 / 3.0,
    "root": lambda u: np.sign(u) * np.sqrt(np.abs(u)),
    "softplus": lambda u: np.logaddexp(0.0, 2.0 * u),
}
