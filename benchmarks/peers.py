"""Simple estimators to stand beside mizzle on the same arrays. All answers in nats, clipped at 0."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree  # type: ignore[import-untyped]
from scipy.special import digamma, ndtri  # type: ignore[import-untyped]
from scipy.stats import rankdata  # type: ignore[import-untyped]

Floats = NDArray[np.float64]

# A column of fewer distinct values, each three times on average, is discrete to scikit-learn.
MAX_LEVELS = 20


class Neighbours:
    """Distances of every row to its k nearest in the joint space, and a tree of either side.

    Columns are standardised and distances are in the max-norm. One object serves every k up to `k_max`.

    Attributes:
        rows: how many rows there are.
        distances: (n, k_max), to the first, second, ... neighbour.
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, k_max: int) -> None:
        sides = _standardise(x), _standardise(y)
        joint = np.hstack(sides)
        self.rows = len(joint)
        self._joint = cKDTree(joint)
        self._trees = [cKDTree(side) for side in sides]
        # The nearest of k_max + 1 is the row itself (or one that ties with it).
        self.distances: Floats = self._joint.query(joint, k=k_max + 1, p=np.inf)[0][:, 1:]
        self._counted: dict[int, list[NDArray[np.int64]]] = {}

    def ksg(self, k: int) -> float:
        """I = psi(k) + psi(n) - mean(psi(n_x + 1) + psi(n_y + 1)).

        n_x counts the other rows whose x lies strictly inside the distance to the k-th neighbour.
        Kraskov, Stoegbauer and Grassberger (2004), algorithm 1, eq. 8. NaN where n <= k.
        """
        if self.rows <= k:
            return float("nan")
        counts = self._counts(k)
        return _clipped(digamma(k) + digamma(self.rows) - np.mean(digamma(counts[0]) + digamma(counts[1])))

    def mixed_ksg(self, k: int) -> float:
        """I = mean(psi(k') - psi(n_x + 1) - psi(n_y + 1)) + log n, for discrete, mixed and continuous data.

        k' is k, or where the k-th neighbour is at distance 0 the number of rows at that very place.
        Gao, Kannan, Oh and Viswanath (2017), algorithm 1, with psi(m) for log(m) as in their program.
        NaN where n <= k.
        """
        if self.rows <= k:
            return float("nan")
        tied = self.distances[:, k - 1] == 0
        neighbours = np.full(self.rows, k)
        neighbours[tied] = _inside(self._joint, np.zeros(self.rows))[tied] if tied.any() else 0
        counts = self._counts(k)
        terms = digamma(neighbours) - digamma(counts[0]) - digamma(counts[1])
        return _clipped(np.mean(terms) + np.log(self.rows))

    def _counts(self, k: int) -> list[NDArray[np.int64]]:
        """n_x + 1 and n_y + 1: the row itself is in the count."""
        if k not in self._counted:
            # "Strictly inside" as the closed ball of the next smaller radius; a radius of 0 (ties) stays.
            radius = np.nextafter(self.distances[:, k - 1], 0.0)
            self._counted[k] = [_inside(tree, radius) for tree in self._trees]
        return self._counted[k]


def ksg(x: ArrayLike, y: ArrayLike, k: int = 3) -> float:
    """KSG for one k; for several, ask one `Neighbours`."""
    return Neighbours(x, y, k).ksg(k)


def mixed_ksg(x: ArrayLike, y: ArrayLike, k: int = 5) -> float:
    """Mixed KSG with its authors' k."""
    return Neighbours(x, y, k).mixed_ksg(k)


def gaussian_copula(x: ArrayLike, y: ArrayLike) -> float:
    """-1/2 log(det R / (det R_x det R_y)) of the normal scores; NaN where R is singular."""
    return _gaussian_mi(*_side_by_side(_scores(x), _scores(y)))


def cca(x: ArrayLike, y: ArrayLike) -> float:
    """-1/2 sum log(1 - rho_i^2) over the canonical correlations of the raw columns.

    Computed as -1/2 log(det R / (det R_x det R_y)), which is the same; NaN where R is singular.
    """
    return _gaussian_mi(*_side_by_side(x, y))


