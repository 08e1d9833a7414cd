"""Speed and memory of the estimator, with peers beside it in the same run.

    python benchmarks/speed.py [--quick]

Every measurement runs in a fresh process with its threads fixed before anything is imported. MIST's
network and MINE are timed where their environments are there (mist_speed.py and neural_peers.py make them),
else left out.
Prints a table and writes results/speed-YYYY-MM-DD.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import environments
import mist_speed
import neural_peers
import numpy as np
from exports import sha256
from numpy.typing import NDArray
from results import RESULTS, Row, one_core, peak_mib, print_table, result_name, write_result

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
SMALL = (500, 5)
LARGE = (10_000, 32)
MANY = 256
# Time against rows at 5 + 5 columns, and against columns at 1000 rows.
ROWS = tuple((n, 5) for n in (100, 200, 500, 1000, 2000, 5000, 10_000))
COLUMNS = tuple((1000, dim) for dim in (1, 2, 4, 8, 16, 32, 64))
# Of these, where MINE and InfoNCE are trained, which takes a quarter of a minute each time.
NEURAL = ((100, 5), (1000, 5), (10_000, 5), (1000, 1), (1000, 8), (1000, 64))
SEED = 7


def main() -> None:
    """Runs every measurement, or the one that `--child` names."""
    options = parsed(__doc__, "fewer repeats, no large problem", MEASUREMENTS)
    if options is None:
        return
    names = [name for name in MEASUREMENTS if not (options.quick and name == "large")]
    measured = {name: _fresh(name, options.quick) for name in names}
    against = measured.pop("scaling")
    del against["process"], against["threads"]
    for name, values in measured.items():
        print_table(name, [values])
    for key in ("by_n", "by_dim"):
        print_table(f"{key}, one core", against[key])
    head = {"unit": "seconds", "quick": options.quick, "weights": weights(), "seed": SEED}
    payload = {**head, **measured, **against}
    print(f"\nwritten: {write_result(result_name('speed', options.quick), payload, options.out).name}")


def parsed(
    doc: str | None, quick: str, measurements: Mapping[str, Callable[[bool], Any]]
) -> argparse.Namespace | None:
    """The command line of a program of measurements; None once it has run the one that `--child` names."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--child", choices=measurements, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is None:
        return options
    print(json.dumps(measurements[options.child](options.quick)))
    return None


def latency(quick: bool) -> dict[str, Any]:
    """`mizzle.estimate` on one core, one problem of 500 rows and 5 + 5 columns."""
    one_core()
    from peers import ksg

    import mizzle

    x, y = problem(*SMALL)
    ours = seconds_each(lambda: mizzle.estimate(x, y), 20 if quick else 200)
    theirs = seconds_each(lambda: ksg(x, y), 10 if quick else 50)
    return {**_against_ksg(ours, theirs), "neural": _neural([SMALL]).get(SMALL, {})}


def throughput(quick: bool) -> dict[str, Any]:
    """`estimate_many` of 256 such problems on two cores; KSG does them one by one."""
    from peers import ksg

    from mizzle.model import Estimator

    estimator = Estimator.load()
    pairs = [problem(*SMALL, seed) for seed in range(MANY)]
    ours = seconds_each(lambda: estimator.estimate_many(pairs), 2 if quick else 7)
    theirs = seconds_each(lambda: [ksg(x, y) for x, y in pairs[:32]], 1, warm=False) / (32 / MANY)
    return {"problems_per_second": MANY / float(np.median(ours)), **_against_ksg(ours, theirs)}


def cold(quick: bool) -> dict[str, Any]:
    """Import, load and first answer; the parent adds the start of the interpreter."""
    x, y = problem(*SMALL)
    start = time.perf_counter()
    import mizzle

    imported = time.perf_counter()
    mizzle.estimate(x, y)
    first = time.perf_counter()
    return {"import": imported - start, "load_and_first_answer": first - imported}


def large(quick: bool) -> dict[str, Any]:
    """10,000 rows and 32 + 32 columns: time, and the peak of the resident memory."""
    from peers import ksg

    import mizzle

    mizzle.estimate(*problem(*SMALL))
    before = peak_mib()
    x, y = problem(*LARGE)
    ours = seconds_each(lambda: mizzle.estimate(x, y), 3, warm=False)
    # Read before KSG runs, whose memory would count as ours.
    peak = peak_mib()
    theirs = seconds_each(lambda: ksg(x, y), 1, warm=False)
    size = dict(zip(("n", "dim"), LARGE, strict=True))
    return {**size, **_against_ksg(ours, theirs), "peak_mib": peak, "peak_mib_after_small": before}


