"""Laws that every family and operator obeys; a new class must join FAMILIES or the census fails."""

import math

import numpy as np
import pytest
from all_families import FAMILIES, NOISE, NORMAL, STUDENT, WARPS
from census import concrete
from scipy.special import expit

from mizzle.errors import InvalidInput
from mizzle.metadata_gen import dispersion
from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.families.independent import Noise
from mizzle.metadata_gen.families.operators import (
    ColumnsShuffled,
    Concatenated,
    MonotoneWarped,
    Swapped,
    WithNuisance,
)
from mizzle.metadata_gen.family import Array, Family, Rng, Truth
from mizzle.metadata_gen.maps.warps import Asinh, SignedPower

ROWS = 60_000
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def rng() -> Rng:
    return np.random.default_rng(1)


def difference_in_stderrs(a: Array, b: Array) -> float:
    """(mean a - mean b) / sqrt(var a / n + var b / n), 0 where both are constant and equal."""
    stderr = math.sqrt(a.var() / len(a) + b.var() / len(b))
    return float(abs(a.mean() - b.mean())) / max(stderr, 1e-12)


def test_census() -> None:
    missing = concrete(Family) - {type(family) for family in FAMILIES.values()}
    assert not missing, "give each an example in tests/metadata_gen/all_families.py"


@every_family
def test_sample_has_its_shape(family: Family) -> None:
    x, y = family.sample(rng(), 12)
    assert x.shape == (12, family.dim_x)
    assert y.shape == (12, family.dim_y)
    assert x.dtype == y.dtype == np.float64


@every_family
def test_sample_is_finite_and_has_ties_only_where_it_says_so(family: Family) -> None:
    sides = family.sample(rng(), 2000)
    assert all(np.isfinite(side).all() for side in sides)
    tied = any(len(np.unique(column)) < 2000 for side in sides for column in side.T)
    assert tied is not family.continuous


@every_family
def test_sample_depends_on_rng_only(family: Family) -> None:
    for a, b in zip(family.sample(rng(), 9), family.sample(rng(), 9), strict=True):
        assert a.tobytes() == b.tobytes()


@every_family
def test_mi_is_non_negative(family: Family) -> None:
    assert family.mi().nats >= 0.0


@every_family
def test_mi_is_mean_of_pmi(family: Family) -> None:
    pmi = family.pmi(*family.sample(rng(), ROWS))
    truth = family.mi()
    # the mean of n draws has standard error sd / sqrt(n); 4 of it and of the truth's own, and rounding
    stderr = math.hypot(pmi.std() / math.sqrt(ROWS), truth.stderr)
    assert abs(pmi.mean() - truth.nats) <= 4 * stderr + 1e-9


@every_family
def test_truth_is_known_well_enough(family: Family) -> None:
    truth = family.mi()
    assert truth.stderr <= max(0.002, 0.005 * truth.nats)


@every_family
def test_pmi_is_log_ratio_of_joint_to_product(family: Family) -> None:
    """With r the pmi, E_joint 1/(1 + e^r) = E_product 1/(1 + e^-r); both are bounded."""
    (x, y), (_, other_y) = family.sample(rng(), ROWS), family.sample(np.random.default_rng(2), ROWS)
    joint, product = expit(-family.pmi(x, y)), expit(family.pmi(x, other_y))
    assert difference_in_stderrs(joint, product) <= 4.0


@every_family
def test_swap_is_symmetric(family: Family) -> None:
    swapped = Swapped(family)
    x, y = family.sample(rng(), 50)
    assert (swapped.dim_x, swapped.dim_y) == (family.dim_y, family.dim_x)
    assert swapped.mi() == family.mi()
    assert swapped.pmi(y, x) == pytest.approx(family.pmi(x, y))


