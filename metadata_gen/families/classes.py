"""Classes shown as codes or as points of the class's cloud, and an event whose odds depend on a number.

Axes: `k` class, `n` row, `d` column.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq  # type: ignore[import-untyped]
from scipy.special import entr, expit, log_expit  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

Labels = NDArray[np.intp]
MAX_SLOPE: Final = 30.0  # the grid of x is fine enough for it
_X: Final = np.linspace(-9.0, 9.0, 901)
_WEIGHTS: Final = (_X[1] - _X[0]) * np.exp(-0.5 * _X**2) / math.sqrt(2.0 * math.pi)


class Representation(ABC):
    """What the rows of a class look like; the class can be read off every row.

    Attributes:
        classes: how many classes there are.
        dim: number of columns.
        continuous: whether no two rows can tie.
    """

    classes: int
    dim: int
    continuous: bool

    @abstractmethod
    def sample(self, rng: Rng, labels: Labels) -> Array:
        """A row of every one of these classes, shape (n, dim)."""

    @abstractmethod
    def labels(self, rows: Array) -> Labels:
        """The class of every row, shape (n,)."""


class Codes(Representation):
    """Row k of a matrix stands for class k: one-hot with `np.eye(k)`, or numbers in some order.

    Args:
        codes: shape (k, d).

    Raises:
        InvalidInput: two classes have the same code.
    """

    continuous = False

    def __init__(self, codes: Array) -> None:
        if codes.ndim != 2 or len(np.unique(codes, axis=0)) != len(codes):
            raise InvalidInput("codes must be a matrix whose rows all differ")
        self.codes = codes
        self.classes, self.dim = codes.shape

    def sample(self, rng: Rng, labels: Labels) -> Array:
        return self.codes[labels]

    def labels(self, rows: Array) -> Labels:
        """That of the nearest code, for a warp and its inverse may round."""
        return _nearest(rows, self.codes)


@dataclass(frozen=True, eq=False)
class Shape:
    """Within-class structure of `Clouds`: rank r, of c columns beside the q that tell classes apart.

    Attributes:
        spin: shape (k, q, r), how the factors move a point about the centre of its class.
        offsets: shape (k, c), the means of the further columns.
        loadings: shape (k, c, r), of the factors in the further columns.
        bends: shape (k, c, r), of the squares of the factors, less 1.
        scales: shape (c,), of each further column's own normal noise; positive.
    """

    spin: Array
    offsets: Array
    loadings: Array
    bends: Array
    scales: Array


class Clouds(Representation):
    """A cloud for every class, curved and of few dimensions, apart from the others by construction.

    A point of class k is (c_k + radius v / sqrt(1 + |v|^2), o_k + L_k z + B_k (z^2 - 1) + s e), rotated, with
    v = S_k z + e' / 4 and normal z, e, e'. The first q columns lie within `radius` of the centre c_k, and
    centres are more than two radii apart, so that the class is a function of the point.

    Args:
        centres: c, shape (k, q).
        radius: positive, below half the smallest distance of two centres.
        shape: S, o, L, B and s.
        rotation: orthogonal, shape (q + c, q + c).

    Raises:
        InvalidInput: the balls about the centres overlap, or shapes do not agree.
    """

    continuous = True

    def __init__(self, centres: Array, radius: float, shape: Shape, rotation: Array) -> None:
        self.classes, q = centres.shape
        self.dim = q + len(shape.scales)
        distances = np.linalg.norm(centres[:, None] - centres, axis=2) + np.diag(
            np.full(self.classes, np.inf)
        )
        if not 0.0 < radius < 0.499 * distances.min():
            raise InvalidInput(f"balls of radius {radius} about centres {distances.min()} apart overlap")
        if rotation.shape != (self.dim, self.dim) or shape.spin.shape[:2] != (self.classes, q):
            raise InvalidInput(f"shapes {rotation.shape} and {shape.spin.shape} for {self.dim} columns")
        self.centres, self.radius, self.shape, self.rotation = centres, radius, shape, rotation

    def sample(self, rng: Rng, labels: Labels) -> Array:
        n, q = len(labels), self.centres.shape[1]
        shape = self.shape
        z = rng.standard_normal((n, shape.spin.shape[2]))
        v = _of_class(shape.spin, labels, z) + 0.25 * rng.standard_normal((n, q))
        ball = v / np.sqrt(1.0 + np.square(v).sum(axis=1, keepdims=True))
        noise = shape.scales * rng.standard_normal((n, len(shape.scales)))
        curve = _of_class(shape.bends, labels, np.square(z) - 1.0)
        further = shape.offsets[labels] + _of_class(shape.loadings, labels, z) + curve + noise
        return np.asarray(np.hstack([self.centres[labels] + self.radius * ball, further]) @ self.rotation)

    def labels(self, rows: Array) -> Labels:
        """That of the nearest centre, in the columns that tell classes apart."""
        return _nearest(rows @ self.rotation[: self.centres.shape[1]].T, self.centres)


class ClassPair(Family):
    """Two classes drawn from a table, each shown in its own way: I is that of the table.

    Either class is a function of the side that shows it, and given the class the side depends on nothing
    else (Cover & Thomas 2006, section 2.8).

    Args:
        table: joint probabilities of the classes.
        side_x, side_y: how the classes look.

    Raises:
        InvalidInput: a side does not have as many classes as the table.
    """

    def __init__(
        self, table: ContingencyTable, side_x: Representation, side_y: Representation, name: str
    ) -> None:
        super().__init__(name, side_x.dim, side_y.dim)
        if table.probabilities.shape != (side_x.classes, side_y.classes):
            raise InvalidInput(
                f"{side_x.classes} and {side_y.classes} classes for {table.probabilities.shape}"
            )
        self.table, self.side_x, self.side_y = table, side_x, side_y

    @property
    def continuous(self) -> bool:
        return self.side_x.continuous and self.side_y.continuous

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        of_x, of_y = (side[:, 0].astype(np.intp) for side in self.table.sample(rng, n))
        return self.side_x.sample(rng, of_x), self.side_y.sample(rng, of_y)

    def mi(self) -> Truth:
        return self.table.mi()

    def pmi(self, x: Array, y: Array) -> Array:
        """That of the table, at the classes of the rows."""
        of_x, of_y = self.side_x.labels(x), self.side_y.labels(y)
        return self.table.pmi(of_x[:, None].astype(np.float64), of_y[:, None].astype(np.float64))


class LogisticEvent(Family):
    """X ~ N(0, 1) and P(Y = 1 | x) = q(x) = 1 / (1 + exp(-offset - slope x)).

    I = H(E q(X)) - E H(q(X)) nats with H the entropy of a coin, by the trapezoidal rule (McCullagh & Nelder
    1989, Generalized linear models, ch. 4, has the model).

    Args:
        offset: the log-odds at x = 0.
        slope: of the log-odds, at most MAX_SLOPE in size.

    Raises:
        InvalidInput: the slope is too large, or the offset infinite.

    >>> LogisticEvent(0.0, 0.0).mi().nats
    0.0
    """

    def __init__(self, offset: float, slope: float, name: str = "event") -> None:
        super().__init__(name, 1, 1)
        if not (abs(slope) <= MAX_SLOPE and math.isfinite(offset)):
            raise InvalidInput(f"no event of offset {offset} and slope {slope}")
        self.offset, self.slope = offset, slope

    @classmethod
    def with_rate(cls, rate: float, slope: float) -> "LogisticEvent":
        """The event of this slope whose probability is `rate`.

        Raises:
            InvalidInput: the rate is outside (0, 1), or the slope too large.
        """
        if not 0.0 < rate < 1.0:
            raise InvalidInput(f"rate is {rate}; it must be in (0, 1)")
        bound = 9.0 * abs(slope) + 40.0
        offset = brentq(lambda a: float(_WEIGHTS @ expit(a + slope * _X)) - rate, -bound, bound)
        return cls(float(offset), slope)

    @property
    def continuous(self) -> bool:
        return False

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = rng.standard_normal(n)
        happens = rng.random(n) < expit(self.offset + self.slope * x)
        return x[:, None], happens.astype(np.float64)[:, None]

    def mi(self) -> Truth:
        log_odds = self.offset + self.slope * _X
        chances = np.stack([expit(log_odds), expit(-log_odds)])
        return closed_form(float(entr(self._rates).sum() - entr(chances).sum(axis=0) @ _WEIGHTS))

    def pmi(self, x: Array, y: Array) -> Array:
        """log P(y | x) - log P(y)."""
        happens = np.rint(y[:, 0]) == 1.0
        log_odds = self.offset + self.slope * x[:, 0]
        happening, failing = self._rates
        log_rate = np.where(happens, math.log(happening), math.log(failing))
        return np.asarray(log_expit(np.where(happens, log_odds, -log_odds)) - log_rate)

    @cached_property
    def _rates(self) -> Array:
        """P(Y = 1) and P(Y = 0)."""
        log_odds = self.offset + self.slope * _X
        return np.array([_WEIGHTS @ expit(log_odds), _WEIGHTS @ expit(-log_odds)])


def _of_class(matrices: Array, labels: Labels, z: Array) -> Array:
    """M_k z for every row z and its class k, shapes (k, c, r) and (n, r) to (n, c)."""
    rows = np.empty((len(z), matrices.shape[1]))
    for k, matrix in enumerate(matrices):
        rows[labels == k] = z[labels == k] @ matrix.T
    return rows


def _nearest(rows: Array, centres: Array) -> Labels:
    """The nearest centre of every row, shape (n,)."""
    squares = np.square(centres).sum(axis=1) - 2.0 * rows @ centres.T
    return np.asarray(squares.argmin(axis=1))
