"""Two discrete variables, given by the table of their joint probabilities."""

from functools import cached_property

import numpy as np
from scipy.special import rel_entr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form


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
