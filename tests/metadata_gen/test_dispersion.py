"""Every dispersion is a correlation matrix, and the parametrised ones are what they say."""

import numpy as np
import pytest

from mizzle.errors import InvalidInput
from mizzle.metadata_gen import dispersion as dsp
from mizzle.metadata_gen.families.elliptical import MultivariateNormal
from mizzle.metadata_gen.family import Array

RNG = np.random.default_rng(0)
MIX_X, MIX_Y = dsp.random_mixing(RNG, RNG.random(5) + 0.2), dsp.random_mixing(RNG, np.ones(3))
GAINS = np.array([0.5, 2.0])
MATRICES: dict[str, Array] = {
    "dense": dsp.dense(8, 0.95),
    "dense negative": dsp.dense(8, -0.1),
    "pair": dsp.pair(-0.9999),
    "lvm": dsp.latent_variable(5, 3, 2, 1.0, 3.0, 1.5, 0.1),
    "lvm without pairs": dsp.latent_variable(5, 3, 0, 1.0, 3.0, 1.5, 0.1),
    "sparse": dsp.sparse(5, 3, 3, 5.0),
    "two pair": dsp.sparse(5, 3, 2, 2.0),
    "factor": dsp.random_factor_model(RNG, 5, 3, GAINS, GAINS, np.full(8, 0.3)),
    "canonical": dsp.canonical(np.array([0.999, 0.5]), MIX_X, MIX_Y),
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_is_a_correlation_matrix(matrix: Array) -> None:
    assert np.diag(matrix) == pytest.approx(1.0)
    assert matrix == pytest.approx(matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0.0


def test_canonical_correlations_are_recovered() -> None:
    rho = np.array([0.999, 0.7, 0.0])
    matrix = dsp.canonical(rho, MIX_X, MIX_Y)
    root_x, root_y = np.linalg.cholesky(matrix[:5, :5]), np.linalg.cholesky(matrix[5:, 5:])
    cross = np.linalg.solve(root_x, np.linalg.solve(root_y, matrix[5:, :5]).T)
    assert np.linalg.svd(cross, compute_uv=False) == pytest.approx(rho, abs=1e-9)
    nats = -0.5 * np.log1p(-(rho**2)).sum()
    assert MultivariateNormal(matrix, 5).mi().nats == pytest.approx(nats)


def test_latent_variable_is_the_covariance_of_its_latents() -> None:
    """X_0 = aU + bU_x + e + lZ, X_1 = aU + bU_x + e + hV, Y_0 = aU + bU_y + e + lZ."""
    a, lam, b, h = 0.7, 1.3, 0.5, 2.0
    weights = np.array(  # U, U_x, U_y, Z, then (e and V) of each column as one
        [
            [a, b, 0, lam, 1, 0, 0],
            [a, b, 0, 0, 0, np.hypot(1, h), 0],
            [a, 0, b, lam, 0, 0, 1],
        ]
    )
    expected = dsp.to_correlation(weights @ weights.T)
    assert dsp.latent_variable(2, 1, 1, a, lam, b, h) == pytest.approx(expected)


def test_sparse_correlates_the_pairs_only() -> None:
    matrix = dsp.sparse(3, 2, 2, 2.0) - np.eye(5)
    assert matrix[0, 3] == matrix[1, 4] == pytest.approx(0.8)
    assert np.count_nonzero(np.abs(matrix) > 1e-12) == 4


def test_rotation_is_orthogonal() -> None:
    rotation = dsp.random_rotation(RNG, 6)
    assert rotation @ rotation.T == pytest.approx(np.eye(6))


def test_mixing_has_the_given_singular_values() -> None:
    mixing = dsp.random_mixing(RNG, np.array([0.2, 1.0, 0.5]))
    assert np.linalg.svd(mixing, compute_uv=False) == pytest.approx([1.0, 0.5, 0.2])


@pytest.mark.parametrize(
    "build",
    [
        lambda: dsp.dense(4, 1.0),
        lambda: dsp.dense(4, -0.4),
        lambda: dsp.sparse(2, 3, 3, 1.0),
        lambda: dsp.canonical(np.array([1.0]), MIX_X, MIX_Y),
        lambda: dsp.canonical(np.zeros(4), MIX_X, MIX_Y),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
