"""Ray on a cluster of two nodes: the bytes of one process, whoever is killed. `make scale-test`: larger.

Ray is a large library, and no part of the development tools: without it these tests are skipped.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tile_log

from mizzle import Matrix, errors, executors
from mizzle.backends.local import shared_estimator
from mizzle.executors import ray_cluster
from mizzle.tables import matrix, plan, shared_plan, tiles
from mizzle.tables.variables import variables

FULL = "MIZZLE_SCALE_TEST" in os.environ
ROWS, COLUMNS = (1000, 512) if FULL else (100, 40)
# Of the cluster that starts here; Ray reads them as it is imported.
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'mizzle[ray]'")
pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("default"),  # Ray's own, such as sockets that it leaves open
]


def table(columns: int = COLUMNS, rows: int = ROWS) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two nodes of one core each, and this process connected to them, with a token."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        nodes.add_node(num_cpus=1)
        patch.setenv("RAY_ADDRESS", nodes.address)
        ray.init(address=nodes.address, log_to_driver=False)
        yield nodes
        ray.shutdown()
        nodes.shutdown()


@pytest.fixture(scope="module")
def alone() -> Matrix:
    """The matrix as this process computes it."""
    return matrix(table())


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    if not FULL:
        monkeypatch.setattr(tiles, "_SHORTEST", 0.0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


def test_the_answers_are_those_of_one_process(cluster: Any, alone: Matrix) -> None:
    assert matrix(table(), executor="ray") == alone


def test_a_killed_worker_costs_its_tile(
    cluster: Any, alone: Matrix, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_plan, "answer", tile_log.work(log, kill=True))
    assert matrix(table(), executor="ray") == alone
    times = tile_log.computed(log)
    assert (log / "killed").exists()
    assert sum(times.values()) <= len(times) + 1


def test_a_node_goes_and_another_comes(
    cluster: Any, alone: Matrix, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_plan, "answer", tile_log.work(log, seconds=0.05))
    changes: list[int] = []

    def change(done: int, total: int) -> None:
        if done and not changes:
            changes.append(done)
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
            cluster.add_node(num_cpus=1)

    assert matrix(table(), executor="ray", folder=tmp_path / "folder", progress=change) == alone
    assert changes


def free_store() -> dict[str, float]:
    """Bytes that are free in the object store of each node."""
    from ray._private import state

    return {node: has["object_store_memory"] for node, has in state.available_resources_per_node().items()}


def test_the_store_holds_the_ranks_once_a_node(cluster: Any) -> None:
    columns, rows = 16, 200_000
    planned = plan.Plan.all_pairs(variables(table(columns, rows)))
    ranks = columns * rows * 8  # as a process holds them
    before = free_store()
    with shared_plan.shared(planned, shared_estimator(), "ray", None, False) as tasks:
        list(tasks.engine.run(lambda arrays, task: time.sleep(0.5), range(6)))
        time.sleep(2)  # nodes say how much is free once a second
        used = [before[node] - free for node, free in free_store().items()]
    assert max(used) <= 1.2 * ranks
    assert sum(used) >= ranks / 2  # of 32 bits each; on one node, or on both


DRIVER = """
import sys
from pathlib import Path
import tile_log, test_ray
from mizzle.tables import matrix, shared_plan, tiles
tiles._SHORTEST = 0.0
shared_plan.answer = tile_log.work(Path(sys.argv[1]), seconds=0.1)
matrix(test_ray.table(), executor="ray", folder=sys.argv[2])
"""


def test_a_driver_that_is_killed_goes_on(cluster: Any, log: Path, tmp_path: Path, alone: Matrix) -> None:
    folder = tmp_path / "folder"
    paths = [str(Path(__file__).parent), *sys.path]
    command = [sys.executable, "-c", DRIVER, str(log), str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    driver = subprocess.Popen(command, env=environment)
    wanted = 3
    while len(list(folder.glob("tile-*"))) < wanted:
        assert driver.poll() is None
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    before = {path: path.stat().st_mtime_ns for path in folder.glob("tile-*")}
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    times = tile_log.computed(log)
    assert sum(times.values()) <= len(times) + 2  # what both workers had just finished
    assert Matrix.open(folder) == alone


def test_workers_without_mizzle_are_named(cluster: Any) -> None:
    missing = importlib.util.module_from_spec(importlib.util.spec_from_loader("mizzle_elsewhere", None))  # type: ignore[arg-type]
    exec(
        "def work(arrays, task):\n    raise ModuleNotFoundError(\"No module named 'mizzle'\")", vars(missing)
    )
    with (
        executors.opened("ray", {"a": np.zeros(3)}) as engine,
        pytest.raises(errors.ExecutorFailed, match="the workers of Ray do not have mizzle; install mizzle"),
    ):
        list(engine.run(missing.work, range(3)))


def test_a_cluster_out_of_reach_is_named_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.ExecutorFailed, match=r"Ray at 127.0.0.1:1 does not answer.*RAY_ADDRESS"):
        ray_cluster._connect(ray, "127.0.0.1:1")


def test_a_cluster_of_another_version_is_named() -> None:
    class Other:
        def init(self, **options: Any) -> None:
            raise RuntimeError(
                "Version mismatch: The cluster was started with:\n    Ray: 2.1\n    Python: 3.9"
            )

    with pytest.raises(errors.ExecutorFailed, match=r"is of another version: .*Ray: 2.1 Python: 3.9"):
        ray_cluster._connect(Other(), "auto")
