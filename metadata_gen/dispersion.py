"""Correlation matrices of (X, Y), shape (d, d) with d = dim_x + dim_y and X's columns first.

Those with scalar parameters are of the kinds of BMI (Czyz et al. 2023, NeurIPS) and MIST (arXiv 2511.18945).
"""

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Rng

Order = NDArray[np.intp]


def to_correlation(covariance: Array) -> Array:
    """The correlation matrix of a covariance matrix S: S_ij / sqrt(S_ii S_jj), shape (d, d)."""
    scale = 1.0 / np.sqrt(covariance.diagonal())
    return np.asarray(covariance * scale[:, None] * scale)


def dense(dim: int, off_diag: float) -> Array:
    """Every pair of columns has the same correlation c: (1 - c) 1 + c J, J all ones, shape (dim, dim).

    Args:
        off_diag: c, in (-1 / (dim - 1), 1).

    Raises:
        InvalidInput: c is outside that interval.
    """
    if not (off_diag < 1.0 and off_diag * (dim - 1) > -1.0):
        raise InvalidInput(f"off_diag is {off_diag}; with {dim} columns it must be in (-1/(d-1), 1)")
    matrix = np.full((dim, dim), off_diag)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def pair(rho: float) -> Array:
    """Two columns with correlation rho, shape (2, 2)."""
    return np.array([[1.0, rho], [rho, 1.0]])


def latent_variable(
    dim_x: int,
    dim_y: int,
    n_interacting: int,
    alpha: float,
    lambd: float,
    beta: float,
    eta: float,
) -> Array:
    """The latent-variable model of BMI (Czyz et al. 2023), as a correlation matrix.

    X_i = alpha U + beta U_x + e_i + (lambd Z_i if i < n_interacting else eta V_i), and Y_j likewise with the
    same U and Z, but its own U_y and V. Every latent variable and every e is an independent N(0, 1).

    Args:
        n_interacting: number of column pairs (X_i, Y_i) that share a Z_i, at most min(dim_x, dim_y).
        alpha: weight of U, which all columns of both sides share.
        lambd: weight of Z_i.
        beta: weight of U_x and U_y, which the columns of one side share.
        eta: weight of V_i, private to a column without a partner.

    Raises:
        InvalidInput: n_interacting is negative or too large.
    """
    k, cols = n_interacting, np.arange(dim_x + dim_y)
    if not 0 <= k <= min(dim_x, dim_y):
        raise InvalidInput(f"n_interacting is {k}; it must be in 0..{min(dim_x, dim_y)}")
    cov = np.full((dim_x + dim_y, dim_x + dim_y), alpha**2)
    cov[:dim_x, :dim_x] += beta**2
    cov[dim_x:, dim_x:] += beta**2
    cov[cols, cols] += 1.0 + eta**2
    x, y = cols[:k], cols[dim_x : dim_x + k]
    for side in (x, y):
        cov[side, side] += lambd**2 - eta**2
    cov[x, y] += lambd**2
    cov[y, x] += lambd**2
    return to_correlation(cov)


def sparse(dim_x: int, dim_y: int, n_interacting: int, strength: float) -> Array:
    """n_interacting pairs (X_i, Y_i) with correlation s^2 / (1 + s^2), s = strength; no others correlate."""
    return latent_variable(dim_x, dim_y, n_interacting, 0.0, strength, 0.0, strength)


def factor_model(loadings: Array, noise: Array) -> Array:
    """The correlations of W f + diag(noise) e with f, e ~ N(0, 1): W W^T + diag(noise^2), scaled.

    Args:
        loadings: W, shape (d, factors).
        noise: standard deviation of each column's own noise, shape (d,), positive.
    """
    covariance = loadings @ loadings.T
    np.fill_diagonal(covariance, covariance.diagonal() + noise**2)
    return to_correlation(covariance)


def random_factor_model(
    rng: Rng, dim_x: int, dim_y: int, gain_x: Array, gain_y: Array, noise: Array
) -> Array:
    """`factor_model` with W_ik ~ N(0, gain_k^2), where the gain of factor k differs between the sides.

    Args:
        gain_x, gain_y: how strongly each factor enters either side, shape (factors,).
        noise: standard deviation of each column's own noise, shape (dim_x + dim_y,).
    """
    loadings = rng.standard_normal((dim_x + dim_y, len(gain_x)))
    loadings[:dim_x] *= gain_x
    loadings[dim_x:] *= gain_y
    return factor_model(loadings, noise)


def canonical(rho: Array, mix_x: Array, mix_y: Array) -> Array:
    """Canonical correlations rho (Hotelling 1936), hidden inside each side by an invertible linear map.

    X = A u and Y = B v with u, v ~ N(0, 1) and corr(u_i, v_i) = rho_i for i < len(rho), else 0, so that S =
    [[A A^T, A R B^T], [B R^T A^T, B B^T]], scaled. A normal with this dispersion has I = -1/2 sum log(1 -
    rho_i^2) nats.

    Args:
        rho: in [0, 1), shape (k,) with k <= min(dim_x, dim_y).
        mix_x, mix_y: A of shape (dim_x, dim_x), B of shape (dim_y, dim_y).

    Raises:
        InvalidInput: there are too many correlations, or one is outside [0, 1).
    """
    k = len(rho)
    if k > min(len(mix_x), len(mix_y)) or not np.all((rho >= 0.0) & (rho < 1.0)):
        raise InvalidInput(f"{k} canonical correlations; they must be in [0, 1), one per column")
    cross = (mix_x[:, :k] * rho) @ mix_y[:, :k].T
    return to_correlation(np.block([[mix_x @ mix_x.T, cross], [cross.T, mix_y @ mix_y.T]]))


def random_rotation(rng: Rng, dim: int) -> Array:
    """A uniformly random orthogonal matrix, shape (dim, dim).

    Q of the QR decomposition of a normal matrix, with the signs fixed (Mezzadri 2007).
    """
    q, r = np.linalg.qr(rng.standard_normal((dim, dim)))
    return np.asarray(q * np.where(r.diagonal() < 0.0, -1.0, 1.0))


def random_mixing(rng: Rng, scales: Array) -> Array:
    """Q diag(scales) P with random rotations Q and P, shape (d, d).

    Its condition number is max(scales) / min(scales).
    """
    dim = len(scales)
    return np.asarray((random_rotation(rng, dim) * scales) @ random_rotation(rng, dim))


def toeplitz(rho: float, order: Order) -> Array:
    """S_ij = rho^|order_i - order_j|: a first-order autoregression with its columns in this order.

    Args:
        rho: in (-1, 1).
        order: place of each column in time, shape (d,).

    Raises:
        InvalidInput: rho is outside (-1, 1).
    """
    if not abs(rho) < 1.0:
        raise InvalidInput(f"rho is {rho}; it must be in (-1, 1)")
    return np.asarray(rho ** np.abs(order[:, None] - order))


def blocks(block: Order, rho: Array) -> Array:
    """Columns of the same block k correlate by rho_k, columns of different blocks not at all.

    Args:
        block: number of the block of each column, shape (d,).
        rho: correlation inside each block, in [0, 1), shape (blocks,).
    """
    same = block[:, None] == block
    return np.asarray(np.where(same, rho[block], 0.0) * (1.0 - np.eye(len(block))) + np.eye(len(block)))
