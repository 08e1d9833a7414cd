"""How a table scales over workers: measured from one to two, and simulated up to 1,000.

    python benchmarks/scale.py [--executor local ray] [--columns 160] [--rows 1000] [--workers 1 2] [--quick]
                               [--gigabits 10] [--failures 0.01] [--price 0.04]

Strong scaling: the same table by more workers. Weak: as many more pairs as workers. The simulation draws
times of tiles from those that were measured, lets the driver take results one by one, sends the ranks to
every node, and lets workers fail: a failure costs the tile and the start of another worker. Its result is
the time of 20,000 columns of 10,000 rows (2 x 10^8 pairs), whole and screened, the cheap pass included, and
the cost at a price of a core's hour. Prints tables and writes results/scale-YYYY-MM-DD.json.
"""

import argparse
import heapq
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from results import RESULTS, print_table, result_name, write_result
from tables_speed import columns

from mizzle import executors
from mizzle.backends.shared_ranks import SharedRanks
from mizzle.estimator import load
from mizzle.executors import Executing
from mizzle.tables import folder, matrix, plan, scoring, screening, tiles
from mizzle.tables.run import outcomes_of
from mizzle.tables.variables import variables

QUICK = (40, 300)
SEED = 11
GENES, CELLS = 20_000, 10_000
SIZES = (1, 2, 10, 100, 1000)  # workers of the simulation
MEASURED_TILES = 12  # whose times it draws from
CORES_OF_NODE = 16


class Network(NamedTuple):
    """What the simulation assumes.

    Attributes:
        gigabits: a second, of the driver's connection.
        driver: seconds of the driver for a tile: to read its result and to write its file.
        failures: of a worker, an hour.
        start: seconds until another worker works.
    """

    gigabits: float
    driver: float
    failures: float
    start: float


class Simulated(NamedTuple):
    """Seconds until the last tile is written; tiles that were lost; the share of time that workers worked."""

    seconds: float
    lost: int
    efficiency: float


