"""Pictures of scikit-learn's digits: a class variable as its embedding by principal components.

A picture is one of the data's, shifted by up to half a pixel either way and a fifth brighter or darker, so
that no two are equal. Which digit it shows can be told as surely as `separation` says.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from real_sides import Rng
from scipy.spatial import KDTree  # type: ignore[import-untyped]
from scores import Floats

# Pairs of digits that two components tell apart.
APART = ((0, 1), (0, 2), (0, 3), (0, 7), (2, 6), (3, 6), (6, 7))
PAIR_COMPONENTS = (2, 4, 8, 16, 32)
TEN = tuple(range(10))
TEN_COMPONENTS = (16, 24, 32)

Labels = NDArray[np.int64]


@cache
def digits() -> tuple[Floats, Labels]:
    """scikit-learn's 8 x 8 pictures of digits, shape (images, 8, 8), and which they show."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    data = load_digits()
    return data.images / 16.0, data.target.astype(np.int64)


@cache
def picture_components(classes: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Mean and components of all pictures of some digits as they are in the data."""
    images, target = digits()
    pixels = images[np.isin(target, classes)].reshape(-1, 64)
    centre = pixels.mean(axis=0)
    return centre, np.linalg.eigh(np.cov(pixels.T))[1][:, ::-1]


def separation(classes: tuple[int, ...], count: int) -> float:
    """The share of pictures whose nearest other one, by `count` components, shows the same digit."""
    images, target = digits()
    keep = np.isin(target, classes)
    centre, directions = picture_components(classes)
    scores = (images[keep].reshape(-1, 64) - centre) @ directions[:, :count]
    nearest = KDTree(scores).query(scores, k=2)[1][:, 1]
    return float((target[keep][nearest] == target[keep]).mean())


def pictures(rng: Rng, classes: tuple[int, ...], which: Labels, counts: tuple[int, ...]) -> Floats:
    """A picture of `classes[which]` for every row, as one of `counts` of its leading components."""
    images, target = digits()
    pools = [np.flatnonzero(target == digit) for digit in classes]
    moved = images[[rng.choice(pools[i]) for i in which]]
    for axis in (1, 2):
        shift = rng.uniform(-0.5, 0.5, (len(which), 1, 1))
        beyond = np.where(shift > 0.0, _moved(moved, 1, axis), _moved(moved, -1, axis))
        moved = (1.0 - abs(shift)) * moved + abs(shift) * beyond
    light, (centre, directions) = rng.uniform(0.8, 1.2, (len(which), 1)), picture_components(classes)
    return (light * moved.reshape(-1, 64) - centre) @ directions[:, : rng.choice(counts)]


def _moved(images: Floats, step: int, axis: int) -> Floats:
    """All pictures moved by a pixel; what comes in at the edge is dark."""
    moved = np.roll(images, step, axis)
    edge = [slice(None)] * 3
    edge[axis] = slice(0, 1) if step > 0 else slice(-1, None)
    moved[tuple(edge)] = 0.0
    return moved
