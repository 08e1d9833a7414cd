"""Finite mixtures of normals, and the label of the component as a variable of its own."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.montecarlo import Integrated

Labels = NDArray[np.intp]


class Components:
    """K normals with weights: p(z) = sum_k w_k N(z; m_k, L_k L_k^T).

    Args:
        weights: w, shape (k,), positive with sum 1.
        means: m, shape (k, d).
        factors: lower triangular L with positive diagonals, shape (k, d, d).
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
        """The marginal mixture of some columns."""
        rows = self.factors[:, columns]
        lower: Array = np.linalg.cholesky(rows @ rows.transpose(0, 2, 1)).astype(np.float64)
        return Components(self.weights, self.means[:, columns], lower)

    def labels(self, u: Array) -> Labels:
        """The component that each u in (0, 1) picks, shape (n,)."""
        return np.searchsorted(self._ends, u, side="right")

    def rows(self, labels: Labels, z: Array) -> Array:
        """m_k + L_k z for every row, shape (n, d), from standard normal z."""
        x = np.empty_like(z)
        for k in range(len(self.weights)):
            own = labels == k
            x[own] = z[own] @ self.factors[k].T + self.means[k]
        return x

    def log_terms(self, x: Array) -> Array:
        """log(w_k N(x; m_k, L_k L_k^T)), shape (k, n)."""
        whitened = self._whiteners @ x.T - self._centres
        return np.asarray(self._constants - 0.5 * np.square(whitened).sum(axis=1))

    def log_density(self, x: Array) -> Array:
        """log p(x), shape (n,)."""
        terms = self.log_terms(x)
        top = terms.max(axis=0)
        return np.asarray(top + np.log(np.exp(terms - top).sum(axis=0)))

    def own_norms(self, labels: Labels, x: Array) -> Array:
        """|L_k^-1 (x - m_k)|^2 of every row in its own component: chi2 with d degrees of freedom."""
        norms = np.empty(len(x))
        for k in range(len(self.weights)):
            own = labels == k
            norms[own] = np.square((x[own] - self.means[k]) @ self._whiteners[k].T).sum(axis=1)
        return norms

    def centred_labels(self, labels: Labels) -> Array:
        """Indicators of all components but the first, less their weights, shape (n, k - 1)."""
        return np.asarray((labels[:, None] == np.arange(1, len(self.weights))) - self.weights[1:])

    def centred_moments(self, x: Array) -> Array:
        """x_i and x_i x_j less their means, shape (n, d + d (d + 1) / 2)."""
        mean, (i, j) = self.weights @ self.means, np.triu_indices(x.shape[1])
        outer = self.factors @ self.factors.transpose(0, 2, 1) + self.means[:, :, None] * self.means[:, None]
        second = np.tensordot(self.weights, outer, axes=1)
        return np.hstack([x - mean, x[:, i] * x[:, j] - second[i, j]])

    @cached_property
    def _whiteners(self) -> Array:
        return np.asarray(np.linalg.inv(self.factors), dtype=np.float64)

    @cached_property
    def _centres(self) -> Array:
        return np.asarray(self._whiteners @ self.means[:, :, None])

    @cached_property
    def _constants(self) -> Array:
        volume = np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1)
        d = self.means.shape[1]
        return np.asarray((np.log(self.weights) - volume - 0.5 * d * np.log(2.0 * np.pi))[:, None])


