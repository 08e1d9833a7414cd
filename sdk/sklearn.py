"""Mutual information in scikit-learn: a score for `SelectKBest`, and a selector that knows how sure it is.

>>> from sklearn.feature_selection import SelectKBest                            # doctest: +SKIP
>>> SelectKBest(mi_score, k=5).fit_transform(X, y)                               # doctest: +SKIP
>>> MutualInfoSelector(redundancy="jmi", max_features=5).fit_transform(X, y)     # doctest: +SKIP

The target may be continuous or discrete: numbers are taken as they are, text and booleans become codes by how
often the labels occur.
"""

import copy
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from mizzle import extras, tables
from mizzle.backends.pairs import Backend
from mizzle.data.arrays import MIN_ROWS, FloatArray
from mizzle.data.frames import dense
from mizzle.deprecated import renamed_keyword
from mizzle.errors import InvalidInput
from mizzle.tables.results import PairResult, check_threshold
from mizzle.types import DEFAULT_LEVEL, DEFAULT_THRESHOLD, DEFAULT_UNIT, Estimate, Unit, short_repr

try:
    from sklearn.base import BaseEstimator  # type: ignore[import-untyped]
    from sklearn.feature_selection import SelectorMixin  # type: ignore[import-untyped]
    from sklearn.utils import check_X_y  # type: ignore[import-untyped]
    from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped]
except ModuleNotFoundError as error:
    raise extras.missing(error, "mizzle.sklearn", "pip install 'mizzle[sklearn]'") from None

Redundancy = Literal["mrmr", "jmi"]
_Gain = Callable[[int, Sequence[int]], FloatArray]  # of each of the rest over a chosen column
_TARGET = "target"
_CHECKS = {"dtype": "numeric", "ensure_min_samples": MIN_ROWS, "accept_sparse": "csc"}


@renamed_keyword("asker", "backend")
def mi_score(X: object, y: object, *, backend: Backend | str | None = None) -> FloatArray:
    """The mutual information of every column with the target, in nats: a `score_func`.

    Args:
        X: numbers of shape (n, p); a sparse array is made dense, if it has at most a gibibyte then.
        y: shape (n,): numbers, text or booleans; for regression and classification alike.
        backend: who answers; see `MutualInfoSelector`.

    Returns:
        Means of the predictive distributions, shape (p,).

    Raises:
        ValueError: the arrays cannot be used; InvalidInput is one.
        Fault: nobody answers.
    """
    columns, target = check_X_y(X, y, **_CHECKS)
    with _opened(backend) as opened:
        return _means(_Table(columns, target, opened).alone())


class MutualInfoSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Keeps the columns that surely say something about the target, and of these no more than are needed.

    A column is a candidate where the central interval of its mutual information with the target lies above
    the threshold. Without `redundancy` all candidates are kept. With it they are chosen one by one: first the
    strongest, then whichever of the others, f, has the largest mean gain over those chosen before, s:

        "mrmr"  I(f; y) - I(f; s), relevance less redundancy (Peng, Long and Ding 2005, the difference form)
        "jmi"   I({f, s}; y) - I(s; y), from joint estimates (Yang and Moody 1999)

    A column whose gain over a single chosen one is not above the threshold is left out: it shares with that
    one what it says about the target ("mrmr": as in FCBF, Yu and Liu 2004; "jmi": as in CMIM, Fleuret 2004).

    By the chain rule the gain of "jmi" is I(f; y | s), what f adds to a chosen column (Brown, Pocock, Zhao
    and Lujan 2012); "mrmr" also punishes what columns share without a bearing on the target. A gain is a
    difference of estimates, with the errors of both, and no interval is known for it. A column that says
    something only together with another is no candidate.

    Args:
        threshold: of information, in `unit`.
        level: of the interval.
        unit: "nats" or "bits".
        redundancy: None, "mrmr" or "jmi".
        max_features: keep at most so many; None for no limit.
        backend: who answers: None for this process, the address of a service (its key from MIZZLE_API_KEY),
            or a client. Other processes can be sent an address, and no client.

    Attributes:
        estimates_: of every column with the target, in the order of the columns.
        scores_: their means, shape (p,), in `unit`.
        intervals_: their intervals, shape (p, 2), in `unit`.
        order_: the columns that are kept, in the order in which they were chosen.
        gains_: what each of these was chosen for: its score, or its mean gain.
    """

    @renamed_keyword("asker", "backend")
    def __init__(
        self,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        level: float = DEFAULT_LEVEL,
        unit: Unit = DEFAULT_UNIT,
        redundancy: Redundancy | None = None,
        max_features: int | None = None,
        backend: Backend | str | None = None,
    ) -> None:
        self.threshold = threshold
        self.level = level
        self.unit = unit
        self.redundancy = redundancy
        self.max_features = max_features
        self.backend = backend

    @renamed_keyword("asker", "backend")
    def set_params(self, **params: Any) -> Self:
        """Change some of the arguments; those of a pipeline's step are called step__argument."""
        super().set_params(**params)
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        renamed = {"backend" if name == "asker" else name: value for name, value in state.items()}  # by 0.9
        super().__setstate__(renamed)

    def __getattr__(self, name: str) -> Any:
        if name != "asker":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        text = "asker is now backend; the old name goes with the next version"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return self.backend

    def fit(self, X: object, y: object) -> Self:
        """Ask how much every column says about the target, and choose.

        Args:
            X: numbers of shape (n, p); a sparse array is made dense, if it has at most a gibibyte then.
            y: shape (n,): numbers, text or booleans.

        Raises:
            ValueError: the arrays or a parameter cannot be used; InvalidInput is one.
            Fault: nobody answers.
        """
        floor = check_threshold(self.threshold)
        _check_choice(self.redundancy, self.max_features)
        columns, target = validate_data(self, X, y, **_CHECKS)
        with _opened(self.backend) as opened:
            table = _Table(columns, target, opened, self.level, self.unit)
            self.estimates_ = table.alone()
            self.scores_ = _means(self.estimates_)
            self.intervals_ = np.array([estimate.interval(self.level) for estimate in self.estimates_])
            order, gains = self._chosen(table, floor)
        self.order_, self.gains_ = np.array(order, dtype=int), np.array(gains, dtype=float)
        return self

    def _chosen(self, table: "_Table", floor: float) -> tuple[list[int], list[float]]:
        """Columns in the order of choice, and what each was chosen for."""
        strongest = np.argsort(-self.scores_, kind="stable")
        candidates = [int(j) for j in strongest if self.intervals_[j, 0] > floor]
        if self.redundancy is None:
            order = candidates[: self.max_features]
            return order, [float(self.scores_[j]) for j in order]
        limit = len(candidates) if self.max_features is None else self.max_features
        gain = table.mrmr if self.redundancy == "mrmr" else table.jmi
        return _greedy(candidates, self.scores_, partial(gain, self.scores_), limit, floor)

    def _get_support_mask(self) -> NDArray[np.bool]:
        check_is_fitted(self)
        mask = np.zeros(self.n_features_in_, dtype=bool)
        mask[self.order_] = True
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags

    def __sklearn_clone__(self) -> Any:
        # A client holds connections and locks, which cannot be copied; clones share it.
        bare = copy.copy(self)
        bare.backend = None
        cloned = super(MutualInfoSelector, bare).__sklearn_clone__()
        cloned.backend = self.backend
        return cloned


