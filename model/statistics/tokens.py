"""Statistic tokens: everything the network gets to see of a sample.

One token per column, query row and so on for each of `registry.KINDS`, and one global token, filled with
what `registry.STATISTICS` compute. Each is free of signs, of column order, of row order and of which side is
called X; see docs/method.md for the list.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mizzle.model import native
from mizzle.model.batch import Batch, collate, grouped
from mizzle.model.preprocess import Table
from mizzle.model.statistics import registry
from mizzle.model.statistics.statistic import Context, Kind

_MASK = "_mask"


class Masked(NamedTuple):
    """All tokens of one kind, and which of them exist; e counts the channels."""

    values: Float32[Tensor, "*b t e"]
    mask: Bool[Tensor, "*b t"]


class Tokens(NamedTuple):
    """The global token, and the tokens of every kind by its name."""

    overall: Float32[Tensor, "*b g"]
    kinds: Mapping[str, Masked]

    def unbind(self) -> list["Tokens"]:
        """A `Tokens` for each data set, still padded as it was in the batch."""
        names = self.named()
        parts = zip(*(tensor.unbind() for tensor in names.values()), strict=True)
        return [Tokens.of(dict(zip(names, tensors, strict=True))) for tensors in parts]

    def named(self) -> dict[str, Tensor]:
        """All tensors: `overall`, and of every kind its values under NAME and its mask under NAME_mask."""
        named = {registry.OVERALL: self.overall}
        for name, (values, mask) in self.kinds.items():
            named |= {name: values, name + _MASK: mask}
        return named

    @classmethod
    def of(cls, named: Mapping[str, Tensor]) -> "Tokens":
        """The tokens that `named` gave."""
        kinds = [name.removesuffix(_MASK) for name in named if name.endswith(_MASK)]
        return cls(
            named[registry.OVERALL], {kind: Masked(named[kind], named[kind + _MASK]) for kind in kinds}
        )


def tokenise(batch: Batch, scores: Float32[Tensor, "b 2 n d"] | None = None) -> Tokens:
    """Summarise a batch of ranked problems.

    Args:
        scores: in place of the batch's normal scores, for gradients; ignored on padding.
    """
    return of_context(Context(batch, scores))


def of_context(context: Context) -> Tokens:
    """All tokens of what has been, or will be, computed of a batch."""
    pooled = [statistic.pool(context) for statistic in registry.STATISTICS if statistic.pool]
    return Tokens(torch.cat(pooled, -1), {kind.name: _of_kind(context, kind) for kind in registry.KINDS})


def _of_kind(context: Context, kind: Kind) -> Masked:
    """The tokens of one kind, with the channels of all its statistics."""
    mask = context.once(kind.mask)
    parts = [context.once(entry.compute) for entry in registry.of_kind(kind.name) if entry.compute]
    return Masked(torch.cat([part.expand(-1, mask.shape[1], -1) for part in parts], -1), mask)


def summarise(tables: list[Table]) -> list[Tokens]:
    """Tokens of each problem, from the compiled engine where it knows them all, in a tenth of the time."""
    return list(map(_of_arrays, native.tokens(tables))) if _are_compiled() else _by_torch(tables)


def _are_compiled() -> bool:
    """Whether there is a compiled engine that has the channels of these statistics."""
    names = (*registry.kinds(), registry.OVERALL)
    return native.available() and native.channels() == {name: registry.channels(name) for name in names}


def _of_arrays(tokens: native.Tokens) -> Tokens:
    kinds = {kind.name: torch.from_numpy(tokens[kind.name]) for kind in registry.KINDS}
    masked = {name: Masked(t, torch.ones(len(t), dtype=torch.bool)) for name, t in kinds.items()}
    return Tokens(torch.from_numpy(tokens[registry.OVERALL]), masked)


def _by_torch(tables: list[Table]) -> list[Tokens]:
    """Computed in groups of similar shape."""
    summaries: dict[int, Tokens] = {}
    with torch.no_grad():
        for group in grouped(tables):
            tokens = tokenise(collate([tables[i] for i in group]))
            summaries.update(zip(group, tokens.unbind(), strict=True))
    return [summaries[i] for i in range(len(tables))]


def repad(tokens: list[Tokens]) -> Tokens:
    """Stack single data sets from different batches, each kind padded to its longest valid run."""
    kinds = {name: _repadded([own.kinds[name] for own in tokens]) for name in tokens[0].kinds}
    return Tokens(torch.stack([own.overall for own in tokens]), kinds)


def _repadded(sets: list[Masked]) -> Masked:
    valid = [values[mask] for values, mask in sets]
    masks = [torch.ones(len(values), dtype=torch.bool) for values in valid]
    return Masked(pad_sequence(valid, batch_first=True), pad_sequence(masks, batch_first=True))
