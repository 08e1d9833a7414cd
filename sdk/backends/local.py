"""Estimates in this process: one shared estimator, loaded on first use and locked while it runs."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import NDArray

from mizzle import estimator as estimators
from mizzle import progress
from mizzle.backends import conditional, elsewhere, reduced
from mizzle.backends.batches import Batch, Room, answerable, batches, padded_size
from mizzle.backends.effects import Compute, Steps, perform_compute, run
from mizzle.backends.info import Limits, ModelCard, parse_card
from mizzle.backends.isolation import outcomes, prepared_outcomes
from mizzle.backends.pairs import (
    Backend,
    Collector,
    Errors,
    Outcome,
    Pair,
    finished,
    problems_of,
    read_samples,
)
from mizzle.data.arrays import MIN_ROWS, FloatArray
from mizzle.data.samples import Missing, Sample, read_sample
from mizzle.errors import Fault, InvalidInput, MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.executors import Executing, check_executor, opened
from mizzle.executors.sharing import Arrays
from mizzle.executors.worker import Work
from mizzle.types import DEFAULT_UNIT, Estimate, Unit, check_unit

_CHUNK = Room(problems=256, cells=4_000_000, bytes=2**62)  # about a second of work
_lock = threading.Lock()
_shared: EstimatorLike | None = None


class LocalBackend:
    """The estimator in this process as a backend, with the methods of `remote.RemoteBackend`.

    Args:
        estimator: the one of the package when left out.
        executor: who works in place of this process, with the estimator of the package.
    """

    location = "in this process"

    def __init__(self, estimator: EstimatorLike | None = None, executor: Executing | None = None) -> None:
        check_executor(executor)
        self._estimator = estimator
        self._executor = executor

    @classmethod
    def of(cls, estimator: EstimatorLike | None, weights: Path | str | None) -> Self:
        """On an estimator, or on a file of weights, which is loaded at once.

        Raises:
            InvalidInput: both are there. ModelUnavailable: the weights cannot be used.
        """
        if weights is None:
            return cls(estimator)
        if estimator is not None:
            raise InvalidInput("there are an estimator and weights; give one of them")
        return cls(estimators.load(weights))

    def estimate(
        self,
        x: object,
        y: object,
        *,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Steps[Estimate]:
        """The estimate of one problem."""
        answer: Estimate = yield Compute(self.estimate_now, (x, y, missing, unit, deduplicate))
        return answer

    def estimate_now(self, x: object, y: object, missing: Missing, unit: Unit, deduplicate: bool) -> Estimate:
        """The estimate of one problem, at once."""
        check_unit(unit)
        sample = read_sample(x, y, missing, deduplicate=deduplicate)
        [answer] = self._run([(sample.x, sample.y)])
        if isinstance(answer, MizzleError):
            raise answer
        return sample.noted(answer).to(unit)

    def estimate_many(
        self,
        pairs: Iterable[object],
        wanted: progress.Wanted,
        errors: Errors,
        *,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Steps[list[Outcome]]:
        """The estimates of many, or what became of them instead, in order."""
        check_unit(unit)
        samples: list[Sample | InvalidInput] = yield Compute(
            read_samples, (pairs, errors, missing, deduplicate)
        )
        if not samples:
            return []
        problems = problems_of(samples)
        limits = yield from self.limits()
        with progress.track(wanted, len(problems)) as advance:
            collector = Collector(len(problems), errors, advance)
            planned: list[Batch] = yield Compute(_plan, (problems, limits, collector))
            if self._executor is not None:
                yield Compute(self._run_elsewhere, (planned, collector))
                planned = []
            for batch in planned:
                results: list[Outcome] = yield Compute(self._run, (batch.pairs,))
                collector.add(batch.places, results)
        return finished(samples, collector.results(), unit)

    def estimate_reordered(
        self, x: FloatArray, y: FloatArray, orders: Sequence[NDArray[np.intp]]
    ) -> Steps[list[Outcome]]:
        """The estimates of a checked x with the rows of y in other orders; each side is ranked once."""
        results: list[Outcome] = yield Compute(self._run_reordered, (x, y, orders))
        return results

    @property
    def elsewhere(self) -> bool:
        """Whether an executor works in place of this process."""
        return self._executor is not None

    def reordered_elsewhere(
        self,
        x: FloatArray,
        y: FloatArray,
        lists: Iterable[Sequence[NDArray[np.intp]]],
        advance: Callable[[int], object],
    ) -> list[Outcome]:
        """`estimate_reordered` for each list of orders, on the executor."""
        assert self._executor is not None
        parts: dict[int, list[Outcome]] = {}
        for k, results in elsewhere.reordered(self._executor, self._locked(), x, y, lists):
            parts[k] = results
            advance(len(results))
        return [outcome for k in sorted(parts) for outcome in parts[k]]

    def run_elsewhere(self, work: Work, arrays: Arrays, tasks: Iterable[object]) -> Iterator[tuple[int, Any]]:
        """Results of tasks on the executor, as they become ready.

        Args:
            work: of the arrays and (hash of these weights, task).
        """
        assert self._executor is not None
        sha256 = self._locked().info.sha256
        with opened(self._executor, arrays) as engine:
            yield from engine.run(work, ((sha256, task) for task in tasks))

    def limits(self) -> Steps[Limits]:
        """What the model covers; nothing else is limited here."""
        model: EstimatorLike = yield Compute(self._locked)
        return Limits(MIN_ROWS, model.max_columns, (model.levels[0], model.levels[-1]))

    def info(self) -> Steps[ModelCard]:
        """The model."""
        model: EstimatorLike = yield Compute(self._locked)
        more = {"levels": model.levels, "device": model.device, "threads": model.threads}
        return parse_card({**model.card, **more, **model.info._asdict()})

    def ready(self) -> Steps[bool]:
        """Whether there is a model."""
        try:
            yield Compute(self._locked)
        except Fault:
            return False
        return True

    def for_tables(self) -> Backend:
        """A backend that prepares an array once, however many pairs it is part of."""
        from mizzle.backends.shared_ranks import SharedRanks

        return SharedRanks(self._locked())

    def _locked(self) -> EstimatorLike:
        with _lock:
            return self._model()

    def _model(self) -> EstimatorLike:
        """The caller holds the lock."""
        return _loaded() if self._estimator is None else self._estimator

    def _run(self, pairs: Sequence[Pair]) -> list[Outcome]:
        with _lock:
            model = self._model()
            return prepared_outcomes(model, pairs)

    def _run_elsewhere(self, planned: Sequence[Batch], collector: Collector) -> None:
        assert self._executor is not None
        sha256 = self._locked().info.sha256
        for k, results in elsewhere.batches(self._executor, sha256, [batch.pairs for batch in planned]):
            collector.add(planned[k].places, results)

    def _run_reordered(
        self, x: FloatArray, y: FloatArray, orders: Sequence[NDArray[np.intp]]
    ) -> list[Outcome]:
        with _lock:
            model = self._model()
            left, right = model.side(x), model.side(y)
            return outcomes(model, model.reordered(left, right, orders))


@overload
def estimate_many(
    pairs: Iterable[object],
    *,
    progress: progress.Wanted = None,
    errors: Literal["raise"] = "raise",
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
    executor: Executing | None = None,
) -> list[Estimate]: ...


@overload
def estimate_many(
    pairs: Iterable[object],
    *,
    progress: progress.Wanted = None,
    errors: Literal["return"],
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
    executor: Executing | None = None,
) -> list[Outcome]: ...


@overload
def estimate_many(
    pairs: Iterable[object],
    *,
    progress: progress.Wanted = None,
    errors: Errors = "raise",
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
    executor: Executing | None = None,
) -> Sequence[Outcome]: ...


def estimate_many(
    pairs: Iterable[object],
    *,
    progress: progress.Wanted = None,
    errors: Errors = "raise",
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    deduplicate: bool = False,
    executor: Executing | None = None,
) -> Sequence[Outcome]:
    """Many problems of any sizes in few batches, answers in order.

    Args:
        pairs: of two samples each, as for `estimate`.
        progress: None for a bar on stderr where that is a terminal and the work takes longer than two
            seconds; True or False; or a function of (done, total).
        errors: "raise" the first one, or "return" each in the place of its estimate.
        missing, unit, deduplicate: as for `estimate`, for all pairs.
        executor: who works, as for `mizzle.matrix`; None for this process.

    Raises:
        InvalidInput: with "pair i" in front, of a pair that cannot be answered.
        MissingExtra, ModelUnavailable: as `estimate`.
    """
    options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
    return run(
        LocalBackend(executor=executor).estimate_many(pairs, progress, errors, **options), perform_compute
    )


def estimate(
    x: object,
    y: object,
    *,
    given: object | None = None,
    missing: Missing = "raise",
    unit: Unit = DEFAULT_UNIT,
    reduce: reduced.Reduce | None = None,
    deduplicate: bool = False,
) -> Estimate:
    """The mutual information of two samples, row i of `x` observed together with row i of `y`.

    Only order and equality of the values count. Labels (text, booleans, categories) become integers, dates
    and times seconds; what was assumed and left out is said in the estimate's `warnings`.

    Args:
        x, y: numbers, labels, dates or times, shape (n,) or (n, d): numpy, lists, pandas, polars, pyarrow,
            torch, or a sparse array of scipy.
        given: a third sample Z of the same rows: the estimate is then the conditional information I(X;Y|Z),
            what x and y still share where z is known. It comes of two estimates by the chain rule,
            I(X,Z;Y) - I(Z;Y), and its interval of a calibration on triples whose I(X;Y|Z) is known.
        missing: "raise" refuses missing cells (None, NaN); "drop" leaves out the rows that have some.
        unit: "nats" or "bits".
        reduce: what to do with more columns than the model covers, 64 a side. None or "none": refuse.
            "auto": reduce each side that has more, by its principal components or by the directions that
            best predict the other side, whichever shows more. "pca": reduce both sides, whatever their size,
            by principal components. Columns are standardised, and a map is fitted to one half of the rows
            and estimated on the other, and the other way round. The answer is the information of the
            reduced sides, a lower bound on that of all columns; `Estimate.reduced` says what was done.
        deduplicate: take each different row (x, y), or (x, y, z), once, and say how many were left out: for
            continuous data with copies of rows, which make the estimate too high.

    Raises:
        InvalidInput: the samples cannot be answered as they stand. TooManyColumns: a side has more columns
            than the model covers, and nothing is to be reduced.
        MissingExtra: the compiled engine was not built here, and torch is not installed.
        ModelUnavailable: there are no usable weights.
    """
    options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
    return run(conditional.estimate(LocalBackend(), x, y, given, reduce, **options), perform_compute)


def shared_estimator() -> EstimatorLike:
    """The estimator that all functions of the package share, loaded on first use.

    Raises:
        MissingExtra, ModelUnavailable: there is none.
    """
    with _lock:
        return _loaded()


def _loaded() -> EstimatorLike:
    """The shared estimator; the caller holds the lock."""
    global _shared
    if _shared is None:
        _shared = estimators.load()
    return _shared


def _plan(problems: list[Pair | InvalidInput], limits: Limits, collector: Collector) -> list[Batch]:
    """Problems of similar sizes in batches; those that cannot be answered get their errors at once."""
    good = sorted(answerable(problems, limits, collector), key=lambda item: padded_size(item[1]))
    return list(batches(good, _CHUNK))
