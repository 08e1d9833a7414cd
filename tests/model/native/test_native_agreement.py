"""The law of the compiled engine: ranked problem in, torch's answer out, on whatever comes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ranked_problems import drawn, of_families, of_hostile_columns

from mizzle.model import Estimator, native, weights
from mizzle.model.preprocess import Table, prepare

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.reason()))
TOLERANCE = 2e-5  # log(1 + nats)


@pytest.fixture(scope="module")
def torch_estimator() -> Estimator:
    return Estimator.load(engine="torch")


@pytest.fixture(scope="module")
def engine() -> native.Engine:
    shipped = weights.load(weights.SHIPPED, native.settings())
    return native.Engine(shipped.about, shipped.tensors)


def large() -> list[Table]:
    """As many columns as there may be, and more rows than the training had."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(12_000, 64))
    y = x + rng.normal(size=x.shape)
    return [prepare(x[:, :1], y[:, :1]), prepare(x[:300], y[:300, :1]), prepare(x[:3000], y[:3000])]


@pytest.mark.parametrize("problems", [of_families, of_hostile_columns, large, lambda: drawn(300)], ids=str)
def test_answers_are_torchs(
    engine: native.Engine, torch_estimator: Estimator, problems: Callable[[], list[Table]]
) -> None:
    tables = [table for table in problems() if table.counted is None]  # what torch may answer by counting
    estimates, answers = torch_estimator.run(tables), engine.run(tables)
    expected = [[estimate.mi, *estimate.values] for estimate in estimates]
    values = np.column_stack([answers.mean, answers.nats])
    deviations = abs(np.log1p(values) - np.log1p(expected)).max(1)
    worst = int(deviations.argmax())
    table = tables[worst]
    assert deviations[worst] <= TOLERANCE, f"problem {worst}: n = {table.n}, {len(table.x)} x {len(table.y)}"


def test_batches_and_threads_are_singles_to_the_bit(engine: native.Engine) -> None:
    tables = [*drawn(40), *of_hostile_columns()[::3]]
    alone = np.concatenate([engine.run([table]).nats for table in tables])
    np.testing.assert_array_equal(engine.run(tables).nats, alone)
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(engine.run, [tables] * 4):
            np.testing.assert_array_equal(answers.nats, alone)


def test_no_problems_have_no_answers(engine: native.Engine) -> None:
    assert engine.run([]).nats.shape == (0, 25)


def test_a_side_without_columns_is_a_mistake_of_the_caller(engine: native.Engine) -> None:
    with pytest.raises(ValueError, match="must have a column"):
        engine.run([prepare(np.ones((20, 1)), np.arange(20.0)[:, None])])
