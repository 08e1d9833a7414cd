"""Families made of other families: MI is kept, or changes by a formula."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
from scipy.special import rel_entr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.independent import Noise
from mizzle.metadata_gen.family import Array, Family, Rng, Truth
from mizzle.metadata_gen.maps.side_map import Injection, Order, SideMap
from mizzle.metadata_gen.maps.warps import Columnwise, Warp
from mizzle.metadata_gen.montecarlo import SEED, tolerance

Copies = Sequence[int] | Order
ZERO: Final = 1e-12  # what a warp and its inverse may make of 0
FIRST_ROWS: Final = 1024  # of the integral of a contaminated family; they tell how many the next pass needs
MAX_ROWS: Final = 2**16


class _Operator(Family):
    """A family made of one other; as long as nothing else is said, MI is kept."""

    def __init__(self, base: Family, dim_x: int, dim_y: int, name: str | None = None) -> None:
        super().__init__(base.name if name is None else name, dim_x, dim_y)
        self.base = base

    @property
    def continuous(self) -> bool:
        return self.base.continuous

    def mi(self) -> Truth:
        return self.base.mi()


class MonotoneWarped(_Operator):
    """Every column goes through a strictly monotone map of its own: I(f(X); g(Y)) = I(X; Y).

    Args:
        warps_x, warps_y: one warp per column of either side.

    Raises:
        InvalidInput: there is not one warp per column.
    """

    def __init__(self, base: Family, warps_x: Sequence[Warp], warps_y: Sequence[Warp]) -> None:
        super().__init__(base, base.dim_x, base.dim_y)
        if (len(warps_x), len(warps_y)) != (base.dim_x, base.dim_y):
            raise InvalidInput(f"{len(warps_x)}+{len(warps_y)} warps for {base.dim_x}+{base.dim_y} columns")
        self.map_x, self.map_y = Columnwise(warps_x), Columnwise(warps_y)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return self.map_x.forward(x), self.map_y.forward(y)

    def pmi(self, x: Array, y: Array) -> Array:
        """That of the base, at the inverse images."""
        return self.base.pmi(self.map_x.inverse(x), self.map_y.inverse(y))


class SideWarped(_Operator):
    """All columns of a side go through one injective map: I(f(X); g(Y)) = I(X; Y).

    Args:
        map_x, map_y: None leaves the side as it is. There is a pmi only where the maps have inverses.
        name: a label of its own, instead of the base's.

    Raises:
        InvalidInput: a map does not take as many columns as the side has.
    """

    def __init__(
        self, base: Family, map_x: Injection | None, map_y: Injection | None, *, name: str | None = None
    ) -> None:
        super().__init__(base, _dim_out(map_x, base.dim_x), _dim_out(map_y, base.dim_y), name)
        self.map_x, self.map_y = map_x, map_y

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return self.map_x.forward(x) if self.map_x else x, self.map_y.forward(y) if self.map_y else y

    def pmi(self, x: Array, y: Array) -> Array:
        """That of the base, at the inverse images.

        Raises:
            InvalidInput: a map is injective, but its inverse is not known.
        """
        return self.base.pmi(_unmapped(self.map_x, x), _unmapped(self.map_y, y))


class Concatenated(Family):
    """Independent problems side by side: I is the sum over the parts, and so is the pmi.

    Standard errors add in quadrature; where the same part comes several times, its error adds up.
    """

    def __init__(self, parts: Sequence[Family], name: str | None = None) -> None:
        label = "+".join(part.name for part in parts) if name is None else name
        super().__init__(label, sum(p.dim_x for p in parts), sum(p.dim_y for p in parts))
        self.parts = tuple(parts)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        xs, ys = zip(*(part.sample(rng, n) for part in self.parts), strict=True)
        return np.hstack(xs), np.hstack(ys)

    @property
    def continuous(self) -> bool:
        return all(part.continuous for part in self.parts)

    def mi(self) -> Truth:
        truths = [(part.mi(), count) for part, count in Counter(self.parts).items()]
        return Truth(sum(k * t.nats for t, k in truths), math.hypot(*(k * t.stderr for t, k in truths)))

    def pmi(self, x: Array, y: Array) -> Array:
        xs = _split(x, [part.dim_x for part in self.parts])
        ys = _split(y, [part.dim_y for part in self.parts])
        terms = [p.pmi(a, b) for p, a, b in zip(self.parts, xs, ys, strict=True)]
        return np.asarray(np.sum(terms, axis=0))


class WithNuisance(_Operator):
    """Columns appended to either side that are independent of everything else: I is kept.

    Args:
        extra_x, extra_y: the appended columns; None appends nothing.
    """

    def __init__(self, base: Family, extra_x: Noise | None, extra_y: Noise | None) -> None:
        more_x, more_y = (0 if extra is None else extra.dim for extra in (extra_x, extra_y))
        super().__init__(base, base.dim_x + more_x, base.dim_y + more_y)
        self.extra_x, self.extra_y = extra_x, extra_y

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return _append(x, self.extra_x, rng), _append(y, self.extra_y, rng)

    @property
    def continuous(self) -> bool:
        extras = (self.extra_x, self.extra_y)
        return self.base.continuous and all(extra is None or extra.continuous for extra in extras)

    def pmi(self, x: Array, y: Array) -> Array:
        """That of the base, on the base's columns."""
        return self.base.pmi(x[:, : self.base.dim_x], y[:, : self.base.dim_y])


