"""Executors give the answers of one process, byte for byte, and each fault of theirs is one clear message."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import breaking
import numpy as np
import pytest
from tabled import FakeBackend, frame

import mizzle
from mizzle import Matrix, errors, executors
from mizzle.estimator import load
from mizzle.executors import sharing, worker
from mizzle.tables import matrix, rank, tiles


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of four variables a side, so that small tables have several."""
    monkeypatch.setattr(tiles, "_SHORTEST", 0.0)


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def gaps(n: int = 60, p: int = 6) -> dict[str, np.ndarray]:
    """Columns with missing values, one of them a label and one constant."""
    columns = frame(n, p)
    columns["b"][3:9] = np.nan
    columns["c"][::7] = np.nan
    columns["d"] = np.round(columns["d"])
    columns["e"][:] = 1.0
    return columns


WAYS: list[tuple[str, Any]] = [
    ("complete", lambda **how: matrix(frame(p=9), **how)),
    ("gaps", lambda **how: matrix(gaps(), missing="drop", **how)),
    ("few rows", lambda **how: matrix(gaps(n=12), missing="drop", **how)),
    ("groups", lambda **how: matrix(frame(p=7), groups={"u": ["a", "b"], "v": ["b", "c"]}, **how)),
    ("bits", lambda **how: matrix(frame(), unit="bits", level=0.5, threshold=0.1, **how)),
    ("ranking", lambda **how: rank(frame(p=9), "c", **how)),
    ("given", lambda **how: rank(frame(), "c", given=["a", "b"], **how)),
]


@pytest.mark.parametrize("way", [way for _, way in WAYS], ids=[name for name, _ in WAYS])
def test_every_table_has_the_answers_of_one_process(way: Any, threads: Executor, tmp_path: Path) -> None:
    alone = way()
    hows: list[dict[str, Any]] = [
        {"executor": threads},
        {"folder": tmp_path / "here"},
        {"folder": tmp_path / "there", "executor": threads},
    ]
    for how in hows:
        result = way(**how)
        assert result.records() == alone.records()
        assert [pair.estimate for pair in result] == [pair.estimate for pair in alone]
        assert [pair.notices for pair in result] == [pair.notices for pair in alone]
    ours, theirs = (_tiles(tmp_path / name) for name in ("here", "there"))
    assert ours == theirs
    assert ours


def _tiles(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("tile-*")}


@pytest.mark.parametrize("columns", [frame(p=4), gaps(p=5)])
def test_pvalues_are_those_of_one_process(columns: Any, threads: Executor) -> None:
    options: dict[str, Any] = {"pvalues": 19, "missing": "drop", "rng": 3}
    alone = matrix(columns, **options)
    assert matrix(columns, executor=threads, **options) == alone
    assert {pair.pvalue for pair in alone} - {None}


def test_many_problems_and_tests_are_those_of_one_process(threads: Executor) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    pairs = [(x[:, :1], x), (x[:, 0], x[:, 1]), ([1, 2], [3, 4]), (x[:50], x[:50])]
    alone = mizzle.estimate_many(pairs, errors="return")
    elsewhere = mizzle.estimate_many(pairs, errors="return", executor=threads)
    assert [repr(outcome) for outcome in elsewhere] == [repr(outcome) for outcome in alone]
    assert [o for o in elsewhere if isinstance(o, mizzle.Estimate)] == [
        o for o in alone if isinstance(o, mizzle.Estimate)
    ]
    with pytest.raises(errors.TooFewSamples, match=r"pair 2 \(counted from 0\)"):
        mizzle.estimate_many(pairs, executor=threads)
    tests = [mizzle.test(x[:, 0], x[:, 1], n=300, executor=how) for how in (None, threads)]
    assert tests[0].null.tolist() == tests[1].null.tolist()
    assert tests[0].pvalue == tests[1].pvalue


