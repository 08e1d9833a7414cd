"""The compiled engine against torch and against peers, in one run.

    python benchmarks/engine_speed.py [--quick]

One estimate and batches by both engines, all pairs of a table, two large problems with their memory, the
first answer of a fresh process, and one caller over HTTP. Each measurement runs in a process of its own, on
one core but for the service. Needs `pip install ennemi scikit-learn`, or leaves these peers out.
Prints tables and writes results/engine-speed-YYYY-MM-DD.json. All times in seconds.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import Row, Rows, one_core, peak_mib, print_table, result_name, write_result
from speed import child, parsed, problem, seconds_each, weights

SHAPES = ((500, 5), (1000, 1), (1000, 16))
LARGE = ((10_000, 32), (1_000_000, 1))
BATCH = 64
TABLE = (100, 1000)  # columns, rows
PEER_PAIRS = 60
PORT = 18_433
CALLS = 300


def main() -> None:
    """Runs every measurement, or the one that `--child` names."""
    options = parsed(__doc__, "small problems, few repeats", MEASUREMENTS)
    if options is None:
        return
    measured: dict[str, Rows] = {
        name: child(__file__, name, options.quick, threads=1) for name in MEASUREMENTS
    }
    for name, rows in measured.items():
        print_table(name, rows)
    head = {"unit": "seconds", "quick": options.quick, "weights": weights()}
    path = write_result(result_name("engine-speed", options.quick), {**head, **measured}, options.out)
    print(f"\nwritten: {path.name}")


def alone(quick: bool) -> Rows:
    """One estimate by both engines, and KSG's."""
    one_core()
    from peers import ksg

    native, torch = _estimators()
    rows = []
    for n, dim in SHAPES:
        x, y = problem(n, dim)
        row: Row = {"n": n, "dim": dim, "native": _median(lambda: native.estimate(x, y), quick)}  # noqa: B023
        row["torch"] = _median(lambda: torch.estimate(x, y), quick)  # noqa: B023
        row["ksg"] = _median(lambda: ksg(x, y), quick)  # noqa: B023
        rows.append({**row, "of_ksg": row["native"] / row["ksg"], "of_torch": row["native"] / row["torch"]})
    return rows


def batches(quick: bool) -> Rows:
    """Problems a second, many at once."""
    one_core()
    pairs = [problem(*SHAPES[0], seed) for seed in range(BATCH)]
    rates = [BATCH / _median(lambda: own.estimate_many(pairs), quick) for own in _estimators()]  # noqa: B023
    return [{"batch": BATCH, "native": rates[0], "torch": rates[1], "ratio": rates[0] / rates[1]}]


def table(quick: bool) -> Rows:
    """Pairs a second of all pairs of columns; of peers on some of the pairs, one by one."""
    one_core()
    import mizzle

    columns, n = (20, TABLE[1]) if quick else TABLE
    rng = np.random.default_rng(5)
    values = rng.standard_normal((n, 5)) @ rng.standard_normal((5, columns)) + rng.standard_normal(
        (n, columns)
    )
    start = time.perf_counter()
    mizzle.matrix(values)
    pairs = columns * (columns - 1) // 2
    row: Row = {"columns": columns, "n": n, "mizzle": pairs / (time.perf_counter() - start)}
    for name, estimate in _peers().items():
        chosen = [tuple(rng.permutation(columns)[:2]) for _ in range(PEER_PAIRS)]
        start = time.perf_counter()
        for i, j in chosen:
            estimate(values[:, [i]], values[:, [j]])
        row[name] = PEER_PAIRS / (time.perf_counter() - start)
    fastest = max(rate for name, rate in row.items() if name in ("ksg", "sklearn", "ennemi"))
    return [{**row, "of_fastest": row["mizzle"] / fastest}]  # of those that assume no shape


def large(quick: bool) -> Rows:
    """Seconds, and MiB above what the process held before."""
    one_core()
    import mizzle

    rows = []
    mizzle.estimate(*problem(*SHAPES[0]))
    for n, dim in ((2000, 8),) if quick else LARGE:
        x, y = problem(n, dim)
        before = peak_mib()
        seconds = seconds_each(lambda: mizzle.estimate(x, y), 3, warm=False)  # noqa: B023
        rows.append({"n": n, "dim": dim, "native": float(seconds.min()), "mib_above": peak_mib() - before})
    return rows


def first(quick: bool) -> Rows:
    """Import, load and first answer."""
    one_core()
    x, y = problem(*SHAPES[0])
    start = time.perf_counter()
    import mizzle

    mizzle.estimate(x, y)
    return [{"first": time.perf_counter() - start, "peak_mib": peak_mib(), "torch": "torch" in sys.modules}]


def http(quick: bool) -> Rows:
    """A caller that waits for each answer: `.npy`, 200 rows, 2 + 2 columns; and the estimate without HTTP.

    Not held to one core, as the service has processes of its own.
    """
    from http_load import npy

    import mizzle

    request = npy(200, 2, 2, 1)
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 200, 2))
    own = _median(lambda: mizzle.estimate(x, y), quick)
    command = [sys.executable, "-m", "mizzle", "serve", "--port", str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
        try:
            seconds = asyncio.run(_asked(request, 30 if quick else CALLS))
        finally:
            service.terminate()
    return [{"http": float(np.median(seconds)), "own": own, "above": float(np.median(seconds)) - own}]


MEASUREMENTS: dict[str, Callable[[bool], Rows]] = {
    "alone": alone,
    "batches": batches,
    "table": table,
    "large": large,
    "first": first,
    "http": http,
}


async def _asked(request: bytes, calls: int) -> NDArray[np.float64]:
    """Seconds of each call on one connection, once the service is ready."""
    from http_load import Wire, get

    loop = asyncio.get_running_loop()
    deadline = time.monotonic() + 60
    while True:
        try:
            _, wire = await loop.create_connection(Wire, "127.0.0.1", PORT)
            if b" 200 " in await wire.ask(get("/readyz")):
                break
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"the service on port {PORT} is not ready after a minute")
        await asyncio.sleep(0.2)
    marks = [time.perf_counter()]
    for _ in range(calls + 20):
        if b" 200 " not in (head := await wire.ask(request)):
            raise SystemExit(f"the service answered {head[:80]!r}")
        marks.append(time.perf_counter())
    return np.diff(marks)[20:]


def _estimators() -> tuple[Any, Any]:
    """Both engines on the shipped weights."""
    from mizzle.model import Estimator

    return Estimator.load(threads=1, engine="native"), Estimator.load(threads=1, engine="torch")


def _peers() -> dict[str, Callable[[Any, Any], float]]:
    from choosing import PEERS

    missing = {"ennemi": "ennemi", "sklearn": "sklearn"}
    return {name: own for name, own in PEERS.items() if name not in missing or find_spec(missing[name])}


def _median(call: Callable[[], Any], quick: bool) -> float:
    """The median of some calls."""
    return float(np.median(seconds_each(call, 5 if quick else 40)))


if __name__ == "__main__":
    main()
