"""The levels of an answer's quantiles, its mean, and how wide it may become."""

import numpy as np
from numpy.typing import NDArray

LEVELS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
    0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995,
)  # fmt: skip
MIDDLE = LEVELS.index(0.5)
LARGEST_WIDENING = 3.0  # times as wide as the network says, where the sample is unfamiliar


def mean(nats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Posterior means of quantiles of shape (b, q): the integral of the quantile function.

    Beyond the outermost levels it is flat.
    """
    ends = np.concatenate([nats[:, :1], nats, nats[:, -1:]], axis=1)
    means: NDArray[np.float64] = np.trapezoid(ends, (0.0, *LEVELS, 1.0), axis=1)
    return means
