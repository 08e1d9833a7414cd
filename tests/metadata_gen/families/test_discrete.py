"""Binned copulas and contingency tables against closed forms and each other."""

import math

import numpy as np
import pytest
from copula_families import COPULAS
from discrete_families import FAMILIES, equal
from scipy.special import expit

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.binned import Binned
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.families.copulas import Copula, NormalCopula, Rotated
from mizzle.metadata_gen.family import Family
from mizzle.metadata_gen.prior.contingency import random_levels, random_table
from mizzle.metadata_gen.prior.pairs import random_edges
from mizzle.metadata_gen.prior.ranges import MIN_LEVEL

ROWS = 60_000
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
every_copula = pytest.mark.parametrize("copula", COPULAS.values(), ids=COPULAS.keys())


@every_family
def test_mean_pmi_is_mi(family: Family) -> None:
    pmi = family.pmi(*family.sample(np.random.default_rng(1), ROWS))
    assert family.mi().stderr == 0.0
    # 4 standard errors of the mean of n draws, and rounding
    assert abs(pmi.mean() - family.mi().nats) <= 4.0 * pmi.std() / math.sqrt(ROWS) + 1e-9


@every_family
def test_logistic_identity(family: Family) -> None:
    """With r the pmi, E_joint 1/(1 + e^r) = E_product 1/(1 + e^-r)."""
    x, y = family.sample(np.random.default_rng(1), ROWS)
    joint, product = expit(-family.pmi(x, y)), expit(family.pmi(x, np.roll(y, 1)))
    slack = 4.0 * math.sqrt((joint.var() + product.var()) / ROWS) + 1e-12
    assert abs(joint.mean() - product.mean()) <= slack


@every_copula
def test_binning_loses_information(copula: Copula) -> None:
    whole = copula.mi()
    binned_x, binned_y = (Binned(copula, *edges).mi().nats for edges in ((equal(4), None), (None, equal(4))))
    both, coarse = (Binned(copula, equal(k), equal(4)).mi().nats for k in (4, 2))
    assert coarse <= both <= min(binned_x, binned_y)
    assert max(binned_x, binned_y) <= whole.nats + 4.0 * whole.stderr


@pytest.mark.parametrize("name", ["clayton 0.5", "gumbel 0.5", "frank 0.9", "joe at 270", "normal copula"])
def test_many_bins_tend_to_the_whole(name: str) -> None:
    copula = COPULAS[name]
    losses = [copula.mi().nats - Binned(copula, equal(k), equal(k)).mi().nats for k in (10, 40, 160)]
    assert losses[0] > losses[1] > losses[2] > 0.0
    assert losses[2] < 0.02
    assert Binned(copula, equal(160), None).mi().nats == pytest.approx(copula.mi().nats, abs=0.01)


@every_copula
def test_one_side_is_the_limit_of_many_bins_on_the_other(copula: Copula) -> None:
    """The table's MI falls short of the limit by O(1/k), and by no more than 0.03 at 400 bins."""
    for edges_x, edges_y in ((equal(3), None), (None, equal(3))):
        fine = Binned(
            copula, equal(400) if edges_x is None else edges_x, equal(400) if edges_y is None else edges_y
        )
        assert 0.0 <= Binned(copula, edges_x, edges_y).mi().nats - fine.mi().nats < 0.03


@pytest.mark.parametrize("name", ["clayton 0.9", "gumbel 0.9", "joe at 270", "cross"])
def test_table_of_bins_is_the_integral_of_the_conditional(name: str) -> None:
    """P(X in bin i, Y in bin j) = int_bin j P(bin i | v) dv, by 20,000 midpoints."""
    copula, v = COPULAS[name], (np.arange(20_000) + 0.5) / 20_000
    conditional = np.diff(copula.given_y(equal(4), v[:, None]), axis=1, prepend=0.0, append=1.0)
    cells = conditional.reshape(5, 4_000, 4).sum(axis=1).T / 20_000
    table = ContingencyTable(cells).mi().nats
    assert Binned(copula, equal(4), equal(5)).mi().nats == pytest.approx(table, abs=1e-5)


