"""Jobs of a real process that ends in the middle of one: the next process on the same folder finishes it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import gated
import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator
from job_bodies import npy_body, table

from mizzle.client.jobs import Jobs
from mizzle.service.jobs.repository import JobDraft, JobRepository, StoredInput
from mizzle.service.storage.sqlite import SqliteDatabase
from mizzle.tables.variables import variables

# Every answer is kept as soon as it is there, and a worker that waits at the gate is not taken for hung:
# no clock decides what is done when the process ends.
_SERVICE = """
import sys
from mizzle import cli
from mizzle.service import server
from mizzle.service.inference import worker
from mizzle.service.jobs import runner
runner._SAVE_SECONDS, worker._MIN_PATIENCE_SECONDS = 0.0, 1000.0
server.serve.__defaults__ = ("gated:gated",)
{more}
sys.exit(cli.main(["serve", "--port=0"]))
"""
# A job of so many columns ends the process while it is prepared, as one does that memory does not hold.
BOMB = 7
_EXPLODING = f"""
real = runner.request.make_plan
def make_plan(spec, bounds):
    if len(spec.table) == {BOMB}:
        __import__("os")._exit(9)
    return real(spec, bounds)
runner.request.make_plan = make_plan
"""
COLUMNS = 10
PAIRS = COLUMNS * (COLUMNS - 1) // 2


@pytest.fixture
def gate(tmp_path: Path):
    """A pipe at which the worker of the first process waits."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "gate"


@pytest.fixture
def start(tmp_path: Path):
    """Starts `mizzle serve` with a folder of jobs, the same every time; gives the process and a client."""

    @contextmanager
    def started(log, code="", **more):
        with _process(tmp_path, log, code, **more) as process:
            assert process.stdout
            url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
            _until_open(url)
            with Jobs(url) as jobs:
                yield process, jobs
            process.terminate()

    return started


def _process(folder, log, code="", **more):
    settings = {"JOBS_DIR": "jobs", "MAX_BATCH_ITEMS": "8", "DRAIN_SECONDS": "0", "GRACE_SECONDS": "1"}
    environment = {
        **os.environ,
        **{f"MIZZLE_{name}": value for name, value in settings.items()},
        gated.LOG: str(folder / log),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        **more,
    }
    command, pipe = [sys.executable, "-c", _SERVICE.format(more=code)], subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=folder)


def _until_open(url) -> None:
    with httpx2.Client(base_url=url, trust_env=False) as http:
        for path in ("/startupz", "/v1/jobs"):
            while http.get(path).status_code == 503:
                pass


def _frame():
    values = table(gated.ROWS, COLUMNS)
    return {f"c{j}": column for j, column in enumerate(values.T)}


def _batches(log):
    return [set(line.split()) for line in log.read_text().splitlines()]


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_next_process_goes_on_and_does_nothing_twice(start, gate, tmp_path: Path, stop, code) -> None:
    with start("first", **{gated.GATE: str(gate)}) as (process, jobs):
        jobs.submit(variables(_frame()), {"what": "matrix"}, "one")
        with gate.open("wb"):  # returns when the worker is at the gate
            done_before = jobs.find("one")["done"]
            process.send_signal(stop)
            assert process.wait() == code
        process.communicate()  # also until the worker is gone
    with start("second") as (_, jobs):
        *_, job = jobs.follow("one")
        result = jobs.result("one")
    assert (job["state"], job["done"], job["failed"]) == ("done", PAIRS, 0)
    *answered, interrupted = _batches(tmp_path / "first")
    kept, again = set().union(*answered), set().union(*_batches(tmp_path / "second"))
    assert len(kept) == done_before >= gated.STOP - 1
    assert not kept & again
    assert interrupted <= again
    assert len(kept | again) == PAIRS
    for pair in result.pairs:
        x, y = (np.array(_frame()[name])[:, None] for name in (pair.x, pair.y))
        assert pair.estimate.mi == FakeEstimator().estimate(x, y).mi


@pytest.mark.parametrize("owners", [("anonymous", "anonymous"), ("alice", "anonymous")])
def test_a_job_that_ends_the_process_is_marked_and_the_others_go_on(start, tmp_path: Path, owners) -> None:
    """Its third start marks it; a job of another owner, which ran beside it, is not blamed."""
    file = JobRepository(SqliteDatabase(tmp_path / "jobs"), 1e6)
    file.open()
    for id, owner, p in (("bomb", owners[0], BOMB), ("other", owners[1], COLUMNS)):
        stored = StoredInput("application/x-npy", "{}", npy_body(table(gated.ROWS, p)))
        file.find_or_add(JobDraft(owner, id, id.encode(), "matrix", p * (p - 1) // 2, stored), 9, 9)
    file.close()
    for number in range(2):
        with _process(tmp_path, f"log{number}", _EXPLODING) as process:
            process.communicate()
            assert process.returncode == 9
    with start("log", _EXPLODING) as (_, jobs):
        *_, other = jobs.follow("other")
    file.open()
    bomb = file.find(owners[0], "bomb")
    file.close()
    assert bomb is not None
    assert bomb.error is not None
    assert (other["state"], bomb.state, json.loads(bomb.error)[0]) == ("done", "failed", "job_interrupted")
