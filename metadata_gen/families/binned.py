"""Pairs of which only the bin is known, on one side or both: thresholds, rounding, grades."""

import math
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import ndtr, rel_entr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.families.copulas import Copula, open_interval
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

STEP: Final = 0.025  # in normal scores; errors are below 1e-7 up to Kendall's tau 0.9, 1e-5 at 0.95
SCORES: Final = np.arange(-6.0, 6.01, STEP)
NODES: Final = ndtr(SCORES), STEP * np.exp(-(SCORES**2) / 2.0) / math.sqrt(2.0 * math.pi)


class Binned(Family):
    """A copula whose X, Y or both are known up to a bin only; I is that of the binned pair.

    Both binned: I of the table of cells, whose probabilities are differences of C(u,v). One binned, say X =
    bin of U: I = int_0^1 sum_b q_b(v) log(q_b(v) / p_b) dv nats with q_b(v) = P(bin b | V = v) and p_b =
    P(bin b).

    Args:
        pair: the copula.
        edges_x, edges_y: inner edges of the bins in (0, 1), ascending; None leaves that side continuous.

    Raises:
        InvalidInput: neither side has edges, or they do not ascend strictly within (0, 1).
    """

    def __init__(self, pair: Copula, edges_x: Array | None, edges_y: Array | None) -> None:
        super().__init__("binned", 1, 1)
        if edges_x is None and edges_y is None:
            raise InvalidInput("neither side has edges; without bins it is the pair itself")
        self.pair, self.edges_x, self.edges_y = pair, _checked(edges_x), _checked(edges_y)

    @property
    def continuous(self) -> bool:
        return False

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        """Bins are numbered from 0; a side without edges stays uniform on (0, 1)."""
        x, y = self.pair.sample(rng, n)
        return bins(x, self.edges_x), bins(y, self.edges_y)

    def mi(self) -> Truth:
        """The sum over cells, or the integral over v by the trapezoidal rule in normal scores."""
        if self._table is not None:
            return self._table.mi()
        at, weights = NODES
        bins = self._bins_given(at)
        return closed_form(float(weights @ rel_entr(bins, self._levels).sum(axis=1)))

    def pmi(self, x: Array, y: Array) -> Array:
        """log(q_b(v) / p_b) of a row in bin b, or the table's where both sides are binned."""
        if self._table is not None:
            return self._table.pmi(x, y)
        bin_of, other = (x, y) if self.edges_y is None else (y, x)
        ratios = self._bins_given(open_interval(other[:, 0])) / self._levels
        own = np.take_along_axis(ratios, np.rint(bin_of).astype(np.intp), axis=1)[:, 0]
        return np.log(own, out=np.full(len(own), -np.inf), where=own > 0.0)

    @cached_property
    def _table(self) -> ContingencyTable | None:
        if self.edges_x is None or self.edges_y is None:
            return None
        cdf = np.zeros((len(self.edges_x) + 2, len(self.edges_y) + 2))
        cdf[1:-1, 1:-1] = self.pair.cdf(self.edges_x[:, None], self.edges_y)
        cdf[1:-1, -1], cdf[-1, 1:-1], cdf[-1, -1] = self.edges_x, self.edges_y, 1.0
        cells = np.diff(np.diff(cdf, axis=0), axis=1)
        return ContingencyTable(np.maximum(cells, 0.0))

    @property
    def _edges(self) -> Array:
        """Of the side that is binned, where the other is not."""
        edges = self.edges_y if self.edges_x is None else self.edges_x
        assert edges is not None
        return edges

    @property
    def _levels(self) -> Array:
        return np.diff(self._edges, prepend=0.0, append=1.0)

    def _bins_given(self, other: Array) -> Array:
        """The probability of every bin, shape (n, bins), given the continuous side, shape (n,)."""
        edges, condition = self._edges, other[:, None]
        below = (
            self.pair.given_x(condition, edges)
            if self.edges_x is None
            else self.pair.given_y(edges, condition)
        )
        return np.maximum(np.diff(below, axis=1, prepend=0.0, append=1.0), 0.0)


def bins(u: Array, edges: Array | None) -> Array:
    """Which bin numbers in (0, 1) fall into; without edges, the numbers themselves."""
    return u if edges is None else np.searchsorted(edges, u).astype(np.float64)


def rounding_edges(levels: int, skew: float) -> Array:
    """Inner edges in (0, 1) of the bins of a column that was rounded to equal steps.

    The column is z, or (exp(skew z) - 1) / skew, of a normal z; `levels` steps reach from z = -3 to z = 3.
    """
    low, high = (_skewed(z, skew) for z in (-3.0, 3.0))
    step = (high - low) / levels
    reach = [_skewed(z, skew) / step for z in (-4.0, 4.0)]
    values = step * (np.arange(math.ceil(reach[0]), math.floor(reach[1])) + 0.5)
    scores = values if skew == 0.0 else np.log1p(skew * values[skew * values > -1.0]) / skew
    edges = np.unique(ndtr(scores))
    inner: Array = edges[(edges > 0.0) & (edges < 1.0)]
    return inner


def _skewed(z: float, skew: float) -> float:
    return z if skew == 0.0 else math.expm1(skew * z) / skew


def _checked(edges: Array | None) -> Array | None:
    if edges is not None and not (len(edges) > 0 and np.all(np.diff(edges, prepend=0.0, append=1.0) > 0.0)):
        raise InvalidInput("edges must ascend strictly within (0, 1), at least one of them")
    return edges
