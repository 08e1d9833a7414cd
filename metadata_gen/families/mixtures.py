"""Finite mixtures of normals, and the label of the component as a variable of its own.

Axes: `k` component, `d` column, `n` row.
"""

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Truth, closed_form
from mizzle.metadata_gen.montecarlo import Integrated

REACH: Final = 9.0  # of a grid beyond the centres, in standard deviations
STEP: Final = 0.25  # of a grid, in the smallest standard deviation
MAX_CELLS: Final = 60_000  # of a grid of two columns
Labels = NDArray[np.intp]


class Components:
    """K normals with weights: p(z) = sum_k w_k N(z; m_k, L_k L_k^T).

    Args:
        weights: w, shape (k,), positive with sum 1.
        means: m, shape (k, d).
        factors: lower triangular L with positive diagonals, shape (k, d, d).

    Raises:
        InvalidInput: shapes do not agree, or the weights are not positive with sum 1.
    """

    def __init__(self, weights: Array, means: Array, factors: Array) -> None:
        k, d = means.shape
        if weights.shape != (k,) or factors.shape != (k, d, d):
            raise InvalidInput(
                f"shapes {weights.shape}, {means.shape}, {factors.shape} are no k, (k, d), (k, d, d)"
            )
        if not (np.all(weights > 0.0) and abs(weights.sum() - 1.0) < 1e-9):
            raise InvalidInput(f"weights must be positive and add up to 1; they add up to {weights.sum()}")
        self.weights, self.means, self.factors = weights, means, factors
        self._ends = np.cumsum(weights)[:-1]  # without the last end, rounding cannot step over it

    def part(self, columns: slice) -> "Components":
        """The marginal mixture of some of the columns."""
        rows = self.factors[:, columns]
        lower: Array = np.linalg.cholesky(rows @ rows.transpose(0, 2, 1)).astype(np.float64)
        return Components(self.weights, self.means[:, columns], lower)

    def labels(self, u: Array) -> Labels:
        """The component that each u in (0, 1) selects, shape (n,)."""
        return np.searchsorted(self._ends, u, side="right")

    def rows(self, labels: Labels, z: Array) -> Array:
        """m_k + L_k z for every row, shape (n, d), from standard normal z."""
        return np.asarray(self.means[labels] + np.einsum("nij,nj->ni", self.factors[labels], z))

    def squares(self, x: Array) -> Array:
        """The squares of L_k^-1 (x - m_k), shape (k, d, n); their sum over d is chi2 for rows of component k.

        As L is triangular, the first of the d are those of the marginal of as many columns.
        """
        whitened = self._whiteners @ np.vstack([x.T, np.ones(len(x))])
        np.square(whitened, out=whitened)
        return whitened.reshape(*self.means.shape, len(x))

    def log_terms(self, norms: Array) -> Array:
        """log(w_k N(x; m_k, L_k L_k^T)) from the summed squares, shape (k, n)."""
        return self._constants - 0.5 * norms

    def log_density(self, x: Array) -> Array:
        """log p(x), shape (n,)."""
        return _log_sum(self.log_terms(self.squares(x).sum(axis=1)))

    def grid(self) -> tuple[Array, float]:
        """Evenly spaced x that cover a mixture of one column, shape (m,), and their distance."""
        centres, deviations = self.means[:, 0], self.factors[:, 0, 0]
        low, high = (centres - REACH * deviations).min(), (centres + REACH * deviations).max()
        step = STEP * float(deviations.min())
        return np.arange(low, high + step, step), step

    def terms(self, grid: Array) -> Array:
        """w_k N(x; m_k, L_k^2) of a mixture of one column, shape (k, m)."""
        return np.asarray(np.exp(self.log_terms(self.squares(grid[:, None]).sum(axis=1))))

    def centred_labels(self, labels: Labels) -> Array:
        """Indicators of all components but the first, less their weights, shape (k - 1, n)."""
        return np.asarray((labels == np.arange(1, len(self.weights))[:, None]) - self.weights[1:, None])

    def centred_moments(self, x: Array) -> Array:
        """x_i and x_i x_j less their means, shape (d + d (d + 1) / 2, n)."""
        columns, (i, j) = np.ascontiguousarray(x.T), np.triu_indices(x.shape[1])
        mean, second = self._moments
        return np.vstack([columns - mean, columns[i] * columns[j] - second[i, j, None]])

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        """E x of shape (d, 1) and E x x^T."""
        outer = self.factors @ self.factors.transpose(0, 2, 1) + self.means[:, :, None] * self.means[:, None]
        return (self.weights @ self.means)[:, None], np.tensordot(self.weights, outer, axes=1)

    @cached_property
    def _whiteners(self) -> Array:
        """(L_k^-1, -L_k^-1 m_k), which takes (x, 1) to L_k^-1 (x - m_k): shape (k d, d + 1)."""
        whiteners = np.linalg.inv(self.factors)
        d = self.means.shape[1]
        both = np.concatenate([whiteners, -whiteners @ self.means[:, :, None]], axis=2)
        return np.asarray(both.reshape(-1, d + 1), dtype=np.float64)

    @cached_property
    def _constants(self) -> Array:
        volume = np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1)
        d = self.means.shape[1]
        return np.asarray((np.log(self.weights) - volume - 0.5 * d * np.log(2.0 * np.pi))[:, None])


