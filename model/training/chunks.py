"""Training batches: in parts of similar width, each used several times, and on disk in between."""

import json
import os
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from mizzle.model.preprocess import Table
from mizzle.model.statistics.tokens import Tokens, repad, summarise

_FACTS = ("truth", "n", "columns")


class Chunk(NamedTuple):
    """Part of a batch, of similar dx + dy: tokens, true log(1 + nats), rows, dx + dy, family labels."""

    tokens: Tokens
    truth: Tensor
    n: Tensor
    columns: Tensor
    family: list[str]


class Use(NamedTuple):
    """One use of a batch in training; before the first it is made, after the last it may be forgotten."""

    batch: int
    first: bool
    last: bool


def uses(passes: int, lag: int) -> Iterator[Use]:
    """Batches 0, 1, 2, .. as they come, each again every `lag` batches until it was used `passes` times."""
    for fresh in count():
        for again in range(passes):
            if fresh >= again * lag:
                yield Use(fresh - again * lag, again == 0, again == passes - 1)


def fresh(passes: int, lag: int, steps: int) -> int:
    """Number of different batches among the first `steps` uses."""
    return 1 + max(use.batch for use in islice(uses(passes, lag), steps))


def write(path: Path, chunks: list[Chunk]) -> None:
    """Write a batch atomically."""
    tensors: dict[str, Tensor] = {}
    for i, chunk in enumerate(chunks):
        named = {**chunk.tokens.named(), **{f"of.{name}": getattr(chunk, name) for name in _FACTS}}
        tensors |= {f"{i}.{name}": tensor.contiguous() for name, tensor in named.items()}
    partial = path.with_suffix(f".{os.getpid()}")  # of this writer alone
    save_file(tensors, partial, metadata={"family": json.dumps([chunk.family for chunk in chunks])})
    partial.replace(path)


def read(path: Path) -> list[Chunk]:
    """The batch that `write` wrote."""
    with safe_open(path, framework="pt") as file:
        families = json.loads(file.metadata()["family"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return [_chunk(tensors, f"{i}.", family) for i, family in enumerate(families)]


def _chunk(tensors: dict[str, Tensor], prefix: str, family: list[str]) -> Chunk:
    """The chunk whose tensors have this prefix."""
    own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    return Chunk(Tokens.of(own), **{name: own[f"of.{name}"] for name in _FACTS}, family=family)


def summarised(tables: list[Table], nats: list[float], family: list[str]) -> list[Chunk]:
    """Four chunks of problems with known truth: padding to the widest of a whole batch doubles the work."""
    tokens = summarise(tables)
    columns = torch.tensor([len(table.x) + len(table.y) for table in tables])
    n, truth = torch.tensor([table.n for table in tables]), torch.tensor(nats, dtype=torch.float32).log1p()
    return [
        Chunk(
            repad([tokens[i] for i in part]), truth[part], n[part], columns[part], [family[i] for i in part]
        )
        for part in parts(columns)
    ]


def parts(columns: Tensor) -> list[list[int]]:
    """Which problems of a batch lie in which chunk, by their dx + dy."""
    return [part.tolist() for part in torch.chunk(columns.argsort(stable=True), 4)]