def main() -> None:
    """Measures, simulates and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--executor", nargs="+", choices=("local", "ray"), default=["local"])
    parser.add_argument("--columns", type=int, default=160)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--gigabits", type=float, default=10.0, help="a second, of the driver's connection")
    parser.add_argument("--failures", type=float, default=0.01, help="of a worker, an hour")
    parser.add_argument("--price", type=float, default=0.04, help="of an hour of a core, in any currency")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    p, n = QUICK if options.quick else (options.columns, options.rows)
    strong = [measured(engine, w, p, n) for engine in options.executor for w in options.workers]
    weak = [measured(engine, w, round(p * w**0.5), n) for engine in options.executor for w in options.workers]
    print_table("strong scaling", strong)
    print_table("weak scaling", weak)
    tile = tile_times(n if options.quick else CELLS, 2 if options.quick else MEASURED_TILES)
    network = Network(options.gigabits, tile["write_seconds"], options.failures, tile["start_seconds"])
    simulated = [
        *projected(tile, network, options.price, False),
        *projected(tile, network, options.price, True),
    ]
    print_table(f"{GENES:,} columns of {CELLS:,} rows, simulated", simulated)
    payload = {
        "seed": SEED,
        "quick": options.quick,
        "strong": strong,
        "weak": weak,
        "tile": tile,
        "network": network._asdict(),
        "price": options.price,
        "simulated": simulated,
    }
    name = result_name("scale", options.quick)
    print(f"\nwritten: {write_result(name, payload, options.out).name}")


def measured(engine: Executing, workers: int, p: int, n: int) -> dict[str, Any]:
    """A whole table by so many workers, which are held to as many cores."""
    table = columns(p, n)
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(allowed)[:workers]))  # of which engines have one worker each
    try:
        start = time.perf_counter()
        pairs = len(matrix(table, executor=engine, progress=False))
        seconds = time.perf_counter() - start
    finally:
        os.sched_setaffinity(0, allowed)
    about = {"executor": engine, "workers": workers, "columns": p, "pairs": pairs}
    return {**about, "seconds": seconds, "pairs_a_second": pairs / seconds}


def tile_times(n: int, count: int) -> dict[str, Any]:
    """The seconds of tiles of n rows by one thread, of the writing of one, and of the start of a worker."""
    planned = plan.Plan.all_pairs(variables(columns(160, n)))
    size = tiles.side(planned)
    model, seconds = load(threads=1), []
    backend = SharedRanks(model)
    some = list(tiles.tiles(planned, size))[:count]
    for tile in some:
        start = time.perf_counter()
        parts = [outcomes_of(backend, planned, part, _ignored) for part in planned.cut(tile.places) if part]
        seconds.append((time.perf_counter() - start) / len(tile.places))
    with tempfile.TemporaryDirectory() as path:
        written = folder.prepared(path, planned, model, {"kind": "matrix", "screen": None})
        sheet = written.sheet(planned, some[-1], {})
        content = folder.content(sheet, [outcome for part in parts for outcome in part])
        start = time.perf_counter()
        written.write(0, content)
        write = time.perf_counter() - start
        bytes_of_tile = len(content) / len(some[-1].places)
    start = time.perf_counter()
    with executors.opened("local", {"a": np.zeros(1)}) as engine:
        next(iter(engine.run(_nothing, [0])))
        started = time.perf_counter() - start
    return {
        "rows": n,
        "pairs_of_tile": size**2,
        "pair_seconds": seconds,
        "score_seconds": score_seconds(planned, n),
        "write_seconds": write,
        "bytes_of_pair": bytes_of_tile,
        "start_seconds": started,
    }


def score_seconds(planned: plan.Plan, n: int) -> float:
    """Of a pair in the cheap pass, by one thread."""
    arrays, sides = scoring.columns(planned, n), (range(64), range(64, 128))
    scoring.scores(arrays, (range(4), range(4)))  # loads what is loaded once
    start = time.perf_counter()
    scoring.scores(arrays, sides)
    return (time.perf_counter() - start) / 64**2


def _ignored(count: int) -> None:
    """Progress that nobody sees."""


def _nothing(arrays: object, task: object) -> None:
    """A task, to see a worker start."""


def projected(tile: dict[str, Any], network: Network, price: float, screened: bool) -> list[dict[str, Any]]:
    """The large table by more and more workers."""
    pairs, scored = GENES * (GENES - 1) // 2, 0.0
    if screened:
        scored = pairs * tile["score_seconds"]  # of all pairs, by one worker
        k = screening.partners("auto", GENES) or 0
        pairs = GENES * k + screening.overall(GENES, k)  # at most
    count = -(-pairs // tile["pairs_of_tile"])
    times = np.array(tile["pair_seconds"]) * tile["pairs_of_tile"]
    rows = []
    for workers in SIZES:
        result = simulate(times, count, workers, network, 4 * GENES * CELLS)
        seconds = result.seconds + scored / workers
        core_hours = seconds * workers / 3600
        rows.append(
            {
                "screened": screened,
                "workers": workers,
                "pairs": pairs,
                "hours": seconds / 3600,
                "efficiency": result.efficiency,
                "lost_tiles": result.lost,
                "core_hours": core_hours,
                "cost": core_hours * price,
            }
        )
    return rows


def simulate(
    times: Sequence[float] | NDArray[np.float64], count: int, workers: int, network: Network, shared: int
) -> Simulated:
    """The time of `count` tiles, event by event.

    Args:
        times: seconds of a tile, of which each is drawn anew.
        shared: bytes that go to every node once.
    """
    rng = np.random.default_rng(SEED)
    nodes = -(-workers // CORES_OF_NODE)
    begin = network.start + (nodes > 1) * shared * 8 / (network.gigabits * 1e9) * np.ceil(
        np.log2(max(nodes, 2))
    )
    free = [begin] * workers  # when each worker can take a tile
    heapq.heapify(free)
    driver, busy, lost, left, end = 0.0, 0.0, 0, count, 0.0
    while left:
        at = heapq.heappop(free)
        seconds = float(rng.choice(times))
        fails = rng.exponential(3600 / network.failures) if network.failures else np.inf
        if fails < seconds:
            lost += 1
            heapq.heappush(free, at + fails + network.start)
            continue
        done = at + seconds
        driver = max(driver, done) + network.driver  # one result after the other
        busy, left, end = busy + seconds, left - 1, max(end, driver)
        heapq.heappush(free, done)
    return Simulated(end, lost, busy / (end * workers))


if __name__ == "__main__":
    main()
