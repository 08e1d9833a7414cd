"""Ranked problems for the laws of the compiled engine."""

from collections.abc import Iterable

import numpy as np
from all_families import FAMILIES

from mizzle.metadata_gen import dataset
from mizzle.model.preprocess import Table, prepare

SEED = 2_000_017  # no training had it
SHAPES = ((10, 1, 1), (11, 64, 64), (60, 3, 2), (129, 1, 4), (400, 2, 2), (701, 7, 3), (1500, 33, 20))


def drawn(count: int) -> list[Table]:
    """Of the meta-distribution."""
    return _varying(prepare(s.x, s.y) for s in (dataset(SEED, i) for i in range(count)))


def of_families(rows: int = 150) -> list[Table]:
    """One of every example of every family."""
    rng = np.random.default_rng(SEED)
    return _varying(prepare(*family.sample(rng, rows)) for family in FAMILIES.values())


def of_hostile_columns() -> list[Table]:
    """Ties, both zeros, rare values, copies, constants beside others, one value in half of the rows."""
    rng = np.random.default_rng(SEED)
    return _varying(prepare(*hostile(rng, n, dx, dy)) for n, dx, dy in SHAPES for hostile in HOSTILE)


def _varying(tables: Iterable[Table]) -> list[Table]:
    return [table for table in tables if not table.constant]


def _normal(rng, n, dx, dy):
    shared = rng.normal(size=(n, 1))
    return shared + rng.normal(size=(n, dx)), shared + rng.normal(size=(n, dy))


def _rounded(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    return x.round(), -y.round(1)


def _both_zeros(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    return np.where(abs(x) < 1, np.copysign(0.0, x), x), np.where(abs(y) < 0.5, np.copysign(0.0, y), y)


def _binary(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    return (x > 0.4).astype(float), (y > 0).astype(float)


def _rare(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    return np.hstack([x[:, 1:], np.arange(n)[:, None] == n // 2]), y


def _copies(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    return np.hstack([x, -x])[:, :64], np.hstack([x[:, :1], y])[:, :64]


def _constant_column(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    return np.hstack([x, np.ones((n, 1))])[:, -64:], y


def _heavy_tails(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    return x**3 / rng.normal(size=(n, 1)), y**3


def _copied_rows(rng, n, dx, dy):
    x, y = _normal(rng, n, dx, dy)
    rows = rng.integers(0, n // 2, n)
    return x[rows], y[rows]


HOSTILE = (
    *(_normal, _rounded, _both_zeros, _binary, _rare),
    *(_copies, _constant_column, _heavy_tails, _copied_rows),
)
