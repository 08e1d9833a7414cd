"""A stand-in for the model room, without torch."""

import asyncio
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, NamedTuple

import numpy as np

from mizzle.errors import TooManyColumns
from mizzle.types import Estimate, ModelInfo, Notice

PATIENCE = 20.0  # seconds after which a test that waits for another thread has failed
POISON = 666.0
_Z = {0.005: -2.576, 0.05: -1.645, 0.25: -0.674, 0.5: 0.0, 0.75: 0.674, 0.95: 1.645, 0.995: 2.576}


async def model_loaded() -> None:
    """Returns when the service in this event loop knows whether it has a model."""
    loading = [task for task in asyncio.all_tasks() if task.get_name() == "mizzle-load"]
    if loading:
        await asyncio.wait(loading)


class FakeTable(NamedTuple):
    """What `prepare` makes of a problem."""

    x: np.ndarray
    y: np.ndarray


class FakeEstimator:
    """The interface of `mizzle.model.Estimator` over the Gaussian formula, without torch.

    I = -sum ln(1 - r_i^2) / 2 over the canonical correlations r_i of the sample.

    Attributes:
        batches: the sizes of all runs so far.
        gate: runs wait here; open from the start.
        started: set as soon as a run has begun.
        distort: what to do to every answer, say to spoil it.
    """

    min_rows = 10
    max_columns = 64
    levels = tuple(_Z)
    info = ModelInfo("fake", "0.0.1", "0" * 64)
    device = "cpu"
    threads = 1
    card: ClassVar[dict[str, Any]] = {"rows": [10, 1000], "columns": [1, 64], "training": {"seed": 0}}

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()
        self.distort: Callable[[Estimate], Estimate] = lambda estimate: estimate

    def prepare(self, x: np.ndarray, y: np.ndarray) -> FakeTable:
        assert x.dtype == y.dtype == np.float64
        assert x.ndim == y.ndim == 2
        for name, side in (("x", x), ("y", y)):
            if side.shape[1] > self.max_columns:
                raise TooManyColumns(f"{name} has {side.shape[1]} columns; at most 64 are covered")
        return FakeTable(x, y)

    def side(self, values: np.ndarray) -> np.ndarray:
        return values

    def packed(self, sides: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {str(k): side for k, side in enumerate(sides)}

    def unpacked(self, arrays: Mapping[str, np.ndarray], k: int) -> np.ndarray:
        return arrays[str(k)]

    def pair(self, left: np.ndarray, right: np.ndarray) -> FakeTable:
        return self.prepare(left, right)

    def reordered(self, side: np.ndarray, order: np.ndarray) -> np.ndarray:
        reordered: np.ndarray = side[order]
        return reordered

    def thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1)

    def run(self, tables: list[FakeTable]) -> list[Estimate]:
        self.batches.append(len(tables))
        self.started.set()
        assert self.gate.wait(PATIENCE), "the gate stayed shut"
        for table in tables:
            if table.x[0, 0] == POISON:
                raise RuntimeError(f"poison {POISON} in /a/secret/path")
        return [self.distort(_gaussian(table, self.levels, self.info)) for table in tables]

    def forget(self) -> None:
        """As if nothing had been run."""
        self.batches.clear()
        self.started.clear()

    async def begun(self) -> None:
        """Until a run has begun."""
        assert await asyncio.to_thread(self.started.wait, PATIENCE), "no run began"

    def estimate(self, x: np.ndarray, y: np.ndarray) -> Estimate:
        return self.run([self.prepare(x, y)])[0]


def _gaussian(table: FakeTable, levels: tuple[float, ...], info: ModelInfo) -> Estimate:
    x, y = (side - side.mean(axis=0) for side in table)
    n = len(x)
    warnings = tuple(
        Notice(f"constant_{name}", f"{name} does not vary")
        for name, side in (("x", x), ("y", y))
        if not side.any()
    )
    if warnings:
        mi = 0.0
    else:
        qx, qy = np.linalg.qr(x)[0], np.linalg.qr(y)[0]
        r = np.clip(np.linalg.svd(qx.T @ qy, compute_uv=False), 0, 1 - 1e-12)
        mi = float(-np.log1p(-(r**2)).sum() / 2)
    width = 0.0 if warnings else math.sqrt(min(mi, 1) / n)
    values = tuple(max(0.0, mi + _Z[q] * width) for q in levels)
    shape = (n, table.x.shape[1], table.y.shape[1])
    return Estimate(mi, levels, values, *shape, n <= 1000, warnings, info)
