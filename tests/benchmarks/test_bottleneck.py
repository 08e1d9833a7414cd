"""The known answer of the information bottleneck: no encoder is above the curve, the best one is on it."""

import numpy as np
import pytest
from differentiable import bottleneck

RNG = np.random.default_rng(0)
X_TO_Y, NOISE = RNG.normal(size=(2, 5)) / 5**0.5, np.array([0.3, 0.8])


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_no_encoder_is_above_the_curve(scale: float) -> None:
    for _ in range(50):
        of_x, of_y = bottleneck.informations(scale * RNG.normal(size=(2, 5)), X_TO_Y, NOISE)
        assert 0.0 < of_y <= bottleneck.most(of_x, X_TO_Y, NOISE) + 1e-6


@pytest.mark.parametrize("beta", [2.0, 5.0, 30.0])
def test_the_best_encoder_is_on_the_curve(beta: float) -> None:
    """Chechik et al. (2005): left eigenvectors of what Y leaves of X, of lengths that beta gives."""
    of_y = X_TO_Y @ X_TO_Y.T + np.diag(NOISE**2)
    values, vectors = np.linalg.eigh(np.eye(5) - X_TO_Y.T @ np.linalg.solve(of_y, X_TO_Y))
    lengths = np.sqrt(np.maximum((beta * (1 - values[:2]) - 1) / values[:2], 0))
    reached = bottleneck.informations(lengths[:, None] * vectors[:, :2].T, X_TO_Y, NOISE)
    assert reached[1] == pytest.approx(bottleneck.most(reached[0], X_TO_Y, NOISE), abs=1e-5)