def scaling(quick: bool) -> dict[str, Any]:
    """One problem on one core against rows and against columns; medians in seconds, null where undone."""
    one_core()
    max_rows = 1000 if quick else 10_000
    rows, columns = [size for size in ROWS if size[0] <= max_rows], list(COLUMNS)
    mist = _mist(rows + columns, quick)
    times = {(row["n"], row["dim"]): {"mist": row["seconds"]} for row in mist.pop("times")}
    for size, seconds in _neural([] if quick else NEURAL).items():
        times[size] = {**times.get(size, {"mist": None}), **seconds}
    return {
        "by_n": [_row(n, dim, times, quick) for n, dim in rows],
        "by_dim": [_row(n, dim, times, quick) for n, dim in columns],
        "mist-architecture": mist,
    }


MEASUREMENTS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "latency": latency,
    "throughput": throughput,
    "cold": cold,
    "large": large,
    "scaling": scaling,
}
THREADS = {"latency": 1, "throughput": 2, "cold": 2, "large": 2, "scaling": 1}


def problem(n: int, dim: int, seed: int = SEED) -> Pair:
    """Normal x, and y = x / 2 + noise, with `dim` columns each."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dim))
    return x, 0.5 * x + rng.standard_normal((n, dim))


def _row(n: int, dim: int, others: Mapping[tuple[int, int], Row], quick: bool) -> Row:
    from peers import gaussian_copula, ksg

    import mizzle

    x, y = problem(n, dim)
    budget = 0.1 if quick else 2.0
    return {
        "n": n,
        "dim": dim,
        "ours": _median(lambda: mizzle.estimate(x, y), budget),
        "ksg": _median(lambda: ksg(x, y), budget),
        "copula": _median(lambda: gaussian_copula(x, y), budget),
        **others.get((n, dim), {"mist": None}),
    }


def _mist(sizes: Sequence[tuple[int, int]], quick: bool) -> dict[str, Any]:
    """What mist_speed.py prints for the sizes that its network takes."""
    python = environments.ready("mist")
    if python is None:
        return {"times": [], "note": "no environment of MIST here; benchmarks/mist_speed.py makes one"}
    max_rows = 1000 if quick else mist_speed.MAX_ROWS
    names = [f"{n}x{dim}" for n, dim in sizes if n <= max_rows and dim <= mist_speed.MAX_COLUMNS]
    command = [str(python), mist_speed.__file__, *names, *["--quick"] * quick]
    return {**_elsewhere(command), "note": "random weights: its time, not its accuracy"}


def _neural(sizes: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Row]:
    """Seconds that MINE and InfoNCE train for on a problem of each size, where their environment is there."""
    python = environments.ready("bmi")
    if python is None or not sizes:
        return {}
    names = [f"{n}x{dim}" for n, dim in sizes]
    rows = _elsewhere([str(python), neural_peers.__file__, "--time", *names])
    return {(row.pop("n"), row.pop("dim")): row for row in rows}


def _elsewhere(command: list[str]) -> Any:
    """What a program prints as JSON that runs in another environment."""
    done = subprocess.run(
        command, env=environments.variables(), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _fresh(name: str, quick: bool) -> dict[str, Any]:
    """One measurement in a process of its own; the smallest of several for the cold start."""
    repeats = 3 if name == "cold" else 1
    runs = [_child(name, quick) for _ in range(repeats)]
    return min(runs, key=lambda run: float(run["process"]))


def _child(name: str, quick: bool) -> dict[str, Any]:
    from mizzle.machine import cores  # not above: a child measures the import of the package

    threads = min(THREADS[name], cores())
    start = time.perf_counter()
    values: dict[str, Any] = child(__file__, name, quick, threads)
    return {**values, "threads": threads, "process": time.perf_counter() - start}


def child(program: str, name: str, quick: bool, threads: int) -> Any:
    """What a measurement of the program prints as JSON, in a process of its own with so many threads."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    command = [sys.executable, program, "--child", name] + ["--quick"] * quick
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def weights() -> Row:
    """Which weights were measured."""
    from mizzle.model.weights import SHIPPED  # not above: as in `_child`

    return {"sha256": sha256(SHIPPED)}


def seconds_each(call: Callable[[], Any], repeats: int, warm: bool = True) -> NDArray[np.float64]:
    """Seconds of each call, after three that do not count."""
    for _ in range(3 if warm else 0):
        call()
    marks = [time.perf_counter()]
    for _ in range(repeats):
        call()
        marks.append(time.perf_counter())
    return np.diff(marks)


def _median(call: Callable[[], Any], budget: float) -> float:
    """Median seconds of as many calls as fit the budget, after one that does not count."""
    call()
    times: list[float] = []
    while sum(times) < budget and len(times) < 100:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def _against_ksg(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> dict[str, Any]:
    """Medians, our 95th percentile, and the ratio to KSG (below 1: faster than KSG)."""
    own, other = float(np.median(ours)), float(np.median(theirs))
    p95 = float(np.quantile(ours, 0.95))
    return {"median": own, "p95": p95, "repeats": len(ours), "ksg": other, "ratio": own / other}


if __name__ == "__main__":
    main()
