"""The compiled network, calibration and novelty agree with torch's, on torch's tokens."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from ranked_problems import drawn, of_hostile_columns
from torch_path import LEVELS, ROWS, Reference, arrays, reference, shape

from mizzle.model import native
from mizzle.model.native import library
from mizzle.model.preprocess import Table
from mizzle.model.statistics.tokens import Tokens, repad, summarise
from mizzle.model.weights import NetConfig

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.reason()))
TOLERANCE = 2e-5  # log(1 + nats): sums of float32 in another order

CONFIGS = {
    "default": NetConfig(),
    "narrow": NetConfig(width=40, blocks=2, channels=24, heads=3, rounds=1),
    "channels not a multiple of anything": NetConfig(width=17, channels=5, heads=2),
    "two axes": NetConfig(width=32, channels=16, axes="columns edges"),
    "trunk alone": NetConfig(width=32, channels=16, axes=""),
}


@pytest.fixture(scope="module")
def tables() -> list[Table]:
    return [*drawn(40), *of_hostile_columns()[::4]]


@pytest.fixture(scope="module")
def tokens(tables: list[Table]) -> list[Tokens]:
    return summarise(tables)


@pytest.fixture(scope="module", params=CONFIGS)
def net(request: pytest.FixtureRequest) -> Reference:
    return reference(CONFIGS[request.param])


@pytest.fixture(scope="module")
def default() -> Reference:
    return reference(CONFIGS["default"])


@pytest.fixture(params=LEVELS, ids=lambda path: path.stem)
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another library in place of the best that runs here."""
    monkeypatch.setenv("MIZZLE_NATIVE_LIBRARY", str(request.param))
    library.load.cache_clear()
    yield
    library.load.cache_clear()


def test_quantiles_and_features_are_torchs(net: Reference, tokens: list[Tokens]) -> None:
    expected = _raw(net, tokens)
    assert np.ptp(expected[0]) > 0.1
    _assert_raw(expected, native.Engine(net.about, net.tensors).raw(arrays(tokens)))


@pytest.mark.usefixtures("level")
def test_every_level_agrees_with_torch(default: Reference, tokens: list[Tokens]) -> None:
    _assert_raw(_raw(default, tokens), native.Engine(default.about, default.tensors).raw(arrays(tokens)))


def _raw(net: Reference, tokens: list[Tokens]) -> tuple[np.ndarray, np.ndarray]:
    together = repad(tokens)
    with torch.inference_mode():
        return net.net(together).numpy(), net.net.features(together).numpy()


def _assert_raw(expected: tuple[np.ndarray, ...], raw: tuple[np.ndarray, ...]) -> None:
    np.testing.assert_allclose(raw[0], expected[0], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(raw[1], expected[1], rtol=1e-5, atol=1e-5)


def test_answers_are_torchs(default: Reference, tables: list[Table], tokens: list[Tokens]) -> None:
    """Means and quantiles after calibration, novelty and ceilings; of shapes in and beyond the training."""
    torchs = default.estimator._engine
    expected: dict[int, tuple[float, np.ndarray]] = {}
    for group in torchs.groups(tables, 1):
        answered = torchs.run([tables[i] for i in group])
        expected.update(zip(group, zip(answered.mean, answered.nats, strict=True), strict=True))
    ceilings = [table.ceiling for table in tables]
    engine = native.Engine(default.about, default.tensors)
    answers = engine.run_tokens(arrays(tokens), list(map(shape, tables)), ceilings)
    assert any(table.ceiling[0] < answers.nats.max() for table in tables)
    assert answers.excess.max() > 1
    assert max(table.n for table in tables) > ROWS[1]
    for i, (mean, nats) in expected.items():
        values = [answers.mean[i], *answers.nats[i]]
        np.testing.assert_allclose(np.log1p(values), np.log1p([mean, *nats]), rtol=TOLERANCE, atol=TOLERANCE)


def test_excess_is_torchs(default: Reference, tables: list[Table], tokens: list[Tokens]) -> None:
    n, columns = map(torch.tensor, zip(*map(shape, tables), strict=True))
    expected = default.novelty.excess(torch.from_numpy(_raw(default, tokens)[1]), n, columns)
    engine = native.Engine(default.about, default.tensors)
    no_ceilings = np.full((len(tables), 25), np.inf)
    answers = engine.run_tokens(arrays(tokens), list(map(shape, tables)), no_ceilings)
    np.testing.assert_allclose(answers.excess, expected, rtol=1e-5)


def test_batches_are_singles_to_the_bit(net: Reference, tokens: list[Tokens]) -> None:
    engine, problems = native.Engine(net.about, net.tensors), arrays(tokens)
    together = engine.raw(problems)
    for count in (1, 3):
        parts = [engine.raw(problems[i : i + count]) for i in range(0, len(problems), count)]
        for whole, part in zip(together, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(whole, np.concatenate(part))


def test_threads_are_one_thread_to_the_bit(default: Reference, tokens: list[Tokens]) -> None:
    engine, problems = native.Engine(default.about, default.tensors), arrays(tokens)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(engine.raw, [problems] * 8))
    for quantiles, features in results[1:]:
        np.testing.assert_array_equal(quantiles, results[0][0])
        np.testing.assert_array_equal(features, results[0][1])


def test_what_is_not_finite_is_nan_and_leaves_others_alone(
    default: Reference, tables: list[Table], tokens: list[Tokens]
) -> None:
    engine, problems = native.Engine(default.about, default.tensors), arrays(tokens[:5])
    shapes, no_ceilings = list(map(shape, tables[:5])), np.full((5, 25), np.inf)
    before = engine.run_tokens(problems, shapes, no_ceilings)
    problems[2] = {**problems[2], "rows": np.full_like(problems[2]["rows"], np.nan)}
    after = engine.run_tokens(problems, shapes, no_ceilings)
    assert np.isnan([after.mean[2], after.excess[2], *after.nats[2]]).all()
    for i in (0, 1, 3, 4):
        np.testing.assert_array_equal(before.nats[i], after.nats[i])
