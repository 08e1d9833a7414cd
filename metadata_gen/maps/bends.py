"""Bends of a side: Henon steps, residual layers and triangular maps.

As in `invertible`, the image is finite up to |x| = 1e6, and the inverse errs by less than 1e-6 of the row's
largest entry.
"""

import math
from typing import Final

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.side_map import SideMap

PRECISION: Final = 4e-16  # relative change at which the fixed point of a residual layer is reached


class Henon(SideMap):
    """(a, b) -> (b - q g(a), s a) for pairs of columns of x F, with g(a) = (a^2 - 1) / (1 + a^2 / limit).

    With an infinite limit and one pair this is the map of Henon (1976), whose squares would explode on heavy
    tails. A last column without a partner is kept. The inverse reads a off the second column of a pair.

    Args:
        frame: F, an orthogonal matrix, shape (d, d) with d > 1.
        curvature: q of every pair, shape (d // 2,).
        scale: s of every pair, shape (d // 2,), none of them 0.
        limit: the largest value of g, positive.

    Raises:
        InvalidInput: the frame is not orthogonal, shapes do not agree, a scale is 0 or the limit is not
            positive.
    """

    def __init__(self, frame: Array, curvature: Array, scale: Array, limit: float = 16.0) -> None:
        dim = len(frame)
        super().__init__(dim, dim)
        if frame.shape != (dim, dim) or not np.abs(frame.T @ frame - np.eye(dim)).max() < 1e-9:
            raise InvalidInput(f"a frame of shape {frame.shape} must be an orthogonal matrix")
        if dim < 2 or not curvature.shape == scale.shape == (dim // 2,):
            raise InvalidInput(f"{curvature.shape} curvatures and {scale.shape} scales for {dim} columns")
        if not (np.all(scale != 0.0) and limit > 0.0):
            raise InvalidInput(f"scales {scale} must not be 0, and limit {limit} must be positive")
        self.frame, self.curvature, self.scale, self.limit = frame, curvature, scale, limit

    def forward(self, x: Array) -> Array:
        a, b, rest = self._pairs(x @ self.frame)
        return np.hstack([b - self._pushed(a), self.scale * a, rest])

    def inverse(self, y: Array) -> Array:
        """(v / s, u + q g(v / s)) F^T of the pairs (u, v)."""
        first, second, rest = self._pairs(y)
        a = second / self.scale
        return np.asarray(np.hstack([a, first + self._pushed(a), rest]) @ self.frame.T)

    def _pairs(self, x: Array) -> list[Array]:
        """The first columns of all pairs, the second ones, and a column without a partner."""
        count = self.dim_in // 2
        return np.split(x, [count, 2 * count], axis=1)

    def _pushed(self, a: Array) -> Array:
        squares = a * a
        return np.asarray(self.curvature * (squares - 1.0) / (1.0 + squares / self.limit))


class Residual(SideMap):
    """x + V tanh(W x + c) with |V| |W| < 1: an invertible residual layer (Behrmann et al. 2019, ICML).

    The step added has a Lipschitz constant below 1, so x = y - V tanh(W x + c) is a contraction, and the
    inverse its fixed point.

    Args:
        inner, bias: W of shape (units, d) and c of shape (units,).
        outer: V, shape (d, units).

    Raises:
        InvalidInput: shapes do not agree, or the product of the spectral norms is not below 1.
    """

    def __init__(self, inner: Array, bias: Array, outer: Array) -> None:
        units, dim = inner.shape
        super().__init__(dim, dim)
        if outer.shape != (dim, units) or bias.shape != (units,):
            raise InvalidInput(f"{inner.shape}, {bias.shape} and {outer.shape} do not form a layer")
        lipschitz = float(np.linalg.norm(inner, 2) * np.linalg.norm(outer, 2))
        if not 0.0 < lipschitz < 1.0:
            raise InvalidInput(f"the product of the spectral norms is {lipschitz}; it must be in (0, 1)")
        self.inner, self.bias, self.outer = inner, bias, outer
        self._iterations = math.ceil(math.log(PRECISION) / math.log(lipschitz))

    def forward(self, x: Array) -> Array:
        return np.asarray(x + self._step(x))

    def inverse(self, y: Array) -> Array:
        """By iteration of the contraction, until no row changes or none can change any more."""
        x, smallest = y, PRECISION * (1.0 + np.abs(y).max(axis=1, keepdims=True))
        for _ in range(self._iterations):
            previous, x = x, np.asarray(y - self._step(x))
            if (np.abs(x - previous) <= smallest).all():
                break
        return x

    def _step(self, x: Array) -> Array:
        return np.asarray(np.tanh(x @ self.inner.T + self.bias) @ self.outer.T)


class Triangular(SideMap):
    """y_j = x_j exp(a_j h_j) + b_j h_j with h_j = tanh(sum_{i<j} W_ji x_i + c_j).

    An affine autoregressive flow (Papamakarios, Pavlakou & Murray 2017, NeurIPS) with one unit a column: the
    columns before j decide where x_j goes and how it is stretched. The inverse finds them in order.

    Args:
        weights, bias: W of shape (d, d), of which the strict lower triangle counts, and c of shape (d,).
        log_scale, shift: a and b, shape (d,).

    Raises:
        InvalidInput: shapes do not agree.
    """

    def __init__(self, weights: Array, bias: Array, log_scale: Array, shift: Array) -> None:
        dim = len(bias)
        super().__init__(dim, dim)
        if weights.shape != (dim, dim) or not log_scale.shape == shift.shape == (dim,):
            raise InvalidInput(f"{weights.shape}, {log_scale.shape} and {shift.shape} for {dim} columns")
        self.weights, self.bias = np.tril(weights, -1), bias
        self.log_scale, self.shift = log_scale, shift

    def forward(self, x: Array) -> Array:
        h = np.tanh(x @ self.weights.T + self.bias)
        return np.asarray(x * np.exp(self.log_scale * h) + self.shift * h)

    def inverse(self, y: Array) -> Array:
        """(y_j - b_j h_j) exp(-a_j h_j), column after column."""
        x = np.zeros_like(y)
        for j in range(self.dim_in):
            h = np.tanh(x @ self.weights[j] + self.bias[j])
            x[:, j] = (y[:, j] - self.shift[j] * h) * np.exp(-self.log_scale[j] * h)
        return x
