"""Labels have no order: their names change nothing, and the answers are right for 2 to 200 levels."""

import math
import tracemalloc

import numpy as np
import pytest

from mizzle.metadata_gen.label_problems import label_table, labelled_numbers
from mizzle.model import Estimator, blocks
from mizzle.model.labels.answers import Labelled
from mizzle.model.preprocess import prepare, side, with_indicators
from mizzle.model.quantiles import LEVELS

LOW, HIGH = LEVELS.index(0.05), LEVELS.index(0.95)
DRAWS = 300
# Of so many intervals that hold the truth with probability .9 fewer happen once in thirty thousand runs.
FEWEST = 0.9 * DRAWS - 4 * math.sqrt(0.09 * DRAWS)


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return Estimator.load()


def renamed_copy(rng, levels: int, n: int, kept: float):
    """A label and its copy under other names, of which a share is right; and I in nats."""
    x, names = rng.integers(0, levels, n), rng.permutation(levels)
    y = np.where(rng.random(n) < kept, names[x], rng.integers(0, levels, n))
    right, wrong = kept + (1 - kept) / levels, (1 - kept) / levels
    nats = (
        math.log(levels) + right * math.log(right) + (levels - 1) * (wrong * math.log(wrong) if wrong else 0)
    )
    return x.astype(float), y.astype(float), nats


def holds(estimate, truth: float) -> bool:
    low, high = estimate.interval()
    return bool(low - 1e-9 <= truth <= high + 1e-9)


@pytest.mark.parametrize(
    ("levels", "n", "kept"),
    [(3, 500, 0.6), (30, 2000, 0.7), (50, 2000, 1.0), (100, 5000, 0.5), (200, 4000, 0.9)],
)
def test_labels_under_other_names(estimator: Estimator, levels: int, n: int, kept: float) -> None:
    answers = []
    for seed in range(8):
        x, y, truth = renamed_copy(np.random.default_rng(seed), levels, n, kept)
        answers.append(estimator.estimate(x, y))
    assert sum(holds(answer, truth) for answer in answers) >= 5  # of 8 at .9: fewer in .5 % of runs
    assert np.mean([answer.mi for answer in answers]) == pytest.approx(truth, rel=0.06)
    assert all(answer.in_range for answer in answers)


@pytest.mark.parametrize(("levels", "n"), [(3, 600), (12, 1500), (40, 3000), (100, 5000)])
def test_labels_beside_numbers(estimator: Estimator, levels: int, n: int) -> None:
    """Stations of normal means: the truth by quadrature; the names are numbers of no meaning."""
    means = np.random.default_rng(levels).normal(size=levels)
    grid = np.linspace(means.min() - 4, means.max() + 4, 20001)
    density = np.exp(-2 * (grid[:, None] - means) ** 2).mean(1) / math.sqrt(math.pi / 2)
    truth = -np.trapezoid(density * np.log(density), grid) - 0.5 * math.log(2 * math.pi * math.e / 4)
    answers = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        station = rng.integers(0, levels, n)
        answers.append(estimator.estimate(station.astype(float), means[station] + 0.5 * rng.normal(size=n)))
    assert sum(holds(answer, truth) for answer in answers) >= 5
    assert np.mean([answer.mi for answer in answers]) == pytest.approx(truth, rel=0.06)


@pytest.mark.parametrize("kind", ["tables", "numbers"])
def test_coverage_on_fresh_draws(kind: str) -> None:
    rng, held, count = np.random.default_rng(4711), 0, 0
    while count < DRAWS:
        family = (label_table if kind == "tables" else labelled_numbers)(rng)
        n = int(np.exp(rng.uniform(np.log(30), np.log(5000))))
        x, y = map(side, family.sample(rng, n))
        if not x.discrete or (kind == "tables" and not y.discrete) or min(x.distinct[0], y.distinct[0]) < 2:
            continue
        label = y.rows if kind == "tables" else None
        values = Labelled(x.rows, label, x.ranks, y.ranks).quantiles()
        assert values is not None
        held += bool(values[LOW] - 1e-9 <= family.mi().nats <= values[HIGH] + 1e-9)
        count += 1
    assert held >= FEWEST


def test_names_change_nothing_where_the_labels_answer(estimator: Estimator) -> None:
    rng = np.random.default_rng(3)
    x, y, _ = renamed_copy(rng, 20, 3000, 0.5)
    names = rng.permutation(20).astype(float)
    first, second = estimator.estimate(x, y), estimator.estimate(names[x.astype(int)], y)
    assert second.values == pytest.approx(first.values, abs=1e-9)


