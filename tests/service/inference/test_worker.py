"""The worker process: what it is asked it answers, and whatever it does to itself, the service goes on."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEstimator

from mizzle import cost
from mizzle.errors import InferenceFailed, ModelUnavailable, TooManyColumns
from mizzle.service.inference import ipc
from mizzle.service.inference.batcher import Batcher, BatchLimits, OutOfMemory, WorkerLost
from mizzle.service.inference.ipc import Pair
from mizzle.service.inference.observer import Observer
from mizzle.service.inference.throughput import Throughput
from mizzle.service.inference.worker import Worker

HERE = Path(__file__).parents[1]
KILL, HANG, STOP, EXIT, RAISE, OOM = 1001.0, 1002.0, 1003.0, 1004.0, 1005.0, 1006.0
SPIN, STUTTER = 1007.0, 1008.0
FRAME = 2_000_000  # bytes, about: more than a socket holds


class Restarts(Observer):
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def worker_restarted(self, reason) -> None:
        self.reasons.append(reason)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch):
    """Runs `await scenario(worker)` with a started worker; its process is gone afterwards."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))

    def run(scenario, load="misbehaving", observer=None, threads=1):
        async def live():
            worker = Worker(f"estimators:{load}", {"threads": threads}, observer or Restarts())
            try:
                return await asyncio.wait_for(scenario(worker), 60)
            finally:
                await worker.close()
                assert worker.pid is None

        return asyncio.run(live())

    return run


def pair(seed=0, mark=None, dim=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((50, dim))
    y = x[:, :1] + rng.standard_normal((50, 1))
    if mark is not None:
        x[0, 0] = mark
    return Pair(x, y)


def test_answers_are_those_of_the_estimator_bit_for_bit(play) -> None:
    pairs = [pair(seed, dim=1 + seed % 3) for seed in range(5)]

    async def scenario(worker):
        return await worker.start(), await worker.run(pairs)

    facts, answers = play(scenario, "fake")
    expected = FakeEstimator()
    assert answers == [expected.estimate(*p) for p in pairs]
    assert (facts.info, facts.levels) == (expected.info, expected.levels)
    assert facts.cells_per_second > 0
    assert facts.batch_cells > 0


def test_an_error_of_an_item_is_its_own_and_tells_nothing(play) -> None:
    async def scenario(worker):
        await worker.start()
        return await worker.run([pair(0), pair(1, RAISE), pair(2, dim=65), pair(3, EXIT), pair(4)])

    good, failed, wide, left, last = play(scenario)
    assert (good.n, last.n) == (50, 50)
    for error in (failed, left):
        assert isinstance(error, InferenceFailed)
        assert "secret" not in str(error)
    assert isinstance(wide, TooManyColumns)


def test_a_device_without_room_is_told_of_the_whole_batch(play) -> None:
    async def scenario(worker):
        await worker.start()
        with pytest.raises(OutOfMemory):
            await worker.run([pair(0), pair(1, OOM)])
        return await worker.run([pair(1, OOM)])

    [answer] = play(scenario)
    assert answer.n == 50


@pytest.mark.parametrize(
    ("mark", "reason"),
    [(KILL, "died"), (HANG, "hung"), (STOP, "hung"), (SPIN, "hung"), (STUTTER, "hung")],
)
def test_a_lost_worker_is_replaced(play, mark, reason: str) -> None:
    restarts = Restarts()

    async def scenario(worker):
        await worker.start()
        before = worker.pid
        with pytest.raises(WorkerLost):
            await worker.run([pair(0), pair(1, mark)])
        assert not worker.up
        [answer] = await worker.run([pair(0)])
        assert worker.up
        assert worker.pid != before
        return answer

    assert play(scenario, observer=restarts).n == 50
    assert restarts.reasons == [reason]


@pytest.mark.parametrize("sent", [0, 1, 3, 4, 5, 20, 1000, 65_536, 200_000, 10**6, FRAME - 1, FRAME])
def test_a_worker_that_stops_while_it_is_written_to_is_replaced(play, sent: int) -> None:
    """Stopped after so many bytes, before the rest is sent; who reads no more blocks the sender for ever."""
    restarts = Restarts()

    async def scenario(worker):
        await worker.start()
        before = worker.pid
        async with worker._turn:  # no sign of life in between
            stop_after(sent, before, worker._pipe._writer.transport)
        with pytest.raises(WorkerLost):
            await worker.run([large_pair()])
        [answer] = await worker.run([large_pair()])
        assert worker.pid != before
        return answer

    assert play(scenario, observer=restarts).n == len(large_pair().x)
    assert restarts.reasons == ["hung"]


def large_pair():
    x = np.random.default_rng(0).standard_normal((FRAME // 16, 1))
    return Pair(x, x[::-1])


def stop_after(count, pid, transport) -> None:
    """Makes a transport stop the process `pid` once so many bytes are on their way, and go on."""
    left, write = [count], transport.write

    def stopping(data) -> None:
        if left and left[0] <= len(data):
            start = left.pop()
            write(data[:start])
            os.kill(pid, signal.SIGSTOP)
            data = data[start:]
        elif left:
            left[0] -= len(data)
        write(data)

    transport.write = stopping
    transport.writelines = lambda parts: [stopping(part) for part in parts]


def test_a_worker_that_stops_while_it_loads_is_replaced_and_the_batch_is_answered(
    play, tmp_path: Path
) -> None:
    restarts = Restarts()

    async def scenario(worker):
        worker._command = (worker._command[0], json.dumps({"once": str(tmp_path / "starts")}))
        await worker.start()
        async with worker._turn:
            os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerLost):
            await worker.run([pair(0)])
        return await worker.run([pair(0)])

    [answer] = play(scenario, "stopping", restarts)
    assert answer.n == 50
    assert restarts.reasons == ["died", "hung"]


def test_closing_does_not_wait_for_a_worker_that_stopped_while_it_was_written_to(play) -> None:
    async def scenario(worker) -> None:
        await worker.start()
        async with worker._turn:
            os.kill(worker.pid, signal.SIGSTOP)
        run = asyncio.create_task(worker.run([large_pair()]))
        while not worker._turn.locked():
            await asyncio.sleep(0)
        run.cancel()
        await asyncio.wait({run})

    play(scenario)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV])
