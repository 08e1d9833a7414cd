"""Fits the shipped network to problems that look like the data, and calibrates it on others."""

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mizzle.adaptation.flows import Stop
from mizzle.adaptation.problems import GROUP, Problem
from mizzle.metadata_gen import dataset
from mizzle.model import posterior, torch_weights, weights
from mizzle.model.calibrate import Calibration
from mizzle.model.net import Net
from mizzle.model.novelty import Novelty
from mizzle.model.preprocess import Table, prepare
from mizzle.model.statistics.tokens import Tokens, repad, summarise
from mizzle.model.threads import use_single_thread
from mizzle.model.training.chunks import parts
from mizzle.model.training.fitting import Fit, FitConfig, interpolate
from mizzle.model.weights import ADAPTED

_THREADS = 2  # that make tokens
_BATCH = 64
_PASSES = 2  # of the problems; by six, what is peculiar to the maps is learnt by heart
_REPLAYED = round(0.35 * GROUP)  # problems of the prior beside a group, so that nothing else is forgotten
_SHARES = (0.25, 0.5, 0.75, 1.0)  # of the way to the fitted weights; held-out problems choose one
_CHOOSING = 800  # of the held-out problems of the data's kind; all of them take too long
_FIT = FitConfig(rate=1e-3, matrices=2e-3, cooldown=0.6, average=0.98)
Group = Callable[[], list[Problem]]


class Summaries(NamedTuple):
    """Tokens of m problems, their true log(1 + I), n and dx + dy, shape (m,) each."""

    tokens: list[Tokens]
    truth: Tensor
    n: Tensor
    columns: Tensor


def summaries(groups: Iterable[Group], stopped: Stop, advance: Callable[[int], object]) -> Summaries:
    """Make and summarise groups of problems, in order, until there are no more or time is over."""
    results: list[tuple[list[Tokens], list[tuple[float, int, int]]]] = []
    source, waiting = iter(groups), deque[Future[Any]]()
    with ThreadPoolExecutor(_THREADS, initializer=use_single_thread) as pool:
        while True:
            while len(waiting) < 2 * _THREADS and not stopped() and (group := next(source, None)):
                waiting.append(pool.submit(_summarised, group))
            if not waiting:
                break
            results.append(waiting.popleft().result())
            advance(len(results[-1][0]))
    facts = [fact for _, own in results for fact in own]
    nats, n, columns = (list(column) for column in zip(*facts, strict=True)) if facts else ([], [], [])
    tokens = [own for group, _ in results for own in group]
    return Summaries(tokens, torch.tensor(nats).float().log1p(), torch.tensor(n), torch.tensor(columns))


def _summarised(group: Group) -> tuple[list[Tokens], list[tuple[float, int, int]]]:
    """Tokens of a group, and true nats, n and dx + dy of each problem."""
    problems = group()
    tables = [prepare(problem.x, problem.y) for problem in problems]
    return summarise(tables), [(p.nats, t.n, _columns(t)) for p, t in zip(problems, tables, strict=True)]


def replayed(groups: Iterable[Group], seed: int) -> Iterator[Group]:
    """These groups, each with as many problems of the prior as keep the rest from being forgotten."""
    return (partial(_with_prior, group, seed, i * _REPLAYED, _REPLAYED) for i, group in enumerate(groups))