def test_two_binary_columns_are_familiar_and_as_sharp_as_their_counts(estimator: Estimator) -> None:
    rng = np.random.default_rng(1)
    x = rng.random(1000) < 0.3
    y = np.where(x, rng.random(1000) < 0.6, rng.random(1000) < 0.2)
    estimate = estimator.estimate(x.astype(float), y.astype(float))
    assert estimate.in_range
    assert estimate.warnings == ()
    # The counts' own standard error is .0125: a 90 % interval of 3.3 of them is .041 wide
    low, high = estimate.interval()
    assert high - low < 0.055


def test_several_columns_beside_a_label(estimator: Estimator) -> None:
    """Ten classes about centres in three columns: the names of the classes change the answer by little."""
    rng = np.random.default_rng(2)
    centres = 1.5 * rng.normal(size=(10, 3))
    label = rng.integers(0, 10, 1500)
    points = centres[label] + rng.normal(size=(1500, 3))
    answers = [estimator.estimate(points, rng.permutation(10)[label].astype(float)) for _ in range(4)]
    middles = [answer.mi for answer in answers]
    assert max(middles) - min(middles) < np.mean([a.interval()[1] - a.interval()[0] for a in answers]) / 2


def test_copies_of_a_column_change_nothing(estimator: Estimator) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=400)
    y = x**2 + 0.7 * rng.normal(size=400)
    alone = estimator.estimate(x, y)
    for copied in ([x, x], [x, -x], [x, np.exp(x), x]):
        twice = estimator.estimate(np.column_stack(copied), y)
        assert twice.values == alone.values
        assert twice.dim_x == len(copied)
        assert "copies_x" in {notice.code for notice in twice.warnings}


def test_an_order_counts_where_the_sample_shows_it() -> None:
    rng = np.random.default_rng(6)
    grade = rng.integers(0, 30, 2000)
    for other in (grade + 10 * rng.normal(size=2000), (grade // 3 + rng.integers(0, 3, 2000)).astype(float)):
        labels = prepare(grade[:, None].astype(float), other[:, None]).labels
        assert labels is not None
        assert labels.ordered
        ordered = []
        for _ in range(20):
            labels = prepare(rng.permutation(30)[grade, None].astype(float), other[:, None]).labels
            assert labels is not None
            ordered.append(labels.ordered)
        assert sum(ordered) <= 3


def test_more_levels_than_the_training_knows_are_counted_where_they_can_be() -> None:
    rng = np.random.default_rng(5)
    x, flag = rng.integers(0, 400, 20_000), rng.integers(0, 2, 20_000)
    counted = Labelled(x, flag, x[None], flag[None]).quantiles()
    assert counted is not None
    assert counted[LOW] < 0.002
    assert Labelled(x[:900], flag[:900], x[None], flag[None]).quantiles() is None


def test_many_levels_take_no_memory_of_their_square() -> None:
    rng = np.random.default_rng(7)
    label, other = rng.integers(0, 19_000, (100_000, 1)).astype(float), rng.normal(size=(100_000, 1))
    labels = prepare(label, other).labels
    assert labels is not None
    tracemalloc.start()
    try:
        assert not labels.ordered
        assert not labels.misread
        assert tracemalloc.get_traced_memory()[1] < 20 * label.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("levels", "columns"), [(300, 1), (2000, 1), (65, 2)])
def test_more_levels_than_can_be_read_say_so(estimator: Estimator, levels: int, columns: int) -> None:
    rng = np.random.default_rng(8)
    means, label = 2 * rng.normal(size=(levels, columns)), rng.integers(0, levels, 10_000)
    unordered = estimator.estimate(label.astype(float), means[label] + rng.normal(size=(10_000, columns)))
    assert not unordered.in_range
    assert "unordered" in {notice.code for notice in unordered.warnings}
    ordered = label[:, None] + levels * rng.normal(size=(10_000, columns)) / 3
    independent = rng.normal(size=(10_000, columns))
    for other in (ordered, independent):
        assert estimator.estimate(label.astype(float), other).in_range


def test_the_notice_of_blocks_counts_those_that_were_run(estimator: Estimator) -> None:
    """Indicators are more columns, of which fewer blocks are run."""
    rng = np.random.default_rng(9)
    label = rng.integers(0, 40, 30_000)
    points = rng.normal(size=(40, 3))[label] + rng.normal(size=(30_000, 3))
    table = prepare(points, label[:, None].astype(float))
    count = blocks.count(with_indicators(table), 10_000)
    [notice] = [n for n in estimator.run([table])[0].warnings if n.code == "blocks"]
    assert f"as {count} blocks" in notice.message
