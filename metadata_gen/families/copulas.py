"""Pairs with uniform marginals: the contract of a copula, the normal one, rotations and mixtures."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri, owens_t  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form
from mizzle.metadata_gen.montecarlo import SEED, lattice, tolerance

Nodes = tuple[Array, Array, Array]  # u, v and weight of every node of a quadrature

EDGE: Final = 2.0**-53  # u and 1 - u are never below: the last float before 1
SHIFTS: Final = 8  # lattices of the first pass over a mixture; every further pass doubles the total
MAX_SHIFTS: Final = 1024
LATTICE: Final = 512  # points of one


class Copula(Family):
    """A family of one column a side whose marginals are uniform on (0, 1). Arguments u and v broadcast."""

    def __init__(self, name: str) -> None:
        super().__init__(name, 1, 1)

    @abstractmethod
    def pairs(self, rng: Rng, n: int) -> tuple[Array, Array]:
        """Draw n independent rows: u and v, each of shape (n,)."""

    @abstractmethod
    def log_density(self, u: Array, v: Array) -> Array:
        """log c(u,v), which is the pmi, in nats."""

    @abstractmethod
    def cdf(self, u: Array, v: Array) -> Array:
        """C(u,v) = P(U <= u, V <= v)."""

    @abstractmethod
    def given_y(self, u: Array, v: Array) -> Array:
        """P(U <= u | V = v) = dC/dv."""

    def given_x(self, u: Array, v: Array) -> Array:
        """P(V <= v | U = u) = dC/du; this one is right for an exchangeable copula, C(u,v) = C(v,u)."""
        return self.given_y(v, u)

    @abstractmethod
    def nodes(self, p: Array) -> Nodes:
        """A change of variables from the unit square: u, v and a weight for every row of p, shape (n, 2).

        The mean of weight f(u, v) over uniform p is the expectation of f(U, V).
        """

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        """As `pairs`, each of shape (n, 1) and strictly inside (0, 1)."""
        u, v = self.pairs(rng, n)
        return open_interval(u)[:, None], open_interval(v)[:, None]

    def pmi(self, x: Array, y: Array) -> Array:
        """log c(u,v), since both marginal densities are 1."""
        return self.log_density(open_interval(x[:, 0]), open_interval(y[:, 0]))


class NormalCopula(Copula):
    """(Phi(X), Phi(Y)) of normal X and Y with correlation r: I = -1/2 log(1 - r^2) nats.

    Args:
        correlation: r, in (-1, 1).

    Raises:
        InvalidInput: r is outside (-1, 1).
    """

    def __init__(self, correlation: float) -> None:
        super().__init__("normal copula")
        if not -1.0 < correlation < 1.0:
            raise InvalidInput(f"correlation is {correlation}; it must lie between -1 and 1")
        self.correlation, self._own = correlation, math.sqrt(1.0 - correlation**2)

    def pairs(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, noise = rng.standard_normal((2, n))
        return ndtr(x), ndtr(self.correlation * x + self._own * noise)

    def mi(self) -> Truth:
        return closed_form(-math.log(self._own))

    def log_density(self, u: Array, v: Array) -> Array:
        """-log q - (r^2 (x^2 + y^2) - 2 r x y) / (2 q^2), with q^2 = 1 - r^2 and normal scores x, y."""
        x, y, r = ndtri(u), ndtri(v), self.correlation
        return np.asarray(
            r * (2.0 * x * y - r * (x * x + y * y)) / (2.0 * self._own**2) - math.log(self._own)
        )

    def cdf(self, u: Array, v: Array) -> Array:
        """(u + v)/2 - T(x, (y/x - r)/q) - T(y, (x/y - r)/q), less 1/2 if x y < 0, T Owen's (Owen 1956)."""
        x, y = (np.where(z == 0.0, 1e-99, z) for z in (ndtri(u), ndtri(v)))  # the limit at 0
        of_x, of_y = (owens_t(a, (b / a - self.correlation) / self._own) for a, b in ((x, y), (y, x)))
        return np.asarray((u + v) / 2.0 - of_x - of_y - np.where(x * y < 0.0, 0.5, 0.0))

    def given_y(self, u: Array, v: Array) -> Array:
        """Phi((x - r y) / q), with q^2 = 1 - r^2 and normal scores x, y."""
        return np.asarray(ndtr((ndtri(u) - self.correlation * ndtri(v)) / self._own))

    def nodes(self, p: Array) -> Nodes:
        x, noise = ndtri(p).T
        u, v = ndtr(x), ndtr(self.correlation * x + self._own * noise)
        return open_interval(u), open_interval(v), np.ones(len(p))