class NormalMixture(Integrated):
    """(X, Y) ~ sum_k w_k N(m_k, S_k): r = log p(x,y) - log p(x) - log p(y), and I = E[r] nats is integrated.

    The marginals are the mixtures of the marginals. A component common to both sides makes them depend even
    where S_k has no correlation (Czyz et al. 2023, arXiv 2310.10240, section 4).

    Args:
        joint: the components, X's columns first.
        dim_x: number of columns of X.
    """

    def __init__(self, joint: Components, dim_x: int, name: str = "mixture") -> None:
        super().__init__(name, dim_x, joint.means.shape[1] - dim_x)
        self.joint = joint
        self.side_x, self.side_y = joint.part(slice(dim_x)), joint.part(slice(dim_x, None))
        self.normals = joint.means.shape[1]

    def rows(self, u: Array, z: Array) -> tuple[Array, Array]:
        rows = self.joint.rows(self.joint.labels(u), z)
        return rows[:, : self.dim_x], rows[:, self.dim_x :]

    def integrand(self, u: Array, z: Array) -> Array:
        """The pmi, and its controls: norms in the own component, labels, moments.

        Where there is one component, the pmi is a combination of them.
        """
        labels = self.joint.labels(u)
        rows = self.joint.rows(labels, z)
        squares = self.joint.squares(rows)
        norm_x, norm_y = squares[:, : self.dim_x].sum(1), self.side_y.squares(rows[:, self.dim_x :]).sum(1)
        norm = norm_x + squares[:, self.dim_x :].sum(1)
        sides = _log_sum(self.side_x.log_terms(norm_x)) + _log_sum(self.side_y.log_terms(norm_y))
        pmi = _log_sum(self.joint.log_terms(norm)) - sides
        own = np.stack([norm_x, norm_y, norm])[:, labels, np.arange(len(rows))]
        norms = own - np.array([[self.dim_x], [self.dim_y], [self.normals]])
        return np.vstack([pmi, norms, self.joint.centred_labels(labels), self.joint.centred_moments(rows)])

    @cached_property
    def _truth(self) -> Truth:
        """By the trapezoidal rule where the one column of either side is independent within components."""
        if self.normals == 2 and not self.joint.factors[:, 1, 0].any():
            (x, step_x), (y, step_y) = self.side_x.grid(), self.side_y.grid()
            if len(x) * len(y) <= MAX_CELLS:
                terms_x, terms_y = self.side_x.terms(x), self.side_y.terms(y) / self.joint.weights[:, None]
                joint = terms_x.T @ terms_y
                product = np.outer(terms_x.sum(axis=0), self.side_y.terms(y).sum(axis=0))
                return closed_form(float(rel_entr(joint, product).sum()) * step_x * step_y)
        return self._integrated()

    def pmi(self, x: Array, y: Array) -> Array:
        """log p(x,y) - log p(x) - log p(y), each density a mixture."""
        marginals = self.side_x.log_density(x) + self.side_y.log_density(y)
        return np.asarray(self.joint.log_density(np.hstack([x, y])) - marginals)


