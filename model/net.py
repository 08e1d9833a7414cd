"""The network: a residual trunk on the global token, corrected by attention over both axes of the table.

A few learned queries gather from the rows, from the columns, from the spectrum and from the edges (induced
attention, Lee et al. 2019), then attend to one another and to the global token. What they find is added to
the trunk. Full self-attention over all query rows would cost 30 times as much. Axes: see `batch.py`.
"""

from dataclasses import asdict, dataclass
from types import MappingProxyType

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mizzle.model import tokens as kinds
from mizzle.model.quantiles import LEVELS, increasing
from mizzle.model.tokens import Tokens

AXES = MappingProxyType(
    {
        "rows": kinds.ROW_CHANNELS,
        "columns": kinds.COLUMN_CHANNELS,
        "spectrum": kinds.SPECTRUM_CHANNELS,
        "edges": kinds.EDGE_CHANNELS,
    }
)
_CLIP = 6.0  # standard deviations beyond which an input feature is held


@dataclass(frozen=True)
class NetConfig:
    """Sizes of the network; they travel in the header of the weights.

    Attributes:
        axes: which kinds of tokens are attended to, of `AXES`; none leaves the trunk alone.
    """

    width: int = 384
    trunk_blocks: int = 3
    channels: int = 64
    heads: int = 4
    queries: int = 8
    layers: int = 2
    axes: str = " ".join(AXES)

    def __post_init__(self) -> None:
        sizes = [value for value in asdict(self).values() if isinstance(value, int)]
        if min(sizes) < 1 or self.channels % self.heads:
            raise ValueError(f"sizes must be positive, and channels a multiple of heads: {self}")
        if unknown := set(self.axes.split()) - set(AXES):
            raise ValueError(f"axes are {', '.join(AXES)}; there is no {', '.join(sorted(unknown))}")


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

    def fit(self, x: Float[Tensor, "t e"]) -> None:
        """Freeze the statistics of a sample of features."""
        y = self.squash(x)
        self.mean.copy_(y.mean(0))
        self.scale.copy_(1 / y.std(0).clamp_min(1e-3))

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
    """Multi-head attention of queries over tokens, with a mask; residual, starting at zero."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.norm_tokens = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels)
        self.key_value = nn.Linear(channels, 2 * channels)
        self.out = zeroed(nn.Linear(channels, channels))

    def forward(
        self,
        queries: Float[Tensor, "b k e"],
        tokens: Float[Tensor, "b t e"],
        mask: Bool[Tensor, "b t"] | None = None,
    ) -> Float[Tensor, "b k e"]:
        q = self._split(self.query(self.norm(queries)))
        k, v = self.key_value(self.norm_tokens(tokens)).chunk(2, -1)
        allowed = None if mask is None else mask[:, None, None, :]
        found = F.scaled_dot_product_attention(q, self._split(k), self._split(v), allowed)
        out: Tensor = queries + self.out(found.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Float[Tensor, "b t e"]) -> Float[Tensor, "b h t f"]:
        split: Tensor = x.unflatten(-1, (self.heads, -1))
        return split.transpose(1, 2)


class Gather(nn.Module):
    """Learned queries that read one axis of the table: rows, columns or spectrum."""

    def __init__(self, features: int, config: NetConfig) -> None:
        super().__init__()
        c = config.channels
        self.standardise = Standardise(features)
        self.embed = nn.Sequential(nn.Linear(features, c), nn.GELU(), nn.Linear(c, c))
        self.seeds = nn.Parameter(torch.randn(config.queries, c))
        self.read = nn.ModuleList(Attention(c, config.heads) for _ in range(config.layers))

    def embedded(self, tokens: Float[Tensor, "b t e"]) -> Float[Tensor, "b t c"]:
        out: Tensor = self.embed(self.standardise(tokens))
        return out


class TwoAxis(nn.Module):
    """Attention between rows, between columns, over spectrum and edges, and across all of these."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        c = config.channels
        names = config.axes.split()
        self.axes = nn.ModuleDict({name: Gather(AXES[name], config) for name in names})
        self.overall = nn.Linear(config.width, c)
        self.across = nn.ModuleList(Attention(c, config.heads) for _ in range(config.layers))
        self.mix = nn.ModuleList(Block(c, 2 * c) for _ in range(config.layers))
        self.out = zeroed(nn.Linear((len(names) * config.queries + 1) * c, config.width))

    def forward(self, trunk: Float[Tensor, "b w"], tokens: Tokens) -> Float[Tensor, "b w"]:
        axes = self.gathers
        seen = [(axis.embedded(values), mask) for axis, values, mask in self.paired(tokens)]
        seeds = [axis.seeds.expand(len(trunk), -1, -1) for axis in axes]
        state = torch.cat([*seeds, self.overall(trunk)[:, None]], 1)
        for i, (across, mix) in enumerate(zip(self.across, self.mix, strict=True)):
            *parts, last = state.split([*(s.shape[1] for s in seeds), 1], 1)
            parts = [axis.read[i](part, *look) for axis, part, look in zip(axes, parts, seen, strict=True)]
            state = torch.cat([*parts, last], 1)
            state = mix(across(state, state))
        out: Tensor = self.out(state.flatten(1))
        return out

    @property
    def gathers(self) -> list[Gather]:
        """The readers of the axes."""
        return [axis for axis in self.axes.values() if isinstance(axis, Gather)]

    def paired(self, tokens: Tokens) -> list[tuple[Gather, Tensor, Tensor]]:
        """Every reader with its tokens and their mask."""
        found = [(getattr(tokens, name), getattr(tokens, f"{name}_mask")) for name in self.axes]
        return [(axis, *look) for axis, look in zip(self.gathers, found, strict=True)]


class Net(nn.Module):
    """Tokens to increasing quantiles of log(1 + I)."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        self.standardise = Standardise(kinds.GLOBAL_CHANNELS)
        self.embed = nn.Linear(kinds.GLOBAL_CHANNELS, config.width)
        self.attention = TwoAxis(config)
        blocks = (Block(config.width, 2 * config.width) for _ in range(config.trunk_blocks))
        self.trunk = nn.ModuleList(blocks)
        self.head = nn.Linear(config.width, len(LEVELS))
        self.shortcut = nn.Linear(kinds.GLOBAL_CHANNELS, 1)

    def forward(self, tokens: Tokens) -> Float[Tensor, "b q"]:
        features = self.standardise(tokens.overall)
        first, *rest = self.trunk
        state = first(self.embed(features))
        if self.config.axes:
            state = state + self.attention(state, tokens)
        for block in rest:
            state = block(state)
        raw = self.head(F.layer_norm(state, state.shape[-1:]))
        middle = len(LEVELS) // 2
        shift = F.pad(self.shortcut(features), (middle, len(LEVELS) - middle - 1))
        return increasing(raw + shift)

    def fit_inputs(self, tokens: Tokens) -> None:
        """Freeze the input statistics on a sample of the stream."""
        self.standardise.fit(tokens.overall)
        for axis, values, mask in self.attention.paired(tokens):
            axis.standardise.fit(values[mask])

    def describe(self) -> dict[str, int | str]:
        """The sizes, for the header of the weights."""
        return asdict(self.config)


def zeroed(layer: nn.Linear) -> nn.Linear:
    """Start a residual branch at zero, so that the net starts as its trunk alone."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
