"""Fits the networks for labels: pinball loss of quantiles in units of each summary's scale."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from mizzle.model.labels.network import Network
from mizzle.model.labels.summary import Summary
from mizzle.model.quantiles import LEVELS
from mizzle.model.weights import with_checksums

BATCH: Final = 512
_WIDTH, _DEPTH = 96, 3
_RATE = 2e-3
SHARE: Final = 0.9  # of the truths that the interval from 5 % to 95 % is to hold


class Draws(NamedTuple):
    """Summaries of m draws, with their truths.

    Attributes:
        features: shape (m, f).
        base, scale, bound, nats, n: shape (m,) each.
    """

    features: np.ndarray
    base: np.ndarray
    scale: np.ndarray
    bound: np.ndarray
    nats: np.ndarray
    n: np.ndarray

    def where(self, rows: np.ndarray) -> "Draws":
        """Those of a mask."""
        return Draws(*(part[rows] for part in self))

    def split(self, share: float) -> tuple["Draws", "Draws"]:
        """The first draws, and the last `share` of them."""
        cut = round(len(self.n) * (1.0 - share))
        return Draws(*(part[:cut] for part in self)), Draws(*(part[cut:] for part in self))


def read(files: list[Path]) -> Draws:
    """The draws in these files."""
    loaded = [np.load(file) for file in files]
    places = np.concatenate([file["places"] for file in loaded])
    return Draws(np.concatenate([file["features"] for file in loaded]), *places.T)


def fit(train: Draws, held_out: Draws, steps: int, seed: int, say: Callable[..., object] = print) -> Network:
    """The network of these draws, stretched until the 90 % interval holds nine tenths of held-out truths."""
    plain = fit_plain(train, steps, seed, say)
    network = replace(plain, stretch=float(np.quantile(stretches(plain, held_out), SHARE)))
    say("stretch %.3f, coverage %s", network.stretch, coverage(network, held_out))
    return network


def fit_plain(
    train: Draws, steps: int, seed: int, say: Callable[..., object] = print, noise: float = 0.0
) -> Network:
    """The network of these draws, of stretch 1.

    Args:
        noise: standard deviation of what is added to standardised features, afresh in every step: the less
            they are trusted, the better the network does on kinds of draws that it never saw.
    """
    torch.manual_seed(seed)
    centre, spread = train.features.mean(0), train.features.std(0) + 1e-6
    inputs = torch.from_numpy(((train.features - centre) / spread).clip(-6.0, 6.0)).float()
    target = torch.from_numpy(_targets(train)).float()
    net = _perceptron(inputs.shape[1])
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.05)
    levels = torch.tensor(LEVELS)
    for step in range(steps):
        rows = torch.randint(len(inputs), (BATCH,))
        blurred = inputs[rows] + noise * torch.randn(BATCH, inputs.shape[1]) if noise else inputs[rows]
        loss = _pinball(net(blurred), target[rows], levels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 2000 == 0:
            say("step %d, loss %.4f", step, loss.item())
    layers = tuple(
        (layer.weight.detach().numpy().T.astype(np.float64), layer.bias.detach().numpy().astype(np.float64))
        for layer in net
        if isinstance(layer, nn.Linear)
    )
    return Network(centre.astype(np.float64), spread.astype(np.float64), layers, 1.0)


def stretches(network: Network, draws: Draws) -> np.ndarray:
    """The least stretch about the median with which the 90 % interval holds each truth, shape (m,)."""
    steps = np.sort(network.outputs(draws.features.astype(np.float64)), axis=1)
    low, middle, high = (steps[:, LEVELS.index(level)] for level in (0.05, 0.5, 0.95))
    off = (draws.nats - draws.base) / draws.scale - middle
    return np.asarray(np.where(off > 0.0, off / (high - middle + 1e-9), -off / (middle - low + 1e-9)))


def even_share(values: np.ndarray, kinds: np.ndarray, share: float = SHARE) -> float:
    """The value that this share of draws stays below, where every kind weighs the same."""
    _, kind, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    order = np.argsort(values)
    below = np.cumsum(1.0 / counts[kind[order]]) / len(counts)
    place = min(int(np.searchsorted(below, share)), len(values) - 1)
    return float(values[order][place])


def coverage(network: Network, draws: Draws) -> tuple[float, float, float]:
    """Share of truths in the 90 % interval, mean error of the median in nats, and mean width in nats."""
    answers = np.array([network.quantiles(Summary(*s)) for s in _summaries(draws)])
    low, middle, high = (answers[:, LEVELS.index(level)] for level in (0.05, 0.5, 0.95))
    inside = (low - 1e-9 <= draws.nats) & (draws.nats <= high + 1e-9)
    return float(inside.mean()), float(np.abs(middle - draws.nats).mean()), float((high - low).mean())


def write(path: Path, networks: Mapping[str, Network], about: Mapping[str, Any]) -> None:
    """One file of all networks."""
    tensors: dict[str, np.ndarray] = {}
    for kind, network in networks.items():
        tensors |= {f"{kind}.centre": network.centre, f"{kind}.spread": network.spread}
        for i, (weight, bias) in enumerate(network.layers):
            tensors |= {f"{kind}.weight.{i}": weight, f"{kind}.bias.{i}": bias}
    tensors = {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}
    stretch = {kind: network.stretch for kind, network in networks.items()}
    text = json.dumps({"training": {key: str(value) for key, value in about.items()}, "stretch": stretch})
    save_file(tensors, path, with_checksums({"about": text}, tensors))


def _summaries(draws: Draws) -> list[tuple[float, float, float, np.ndarray]]:
    return list(zip(draws.base, draws.scale, draws.bound, draws.features.astype(np.float64), strict=True))


def _perceptron(inputs: int) -> nn.Sequential:
    widths = [inputs, *[_WIDTH] * _DEPTH]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(_WIDTH, len(LEVELS)))


def _targets(draws: Draws) -> np.ndarray:
    return np.asarray((draws.nats - draws.base) / draws.scale).clip(-30.0, 30.0)[:, None]


def _pinball(quantiles: Tensor, target: Tensor, levels: Tensor) -> Tensor:
    short = target - quantiles
    return torch.maximum(levels * short, (levels - 1.0) * short).mean()
