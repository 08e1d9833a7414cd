"""A problem with a known answer, for whoever wants to know whether estimates can be trusted.

200 rows of a bivariate normal with correlation 0.8.

I(X;Y) = -ln(1 - 0.8^2) / 2 = 0.5108 nats. The two columns are made to correlate in the sample
exactly as in the distribution, so the answer varies little between generators.
"""

import math
from functools import cache

import numpy as np

from mizzle.data.arrays import FloatArray

RHO = 0.8
ROWS = 200
TRUTH = -math.log(1 - RHO**2) / 2
# Four standard errors of a plug-in estimate: dI/d rho = rho / (1 - rho^2) times
# se(rho) = (1 - rho^2) / sqrt(n).
BAND = 4 * RHO / math.sqrt(ROWS)


def is_right(mi: float) -> bool:
    """Whether an answer, in nats, lies within the band around the truth; NaN does not."""
    return abs(mi - TRUTH) <= BAND


@cache
def sample() -> tuple[FloatArray, FloatArray]:
    """The two columns, each of shape (200, 1), the same in every call."""
    raw = np.random.default_rng(20240229).standard_normal((ROWS, 2))
    white, _ = np.linalg.qr(raw - raw.mean(axis=0))  # orthogonal columns of equal length, mean 0
    white *= math.sqrt(ROWS)
    x = white[:, :1]
    y = RHO * x + math.sqrt(1 - RHO**2) * white[:, 1:]
    return np.ascontiguousarray(x), np.ascontiguousarray(y)
