"""Ranked problems for the laws of the compiled engine: a sample of them, and by `make native-law` all."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from all_families import FAMILIES

from mizzle.metadata_gen import dataset
from mizzle.model.preprocess import Table, prepare

Pair = tuple[np.ndarray, np.ndarray]
WHOLE = bool(os.environ.get("MIZZLE_NATIVE_LAW"))
SEED = 2_000_017  # no training had it
SHAPES = ((10, 1, 1), (11, 64, 64), (60, 3, 2), (129, 1, 4), (400, 2, 2), (701, 7, 3), (1500, 33, 20))
SIDES = ((1, 1), (1, 2), (2, 2), (4, 5), (1, 64), (64, 1), (8, 9), (9, 8), (16, 16), (64, 64))


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


def of_corners(*rows: int) -> list[Table]:
    """Sides of 1 to 64 columns; of the sample, each shape with another of the hostile columns."""
    rng = np.random.default_rng(SEED + 1)
    shapes = [(n, dx, dy) for n in rows for dx, dy in SIDES]
    kinds = [HOSTILE if WHOLE else HOSTILE[i % len(HOSTILE) :][:1] for i in range(len(shapes))]
    return _varying(
        prepare(*draw(rng, *shape)) for shape, own in zip(shapes, kinds, strict=True) for draw in own
    )


def many_rows(n: int) -> list[Table]:
    """A column against a column: continuous, rounded, with ties, heavy tails and copies, and independent."""
    rng = np.random.default_rng(SEED + 2)
    draws = (_normal, _rounded, _both_zeros, _binary, _heavy_tails, _copied_rows)
    pairs = [*(draw(rng, n, 1, 1) for draw in draws), (rng.normal(size=(n, 1)), rng.normal(size=(n, 1)))]
    return _varying(prepare(*pair) for pair in pairs)


def pairs() -> Iterator[Pair]:
    """Samples before they are ranked, for what must not change their answers."""
    rng = np.random.default_rng(SEED + 3)
    shapes = (*SHAPES, (10, 4, 4), (12, 8, 9), (600, 1, 1), (200, 64, 64)) if WHOLE else SHAPES[::2]
    yield from (draw(rng, *shape) for shape in shapes for draw in HOSTILE)


def changed(x: np.ndarray, y: np.ndarray) -> list[Pair]:
    """What shares as much information: other orders of rows and columns, sides exchanged, monotone maps."""
    order = np.random.default_rng(1).permutation(len(x))
    signs = np.where(np.arange(x.shape[1]) % 2, 1, -1)
    return [
        (x[order], y[order]),
        (x[:, ::-1], np.roll(y, 1, axis=1)),
        (y, x),
        (np.arctan(x / 1e3), np.cbrt(y) * 1e200),
        (x * signs, -y),
        (-y[order], x[order][:, ::-1] * signs),
    ]


def _varying(tables: Iterable[Table]) -> list[Table]:
    """Those that the network answers, and none by counting."""
    return [replace(table, labels=None) for table in tables if not table.constant]


PROBLEMS: dict[str, Callable[[], list[Table]]] = {
    "prior": lambda: drawn(2000 if WHOLE else 120),
    "families": of_families,
    "families of few rows": lambda: of_families(20),
    "families of 1,000 rows": lambda: of_families(1000)[:: 1 if WHOLE else 9],
    "hostile columns": of_hostile_columns,
    "few rows": lambda: of_corners(10, 11, 12, 20),
    "corners": lambda: of_corners(64, 65, 200),
    "corners of 3,000 rows": lambda: of_corners(3000)[:: 1 if WHOLE else 2],
    "more rows than in training": lambda: many_rows(100_000 if WHOLE else 12_000),
}


def _normal(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    shared = rng.normal(size=(n, 1))
    return shared + rng.normal(size=(n, dx)), shared + rng.normal(size=(n, dy))


def _rounded(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return x.round(), -y.round(1)


def _both_zeros(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return np.where(abs(x) < 1, np.copysign(0.0, x), x), np.where(abs(y) < 0.5, np.copysign(0.0, y), y)


def _binary(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return (x > 0.4).astype(float), (y > 0).astype(float)


def _rare(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return np.hstack([x[:, 1:], np.arange(n)[:, None] == n // 2]), y


def _copies(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return np.hstack([x, -x])[:, :64], np.hstack([x[:, :1], y])[:, :64]


def _constant_column(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return np.hstack([x, np.ones((n, 1))])[:, -64:], y


def _heavy_tails(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return x**3 / rng.normal(size=(n, 1)), y**3


def _copied_rows(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    rows = rng.integers(0, n // 2, n)
    return x[rows], y[rows]


HOSTILE = (
    *(_normal, _rounded, _both_zeros, _binary, _rare),
    *(_copies, _constant_column, _heavy_tails, _copied_rows),
)
