"""The estimator, which other rooms use: arrays in, calibrated estimates out."""

import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from mizzle.data.arrays import check_columns, check_pair
from mizzle.errors import InferenceFailed, ModelUnavailable
from mizzle.model import quantiles, weights
from mizzle.model.batch import CACHE_CELLS, DEVICE_CELLS, Batch, collate, grouped
from mizzle.model.calibrate import Calibration
from mizzle.model.counting import Counted
from mizzle.model.net import Net
from mizzle.model.novelty import Novelty, stretch, widening
from mizzle.model.preprocess import Side, Table, pair, prepare, side
from mizzle.model.statistics.tokens import tokenise
from mizzle.model.threads import single_thread, use_single_thread
from mizzle.types import Estimate, ModelInfo, Notice

_BEYOND_ROWS = 1.5  # times as wide, for an n outside the trained range
_MAX_THREADS = 4  # of a pool; more would wait for the interpreter's lock


class Estimator:
    """A network with its calibration. No call changes it, so that threads may share one."""

    def __init__(
        self,
        net: Net,
        calibration: Calibration,
        novelty: Novelty,
        header: weights.Header,
        info: ModelInfo,
        device: str = "cpu",
    ) -> None:
        self.info = info
        self.device = device
        self.header = header
        self.levels = quantiles.LEVELS
        self.max_columns = header.columns[1]
        self._net = net.to(device)
        self._calibration = calibration
        self._novelty = novelty

    @classmethod
    def load(
        cls, path: Path | str | None = None, device: str = "cpu", threads: int | None = None
    ) -> "Estimator":
        """Load a weights file, the shipped one by default.

        Args:
            device: "cpu", "cuda", or "auto" for CUDA where there is any.
            threads: of torch in the whole process from now on, and so of a thread pool, at most: groups of
                problems are answered side by side, each by one thread. None leaves them as they are.

        Raises:
            ModelUnavailable: the file is absent, damaged, or of another format; or there is no such device.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        return cls(*weights.load(Path(path or weights.SHIPPED)), _device(device))

    @property
    def threads(self) -> int:
        """Threads that torch is set to: as many groups of problems, up to 4, are answered side by side."""
        return torch.get_num_threads()

    @property
    def card(self) -> dict[str, Any]:
        """What the model was trained on, as JSON: rows, columns, and how."""
        header = self.header
        return {"rows": list(header.rows), "columns": list(header.columns), "training": header.training}

    def prepare(self, x: Float64[np.ndarray, "n dx"], y: Float64[np.ndarray, "n dy"]) -> Table:
        """Rank a checked pair of shape (n, dx), (n, dy).

        Raises:
            TooManyColumns: a side has more columns than the model covers.
        """
        check_columns(x, y, self.max_columns)
        return prepare(x, y)

    def side(self, values: Float64[np.ndarray, "n d"]) -> Side:
        """Rank one checked array of shape (n, d), for any number of `pair` calls."""
        return side(values)

    def pair(self, left: Side, right: Side) -> Table:
        """What `prepare` would make of the two arrays, their ranks taken from the sides.

        Raises:
            TooManyColumns: a side has more columns than the model covers.
        """
        check_columns(_no_rows(left), _no_rows(right), self.max_columns)
        return pair(left, right)

    @contextmanager
    def thread_pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that may call `run` side by side, as many as torch would use for one operation, at most 4.

        They are joined at the end of the context. Each computes its operations alone, as `run` does.
        """
        pool = ThreadPoolExecutor(self._pool_size, "mizzle", use_single_thread)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def _pool_size(self) -> int:
        return min(torch.get_num_threads(), _MAX_THREADS) if self.device == "cpu" else 1

    def estimate(self, x: object, y: object) -> Estimate:
        """I(X;Y) of one sample; arrays, lists and frames of shape (n,) or (n, d)."""
        return self.estimate_many([(x, y)])[0]

    def estimate_many(self, pairs: Iterable[tuple[object, object]]) -> list[Estimate]:
        """I(X;Y) of many samples, of any mixture of shapes, in the order given."""
        return self.run([self.prepare(*check_pair(x, y)) for x, y in pairs])

    def run(self, tables: list[Table]) -> list[Estimate]:
        """Estimate prepared problems, similar shapes together; groups of them side by side in a thread pool.

        A thread computes alone, whatever number of threads torch is set to: an operation is too small to gain
        from a second one, and waits for it where the processor has other work, 736 ms in place of 24.
        Afterwards torch's setting is what it was; other threads never see another.

        Raises:
            InferenceFailed: the network gave something that is not finite.
        """
        answers: dict[int, Estimate] = {i: self._zero(t) for i, t in enumerate(tables) if t.constant}
        live = [i for i in range(len(tables)) if i not in answers]
        cells = CACHE_CELLS if self.device == "cpu" else DEVICE_CELLS
        groups = [[live[g] for g in group] for group in grouped([tables[i] for i in live], cells)]
        for chosen, estimates in zip(
            groups, self._forwards([[tables[i] for i in chosen] for chosen in groups]), strict=True
        ):
            answers.update(zip(chosen, estimates, strict=True))
        return [answers[i] for i in range(len(tables))]

    def _forwards(self, groups: list[list[Table]]) -> list[list[Estimate]]:
        """The estimates of every group."""
        if len(groups) == 1 or self._pool_size == 1:
            with single_thread():
                return [self._forward(group) for group in groups]
        with self.thread_pool() as pool:
            return list(pool.map(self._forward, groups))

    def _forward(self, tables: list[Table]) -> list[Estimate]:
        """One padded pass."""
        batch = collate(tables)
        with torch.inference_mode():
            columns = batch.dims.sum(-1)
            raw, features = self._raw(batch)
            values = self._calibration.apply(raw, batch.n, columns)
            excess = self._novelty.excess(features, batch.n, columns)
            ceiling = torch.stack([table.ceiling for table in tables])
            mean = quantiles.mean(quantiles.to_nats(values.double()).minimum(ceiling))
            values = stretch(values, excess.maximum(self._beyond(batch.n)))
            nats = quantiles.to_nats(values.double()).minimum(ceiling)
        if not bool(torch.isfinite(nats).all()):
            raise InferenceFailed("the network gave a value that is not finite; please report this")
        return [
            self._answer(table, m, tuple(row), e)
            for table, m, row, e in zip(tables, mean.tolist(), nats.tolist(), excess.tolist(), strict=True)
        ]

    def _raw(self, batch: Batch) -> tuple[Float32[Tensor, "b q"], Float32[Tensor, "b g"]]:
        """Quantiles before calibration and the features of novelty: the part that the device does."""
        if self.device == "cpu":
            tokens = tokenise(batch)
            return self._net(tokens), self._net.features(tokens)
        with torch.device(self.device):  # what the statistics create lies there, too
            tokens = tokenise(batch.to(self.device))
            return self._net(tokens).cpu(), self._net.features(tokens).cpu()

    def _answer(self, table: Table, mean: float, values: tuple[float, ...], excess: float = 0.0) -> Estimate:
        outside = (*self._rows_outside(table), *_unfamiliar(excess))
        noticed = table.warnings + outside
        if table.counted is not None and _disagree(counts := table.counted.quantiles(), values):
            noticed = (*noticed, _by_counting(mean, table.counted))
            mean, values = float(quantiles.mean(counts[None])), tuple(counts.tolist())
        noticed = (*noticed, *_suspicious(table, values))
        return Estimate(
            mi=mean,
            levels=self.levels,
            values=values,
            n=table.n,
            dim_x=table.dim_x,
            dim_y=table.dim_y,
            in_range=not outside,
            warnings=noticed,
            model=self.info,
        )

    def _zero(self, table: Table) -> Estimate:
        """A side that does not vary shares no information: exactly 0."""
        return self._answer(table, 0.0, (0.0,) * len(self.levels))

    def _rows_outside(self, table: Table) -> Iterator[Notice]:
        low, high = self.header.rows
        if not low <= table.n <= high:
            text = f"n = {table.n} is outside the trained range of {low} to {high} rows"
            yield Notice("rows_out_of_range", f"{text}; the interval was widened and may still be off")

    def _beyond(self, n: Int64[Tensor, " b"]) -> Float32[Tensor, " b"]:
        """How much wider the interval becomes for an n outside the trained range."""
        low, high = self.header.rows
        return torch.where((n < low) | (n > high), _BEYOND_ROWS, 0.0)


