"""The peers against distributions whose mutual information is known. Every bound is 4 standard errors.

For normals of correlation r the Gaussian estimates have a standard error of |r| / sqrt(n). What counts
neighbours has more; `NOISE` is measured.
"""

import math

import numpy as np
import pytest
from peers import PEERS, Neighbours, guesses, ksg, mixed_ksg

ROWS = 2000
RHO = 0.6
NORMAL = -0.5 * math.log(1 - RHO**2)
GAUSSIAN = ("copula", "copula-shrunk", "cca")
NEAREST = ("ksg", "ksg-1", "ksg-5", "mixed-ksg", "sklearn")
# sqrt(ROWS) times the standard deviation of the estimates from 60 samples of a pair at RHO, rounded up.
NOISE = dict.fromkeys(GAUSSIAN, RHO) | dict.fromkeys(NEAREST, 0.9) | {"ksg-1": 1.6}


def normals(seed: int, dim: int = 1, rho: float = RHO) -> tuple[np.ndarray, np.ndarray]:
    """Normal x and y of `dim` columns each, correlated column by column."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((ROWS, dim))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((ROWS, dim))


def table(seed: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Two discrete columns of 3 and 4 values, their I(X;Y), and sd(pmi), in nats."""
    rng = np.random.default_rng(seed)
    joint = np.array([[0.20, 0.05, 0.05, 0.02], [0.03, 0.15, 0.05, 0.05], [0.02, 0.05, 0.08, 0.25]])
    cells = rng.choice(joint.size, ROWS, p=joint.ravel())
    x, y = np.divmod(cells, joint.shape[1])
    pmi = np.log(joint / np.outer(joint.sum(1), joint.sum(0)))
    mi = float((joint * pmi).sum())
    spread = math.sqrt((joint * pmi**2).sum() - mi**2)
    return x[:, None].astype(float), y[:, None].astype(float), mi, spread


@pytest.mark.parametrize("name", PEERS)
def test_a_pair_of_normals(name: str) -> None:
    guess = PEERS[name](*normals(1))
    assert abs(guess - NORMAL) < 4 * NOISE[name] / math.sqrt(ROWS)


@pytest.mark.parametrize("name", [name for name in PEERS if name != "sklearn"])
def test_three_pairs_of_normals(name: str) -> None:
    """Three independent pairs: thrice the value, sqrt(3) times the noise; KSG's bias was 0.06."""
    guess = PEERS[name](*normals(2, dim=3))
    bias = 0.0 if name in GAUSSIAN else 0.06
    assert abs(guess - 3 * NORMAL) < bias + 4 * NOISE[name] * math.sqrt(3 / ROWS)


@pytest.mark.parametrize("name", PEERS)
def test_independent_columns(name: str) -> None:
    guess = PEERS[name](*normals(3, rho=0.0))
    assert 0.0 <= guess < 4 * NOISE[name] / math.sqrt(ROWS)


@pytest.mark.parametrize("name", ["mixed-ksg", "sklearn"])
def test_a_discrete_table(name: str) -> None:
    x, y, mi, spread = table(4)
    # The plug-in value is too high by (3 - 1) (4 - 1) / 2n.
    assert abs(PEERS[name](x, y) - mi) < 4 * spread / math.sqrt(ROWS) + 3 / ROWS


@pytest.mark.parametrize("name", ["mixed-ksg", "sklearn"])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_discrete_side(name: str, swapped: bool) -> None:
    """X uniform on 0..4, Y uniform on (X, X + 2): log 5 - 4/5 log 2 nats (Gao and others 2017, sec. 5)."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 5, (ROWS, 1)).astype(float)
    y = x + rng.uniform(0, 2, (ROWS, 1))
    pair = (y, x) if swapped else (x, y)
    mi = math.log(5) - 0.8 * math.log(2)
    # sqrt(ROWS) times the standard deviation of the estimates from 60 samples was 0.49 and 0.54.
    assert abs(PEERS[name](*pair) - mi) < 4 * 0.6 / math.sqrt(ROWS)


def test_mixed_ksg_where_one_column_is_partly_discrete() -> None:
    """X is 0 with probability 1/2 and else above 1, Y says which: I = log 2."""
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, (ROWS, 1)).astype(float)
    x = y * (1 + rng.exponential(size=(ROWS, 1)))
    # The entropy of Y is wrong by 2 (p - 1/2)^2, which is 8 / n at 4 standard errors of p; psi(m) is
    # log(m) - 1 / 2m for the m = n / 2 equal rows.
    assert abs(mixed_ksg(x, y) - math.log(2)) < (8 + 1) / ROWS


def test_peers_by_neighbours_share_their_trees_and_agree() -> None:
    x, y = normals(7)
    shared = guesses(x, y)
    assert list(shared) == list(PEERS)
    assert shared == {name: guess(x, y) for name, guess in PEERS.items()}
    assert Neighbours(x, y, 10).ksg(3) == ksg(x, y)


def test_mixed_ksg_is_ksg_where_nothing_ties() -> None:
    """They then differ by log n - psi(n), about 1 / 2n."""
    x, y = normals(8)
    assert mixed_ksg(x, y, 3) - ksg(x, y, 3) == pytest.approx(0.5 / ROWS, rel=0.01)


def test_cca_ignores_linear_maps_of_a_side_and_the_copula_monotone_maps_of_a_column() -> None:
    x, y = normals(9, dim=3)
    mixed = x @ np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [1.0, 0.0, 3.0]])
    assert PEERS["cca"](mixed, y) == pytest.approx(PEERS["cca"](x, y), abs=1e-9)
    assert PEERS["copula"](np.exp(x), y**3) == pytest.approx(PEERS["copula"](x, y), abs=1e-9)


def test_undefined_is_nan() -> None:
    x, y = normals(10, dim=6)
    assert math.isnan(PEERS["sklearn"](x, y))
    assert math.isnan(PEERS["copula"](x[:10], y[:10]))
    assert math.isnan(PEERS["cca"](x[:10], y[:10]))
    assert math.isnan(PEERS["cca"](np.ones_like(x), y))
    assert math.isnan(PEERS["ksg"](x[:3], y[:3]))
    assert math.isfinite(PEERS["copula-shrunk"](x[:10], y[:10]))
