"""Multivariate normal and Student distributions, given by the dispersion matrix of (X, Y)."""

import math
from functools import cached_property

import numpy as np
from scipy.special import digamma  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form


class _Elliptical(Family):
    """Shared by both: the Cholesky factor L of the dispersion S = L L^T, X's columns first."""

    def __init__(self, name: str, dispersion: Array, dim_x: int) -> None:
        super().__init__(name, dim_x, len(dispersion) - dim_x)
        self.dispersion = dispersion
        self._factor = cholesky(dispersion)

    @cached_property
    def _factor_y(self) -> Array:
        return cholesky(self.dispersion[self.dim_x :, self.dim_x :])

    @cached_property
    def normal_nats(self) -> float:
        """-1/2 log(det S / (det S_xx det S_yy)); L's first block is the factor of S_xx."""
        of_y, given_x = self._factor_y.diagonal(), self._factor.diagonal()[self.dim_x :]
        return float(np.log(of_y / given_x).sum())

    def _normal_rows(self, rng: Rng, n: int) -> Array:
        return np.asarray(rng.standard_normal((n, len(self._factor))) @ self._factor.T)

    def _squares(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Squared Mahalanobis norms of (x, y), x and y, each of shape (n,)."""
        joint = np.linalg.solve(self._factor, np.hstack([x, y]).T) ** 2
        of_y = np.linalg.solve(self._factor_y, y.T) ** 2
        return joint.sum(axis=0), joint[: self.dim_x].sum(axis=0), of_y.sum(axis=0)


class MultivariateNormal(_Elliptical):
    """(X, Y) ~ N(0, S): I = -1/2 log(det S / (det S_xx det S_yy)) nats (Cover & Thomas 2006, ch. 8).

    Args:
        dispersion: S, shape (dim_x + dim_y, dim_x + dim_y), X's columns first.
        dim_x: number of columns of X.

    Raises:
        InvalidInput: S is not symmetric and positive definite.

    >>> round(MultivariateNormal(np.array([[1.0, 0.6], [0.6, 1.0]]), 1).mi().nats, 4)
    0.2231
    """

    def __init__(self, dispersion: Array, dim_x: int, name: str = "normal") -> None:
        super().__init__(name, dispersion, dim_x)

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        rows = self._normal_rows(rng, n)
        return rows[:, : self.dim_x], rows[:, self.dim_x :]

    def mi(self) -> Truth:
        return closed_form(self.normal_nats)

    def pmi(self, x: Array, y: Array) -> Array:
        """I - (q_xy - q_x - q_y) / 2 with the squared Mahalanobis norms q of (x, y), x and y."""
        both, of_x, of_y = self._squares(x, y)
        return np.asarray(self.normal_nats - (both - of_x - of_y) / 2.0)


class MultivariateStudent(_Elliptical):
    """(X, Y) = sqrt(df / chi2_df) N(0, S), with one chi2 per row that all columns share.

    I = I_normal(S) + h(dim_x) + h(dim_y) - h(dim_x + dim_y) nats, h as in `student_entropy` (Arellano-Valle,
    Contreras-Reyes & Genton 2013). It is positive even for S = 1, because the tails are shared.

    Args:
        dispersion: S, shape (dim_x + dim_y, dim_x + dim_y), X's columns first.
        dim_x: number of columns of X.
        df: degrees of freedom, positive.

    Raises:
        InvalidInput: S is not symmetric and positive definite, or df not positive and finite.
    """

    def __init__(self, dispersion: Array, dim_x: int, df: float, name: str = "student") -> None:
        super().__init__(name, dispersion, dim_x)
        if not 0.0 < df < math.inf:
            raise InvalidInput(f"df is {df}; degrees of freedom must be positive and finite")
        self.df = df

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        rows = self._normal_rows(rng, n)
        rows *= student_scale(rng, n, self.df)
        return rows[:, : self.dim_x], rows[:, self.dim_x :]

    def mi(self) -> Truth:
        h_x, h_y, h_xy = (student_entropy(d, self.df) for d in self._dims())
        return closed_form(self.normal_nats + h_x + h_y - h_xy)

    def pmi(self, x: Array, y: Array) -> Array:
        """I_normal(S) + log t(q_xy) - log t(q_x) - log t(q_y), t the density at a Mahalanobis norm."""
        both, of_x, of_y = self._squares(x, y)
        d_x, d_y, d_xy = self._dims()
        ratio = _log_density(both, d_xy, self.df)
        ratio -= _log_density(of_x, d_x, self.df) + _log_density(of_y, d_y, self.df)
        return np.asarray(self.normal_nats + ratio)

    def _dims(self) -> tuple[int, int, int]:
        return self.dim_x, self.dim_y, self.dim_x + self.dim_y


def cholesky(dispersion: Array) -> Array:
    """Lower triangular L with L L^T = dispersion.

    Raises:
        InvalidInput: the matrix is not symmetric and positive definite.
    """
    if dispersion.ndim != 2 or not np.abs(dispersion - dispersion.T).max() < 1e-9:
        raise InvalidInput(f"dispersion of shape {dispersion.shape} must be a symmetric matrix")
    try:
        return np.asarray(np.linalg.cholesky(dispersion), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise InvalidInput("dispersion is not positive definite; add own noise") from error


def student_scale(rng: Rng, n: int, df: float) -> Array:
    """sqrt(df / chi2_df) of every row, shape (n, 1)."""
    return np.asarray(np.sqrt(df / rng.chisquare(df, size=(n, 1))))


def student_entropy(dim: int, df: float) -> float:
    """Differential entropy in nats of a Student with unit dispersion.

    h_d(df) = -log c_d + (df + d)/2 (psi((df + d)/2) - psi(df/2)), c_d as in `_log_constant`.
    """
    half = (df + dim) / 2.0
    return float(half * (digamma(half) - digamma(df / 2.0))) - _log_constant(dim, df)


def _log_constant(dim: int, df: float) -> float:
    """log c_d = log Gamma((df + d)/2) - log Gamma(df/2) - d/2 log(df pi)."""
    gammas = math.lgamma((df + dim) / 2.0) - math.lgamma(df / 2.0)
    return gammas - dim / 2.0 * math.log(df * math.pi)


def _log_density(squares: Array, dim: int, df: float) -> Array:
    """log c_d - (df + d)/2 log(1 + q/df), without the determinant's share."""
    return np.asarray(_log_constant(dim, df) - (df + dim) / 2.0 * np.log1p(squares / df))