def test_many_tests_are_those_of_one_process(threads: Executor) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    gap = [None, *x[1:, 1]]
    pairs = [(x[:, 0], x[:, :1] + x[:, 1:2]), ([1, 2], [3, 4]), (x, x[:, :1]), (x[:, 0], gap)]
    options: Any = {"errors": "return", "n": 19, "missing": "drop", "rng": 5}
    steps: list[tuple[int, int]] = []
    alone = mizzle.test_many(pairs, **options)
    elsewhere = mizzle.test_many(
        pairs, **options, executor=threads, progress=lambda *done: steps.append(done)
    )
    assert isinstance(elsewhere[1], errors.TooFewSamples)
    assert [str(outcome) for outcome in elsewhere] == [str(outcome) for outcome in alone]
    for one, other in zip(alone, elsewhere, strict=True):
        if isinstance(one, mizzle.Test):
            assert isinstance(other, mizzle.Test)
            assert (other.pvalue, other.estimate, other.warnings) == (one.pvalue, one.estimate, one.warnings)
            assert other.null.tolist() == one.null.tolist()
    assert steps[-1] == (4, 4)
    few = [pairs[0], (x[:20, 0], x[:20, 1])]
    with pytest.raises(errors.TooFewSamples, match=r"pair 1 \(counted from 0\)"):
        mizzle.test_many(few, n=19, executor=threads)
    assert mizzle.test_many([], executor=threads) == []


def test_processes_of_this_machine_give_the_same() -> None:
    columns = frame(200, 9)
    assert matrix(columns, executor="local") == matrix(columns)
    assert multiprocessing.active_children() == []


def test_loky_gives_the_same() -> None:
    loky = pytest.importorskip("loky")
    columns = frame(200, 9)
    assert matrix(columns, executor=loky.get_reusable_executor(2)) == matrix(columns)
    loky.get_reusable_executor().shutdown()


@pytest.mark.filterwarnings("default")  # of Dask's own sockets
def test_dask_gives_the_same() -> None:
    distributed = pytest.importorskip("distributed")
    columns = frame(200, 9)
    options: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with distributed.Client(processes=False, **options) as client:
        assert matrix(columns, executor=client.get_executor()) == matrix(columns)
        assert matrix(gaps(), missing="drop", executor=client.get_executor()) == matrix(
            gaps(), missing="drop"
        )


# Faults


def test_a_killed_process_costs_its_own_task(tmp_path: Path) -> None:
    with executors.opened("local", {"a": np.zeros(3)}) as engine:
        tasks = [(str(tmp_path), number) for number in range(6)]
        assert dict(engine.run(breaking.die_once, tasks)) == {number: number for number in range(6)}
    computed = [path.name.partition(".")[0] for path in tmp_path.iterdir() if path.name != "killed"]
    assert sorted(computed) == list("012345")


def test_a_task_that_kills_every_process_ends() -> None:
    with (
        executors.opened("local", {"a": np.zeros(3)}) as engine,
        pytest.raises(errors.ExecutorFailed, match=r"3 processes died of one task.*__name__ == '__main__'"),
    ):
        list(engine.run(breaking.die, [0]))


def test_an_executor_that_lost_its_workers_is_named() -> None:
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
        executors.opened(pool, {"a": np.zeros(3)}) as engine,
        pytest.raises(errors.ExecutorFailed, match=r"executor ProcessPoolExecutor can no longer be used"),
    ):
        list(engine.run(breaking.die, [0]))


def test_an_executor_that_was_shut_down_is_named(threads: Executor) -> None:
    threads.shutdown()
    with pytest.raises(errors.ExecutorFailed, match="make another, and the same call goes on"):
        matrix(frame(), executor=threads)


def test_a_failure_of_a_worker_is_one_line(threads: Executor) -> None:
    with (
        executors.opened(threads, {"a": np.zeros(3)}) as engine,
        pytest.raises(
            errors.ExecutorFailed, match=r"executor ThreadPoolExecutor failed: RuntimeError: no luck$"
        ),
    ):
        list(engine.run(breaking.fail, [0]))


def test_workers_of_another_version_or_other_weights_are_named() -> None:
    with pytest.raises(
        errors.ExecutorFailed, match=r"a worker has mizzle .*, and this process 0\.0\.0; install one"
    ):
        worker.call(breaking.fail, "0.0.0", {}, 0)
    with pytest.raises(errors.ExecutorFailed, match=r"a worker has other weights .*install one version"):
        worker.model("0" * 64)
    assert worker.model(load().info.sha256).threads == 1


