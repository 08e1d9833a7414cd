"""The law of the compiled engine: ranked problem in, torch's answer out, on whatever comes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ranked_problems import PROBLEMS, changed, drawn, of_hostile_columns, pairs
from torch_path import LEVELS

from mizzle.model import Estimator, native, weights
from mizzle.model.native import library
from mizzle.model.preprocess import Table, prepare

pytestmark = [
    pytest.mark.skipif(not native.available(), reason=str(native.reason())),
    pytest.mark.timeout(3600),
]
TOLERANCE = 2e-5  # log(1 + nats)


@pytest.fixture(scope="module")
def torch_estimator() -> Estimator:
    return Estimator.load(engine="torch")


@pytest.fixture(scope="module")
def engines() -> dict[str, native.Engine]:
    """An engine of every level that this processor runs, the best of them first."""
    loaded, shipped = {}, weights.load(weights.SHIPPED, native.settings())
    with pytest.MonkeyPatch.context() as patch:
        for path in LEVELS:
            patch.setenv("MIZZLE_NATIVE_LIBRARY", str(path))
            library.load.cache_clear()
            loaded[path.stem] = native.Engine(shipped.about, shipped.tensors)
    library.load.cache_clear()
    return loaded


@pytest.fixture(scope="module")
def engine(engines: dict[str, native.Engine]) -> native.Engine:
    return next(iter(engines.values()))


def _answers(estimator: Estimator, tables: list[Table]) -> np.ndarray:
    """Mean and quantiles, shape (b, 1 + q), of its engine alone, which takes any number of rows at once."""
    engine, answers = estimator._engine, np.empty((len(tables), 26))
    for group in engine.groups(tables, 1):
        part = engine.run([tables[i] for i in group])
        answers[group] = np.column_stack([part.mean, part.nats])
    return answers


@pytest.mark.parametrize("name", PROBLEMS)
def test_answers_of_every_level_are_torchs(
    name: str, engines: dict[str, native.Engine], torch_estimator: Estimator
) -> None:
    tables = PROBLEMS[name]()
    expected = _answers(torch_estimator, tables)
    for level, engine in engines.items():
        answers = engine.run(tables)
        values = np.column_stack([answers.mean, answers.nats])
        deviations = abs(np.log1p(values) - np.log1p(expected)).max(1)
        worst = int(deviations.argmax())
        table = tables[worst]
        text = f"{level}, problem {worst}: n = {table.n}, {len(table.x)} x {len(table.y)}"
        assert deviations[worst] <= TOLERANCE, text
        print(f"{level}: {len(tables)} problems, at most {deviations[worst]:.1e} ({text})")


def test_what_shares_as_much_information_has_the_same_answer(engine: native.Engine) -> None:
    for x, y in pairs():
        tables = [prepare(*pair) for pair in ((x, y), *changed(x, y))]
        if not tables[0].constant:
            values = np.log1p(engine.run(tables).nats)
            np.testing.assert_allclose(values, values[:1].repeat(len(values), 0), rtol=0, atol=TOLERANCE)


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
