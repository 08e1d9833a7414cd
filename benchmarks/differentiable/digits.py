"""(c) Digits: twenty principal components to two by what they tell of the label, and without labels.

Without labels: an encoder for each half of the image, trained so that the codes of both halves share much, by
`mizzle.torch`, by InfoNCE and by VICReg, at equal steps, batches and encoders.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from results import Row, Rows
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.decomposition import PCA  # type: ignore[import-untyped]
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.nn import functional as F

from mizzle.torch import MutualInformation

COMPONENTS, NEIGHBOURS = 20, 5
STEPS: Final = 200
BATCH: Final = 300
WIDTH, CODE = 64, 4  # of the hidden layer and of the code of a half

Doubles = NDArray[np.float64]
Loss = Callable[[Tensor, Tensor], Tensor]


def rows(starts: int = 3, seed: int = 3) -> Rows:
    """With labels, beside LDA; without, beside InfoNCE and VICReg: accuracy of the nearest neighbours."""
    by_start = range(starts)
    with_labels = [_with_labels((seed, start)) for start in by_start]
    losses: dict[str, Loss] = {"mizzle": _information, "InfoNCE": _infonce, "VICReg": _vicreg}
    return [
        *({"task": "labels", "start": i, **row} for i, row in enumerate(with_labels)),
        *(
            {"task": "halves", "start": start, "loss": name, **_halves(loss, (seed, start))}
            for name, loss in losses.items()
            for start in by_start
        ),
    ]


def _with_labels(seed: tuple[int, int]) -> Row:
    rng = np.random.default_rng(seed)
    x, other, y, of_other = _split(int(rng.integers(2**31)))
    reduction = PCA(COMPONENTS, whiten=True, random_state=0).fit(x)
    x, other = reduction.transform(x), reduction.transform(other)
    torch.manual_seed(int(rng.integers(2**31)))
    encoder = nn.Linear(COMPONENTS, 2).double()
    columns, labels = torch.from_numpy(x), torch.from_numpy(y)
    mi, adam = MutualInformation(), torch.optim.Adam(encoder.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.05, STEPS)
    for _ in range(STEPS):
        batch = torch.from_numpy(rng.choice(len(x), BATCH, replace=False))
        adam.zero_grad()
        (-mi(encoder(columns[batch]), labels[batch])).backward()
        adam.step()
        schedule.step()
    lda = LinearDiscriminantAnalysis(n_components=2).fit(x, y)
    with torch.no_grad():
        codes, of_unseen = (encoder(torch.from_numpy(side)).numpy() for side in (x, other))
    return {
        "mizzle": _accuracy(codes, y, of_unseen, of_other),
        "lda": _accuracy(lda.transform(x), y, lda.transform(other), of_other),
        "nats_of_unseen": float(mi(torch.from_numpy(of_unseen), torch.from_numpy(of_other))),
        "nats_of_lda": float(mi(torch.from_numpy(lda.transform(other)), torch.from_numpy(of_other))),
    }


def _halves(loss: Loss, seed: tuple[int, int]) -> Row:
    rng = np.random.default_rng(seed)
    x, other, y, of_other = _split(int(rng.integers(2**31)))
    scale = x.std(0) + 1e-6
    sides, unseen = (_sides((part - x.mean(0)) / scale) for part in (x, other))
    torch.manual_seed(int(rng.integers(2**31)))
    encoders = [_encoder(), _encoder()]
    parameters = [p for encoder in encoders for p in encoder.parameters()]
    adam = torch.optim.Adam(parameters, lr=0.003)
    for _ in range(STEPS):
        batch = torch.from_numpy(rng.choice(len(x), BATCH, replace=False))
        codes = [encoder(side[batch]) for encoder, side in zip(encoders, sides, strict=True)]
        adam.zero_grad()
        loss(*codes).backward()
        adam.step()
    with torch.no_grad():
        both, of_unseen = (
            np.hstack([e(side).numpy() for e, side in zip(encoders, part, strict=True)])
            for part in (sides, unseen)
        )
    centre, spread = both.mean(0), both.std(0) + 1e-9
    accuracy = _accuracy((both - centre) / spread, y, (of_unseen - centre) / spread, of_other)
    return {"accuracy": accuracy}


def _split(state: int) -> tuple[Doubles, Doubles, NDArray[np.int64], NDArray[np.int64]]:
    """A third of the images is never seen."""
    digits = load_digits()
    x, other, y, of_other = train_test_split(
        digits.data, digits.target, test_size=1 / 3, random_state=state, stratify=digits.target
    )
    return x, other, y, of_other


def _sides(images: Doubles) -> list[Tensor]:
    """The left and the right half of images of 8 x 8."""
    halves = np.split(images.reshape(-1, 8, 8), 2, axis=2)
    return [torch.from_numpy(half.reshape(len(half), -1)).float() for half in halves]


def _encoder() -> nn.Module:
    return nn.Sequential(nn.Linear(32, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CODE))


def _information(a: Tensor, b: Tensor) -> Tensor:
    loss: Tensor = -MutualInformation()(a, b)
    return loss


def _infonce(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    """Oord et al. (2018), both ways, on the sphere as SimCLR has it."""
    scores = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / temperature
    own = torch.arange(len(a))
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2


def _vicreg(a: Tensor, b: Tensor) -> Tensor:
    """Bardes, Ponce and LeCun (2022), with their weights 25, 25 and 1."""
    loss = 25 * F.mse_loss(a, b)
    for code in (a, b):
        centred = code - code.mean(0)
        loss = loss + 25 * F.relu(1 - (centred.var(0) + 1e-4).sqrt()).mean()
        covariance = centred.T @ centred / (len(code) - 1)
        loss = loss + (covariance - torch.diag(covariance.diagonal())).square().sum() / code.shape[1]
    return loss


def _accuracy(x: Doubles, y: NDArray[np.int64], other: Doubles, of_other: NDArray[np.int64]) -> float:
    return float(KNeighborsClassifier(NEIGHBOURS).fit(x, y).score(other, of_other))
