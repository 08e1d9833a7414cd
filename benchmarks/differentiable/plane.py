"""(f) The information plane of a small network while it learns digits: I(X;T) and I(T;Y) by layer and epoch.

A layer's output T is a function of the image, so that I(X;T) is infinite, or the entropy of the images there
are. What is estimated is that of T with a little noise, which is a choice, like the width of bins. X is the
images' principal components. Beside it, on the same rows: T in bins, and mixed KSG.
"""

from typing import Final

import numpy as np
import peers
import torch
from numpy.typing import NDArray
from results import Row, Rows
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.decomposition import PCA  # type: ignore[import-untyped]
from torch import nn
from torch.nn import functional as F

import mizzle

EPOCHS: Final = (0, 1, 2, 4, 8, 16, 32, 64)
WIDTHS: Final = (16, 8, 4)
COMPONENTS, NOISE, BINS = 16, 0.1, 30
ROWS: Final = 1_000

Doubles = NDArray[np.float64]


def rows(starts: int = 1, seed: int = 6) -> Rows:
    """A row for each layer, epoch and start; nats."""
    return [row for start in range(starts) for row in _of_start(start, (seed, start))]


def _of_start(start: int, seed: tuple[int, int]) -> Rows:
    rng = np.random.default_rng(seed)
    digits = load_digits()
    chosen = rng.choice(len(digits.data), ROWS, replace=False)
    images, labels = torch.from_numpy(digits.data[chosen] / 16 - 0.5).float(), digits.target[chosen]
    x = PCA(COMPONENTS, random_state=0).fit_transform(digits.data[chosen])
    torch.manual_seed(int(rng.integers(2**31)))
    layers = [nn.Sequential(nn.Linear(a, b), nn.Tanh()) for a, b in zip((64, *WIDTHS), WIDTHS, strict=False)]
    network = nn.Sequential(*layers, nn.Linear(WIDTHS[-1], 10))
    adam = torch.optim.Adam(network.parameters(), lr=0.005)
    results: Rows = []
    for epoch in range(EPOCHS[-1] + 1):
        if epoch in EPOCHS:
            accuracy = float((network(images).argmax(1).numpy() == labels).mean())
            head = {"start": start, "epoch": epoch, "accuracy": accuracy}
            outputs = _outputs(layers, images)
            results += [{**head, "layer": i + 1, **_both(x, t, labels, rng)} for i, t in enumerate(outputs)]
        for batch in torch.from_numpy(rng.permutation(ROWS)).split(100):
            adam.zero_grad()
            F.cross_entropy(network(images[batch]), torch.from_numpy(labels[batch])).backward()
            adam.step()
    return results


def _outputs(layers: list[nn.Sequential], images: torch.Tensor) -> list[Doubles]:
    outputs = []
    with torch.no_grad():
        for layer in layers:
            images = layer(images)
            outputs.append(images.double().numpy())
    return outputs


def _both(x: Doubles, t: Doubles, labels: NDArray[np.int64], rng: np.random.Generator) -> Row:
    noisy = t + NOISE * rng.normal(size=t.shape)
    of_x, of_y = mizzle.estimate_many([(x, noisy), (noisy, labels)])
    binned = np.unique(np.floor((t + 1) / 2 * BINS), axis=0, return_inverse=True)[1]
    return {
        "of_x": [of_x.mi, *of_x.interval()],
        "of_y": [of_y.mi, *of_y.interval()],
        "binned": [_entropy(binned), _entropy(binned) + _entropy(labels) - _entropy(binned * 10 + labels)],
        "ksg": [peers.mixed_ksg(x, noisy), peers.mixed_ksg(noisy, labels[:, None])],
    }


def _entropy(values: NDArray[np.int64]) -> float:
    shares = np.unique(values, return_counts=True)[1] / len(values)
    return float(-(shares * np.log(shares)).sum())
