"""Maps of a side and copies keep MI; zeros and contamination change it by their formulas."""

import math

import numpy as np
import pytest
from map_families import ADDITIVE, FAMILIES, NORMAL, PAIR, STUDENT
from scipy.special import entr

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.elliptical import MultivariateNormal
from mizzle.metadata_gen.families.independent import Independent, Noise
from mizzle.metadata_gen.families.operators import (
    ColumnsShuffled,
    Concatenated,
    Contaminated,
    SideWarped,
    Swapped,
    WithCopies,
    WithNuisance,
    ZeroInflated,
)
from mizzle.metadata_gen.family import Family, Rng, Truth
from mizzle.metadata_gen.maps.curves import SwissRoll
from mizzle.metadata_gen.maps.invertible import Linear
from mizzle.metadata_gen.maps.looks import Look
from mizzle.metadata_gen.montecarlo import tolerance

ROWS = 60_000
COLUMN = Noise(np.eye(1))
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
every_base = pytest.mark.parametrize("base", [PAIR, NORMAL, STUDENT, ADDITIVE], ids=lambda base: base.name)


def rng() -> Rng:
    return np.random.default_rng(3)


class Rough(MultivariateNormal):
    """A base whose truth is known up to a standard error."""

    def mi(self) -> Truth:
        return Truth(super().mi().nats, 0.01)


ROUGH = Rough(NORMAL.dispersion, 3)


@every_family
def test_mi_is_mean_of_pmi(family: Family) -> None:
    pmi, truth = family.pmi(*family.sample(rng(), ROWS)), family.mi()
    # the mean of n draws has standard error sd / sqrt(n), the truth its own; 4 of both, and rounding
    assert abs(pmi.mean() - truth.nats) <= 4 * math.hypot(pmi.std() / math.sqrt(ROWS), truth.stderr) + 1e-9


@every_family
def test_truth_is_known_well_enough(family: Family) -> None:
    truth = family.mi()
    assert truth.stderr <= tolerance(truth.nats)
    assert truth.nats >= 0.0


@every_family
def test_sample_depends_on_rng_only(family: Family) -> None:
    for a, b in zip(family.sample(rng(), 9), family.sample(rng(), 9), strict=True):
        assert a.tobytes() == b.tobytes()


@every_family
def test_sample_has_its_shape(family: Family) -> None:
    x, y = family.sample(rng(), 12)
    assert (x.shape, y.shape) == ((12, family.dim_x), (12, family.dim_y))
    assert x.dtype == y.dtype == np.float64
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()


@every_family
def test_continuous_is_without_ties(family: Family) -> None:
    columns = [column for side in family.sample(rng(), 500) for column in side.T]
    assert all(len(np.unique(column)) == 500 for column in columns) == family.continuous


def test_continuous_is_passed_on() -> None:
    zeros = ZeroInflated(PAIR, 0.5, 0.5)
    assert Swapped(ColumnsShuffled(PAIR, np.arange(1), np.arange(1))).continuous
    assert Concatenated([PAIR, NORMAL]).continuous
    assert not Concatenated([PAIR, zeros]).continuous
    assert not Swapped(zeros).continuous
    assert WithNuisance(PAIR, COLUMN, None).continuous
    assert not WithNuisance(PAIR, None, Noise(np.eye(1), "discrete")).continuous


# Maps and copies


@pytest.mark.parametrize("name", [name for name, f in FAMILIES.items() if isinstance(f, SideWarped)])
def test_map_keeps_mi_and_pmi(name: str) -> None:
    warped = FAMILIES[name]
    assert isinstance(warped, SideWarped)
    base = warped.base
    assert warped.mi() == base.mi()
    pmi = base.pmi(*base.sample(rng(), 500))
    assert warped.pmi(*warped.sample(rng(), 500)) == pytest.approx(pmi, abs=1e-6)


def test_look_keeps_mi_and_has_no_pmi() -> None:
    doubled = Look(lambda z: np.hstack([z, z**2]), 3)
    shown = SideWarped(NORMAL, doubled, None, name="looks")
    assert (shown.name, shown.dim_x, shown.dim_y) == ("looks", 6, 4)
    assert shown.mi() == NORMAL.mi()
    assert shown.continuous
    x, y = shown.sample(rng(), 9)
    with pytest.raises(InvalidInput, match="inverse"):
        shown.pmi(x, y)


