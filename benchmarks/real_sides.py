"""Looks: one to four latents of a side, as images, spectra, shares or angles have them.

A look turns k independent standard normals into columns that are usually more, by an injective map: the
columns tell what the latents tell. It is drawn at random, and then maps row by row and without noise.
No look shares code with the generator of the training data.
"""

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import special  # type: ignore[import-untyped]
from scores import Floats

Rng = np.random.Generator
Map = Callable[[Floats], Floats]  # (n, k) -> (n, d)

REFERENCE = 1000  # rows that principal components are taken from


class Look(NamedTuple):
    """A kind of look.

    Attributes:
        latents: how many it may show, from and to.
        make: draws a map of k latents.
    """

    name: str
    latents: tuple[int, int]
    make: Callable[[Rng, int], Map]


def rotation(rng: Rng, d: int) -> Floats:
    """A random orthogonal matrix."""
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    matrix: Floats = q * np.sign(np.diag(r))
    return matrix


def components(rng: Rng, render: Map, k: int, count: int) -> Map:
    """A map followed by its leading principal components, which are those of a sample of its own."""
    pixels = render(rng.standard_normal((REFERENCE, k)))
    centre = pixels.mean(axis=0)
    directions = np.linalg.eigh(np.cov(pixels.T))[1][:, ::-1][:, :count]
    return lambda z: np.asarray((render(z) - centre) @ directions)


# What looks are made of


def _pad(z: Floats) -> Floats:
    """Four latents, of which those that are not there stay in the middle."""
    return np.pad(z, ((0, 0), (0, 4 - z.shape[1])))


def _outer(a: Floats, b: Floats) -> Floats:
    """a b' of every row, as columns."""
    return (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)


def _circle(angles: Floats) -> Floats:
    """All cosines, then all sines."""
    return np.hstack([np.cos(angles), np.sin(angles)])


def _distance(z: Floats, anchors: Floats) -> Floats:
    return np.asarray(np.linalg.norm(z[:, None, :] - anchors, axis=2))


def _about_third(angle: Floats) -> Floats:
    """Rotations about the third axis, shape (n, 3, 3)."""
    c, s, zero, unit = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([c, -s, zero, s, c, zero, zero, zero, unit], axis=1).reshape(-1, 3, 3)


# Pictures


def _blobs(rng: Rng, k: int) -> Map:
    """Places (and width, brightness) of a Gaussian blob on 14 x 14 pixels."""
    grid, width = (np.arange(14) + 0.5) / 14, rng.uniform(0.12, 0.25)

    def render(z: Floats) -> Floats:
        place, (size, light) = 0.1 + 0.8 * special.ndtr(_pad(z)[:, :2]), np.exp(0.25 * _pad(z)[:, 2:].T)
        along = np.exp(-0.5 * np.square((grid - place[..., None]) / (width * size)[:, None, None]))
        return _outer(along[:, 0] * light[:, None], along[:, 1])

    return components(rng, render, k, int(rng.choice([8, 24])))


def _rectangles(rng: Rng, k: int) -> Map:
    """Edges of a rectangle; a pixel of 12 x 12 is as bright as the part of it that is covered."""
    left = np.arange(12) / 12

    def render(z: Floats) -> Floats:
        # Some pixel is always covered whole: four that are not would tell no four edges apart.
        edges = np.array([0.06, 0.06, 0.6, 0.6]) + 0.34 * special.ndtr(_pad(z)[:, [0, 2, 1, 3]])
        low, high = edges[:, :2, None], edges[:, 2:, None]
        covered = 12 * np.maximum(0.0, np.minimum(high, left + 1 / 12) - np.maximum(low, left))
        return _outer(covered[:, 0], covered[:, 1])

    return components(rng, render, k, int(rng.integers(10, 25)))


