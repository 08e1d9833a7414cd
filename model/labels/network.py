"""Two small networks from summaries to quantiles of I(X;Y) in nats, in numpy."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from mizzle.model import quantiles, weights
from mizzle.model.labels.summary import Doubles, Summary

KINDS: Final = ("tables", "numbers")
SHIPPED: Final = Path(__file__).parent.parent / "weights" / "labels.safetensors"
_LARGEST: Final = 6.0  # of a standardised feature; what lies beyond is no longer told apart


@dataclass(frozen=True)
class Network:
    """A perceptron over standardised features; its outputs are quantiles in units of a summary's scale.

    Attributes:
        centre, spread: of the features over the training, shape (f,).
        layers: weights, shape (in, out), and biases of every layer.
        stretch: about the median, from the calibration on draws that training never saw.
    """

    centre: Doubles
    spread: Doubles
    layers: tuple[tuple[Doubles, Doubles], ...]
    stretch: float

    def quantiles(self, summary: Summary) -> Doubles:
        """Quantiles of I at `LEVELS`, within 0 and the bound, shape (q,)."""
        steps = np.sort(self.outputs(summary.features))
        steps = steps[quantiles.MIDDLE] + self.stretch * (steps - steps[quantiles.MIDDLE])
        return np.asarray((summary.base + summary.scale * steps).clip(0.0, summary.bound))

    def outputs(self, features: Doubles) -> Doubles:
        """Steps from the base, not yet sorted or stretched, of features of shape (.., f), shape (.., q)."""
        values = ((features - self.centre) / self.spread).clip(-_LARGEST, _LARGEST)
        for i, (weight, bias) in enumerate(self.layers):
            values = values @ weight + bias
            if i < len(self.layers) - 1:
                values = values / (1.0 + np.exp(-values))  # SiLU
        return values


@cache
def shipped() -> Mapping[str, Network]:
    """The networks of all `KINDS` that ship with the package.

    Raises:
        ModelUnavailable: their file is absent or damaged.
    """
    return load(SHIPPED, KINDS)


def load(path: Path, kinds: Iterable[str]) -> Mapping[str, Network]:
    """The networks of these kinds in a file.

    Raises:
        ModelUnavailable: it is absent or damaged.
    """
    with weights.refused_in_one_sentence(path):
        file = _read(path)
        return {kind: _network(kind, *file) for kind in kinds}


def _network(kind: str, tensors: dict[str, Doubles], about: dict[str, Any]) -> Network:
    count = sum(name.startswith(f"{kind}.weight.") for name in tensors)
    layers = tuple((tensors[f"{kind}.weight.{i}"], tensors[f"{kind}.bias.{i}"]) for i in range(count))
    stretch = about["stretch"][kind]
    if not math.isfinite(stretch):
        raise ValueError("no stretch")
    return Network(tensors[f"{kind}.centre"], tensors[f"{kind}.spread"], layers, stretch)


def _read(path: Path) -> tuple[dict[str, Doubles], dict[str, Any]]:
    file = weights.open_verified(path)
    tensors = {name: tensor.astype(np.float64) for name, tensor in file.tensors.items()}
    return tensors, json.loads(file.metadata["about"])
