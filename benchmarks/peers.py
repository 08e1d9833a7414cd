"""Simple estimators to stand beside mizzle on the same arrays. All answers in nats."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree  # type: ignore[import-untyped]
from scipy.special import digamma, ndtri  # type: ignore[import-untyped]
from scipy.stats import rankdata  # type: ignore[import-untyped]

Floats = NDArray[np.float64]


def ksg(x: ArrayLike, y: ArrayLike, k: int = 3) -> float:
    """Kraskov, Stoegbauer and Grassberger (2004), algorithm 1, on standardised columns.

    I = psi(k) + psi(n) - mean(psi(n_x + 1) + psi(n_y + 1)), where n_x counts the other rows whose
    x lies strictly inside the max-norm distance to the k-th joint neighbour. Clipped at 0.
    """
    a, b = _standardise(x), _standardise(y)
    n = len(a)
    joint = np.hstack((a, b))
    distance = cKDTree(joint).query(joint, k=[k + 1], p=np.inf)[0][:, 0]
    # "Strictly inside" as the closed ball of the next smaller radius; the row itself is in the
    # count, which makes it n_x + 1, and a radius of 0 (ties) still holds the row.
    inside = np.nextafter(distance, 0.0)
    counts = [cKDTree(side).query_ball_point(side, inside, p=np.inf, return_length=True) for side in (a, b)]
    value = digamma(k) + digamma(n) - np.mean(digamma(counts[0]) + digamma(counts[1]))
    return max(0.0, float(value))


def gaussian_copula(x: ArrayLike, y: ArrayLike) -> float:
    """-1/2 log(det R / (det R_x det R_y)) of the normal scores; NaN where R is singular."""
    scores, dim = _scores(x, y)
    if len(scores) <= scores.shape[1]:
        return float("nan")
    r: Floats = np.atleast_2d(np.corrcoef(scores, rowvar=False))
    return _gaussian_mi(r, dim)


def shrunk_copula(x: ArrayLike, y: ArrayLike) -> float:
    """The same with R shrunk towards the identity (Schaefer and Strimmer 2005): always defined.

    lambda = sum_{i != j} Var(r_ij) / sum_{i != j} r_ij^2, with the variance estimated from the
    rows' products of standardised scores.
    """
    scores, dim = _scores(x, y)
    n = len(scores)
    z = _standardise(scores)
    r = z.T @ z / n
    # Var(mean of w) for w = z_i z_j, from E[w^2] - E[w]^2.
    variance = (np.square(z).T @ np.square(z) / n - np.square(r)) / (n - 1)
    off = ~np.eye(len(r), dtype=bool)
    share = variance[off].sum() / max(np.square(r[off]).sum(), 1e-300)
    shrunk: Floats = np.where(off, (1.0 - min(1.0, float(share))) * r, 1.0)
    return _gaussian_mi(shrunk, dim)


PEERS: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "ksg": ksg,
    "copula": gaussian_copula,
    "copula-shrunk": shrunk_copula,
}


def _standardise(table: ArrayLike) -> Floats:
    values = np.asarray(table, dtype=np.float64)
    spread = values.std(axis=0)
    result: Floats = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return result


def _scores(x: ArrayLike, y: ArrayLike) -> tuple[Floats, int]:
    """Normal scores of all columns side by side, and the number of columns of x."""
    a, b = np.asarray(x), np.asarray(y)
    table = np.hstack((a, b))
    return ndtri((rankdata(table, axis=0) - 0.5) / len(table)), a.shape[1]


def _gaussian_mi(r: Floats, dim: int) -> float:
    blocks = (r, r[:dim, :dim], r[dim:, dim:])
    signs, logs = zip(*(np.linalg.slogdet(block) for block in blocks), strict=True)
    if min(signs) <= 0:
        return float("nan")
    return max(0.0, float(-0.5 * (logs[0] - logs[1] - logs[2])))
