"""Mutual information as a share of what it could be: the smaller entropy of two discrete sides."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mizzle.backends.effects import Compute, Steps, perform_compute, run
from mizzle.backends.local import LocalBackend
from mizzle.backends.reduced import Many
from mizzle.data.arrays import FloatArray
from mizzle.data.samples import Missing, Sample, read_sample
from mizzle.types import Estimate, Normalized

_DISCRETE: Final = 0.2  # different rows, as a share of n, up to which a side counts as discrete


def normalized(x: object, y: object, *, missing: Missing = "raise") -> Normalized:
    """The posterior of I(X;Y) on a scale from 0 to 1.

    Where both sides are discrete (at most n / 5 different rows), I / min(H(X), H(Y)): 1 where the side of
    less entropy is a function of the other. Entropies are those of the counts with the correction of Miller
    and Madow (1955). Otherwise the information coefficient of correlation; see `Estimate.normalized`.

    Args:
        x, y, missing: as for `mizzle.estimate`.

    Raises:
        InvalidInput, MissingExtra, ModelUnavailable: as `mizzle.estimate`.
    """
    return run(steps(LocalBackend(), x, y, missing), perform_compute)


def steps(backend: Many, x: object, y: object, missing: Missing = "raise") -> Steps[Normalized]:
    """The steps to the answer by any backend; see `normalized`."""
    sample: Sample = yield Compute(read_sample, (x, y, missing))
    [outcome] = yield from backend.estimate_many([(sample.x, sample.y)], False, "return")
    if not isinstance(outcome, Estimate):
        raise outcome
    counts = [_counts(side) for side in (sample.x, sample.y)]
    if not all(len(count) <= _DISCRETE * len(sample.x) for count in counts):
        return outcome.normalized
    entropy = min(map(_entropy, counts))
    mean, *values = (min(mi / entropy, 1.0) if entropy else 0.0 for mi in (outcome.mi, *outcome.values))
    return Normalized(mean, outcome.levels, tuple(values))


def _counts(side: FloatArray) -> NDArray[np.int64]:
    """How often each different row comes."""
    return np.asarray(np.unique(side, axis=0, return_counts=True)[1], np.int64)


def _entropy(counts: NDArray[np.int64]) -> float:
    """In nats."""
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum() + (len(counts) - 1) / (2 * counts.sum()))
