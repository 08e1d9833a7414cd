"""A GPU's engine beside the compiled one: which of them answers what. Torch stands in for the GPU."""

from typing import Any

import numpy as np
import pytest

from mizzle import types
from mizzle.model import Estimator, engines, native, weights
from mizzle.model.preprocess import Table, prepare

pytestmark = pytest.mark.skipif(not native.available(), reason="the compiled engine was not built")


class Gpu:
    """Says that it is a GPU, takes all at once, and notes how many problems it was given at a time."""

    def __init__(self, engine: Any) -> None:
        self._engine, self.given = engine, list[int]()

    def __getattr__(self, name: str) -> Any:
        return "cuda" if name == "device" else getattr(self._engine, name)

    def groups(self, tables: list[Table], workers: int) -> list[list[int]]:
        return [list(range(len(tables)))] if tables else []

    def run(self, tables: list[Table]) -> native.Answers:
        self.given.append(len(tables))
        answers: native.Answers = self._engine.run(tables)
        return answers


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """What is loaded where "cuda" is asked for."""
    estimator = Estimator.load(engine="torch")
    gpu = Gpu(estimator._engine)
    header = weights.load(weights.SHIPPED, native.settings()).header
    monkeypatch.setattr(engines, "_torch", lambda *_: (gpu, header, estimator.info))
    return gpu


def problems(count: int, n: int = 100) -> list[Table]:
    rng = np.random.default_rng(0)
    return [prepare(*rng.normal(size=(2, n, 2))) for _ in range(count)]


def difference(found: list[types.Estimate], others: list[types.Estimate]) -> float:
    values = [np.log1p([estimate.values for estimate in side]) for side in (found, others)]
    return float(np.abs(values[0] - values[1]).max())


def test_one_problem_is_the_cpu_s_and_a_batch_the_gpu_s(gpu: Gpu) -> None:
    model, compiled = Estimator.load(device="cuda"), Estimator.load(engine="native")
    assert (model.device, model.engine) == ("cuda", "torch")
    [one] = problems(1)
    assert model.run([one]) == compiled.run([one])
    assert gpu.given == []
    many = problems(300)
    assert difference(model.run(many), compiled.run(many)) < 3e-5
    assert gpu.given == [300]


def test_one_large_problem_is_the_gpu_s(gpu: Gpu) -> None:
    large = problems(1, 20_000)  # of which each block alone would be the CPU's
    assert difference(Estimator.load(device="cuda").run(large), Estimator.load().run(large)) < 3e-5
    assert gpu.given == [2]


def test_the_engine_torch_is_torch_alone(gpu: Gpu) -> None:
    Estimator.load(device="cuda", engine="torch").run(problems(1))
    assert gpu.given == [1]


def test_where_torch_finds_no_gpu_nothing_changes(monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> None:
    monkeypatch.setattr(Gpu, "device", "cpu", raising=False)
    Estimator.load(device="cuda").run(problems(1))
    assert gpu.given == [1]
