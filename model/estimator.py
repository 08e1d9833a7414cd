"""The estimator, which other rooms use: arrays in, calibrated estimates out."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import check_columns, check_pair
from mizzle.errors import InferenceFailed
from mizzle.model import blocks, engines, quantiles, weights
from mizzle.model.labels import network
from mizzle.model.labels.answers import MAX_INDICATORS, MAX_LEVELS, disjoint
from mizzle.model.preprocess import (
    Side,
    Table,
    packed,
    pair,
    prepare,
    side,
    unpacked,
    with_indicators,
)
from mizzle.types import Estimate, ModelInfo, Notice

_LOWER = quantiles.LEVELS.index(0.05)  # what an answer is at least, with a probability of 95 %
_UPPER = quantiles.LEVELS.index(0.75)  # from where on an answer that reaches its limit was cut by it
_MAX_THREADS = 4  # of a pool; more would wait for the interpreter's lock

Doubles = NDArray[np.float64]


class Posterior(NamedTuple):
    """What is known of one I(X;Y), in nats.

    Attributes:
        mean: of the distribution.
        nats: its quantiles at `LEVELS`, shape (q,).
        excess: how unlike the training the sample is; familiar up to 1.
    """

    mean: float
    nats: Doubles
    excess: float


class Estimator:
    """An engine on a set of weights. No call changes it, so that threads may share one."""

    def __init__(self, engine: engines.Engine, header: weights.Header, info: ModelInfo) -> None:
        self.info = info
        self.header = header
        self.levels = quantiles.LEVELS
        self.max_columns = header.columns[1]
        self._engine = engine
        self._trained = header.rows[1]
        self._thread = local()

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        device: str = "cpu",
        threads: int | None = None,
        engine: str = "auto",
        sha256: str | None = None,
    ) -> "Estimator":
        """Load a weights file, the shipped one by default.

        Args:
            device: "cpu", "cuda", or "auto" for CUDA where there is any.
            threads: that share the work of many problems, at most 4; of torch they are set in the whole
                process from now on. None leaves them as they are: as many as there are cores.
            engine: "native" for the compiled engine, "torch", or "auto" for what the variable MIZZLE_ENGINE
                says, or else the compiled engine on CPUs if it was built, torch for batches on GPUs, and
                torch otherwise.
            sha256: that the file must have, as hexadecimal digits. Without it, a file must have checksums,
                which versions up to 0.9 did not write, or be the one that ships with the package.

        Raises:
            ModelUnavailable: the file is absent, damaged, of another format or another SHA-256; or there is
                no such device or engine.
            MissingExtra: there is no compiled engine, and torch is not installed.
        """
        network.shipped()  # now, rather than when the first label comes
        return cls(*engines.load(Path(path or weights.SHIPPED), device, threads, engine, sha256))

    @property
    def engine(self) -> str:
        """Which engine answers: "native" for the compiled one, or "torch"."""
        return self._engine.name

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""
        return self._engine.device

    @property
    def threads(self) -> int:
        """As many groups of problems, up to 4, are answered side by side."""
        return self._engine.threads

    @property
    def card(self) -> dict[str, Any]:
        """What the model was trained on, as JSON: rows, columns, and how; and which engine answers."""
        header = self.header
        trained = {"rows": list(header.rows), "columns": list(header.columns), "training": header.training}
        return {**trained, "engine": self.engine}

    def prepare(self, x: Doubles, y: Doubles) -> Table:
        """Rank a checked pair of shape (n, dx), (n, dy).

        Raises:
            TooManyColumns: a side has more columns than the model covers.
        """
        check_columns(x, y, self.max_columns)
        return prepare(x, y)

    def side(self, values: Doubles) -> Side:
        """Rank one checked array of shape (n, d), for any number of `pair` calls."""
        return side(values)

    def packed(self, sides: Sequence[Side]) -> dict[str, NDArray[Any]]:
        """Sides of the same rows as a few arrays, half as large, from which `unpacked` takes each."""
        return packed(sides)

    def unpacked(self, arrays: Mapping[str, NDArray[Any]], k: int) -> Side:
        """Side k of those that were packed; nothing is ranked again."""
        return unpacked(arrays, k)

    def pair(self, left: Side, right: Side) -> Table:
        """What `prepare` would make of the two arrays, their ranks taken from the sides.

        Raises:
            TooManyColumns: a side has more columns than the model covers.
        """
        check_columns(_no_rows(left), _no_rows(right), self.max_columns)
        return pair(left, right)

    def reordered(self, left: Side, right: Side, orders: Iterable[NDArray[np.intp]]) -> list[Table]:
        """The problems of both sides with the rows of the right one in other orders, each of shape (n,)."""
        table = self.pair(left, right)
        return [table.reordered(order) for order in orders]

    @contextmanager
    def thread_pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that may call `run` side by side, as many as `threads`, at most 4; on a GPU one.

        They are joined at the end of the context. Each computes what it runs alone.
        """
        pool = ThreadPoolExecutor(self._workers, "mizzle", self._enter_thread)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def _workers(self) -> int:
        """Threads for what the calling thread has to run: itself alone if it is one of a pool."""
        alone = self.device != "cpu" or getattr(self._thread, "of_a_pool", False)
        return 1 if alone else min(self.threads, _MAX_THREADS)

    def _enter_thread(self) -> None:
        self._thread.of_a_pool = True
        self._engine.enter_thread()

    def estimate(self, x: object, y: object) -> Estimate:
        """I(X;Y) of one sample; arrays, lists and frames of shape (n,) or (n, d)."""
        return self.estimate_many([(x, y)])[0]

    def estimate_many(self, pairs: Iterable[tuple[object, object]]) -> list[Estimate]:
        """I(X;Y) of many samples, of any mixture of shapes, in the order given."""
        return self.run([self.prepare(*check_pair(x, y)) for x, y in pairs])

    def run(self, tables: list[Table]) -> list[Estimate]:
        """Estimate prepared problems in groups that the engine makes, side by side in a thread pool.

        A problem of more rows than the model was trained on is answered in blocks of its rows.

        Raises:
            InferenceFailed: the network gave something that is not finite.
        """
        ordered = [table.labels is not None and table.labels.ordered for table in tables]
        by_labels = {i: counts for i, table in enumerate(tables) if (counts := _by_labels(table)) is not None}
        places = [
            i
            for i, table in enumerate(tables)
            if not table.constant and (ordered[i] or i not in by_labels)  # else the order is of no use
        ]
        problems = [tables[i] if ordered[i] else with_indicators(tables[i]) for i in places]
        by_order = dict(zip(places, self._posteriors(problems), strict=True))
        read = dict(zip(places, problems, strict=True))
        return [
            self._answer(read.get(i, table), by_order.get(i), by_labels.get(i))
            for i, table in enumerate(tables)
        ]

    def _posteriors(self, tables: list[Table]) -> list[Posterior]:
        """What the network says of problems whose sides vary, in order."""
        places = [list(group) for group in blocks.groups(self._engine, tables, self._trained, self._workers)]
        groups = [[tables[i] for i in group] for group in places]
        posteriors: dict[int, Posterior] = {}
        for group, answers in zip(places, self._run_all(groups), strict=True):
            posteriors.update(zip(group, answers, strict=True))
        return [posteriors[i] for i in range(len(tables))]

    def _run_all(self, groups: list[list[Table]]) -> list[list[Posterior]]:
        if len(groups) <= 1 or self._workers == 1:
            return list(map(self._run, groups))
        with self.thread_pool() as pool:
            return list(pool.map(self._run, groups))

    def _run(self, tables: list[Table]) -> list[Posterior]:
        """Of one group."""
        mean, nats, excess = blocks.run(self._engine, tables, self._trained)
        if not (np.isfinite(nats).all() and np.isfinite(mean).all()):
            raise InferenceFailed("the network gave a value that is not finite; please report this")
        return [Posterior(*answer) for answer in zip(mean.tolist(), nats, excess.tolist(), strict=True)]

    def _answer(self, table: Table, by_order: Posterior | None, by_labels: Posterior | None) -> Estimate:
        """The network's answer, or the labels' where the sample shows no order of theirs or both disagree.

        Without either a side does not vary and shares no information: exactly 0.
        """
        posterior = by_order or by_labels or Posterior(0.0, np.zeros(len(self.levels)), 0.0)
        noticed = table.warnings
        if by_order and by_labels and disjoint(by_order.nats, by_labels.nats):
            posterior, noticed = by_labels, (*noticed, _without_order(by_order.mean, by_labels.mean))
        by_counts = posterior is by_labels
        pooled = () if by_counts else blocks.notices(table, self._trained)
        misread = () if by_labels else _misread(table)
        rows = () if by_counts else self._rows_outside(table)
        outside = (*rows, *misread, *_unfamiliar(posterior.excess))
        values = tuple(posterior.nats.tolist())
        return Estimate(
            mi=posterior.mean,
            levels=self.levels,
            values=values,
            n=table.n,
            dim_x=table.dim_x,
            dim_y=table.dim_y,
            in_range=not outside and not table.copied,
            warnings=(*noticed, *pooled, *outside, *_suspicious(table, values)),
            model=self.info,
        )

    def _rows_outside(self, table: Table) -> Iterator[Notice]:
        low, high = self.header.rows
        if table.n < low:
            text = f"n = {table.n} is outside the trained range of {low} to {high} rows"
            text = f"{text}, and the interval was widened and may still be off"
            yield Notice("rows_out_of_range", f"{text}; bring more rows")
        elif table.n > max(high, blocks.LARGEST_ROWS):
            text = f"n = {table.n:,} is more than the {blocks.LARGEST_ROWS:,} rows up to which pooled blocks"
            yield Notice("rows_out_of_range", f"{text} were measured; the interval may be off")