class ClassLabel(Integrated):
    """Y is the label of X's component: r = log N(x; m_y, S_y) - log p(x), I = E[r] <= H(Y) nats.

    Args:
        classes: the components of X.
        codes: the row that stands for each label, shape (k, dim_y), all different: say `np.eye(k)`.

    Raises:
        InvalidInput: there are not as many different codes as classes.
    """

    def __init__(self, classes: Components, codes: Array, name: str = "label") -> None:
        super().__init__(name, classes.means.shape[1], codes.shape[1])
        if len(np.unique(codes, axis=0)) != len(classes.weights):
            raise InvalidInput(f"{len(classes.weights)} classes need as many different codes")
        self.classes, self.codes = classes, codes
        self.normals = self.dim_x

    @property
    def continuous(self) -> bool:
        return False

    def rows(self, u: Array, z: Array) -> tuple[Array, Array]:
        labels = self.classes.labels(u)
        return self.classes.rows(labels, z), self.codes[labels]

    def integrand(self, u: Array, z: Array) -> Array:
        """The pmi, and its controls: the norm in the own class, labels, moments."""
        labels = self.classes.labels(u)
        x = self.classes.rows(labels, z)
        norm = np.square(z).sum(axis=1) - self.dim_x
        controls = self.classes.centred_labels(labels), self.classes.centred_moments(x)
        return np.vstack([self._pmi(x, labels), norm, *controls])

    @cached_property
    def _truth(self) -> Truth:
        """By the trapezoidal rule where X has one column."""
        if self.dim_x > 1:
            return self._integrated()
        grid, step = self.classes.grid()
        terms = self.classes.terms(grid)
        product = self.classes.weights[:, None] * terms.sum(axis=0)
        return closed_form(float(rel_entr(terms, product).sum()) * step)

    def pmi(self, x: Array, y: Array) -> Array:
        """log N(x; m_y, S_y) - log p(x), y being the label whose code is nearest."""
        return self._pmi(x, nearest_codes(y, self.codes))

    def _pmi(self, x: Array, labels: Labels) -> Array:
        terms = self.classes.log_terms(self.classes.squares(x).sum(axis=1))
        own = terms[labels, np.arange(len(x))] - np.log(self.classes.weights[labels])
        return np.asarray(own - _log_sum(terms))


def nearest_codes(y: Array, codes: Array) -> Labels:
    """The label of every row of y, which is its code up to rounding (by a warp, say), shape (n,)."""
    return np.asarray(np.square(y[:, None, :] - codes).sum(axis=2).argmin(axis=1))


def _log_sum(terms: Array) -> Array:
    """log sum_k exp(terms), shapes (k, n) and (n,)."""
    top = terms.max(axis=0)
    return np.asarray(top + np.log(np.exp(terms - top).sum(axis=0)))


def product_components(table: Array, side_x: Components, side_y: Components) -> Components:
    """Clusters of their own on either side; pair (a, b) has weight table[a, b] and no correlation across.

    The weights of the sides are the margins of the table; cells of weight 0 are left out.

    Args:
        table: probabilities, shape (components of X, components of Y).
        side_x, side_y: the clusters of either side.
    """
    a, b = np.nonzero(table)
    d_x, d_y = side_x.means.shape[1], side_y.means.shape[1]
    factors = np.zeros((len(a), d_x + d_y, d_x + d_y))
    factors[:, :d_x, :d_x] = side_x.factors[a]
    factors[:, d_x:, d_x:] = side_y.factors[b]
    return Components(table[a, b], np.hstack([side_x.means[a], side_y.means[b]]), factors)
