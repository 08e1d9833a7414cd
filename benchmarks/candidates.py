"""Designs that were tried beside the one that ships: other inputs, targets, losses and optimizers.

`Cells` sees raw cells and `Pairs` a table of column pairs; both attend along either axis of their table and
give tokens that the trunk reads as it reads the others. Axes of arrays: see `model/batch.py`; here i and j
are columns of X and of Y, and the last channel of a table says what is padding. Unlike what ships, they can
tell X from Y and a column from its negative.
"""

from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mizzle.model import posterior, quantiles
from mizzle.model.batch import collate
from mizzle.model.net import Attention, Net
from mizzle.model.preprocess import Table
from mizzle.model.quantiles import LEVELS
from mizzle.model.statistics.bins import binned_information
from mizzle.model.statistics.moments import linear, pairs
from mizzle.model.statistics.queries import all_queries
from mizzle.model.statistics.statistic import Context
from mizzle.model.statistics.tokens import Masked, Tokens
from mizzle.model.training.chunks import Chunk, parts
from mizzle.model.training.fitting import Fit
from mizzle.model.training.optimizers import Optimizers
from mizzle.model.weights import NetConfig

ROWS = 32  # of raw cells
COLUMNS = 12  # a side, those that depend most on the other side
LAYERS = 2  # of attention along either axis
NARROW = 16  # channels of a cell
_PAIR = 10  # statistics of two columns

FEWER = (0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95)
_LEVEL_PLACES = [LEVELS.index(level) for level in FEWER]


# What the tables hold


def tables_of(problems: list[Table]) -> dict[str, Tensor]:
    """Cells and pairs of every problem, padded, and its dx + dy."""
    separate = [_tables(problem) for problem in problems]
    padded = {name: _padded([tables[name] for tables in separate]) for name in ("cells", "pairs")}
    return {**padded, "columns": torch.tensor([len(p.x) + len(p.y) for p in problems])}


def widened(chunks: list[Chunk], tables: dict[str, Tensor]) -> list[Chunk]:
    """The chunks of a batch with the tables of its problems."""
    places = parts(tables["columns"])
    return [_widened(chunk, tables, own) for chunk, own in zip(chunks, places, strict=True)]


def _widened(chunk: Chunk, tables: dict[str, Tensor], places: list[int]) -> Chunk:
    cells, table = (_trimmed(tables[name][places]) for name in ("cells", "pairs"))
    lines = cells[..., -1].amax(2), cells[..., -1].amax(1)
    more = {
        "cells": Masked(cells, torch.cat(lines, 1) > 0),
        "pairs": Masked(table, table[..., -1].flatten(1) > 0),
    }
    return chunk._replace(tokens=chunk.tokens._replace(kinds={**chunk.tokens.kinds, **more}))


def _tables(problem: Table) -> dict[str, Tensor]:
    context = Context(collate([problem]))
    scores, binned = context.scores, context.once(binned_information)
    partial = context.once(linear).partial.float()
    statistics = torch.cat([context.once(pairs).cross, binned, partial], 1)[0]
    strength = binned[0, 0, : len(problem.x), : len(problem.y)]
    x, y = (best.topk(min(COLUMNS, len(best))).indices for best in (strength.amax(1), strength.amax(0)))
    table = statistics[:, x][:, :, y].permute(1, 2, 0)
    places = context.once(all_queries).places[0]
    picked = places[torch.linspace(0, len(places) - 1, min(ROWS, len(places))).long()]
    sides = [scores[0, s][picked][:, side].T for s, side in enumerate((x, y))]
    flags = torch.cat([torch.full((len(side), len(picked), 1), 2.0 * s - 1) for s, side in enumerate(sides)])
    cells = torch.cat([torch.cat(sides)[..., None], flags], -1).transpose(0, 1)
    return {"cells": F.pad(cells, (0, 1), value=1.0), "pairs": F.pad(table, (0, 1), value=1.0)}


