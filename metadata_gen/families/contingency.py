"""Two discrete variables, given by the table of their joint probabilities; and a label beside numbers."""

from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import entr, rel_entr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

POINTS: Final = 1200  # of a grid that is as good as continuous


class ContingencyTable(Family):
    """P(X = i, Y = j) = p_ij, the levels numbered from 0: I = sum_ij p_ij log(p_ij / (p_i p_j)) nats.

    Args:
        probabilities: p, shape (levels of X, levels of Y); they sum to 1, and no row or column is all 0.

    Raises:
        InvalidInput: the probabilities are no such table.

    >>> round(ContingencyTable(np.eye(2) / 2.0).mi().nats, 4)
    0.6931
    """

    def __init__(self, probabilities: Array, name: str = "contingency table") -> None:
        super().__init__(name, 1, 1)
        if (
            probabilities.ndim != 2
            or not np.all(probabilities >= 0.0)
            or abs(probabilities.sum() - 1.0) > 1e-9
        ):
            raise InvalidInput("probabilities must be a matrix without negative cells that sums to 1")
        if not (np.all(probabilities.sum(axis=0) > 0.0) and np.all(probabilities.sum(axis=1) > 0.0)):
            raise InvalidInput("a level has probability 0; drop its row or column")
        self.probabilities = probabilities

    @property
    def continuous(self) -> bool:
        return False

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        ends = np.cumsum(self.probabilities)
        cells = np.searchsorted(ends / ends[-1], rng.random(n), side="right")
        x, y = np.divmod(cells.astype(np.float64), self.probabilities.shape[1])
        return x[:, None], y[:, None]

    def mi(self) -> Truth:
        return closed_form(float(rel_entr(self.probabilities, self._product).sum()))

    def pmi(self, x: Array, y: Array) -> Array:
        """log(p_ij / (p_i p_j)) of each row's levels."""
        i, j = (np.rint(side[:, 0]).astype(np.intp) for side in (x, y))
        return np.asarray(self._log_ratios[i, j])

    @cached_property
    def _product(self) -> Array:
        return np.outer(self.probabilities.sum(axis=1), self.probabilities.sum(axis=0))

    @cached_property
    def _log_ratios(self) -> Array:
        ratios = self.probabilities / self._product
        return np.log(ratios, out=np.full(ratios.shape, -np.inf), where=ratios > 0.0)


class LabelledNumbers(Family):
    """X is one of k labels with probabilities p; Y given X = i is a point of a grid with probabilities t_i.

    I = H(Y) - sum_i p_i H(Y | i) nats, summed over the points. A grid of `POINTS` is as good as continuous:
    its points become intervals, within which no label is likelier than in the rest. Coarser ones make ties.

    Args:
        probabilities: p, shape (k,).
        table: t, shape (k, points).

    Raises:
        InvalidInput: the probabilities or a row of the table do not sum to 1, or there is only one point.
    """

    def __init__(self, probabilities: Array, table: Array) -> None:
        super().__init__("labelled numbers", 1, 1)
        if abs(probabilities.sum() - 1.0) > 1e-9 or np.abs(table.sum(axis=1) - 1.0).max() > 1e-9:
            raise InvalidInput("the probabilities and every row of the table must sum to 1")
        if table.shape[1] < 2:
            raise InvalidInput(f"there are {table.shape[1]} values of Y; at least 2 are needed")
        self.probabilities, self.table = probabilities, table

    @property
    def continuous(self) -> bool:
        return False

    @property
    def points(self) -> int:
        """How many points Y has."""
        return int(self.table.shape[1])

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        labels = rng.choice(len(self.probabilities), n, p=self.probabilities)
        ends = np.cumsum(self.table, axis=1) / np.sum(self.table, axis=1, keepdims=True)
        places = np.searchsorted((ends + np.arange(len(ends))[:, None]).ravel(), labels + rng.random(n))
        cells = np.asarray((places - labels * self.points).clip(0, self.points - 1), np.float64)
        y = cells + rng.random(n) if self.points == POINTS else cells
        return labels.astype(np.float64)[:, None], y[:, None]

    def mi(self) -> Truth:
        of_all = entr(self.probabilities @ self.table).sum()
        return closed_form(float(of_all - self.probabilities @ entr(self.table).sum(axis=1)))

    def pmi(self, x: Array, y: Array) -> Array:
        """log P(y | x) / P(y) of each row's cell."""
        labels, cells = x[:, 0].astype(np.intp), np.floor(y[:, 0]).astype(np.intp)
        odds = self.table[labels, cells] / (self.probabilities @ self.table)[cells]
        return np.asarray(np.log(odds))