def test_copies_are_appended() -> None:
    x, y = WithCopies(NORMAL, [2, 0], [1], np.array([0.0, 3.0, 0.5])).sample(rng(), ROWS)
    assert (x.shape[1], y.shape[1]) == (5, 5)
    assert (x[:, 3] == x[:, 2]).all()
    # the standard deviation of n normal numbers has standard error sd / sqrt(2 n)
    for noise, scale in ((x[:, 4] - x[:, 0], 3.0), (y[:, 4] - y[:, 1], 0.5)):
        assert noise.std() == pytest.approx(scale, abs=4 * scale / math.sqrt(2 * ROWS))


@every_base
def test_copies_keep_mi(base: Family) -> None:
    assert WithCopies(base, [0], [0], np.array([0.1, 0.0])).mi() == base.mi()


def test_copy_of_a_normal_has_its_closed_form() -> None:
    """(X, X + 2 e) and Y as one multivariate normal."""
    joint = np.array([[1.0, 1.0, 0.8], [1.0, 5.0, 0.8], [0.8, 0.8, 1.0]])
    copied = WithCopies(PAIR, [0], [], np.array([2.0]))
    assert copied.mi().nats == pytest.approx(MultivariateNormal(joint, 2).mi().nats)


# Zeros


@every_base
def test_independent_zeros_thin_mi(base: Family) -> None:
    assert ZeroInflated(base, 0.7, 0.4).mi().nats == pytest.approx(0.28 * base.mi().nats)


@every_base
def test_shared_zeros_add_their_entropy(base: Family) -> None:
    entropy = float(entr(0.3) + entr(0.7))
    assert ZeroInflated(base, 0.7, 0.7, shared=True).mi().nats == pytest.approx(
        entropy + 0.7 * base.mi().nats
    )


def test_zeros_of_independent_sides_are_two_binary_variables() -> None:
    masks = np.array([[0.2, 0.3], [0.0, 0.5]])  # P(a, b) of U < 0.5 and U < 0.8
    expected = entr(masks.sum(axis=0)).sum() + entr(masks.sum(axis=1)).sum() - entr(masks).sum()
    family = ZeroInflated(Independent(COLUMN, COLUMN), 0.5, 0.8, shared=True)
    assert family.mi().nats == pytest.approx(expected)
    x, y = family.sample(rng(), ROWS)
    counts = np.histogram2d((x != 0.0).ravel(), (y != 0.0).ravel(), bins=2)[0]
    # a share of n rows has standard error at most 1 / (2 sqrt(n))
    assert counts / ROWS == pytest.approx(masks, abs=2 / math.sqrt(ROWS))


def test_nothing_zeroed_is_the_base() -> None:
    family = ZeroInflated(NORMAL, 1.0, 1.0, shared=True)
    assert family.mi().nats == pytest.approx(NORMAL.mi().nats)
    x, y = NORMAL.sample(rng(), 50)
    assert family.pmi(x, y) == pytest.approx(NORMAL.pmi(x, y))


def test_pmi_of_masked_rows() -> None:
    x, y = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[0.0], [1.0], [0.0], [1.0]])
    base = PAIR.pmi(x[3:], y[3:])[0]
    apart, shared = ZeroInflated(PAIR, 0.6, 0.3), ZeroInflated(PAIR, 0.6, 0.6, shared=True)
    assert apart.pmi(x, y) == pytest.approx([0.0, 0.0, 0.0, base])
    expected = [-math.log(0.4), -math.inf, -math.inf, base - math.log(0.6)]
    assert shared.pmi(x, y) == pytest.approx(expected)


def test_zeros_scale_the_error_of_the_truth() -> None:
    assert ZeroInflated(ROUGH, 0.5, 0.4).mi().stderr == pytest.approx(0.002)


# Contamination