class WithCopies(_Operator):
    """Columns repeated, exactly or with noise: I is kept.

    X' = (X, X_j + noise_j N(0, 1) for every j of copies_x), and Y' likewise. Given X the appended columns
    depend on nothing else, so that X' -> X -> Y -> Y' is a Markov chain.

    Args:
        copies_x, copies_y: the columns of the base to append again; a column may come several times.
        noise: standard deviation of every appended column's own noise, X's columns first; 0 is an exact copy.

    Raises:
        InvalidInput: there is no such column, or not one noise >= 0 for every copy.
    """

    def __init__(self, base: Family, copies_x: Copies, copies_y: Copies, noise: Array) -> None:
        more_x, more_y = len(copies_x), len(copies_y)
        super().__init__(base, base.dim_x + more_x, base.dim_y + more_y)
        self.copies_x, self.copies_y = [int(j) for j in copies_x], [int(j) for j in copies_y]
        for copies, dim in ((self.copies_x, base.dim_x), (self.copies_y, base.dim_y)):
            if not set(copies) <= set(range(dim)):
                raise InvalidInput(f"copies {copies} must be columns of 0..{dim - 1}")
        if noise.shape != (more_x + more_y,) or not np.all((noise >= 0.0) & np.isfinite(noise)):
            raise InvalidInput(f"noise {noise} for {more_x}+{more_y} copies; each needs one number >= 0")
        self.noise_x, self.noise_y = noise[:more_x], noise[more_x:]

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return _repeated(x, self.copies_x, self.noise_x, rng), _repeated(y, self.copies_y, self.noise_y, rng)

    def pmi(self, x: Array, y: Array) -> Array:
        """That of the base, on the base's columns."""
        return self.base.pmi(x[:, : self.base.dim_x], y[:, : self.base.dim_y])