def with_replays(count: int) -> int:
    """How many problems `replayed` makes of so many."""
    return count + -(-count // GROUP) * _REPLAYED


def _with_prior(group: Group, seed: int, start: int, count: int) -> list[Problem]:
    return [*group(), *of_prior(seed, start, count)]


def of_prior(seed: int, start: int, count: int) -> list[Problem]:
    """Problems from a place on in a stream of the prior."""
    drawn = (dataset(seed, i) for i in range(start, start + count))
    return [Problem(data.x, data.y, data.truth.nats, data.family) for data in drawn]


@cache
def parent() -> torch_weights.TorchWeights:
    """The weights that ship; nobody changes them."""
    return torch_weights.load(weights.SHIPPED)


def fine_tuned(drawn: Summaries, seed: int, stopped: Stop) -> tuple[Net, int]:
    """The parent's network, fitted to these problems; and after how many steps."""
    count = len(drawn.tokens)
    steps = planned(drawn)
    if not steps:
        return parent().net, 0
    fit = Fit(parent().header.net, FitConfig(**{**asdict(_FIT), "steps": steps}), seed)
    fit.load_weights_from(parent().net)
    order = torch.cat([torch.randperm(count) for _ in range(_PASSES)])
    for batch in order.split(_BATCH)[:steps]:
        if stopped():
            break
        fit.update([_chunk(drawn, batch[part]) for part in parts(drawn.columns[batch])])
    return fit.averaged, fit.step


def planned(drawn: Summaries) -> int:
    """Optimizer steps on so many problems."""
    return _PASSES * len(drawn.tokens) // _BATCH


class Fitted(NamedTuple):
    """A network with its calibration and novelty.

    Attributes:
        share: of the way from the parent's weights to the fitted ones, at which the network stands.
    """

    net: Net
    calibration: Calibration
    novelty: Novelty
    share: float = 0.0


@torch.no_grad()
def calibrated(net: Net, drawn: Summaries, ordinary: Summaries) -> Fitted:
    """The best network on the way to a fitted one, with calibration and novelty drawn to the parent's.

    Args:
        drawn, ordinary: held-out problems of the data's kind, and of the prior.
    """
    start = parent()
    if not drawn.tokens:
        return Fitted(start.net, start.calibration, start.novelty)
    held_out = (_first(drawn, _CHOOSING), ordinary)
    share, best = _on_the_way(net, *(own for own in held_out if own.tokens))
    values, shapes = _values(best, drawn), (drawn.truth, drawn.n, drawn.columns)
    calibration = Calibration.fit(values, *shapes, start=start.calibration)
    features = torch.cat([best.features(tokens) for tokens in _batches(drawn)])
    return Fitted(best, calibration, start.novelty.raised(features, *shapes[1:]), share)


def _on_the_way(net: Net, *held_out: Summaries) -> tuple[float, Net]:
    """The share of the way, and the network there, of the least loss: in parts of the parent's, summed."""
    start = parent().net
    if net is start:
        return 0.0, start
    before = [_loss(start, own) for own in held_out]
    candidates = [(float(len(before)), 0.0, start)]
    for share in _SHARES:
        between = copy.deepcopy(net)
        interpolate(between, start, share)
        losses = [_loss(between, own) / loss for own, loss in zip(held_out, before, strict=True)]
        candidates.append((sum(losses), share, between))
    _, share, best = min(candidates, key=lambda candidate: candidate[:2])
    return share, best


def _first(drawn: Summaries, count: int) -> Summaries:
    return Summaries(drawn.tokens[:count], drawn.truth[:count], drawn.n[:count], drawn.columns[:count])


def _loss(net: Net, drawn: Summaries) -> float:
    return posterior.pinball(_values(net, drawn), drawn.truth).mean().item()


def _values(net: Net, drawn: Summaries) -> Tensor:
    return torch.cat([net(tokens) for tokens in _batches(drawn)])


def _batches(drawn: Summaries) -> Iterator[Tokens]:
    for part in torch.arange(len(drawn.tokens)).split(_BATCH):
        yield repad([drawn.tokens[i] for i in part])


def ordinary(seed: int, count: int, stopped: Stop) -> Summaries:
    """Problems of the prior, to see what is forgotten."""
    starts = range(0, count, GROUP)
    groups = (partial(of_prior, seed, start, min(GROUP, count - start)) for start in starts)
    return summaries(groups, stopped, lambda _: None)


def write(fitted: Fitted, about: Any, name: str | None, path: Path) -> None:
    """A weights file of an adapted network, under a name or the parent's, which says of what it came."""
    header = parent().header
    training = {**header.training, ADAPTED: about}
    named = replace(header, name=name or f"{header.name}-adapted", training=training)
    torch_weights.save(path, fitted.net, fitted.calibration, fitted.novelty, named)


def _chunk(drawn: Summaries, places: Tensor) -> tuple[Tokens, Tensor]:
    return repad([drawn.tokens[int(i)] for i in places]), drawn.truth[places]


def _columns(table: Table) -> int:
    return len(table.x) + len(table.y)
