"""Three sides as two problems: what is taken out can be put back, and what is known is not estimated."""

import numpy as np
import pytest

from mizzle.model import Estimator
from mizzle.model.conditional import answers, triples
from mizzle.model.conditional.residuals import Explainer
from mizzle.model.preprocess import side
from mizzle.model.quantiles import LEVELS
from mizzle.types import Estimate, ModelInfo

MODEL = ModelInfo("m", "1", "0")


@pytest.fixture(scope="module")
def estimator():
    return Estimator.load(threads=1)


def answered(estimator, x, y, z) -> Estimate:
    triple = triples.prepare(x, y, z)
    estimates = estimator.run([estimator.prepare(*pair) for pair in triple.problems])
    return answers.answer(triple, estimates, MODEL)


def drawn(n=400, dims=(1, 1, 1), seed=1):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, dims[2]))
    x = z[:, :1] + rng.standard_normal((n, dims[0]))
    return x, z[:, :1] ** 2 + x[:, :1] + rng.standard_normal((n, dims[1])), z


@pytest.mark.parametrize("dims", [(1, 1, 1), (2, 1, 3), (1, 2, 1)])
def test_nothing_but_the_order_counts(estimator, dims) -> None:
    x, y, z = drawn(dims=dims)
    plain = answered(estimator, x, y, z)
    assert answered(estimator, np.exp(x), y**3, 5.0 * z - 1.0).values == plain.values


def test_x_and_y_may_change_places(estimator) -> None:
    x, y, z = drawn()
    assert answered(estimator, y, x, z).values == answered(estimator, x, y, z).values


def test_what_is_left_within_a_group_has_the_order_of_the_column() -> None:
    rng = np.random.default_rng(2)
    z, x = rng.integers(0, 7, (500, 1)).astype(float), rng.standard_normal((500, 1))
    explainer = Explainer(side(z))
    left = explainer.left(side(x + z)).values[:, 0]
    assert explainer.groups is not None
    for level in range(7):
        rows = z[:, 0] == level
        assert (np.argsort(left[rows]) == np.argsort(x[rows, 0])).all()
    assert len(np.unique(left)) == 500


def test_z_tells_less_of_what_is_left() -> None:
    x, _, z = drawn(2000)
    left = Explainer(side(z)).left(side(x))
    assert left.explained == pytest.approx(0.5, abs=0.05)
    assert abs(np.corrcoef(left.values[:, 0], z[:, 0])[0, 1]) < 0.05


@pytest.mark.parametrize("kind", ["copy", "function of a label", "both columns"])
def test_what_z_determines_shares_exactly_nothing(estimator, kind: str) -> None:
    x, y, z = drawn()
    label = np.random.default_rng(3).integers(0, 6, (400, 1)).astype(float)
    x, z = {
        "copy": (-(z**3), z),
        "function of a label": (label // 2, label),
        "both columns": (z[:, [0, 0]], z),
    }[kind]
    estimate = answered(estimator, x, y, np.hstack([z, y + x[:, :1]]) if kind == "copy" else z)
    assert estimate.mi == 0.0
    assert set(estimate.values) == {0.0}
    assert [notice.code for notice in estimate.warnings if notice.code == "determined"]


def test_constant_z_leaves_the_plain_estimate(estimator) -> None:
    x, y, z = drawn()
    estimate = answered(estimator, x, y, np.ones((400, 2)))
    [plain] = estimator.estimate_many([(x, y)])
    assert estimate.values == plain.values
    assert (estimate.dim_z, estimate.warnings[0].code) == (2, "constant_given")
    noted = answered(estimator, x, y, np.hstack([z, z, np.zeros((400, 1))]))
    assert {notice.code for notice in noted.warnings} == {"constant_given", "copies_given"}
    assert noted.values == answered(estimator, x, y, z).values


def test_a_constant_side_shares_nothing(estimator) -> None:
    x, _, z = drawn()
    estimate = answered(estimator, x, np.ones((400, 1)), z)
    assert (estimate.mi, estimate.warnings[0].code) == (0.0, "constant_y")


def test_estimates_that_cannot_both_be_right_are_named() -> None:
    x, y, z = drawn()
    triple = triples.prepare(x, y, z)
    low, high = (
        Estimate(mi, LEVELS, tuple(np.linspace(0.9, 1.1, len(LEVELS)) * mi), 400, 2, 1, True, (), MODEL)
        for mi in (0.2, 0.9)
    )
    estimate = answers.answer(triple, [low, high], MODEL)
    assert [notice.code for notice in estimate.warnings] == ["contradiction"]
    assert min(estimate.values) >= 0.0
    assert not answers.answer(triple, [high, low], MODEL).warnings


def test_fewer_rows_than_in_the_training_are_out_of_range(estimator) -> None:
    estimate = answered(estimator, *drawn(30))
    assert not estimate.in_range
    assert "rows_out_of_range" in [notice.code for notice in estimate.warnings]


def test_two_labels_know_their_limit(estimator) -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, (300, 1)).astype(float)
    estimate = answered(estimator, x, x, rng.standard_normal((300, 1)))
    assert 0.5 < estimate.mi <= np.log(2)
    assert estimate.values[-1] <= np.log(2)
