"""Speed and memory of a whole table: every pair of p columns of n rows, in this process.

    python benchmarks/tables_speed.py [--columns 200] [--rows 1000] [--quick]

The goal is 200 columns of 1,000 rows, 19,900 pairs, in 240 seconds and 1,000 MB on two cores. The columns are
mixtures of common causes; every fifth is rounded to counts. A checkpoint is written on the way. Where others
use the cores, too, the processor's seconds tell more than the clock's.
Prints a table and writes results/tables-YYYY-MM-DD.json.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import RESULTS, peak_mib, print_table, result_name, write_result

GOAL = (200, 1000)
QUICK = (40, 1000)
SEED = 11
CAUSES = 10
GOAL_SECONDS, GOAL_MIB = 240.0, 1000 / 1.048576


def main() -> None:
    """Measures one table of the size that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--columns", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK[0]} columns unless told otherwise")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    p, n = QUICK if options.quick else GOAL
    size = (options.columns or p, options.rows or n)
    measured = measure(*size)
    print_table("all pairs", [measured])
    goal = {"columns": GOAL[0], "rows": GOAL[1], "seconds": GOAL_SECONDS, "peak_mib": GOAL_MIB}
    payload = {"seed": SEED, "quick": options.quick, "goal": goal, **measured}
    name = result_name("tables", options.quick or size != GOAL)
    print(f"\nwritten: {write_result(name, payload, options.out).name}")


def measure(p: int, n: int) -> dict[str, Any]:
    """Seconds, pairs a second and the peak of the resident memory; loading the weights is counted apart."""
    import mizzle
    from mizzle import tables

    table = columns(p, n)
    start = time.perf_counter()
    mizzle.estimate(table[:, 0], table[:, 1])
    loaded, worked = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        pairs = tables.matrix(table, checkpoint=Path(folder) / "table", progress=None)
        done, worked = time.perf_counter(), time.process_time() - worked
        size = (Path(folder) / "table").stat().st_size
    return {
        "columns": p,
        "rows": n,
        "pairs": len(pairs),
        "seconds": done - loaded,
        "pairs_per_second": len(pairs) / (done - loaded),
        "processor_seconds": worked,
        "load_seconds": loaded - start,
        "peak_mib": peak_mib(),
        "checkpoint_mib": size / 2**20,
    }


def columns(p: int, n: int) -> NDArray[np.float64]:
    """Mixtures of a few common causes and of noise; every fifth column in whole numbers."""
    rng = np.random.default_rng(SEED)
    weights = rng.normal(size=(CAUSES, p)) * (rng.random((CAUSES, p)) < 0.2)
    table: NDArray[np.float64] = rng.normal(size=(n, CAUSES)) @ weights + rng.normal(size=(n, p))
    table[:, ::5] = table[:, ::5].round()
    return table


if __name__ == "__main__":
    main()
