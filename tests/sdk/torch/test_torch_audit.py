"""The second opinion: KSG on the same rows."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import mizzle
from mizzle.errors import InvalidInput, InvalidShape
from mizzle.torch import MutualInformation
from mizzle.torch.audit import local_terms


def normals(rho: float, n: int = 1000, seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(2, n, 1))
    return torch.from_numpy(x), torch.from_numpy(rho * x + math.sqrt(1 - rho * rho) * noise)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_ksg_is_right_on_normals(rho: float) -> None:
    """Within four of its own standard errors, and its bias, which is below .01 for 1 + 1 columns."""
    audit = MutualInformation().audit(*normals(rho))
    truth = -math.log(1 - rho * rho) / 2
    assert abs(audit.ksg - truth) <= 4 * audit.ksg_error + 0.01
    assert audit.agrees
    assert audit.mizzle == mizzle.estimate(*(side.numpy() for side in normals(rho)))


def test_labels_count_their_copies() -> None:
    """Two labels of entropy log 4, the one made of the other: I = log 4."""
    label = torch.arange(400) % 4
    terms = local_terms(label[:, None].double(), (label[:, None] * 3 % 4).double(), 3)
    assert float(terms.mean()) == pytest.approx(math.log(4), abs=0.02)  # (psi - log) of 100 copies: .005 each


def test_bits() -> None:
    x, y = normals(0.8)
    nats, bits = (MutualInformation(unit=unit).audit(x, y) for unit in ("nats", "bits"))
    assert bits.ksg == pytest.approx(nats.ksg / math.log(2))
    assert bits.mizzle.unit == "bits"


def test_a_game_shows() -> None:
    """The estimate of an independent pair beside the KSG of a dependent one."""
    from dataclasses import replace

    honest = MutualInformation().audit(*normals(0.9))
    gamed = replace(honest, mizzle=MutualInformation().audit(*normals(0.0)).mizzle)
    assert honest.agrees
    assert not gamed.agrees


def test_bad_input_is_refused() -> None:
    mi = MutualInformation()
    x, y = normals(0.5, 20)
    with pytest.raises(InvalidShape, match="one data set"):
        mi.audit(torch.stack([x, x]), torch.stack([y, y]))
    with pytest.raises(InvalidInput, match="k = 20"):
        mi.audit(x, y, k=20)
