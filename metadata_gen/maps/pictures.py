"""Looks as pictures of side x side grey pixels, whose place, size, angle or contrast the latents are.

z has shape (n, k), k from 1 to 4; what has no latent stays at its middle. Edges are soft: pixels of sharp
ones would not tell small changes.
"""

import numpy as np
from scipy.special import expit  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.looks import latent, squashed


def disc(z: Array, side: int, soft: float, size: float) -> Array:
    """A soft disc: place, place, radius, brightness."""
    place, radius = _place(z), size * np.exp(0.3 * squashed(latent(z, 2), 1.5))
    inside = (radius - _apart(side, place)) / soft
    return np.asarray(np.exp(0.4 * latent(z, 3)) * expit(inside))


def ring(z: Array, side: int, soft: float, size: float) -> Array:
    """A soft ring: radius, place, place, brightness."""
    radius = size * np.exp(0.5 * squashed(latent(z, 0), 1.5))
    place = 0.7 * squashed(np.hstack([latent(z, 1), latent(z, 2)]), 2.0)
    off = (_apart(side, place) - radius) / soft
    return np.asarray(np.exp(0.4 * latent(z, 3)) / (1.0 + np.square(off)))


def rectangle(z: Array, side: int, soft: float) -> Array:
    """A rectangle with soft edges: its low and high one, along the first and along the second axis."""
    grid, order = _grid(side), (0, 2, 1, 3)
    low_a, high_a, low_b, high_b = (0.35 * squashed(latent(z, i), 2.0) for i in order)
    along = expit((grid - low_a + 0.5) / soft) * expit((high_a + 0.5 - grid) / soft)
    across = expit((grid - low_b + 0.5) / soft) * expit((high_b + 0.5 - grid) / soft)
    return _flat(along[:, :, None] * across[:, None, :])


def grating(z: Array, side: int, frequency: Array | float, base: float) -> Array:
    """A plane wave: phase on less than a circle, angle on less than half, frequency, contrast."""
    a, b = _axes(side)
    phase = 0.9 * np.pi * squashed(latent(z, 0), 2.0)
    angle = base + 0.35 * np.pi * squashed(latent(z, 1), 2.0)
    frequency = frequency * np.exp(0.15 * squashed(latent(z, 2), 1.5))
    along = frequency * (a * np.cos(angle) + b * np.sin(angle))
    return np.asarray(np.exp(0.4 * latent(z, 3)) * np.cos(along + phase))


def checker(z: Array, side: int, frequency: float, skew: float) -> Array:
    """A product of two waves: a phase of each on less than half a circle, contrast, level."""
    a, b = _axes(side)
    first, second = (0.45 * np.pi * squashed(latent(z, i), 2.0) for i in range(2))
    waves = np.sin(frequency * (a + skew * b) + first) * np.sin(frequency * (b - skew * a) + second)
    return np.asarray(np.exp(0.4 * latent(z, 2)) * waves + 0.5 * latent(z, 3))


def half_plane(z: Array, side: int, soft: float, base: float) -> Array:
    """A soft edge across the picture: offset, angle on less than half a circle, sharpness, brightness."""
    a, b = _axes(side)
    offset, angle = 0.7 * squashed(latent(z, 0), 2.0), base + 0.6 * np.pi * squashed(latent(z, 1), 2.0)
    width = soft * np.exp(0.4 * squashed(latent(z, 2), 1.5))
    across = a * np.cos(angle) + b * np.sin(angle) - offset
    return np.asarray(np.exp(0.4 * latent(z, 3)) * expit(across / width))


def shaded_ball(z: Array, side: int, soft: float) -> Array:
    """A ball in the light of a lamp: two of its directions, brightness, and light from all around."""
    a, b = _axes(side)
    height = np.sqrt(np.maximum(0.0, 1.2 - a * a - b * b))
    left, up = (0.9 * squashed(latent(z, i), 2.0) for i in range(2))
    lit = a * left + b * up + height * np.sqrt(1.7 - left**2 - up**2)
    return np.asarray(np.exp(0.4 * latent(z, 2)) * soft * np.logaddexp(0.0, lit / soft) + 0.5 * latent(z, 3))


def _place(z: Array) -> Array:
    return 0.8 * squashed(np.hstack([latent(z, 0), latent(z, 1)]), 2.0)


def _grid(side: int) -> Array:
    return np.linspace(-1.0, 1.0, side)


def _axes(side: int) -> tuple[Array, Array]:
    """Both coordinates of every pixel, shape (side^2,) each."""
    a, b = np.meshgrid(_grid(side), _grid(side), indexing="ij")
    return a.ravel(), b.ravel()


def _apart(side: int, place: Array) -> Array:
    """How far every pixel is from the place of every row, shape (n, side^2)."""
    grid = _grid(side)
    squares = np.square(grid[:, None] - place[:, :1, None]) + np.square(grid - place[:, 1:, None])
    return _flat(np.sqrt(squares + 1e-4))


def _flat(pictures: Array) -> Array:
    return pictures.reshape(len(pictures), -1)
