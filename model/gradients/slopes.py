"""The slope of an answer in the raw values of both sides.

The answer is the network's of exact statistics. Its slope in these is that of the network; theirs in the
values is that of their twins (`twins.py`), whose ranks are smooth (`ranks.py`). Nothing is kept between the
answer and its slope but the values: the statistics are computed anew on the way back, so that memory does not
grow with the number of answers that a training step adds up.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mizzle.errors import InferenceFailed
from mizzle.model import weights
from mizzle.model.batch import Batch, collate, normal_scores
from mizzle.model.gradients import ranks
from mizzle.model.gradients.twins import SoftContext
from mizzle.model.novelty import stretch
from mizzle.model.preprocess import Doubles, Table, pair, side, with_indicators
from mizzle.model.quantiles import LEVELS
from mizzle.model.statistics.tokens import Tokens, of_context, repad, summarise
from mizzle.model.threads import single_thread
from mizzle.model.torch_weights import TorchWeights, load


class Problem(NamedTuple):
    """One data set as the network reads it, and where its columns come from.

    Attributes:
        columns_read: per side, of the raw values; None where labels are read, as indicators.
    """

    table: Table
    columns_read: tuple[list[int] | None, list[int] | None]


class Slopes:
    """Slopes on a set of weights. No call changes it, so that threads may share one."""

    def __init__(self, trained: TorchWeights) -> None:
        self._net = trained.net.requires_grad_(False)
        self._calibration, self._novelty = trained.calibration, trained.novelty

    @classmethod
    def shipped(cls) -> "Slopes":
        """On the weights that ship with the package."""
        return cls(load(weights.SHIPPED))

    def slopes(
        self,
        x: Float[Tensor, "b n p"],
        y: Float[Tensor, "b n q"],
        levels: Sequence[float],
        upstream: Float[Tensor, "b l"],
        wanted: tuple[bool, bool] = (True, True),
    ) -> tuple[Tensor, Tensor]:
        """Of the mean of every data set, or of its quantiles, in nats.

        Below 0, where the answer is cut, the slope is that of what was cut: learning may begin there.

        Args:
            x, y: finite.
            levels: of the quantiles; none for the mean.
            upstream: what each of these is multiplied by, before all are added up; one for the mean.
            wanted: whether the slope in x, and in y. A label whose slope is not wanted is read as the
                estimator does, without an order; what is differentiated has one.

        Returns:
            Shapes of x and y; 0 in columns that are not read, which do not vary or repeat others.

        Raises:
            InferenceFailed: a slope that is not finite.
        """
        problems = [_problem(*pair, wanted) for pair in zip(x.numpy(), y.numpy(), strict=True)]
        places = [i for i, problem in enumerate(problems) if not problem.table.constant]
        slopes = torch.zeros_like(x), torch.zeros_like(y)
        if places:
            with single_thread(), torch.enable_grad():
                own = self._slopes(
                    [problems[i] for i in places], x[places], y[places], levels, upstream[places]
                )
            for whole, part in zip(slopes, own, strict=True):
                whole[places] = part.to(whole.dtype)
        return slopes

    def _slopes(
        self, problems: list[Problem], x: Tensor, y: Tensor, levels: Sequence[float], upstream: Tensor
    ) -> tuple[Tensor, Tensor]:
        tables = [problem.table for problem in problems]
        batch = collate(tables)
        of_tokens = self._of_tokens(batch, tables, levels, upstream)
        x, y = (values.double().requires_grad_() for values in (x, y))
        twins = of_context(SoftContext(batch, _scores(batch, problems, x, y)))
        total = _inner(twins, of_tokens)
        if not total.requires_grad:
            return torch.zeros_like(x), torch.zeros_like(y)
        of_x, of_y = torch.autograd.grad(total, (x, y), allow_unused=True, materialize_grads=True)
        if not bool(of_x.isfinite().all() & of_y.isfinite().all()):
            raise InferenceFailed("the network gave a gradient that is not finite; please report this")
        return of_x, of_y

    def _of_tokens(
        self, batch: Batch, tables: list[Table], levels: Sequence[float], upstream: Float[Tensor, "b l"]
    ) -> Tokens:
        """The slope of the answer in every channel of exact tokens."""
        named = repad(summarise(tables)).named()
        free = {name: t.detach().requires_grad_() for name, t in named.items() if t.is_floating_point()}
        tokens = Tokens.of({**named, **free})
        (self._answer(tokens, batch, levels) * upstream).sum().backward()
        return Tokens.of({**named, **{name: t.grad for name, t in free.items() if t.grad is not None}})

    def _answer(self, tokens: Tokens, batch: Batch, levels: Sequence[float]) -> Float64[Tensor, "b l"]:
        """The mean or quantiles as `torch_engine` has them, but not cut at 0."""
        columns = batch.dims.sum(-1)
        values = self._calibration.apply(self._net(tokens), batch.n, columns)
        if not levels:
            nats = torch.expm1(values.double())
            ends = torch.cat([nats[:, :1], nats, nats[:, -1:]], 1)
            places = torch.tensor((0.0, *LEVELS, 1.0), dtype=torch.float64)
            return torch.trapezoid(ends, places, dim=1)[:, None]
        excess = self._novelty.excess(self._net.features(tokens).detach(), batch.n, columns)
        return _read(torch.expm1(stretch(values, excess).double()), levels)


def _read(nats: Float64[Tensor, "b q"], levels: Sequence[float]) -> Float64[Tensor, "b l"]:
    """Quantiles, linear between those of `LEVELS`."""
    place = np.interp(levels, LEVELS, np.arange(len(LEVELS)))
    low = place.astype(int).clip(max=len(LEVELS) - 2)
    share = torch.from_numpy(place - low)
    return torch.lerp(nats[:, low], nats[:, low + 1], share)


def _inner(twins: Tokens, of_tokens: Tokens) -> Tensor:
    """The sum over all channels of twin times slope, over the tokens that exist, in their order."""
    total = (twins.overall * of_tokens.overall).sum()
    for name, (values, mask) in twins.kinds.items():
        slope, exists = of_tokens.kinds[name]
        total = total + (values[mask] * slope[exists]).sum()
    return total


def _scores(batch: Batch, problems: list[Problem], x: Tensor, y: Tensor) -> Float[Tensor, "b 2 n d"]:
    """Exact normal scores that depend on the raw values."""
    exact = normal_scores(batch).transpose(2, 3)
    rows = []
    for i, problem in enumerate(problems):
        sides = []
        for s, (values, places) in enumerate(zip((x[i], y[i]), problem.columns_read, strict=True)):
            own = exact[i, s]
            if places is not None:
                smooth = ranks.scores(values[:, places].T.contiguous(), own[: len(places)])
                own = torch.cat([smooth, own[len(places) :]])
            sides.append(own)
        rows.append(torch.stack(sides))
    return torch.stack(rows).transpose(2, 3)


def _problem(x: Doubles, y: Doubles, wanted: tuple[bool, bool]) -> Problem:
    sides = side(x), side(y)
    table = pair(*sides)
    read = table
    if table.labels is not None and not table.constant and not table.labels.ordered:
        labels = with_indicators(table, fewest=1)
        read = replace(
            table, **{name: getattr(labels, name) for name, w in zip("xy", wanted, strict=True) if not w}
        )
    columns_read = [
        own.columns_read if read_side is table_side else None
        for own, read_side, table_side in zip(sides, (read.x, read.y), (table.x, table.y), strict=True)
    ]
    return Problem(read, (columns_read[0], columns_read[1]))
