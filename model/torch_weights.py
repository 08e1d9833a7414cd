"""Weights files as torch's network, calibration and novelty: written by the training, loaded to compute."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save as serialised
from torch import Tensor
from torch.nn import functional as F

from mizzle.model import weights
from mizzle.model.calibrate import ANSWERS, COLUMN_EDGES, ROW_EDGES, Calibration
from mizzle.model.net import Net
from mizzle.model.novelty import Novelty
from mizzle.model.quantiles import LEVELS
from mizzle.model.statistics import registry
from mizzle.types import ModelInfo


class TorchWeights(NamedTuple):
    """All of a weights file."""

    net: Net
    calibration: Calibration
    novelty: Novelty
    header: weights.Header
    info: ModelInfo


def code() -> dict[str, Any]:
    """What this code computes, as in the header of weights, which must have been trained on the same."""
    return {
        "format": 2,
        "levels": list(LEVELS),
        "tokens": registry.settings(),
        "strata": {"rows": list(ROW_EDGES), "columns": list(COLUMN_EDGES), "answers": list(ANSWERS)},
    }


def save(path: Path, net: Net, calibration: Calibration, novelty: Novelty, header: weights.Header) -> None:
    """Write the model as one file, atomically."""
    tensors = {name: t.detach().contiguous() for name, t in net.state_dict().items()}
    tensors[weights.CALIBRATION] = calibration.levels.contiguous()
    parts = (novelty.centre, novelty.whitening, novelty.thresholds)
    tensors |= {name: part.contiguous() for name, part in zip(weights.NOVELTY, parts, strict=True)}
    text = {**header.__dict__, "net": net.describe(), **code()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
    metadata = weights.with_checksums({"mizzle": json.dumps(text)}, arrays)
    partial.write_bytes(weights.in_order(serialised(tensors, metadata)))
    partial.chmod(0o644)
    partial.replace(path)


def load(path: Path, sha256: str | None = None) -> TorchWeights:
    """Read and check a weights file: every tensor, every shape, finite.

    Args:
        sha256: that the file must have.

    Raises:
        ModelUnavailable: the file is absent, damaged, or of another format.
    """
    with weights.refused_in_one_sentence(path):
        _, header, arrays, info = weights.load(path, code(), sha256)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        calibration = Calibration(tensors.pop(weights.CALIBRATION))
        novelty = Novelty(*(tensors.pop(name) for name in weights.NOVELTY))
        net = Net(header.net)
        net.load_state_dict(tensors)
    return TorchWeights(net.eval(), calibration, novelty, header, info)


def extended(path: Path) -> Net:
    """The network of weights that may know fewer statistics than there are now, to be trained on.

    New channels come last in their kind of token; what reads them starts at zero, and their input scales are
    left 0 for `Net.fit_inputs`, so that the network answers as it did. Over how many rows a statistic is
    averaged may differ: that changes its precision and not its meaning.

    Raises:
        ModelUnavailable: the file is absent or damaged, or learnt on other statistics, not on fewer.
    """
    with weights.refused_in_one_sentence(path):
        about, tensors = weights.read(path)
        now = code()
        known = {name: now["tokens"].get(name) for name in about["tokens"]}
        known |= {name: about["tokens"][name] for name in registry.AVERAGED if name in known}
        net = Net(weights.parsed(about, {**now, "tokens": known}).net)
        like = net.state_dict()
        net.load_state_dict({name: _padded(torch.from_numpy(tensors[name]), like[name]) for name in like})
    return net


def training(path: Path) -> dict[str, Any]:
    """How weights were trained, by this code or by older."""
    how: dict[str, Any] = weights.read(path)[0]["training"]
    return how


def _padded(tensor: Tensor, like: Tensor) -> Tensor:
    """Zeros behind what is there, up to the shape of `like`."""
    missing = [size - own for size, own in zip(like.shape, tensor.shape, strict=True)]
    if min(missing, default=0) < 0:
        raise ValueError("learnt on more statistics than there are")
    return F.pad(tensor, [side for size in reversed(missing) for side in (0, size)])
