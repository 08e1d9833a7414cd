"""What torch computes of the same problems: the reference that the compiled engine has to agree with."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from mizzle.model import Estimator, torch_weights, weights
from mizzle.model.calibrate import Calibration
from mizzle.model.native import library
from mizzle.model.net import Net
from mizzle.model.novelty import Novelty
from mizzle.model.preprocess import Table
from mizzle.model.statistics.tokens import Tokens
from mizzle.model.torch_engine import TorchEngine
from mizzle.model.weights import NetConfig
from mizzle.types import ModelInfo

_NAMED = os.environ.get("MIZZLE_NATIVE_LIBRARY")
LEVELS = [Path(_NAMED)] if _NAMED else library.runnable()  # libraries to test, the best first
ROWS = (10, 300)  # of a training that never was


class Reference(NamedTuple):
    """A network with its calibration, in torch, and as header and tensors of a weights file."""

    estimator: Estimator
    net: Net
    novelty: Novelty
    about: dict[str, Any]
    tensors: dict[str, np.ndarray]


def reference(config: NetConfig, seed: int = 0) -> Reference:
    """A random network whose zero-initialised branches were perturbed, with a random calibration."""
    torch.manual_seed(seed)
    net = Net(config)
    with torch.no_grad():
        for name, value in (*net.named_parameters(), *net.named_buffers()):
            value += 0.05 * torch.randn(value.shape) * (not name.endswith("scale"))
    statistics = len(net.standardise.mean)
    levels = torch.rand(60, 25).sort(1).values.clamp(0.005, 0.995)
    novelty = Novelty(torch.randn(statistics), 0.1 * torch.randn(statistics, statistics), 8 + torch.rand(15))
    header = weights.Header("test", "0", config, ROWS, (1, 64), {}, {})
    engine = TorchEngine(net.eval(), Calibration(levels), novelty, ROWS)
    estimator = Estimator(engine, header, ModelInfo("test", "0", ""))
    parts = {f"novelty.{name}": getattr(novelty, name) for name in ("centre", "whitening", "thresholds")}
    tensors = {**net.state_dict(), "calibration.levels": levels, **parts}
    about = {**torch_weights.code(), "net": net.describe(), "rows": list(ROWS)}
    values = {name: tensor.numpy() for name, tensor in tensors.items()}
    return Reference(estimator, net, novelty, about, values)


def arrays(problems: Sequence[Tokens]) -> list[dict[str, np.ndarray]]:
    """Torch's tokens of each problem, without padding."""
    return [_arrays(tokens) for tokens in problems]


def _arrays(tokens: Tokens) -> dict[str, np.ndarray]:
    kinds = {name: kind.values[kind.mask].numpy() for name, kind in tokens.kinds.items()}
    return {"overall": tokens.overall.numpy(), **kinds}


def shape(table: Table) -> tuple[int, int]:
    """Rows, and columns of both sides that vary."""
    return table.n, len(table.x) + len(table.y)
