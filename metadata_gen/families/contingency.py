"""Two discrete variables, given by the table of their joint probabilities."""

from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import rel_entr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

FLOOR: Final = 0.02  # share of the uniform law in every law of levels: none of k is rarer than FLOOR / k


class ContingencyTable(Family):
    """P(X = i, Y = j) = p_ij, the levels numbered from 0: I = sum_ij p_ij log(p_ij / (p_i p_j)) nats.

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
        i, j = (np.rint(side[:, 0]).astype(np.intp) for side in (x, y))
        return np.asarray(self._log_ratios[i, j])

    @cached_property
    def _product(self) -> Array:
        return np.outer(self.probabilities.sum(axis=1), self.probabilities.sum(axis=0))

    @cached_property
    def _log_ratios(self) -> Array:
        ratios = self.probabilities / self._product
        return np.log(ratios, out=np.full(ratios.shape, -np.inf), where=ratios > 0.0)


def random_table(
    rng: Rng, levels_x: int, levels_y: int, concentration: float, coupling: float
) -> ContingencyTable:
    """(1 - coupling) p q^T + coupling J, where J has the marginals p and q and depends in one of three ways.

    J is, at equal odds, the matching of randomly ordered levels, Dirichlet cells, or a mixture of 2 to 4
    classes within which X and Y are independent.

    Args:
        concentration: of the Dirichlet laws; below 1 uneven, far above 1 nearly equal.
        coupling: 0 is independence, 1 is J itself.
    """
    if not 0.0 <= coupling <= 1.0:
        raise InvalidInput(f"coupling is {coupling}; it must lie in [0, 1]")
    kind = rng.integers(3)
    if kind == 0:
        coupled = _matched(rng, levels_x, levels_y, concentration)
    elif kind == 1:
        cells = rng.dirichlet(np.full(levels_x * levels_y, concentration)).reshape(levels_x, levels_y)
        coupled = (1.0 - FLOOR) * cells + FLOOR / cells.size
    else:
        coupled = _classes(rng, levels_x, levels_y, concentration)
    product = np.outer(coupled.sum(axis=1), coupled.sum(axis=0))
    return ContingencyTable((1.0 - coupling) * product + coupling * coupled)


def random_levels(rng: Rng, levels: int, concentration: float) -> Array:
    """Dirichlet probabilities of the levels, each at least FLOOR / levels."""
    drawn = rng.dirichlet(np.full(levels, concentration))
    return np.asarray((1.0 - FLOOR) * drawn + FLOOR / levels)


def _matched(rng: Rng, levels_x: int, levels_y: int, concentration: float) -> Array:
    """X and Y as one uniform number sees them that is cut into either's levels: Y's most probable partner."""
    of_x, of_y = (random_levels(rng, k, concentration) for k in (levels_x, levels_y))
    ends_x, ends_y = (np.minimum(np.cumsum(p), 1.0) for p in (of_x, of_y))
    overlap = np.minimum.outer(ends_x, ends_y) - np.maximum.outer(ends_x - of_x, ends_y - of_y)
    return np.asarray(np.maximum(overlap, 0.0)[rng.permutation(levels_x)])


def _classes(rng: Rng, levels_x: int, levels_y: int, concentration: float) -> Array:
    """sum_h r_h p(x|h) p(y|h): a table of low rank."""
    share = random_levels(rng, int(rng.integers(2, 5)), concentration)
    of_x, of_y = (
        np.array([random_levels(rng, k, concentration) for _ in share]) for k in (levels_x, levels_y)
    )
    return np.asarray(np.einsum("h,hx,hy->xy", share, of_x, of_y))