def _bars(rng: Rng, k: int) -> Map:
    """Angle and offset (and width) of a soft bar across 16 x 16 pixels."""
    a, b = np.meshgrid(*[(np.arange(16) + 0.5) / 16 - 0.5] * 2)
    width = rng.uniform(0.08, 0.15)

    def render(z: Floats) -> Floats:
        angle, offset = (
            np.pi * (0.08 + 0.84 * special.ndtr(z[:, 0])),
            0.7 * special.ndtr(_pad(z)[:, 1]) - 0.35,
        )
        size = width * np.exp(0.25 * _pad(z)[:, 2])
        across = np.multiply.outer(np.cos(angle), a.ravel()) + np.multiply.outer(np.sin(angle), b.ravel())
        return np.asarray(np.exp(-0.5 * np.square((across - offset[:, None]) / size[:, None])))

    return components(rng, render, k, int(rng.integers(6, 17)))


# Decoders and features


def _decoder(squash: Callable[[Floats], Floats], gain: tuple[float, float]) -> Callable[[Rng, int], Map]:
    """One hidden layer of random units, and as many random mixtures of them."""

    def make(rng: Rng, k: int) -> Map:
        units = int(rng.integers(4 * k, 7 * k + 2))
        first = rng.standard_normal((k, units)) * rng.uniform(*gain) / np.sqrt(k)
        shift, second = rng.uniform(-1.0, 1.0, units), rng.standard_normal((units, units))
        return lambda z: squash(z @ first + shift) @ second

    return make


def _cosines(rng: Rng, k: int) -> Map:
    """Random Fourier features with a Gaussian spectrum, and their components."""
    first = rng.standard_normal((k, 60)) / rng.uniform(1.8, 3.0)
    shift = rng.uniform(0.0, 2.0 * np.pi, 60)
    return components(
        rng, lambda z: np.asarray(np.cos(z @ first + shift)), k, int(rng.integers(2 * k + 2, 2 * k + 16))
    )


def _powers(rng: Rng, k: int) -> Map:
    """Every latent and its powers."""
    degree = int(rng.integers(2, 5))
    return lambda z: np.hstack([z**power for power in range(1, degree + 1)])


def _mixtures(rng: Rng, k: int) -> Map:
    """Every latent beside linear mixtures of all."""
    mixing = np.hstack([np.eye(k), rng.standard_normal((k, int(rng.integers(1, 4 * k + 1))))])
    shuffled = rng.permutation(mixing, axis=1)
    return lambda z: z @ shuffled


def _shares(rng: Rng, k: int) -> Map:
    """Shares that sum to 1: the softmax of mixtures of the latents and of a constant."""
    mixing = rng.standard_normal((k, int(rng.integers(k, k + 4)))) * rng.uniform(0.6, 1.5) / np.sqrt(k)
    return lambda z: special.softmax(np.hstack([z @ mixing, np.zeros((len(z), 1))]), axis=1)


def _phases(rng: Rng, k: int) -> Map:
    """Cosine and sine of angles on less than a full circle."""
    span, start = 2.0 * np.pi * rng.uniform(0.5, 0.95, k), rng.uniform(0.0, 2.0 * np.pi, k)
    return lambda z: _circle(start + span * special.ndtr(z))


def _unit_vectors(rng: Rng, k: int) -> Map:
    """Directions of (latents, constant), rotated: they fill half a sphere."""
    scale, turn = rng.uniform(0.5, 2.0), rotation(rng, k + 1)

    def look(z: Floats) -> Floats:
        lifted = np.hstack([scale * z, np.ones((len(z), 1))]) @ turn
        return np.asarray(lifted / np.linalg.norm(lifted, axis=1, keepdims=True))

    return look


# Other kinds: the prior of the training data keeps away from them


def _spectra(rng: Rng, k: int) -> Map:
    """Magnitudes of the spectrum of a windowed sum of tones: their frequencies and loudness."""
    time, window = np.arange(32), np.hanning(32)

    def look(z: Floats) -> Floats:
        place, loud = special.ndtr(_pad(z)[:, [0, 2]]), np.exp(0.35 * _pad(z)[:, [1, 3]])
        bins = np.array([2.5, 9.5]) + 3.5 * place
        tones = loud[..., None] * np.sin(2.0 * np.pi * bins[..., None] * time / 32)
        tones = tones[:, : 1 + (k > 2)].sum(axis=1)
        return np.asarray(np.abs(np.fft.rfft(tones * window, axis=1))[:, 1:])

    return look