@every_base
def test_contamination_goes_from_base_to_independence(base: Family) -> None:
    assert Contaminated(base, 1e-9).mi().nats == pytest.approx(base.mi().nats, abs=1e-6)
    assert Contaminated(base, 1.0 - 1e-9).mi().nats == pytest.approx(0.0, abs=1e-6)
    x, y = base.sample(rng(), 500)
    assert Contaminated(base, 1e-9).pmi(x, y) == pytest.approx(base.pmi(x, y), abs=1e-5)
    assert Contaminated(base, 1.0 - 1e-9).pmi(x, y) == pytest.approx(0.0, abs=1e-5)


@every_base
def test_contamination_is_convex(base: Family) -> None:
    """I is convex in p(y|x) at fixed p(x), so it lies below the chord from I_base to 0."""
    truths = [Contaminated(base, share).mi() for share in (0.1, 0.5, 0.9)]
    for share, truth in zip((0.1, 0.5, 0.9), truths, strict=True):
        assert truth.nats <= (1.0 - share) * base.mi().nats + 4 * truth.stderr
    assert truths[0].nats > truths[1].nats > truths[2].nats


def test_contaminated_pair_by_quadrature() -> None:
    """The mean of pmi on the midpoints of a grid over the plane."""
    family, grid = Contaminated(PAIR, 0.3), np.linspace(-8.0, 8.0, 801)
    u, v = (side.reshape(-1, 1) for side in np.meshgrid(grid, grid))
    pmi, step = family.pmi(u, v), grid[1] - grid[0]
    product = np.exp(-(u**2 + v**2)[:, 0] / 2.0) / (2.0 * np.pi)
    truth = family.mi()
    assert abs((product * np.exp(pmi) * pmi).sum() * step**2 - truth.nats) <= 4 * truth.stderr


def test_contamination_of_independence_is_independence() -> None:
    assert Contaminated(Independent(COLUMN, COLUMN), 0.3).mi().nats == pytest.approx(0.0, abs=1e-12)


def test_contamination_has_no_empty_support() -> None:
    pmi = Contaminated(ADDITIVE, 0.2).pmi(np.array([[0.2, 0.5, 0.5]]), np.array([[0.9, 0.5, 0.5]]))
    assert pmi == pytest.approx(math.log(0.2))


def test_contamination_of_a_rough_base_relies_on_samples_alone() -> None:
    rough, exact = Contaminated(ROUGH, 0.3).mi(), Contaminated(NORMAL, 0.3).mi()
    assert abs(rough.nats - exact.nats) <= 4 * math.hypot(rough.stderr, exact.stderr)
    assert rough.stderr <= tolerance(rough.nats)


def test_standard_error_is_honest() -> None:
    """z of 60 integrations against a precise one; the sum of their squares is chi-squared, sd sqrt(120)."""
    family = Contaminated(STUDENT, 0.3)
    precise = family._regressed(np.random.default_rng(0), 200_000)
    truths = [family._regressed(np.random.default_rng(1 + i), 1024) for i in range(60)]
    z = np.array([(t.nats - precise.nats) / math.hypot(t.stderr, precise.stderr) for t in truths])
    assert (z**2).sum() == pytest.approx(60, abs=4 * math.sqrt(120))


@pytest.mark.parametrize(
    "build",
    [
        lambda: SideWarped(NORMAL, Linear(np.eye(4)), None),
        lambda: SideWarped(NORMAL, None, SwissRoll(3, 0)),
        lambda: WithCopies(NORMAL, [3], [], np.zeros(1)),
        lambda: WithCopies(NORMAL, [], [-1], np.zeros(1)),
        lambda: WithCopies(NORMAL, [0], [0], np.zeros(1)),
        lambda: WithCopies(NORMAL, [0], [], np.array([-1.0])),
        lambda: ZeroInflated(NORMAL, 0.0, 0.5),
        lambda: ZeroInflated(NORMAL, 0.5, 1.1),
        lambda: ZeroInflated(ZeroInflated(NORMAL, 0.5, 0.5), 0.5, 0.5),
        lambda: Contaminated(NORMAL, 0.0),
        lambda: Contaminated(NORMAL, 1.0),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