class _Table:
    """Columns and a target, and a backend that estimates."""

    def __init__(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        backend: Backend | None,
        level: float = DEFAULT_LEVEL,
        unit: Unit = DEFAULT_UNIT,
    ) -> None:
        columns = dense(X, "X")
        self._frame = {str(j): columns[:, j] for j in range(columns.shape[1])} | {_TARGET: y}
        own = getattr(backend, "rank", None)
        rank = own or partial(tables.rank, backend=backend)
        self._rank = partial(rank, level=level, unit=unit, progress=False)

    def alone(self) -> list[Estimate]:
        """I(column; target) of every column."""
        return self._estimates(_TARGET, [name for name in self._frame if name != _TARGET])

    def mrmr(self, scores: FloatArray, s: int, rest: Sequence[int]) -> FloatArray:
        """I(f; target) - I(f; s) for every f of the rest."""
        shared = _means(self._estimates(str(s), [str(f) for f in rest]))
        return np.subtract(scores[list(rest)], shared)

    def jmi(self, scores: FloatArray, s: int, rest: Sequence[int]) -> FloatArray:
        """I({f, s}; target) - I(s; target) for every f of the rest."""
        groups = {f"{f}+{s}": [str(f), str(s)] for f in rest}
        return _means(self._estimates(_TARGET, [], groups)) - float(scores[s])

    def _estimates(
        self, target: str, columns: list[str], groups: dict[str, list[str]] | None = None
    ) -> list[Estimate]:
        ranking = self._rank(self._frame, target, columns=columns, groups=groups)
        estimates = {pair.x: _estimate(pair) for pair in ranking}
        return [estimates[name] for name in [*columns, *(groups or {})]]


def _greedy(
    candidates: list[int], scores: FloatArray, gain: _Gain, max_features: int, floor: float
) -> tuple[list[int], list[float]]:
    """First the first, then whichever has the largest mean gain; out is who gains too little over one."""
    order, rest = candidates[:1], candidates[1:]
    gains = [float(scores[j]) for j in order]
    total = np.zeros(len(rest))
    while rest and len(order) < max_features:
        over_last = gain(order[-1], rest)
        gains_enough = over_last > floor
        total = (total + over_last)[gains_enough]
        rest = [f for f, enough in zip(rest, gains_enough, strict=True) if enough]
        if rest:
            best = int(np.argmax(total))
            gains.append(float(total[best]) / len(order))
            order.append(rest.pop(best))
            total = np.delete(total, best)
    return order, gains


@contextmanager
def _opened(backend: Backend | str | None) -> Iterator[Backend | None]:
    """A client of the service at an address, closed afterwards; anything else as it is."""
    if isinstance(backend, str):
        from mizzle.client import Client

        with Client(backend) as client:
            yield client
        return
    ask = getattr(backend, "estimate_many", None)
    if backend is not None and (not callable(ask) or inspect.iscoroutinefunction(ask)):
        raise InvalidInput("backend must be None, the address of a service, or a mizzle.Client")
    yield backend


def _check_choice(redundancy: object, max_features: object) -> None:
    if redundancy not in (None, "mrmr", "jmi"):
        raise InvalidInput(f"redundancy is {short_repr(redundancy)}; it must be None, 'mrmr' or 'jmi'")
    if max_features is None:
        return
    if not isinstance(max_features, int | np.integer) or isinstance(max_features, bool) or max_features < 1:
        raise InvalidInput("max_features must be None or an integer of at least 1")


def _estimate(pair: PairResult) -> Estimate:
    if pair.error is not None:
        raise pair.error
    assert pair.estimate is not None
    return pair.estimate


def _means(estimates: Sequence[Estimate]) -> FloatArray:
    return np.array([estimate.mi for estimate in estimates], dtype=np.float64)
