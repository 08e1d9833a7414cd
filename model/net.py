"""The network: a residual trunk on the global token that reads the table as it goes, rows and columns.

Between its blocks the trunk attends to every axis: rows, columns, spectrum and edges. Its state asks a
few questions, and tokens are keys and values as they are: a projection of keys commutes with the product by
the query, one of values with the weighted mean, so each is applied once a data set and not once a token,
which makes a token ten times as cheap. What is read is added to the state, where it meets what other axes
gave. Axes of arrays: see `batch.py`; here e is a token's channels and w the trunk's width.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mizzle.model.posterior import increasing
from mizzle.model.quantiles import LEVELS, MIDDLE
from mizzle.model.statistics import registry
from mizzle.model.statistics.tokens import Tokens
from mizzle.model.weights import NetConfig

_CLIP = 6.0  # standard deviations beyond which an input feature is held
# What the sum of gated statistics is divided by: their number when the gate was first trained. It stays when
# statistics are added, or trained weights would answer otherwise.
_GATED = 204


class Standardise(nn.Module):
    """signed log1p, then mean 0 and variance 1 by frozen statistics, held within +-6."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    mean: Tensor
    scale: Tensor

    @staticmethod
    def squash(x: Tensor) -> Tensor:
        """A monotone map that tames features which grow with size."""
        return x.sign() * x.abs().log1p()

    def fit(self, x: Float[Tensor, "t e"], only_new: bool = False) -> None:
        """Freeze the statistics of a sample of features; `only_new`: only of those with a scale of 0."""
        y = self.squash(x)
        stays = (self.scale > 0) & only_new
        self.mean.copy_(self.mean.where(stays, y.mean(0)))
        self.scale.copy_(self.scale.where(stays, 1 / y.std(0).clamp_min(1e-3)))

    def unclamped(self, x: Tensor) -> Tensor:
        """Standardised, however far out."""
        scaled: Tensor = (self.squash(x) - self.mean) * self.scale
        return scaled

    def forward(self, x: Tensor) -> Tensor:
        return self.unclamped(x).clamp(-_CLIP, _CLIP)


class Block(nn.Module):
    """Pre-norm residual feed-forward block whose output starts at zero."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, inner)
        self.down = zeroed(nn.Linear(inner, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.down(F.gelu(self.up(self.norm(x))))
        return out


class Attention(nn.Module):
    """Multi-head attention of a state over tokens, with a mask; what it adds to the state starts at zero."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.width)
        self.query = nn.Linear(config.width, config.heads * config.channels)
        self.out = zeroed(nn.Linear(config.heads * config.channels, config.width))

    def forward(
        self, state: Float[Tensor, "b w"], tokens: Float[Tensor, "b t e"], mask: Bool[Tensor, "b t"]
    ) -> Float[Tensor, "b w"]:
        queries = self.query(self.norm(state)).unflatten(-1, (self.heads, -1))
        scores = queries @ tokens.transpose(1, 2) * tokens.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask[:, None], -torch.inf).softmax(-1)
        out: Tensor = self.out((weights @ tokens).flatten(1))
        return out


class Axis(nn.Module):
    """One axis of the table: its tokens embedded, and the attention over them in every round."""

    def __init__(self, features: int, config: NetConfig) -> None:
        super().__init__()
        c = config.channels
        self.standardise = Standardise(features)
        self.embed = nn.Sequential(nn.Linear(features, c), nn.GELU(), nn.Linear(c, c), nn.GELU())
        self.attention_between = nn.ModuleList(Attention(config) for _ in range(config.rounds))

    def embedded(self, tokens: Float[Tensor, "b t f"]) -> Float[Tensor, "b t e"]:
        out: Tensor = self.embed(self.standardise(tokens))
        return out


class Net(nn.Module):
    """Tokens to increasing quantiles of log(1 + I)."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        statistics = registry.channels(registry.OVERALL)
        self.standardise = Standardise(statistics)
        self.embed = nn.Linear(statistics, config.width)
        self.axes = nn.ModuleDict(
            {name: Axis(registry.channels(name), config) for name in config.axes.split()}
        )
        self.trunk = nn.ModuleList(Block(config.width, 2 * config.width) for _ in range(config.blocks))
        self.head = nn.Linear(config.width, len(LEVELS))
        self.shortcut = nn.Linear(statistics, 1)
        self.gate = zeroed(nn.Linear(config.width, statistics))

    def forward(self, tokens: Tokens) -> Float[Tensor, "b q"]:
        features = self.standardise(tokens.overall)
        embedded = [(axis, axis.embedded(values), mask) for axis, values, mask in self._paired(tokens)]
        state = self.embed(features)
        for i, block in enumerate(self.trunk):
            state = block(state)
            if i < self.config.rounds:
                state = state + sum(axis.attention_between[i](state, *keys) for axis, *keys in embedded)
        state = F.layer_norm(state, state.shape[-1:])
        return increasing(self.head(state) + self._shift(state, features))

    def _shift(self, state: Float[Tensor, "b w"], features: Float[Tensor, "b g"]) -> Float[Tensor, "b q"]:
        """What moves all quantiles alike: the statistics themselves, weighted anew for every data set.

        Many of them estimate log(1 + I) as they are, and the state can tell which of them may be trusted.
        """
        gated = (torch.tanh(self.gate(state)) * features).sum(-1, keepdim=True) / _GATED
        return F.pad(self.shortcut(features) + gated, (MIDDLE, len(LEVELS) - MIDDLE - 1))

    def features(self, tokens: Tokens) -> Float[Tensor, "b g"]:
        """What `Novelty` judges by: the global token standardised, however far out."""
        return self.standardise.unclamped(tokens.overall)

    def fit_inputs(self, tokens: Tokens, only_new: bool = False) -> None:
        """Freeze the input statistics on a sample of the stream; `only_new`: only those with a scale of 0."""
        self.standardise.fit(tokens.overall, only_new)
        for axis, values, mask in self._paired(tokens):
            axis.standardise.fit(values[mask], only_new)

    @property
    def has_input_scales(self) -> bool:
        """Whether all inputs have a scale; those have none that `torch_weights.extended` added."""
        inputs = [self.standardise, *(cast(Axis, axis).standardise for axis in self.axes.values())]
        return all(bool((standardise.scale > 0).all()) for standardise in inputs)

    def _paired(self, tokens: Tokens) -> Iterator[tuple[Axis, Tensor, Tensor]]:
        """Every axis with its tokens and their mask."""
        for name, axis in self.axes.items():
            values, mask = tokens.kinds[name]
            yield cast(Axis, axis), values, mask

    def describe(self) -> dict[str, int | str]:
        """The sizes, for the header of the weights."""
        return asdict(self.config)


def zeroed(layer: nn.Linear) -> nn.Linear:
    """Start a residual branch at zero, so that the net starts as its trunk alone."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