def test_workers_without_mizzle_are_named() -> None:
    error = RuntimeError("could not be deserialized")
    error.__cause__ = ModuleNotFoundError("No module named 'mizzle.executors'")
    answer = worker.failure(error, "the executor X")
    assert str(answer).startswith("the workers of the executor X do not have mizzle; install mizzle")


def test_workers_that_do_not_see_the_file_are_told_of_a_folder(tmp_path: Path) -> None:
    with sharing.mapped({"a": np.arange(6.0).reshape(2, 3), "b": np.zeros(0)}, tmp_path) as mapped:
        assert mapped.open()["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert mapped.open()["b"].shape == (0,)
        assert not mapped.open()["a"].flags.writeable
    assert list(tmp_path.iterdir()) == []
    sharing._opened.cache_clear()
    with pytest.raises(errors.ExecutorFailed, match=r"need folder= to name a folder that all of them see"):
        mapped.open()


def test_a_disk_without_room_for_what_is_shared_is_named(
    monkeypatch: pytest.MonkeyPatch, threads: Executor, tmp_path: Path
) -> None:
    (tmp_path / "arrays").symlink_to("/dev/full")
    monkeypatch.setattr(sharing, "_temporary", lambda size, folder: tmp_path)
    with pytest.raises(errors.InvalidFile, match=r"workers share cannot be written: .*make room"):
        matrix(frame(500, 6), executor=threads)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": "dask"}, "executor is 'dask'; give 'local', 'ray', or an executor"),
        ({"executor": 3}, "executor is 3"),
        ({"executor": "local", "backend": FakeBackend()}, r"executor= is for the estimator of this package"),
        ({"folder": "f", "backend": FakeBackend()}, r"folder= is for the estimator of this package"),
        ({"folder": "f", "checkpoint": "c"}, r"checkpoint= and folder= do not go together"),
        ({"folder": "f", "pvalues": 19}, r"pvalues= and folder= do not go together"),
    ],
)
@pytest.mark.parametrize("ask", [matrix, lambda columns, **options: rank(columns, "c", **options)])
def test_what_contradicts_itself_is_refused(ask: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.InvalidInput, match=message):
        ask(frame(), **options)


def test_ray_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(errors.MissingExtra, match=r"ray is not installed: run pip install 'mizzle\[ray\]'"):
        matrix(frame(), executor="ray")


# Ends from outside

DRIVER = """
import sys
from pathlib import Path
from mizzle.executors import sharing
from mizzle.tables import matrix, tiles
from tabled import frame
if __name__ == "__main__":
    tiles._SHORTEST, sharing._MEMORY = 0.0, Path(sys.argv[2])
    matrix(frame(200, 24), executor="local", folder=sys.argv[1])
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_driver_that_ends_leaves_its_tiles_and_no_workers(end: int, tmp_path: Path) -> None:
    script, folder, memory = tmp_path / "driver.py", tmp_path / "folder", tmp_path / "memory"
    script.write_text(DRIVER)
    memory.mkdir()
    command = [sys.executable, str(script), str(folder), str(memory)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    options: dict[str, Any] = {"start_new_session": True, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **options) as driver:
        while len(list(folder.glob("tile-*"))) < 3:
            assert driver.poll() is None
            time.sleep(0.01)
        assert list(memory.iterdir())
        if end == signal.SIGINT:
            os.killpg(driver.pid, end)  # as a terminal does
        else:
            driver.send_signal(end)
        assert driver.stderr
        text = driver.stderr.read()  # to its end: no worker holds it any longer
    assert text.count("Traceback") == (end == signal.SIGINT)  # of the driver alone
    assert list(memory.iterdir()) == []
    before = {path: path.stat().st_mtime_ns for path in folder.glob("tile-*")}
    columns = frame(200, 24)
    resumed = matrix(columns, folder=folder)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert resumed == matrix(columns)
    assert Matrix.open(folder) == resumed
