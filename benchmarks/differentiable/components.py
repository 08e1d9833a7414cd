"""(b) Independent components: mixtures unmixed by the rotation of least pairwise information.

Columns are whitened, so that a rotation is left to be found; FastICA gets the same rows.
"""

import warnings
from itertools import combinations
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from results import Rows
from sklearn.decomposition import FastICA  # type: ignore[import-untyped]
from torch import Tensor

from mizzle.torch import MutualInformation

STEPS: Final = 150
RATE: Final = 0.1
ROWS: Final = 1_000
ALLOWED: Final = 0.02  # Amari error beyond that of FastICA

Doubles = NDArray[np.float64]


def rows(draws: int = 5, seed: int = 2) -> Rows:
    """A row for each number of sources and draw."""
    return [
        {"sources": count, "draw": draw, "allowed": ALLOWED, **_unmix(count, (seed, count, draw))}
        for count in (2, 4)
        for draw in range(draws)
    ]


def _unmix(count: int, seed: tuple[int, ...]) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(count, count))
    mixed = _sources(rng, count) @ mixing.T
    values, axes = np.linalg.eigh(np.cov(mixed.T))
    whitening = axes / np.sqrt(values)
    rotation = _rotation(torch.from_numpy((mixed - mixed.mean(0)) @ whitening), rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it has not converged, and has its row all the same
        fast = FastICA(random_state=0, whiten="unit-variance", max_iter=1000).fit(mixed)
    return {
        "mizzle": amari(rotation.T @ whitening.T @ mixing),
        "fastica": amari(fast.components_ @ mixing),
        "untouched": amari(whitening.T @ mixing),
    }


def _sources(rng: np.random.Generator, count: int) -> Doubles:
    """Uniform, Laplace, two-humped and exponential, in turn."""
    humps = rng.choice([-1.0, 1.0], ROWS) + 0.4 * rng.normal(size=ROWS)
    kinds = [rng.uniform(-1, 1, ROWS), rng.laplace(size=ROWS), humps, rng.exponential(size=ROWS)]
    return np.stack([kinds[i % 4] for i in range(count)], 1)


def _rotation(white: Tensor, rng: np.random.Generator) -> Doubles:
    """The rotation of white columns whose pairs share least."""
    count = white.shape[1]
    first, second = zip(*combinations(range(count), 2), strict=True)
    turn = torch.from_numpy(rng.normal(size=(count, count))).requires_grad_()
    mi, adam = MutualInformation(), torch.optim.Adam([turn], lr=RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        columns = white @ torch.linalg.matrix_exp(turn - turn.T)
        pairs = columns.T[..., None]
        adam.zero_grad()
        mi(pairs[list(first)], pairs[list(second)]).sum().backward()
        adam.step()
        schedule.step()
    rotation: Doubles = torch.linalg.matrix_exp(turn - turn.T).detach().numpy()
    return rotation


def amari(product: Doubles) -> float:
    """Of unmixing times mixing, from 0 (each source found) to 1 (Amari, Cichocki and Yang 1996, scaled)."""
    p, size = len(product), np.abs(product)
    by_row = (size / size.max(1, keepdims=True)).sum() - p
    by_column = (size / size.max(0, keepdims=True)).sum() - p
    return float((by_row + by_column) / (2 * p * (p - 1)))