class ZeroInflated(_Operator):
    """Whole sides set to 0 at random: X' = A X and Y' = B Y, with masks (A, B) independent of (X, Y).

    The base is continuous and so never 0; then A is a function of X' and B of Y', and by the chain rule
    I(X';Y') = I(A;B) + P(A = B = 1) I(X;Y) nats:

    - independent masks: keep_x keep_y I;
    - shared: A = [U < keep_x] and B = [U < keep_y] with one U ~ U(0, 1), so P(A = B = 1) is the smaller keep;
      for equal ones A = B, and it is H(keep) + keep I with H(p) = -p log p - (1 - p) log(1 - p).

    Args:
        keep_x, keep_y: P(A = 1) and P(B = 1), in (0, 1].
        shared: whether both masks come from the same U.

    Raises:
        InvalidInput: the base is not continuous, or a probability is outside (0, 1].
    """

    def __init__(self, base: Family, keep_x: float, keep_y: float, shared: bool = False) -> None:
        super().__init__(base, base.dim_x, base.dim_y, "zero-inflated")
        if not base.continuous:
            raise InvalidInput(f"{base.name} is not continuous, so a row of zeros may be its own")
        if not (0.0 < keep_x <= 1.0 and 0.0 < keep_y <= 1.0):
            raise InvalidInput(f"keep_x is {keep_x} and keep_y {keep_y}; they must be in (0, 1]")
        self.keep_x, self.keep_y, self.shared = keep_x, keep_y, shared
        low, high = sorted((keep_x, keep_y))
        self._product = np.outer([1.0 - keep_x, keep_x], [1.0 - keep_y, keep_y])
        together = np.array([[1.0 - high, keep_y - low], [keep_x - low, low]])
        self._masks = together if shared else self._product  # P(a, b) in row a and column b

    @property
    def continuous(self) -> bool:
        return False

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        u, v = rng.random((2, n, 1))
        return x * (u < self.keep_x), y * ((u if self.shared else v) < self.keep_y)

    def mi(self) -> Truth:
        base, unmasked = self.base.mi(), float(self._masks[1, 1])
        of_masks = float(rel_entr(self._masks, self._product).sum())
        return Truth(of_masks + unmasked * base.nats, unmasked * base.stderr)

    def pmi(self, x: Array, y: Array) -> Array:
        """log P(a,b) / (P(a) P(b)), plus the base's pmi where a = b = 1.

        A row of nothing but 0 counts as masked, so no warp that moves 0 may lie on top of this if pmi is
        needed.
        """
        a, b = (np.abs(side).max(axis=1) > ZERO for side in (x, y))
        both = np.flatnonzero(a & b)
        with np.errstate(divide="ignore"):  # an impossible cell has pmi -inf, also where a side is never 0
            table = np.log(self._masks / np.maximum(self._product, 1e-300))
        pmi = np.asarray(table[a.astype(int), b.astype(int)])
        pmi[both] += self.base.pmi(x[both], y[both])
        return pmi


class Contaminated(_Operator):
    """With probability `share` a row's Y is an independent draw: (1 - share) p(x,y) + share p(x) p(y).

    The marginals stay, and with r the base's pmi I = (1 - share) E_joint log w(r) + share E_product log w(r)
    nats, w(r) = (1 - share) exp(r) + share. Either mean is taken over rows of the base, with control variates
    (Owen 2013, Monte Carlo theory, ch. 8): E_joint r = I_base where that has a closed form, and E_joint f(r)
    = E_product exp(r) f(r) for f = 1/w and f = log w / w. That takes a hundred times fewer rows than the mean
    of pmi does.

    Args:
        base: a family whose pmi is cheap.
        share: in (0, 1).

    Raises:
        InvalidInput: the share is outside (0, 1).
    """

    def __init__(self, base: Family, share: float) -> None:
        super().__init__(base, base.dim_x, base.dim_y, "contaminated")
        if not 0.0 < share < 1.0:
            raise InvalidInput(f"share is {share}; it must be in (0, 1)")
        self.share = share

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y, other = self._with_other(rng, n)
        return x, np.where(rng.random((n, 1)) < self.share, other, y)

    def mi(self) -> Truth:
        return self._truth

    def pmi(self, x: Array, y: Array) -> Array:
        """log((1 - share) exp(r) + share), r the pmi of the base."""
        return self._log_w(self.base.pmi(x, y))

    def _with_other(self, rng: Rng, n: int) -> tuple[Array, Array, Array]:
        """Rows of the base, and a Y that is independent of them."""
        x, y = self.base.sample(rng, n)
        return x, y, self.base.sample(rng, n)[1]

    def _log_w(self, r: Array) -> Array:
        return np.logaddexp(math.log1p(-self.share) + r, math.log(self.share))

    @cached_property
    def _truth(self) -> Truth:
        rng, rows = np.random.default_rng(SEED), FIRST_ROWS
        while True:
            truth = self._regressed(rng, rows)
            excess = truth.stderr / tolerance(truth.nats)
            if excess <= 1.0 or rows >= MAX_ROWS:
                return truth
            rows = min(MAX_ROWS, int(1.3 * excess**2 * rows) + FIRST_ROWS)

    def _regressed(self, rng: Rng, rows: int) -> Truth:
        """The terms of I regressed on the controls, which are centred: the intercept is their mean."""
        x, y, other = self._with_other(rng, rows)
        r, r_other, base = self.base.pmi(x, y), self.base.pmi(x, other), self.base.mi()
        log_w, log_w_other = self._log_w(r), self._log_w(r_other)
        joint, product = np.exp(-log_w), np.exp(r_other - log_w_other)  # f and exp(r) f for f = 1/w
        controls = [np.ones(rows), joint - product, joint * log_w - product * log_w_other]
        if base.stderr == 0.0:
            controls.append(r - base.nats)
        design, terms = np.column_stack(controls), (1.0 - self.share) * log_w + self.share * log_w_other
        weights = np.linalg.lstsq(design, terms)[0]
        residual = terms - design @ weights
        return Truth(max(0.0, float(weights[0])), float(residual.std()) / math.sqrt(rows - len(controls)))