def _no_rows(side: Side) -> Doubles:
    """Shape (0, d): as many columns as the side has."""
    return np.empty((0, len(side.ranks)))


def _unfamiliar(excess: float) -> Iterator[Notice]:
    """Say so where the statistics of the sample lie outside those of the training."""
    if excess > 1.0:
        width = min(excess, quantiles.LARGEST_WIDENING)
        text = f"the sample is unlike those of the training ({excess:.2g} times as far out as 99 % of them)"
        text = f"{text}, and the interval was made {width:.2g} times as wide and may still be off"
        yield Notice("unfamiliar", f"{text}; check it against samples like yours of known truth")


def _by_labels(table: Table) -> Posterior | None:
    """What the counts of labels say, where a side is a label and there are enough of them."""
    counts = table.labels.quantiles() if table.labels else None
    if counts is None:
        return None
    counts = np.minimum(counts, table.ceiling)
    return Posterior(float(quantiles.mean(counts[None])[0]), counts, 0.0)


def _misread(table: Table) -> Iterator[Notice]:
    """Say so where a label of many levels was read in the order of its codes, which shows in nothing."""
    if table.labels is not None and table.labels.misread:
        limits = f"{MAX_LEVELS}, or {MAX_INDICATORS} beside several columns"
        text = f"a side has more levels than can be read as labels ({limits}), and no order of them shows"
        yield Notice(
            "unordered", f"{text}: the answer is too low; group rare levels, or take the most frequent"
        )


