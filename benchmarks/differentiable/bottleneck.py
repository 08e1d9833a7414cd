"""(e) An information bottleneck whose best curve is known: five normal columns X, two Y, Z = A X + noise.

Maximised is I(Z;Y) - I(X;Z) / beta over A, both by `mizzle.torch`. All are normal, so both informations of an
A that was found are known, and so is the best that can be had (Chechik, Globerson, Tishby and Weiss 2005).
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from results import Row, Rows

from mizzle.torch import MutualInformation

COLUMNS, OF_Y, OF_Z = 5, 2, 2
BETAS: Final = (2.0, 4.0, 8.0, 20.0)
STEPS: Final = 150
ROWS: Final = 1_000
RATE: Final = 0.05

Doubles = NDArray[np.float64]


def rows(starts: int = 3, seed: int = 5) -> Rows:
    """For each beta and start what was reached, and the most that could be told of Y; in nats."""
    return [
        {"beta": beta, "start": start, **_reached(beta, (seed, start))}
        for beta in BETAS
        for start in range(starts)
    ]


def _reached(beta: float, seed: tuple[int, int]) -> Row:
    rng = np.random.default_rng(seed)
    x_to_y = rng.normal(size=(OF_Y, COLUMNS)) / COLUMNS**0.5
    noise = np.array([0.3, 0.8])
    encoder = torch.from_numpy(0.3 * rng.normal(size=(OF_Z, COLUMNS))).requires_grad_()
    mi, adam = MutualInformation(), torch.optim.Adam([encoder], lr=RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.05, STEPS)
    for _ in range(STEPS):
        x = torch.from_numpy(rng.normal(size=(ROWS, COLUMNS)))
        y = x @ torch.from_numpy(x_to_y.T) + torch.from_numpy(noise * rng.normal(size=(ROWS, OF_Y)))
        z = x @ encoder.T + torch.from_numpy(rng.normal(size=(ROWS, OF_Z)))
        adam.zero_grad()
        (mi(x, z) / beta - mi(z, y)).backward()
        adam.step()
        schedule.step()
    of_x, of_y = informations(encoder.detach().numpy(), x_to_y, noise)
    return {"of_x": of_x, "of_y": of_y, "most": most(of_x, x_to_y, noise)}


def informations(encoder: Doubles, x_to_y: Doubles, noise: Doubles) -> tuple[float, float]:
    """I(X;Z) and I(Z;Y) of Z = A X + standard noise, in nats."""
    z = encoder @ encoder.T + np.eye(len(encoder))
    y = x_to_y @ x_to_y.T + np.diag(noise**2)
    cross = encoder @ x_to_y.T
    given_y = z - cross @ np.linalg.solve(y, cross.T)
    return 0.5 * _log_det(z), 0.5 * (_log_det(z) - _log_det(given_y))


def most(of_x: float, x_to_y: Doubles, noise: Doubles) -> float:
    """The most that a Z with I(X;Z) = `of_x` can tell of Y, in nats."""
    y = x_to_y @ x_to_y.T + np.diag(noise**2)
    left = np.linalg.eigvalsh(np.eye(COLUMNS) - x_to_y.T @ np.linalg.solve(y, x_to_y))[:OF_Z]
    betas = 1.0 / (1.0 - left[0]) * np.exp(np.linspace(1e-6, 12.0, 20_000))
    gains = np.maximum((betas[:, None] - 1.0) * (1.0 - left) / left, 1.0)  # 1 where a column is not yet used
    curve_x = 0.5 * np.log(gains).sum(axis=1)
    curve_y = curve_x - 0.5 * np.log(np.maximum(betas[:, None] * (1.0 - left), 1.0)).sum(axis=1)
    return float(np.interp(of_x, curve_x, curve_y))


def _log_det(matrix: Doubles) -> float:
    return float(np.linalg.slogdet(matrix)[1])
