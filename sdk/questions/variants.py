"""Variants of a sample whose information stands in a known relation to that of the sample.

Parts of the rows have the same information as all; so have sides that are rotated, or to which columns are
added that are functions of the side, or noise. Fewer columns cannot have more (data processing), and shuffled
rows have none.
"""

from typing import NamedTuple

import numpy as np

from mizzle.data.arrays import FloatArray

ROTATIONS = 3
WHITENED = 2
NOISE_COLUMNS = 2
SMALLEST_QUARTER = 25  # rows
_COLUMN_LIMIT = 64
_FLOOR = 1e-6  # of the largest variance of a principal component
_DISCRETE_SHARE = 0.1  # of the rows: a column with fewer different values has levels, not a scale


class Variant(NamedTuple):
    """A changed sample: what was done, and the sides, shapes (n, dx) and (n, dy)."""

    name: str
    x: FloatArray
    y: FloatArray


def variants(x: FloatArray, y: FloatArray, rng: np.random.Generator) -> list[Variant]:
    """All that apply to a sample: parts need rows, rotations a side of two or more columns on a scale."""
    sides = _standardised(x), _standardised(y)
    scales = has_scale(x), has_scale(y)
    chosen = _parts(x, y, rng)
    if any(scales[i] and sides[i].shape[1] > 1 for i in range(2)):
        chosen += [Variant("rotated", *_rotated(sides, scales, rng)) for _ in range(ROTATIONS)]
        white = _whitened(sides[0], scales[0]), _whitened(sides[1], scales[1])
        chosen += [Variant("whitened", *_rotated(white, scales, rng)) for _ in range(WHITENED)]
        chosen += _dropped(sides, scales)
    if any(scales):
        chosen.append(Variant("functions", *(_functions(sides[i], scales[i], rng) for i in range(2))))
    chosen.append(Variant("noise", *(_with_noise(side, rng) for side in (x, y))))
    chosen.append(Variant("permuted", x, y[rng.permutation(len(y))]))
    return chosen


def _parts(x: FloatArray, y: FloatArray, rng: np.random.Generator) -> list[Variant]:
    """Two halves and four quarters of the rows, at random."""
    order = rng.permutation(len(x))
    parts = [("half", part) for part in np.array_split(order, 2)]
    if len(x) >= 4 * SMALLEST_QUARTER:
        parts += [("quarter", part) for part in np.array_split(order, 4)]
    parts = [(name, np.sort(rows)) for name, rows in parts]
    return [Variant(name, x[rows], y[rows]) for name, rows in parts if _varies(x[rows]) and _varies(y[rows])]


def _varies(side: FloatArray) -> bool:
    return bool((side != side[0]).any())


def has_scale(side: FloatArray) -> bool:
    """Whether every column has many different values."""
    return all(len(np.unique(column)) > _DISCRETE_SHARE * len(side) for column in side.T)


def _standardised(side: FloatArray) -> FloatArray:
    """Columns less their means, over their deviations; the scale of constant ones stays.

    Ranks take the place of values where these are too large for squares.
    """
    side = side / np.maximum(np.abs(side).max(axis=0), np.finfo(float).tiny)
    deviation = side.std(axis=0)
    standardised: FloatArray = (side - side.mean(axis=0)) / np.where(deviation > 0.0, deviation, 1.0)
    return standardised


def _rotation(d: int, rng: np.random.Generator) -> FloatArray:
    """A random orthogonal matrix, uniform up to the signs of its columns."""
    matrix: FloatArray = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return matrix


def _rotated(
    sides: tuple[FloatArray, FloatArray], scales: tuple[bool, bool], rng: np.random.Generator
) -> list[FloatArray]:
    return [
        side @ _rotation(side.shape[1], rng) if scale else side
        for side, scale in zip(sides, scales, strict=True)
    ]


def _axes(side: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Variances and directions of the principal components, the largest first."""
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(side.T)))
    return np.maximum(values[::-1], 0.0), axes[:, ::-1]


def _whitened(side: FloatArray, scale: bool) -> FloatArray:
    """Principal components of variance 1, but for those that are all but empty."""
    if not scale:
        return side
    values, axes = _axes(side)
    whitened: FloatArray = side @ axes / np.sqrt(np.maximum(values, _FLOOR * values[0]))
    return whitened


def _dropped(sides: tuple[FloatArray, FloatArray], scales: tuple[bool, bool]) -> list[Variant]:
    """The stronger half and the stronger three quarters of the principal components of either side."""

    def leading(side: FloatArray, scale: bool, share: float) -> FloatArray:
        components: FloatArray = side @ _axes(side)[1] if scale else side
        return components[:, : int(np.ceil(share * components.shape[1]))] if scale else side

    return [
        Variant(f"components {share}", *(leading(s, c, share) for s, c in zip(sides, scales, strict=True)))
        for share in (0.5, 0.75)
    ]


def _functions(side: FloatArray, scale: bool, rng: np.random.Generator) -> FloatArray:
    """The side beside bounded random functions of it, which tell nothing that it does not."""
    d = side.shape[1]
    count = min(max(2, d), _COLUMN_LIMIT - d)
    if not scale or count < 1:
        return side
    weights = rng.standard_normal((d, count)) * 1.5 / np.sqrt(d)
    return np.hstack([side, np.tanh(side @ weights + rng.standard_normal(count))])


def _with_noise(side: FloatArray, rng: np.random.Generator) -> FloatArray:
    count = min(NOISE_COLUMNS, _COLUMN_LIMIT - side.shape[1])
    return np.hstack([side, rng.standard_normal((len(side), max(count, 0)))])
