"""On a CUDA device, where there is one: the answers of the CPU, room that runs out, and the service on it."""

import asyncio

import httpx2
import pytest
import torch

import mizzle
from mizzle import cost
from mizzle.model import Estimator
from mizzle.service.inference.batcher import Batcher, BatchLimits, OutOfMemory
from mizzle.service.inference.observer import Observer
from mizzle.service.inference.runner import isolated
from mizzle.service.inference.throughput import Throughput
from mizzle.service.settings import Settings

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")

SHAPES = [(10, 1, 1), (50, 3, 2), (200, 2, 2), (500, 5, 5), (1000, 64, 64), (5000, 1, 1), (10_000, 8, 8)]
TOLERANCE = 1e-4  # nats: sums of float32 in another order


@pytest.fixture(scope="module")
def cpu():
    return Estimator.load(device="cpu", engine="torch")


@pytest.fixture(scope="module")
def cuda():
    return Estimator.load(device="cuda")


@pytest.fixture
def pairs(draw):
    return [draw(*shape, seed=i) for i, shape in enumerate(SHAPES)]


def test_it_is_chosen_where_there_is_one() -> None:
    assert Estimator.load(device="auto").device == "cuda"


def test_answers_are_those_of_the_cpu(cpu, cuda, pairs) -> None:
    for here, there in zip(cpu.estimate_many(pairs), cuda.estimate_many(pairs), strict=True):
        assert there.values == pytest.approx(here.values, abs=TOLERANCE)
        assert there.mi == pytest.approx(here.mi, abs=TOLERANCE)
        assert (there.in_range, there.warnings) == (here.in_range, here.warnings)


def test_an_answer_does_not_depend_on_its_batch_mates(cuda, draw) -> None:
    pairs = [draw(60 + 7 * i, 1 + i % 3, 2, seed=i) for i in range(40)]
    together = cuda.estimate_many(pairs)
    for pair, answer in zip(pairs, together, strict=True):
        assert answer.values == pytest.approx(cuda.estimate(*pair).values, abs=1e-5)


@pytest.fixture
def cramped(cuda, draw):
    """Prepared problems of which the device has room for one, and not for all together."""
    tables = [cuda.prepare(*draw(10_000, 32, 32, seed=i)) for i in range(8)]
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    cuda.run(tables[:1])
    room = 1.5 * torch.cuda.max_memory_reserved()
    torch.cuda.set_per_process_memory_fraction(room / torch.cuda.get_device_properties(0).total_memory)
    yield tables
    torch.cuda.set_per_process_memory_fraction(1.0)


def test_a_batch_without_room_is_told_of(cuda, cramped) -> None:
    with pytest.raises(OutOfMemory):
        isolated(cuda.run, cramped)
    assert len(isolated(cuda.run, cramped[:1])) == 1


def test_a_batch_without_room_is_split_until_it_fits(cuda, cramped) -> None:
    class Counting(Observer):
        count = 0

        def out_of_memory(self) -> None:
            self.count += 1

    observer, size = Counting(), cost.size(10_000, 32, 32)
    limits = BatchLimits(len(cramped), size.cells * len(cramped), 60.0)

    async def run(tables):
        return isolated(cuda.run, tables)

    async def scenario():
        batcher = Batcher(run, limits, Throughput(1e9), observer)
        answers = [batcher.submit(table, size, size.cells) for table in cramped]
        waiting = asyncio.gather(*answers)
        await asyncio.sleep(0)  # they are all there before the first batch is made
        batcher.start()
        try:
            return await waiting
        finally:
            await batcher.close(1)

    answers = asyncio.run(scenario())
    assert observer.count >= 1
    assert [answer.n for answer in answers] == [10_000] * len(cramped)


def test_the_service_runs_on_it(serve_here, settings: Settings, cpu, pairs) -> None:
    limits = {"max_body_bytes": 2**25, "max_problem_cells": 2**22}
    with (
        serve_here(settings.model_copy(update={"device": "cuda", **limits}), None) as url,
        mizzle.Client(url) as client,
    ):
        assert client.info().device == "cuda"
        for here, there in zip(cpu.estimate_many(pairs), client.estimate_many(pairs), strict=True):
            assert there.values == pytest.approx(here.values, abs=TOLERANCE)
        text = httpx2.get(f"{url}/metrics", trust_env=False).text
    assert 'mizzle_inference_seconds_count{device="cuda"}' in text