def shrunk_copula(x: ArrayLike, y: ArrayLike) -> float:
    """The copula with R shrunk towards the identity (Schaefer and Strimmer 2005): always defined.

    lambda = sum_{i != j} Var(r_ij) / sum_{i != j} r_ij^2, with the variance estimated from the
    rows' products of standardised scores.
    """
    z, dim = _side_by_side(_scores(x), _scores(y))
    n = len(z)
    r = z.T @ z / n
    # Var(mean of w) for w = z_i z_j, from E[w^2] - E[w]^2.
    variance = (np.square(z).T @ np.square(z) / n - np.square(r)) / (n - 1)
    off = ~np.eye(len(r), dtype=bool)
    share = variance[off].sum() / max(np.square(r[off]).sum(), 1e-300)
    shrunk: Floats = np.where(off, (1.0 - min(1.0, float(share))) * r, 1.0)
    return _determinants(shrunk, dim)


def sklearn_mi(x: ArrayLike, y: ArrayLike) -> float:
    """scikit-learn's estimate (k = 3) of two single columns; NaN for more columns.

    `mutual_info_regression` (KSG) of two continuous columns, `mutual_info_classif` (Ross 2014) where
    one is discrete, and the plug-in value where both are.
    """
    # Here and not above: the import costs a second and memory that would count as ours.
    from sklearn.feature_selection import (  # type: ignore[import-untyped]
        mutual_info_classif,
        mutual_info_regression,
    )

    a, b = np.asarray(x), np.asarray(y)
    if a.shape[1] > 1 or b.shape[1] > 1 or len(a) <= 3:
        return float("nan")
    if is_discrete(a) and not is_discrete(b):
        a, b = b, a
    discrete = is_discrete(a)
    feature = _levels(a)[:, None] if discrete else a
    options = {"discrete_features": discrete, "n_neighbors": 3, "random_state": 0}
    if is_discrete(b):
        return _clipped(mutual_info_classif(feature, _levels(b), **options)[0])
    return _clipped(mutual_info_regression(feature, b[:, 0], **options)[0])


PEERS: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "ksg": ksg,
    "ksg-1": partial(ksg, k=1),
    "ksg-5": partial(ksg, k=5),
    "mixed-ksg": mixed_ksg,
    "copula": gaussian_copula,
    "copula-shrunk": shrunk_copula,
    "cca": cca,
    "sklearn": sklearn_mi,
}


def guesses(x: ArrayLike, y: ArrayLike) -> dict[str, float]:
    """What every peer says to one problem; those by neighbours share their trees."""
    neighbours = Neighbours(x, y, 5)
    shared = {f"ksg{suffix}": neighbours.ksg(k) for suffix, k in (("", 3), ("-1", 1), ("-5", 5))}
    shared["mixed-ksg"] = neighbours.mixed_ksg(5)
    return {name: shared[name] if name in shared else guess(x, y) for name, guess in PEERS.items()}


def _inside(tree: cKDTree, radius: Floats) -> NDArray[np.int64]:
    """Rows of a tree within a radius of each of them, itself included."""
    counts: NDArray[np.int64] = tree.query_ball_point(tree.data, radius, p=np.inf, return_length=True)
    return counts


def _standardise(table: ArrayLike) -> Floats:
    values = np.asarray(table, dtype=np.float64)
    spread = values.std(axis=0)
    result: Floats = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return result


def _scores(table: ArrayLike) -> Floats:
    """Normal scores of every column."""
    values = np.asarray(table)
    scores: Floats = ndtri((rankdata(values, axis=0) - 0.5) / len(values))
    return scores


def _side_by_side(x: ArrayLike, y: ArrayLike) -> tuple[Floats, int]:
    """All columns standardised, and the number of those of x."""
    a = _standardise(x)
    return np.hstack((a, _standardise(y))), a.shape[1]


def _gaussian_mi(z: Floats, dim: int) -> float:
    if len(z) <= z.shape[1]:
        return float("nan")
    return _determinants(z.T @ z / len(z), dim)


def _determinants(r: Floats, dim: int) -> float:
    blocks = (r, r[:dim, :dim], r[dim:, dim:])
    signs, logs = zip(*(np.linalg.slogdet(block) for block in blocks), strict=True)
    if min(signs) <= 0:
        return float("nan")
    return _clipped(-0.5 * (logs[0] - logs[1] - logs[2]))


def is_discrete(column: NDArray[Any]) -> bool:
    """Whether a column has so few distinct values that scikit-learn would take it for a label."""
    return len(np.unique(column)) < min(MAX_LEVELS, len(column) / 3)


def _levels(column: NDArray[np.generic]) -> NDArray[np.intp]:
    """The values of a column as 0, 1, 2, ..."""
    levels: NDArray[np.intp] = np.unique(column[:, 0], return_inverse=True)[1]
    return levels


def _clipped(nats: float) -> float:
    return max(0.0, float(nats))