class ColumnsShuffled(_Operator):
    """Columns in another order: column j of x is column perm_x[j] of the base; I is kept.

    Raises:
        InvalidInput: perm_x or perm_y does not name each column once.
    """

    def __init__(self, base: Family, perm_x: Order, perm_y: Order) -> None:
        super().__init__(base, base.dim_x, base.dim_y)
        for perm, dim in ((perm_x, base.dim_x), (perm_y, base.dim_y)):
            if sorted(perm.tolist()) != list(range(dim)):
                raise InvalidInput(f"a permutation of {dim} columns must name each once")
        self.perm_x, self.perm_y = perm_x, perm_y

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return x[:, self.perm_x], y[:, self.perm_y]

    def pmi(self, x: Array, y: Array) -> Array:
        """That of the base, with the columns back in order."""
        return self.base.pmi(x[:, np.argsort(self.perm_x)], y[:, np.argsort(self.perm_y)])


class Swapped(_Operator):
    """X and Y change places: I(Y; X) = I(X; Y)."""

    def __init__(self, base: Family) -> None:
        super().__init__(base, base.dim_y, base.dim_x)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y = self.base.sample(rng, n)
        return y, x

    def pmi(self, x: Array, y: Array) -> Array:
        return self.base.pmi(y, x)


def _append(x: Array, extra: Noise | None, rng: Rng) -> Array:
    return x if extra is None else np.hstack([x, extra.sample(rng, len(x))])


def _repeated(x: Array, copies: list[int], noise: Array, rng: Rng) -> Array:
    return np.hstack([x, x[:, copies] + noise * rng.standard_normal((len(x), len(copies)))])


def _unmapped(side_map: Injection | None, rows: Array) -> Array:
    """The rows whose images these are."""
    if side_map is None:
        return rows
    if not isinstance(side_map, SideMap):
        raise InvalidInput(f"{side_map} has no known inverse, so there is no pmi of its images")
    return side_map.inverse(rows)


def _dim_out(side_map: Injection | None, dim: int) -> int:
    """The number of columns that a side of dim columns has behind the map."""
    if side_map is not None and side_map.dim_in != dim:
        raise InvalidInput(f"{side_map} on a side of {dim} columns")
    return dim if side_map is None else side_map.dim_out


def _split(x: Array, dims: Sequence[int]) -> list[Array]:
    """The blocks of columns of x that the parts own."""
    return [x[:, a:b] for a, b in pairwise(accumulate(dims, initial=0))]
