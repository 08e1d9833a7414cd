"""(d) A nuisance removed: the code of a network keeps the task, and tells nothing of a second label.

Ten columns. The class is in some of them, the nuisance s, a normal number, in others and in a shift of the
same ones, so that the plain network's code tells much of it. Judged on rows that no gradient saw: by KSG, and
by a classifier that guesses whether s is above its median from the code.
"""

from typing import Final

import numpy as np
import torch
from results import Row, Rows
from sklearn.ensemble import RandomForestClassifier  # type: ignore[import-untyped]
from sklearn.metrics import log_loss  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.nn import functional as F

from mizzle.torch import MutualInformation

COLUMNS, CODE = 10, 2
STEPS, BATCH, ROWS, UNSEEN = 400, 400, 8_000, 4_000
WEIGHTS: Final = (0.0, 2.0)  # of I(z; s) beside the loss of the task


def rows(draws: int = 3, seed: int = 4) -> Rows:
    """A row for each draw and weight; goals are below .02 nats, and an accuracy within two points."""
    return [
        {"draw": draw, "weight": weight, **_trained(weight, (seed, draw))}
        for draw in range(draws)
        for weight in WEIGHTS
    ]


def _trained(weight: float, seed: tuple[int, int]) -> Row:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(COLUMNS, COLUMNS))
    seen, unseen = (_sample(rng, mixing, n) for n in (ROWS, UNSEEN))
    torch.manual_seed(int(rng.integers(2**31)))
    encoder = nn.Sequential(nn.Linear(COLUMNS, 64), nn.ReLU(), nn.Linear(64, CODE)).double()
    head = nn.Sequential(nn.Linear(CODE, 32), nn.ReLU(), nn.Linear(32, 2)).double()
    # A high quantile: what is to be removed should not hide in the doubt.
    mi, adam = (
        MutualInformation(quantile=0.9),
        torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=0.005),
    )
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.05, STEPS)
    x, task, s = seen
    for _ in range(STEPS):
        batch = torch.from_numpy(rng.choice(ROWS, BATCH, replace=False))
        code = encoder(x[batch])
        loss = F.cross_entropy(head(code), task[batch])
        if weight:
            loss = loss + weight * mi(code, s[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    with torch.no_grad():
        code = encoder(unseen[0])
        accuracy = float((head(code).argmax(1) == unseen[1]).double().mean())
    audit = MutualInformation().audit(code, unseen[2])
    return {
        "accuracy": accuracy,
        "ksg": audit.ksg,
        "ksg_error": audit.ksg_error,
        "mizzle": audit.mizzle.mi,
        "classifier": _told(code.numpy(), unseen[2].numpy() > 0),
    }


def _sample(rng: np.random.Generator, mixing: np.ndarray, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Columns, the class, the nuisance."""
    task, s = rng.integers(0, 2, n), rng.normal(size=n)
    latent = rng.normal(size=(n, COLUMNS))
    latent[:, 0] += 3.0 * (task - 0.5) + s
    latent[:, 1] = s + 0.3 * latent[:, 1]
    latent[:, 2] = np.abs(s) + 0.3 * latent[:, 2]
    return torch.from_numpy(latent @ mixing), torch.from_numpy(task), torch.from_numpy(s)


def _told(code: np.ndarray, above: np.ndarray) -> float:
    """Nats that a forest finds of s above 0 in the code: log 2 less its loss on the other half."""
    half = len(code) // 2
    forest = RandomForestClassifier(300, min_samples_leaf=20, random_state=0, n_jobs=1)
    forest.fit(code[:half], above[:half])
    return float(np.log(2) - log_loss(above[half:], forest.predict_proba(code[half:])))
