"""Uniform X with uniform noise added, coordinate by coordinate."""

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form


class AdditiveUniformNoise(Family):
    """X_j ~ U(0, 1) and Y_j = X_j + U(-eps_j, eps_j), with independent coordinates.

    I = sum_j (eps_j - log(2 eps_j) if eps_j <= 1/2 else 1 / (4 eps_j)) nats: h(Y_j) - log(2 eps_j) with the
    entropy of a trapezoid (BMI: Czyz et al. 2023, NeurIPS; MIST: arXiv 2511.18945).

    Args:
        eps: half-width of each coordinate's noise, shape (d,), positive; both sides have d columns.

    Raises:
        InvalidInput: an eps is not positive and finite.

    >>> AdditiveUniformNoise(np.array([0.5])).mi().nats
    0.5
    """

    def __init__(self, eps: Array, name: str = "additive") -> None:
        super().__init__(name, len(eps), len(eps))
        if not np.all((eps > 0.0) & np.isfinite(eps)):
            raise InvalidInput("every eps must be positive and finite")
        self.eps = eps

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = rng.random((n, self.dim_x))
        return x, x + self.eps * (2.0 * rng.random((n, self.dim_x)) - 1.0)

    def mi(self) -> Truth:
        narrow, wide = self.eps - np.log(2.0 * self.eps), 0.25 / self.eps
        return closed_form(float(np.where(self.eps <= 0.5, narrow, wide).sum()))

    def pmi(self, x: Array, y: Array) -> Array:
        """-sum_j log of the length of (y_j - eps_j, y_j + eps_j) inside (0, 1), and -inf off the support."""
        overlap = np.minimum(y + self.eps, 1.0) - np.maximum(y - self.eps, 0.0)
        inside = (np.abs(y - x) < self.eps) & (overlap > 0.0)
        logs = np.log(overlap, out=np.full(y.shape, np.inf), where=inside)
        return np.asarray(-logs.sum(axis=1))
