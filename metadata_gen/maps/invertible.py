"""Invertible maps of one side: linear maps, spirals, polar coordinates and coupling layers.

They are made for columns of about unit scale and remain sound on heavy tails: up to |x| = 1e6 the image is
finite, and the inverse errs by less than 1e-6 of the row's largest entry, unless a class says otherwise.
"""

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.side_map import SideMap, check_columns

Mask = NDArray[np.bool_]


class Linear(SideMap):
    """M x for every row x.

    The inverse errs by the condition number of M times the machine's precision.

    Args:
        matrix: M, shape (d, d), with a condition number below 1e8.

    Raises:
        InvalidInput: the matrix is not square, or too close to singular.
    """

    def __init__(self, matrix: Array) -> None:
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.linalg.cond(matrix) < 1e8:
            raise InvalidInput(f"a matrix of shape {matrix.shape} must be square and well invertible")
        super().__init__(len(matrix), len(matrix))
        self.matrix = matrix

    def forward(self, x: Array) -> Array:
        return x @ self.matrix.T

    def inverse(self, y: Array) -> Array:
        """M^-1 y, by solving the equations."""
        return np.ascontiguousarray(np.linalg.solve(self.matrix, y.T).T)


class Spiral(SideMap):
    """A rotation in one plane by an angle that grows with the squared norm r^2 of the row.

    x -> exp(speed s(r^2) A) x with s(q) = q / (1 + q / limit) and A the generator of rotations in the plane.
    With an infinite limit this is the spiral of BMI (Czyz et al. 2023, NeurIPS), which is accurate on light
    tails only. The rotation keeps r, so the inverse turns back by the same angle.

    Args:
        plane: two orthonormal columns that span the plane, shape (d, 2).
        speed: radians per unit of s.
        limit: the largest value of s, positive.
        whole: whether r is the norm of the whole row, or else of its part in the plane.

    Raises:
        InvalidInput: the plane is not orthonormal, the speed infinite or the limit not positive.
    """

    def __init__(self, plane: Array, speed: float, limit: float = 9.0, whole: bool = True) -> None:
        super().__init__(len(plane), len(plane))
        if plane.shape != (len(plane), 2) or not np.abs(plane.T @ plane - np.eye(2)).max() < 1e-9:
            raise InvalidInput(f"a plane of shape {plane.shape} must be two orthonormal columns")
        if not (limit > 0.0 and np.isfinite(speed)):
            raise InvalidInput(f"speed {speed} must be finite and limit {limit} positive")
        self.plane, self.speed, self.limit, self.whole = plane, speed, limit, whole

    def forward(self, x: Array) -> Array:
        return self._rotated(x, self.speed)

    def inverse(self, y: Array) -> Array:
        return self._rotated(y, -self.speed)

    def _rotated(self, x: Array, speed: float) -> Array:
        flat = x @ self.plane
        squares = ((x if self.whole else flat) ** 2).sum(axis=1)
        angle = speed * squares / (1.0 + squares / self.limit)
        cos, sin, (a, b) = np.cos(angle), np.sin(angle), flat.T
        rotated = np.column_stack([cos * a - sin * b, sin * a + cos * b])
        return np.asarray(x + (rotated - flat) @ self.plane.T)


class Polar(SideMap):
    """Columns i and j become radius and angle in (-pi, pi]; injective, with a cut along the negative axis.

    Raises:
        InvalidInput: i and j are not two different columns.
    """

    def __init__(self, dim: int, i: int, j: int) -> None:
        super().__init__(dim, dim)
        check_columns(dim, np.array([i, j]))
        self.i, self.j = i, j

    def forward(self, x: Array) -> Array:
        a, b = x[:, self.i], x[:, self.j]
        return self._replaced(x, np.hypot(a, b), np.arctan2(b, a))

    def inverse(self, y: Array) -> Array:
        """(r cos a, r sin a) in columns i and j."""
        radius, angle = y[:, self.i], y[:, self.j]
        return self._replaced(y, radius * np.cos(angle), radius * np.sin(angle))

    def _replaced(self, x: Array, at_i: Array, at_j: Array) -> Array:
        y = x.copy()
        y[:, self.i], y[:, self.j] = at_i, at_j
        return y


class Coupling(SideMap):
    """An affine coupling layer: x_j exp((h S)_j) + (h T)_j where j is not fixed, h = tanh(x_fixed W + c).

    The layer of RealNVP (Dinh, Sohl-Dickstein & Bengio 2017, eq. 4) with one hidden layer; |h| < 1 bounds the
    logarithm of the scale. The fixed columns are in the image as they were, so the inverse computes the same
    h.

    Args:
        fixed: whether a column stays as it is, boolean, shape (d,); some do and some do not.
        weights, bias: W of shape (d, hidden) and c of shape (hidden,).
        log_scale, shift: S and T, shape (hidden, d).

    Raises:
        InvalidInput: all columns are fixed, or none, or shapes do not agree.
    """

    def __init__(self, fixed: Mask, weights: Array, bias: Array, log_scale: Array, shift: Array) -> None:
        dim, hidden = len(fixed), len(bias)
        super().__init__(dim, dim)
        if fixed.all() or not fixed.any():
            raise InvalidInput(f"fixed is {fixed}; a coupling fixes some columns and changes the others")
        if (weights.shape, log_scale.shape, shift.shape) != ((dim, hidden), (hidden, dim), (hidden, dim)):
            raise InvalidInput(
                f"weights {weights.shape}, {log_scale.shape} and {shift.shape} for {dim} columns"
            )
        self.weights, self.bias = weights * fixed[:, None], bias
        # zeros keep a column exactly, in a quarter of the time that picking columns out takes
        self.log_scale, self.shift = log_scale * ~fixed, shift * ~fixed

    def forward(self, x: Array) -> Array:
        h = self._hidden(x)
        return np.asarray(x * np.exp(h @ self.log_scale) + h @ self.shift)

    def inverse(self, y: Array) -> Array:
        """(y_j - (h T)_j) exp(-(h S)_j)."""
        h = self._hidden(y)
        return np.asarray((y - h @ self.shift) * np.exp(-h @ self.log_scale))

    def _hidden(self, x: Array) -> Array:
        return np.tanh(x @ self.weights + self.bias)