@every_family
def test_warp_keeps_mi(family: Family) -> None:
    warps_x, warps_y = [WARPS[i % 4] for i in range(family.dim_x)], [Asinh()] * family.dim_y
    warped = MonotoneWarped(family, warps_x, warps_y)
    assert warped.mi() == family.mi()
    assert warped.name == family.name


@every_family
def test_warp_keeps_ranks(family: Family) -> None:
    warped = MonotoneWarped(family, [SignedPower(0.5)] * family.dim_x, [Asinh()] * family.dim_y)
    pairs = zip(family.sample(rng(), 200), warped.sample(rng(), 200), strict=True)
    for plain, monotone in pairs:
        assert (plain.argsort(axis=0) == monotone.argsort(axis=0)).all()


@every_family
def test_nuisance_and_shuffle_keep_mi(family: Family) -> None:
    wide = WithNuisance(family, NOISE, None)
    order = rng().permutation(wide.dim_x)
    shuffled = ColumnsShuffled(wide, order, np.arange(wide.dim_y))
    assert shuffled.dim_x == family.dim_x + NOISE.dim
    assert shuffled.mi() == family.mi()


@every_family
def test_concatenation_adds(family: Family) -> None:
    both = Concatenated([family, STUDENT])
    assert both.mi().nats == pytest.approx(family.mi().nats + STUDENT.mi().nats)
    assert both.name == f"{family.name}+student"


class Rough(MultivariateNormal):
    """One whose truth has an error, and which counts how often it is called."""

    calls = 0

    def mi(self) -> Truth:
        self.calls += 1
        return Truth(1.0, 0.3)


def test_concatenation_adds_stderr_in_quadrature() -> None:
    parts = [Rough(np.eye(2), 1), Rough(np.eye(2), 1)]
    assert Concatenated(parts).mi() == pytest.approx((2.0, 0.3 * math.sqrt(2.0)))


def test_concatenation_of_one_part_asks_once_and_adds_its_error() -> None:
    part = Rough(np.eye(2), 1)
    assert Concatenated([part] * 3).mi() == pytest.approx((3.0, 0.9))
    assert part.calls == 1


def test_independence_is_zero() -> None:
    assert FAMILIES["independent"].mi() == Truth(0.0, 0.0)
    assert MultivariateNormal(np.eye(5), 2).mi().nats == 0.0


@pytest.mark.parametrize("dims", [(1, 1), (3, 2), (20, 40)])
def test_student_tends_to_normal(dims: tuple[int, int]) -> None:
    matrix = dispersion.dense(sum(dims), 0.3)
    normal, student = MultivariateNormal(matrix, dims[0]), MultivariateStudent(matrix, dims[0], 1e6)
    assert student.mi().nats == pytest.approx(normal.mi().nats, abs=1e-4)


def test_additive_is_continuous_at_one_half() -> None:
    below, above = (AdditiveUniformNoise(np.array([e])).mi().nats for e in (0.5, 0.5 + 1e-12))
    assert below == pytest.approx(above)


def test_additive_has_no_density_off_its_support() -> None:
    pmi = AdditiveUniformNoise(np.array([0.1])).pmi(np.array([[0.2]]), np.array([[0.5]]))
    assert pmi.tolist() == [-math.inf]


@pytest.mark.parametrize(
    "build",
    [
        lambda: MultivariateNormal(np.array([[1.0, 1.0], [1.0, 1.0]]), 1),
        lambda: MultivariateNormal(np.array([[1.0, 0.5], [0.2, 1.0]]), 1),
        lambda: MultivariateNormal(np.eye(2), 2),
        lambda: MultivariateStudent(np.eye(2), 1, 0.0),
        lambda: AdditiveUniformNoise(np.array([0.0])),
        lambda: Noise(np.eye(2), "student", -1.0),
        lambda: MonotoneWarped(NORMAL, [], []),
        lambda: ColumnsShuffled(NORMAL, np.array([0, 0, 1]), np.arange(4)),
        lambda: Concatenated([]),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
