"""Replicas behind a proxy while they are killed and started: whether anything is lost, or done twice.

    python benchmarks/replicas.py [--quick]

Starts PostgreSQL, two `mizzle serve` that share it, and HAProxy before them, all on loopback; callers ask for
estimates and submit jobs, twice each, while one replica after the other is ended, by SIGKILL and SIGTERM in
turn, and started again. Every answer is held against that of this process. Prints what was lost, wrong or
twice, all of which should be 0, and writes results/replicas-YYYY-MM-DD.json. Its exit code is 1 otherwise.
"""

import argparse
import math
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import fleet
import numpy as np
from results import RESULTS, Row, print_table, result_name, write_result

import mizzle
from mizzle.client.jobs import Jobs
from mizzle.errors import MizzleError
from mizzle.tables.variables import variables

REPLICAS, CALLERS = 2, 8
ROWS, SAMPLES, SEED = 200, 32, 17
LEASE_SECONDS = 3.0
_TOLERANCE = 1e-6  # nats, relative to nothing: the same problem in another batch
_REST_SECONDS = 1.5  # between two ends of replicas
_LOOK_SECONDS = 0.05  # between two looks whether one is ready
_PERCENTILES = (50, 99)

Array = np.ndarray
Samples = Sequence[tuple[Array, Array]]


class Load(NamedTuple):
    """How much is asked for, how wide the tables of jobs are, how many replicas end meanwhile at least."""

    requests: int
    jobs: int
    columns: int
    ends: int


FULL, QUICK = Load(10_000, 20, 24, 8), Load(320, 3, 10, 2)