class Rotated(Copula):
    """(1 - U, V) at 90 degrees, (1 - U, 1 - V) at 180 and (U, 1 - V) at 270: I is that of the base.

    Raises:
        InvalidInput: another angle.
    """

    def __init__(self, base: Copula, degrees: int) -> None:
        super().__init__(base.name)
        if degrees not in (0, 90, 180, 270):
            raise InvalidInput(f"a rotation by {degrees} degrees; 0, 90, 180 or 270 keep the marginals")
        self.base, self.degrees = base, degrees
        self._flip_x, self._flip_y = degrees in (90, 180), degrees in (180, 270)

    def pairs(self, rng: Rng, n: int) -> tuple[Array, Array]:
        return self._turn(*self.base.pairs(rng, n))

    def mi(self) -> Truth:
        return self.base.mi()

    def log_density(self, u: Array, v: Array) -> Array:
        return self.base.log_density(*self._turn(u, v))

    def cdf(self, u: Array, v: Array) -> Array:
        """At 90 degrees P(U >= 1 - u, V <= v) = v - C(1 - u, v), and so on."""
        base = self.base.cdf(*self._turn(u, v))
        return {0: base, 90: v - base, 180: u + v - 1.0 + base, 270: u - base}[self.degrees]

    def given_y(self, u: Array, v: Array) -> Array:
        below = self.base.given_y(*self._turn(u, v))
        return 1.0 - below if self._flip_x else below

    def given_x(self, u: Array, v: Array) -> Array:
        below = self.base.given_x(*self._turn(u, v))
        return 1.0 - below if self._flip_y else below

    def nodes(self, p: Array) -> Nodes:
        u, v, weights = self.base.nodes(p)
        return *self._turn(u, v), weights

    def _turn(self, u: Array, v: Array) -> tuple[Array, Array]:
        return 1.0 - u if self._flip_x else u, 1.0 - v if self._flip_y else v


class CopulaMixture(Copula):
    """c(u,v) = sum_k w_k c_k(u,v), whose marginals stay uniform.

    I = sum_k w_k E_k log c nats, each E_k over lattices in the component's own coordinates. Random shifts
    make each lattice unbiased, and their spread is the standard error (Cranley & Patterson 1976).

    Args:
        weights: w, positive with sum 1.
        copulas: the components, as many.

    Raises:
        InvalidInput: the weights do not fit.
    """

    def __init__(
        self, weights: Sequence[float], copulas: Sequence[Copula], name: str = "copula mixture"
    ) -> None:
        super().__init__(name)
        if len(weights) != len(copulas) or not abs(sum(weights) - 1.0) <= 1e-9 or min(weights) <= 0.0:
            raise InvalidInput(f"{len(copulas)} copulas need as many positive weights, which sum to 1")
        self.weights, self.copulas = np.array(weights, dtype=np.float64), tuple(copulas)

    def pairs(self, rng: Rng, n: int) -> tuple[Array, Array]:
        counts = rng.multinomial(n, self.weights)
        parts = [c.pairs(rng, int(k)) for c, k in zip(self.copulas, counts, strict=True)]
        order = rng.permutation(n)
        u, v = (np.concatenate(side)[order] for side in zip(*parts, strict=True))
        return u, v

    def mi(self) -> Truth:
        return self._truth

    @cached_property
    def _truth(self) -> Truth:
        rng, means = np.random.default_rng(SEED), np.empty(0)
        while True:
            means = np.append(means, self._estimates(rng.random((max(SHIFTS, len(means)), 2))))
            nats, stderr = max(0.0, float(means.mean())), float(means.std(ddof=1)) / len(means) ** 0.5
            if stderr <= tolerance(nats) or len(means) >= MAX_SHIFTS:
                return Truth(nats, stderr)

    def _estimates(self, shifts: Array) -> Array:
        """One for every shift; smoothstep makes the integrand periodic, which suits a lattice."""
        q = np.concatenate([lattice(LATTICE, shift) for shift in shifts])
        total = np.zeros(len(q))
        for weight, copula in zip(self.weights, self.copulas, strict=True):
            u, v, density = copula.nodes(q * q * (3.0 - 2.0 * q))
            total += weight * density * self.log_density(u, v)
        total *= (6.0 * q * (1.0 - q)).prod(axis=1)
        return np.asarray(total.reshape(len(shifts), LATTICE).mean(axis=1))

    def log_density(self, u: Array, v: Array) -> Array:
        """log sum_k w_k c_k(u,v)."""
        logs = [c.log_density(u, v) + w for c, w in zip(self.copulas, np.log(self.weights), strict=True)]
        return np.asarray(np.logaddexp.reduce(logs))

    def cdf(self, u: Array, v: Array) -> Array:
        return self._average([c.cdf(u, v) for c in self.copulas])

    def given_y(self, u: Array, v: Array) -> Array:
        return self._average([c.given_y(u, v) for c in self.copulas])

    def given_x(self, u: Array, v: Array) -> Array:
        return self._average([c.given_x(u, v) for c in self.copulas])

    def nodes(self, p: Array) -> Nodes:
        """Every component owns an interval of p[:, 0] as long as its weight."""
        ends = np.cumsum(self.weights)
        owners = np.searchsorted(ends[:-1], p[:, 0])
        nodes = np.empty((3, len(p)))
        for k, copula in enumerate(self.copulas):
            first, second = p[owners == k].T
            first = 1.0 - (ends[k] - first) / self.weights[k]
            nodes[:, owners == k] = copula.nodes(open_interval(np.column_stack([first, second])))
        return nodes[0], nodes[1], nodes[2]

    def _average(self, values: Sequence[Array]) -> Array:
        return np.asarray(np.tensordot(self.weights, values, axes=1))


def open_interval(u: Array) -> Array:
    """u moved off the ends of [0, 1] by at most 2^-53, so that quantile functions stay finite."""
    return np.clip(u, EDGE, 1.0 - EDGE)
