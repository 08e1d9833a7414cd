"""Problems of known information whose sides look like rows of the data.

Latents are exactly normal inside each side: pairs (u, v) of copulas with normal margins, besides normals
without a partner, rotated inside a side. Injective maps of a side keep I(X;Y). A discrete column is the bin
of a uniform, linked with one column of the other side at most, and the information of that link is that of
the binned pair. Links are independent of each other, so the truth is their sum.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

from mizzle.adaptation.sides import FittedSide
from mizzle.data.arrays import FloatArray
from mizzle.metadata_gen.families.archimedean import ArchimedeanCopula
from mizzle.metadata_gen.families.binned import Binned
from mizzle.metadata_gen.families.copulas import Copula, NormalCopula, Rotated

_INDEPENDENT, _GATED, _ROTATED = 0.12, 0.2, 0.65  # shares of problems
_NATS = (0.03, 3.5)
_PER_LINK = 2.5  # nats, at most
_MEDIAN_OF_SQUARE = 0.4549  # of a standard normal number
MIN_ROWS, MAX_ROWS = 100, 2000
GROUP = 32  # problems through one pair of maps
_ARCHIMEDEAN = ("clayton", "gumbel", "frank")

Pair = tuple[FittedSide, FittedSide]


class Problem(NamedTuple):
    """A sample of known information in nats."""

    x: FloatArray
    y: FloatArray
    nats: float
    kind: str


class _Latents:
    """Normals of one side: continuous ones z, which will be rotated, and w, whose bins are discrete."""

    def __init__(self, side: FittedSide, rng: np.random.Generator, n: int) -> None:
        self.side = side
        self.z, self.w = (rng.standard_normal((n, k)) for k in (side.latents, len(side.edges)))
        self.free = [(False, i) for i in range(side.latents)] + [(True, i) for i in range(len(side.edges))]
        rng.shuffle(self.free)

    def edges(self, slot: tuple[bool, int]) -> FloatArray | None:
        """Inner edges of bins, of a discrete column."""
        return self.side.edges[slot[1]] if slot[0] else None

    def put(self, slot: tuple[bool, int], values: FloatArray) -> None:
        """Normal values of one latent, shape (n,)."""
        (self.w if slot[0] else self.z)[:, slot[1]] = values

    def rotate(self, rng: np.random.Generator) -> None:
        """Turn the continuous ones, which stay normal and independent, in two problems of three."""
        k = self.z.shape[1]
        if k > 1 and rng.random() < _ROTATED:
            self.z = self.z @ np.linalg.qr(rng.standard_normal((k, k)))[0]

    def varies(self) -> bool:
        """Whether not all columns are constant, which discrete ones may be by chance."""
        bins = (np.searchsorted(edges, ndtr(w)) for edges, w in zip(self.side.edges, self.w.T, strict=True))
        return self.side.latents > 0 or any((b != b[0]).any() for b in bins)


class _Draft(NamedTuple):
    """A problem whose sides have not gone through their maps."""

    left: _Latents
    right: _Latents
    nats: float
    kind: str


def draw(maps: Pair, rngs: Iterable[np.random.Generator], rows: int) -> list[Problem]:
    """Problems through the maps of two sides, each map applied once to the rows of all of them.

    Args:
        rngs: one for each problem.
        rows: most of a problem; how many it has is log-uniform.
    """
    drafts = [_draft(*maps, rng, rows) for rng in rngs]
    xs = _through(maps[0], [draft.left for draft in drafts])
    ys = _through(maps[1], [draft.right for draft in drafts])
    return [Problem(x, y, draft.nats, draft.kind) for x, y, draft in zip(xs, ys, drafts, strict=True)]


def _draft(left: FittedSide, right: FittedSide, rng: np.random.Generator, rows: int) -> _Draft:
    n = round(float(np.exp(rng.uniform(np.log(MIN_ROWS), np.log(max(rows, MIN_ROWS + 1))))))
    while True:
        sides = _Latents(left, rng, n), _Latents(right, rng, n)
        nats, kind = _linked(*sides, rng)
        if all(side.varies() for side in sides):
            for side in sides:
                side.rotate(rng)
            return _Draft(*sides, nats, kind)


def _through(side: FittedSide, latents: list[_Latents]) -> list[FloatArray]:
    """Rows of a side, of several problems."""
    z, w = (np.concatenate([getattr(own, name) for own in latents]) for name in ("z", "w"))
    return np.split(side.rows(z, ndtr(w)), np.cumsum([len(own.z) for own in latents])[:-1])


def _linked(left: _Latents, right: _Latents, rng: np.random.Generator) -> tuple[float, str]:
    """Link latents of both sides; I(X;Y) in nats, and what kind of problem it became."""
    if rng.random() < _INDEPENDENT:
        return 0.0, "independent"
    limit = min(len(left.free), len(right.free))
    count = 1 + int(rng.integers(limit)) if rng.random() < 0.6 else min(limit, 1 + int(rng.integers(3)))
    total = float(np.exp(rng.uniform(*np.log(_NATS))))
    parts = np.minimum(rng.dirichlet(np.full(count, 1.0)) * total, _PER_LINK)
    if rng.random() < _GATED and (gated := _gate(left, right, float(parts.max()), rng)) is not None:
        return gated, "gated"
    links = [_link(left, right, float(nats), rng) for nats in parts]
    return float(sum(links)), "pairs"


def _link(left: _Latents, right: _Latents, nats: float, rng: np.random.Generator) -> float:
    """One pair of latents through a copula; its information in nats."""
    a, b = left.free.pop(), right.free.pop()
    copula = _copula(nats, rng)
    u, v = copula.sample(rng, len(left.z))
    left.put(a, ndtri(u[:, 0]))
    right.put(b, ndtri(v[:, 0]))
    first, second = left.edges(a), right.edges(b)
    family = copula if first is None and second is None else Binned(copula, first, second)
    return family.mi().nats


def _copula(nats: float, rng: np.random.Generator) -> Copula:
    """One of about this information: normal, or of Kendall's tau of such a normal."""
    r = np.sqrt(-np.expm1(-2.0 * nats))
    if rng.random() < 0.6:
        return NormalCopula(float(r * rng.choice((-1, 1))))
    tau = float(np.clip(2.0 / np.pi * np.arcsin(r), 0.02, 0.9))
    upright = ArchimedeanCopula.from_tau(str(rng.choice(_ARCHIMEDEAN)), tau)
    return Rotated(upright, int(rng.choice((0, 90, 180, 270))))