class NormalMixture(Integrated):
    """(X, Y) ~ sum_k w_k N(m_k, S_k): r = log p(x, y) - log p(x) - log p(y), I = E[r] integrated.

    The marginals are the mixtures of the marginals. A component common to both sides makes them depend even
    where S_k has no correlation (Czyz et al. 2023, arXiv 2310.10240, section 4).
    """

    def __init__(self, joint: Components, dim_x: int, name: str = "mixture") -> None:
        super().__init__(name, dim_x, joint.means.shape[1] - dim_x)
        self.joint = joint
        self.side_x, self.side_y = joint.part(slice(dim_x)), joint.part(slice(dim_x, None))
        self.uniforms = 1 + joint.means.shape[1]

    def rows(self, u: Array) -> tuple[Array, Array]:
        rows = self.joint.rows(self.joint.labels(u[:, 0]), ndtri(u[:, 1:]))
        return rows[:, : self.dim_x], rows[:, self.dim_x :]

    def controls(self, u: Array) -> Array:
        """Norms in the own component, labels, moments; for one component the pmi is a sum of these."""
        labels, z = self.joint.labels(u[:, 0]), ndtri(u[:, 1:])
        rows = self.joint.rows(labels, z)
        own_y = self.side_y.own_norms(labels, rows[:, self.dim_x :])
        squares = z * z - 1.0
        norms = [squares[:, : self.dim_x].sum(1), squares.sum(1), own_y - self.dim_y]
        return np.column_stack([*norms, self.joint.centred_labels(labels), self.joint.centred_moments(rows)])

    def pmi(self, x: Array, y: Array) -> Array:
        marginals = self.side_x.log_density(x) + self.side_y.log_density(y)
        return np.asarray(self.joint.log_density(np.hstack([x, y])) - marginals)


class ClassLabel(Integrated):
    """Y is the component that X came from: r = log N(x; m_y, S_y) - log p(x), I <= H(Y).

    Args:
        codes: the row that stands for each label, shape (k, dim_y), all different: say `np.eye(k)`.
    """

    def __init__(self, classes: Components, codes: Array, name: str = "label") -> None:
        super().__init__(name, classes.means.shape[1], codes.shape[1])
        if len(np.unique(codes, axis=0)) != len(classes.weights):
            raise InvalidInput(f"{len(classes.weights)} classes need as many different codes")
        self.classes, self.codes = classes, codes
        self.uniforms = 1 + self.dim_x

    @property
    def continuous(self) -> bool:
        return False

    def rows(self, u: Array) -> tuple[Array, Array]:
        labels = self.classes.labels(u[:, 0])
        return self.classes.rows(labels, ndtri(u[:, 1:])), self.codes[labels]

    def controls(self, u: Array) -> Array:
        labels, z = self.classes.labels(u[:, 0]), ndtri(u[:, 1:])
        moments = self.classes.centred_moments(self.classes.rows(labels, z))
        return np.column_stack([(z * z - 1.0).sum(1), self.classes.centred_labels(labels), moments])

    def pmi(self, x: Array, y: Array) -> Array:
        label = (
            np.square(y[:, None, :] - self.codes).sum(axis=2).argmin(axis=1)
        )  # up to rounding, by a warp say
        own = self.classes.log_terms(x)[label, np.arange(len(x))] - np.log(self.classes.weights[label])
        return np.asarray(own - self.classes.log_density(x))


def random_components(rng: Rng, weights: Array, dim: int, spread: float, roundness: float) -> Components:
    """Normals of about unit size around random centres.

    Args:
        spread: standard deviation of the centres; 0 makes them concentric.
        roundness: of the shapes, in (0, 1]; 1 makes them unit spheres, small values needles.
    """
    k = len(weights)
    means = spread * rng.standard_normal((k, dim))
    loads = (1.0 - roundness) * rng.standard_normal((k, dim, dim)) / np.sqrt(dim)
    sizes = np.exp(0.5 * (1.0 - roundness) * rng.standard_normal(k))[:, None, None]
    shapes = loads @ loads.transpose(0, 2, 1) + roundness * np.eye(dim)
    return Components(weights, means, sizes * np.linalg.cholesky(shapes))


def product_components(table: Array, side_x: Components, side_y: Components) -> Components:
    """Clusters of its own on either side: component (a, b) has weight table[a, b] and no correlation across.

    The weights of the sides are those of the table's margins; cells of weight 0 are left out.
    """
    a, b = np.nonzero(table)
    d_x, d_y = side_x.means.shape[1], side_y.means.shape[1]
    factors = np.zeros((len(a), d_x + d_y, d_x + d_y))
    factors[:, :d_x, :d_x] = side_x.factors[a]
    factors[:, d_x:, d_x:] = side_y.factors[b]
    return Components(table[a, b], np.hstack([side_x.means[a], side_y.means[b]]), factors)
