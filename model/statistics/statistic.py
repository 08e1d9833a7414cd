"""What a statistic is: one entry with name, kind of token, channels, computation and pooling.

The entries stand in `registry.py`. Whatever an entry computes must not depend on the order of rows, on the
order of columns, on which side is called X, or on a column's sign.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from mizzle.model.batch import Batch, normal_scores

EVERY = "every"  # in place of a kind of token: each of them

Result = TypeVar("Result")


class Context:
    """A batch of ranked problems, and whatever has been computed of it, each thing once.

    Attributes:
        batch: the centred ranks.
        scores: normal scores of shape (b, 2, n, d), 0 on padding.
    """

    def __init__(self, batch: Batch, scores: Float32[Tensor, "b 2 n d"] | None = None) -> None:
        """Take the batch's own normal scores, or others in their place, for gradients."""
        self.batch = batch
        self.scores = normal_scores(batch) if scores is None else scores.where(batch.cells, 0)
        self._results: dict[Callable[[Context], Any], Any] = {}

    def once(self, compute: Callable[["Context"], Result]) -> Result:
        """What `compute` gives of this context, computed at the first call only."""
        if compute not in self._results:
            self._results[compute] = compute(self)
        return cast(Result, self._results[compute])


@dataclass(frozen=True)
class Kind:
    """A kind of token, which the network reads as one axis of the table.

    Attributes:
        name: as in `NetConfig.axes` and in the names of tensors.
        each: what there is one token for.
        mask: which tokens exist, of shape (b, t); there are t of each data set in the batch.
    """

    name: str
    each: str
    mask: Callable[[Context], Bool[Tensor, "b t"]]


@dataclass(frozen=True)
class Statistic:
    """One entry of the list.

    Attributes:
        name: unique among the statistics.
        about: what it tells, for `docs/method.md`.
        token: the kind of token that gets its channels, or `EVERY` kind; empty for the global token alone.
        channels: sizes of its groups of channels in that token, by their names, in order.
        compute: their values of shape (b, t, channels); with t = 1 they are the same for all tokens.
        pooled: sizes of its groups of channels in the global token, by their names, in order.
        pool: their values of shape (b, pooled).
        settings: the numbers that its values depend on, by the names that they have in the header of weights.
    """

    name: str
    about: str
    token: str = ""
    channels: Mapping[str, int] = field(default_factory=dict)
    compute: Callable[[Context], Tensor] | None = None
    pooled: Mapping[str, int] = field(default_factory=dict)
    pool: Callable[[Context], Tensor] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


TOTAL_MEAN_LARGEST = ("total", "mean", "largest")
MEAN_AND_SPREAD = ("mean", "spread")


def total_mean_largest(values: Float32[Tensor, "b t e"], mask: Bool[Tensor, "b t"]) -> Float32[Tensor, "b g"]:
    """Total, mean and largest of each channel; values are 0 where the mask is."""
    total = values.sum(1)
    return torch.cat([total, total / mask.sum(1, keepdim=True), values.amax(1)], -1)


def mean_and_spread(values: Float32[Tensor, "b t e"], mask: Bool[Tensor, "b t"]) -> Float32[Tensor, "b g"]:
    """Mean and standard deviation of each channel; values are 0 where the mask is."""
    count = mask.sum(1, keepdim=True)
    mean = values.sum(1) / count
    spread = ((values - mean[:, None]) * mask[..., None]).square().sum(1) / count
    return torch.cat([mean, spread.clamp_min(1e-12).sqrt()], -1)