def _gate(left: _Latents, right: _Latents, nats: float, rng: np.random.Generator) -> float | None:
    """c = s(b) r a + sqrt(1 - r^2) e with s = 1 where b^2 is above its median, and else -1.

    a and b are of one side, c of the other.

    c is normal given (a, b) and by itself, as s is independent of a: I = -1/2 log(1 - r^2). None where no
    side has two continuous latents and the other one.
    """
    sides = [(left, right), (right, left)]
    rng.shuffle(sides)
    for two, other in sides:
        pair, single = ([s for s in side.free if not s[0]] for side in (two, other))
        if len(pair) > 1 and single:
            a, b = (two.z[:, slot[1]] for slot in pair[:2])
            r = float(np.sqrt(-np.expm1(-2.0 * nats)))
            noise = rng.standard_normal(len(a))
            other.put(single[0], np.sign(b * b - _MEDIAN_OF_SQUARE) * r * a + np.sqrt(1.0 - r * r) * noise)
            return nats
    return None


def groups(maps: list[Pair], seed: int, count: int, rows: int) -> list[Callable[[], list[Problem]]]:
    """Functions that make problems, `GROUP` each, in any order and thread.

    Maps of x take turns, and each meets every map of y in time: the more pairs, the less is peculiar to one.
    """
    lefts, rights = zip(*maps, strict=True)
    m = len(maps)
    return [
        partial(
            _group,
            (lefts[i % m], rights[(i + i // m) % m]),
            seed,
            range(start, min(start + GROUP, count)),
            rows,
        )
        for i, start in enumerate(range(0, count, GROUP))
    ]


def _group(maps: Pair, seed: int, places: range, rows: int) -> list[Problem]:
    seeds = (np.random.SeedSequence(seed, spawn_key=(i,)) for i in places)
    return draw(maps, map(np.random.default_rng, seeds), rows)