def test_an_idle_worker_that_is_lost_is_replaced_before_it_is_needed(play, number) -> None:
    lost = asyncio.Event()

    class Tells(Observer):
        def worker_restarted(self, reason) -> None:
            lost.set()

    async def scenario(worker) -> None:
        await worker.start()
        before = worker.pid
        os.kill(before, number)
        await lost.wait()
        while not worker.up:
            await asyncio.sleep(0.01)
        assert worker.pid != before

    play(scenario, "fake", Tells())


def test_through_the_batcher_everybody_but_the_killer_is_answered(play) -> None:
    async def scenario(worker):
        facts = await worker.start()
        limits = BatchLimits(items=64, cells=10**9, wait_seconds=10**6)
        batcher = Batcher(worker.run, limits, Throughput(facts.cells_per_second), Restarts())
        batcher.start()
        pairs = [pair(i, KILL if i == 5 else None) for i in range(12)]
        size = cost.size(50, 1, 1)
        runs = [batcher.submit(p, size, size.cells) for p in pairs]
        answers = await asyncio.gather(*runs, return_exceptions=True)
        await batcher.close(5)
        return answers

    restarts = Restarts()
    answers = play(scenario, observer=restarts)
    assert isinstance(answers[5], InferenceFailed)
    assert [a.n for i, a in enumerate(answers) if i != 5] == [50] * 11
    assert restarts.reasons == ["died", "died"]


def test_too_many_losses_end_the_service(play) -> None:
    failures: list[Exception] = []

    async def scenario(worker) -> None:
        worker.on_failure = failures.append
        await worker.start()
        for _ in range(5):
            with pytest.raises(WorkerLost):
                await worker.run([pair(0, KILL)])

    play(scenario)
    assert "5 times" in str(failures[0])


@pytest.mark.parametrize(
    ("load", "words"),
    [("missing", "weights are missing"), ("broken", "log says why"), ("dying", "did not start")],
)
def test_a_worker_without_a_model_says_so(
    play, load: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario(worker) -> None:
        with pytest.raises(ModelUnavailable, match=words) as refused:
            await worker.start()
        assert "secret" not in str(refused.value)

    play(scenario, load)


def test_the_worker_ends_when_the_service_is_gone(tmp_path: Path) -> None:
    """The service is killed; its worker reads the end of the pipe and goes."""
    code = (
        f"import asyncio, sys; sys.path.insert(0, {str(HERE)!r})\n"
        f"import os; os.environ['PYTHONPATH'] = {str(HERE)!r}\n"
        "from mizzle.service.inference.worker import Worker\n"
        "from mizzle.service.telemetry.metrics import Metrics\n"
        "async def main():\n"
        "    worker = Worker('estimators:fake', {}, Metrics())\n"
        "    await worker.start()\n"
        "    print(worker.pid, flush=True)\n"
        "    await asyncio.sleep(3600)\n"
        "asyncio.run(main())"
    )

    async def live() -> None:
        service = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
        )
        assert service.stdout
        worker = int(await service.stdout.readline())
        service.kill()
        await service.wait()
        while _runs(worker):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(live(), 60))


def _runs(pid):
    """Whether there is such a process, and it is not just waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_frames_keep_every_bit() -> None:
    pairs = [pair(seed, dim=2) for seed in range(3)]
    read = ipc.read_request(ipc.request(pairs))
    for (x, y), (x2, y2) in zip(pairs, read, strict=True):
        assert (x.tobytes(), y.tobytes()) == (x2.tobytes(), y2.tobytes())
        assert (x.shape, y.shape) == (x2.shape, y2.shape)
    assert ipc.read_request(ipc.request([])) == []


def test_an_answer_is_computed_by_one_thread_whatever_the_setting(play) -> None:
    """The estimator is the real one on torch; its warnings tell the threads of torch."""

    async def scenario(worker):
        assert (await worker.start()).threads == 3
        answers = await worker.run([pair(0), pair(1)])
        return [answer.warnings[0].message for answer in answers]

    assert play(scenario, "threads_as_warnings", threads=3) == ["1", "1"]