def _tuning_curves(rng: Rng, k: int) -> Map:
    """Rates of cells, each of which prefers a value of one latent."""
    preferred = np.linspace(-2.2, 2.2, int(rng.integers(4, 9))) + rng.normal(0.0, 0.1, (k, 1))
    width = rng.uniform(0.7, 1.2)
    return lambda z: np.exp(-0.5 * np.square((z[..., None] - preferred) / width)).reshape(len(z), -1)


def _density_curves(rng: Rng, k: int) -> Map:
    """A bell curve on a grid: its centre, width and size."""
    grid = np.linspace(-3.0, 3.0, int(rng.integers(8, 21)))

    def look(z: Floats) -> Floats:
        centre, width, size = (_pad(z)[:, i, None] for i in range(3))
        spread = 0.8 * np.exp(0.25 * width)
        return np.asarray(np.exp(0.3 * size - 0.5 * np.square((grid - 0.8 * centre) / spread)) / spread)

    return look


def _rotations(rng: Rng, k: int) -> Map:
    """The nine entries of a rotation with three Euler angles."""

    def look(z: Floats) -> Floats:
        around, tilt, spin = np.pi * (0.1 + np.array([1.7, 0.8, 1.7]) * special.ndtr(_pad(z)[:, :3])).T
        entries = (
            _about_third(around) @ _about_third(tilt)[:, [[2], [0], [1]], [2, 0, 1]] @ _about_third(spin)
        )
        return entries.reshape(len(z), 9)

    return look


def _distances(rng: Rng, k: int) -> Map:
    """Distances to anchors."""
    anchors = rng.normal(0.0, 2.0, (int(rng.integers(k + 2, k + 9)), k))
    return lambda z: _distance(z, anchors)


def _outer_products(rng: Rng, k: int) -> Map:
    """All products of two of (1, latents)."""
    i, j = np.triu_indices(k + 1)

    def look(z: Floats) -> Floats:
        extended = np.hstack([np.ones((len(z), 1)), z])
        return (extended[:, i] * extended[:, j])[:, 1:]

    return look


def _spirals(rng: Rng, k: int) -> Map:
    """t cos t and t sin t."""
    turns = rng.uniform(0.7, 2.0)

    def look(z: Floats) -> Floats:
        t = 1.5 + 2.0 * np.pi * turns * special.ndtr(z)
        return np.asarray(_circle(t) * np.hstack([t, t]))

    return look


def _waves(rng: Rng, k: int) -> Map:
    """A wave (or the sum of two) seen at once and some steps ago: frequency and amplitude."""
    delays, phase = np.arange(int(rng.integers(8, 17))), rng.uniform(0.4, 1.2)

    def look(z: Floats) -> Floats:
        frequency = np.array([0.15, 1.1]) + np.array([0.5, 0.6]) * special.ndtr(_pad(z)[:, [0, 2]])
        waves = np.exp(0.3 * _pad(z)[:, [1, 3], None]) * np.sin(phase + frequency[..., None] * delays)
        return np.asarray(waves[:, : 1 + (k > 2)].sum(axis=1))

    return look


def _polynomials(rng: Rng, k: int) -> Map:
    """Values of a polynomial, whose coefficients the latents are, at nodes."""
    nodes = np.sort(rng.uniform(-1.2, 1.2, int(rng.integers(k + 1, 13))))
    return lambda z: z @ np.vander(nodes, k, increasing=True).T


def _growth_curves(rng: Rng, k: int) -> Map:
    """A logistic curve at times: its middle, rate and height."""
    times = np.linspace(-3.0, 3.0, int(rng.integers(6, 17)))

    def look(z: Floats) -> Floats:
        middle, rate, height = (_pad(z)[:, i, None] for i in range(3))
        return np.asarray(
            np.exp(0.3 * height) * special.expit(1.5 * np.exp(0.25 * rate) * (times - 0.8 * middle))
        )

    return look


def _ratios(rng: Rng, k: int) -> Map:
    """Positive numbers beside products and ratios of neighbours."""
    scale = rng.uniform(0.3, 0.7)

    def look(z: Floats) -> Floats:
        e = np.exp(scale * z)
        return np.hstack([e, e[:, 1:] * e[:, :-1], e[:, 1:] / e[:, :-1]])

    return look


