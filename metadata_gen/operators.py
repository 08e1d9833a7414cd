"""Families made of families: MI is kept, or adds up."""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth
from mizzle.metadata_gen.independent import Noise
from mizzle.metadata_gen.warps import Warp

Order = NDArray[np.intp]


class MonotoneWarped(Family):
    """Every column through a strictly monotone map of its own: I(f(X); g(Y)) = I(X; Y).

    Args:
        warps_x, warps_y: one warp per column of either side.
    """

    def __init__(self, base: Family, warps_x: Sequence[Warp], warps_y: Sequence[Warp]) -> None:
        super().__init__(base.name, base.dim_x, base.dim_y)
        if (len(warps_x), len(warps_y)) != (base.dim_x, base.dim_y):
            raise InvalidInput(f"{len(warps_x)}+{len(warps_y)} warps for {base.dim_x}+{base.dim_y} columns")
        self.base, self.warps_x, self.warps_y = base, tuple(warps_x), tuple(warps_y)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return _forward(self.warps_x, x), _forward(self.warps_y, y)

    def mi(self) -> Truth:
        return self.base.mi()

    def pmi(self, x: Array, y: Array) -> Array:
        return self.base.pmi(_inverse(self.warps_x, x), _inverse(self.warps_y, y))


class Concatenated(Family):
    """Independent problems side by side: I = sum of the parts', stderr in quadrature."""

    def __init__(self, parts: Sequence[Family], name: str | None = None) -> None:
        label = "+".join(part.name for part in parts) if name is None else name
        super().__init__(label, sum(p.dim_x for p in parts), sum(p.dim_y for p in parts))
        self.parts = tuple(parts)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        xs, ys = zip(*(part.sample(rng, n) for part in self.parts), strict=True)
        return np.hstack(xs), np.hstack(ys)

    def mi(self) -> Truth:
        truths = [part.mi() for part in self.parts]
        return Truth(sum(t.nats for t in truths), math.hypot(*(t.stderr for t in truths)))

    def pmi(self, x: Array, y: Array) -> Array:
        xs = _split(x, [part.dim_x for part in self.parts])
        ys = _split(y, [part.dim_y for part in self.parts])
        terms = [p.pmi(a, b) for p, a, b in zip(self.parts, xs, ys, strict=True)]
        return np.asarray(np.sum(terms, axis=0))


class WithNuisance(Family):
    """Columns appended to either side that are independent of everything else: I is kept."""

    def __init__(self, base: Family, extra_x: Noise | None, extra_y: Noise | None) -> None:
        more_x, more_y = (0 if extra is None else extra.dim for extra in (extra_x, extra_y))
        super().__init__(base.name, base.dim_x + more_x, base.dim_y + more_y)
        self.base, self.extra_x, self.extra_y = base, extra_x, extra_y

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return _append(x, self.extra_x, rng), _append(y, self.extra_y, rng)

    def mi(self) -> Truth:
        return self.base.mi()

    def pmi(self, x: Array, y: Array) -> Array:
        return self.base.pmi(x[:, : self.base.dim_x], y[:, : self.base.dim_y])


class ColumnsShuffled(Family):
    """Columns in another order: column j of x is column perm_x[j] of the base; I is kept."""

    def __init__(self, base: Family, perm_x: Order, perm_y: Order) -> None:
        super().__init__(base.name, base.dim_x, base.dim_y)
        for perm, dim in ((perm_x, base.dim_x), (perm_y, base.dim_y)):
            if sorted(perm.tolist()) != list(range(dim)):
                raise InvalidInput(f"a permutation of {dim} columns must name each once")
        self.base, self.perm_x, self.perm_y = base, perm_x, perm_y

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return x[:, self.perm_x], y[:, self.perm_y]

    def mi(self) -> Truth:
        return self.base.mi()

    def pmi(self, x: Array, y: Array) -> Array:
        return self.base.pmi(x[:, np.argsort(self.perm_x)], y[:, np.argsort(self.perm_y)])


class Swapped(Family):
    """X and Y change places: I(Y; X) = I(X; Y)."""

    def __init__(self, base: Family) -> None:
        super().__init__(base.name, base.dim_y, base.dim_x)
        self.base = base

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return y, x

    def mi(self) -> Truth:
        return self.base.mi()

    def pmi(self, x: Array, y: Array) -> Array:
        return self.base.pmi(y, x)


def _forward(warps: Sequence[Warp], x: Array) -> Array:
    return np.column_stack([warp.forward(x[:, d]) for d, warp in enumerate(warps)])


def _inverse(warps: Sequence[Warp], y: Array) -> Array:
    return np.column_stack([warp.inverse(y[:, d]) for d, warp in enumerate(warps)])


def _append(x: Array, extra: Noise | None, rng: Rng) -> Array:
    return x if extra is None else np.hstack([x, extra.sample(rng, len(x))])


def _split(x: Array, dims: Sequence[int]) -> list[Array]:
    """The blocks of columns of x that the parts own."""
    return [x[:, a:b] for a, b in pairwise(accumulate(dims, initial=0))]
