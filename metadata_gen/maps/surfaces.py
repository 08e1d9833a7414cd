"""Looks across latents: linear ones, order, shares, and surfaces such as spheres and hyperboloids.

z has shape (n, k).
"""

import numpy as np
from scipy.special import expit, softmax  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array


def linear(z: Array, matrix: Array) -> Array:
    """z matrix, of shape (k, d) and rank k."""
    return np.asarray(z @ matrix)


def with_mixtures(z: Array, matrix: Array) -> Array:
    """The latents, and mixtures z matrix of them."""
    return np.hstack([z, z @ matrix])


def with_extremes(z: Array, first: Array, second: Array) -> Array:
    """The latents, and of pairs of mixtures the larger, the smaller, or how far apart they are, in turn."""
    a, b = z @ first, z @ second
    columns = [(np.maximum, np.minimum, _apart)[j % 3](a[:, j], b[:, j]) for j in range(a.shape[1])]
    return np.column_stack([z, *columns])


def cumulative(z: Array, matrix: Array, mean: bool) -> Array:
    """Sums (or means) over the first 1, 2, ... of mixtures tanh(z matrix) + z matrix / 2."""
    mixtures = z @ matrix
    sums = np.cumsum(np.tanh(mixtures) + 0.5 * mixtures, axis=1)
    return np.asarray(sums / np.arange(1, matrix.shape[1] + 1) if mean else sums)


def ordered(z: Array, scale: float) -> Array:
    """Increasing numbers: z_1 and then z_1 + exp(scale z_2) + ... + exp(scale z_j), and their gaps."""
    gaps = np.exp(scale * z[:, 1:])
    return np.hstack([z[:, :1], z[:, :1] + np.cumsum(gaps, axis=1), gaps])


def exponents(z: Array, scale: float, span: float) -> Array:
    """exp(scale a + i span b) in the plane for two latents each, |span b| < pi; the last of an odd number
    stays as it is."""
    half = z.shape[1] // 2
    size, angle = np.exp(scale * z[:, :half]), span * np.pi * np.tanh(0.4 * z[:, half : 2 * half])
    return np.hstack([size * np.cos(angle), size * np.sin(angle), z[:, 2 * half :]])


def softmax_shares(z: Array, matrix: Array) -> Array:
    """Shares exp(u_j) / sum exp(u) of u = (z matrix, 0)."""
    return np.asarray(softmax(np.hstack([z @ matrix, np.zeros((len(z), 1))]), axis=1))


def cumulative_shares(z: Array, matrix: Array) -> Array:
    """Sums of the first 1, 2, ... of `softmax_shares`, without the last, which is 1."""
    return np.asarray(np.cumsum(softmax_shares(z, matrix), axis=1)[:, :-1])


def broken_sticks(z: Array, gain: float, shift: Array) -> Array:
    """Pieces of a stick, of whose rest 1 / (1 + exp(-gain z_j - shift_j)) is broken off again and again."""
    off = expit(gain * z + shift)
    rest = np.cumprod(1.0 - off, axis=1)
    return np.hstack([off[:, :1], off[:, 1:] * rest[:, :-1], rest[:, -1:]])


def stereographic(z: Array, scale: float, turn: Array) -> Array:
    """The point of the unit sphere that is projected to scale z, rotated: (2 u, |u|^2 - 1) / (|u|^2 + 1)."""
    u = scale * z
    squares = np.square(u).sum(axis=1, keepdims=True)
    return np.asarray(np.hstack([2.0 * u, squares - 1.0]) / (squares + 1.0) @ turn)


def exponential_map(z: Array, reach: float, turn: Array) -> Array:
    """The end of a great circle from a pole of the sphere, of direction z and of an angle below reach < pi.

    For three latents that is a quaternion.
    """
    norm = np.sqrt(np.square(z).sum(axis=1, keepdims=True))
    angle = reach * norm / np.sqrt(9.0 + np.square(norm))
    # sin(angle) / norm tends to reach / 3 at the pole
    along = np.where(norm > 1e-9, np.sin(angle) / np.maximum(norm, 1e-9), reach / 3.0)
    return np.asarray(np.hstack([np.cos(angle), z * along]) @ turn)


def hyperboloid(z: Array, scale: float, turn: Array) -> Array:
    """A sheet of a hyperboloid, (u, sqrt(1 + |u|^2)) of u = scale z, rotated."""
    u = scale * z
    return np.asarray(np.hstack([u, np.sqrt(1.0 + np.square(u).sum(axis=1, keepdims=True))]) @ turn)


def _apart(a: Array, b: Array) -> Array:
    return np.abs(a - b)
