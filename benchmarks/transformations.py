"""Draws of the prior, changed in ways whose effect on the mutual information is a law; all in nats."""

from collections.abc import Iterator

import numpy as np
from exports import Case

from mizzle.metadata_gen import Family, draw
from mizzle.metadata_gen.family import Array, Rng

SEED = 2_000_111
ROWS = 500
COLUMNS = 32  # of one side, so that two problems side by side fit the estimator
NOISE = 0.5  # standard deviation of the noise, in interquartile ranges of the column


def cases(count: int) -> list[Case]:
    """Every change of `count` problems, labelled by the change; `seed` is the problem."""
    return [case for i in range(count) for case in _changes(i)]


def _changes(i: int) -> Iterator[Case]:
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(i,)))
    family, other = _small(rng), _small(rng)
    (x, y), (x2, y2) = family.sample(rng, ROWS), other.sample(rng, ROWS)
    nats, other_nats = family.mi().nats, other.mi().nats
    unknown = float("nan")
    yield Case(x, y, nats, "original", family.name, i)
    yield Case(x2, y2, other_nats, "other", other.name, i)
    yield Case(np.hstack([x, x2]), np.hstack([y, y2]), nats + other_nats, "concatenated", family.name, i)
    yield Case(x, _noisy(rng, y), unknown, "noise", family.name, i)
    if family.dim_y > 1:
        yield Case(x, np.delete(y, rng.integers(family.dim_y), axis=1), unknown, "fewer", family.name, i)
    yield Case(np.hstack([x, x]), np.hstack([y, _half(y)]), nats, "copied", family.name, i)
    yield Case(x, rng.permutation(y), 0.0, "shuffled", family.name, i)
    yield Case(x, family.sample(rng, ROWS)[1], 0.0, "apart", family.name, i)


def _small(rng: Rng) -> Family:
    """A draw of the prior with at most COLUMNS on either side."""
    while max((family := draw(rng)).dim_x, family.dim_y) > COLUMNS:
        pass
    return family


def _noisy(rng: Rng, y: Array) -> Array:
    low, high = np.quantile(y, (0.25, 0.75), axis=0)
    return np.asarray(y + NOISE * (high - low) * rng.standard_normal(y.shape))


def _half(y: Array) -> Array:
    """The first half of the columns, rounded up."""
    return y[:, : (y.shape[1] + 1) // 2]
