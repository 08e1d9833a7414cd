"""What is counted of labels is what the formulas say, and hangs neither on names nor on the order of rows."""

import numpy as np
import pytest

from mizzle.model.labels import numbers, tables
from mizzle.model.preprocess import side

RNG = np.random.default_rng(5)
X = RNG.integers(0, 6, 300)
Y = np.where(RNG.random(300) < 0.6, X, RNG.integers(0, 6, 300))
NUMBERS = X + RNG.normal(size=300)
RANKS = side(NUMBERS[:, None]).ranks[0]


def plain(x, y) -> float:
    """I of the observed shares."""
    joint = np.zeros((x.max() + 1, y.max() + 1))
    np.add.at(joint, (x, y), 1 / len(x))
    product = np.outer(joint.sum(1), joint.sum(0))
    live = joint > 0
    return float((joint[live] * np.log(joint[live] / product[live])).sum())


def test_the_plug_in_estimate_is_that_of_the_shares() -> None:
    assert tables.plug_in(tables.count(X, Y))[0] == pytest.approx(plain(X, Y), abs=1e-12)


def test_the_jackknife_leaves_out_row_by_row() -> None:
    left_out = [plain(np.delete(X, i), np.delete(Y, i)) for i in range(300)]
    expected = 300 * plain(X, Y) - 299 * np.mean(left_out)
    assert tables.jackknife(tables.count(X, Y)) == pytest.approx(expected, abs=1e-9)


def test_prediction_leaves_out_the_row_itself() -> None:
    logs = []
    for i in range(300):
        x, y = np.delete(X, i), np.delete(Y, i)
        prior = np.mean(Y[i] == Y)
        odds = (np.sum((x == X[i]) & (y == Y[i])) + 4.0 * prior) / (np.sum(x == X[i]) + 4.0)
        logs.append(np.log(odds / prior))
    counts = tables.count(X, Y)
    predicted = tables.predicted(counts.cells, counts.in_x, counts.in_y, 300, 4.0)
    assert predicted == pytest.approx(np.mean(logs), abs=1e-9)


def test_chance_gives_what_independent_labels_give_on_average() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.integers(0, 12, 200), rng.integers(0, 9, 200)
    drawn = [plain(x, rng.permutation(y)) for _ in range(400)]
    # Poisson cells know nothing of the fixed margins, which takes some of the freedom: up to (kx + ky) / 2n
    difference = tables.expected_by_chance(tables.count(x, y)) - np.mean(drawn)
    assert difference + 4 * np.std(drawn) / 20 >= 0.0
    assert difference < (12 + 9) / 400


def test_shrinking_ends_at_independence_and_at_the_shares() -> None:
    rng = np.random.default_rng(7)
    estimate, weight = tables.shrunk(tables.count(rng.integers(0, 30, 60), rng.integers(0, 30, 60)))
    assert weight > 0.8
    assert 0.0 <= estimate < 0.4
    same = tables.count(np.repeat([0, 1], 5000), np.repeat([0, 1], 5000))
    assert tables.shrunk(same)[0] == pytest.approx(np.log(2), abs=0.01)


def test_neighbours_are_those_of_ross() -> None:
    """Against the definition, row by row, in the normal scores that the module measures distances in."""
    scores = numbers.normal_scores(RANKS)
    order = np.lexsort((RANKS, X))
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, 400))])
    terms = []
    for i in range(300):
        mine = np.sort(np.abs(scores[(X[i] == X) & (np.arange(300) != i)] - scores[i]))
        within = np.sum(np.abs(scores - scores[i]) <= mine[2] + 1e-9) - 1
        size = np.sum(X[i] == X)
        terms.append(harmonic[299] + harmonic[2] - harmonic[size - 1] - harmonic[within - 1])
    found, variance = numbers.neighbours(X[order], scores[order], 3)
    assert found == pytest.approx(np.mean(terms), abs=1e-9)
    assert variance == pytest.approx(np.var(terms), abs=1e-9)


def test_names_and_rows_and_sides_change_nothing() -> None:
    order = np.random.default_rng(8).permutation(300)
    names = np.array([3, 0, 5, 1, 4, 2])
    first = tables.summary(X, Y)
    for other in (
        tables.summary(names[X], Y),
        tables.summary(X[order], Y[order]),
        tables.summary(Y, X),
        tables.summary(names[X][order], names[Y][order]),
    ):
        np.testing.assert_allclose(other.features, first.features, atol=1e-9)
        assert other.base == pytest.approx(first.base, abs=1e-12)


def test_a_label_beside_numbers_has_no_name_and_numbers_no_direction() -> None:
    order = np.random.default_rng(9).permutation(300)
    names = np.array([3, 0, 5, 1, 4, 2])
    first = numbers.summary(X, RANKS)
    for other in (
        numbers.summary(names[X], RANKS),
        numbers.summary(X[order], RANKS[order]),
        numbers.summary(X, -RANKS),
    ):
        np.testing.assert_allclose(other.features, first.features, atol=1e-7)


@pytest.mark.parametrize("n", [10, 11, 50])
def test_the_smallest_samples_are_finite(n: int) -> None:
    x = np.arange(n) % 2
    for y in (x, 1 - x, np.roll(x, 1), np.arange(n) // (n // 2) % 2):
        assert np.isfinite(tables.summary(x, y).features).all()
    for column in (np.arange(n), x, np.arange(n) // 3):
        ranks = side(column[:, None].astype(float)).ranks[0]
        assert np.isfinite(numbers.summary(x, ranks).features).all()
