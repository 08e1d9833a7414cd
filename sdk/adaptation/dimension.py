"""On how many dimensions rows lie."""

import numpy as np
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from mizzle.data.arrays import FloatArray

_NEIGHBOURS = 12
_ROWS = 2000  # queries, of all; more would not change the mean


def intrinsic(rows: FloatArray) -> float:
    """The maximum-likelihood dimension of rows of shape (n, d), from 12 neighbours each.

    Levina & Bickel 2004 (NIPS), with the average over inverse dimensions of MacKay & Ghahramani 2005.
    """
    queries = rows[:: max(1, len(rows) // _ROWS)]
    distances = cKDTree(rows).query(queries, _NEIGHBOURS + 1)[0][:, 1:]
    distances = np.maximum(distances, 1e-12)
    inverse = np.log(distances[:, -1:] / distances[:, :-1]).sum(axis=1) / (_NEIGHBOURS - 2)
    return float(1.0 / max(inverse.mean(), 1e-3))