@pytest.mark.parametrize("r", [0.3, -0.9])
def test_signs_of_a_normal_pair(r: float) -> None:
    """Both halved at the median, P(same side) = 1/2 + asin(r) / pi."""
    same = 0.5 + math.asin(r) / math.pi
    expected = math.log(2.0) + same * math.log(same) + (1.0 - same) * math.log(1.0 - same)
    assert Binned(NormalCopula(r), equal(2), equal(2)).mi().nats == pytest.approx(expected, abs=1e-12)


def test_bins_hold_their_share() -> None:
    edges = random_edges(np.random.default_rng(0), 6, 0.5)
    x, y = Binned(COPULAS["cross"], edges, None).sample(np.random.default_rng(1), ROWS)
    p = np.diff(edges, prepend=0.0, append=1.0)
    shares = np.bincount(x[:, 0].astype(int), minlength=6) / ROWS
    assert (np.abs(shares - p) <= 4.0 * np.sqrt(p * (1.0 - p) / ROWS)).all()  # binomial
    assert len(np.unique(y)) == ROWS


def test_mirrored_bins_keep_mi() -> None:
    plain = Binned(COPULAS["joe 0.5"], np.array([0.2, 0.5]), None).mi().nats
    mirrored = Binned(Rotated(COPULAS["joe 0.5"], 90), np.array([0.5, 0.8]), None).mi().nats
    assert mirrored == pytest.approx(plain, abs=1e-12)


def test_independent_table_is_zero() -> None:
    assert FAMILIES["independent table"].mi().nats == pytest.approx(0.0, abs=1e-15)
    table = random_table(np.random.default_rng(0), 4, 7, 1.0, 0.0)
    assert table.mi().nats == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("k", [2, 5, 20])
def test_diagonal_table_is_log_k(k: int) -> None:
    assert ContingencyTable(np.eye(k) / k).mi().nats == pytest.approx(math.log(k))


def test_table_samples_its_cells() -> None:
    table = FAMILIES["table"]
    assert isinstance(table, ContingencyTable)
    x, y = table.sample(np.random.default_rng(1), ROWS)
    p = table.probabilities.ravel()
    shares = np.bincount((3 * x + y)[:, 0].astype(int), minlength=6) / ROWS
    assert (np.abs(shares - p) <= 4.0 * np.sqrt(p * (1.0 - p) / ROWS)).all()  # binomial


def test_impossible_cell() -> None:
    assert FAMILIES["table"].pmi(np.array([[0.0]]), np.array([[2.0]])).tolist() == [-math.inf]


@pytest.mark.parametrize("concentration", [0.1, 1.0, 100.0])
def test_no_level_of_a_random_table_is_rare(concentration: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(100):
        k, m = rng.integers(2, 21, size=2).tolist()
        p = random_table(rng, k, m, concentration, rng.random()).probabilities
        assert p.shape == (k, m)
        assert p.sum() == pytest.approx(1.0)
        assert p.sum(axis=1).min() >= 0.999 * MIN_LEVEL / k
        assert p.sum(axis=0).min() >= 0.999 * MIN_LEVEL / m


def test_coupling_raises_mi() -> None:
    for seed in range(30):
        tables = [random_table(np.random.default_rng(seed), 6, 5, 0.7, a) for a in (0.1, 0.5, 1.0)]
        nats = [table.mi().nats for table in tables]
        assert nats == sorted(nats)


def test_levels_have_a_floor() -> None:
    p = random_levels(np.random.default_rng(0), 8, 0.05)
    assert p.sum() == pytest.approx(1.0)
    assert p.min() >= MIN_LEVEL / 8


@pytest.mark.parametrize(
    "build",
    [
        lambda: Binned(NormalCopula(0.5), None, None),
        lambda: Binned(NormalCopula(0.5), np.array([0.5, 0.5]), None),
        lambda: Binned(NormalCopula(0.5), None, np.array([1.0])),
        lambda: Binned(NormalCopula(0.5), np.empty(0), None),
        lambda: ContingencyTable(np.eye(2)),
        lambda: ContingencyTable(np.array([0.5, 0.5])),
        lambda: ContingencyTable(np.array([[0.5, 0.0], [0.5, 0.0]])),
        lambda: ContingencyTable(np.array([[0.7, -0.1], [0.2, 0.2]])),
        lambda: random_table(np.random.default_rng(0), 2, 2, 1.0, 1.5),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