def _no_rows(side: Side) -> Float64[np.ndarray, "0 d"]:
    """As many columns as the side has."""
    return np.empty((0, len(side.ranks)))


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ModelUnavailable(f"there is no device {name} here; choose cpu or auto")
    return name


def _unfamiliar(excess: float) -> Iterator[Notice]:
    """Say so where the statistics of the sample lie outside those of the training."""
    if excess > 1.0:
        width = float(widening(torch.tensor(excess)))
        text = f"the sample is unlike those of the training: {excess:.2g} times as far out as 99 % of them"
        text = f"{text}; the interval was made {width:.2g} times as wide and may still be off"
        yield Notice("unfamiliar", text)


def _disagree(counts: Float64[Tensor, " q"], values: tuple[float, ...]) -> bool:
    """Whether the 99 % interval of the counts and the 90 % interval of the network have nothing in common."""
    low, high = float(counts[0]), float(counts[-1])
    return low > values[quantiles.LEVELS.index(0.95)] or high < values[quantiles.LEVELS.index(0.05)]


def _by_counting(mean: float, counted: Counted) -> Notice:
    text = f"x and y take few values, whose counts say {counted.value:.3g} nats and not {mean:.3g}"
    return Notice("counted", f"{text}, as the network does; the answer is that of the counts")


def _suspicious(table: Table, values: tuple[float, ...]) -> Iterator[Notice]:
    """What the answer itself gives away."""
    limit = math.log(table.n)
    if table.constant:
        return
    if values[-1] >= table.ceiling[-1]:
        bound = float(table.ceiling[-1])
        text = f"the answer was limited to {bound:.4g} nats, the entropy of the more discrete side"
        yield Notice("limited_by_entropy", text)
    elif table.same:
        text = "a column of x orders the rows as one of y does: if they are functions of each other"
        yield Notice("deterministic", f"{text} and continuous, the true value is infinite")
    elif values[quantiles.LEVELS.index(0.05)] > limit:
        text = f"the estimate exceeds log n = {limit:.1f} nats, more than the sample alone can show"
        yield Notice("above_log_n", f"{text} (McAllester and Stratos 2020): it rests on the model's prior")