def _without_order(by_order: float, mean: float) -> Notice:
    text = f"a side takes few values, which as labels tell {mean:.3g} nats, and in order {by_order:.3g}"
    remedy = "look at the table of counts"
    return Notice("counted", f"{text}; the answer is the former, which hangs on no order: {remedy}")


def _suspicious(table: Table, values: tuple[float, ...]) -> Iterator[Notice]:
    """What the answer itself gives away."""
    limit = math.log(table.n)
    if table.constant:
        return
    if values[_UPPER] >= table.ceiling[_UPPER]:
        bound = float(table.ceiling[-1])
        text = f"the answer was limited to {bound:.4g} nats, the entropy of the more discrete side"
        yield Notice("limited_by_entropy", f"{text}: check that the other was not made of it")
    elif table.same:
        text = "a column of x orders the rows as one of y does, and if both are continuous, the true value is"
        yield Notice("deterministic", f"{text} infinite: leave out one of them if it was made of the other")
    elif values[_LOWER] > limit:
        text = f"the estimate exceeds log n = {limit:.1f} nats, more than the sample alone can show"
        text = f"{text} (McAllester and Stratos 2020), and rests on the model's prior"
        yield Notice("above_log_n", f'{text}: take it as "above {limit:.1f}", or bring more rows')
