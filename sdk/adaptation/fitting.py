"""Fits the shipped network to problems that look like the data, and calibrates it on others."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mizzle.adaptation.adapted import ADAPTED
from mizzle.adaptation.flows import Stop
from mizzle.adaptation.problems import Problem
from mizzle.metadata_gen import dataset
from mizzle.model import torch_weights
from mizzle.model.calibrate import Calibration
from mizzle.model.net import Net
from mizzle.model.preprocess import Table, prepare
from mizzle.model.statistics.tokens import Tokens, repad, summarise
from mizzle.model.training.chunks import parts
from mizzle.model.training.fitting import Fit, FitConfig
from mizzle.model.weights import Header

_THREADS = 2  # that make tokens
_GROUP = 16  # problems whose tokens one thread makes at a time
_BATCH = 64
_PASSES = 6  # of the problems
REPLAY = 0.35  # problems of the prior for each one of the data's kind, so that nothing else is forgotten
_FIT = FitConfig(rate=3e-4, matrices=6e-4, cooldown=0.6, average=0.98)


class Summaries(NamedTuple):
    """Tokens of m problems, their true log(1 + I), n and dx + dy, shape (m,) each."""

    tokens: list[Tokens]
    truth: Tensor
    n: Tensor
    columns: Tensor


def summaries(problems: Iterable[Problem], stopped: Stop, advance: Callable[[int], object]) -> Summaries:
    """Summarise problems as they come, until there are no more or time is over."""
    tokens: list[Tokens] = []
    facts: list[tuple[float, int, int]] = []
    source = iter(problems)
    with ThreadPoolExecutor(_THREADS) as pool:
        while not stopped() and (group := list(islice(source, _GROUP * _THREADS))):
            tables = [prepare(problem.x, problem.y) for problem in group]
            halves = [tables[i : i + _GROUP] for i in range(0, len(tables), _GROUP)]
            tokens += [own for half in pool.map(summarise, halves) for own in half]
            facts += [(p.nats, t.n, _columns(t)) for p, t in zip(group, tables, strict=True)]
            advance(len(group))
    nats, n, columns = (list(column) for column in zip(*facts, strict=True)) if facts else ([], [], [])
    return Summaries(tokens, torch.tensor(nats).float().log1p(), torch.tensor(n), torch.tensor(columns))


def replayed(problems: Iterable[Problem], seed: int) -> Iterable[Problem]:
    """Problems of the prior among these, as often as they are needed."""
    due, i = 0.0, 0
    for problem in problems:
        yield problem
        due += REPLAY
        while due >= 1.0:
            data = dataset(seed, i)
            yield Problem(data.x, data.y, data.truth.nats, data.family)
            due, i = due - 1.0, i + 1


def fine_tuned(
    parent: torch_weights.TorchWeights, found: Summaries, seed: int, stopped: Stop
) -> tuple[Net, int]:
    """The parent's network, fitted to these problems; and after how many steps."""
    count = len(found.tokens)
    steps = planned(found)
    if not steps:
        return parent.net, 0
    fit = Fit(parent.header.net, FitConfig(**{**asdict(_FIT), "steps": steps}), seed)
    fit.load_weights_from(parent.net)
    order = torch.cat([torch.randperm(count) for _ in range(_PASSES)])
    for batch in order.split(_BATCH)[:steps]:
        if stopped():
            break
        fit.update([_chunk(found, batch[part]) for part in parts(found.columns[batch])])
    return fit.averaged, fit.step


def planned(found: Summaries) -> int:
    """Optimizer steps on so many problems."""
    return _PASSES * len(found.tokens) // _BATCH


def calibrated(parent: torch_weights.TorchWeights, net: Net, found: Summaries) -> tuple[Any, Any]:
    """Calibration and novelty of a network on held-out problems, drawn to those of the parent."""
    values, features = [], []
    with torch.no_grad():
        for batch in torch.arange(len(found.tokens)).split(_BATCH):
            tokens = repad([found.tokens[i] for i in batch])
            values.append(net(tokens))
            features.append(net.features(tokens))
    calibration = Calibration.fit(
        torch.cat(values), found.truth, found.n, found.columns, start=parent.calibration
    )
    return calibration, parent.novelty.raised(torch.cat(features), found.n, found.columns)


def write(
    parent: torch_weights.TorchWeights, net: Net, fitted: tuple[Any, Any], about: Any, path: Path
) -> None:
    """A weights file of an adapted network, which says of what it was made."""
    header = parent.header
    training = {**header.training, ADAPTED: about}
    named = Header(
        f"{header.name}-adapted",
        header.version,
        header.net,
        header.rows,
        header.columns,
        header.prior,
        training,
    )
    torch_weights.save(path, net, *fitted, named)


def _chunk(found: Summaries, places: Tensor) -> tuple[Tokens, Tensor]:
    return repad([found.tokens[int(i)] for i in places]), found.truth[places]


def _columns(table: Table) -> int:
    return len(table.x) + len(table.y)