def main() -> int:
    """Runs one load."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a small load: tries the program, tells little")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    try:
        row = measure(QUICK if options.quick else FULL)
    except fleet.NotHere as error:
        print(f"replicas.py: {error}", file=sys.stderr)
        return 1
    print_table("replicas", [row])
    print(write_result(result_name("replicas", options.quick), {"rows": [row]}, options.out))
    return int(bool(faults(row)))


def faults(row: Row) -> list[str]:
    """What should be 0 and is not."""
    return [
        f"{name}: {row[name]}"
        for name in ("lost", "wrong", "jobs_lost", "jobs_wrong", "jobs_back")
        if row[name]
    ]


def measure(load: Load, lease_seconds: float = LEASE_SECONDS) -> Row:
    """Run a load through replicas that are killed.

    Raises:
        fleet.NotHere: a program is missing.
    """
    with tempfile.TemporaryDirectory() as name, fleet.postgres() as server:
        settings = {"JOBS_URL": server.url, "JOBS_LEASE_SECONDS": str(lease_seconds), "THREADS": "1"}
        with (
            fleet.replicas(REPLICAS, settings, Path(name)) as replicas,
            fleet.proxy([replica.port for replica in replicas], Path(name)) as port,
            _Killer(replicas) as killer,
        ):
            row = _under_load(load, f"http://127.0.0.1:{port}", killer)
            return row | {"killed": killer.count(signal.SIGKILL), "stopped": killer.count(signal.SIGTERM)}


class _Killer:
    """Ends one replica after the other and starts it again, so that another is always there."""

    def __init__(self, replicas: Sequence[fleet.Replica]) -> None:
        self._replicas = replicas
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._done: list[signal.Signals] = []

    def __enter__(self) -> "_Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def ends(self) -> int:
        """How many replicas were ended."""
        return len(self._done)

    def count(self, number: signal.Signals) -> int:
        """How often a signal was sent."""
        return self._done.count(number)

    def _run(self) -> None:
        turn = 0
        while not self._over.wait(_REST_SECONDS):
            replica = self._replicas[turn % len(self._replicas)]
            number = signal.SIGTERM if turn // len(self._replicas) % 2 else signal.SIGKILL
            replica.end(number)
            self._done.append(number)
            turn += 1
            replica.start()
            while fleet.status(replica.port, "/readyz") != 200 and not self._over.wait(_LOOK_SECONDS):
                pass


def _under_load(load: Load, url: str, killer: "_Killer") -> Row:
    rng = np.random.default_rng(SEED)
    samples = [_sample(rng) for _ in range(SAMPLES)]
    tables = [_table(rng, load.columns) for _ in range(load.jobs)]
    truth = [estimate.mi for estimate in mizzle.estimate_many(samples)]
    start = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as callers, ThreadPoolExecutor(2 * load.jobs) as owners:
        followed = [
            owners.submit(_job, url, f"job-{i % load.jobs}", tables[i % load.jobs])
            for i in range(2 * load.jobs)
        ]
        asker = _Asker(url, samples, truth, load.requests // CALLERS, lambda: killer.ends >= load.ends)
        asked = [callers.submit(asker.run, first) for first in range(CALLERS)]
        answers = np.concatenate([future.result() for future in asked])
        seconds = time.monotonic() - start
        jobs = [future.result() for future in followed]
    with Jobs(url) as kept:
        missing = load.jobs - sum(job["state"] == "done" for job in kept.all())
    return {
        "requests": len(answers),
        "lost": int(np.isnan(answers[:, 1]).sum()),
        "wrong": int((answers[:, 1] > _TOLERANCE).sum()),
        "seconds": seconds,
        **{f"p{p}_ms": 1000 * float(np.percentile(answers[:, 0], p)) for p in _PERCENTILES},
        "jobs": load.jobs,
        "pairs": load.columns * (load.columns - 1) // 2,
        "jobs_lost": missing,
        "jobs_wrong": sum(wrong for wrong, _ in jobs),
        "jobs_back": sum(back for _, back in jobs),
        "jobs_seconds": time.monotonic() - start,
    }


def _sample(rng: np.random.Generator) -> tuple[Array, Array]:
    x = rng.standard_normal((ROWS, 2))
    return x, x[:, :1] + rng.standard_normal((ROWS, 1))


def _table(rng: np.random.Generator, columns: int) -> dict[str, Array]:
    shared = rng.standard_normal(ROWS)
    return {f"c{j}": shared + rng.standard_normal(ROWS) for j in range(columns)}


class _Asker(NamedTuple):
    """Asks one request after the other, so many at least and until it is enough."""

    url: str
    samples: Samples
    truth: Sequence[float]
    least: int
    is_enough: Callable[[], bool]

    def run(self, first: int) -> Array:
        """Return of each request its seconds and its distance from the truth, NaN where it was lost."""
        told: list[tuple[float, float]] = []
        with mizzle.Client(self.url) as client:
            while len(told) < self.least or not self.is_enough():
                told.append(self._ask(client, (first + len(told)) % SAMPLES))
        return np.array(told)

    def _ask(self, client: mizzle.Client, number: int) -> tuple[float, float]:
        start = time.monotonic()
        try:
            distance = abs(client.estimate(*self.samples[number]).mi - self.truth[number])
        except MizzleError as error:
            print(f"lost: {error}", file=sys.stderr)
            distance = math.nan
        return time.monotonic() - start, distance


def _job(url: str, id: str, frame: dict[str, Array]) -> tuple[bool, bool]:
    """Submit a job and follow it; returns whether its result is wrong and whether progress ever went back."""
    with Jobs(url) as jobs:
        jobs.submit(variables(frame), {"what": "matrix"}, id)
        done = [job["done"] for job in jobs.follow(id)]
        pairs = jobs.result(id).pairs
    local = {
        (pair.x, pair.y): pair.estimate.mi
        for pair in mizzle.matrix(frame, progress=False).pairs
        if pair.estimate is not None
    }
    good = [
        pair.estimate is not None and abs(pair.estimate.mi - local[pair.x, pair.y]) <= _TOLERANCE
        for pair in pairs
    ]
    return not (len(good) == len(local) and all(good)), done != sorted(done)


if __name__ == "__main__":
    sys.exit(main())