def _padded(tables: list[Tensor]) -> Tensor:
    rows, columns = (max(table.shape[axis] for table in tables) for axis in (0, 1))
    return torch.stack([F.pad(t, (0, 0, 0, columns - t.shape[1], 0, rows - t.shape[0])) for t in tables])


def _trimmed(tables: Tensor) -> Tensor:
    valid = tables[..., -1] > 0
    rows, columns = (int(valid.any(axis).sum(-1).max()) for axis in (2, 1))
    return tables[:, :rows, :columns].contiguous()


# Networks


class Along(nn.Module):
    """Self-attention along the last axis of a table but one, as a residual that starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.attention = nn.MultiheadAttention(channels, 2, batch_first=True)
        nn.init.zeros_(self.attention.out_proj.weight)

    def forward(self, table: Tensor, valid: Tensor) -> Tensor:
        """The table with attention added, shape (b, lines, cells, channels); `valid` is False at padding."""
        flat, mask = self.norm(table).flatten(0, 1), valid.flatten(0, 1)
        mask = mask | ~mask.any(-1, keepdim=True)  # a line of padding sees itself, or it would be NaN
        attended = self.attention(flat, flat, flat, key_padding_mask=~mask, need_weights=False)[0]
        out: Tensor = table + attended.unflatten(0, table.shape[:2])
        return out


class TwoWay(nn.Module):
    """A table of tokens that attend along rows and along columns in turn, then its tokens for the trunk."""

    def __init__(self, features: int, config: NetConfig, *, pooled: bool) -> None:
        super().__init__()
        self.pooled = pooled
        self.embed = nn.Sequential(nn.Linear(features, NARROW), nn.GELU(), nn.Linear(NARROW, NARROW))
        self.along = nn.ModuleList(Along(NARROW) for _ in range(2 * LAYERS))
        self.out = nn.Linear(NARROW, config.channels)
        self.attention_between = nn.ModuleList(Attention(config) for _ in range(config.rounds))

    def embedded(self, table: Tensor) -> Tensor:
        """One token of every cell or, pooled, of every row and column."""
        valid = table[..., -1] > 0
        cells = self.embed(table)
        for i in range(0, len(self.along), 2):
            cells = self.along[i](cells, valid)
            transposed = self.along[i + 1](cells.transpose(1, 2), valid.transpose(1, 2))
            cells = transposed.transpose(1, 2)
        cells = cells * valid[..., None]
        if self.pooled:
            lines = [cells.sum(axis) / valid.sum(axis).clamp_min(1)[..., None] for axis in (2, 1)]
            tokens = torch.cat(lines, 1)
        else:
            tokens = cells.flatten(1, 2)
        out: Tensor = F.gelu(self.out(tokens))
        return out


class _WithTable(Net):
    """The network with one more kind of tokens."""

    table, inputs, pooled = "", 0, False

    def __init__(self, config: NetConfig) -> None:
        super().__init__(config)
        self.axes[self.table] = TwoWay(self.inputs, config, pooled=self.pooled)

    def fit_inputs(self, tokens: Tokens, only_new: bool = False) -> None:
        """As the base does it, but for the table, whose input is about unit scale already."""
        own = self.axes.pop(self.table)  # its input is about unit scale as it is
        super().fit_inputs(tokens, only_new)
        self.axes[self.table] = own


class CellsNet(_WithTable):
    """Sees raw normal scores of some rows."""

    table, inputs, pooled = "cells", 3, True


class PairsNet(_WithTable):
    """Sees the statistics of every pair of columns in their places."""

    table, inputs, pooled = "pairs", _PAIR + 1, False


class CellsFit(Fit):
    """Fits `CellsNet`."""

    network = CellsNet


class PairsFit(Fit):
    """Fits `PairsNet`."""

    network = PairsNet


# Losses and targets. `logs` turns what a network says into log(1 + nats), where all are judged.


class Nats(Fit):
    """Weighs by 1 + I at the predicted median, for small errors in nats where the answer is large.

    Not at the true value, so that the quantiles which minimise the loss stay the same.
    """

    power = 1.0

    def objective(self, values: Tensor, truth: Tensor) -> Tensor:
        """Pinball loss times (1 + I)^power at the predicted median."""
        median = values[:, quantiles.MIDDLE].detach().clamp(0, 4)
        return posterior.pinball(values, truth) * (self.power * median).exp()


class Halfway(Nats):
    """Weighs by the root of 1 + I: halfway between errors in nats and relative ones."""

    power = 0.5


class Plain(Fit):
    """Quantiles of I itself."""

    def objective(self, values: Tensor, truth: Tensor) -> Tensor:
        """Pinball loss in nats, divided by the root of 1 + I at the predicted median."""
        median = values[:, quantiles.MIDDLE].detach().clamp_min(0)
        return posterior.pinball(values, truth.expm1()) / (1 + median).sqrt()

    @staticmethod
    def logs(values: Tensor) -> Tensor:
        """From nats."""
        return values.clamp_min(0).log1p()


class Root(Fit):
    """Quantiles of the root of I."""

    def objective(self, values: Tensor, truth: Tensor) -> Tensor:
        """Pinball loss in the root of nats."""
        return posterior.pinball(values, truth.expm1().sqrt())

    @staticmethod
    def logs(values: Tensor) -> Tensor:
        """From the root of nats."""
        return values.clamp_min(0).square().log1p()


class FewLevels(Fit):
    """Quantiles at nine levels, interpolated between."""

    def objective(self, values: Tensor, truth: Tensor) -> Tensor:
        """Pinball loss at the nine levels."""
        return posterior.pinball(values[:, _LEVEL_PLACES], truth, FEWER)

    @staticmethod
    def logs(values: Tensor) -> Tensor:
        """At all levels; flat beyond the outermost."""
        levels, known = torch.tensor(LEVELS), torch.tensor(FEWER)
        above = torch.searchsorted(known, levels).clamp(1, len(known) - 1)
        share = ((levels - known[above - 1]) / (known[above] - known[above - 1])).clamp(0, 1)
        predicted = values[:, _LEVEL_PLACES]
        return predicted[:, above - 1] * (1 - share) + predicted[:, above] * share


class Last(Fit):
    """Judged by the weights of the last step and not by their average."""

    @property
    def averaged(self) -> Net:
        """The network itself."""
        return self.net.eval()


class ScheduleFree(Last):
    """AdamW without a schedule (Defazio et al. 2024): it averages inside, at a rate that stands still."""

    def _start(self) -> None:
        super()._start()
        self.optimizers = _ScheduleFree(self.net, self.config.rate, self.config.decay)

    @property
    def averaged(self) -> Net:
        """The network with the optimizer's own average."""
        self.optimizers.parts[0].eval()  # type: ignore[attr-defined]
        return self.net.eval()


class _ScheduleFree(Optimizers):
    def __init__(self, net: Net, rate: float, decay: float) -> None:
        import schedulefree

        optimizer = schedulefree.AdamWScheduleFree(
            net.parameters(), lr=rate, weight_decay=decay, warmup_steps=100
        )
        optimizer.train()
        self.parts, self.peaks = [optimizer], [rate]

    def step(self, share: float) -> None:
        """At the peak rate always."""
        self.parts[0].step()
        self.parts[0].zero_grad()


def logs(fit: type[Fit]) -> Callable[[Tensor], Tensor]:
    """How what this fit's network says becomes log(1 + nats)."""
    to_logs: Callable[[Tensor], Tensor] = getattr(fit, "logs", torch.nn.Identity())
    return to_logs


def check_libraries() -> None:
    """Ends the program where a library is missing that only candidates need."""
    if find_spec("schedulefree") is None:
        raise SystemExit("one design needs schedulefree: pip install schedulefree")