def _log_sums(rng: Rng, k: int) -> Map:
    """The first latent and log(exp a + exp b) of every pair."""
    sharp, pairs = rng.uniform(0.4, 0.9), np.array(list(combinations(range(k), 2)))
    return lambda z: np.hstack([z[:, :1], np.logaddexp(*np.moveaxis(sharp * z[:, pairs], 2, 0)) / sharp])


def _barycentric(rng: Rng, k: int) -> Map:
    """Shares of anchors, each in inverse proportion to its squared distance."""
    anchors = rng.normal(0.0, 1.5, (int(rng.integers(2 * k + 2, 2 * k + 9)), k))

    def look(z: Floats) -> Floats:
        weights = 1.0 / (0.2 + np.square(_distance(z, anchors)))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    return look


def _covariances(rng: Rng, k: int) -> Map:
    """The four entries of a covariance matrix with a given Cholesky factor."""

    def look(z: Floats) -> Floats:
        (a, b), c = np.exp(0.4 * _pad(z)[:, [0, 2]].T), 0.7 * _pad(z)[:, 1]
        return np.stack([a * a, a * c, a * c, c * c + b * b], axis=1)

    return look


def _survival_curves(rng: Rng, k: int) -> Map:
    """exp(-(t / scale)^shape) at times."""
    times = np.linspace(0.1, 3.0, int(rng.integers(6, 17)))

    def look(z: Floats) -> Floats:
        scale, shape = np.exp(0.5 * _pad(z)[:, 0, None]), 1.5 * np.exp(0.3 * _pad(z)[:, 1, None])
        return np.asarray(np.exp(-((times / scale) ** shape)))

    return look


def _arms(rng: Rng, k: int) -> Map:
    """Places of the joints of an arm in the plane, given the angle at every joint."""
    lengths = rng.uniform(0.5, 1.5, k)

    def look(z: Floats) -> Floats:
        angles = np.cumsum(1.7 * np.pi * (special.ndtr(z) - 0.5), axis=1)
        return np.hstack([np.cumsum(lengths * f(angles), axis=1) for f in (np.cos, np.sin)])

    return look


def _tori(rng: Rng, k: int) -> Map:
    """Places on a torus in space."""
    thick = rng.uniform(0.3, 0.7)

    def look(z: Floats) -> Floats:
        u, v = 1.85 * np.pi * special.ndtr(z).T
        ring = 1.0 + thick * np.cos(v)
        return np.stack([ring * np.cos(u), ring * np.sin(u), thick * np.sin(v)], axis=1)

    return look


LOOKS = [
    Look("blobs", (2, 4), _blobs),
    Look("rectangles", (2, 4), _rectangles),
    Look("bars", (1, 3), _bars),
    Look("tanh decoder", (1, 4), _decoder(np.tanh, (0.5, 1.5))),
    Look("sigmoid decoder", (1, 4), _decoder(special.expit, (1.5, 4.0))),
    Look("sine decoder", (1, 4), _decoder(np.sin, (0.7, 1.3))),
    Look("cosine features", (1, 4), _cosines),
    Look("powers", (1, 4), _powers),
    Look("mixtures", (1, 4), _mixtures),
    Look("shares", (1, 4), _shares),
    Look("phases", (1, 4), _phases),
    Look("unit vectors", (1, 4), _unit_vectors),
]
OTHER_LOOKS = [
    Look("spectra of tones", (1, 4), _spectra),
    Look("tuning curves", (1, 4), _tuning_curves),
    Look("density curves", (1, 3), _density_curves),
    Look("rotation matrices", (1, 3), _rotations),
    Look("distances to anchors", (1, 4), _distances),
    Look("outer products", (1, 4), _outer_products),
    Look("spirals", (1, 4), _spirals),
    Look("delayed waves", (1, 4), _waves),
    Look("polynomials at nodes", (2, 4), _polynomials),
    Look("growth curves", (1, 3), _growth_curves),
    Look("ratios and products", (2, 4), _ratios),
    Look("log-sums", (2, 4), _log_sums),
    Look("barycentric weights", (1, 4), _barycentric),
    Look("covariance matrices", (1, 3), _covariances),
    Look("survival curves", (1, 2), _survival_curves),
    Look("jointed arms", (1, 4), _arms),
    Look("tori", (2, 2), _tori),
]
