"""Estimates in this process: one shared estimator, loaded on first use and locked while it runs."""

import threading
from collections.abc import Iterable
from typing import Any

from mizzle import estimator as estimators
from mizzle.arrays import FloatArray, check_pair
from mizzle.errors import InvalidInput
from mizzle.estimator import EstimatorLike
from mizzle.pairs import check_numbered, numbered
from mizzle.types import Estimate

_lock = threading.Lock()
_shared: EstimatorLike | None = None


def estimate(x: object, y: object) -> Estimate:
    """The mutual information of two samples, row i of `x` observed together with row i of `y`.

    Args:
        x, y: shape (n,) or (n, d): numpy, lists, pandas, polars or torch.

    Raises:
        InvalidInput: the samples cannot be answered as they stand.
        MissingExtra: torch is not installed.
        ModelUnavailable: there are no usable weights.
    """
    left, right = check_pair(x, y)
    with _lock:
        model = _loaded()
        [answer] = model.run([model.prepare(left, right)])
    return answer


def estimate_many(pairs: Iterable[tuple[object, object]]) -> list[Estimate]:
    """Many problems of any sizes in few batches, answers in order.

    Raises:
        InvalidInput: with "pair i" in front, of the first pair that cannot be answered.
        MissingExtra, ModelUnavailable: as `estimate`.
    """
    checked = [check_numbered(i, pair) for i, pair in enumerate(pairs)]
    if not checked:
        return []
    with _lock:
        model = _loaded()
        return model.run([_prepare(model, i, *pair) for i, pair in enumerate(checked)])


def _loaded() -> EstimatorLike:
    """The shared estimator; the caller holds the lock."""
    global _shared
    if _shared is None:
        _shared = estimators.load()
    return _shared


def _prepare(model: EstimatorLike, i: int, x: FloatArray, y: FloatArray) -> Any:
    """`model.prepare` of pair number `i`."""
    try:
        return model.prepare(x, y)
    except InvalidInput as error:
        raise numbered(i, error) from None
