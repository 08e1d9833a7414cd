"""Linear maps of a side to fewer columns, fitted to rows that the estimate does not use.

Axes: `n` row, `d` column of a side, `r` principal component, `k` column that is left, `t` target.
"""

from dataclasses import dataclass, replace

import numpy as np

from mizzle.data.arrays import FloatArray
from mizzle.reduction.folds import Rows, chunks

_EIGEN_LIMIT = 1500  # smaller side of the largest matrix whose eigenvectors are wanted: seconds
_FITTED_CELLS = 8_000_000
_ROUNDING = 1e-12  # spread of a column, in units of its largest cell, that is none
_NOTHING = 1e-9  # share of the largest variance below which a component is rounding
# Penalties of ridge regression, as multiples of the largest variance; what no penalty helps gets none of it.
_PENALTIES = np.geomspace(1e-4, 30.0, 14)
_TARGETS = 64  # at most
_ROWS_A_TARGET = 6  # rows that every target of a regression needs


@dataclass(frozen=True)
class Projection:
    """(side / size - centre) * scale @ axes, the form that every map here has.

    Attributes:
        size, centre, scale: of every column, shape (d,); the scale of a constant column is 0.
        axes: shape (d, k).
    """

    size: FloatArray
    centre: FloatArray
    scale: FloatArray
    axes: FloatArray

    def __call__(self, side: FloatArray, rows: Rows) -> FloatArray:
        """These rows of a side of shape (n, d), projected, shape (rows, k)."""
        parts = [
            ((side[rows[piece]] / self.size - self.centre) * self.scale) @ self.axes
            for piece in chunks(len(rows), side.shape[1])
        ]
        return np.concatenate(parts)


@dataclass(frozen=True)
class Components:
    """Principal components of standardised columns, the one of largest variance first.

    Attributes:
        standard: the projection to the standardised columns themselves but for its axes, which are none.
        columns: of the rows that were fitted, standardised, shape (n, d).
        variances: of the components, shape (r,).
        scores: of the rows that were fitted, shape (n, r): each with the variance of its component, as
            nothing is whitened.
    """

    standard: Projection
    columns: FloatArray
    variances: FloatArray
    scores: FloatArray

    def leading(self, k: int) -> Projection:
        """The projection to the leading k components."""
        r = len(self.variances)
        return self._along(np.eye(r, max(1, min(k, r))))

    def towards(self, other: "Components", k: int) -> Projection:
        """The k directions that best predict the other side's components, which are of the same rows.

        Ridge regression of every target on the scores, its penalty chosen by leave-one-out, which is known in
        closed form (Allen 1974); then principal components of what is predicted (Izenman 1975).
        """
        if not (self.variances.size and other.variances.size):
            return self.leading(1)
        lengths = np.sqrt(len(self.scores) * self.variances)
        weights = _ridge(self.scores / lengths, self.variances, other._targets()) / lengths[:, None]
        _, sizes, axes = np.linalg.svd(self.scores @ weights, full_matrices=False)
        rank = int((sizes > _NOTHING * sizes[0]).sum())
        return self._along(weights @ axes[: min(k, rank)].T) if rank else self.leading(1)

    def _targets(self) -> FloatArray:
        """The leading scores with variance 1, no more than the rows can tell apart, shape (n, t)."""
        t = max(1, min(_TARGETS, len(self.scores) // _ROWS_A_TARGET))
        return self.scores[:, :t] / np.sqrt(self.variances[:t])

    def _along(self, directions: FloatArray) -> Projection:
        """The projection to directions among the components, shape (r, k).

        An axis is columns' scores / (n variance) of its component; only those that are wanted are made.
        """
        weights = directions / (len(self.scores) * self.variances)[:, None]
        return replace(self.standard, axes=self.columns.T @ (self.scores @ weights))


def components(side: FloatArray, rows: Rows) -> Components:
    """The components of these rows of a side, shape (n, d)."""
    fitted = side[rows]
    size = np.abs(fitted).max(axis=0)
    size = np.where(size > 0.0, size, 1.0)  # so that no square is too large for a float
    fitted = fitted / size
    centre, spread = fitted.mean(axis=0), fitted.std(axis=0)
    scale = np.where(spread > _ROUNDING, 1.0 / np.maximum(spread, _ROUNDING), 0.0)
    columns = (fitted - centre) * scale
    standard = Projection(size, centre, scale, np.empty((side.shape[1], 0)))
    return Components(standard, columns, *_principal(columns))


def fitted_rows(d: int) -> int:
    """How many rows of d columns are fitted at most: more cost time and teach little."""
    return _EIGEN_LIMIT if d > _EIGEN_LIMIT else max(_EIGEN_LIMIT, _FITTED_CELLS // d)


def participation(variances: FloatArray) -> float:
    """(sum of variances)^2 / sum of squared variances: how many components there are in effect."""
    total = float(variances.sum())
    return total**2 / float(np.square(variances).sum()) if total else 0.0


def share(variances: FloatArray, k: int) -> float:
    """The share of the variance that the leading k components have."""
    total = float(variances.sum())
    return float(variances[:k].sum()) / total if total else 1.0


def _principal(columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Variances, shape (r,), and scores, shape (n, r), by the smaller of the two matrices of products."""
    n, d = columns.shape
    variances, vectors = np.linalg.eigh((columns.T @ columns if d <= n else columns @ columns.T) / n)
    real = variances > max(_NOTHING * variances[-1], 0.0)
    variances, vectors = variances[real][::-1], vectors[:, real][:, ::-1]
    return variances, columns @ vectors if d <= n else vectors * np.sqrt(n * variances)


def _ridge(basis: FloatArray, variances: FloatArray, targets: FloatArray) -> FloatArray:
    """Coefficients on an orthonormal basis, shape (r, t), shrunk by the best penalty for each target."""
    n = len(basis)
    centred = targets - targets.mean(axis=0)
    products, squares = basis.T @ centred, np.square(basis)
    # Without any predictor, a row is predicted by the mean of the others.
    least = np.square(centred).sum(axis=0) * (n / (n - 1)) ** 2
    best: FloatArray = np.zeros_like(products)
    for penalty in _PENALTIES * variances[0]:
        shrunk = (variances / (variances + penalty))[:, None]
        leverage = squares @ shrunk + 1 / n
        errors = np.square((centred - basis @ (shrunk * products)) / (1 - leverage)).sum(axis=0)
        better = errors < least
        best[:, better] = (shrunk * products)[:, better]
        least = np.minimum(least, errors)
    return best
