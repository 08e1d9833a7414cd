"""(a) One direction of ten columns, found by its information with a response that hides it in three ways."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from results import Rows
from torch import Tensor

from mizzle.torch import MutualInformation

COLUMNS: Final = 10
STEPS: Final = 200
RATE: Final = 0.1  # of Adam, falling to 0 in a straight line
BATCH, ROWS = 400, 10_000

Doubles = NDArray[np.float64]
Response = Callable[[Doubles, Doubles, np.random.Generator], Doubles]


def _linear(t: Doubles, _: Doubles, rng: np.random.Generator) -> Doubles:
    return t + 0.5 * rng.normal(size=len(t))


def _absolute(t: Doubles, _: Doubles, rng: np.random.Generator) -> Doubles:
    return np.abs(t) + 0.2 * rng.normal(size=len(t))


def _xor(t: Doubles, s: Doubles, rng: np.random.Generator) -> Doubles:
    """Neither the sign of t nor s alone tells anything of the sign of this."""
    return np.sign(t) * s + 0.2 * rng.normal(size=len(t))


# The response, the least |cos| that was asked for, and whether s stands beside the projection.
KINDS: Final[dict[str, tuple[Response, float, bool]]] = {
    "linear": (_linear, 0.98, False),
    "|w.X|": (_absolute, 0.95, False),
    "XOR": (_xor, 0.90, True),
}


def rows(starts: int = 5, seed: int = 1) -> Rows:
    """A row for each kind and start: |cos| every twenty steps."""
    return [
        {"kind": kind, "start": start, "goal": goal, **_search(kind, np.random.default_rng((seed, start)))}
        for kind, (_, goal, _) in KINDS.items()
        for start in range(starts)
    ]


def _search(kind: str, rng: np.random.Generator) -> dict[str, object]:
    response, _, beside = KINDS[kind]
    true = rng.normal(size=COLUMNS)
    true /= np.linalg.norm(true)
    x, s = rng.normal(size=(ROWS, COLUMNS)), rng.normal(size=ROWS)
    y = torch.from_numpy(response(x @ true, s, rng))
    columns, given = torch.from_numpy(x), torch.from_numpy(s)
    w = torch.from_numpy(rng.normal(size=COLUMNS))
    w = (w / w.norm()).requires_grad_()
    cosines = [_cosine(w, true)]
    mi, adam = MutualInformation(), torch.optim.Adam([w], lr=RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, STEPS)
    for step in range(1, STEPS + 1):
        batch = torch.from_numpy(rng.choice(ROWS, BATCH, replace=False))
        side = (columns[batch] @ w)[:, None]
        side = torch.cat([side, given[batch, None]], 1) if beside else side
        adam.zero_grad()
        (-mi(side, y[batch])).backward()
        adam.step()
        schedule.step()
        with torch.no_grad():
            w /= w.norm()
        if step % 20 == 0:
            cosines.append(_cosine(w, true))
    return {"final": cosines[-1], "cosines": cosines}


def _cosine(w: Tensor, true: Doubles) -> float:
    return abs(float(w.detach().numpy() @ true))
