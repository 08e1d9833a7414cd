"""Exports the 40 tasks of the BMI benchmark, version 1 (benchmark-mi; Czyz et al., NeurIPS 2023).

    python benchmarks/export_bmi.py [--reduced] [--rows N ...] [--seeds S ...]

Makes an environment of its own and runs there; mizzle never imports BMI. Files that are there and
intact are left alone.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import environments
import numpy as np
from exports import CACHE, Case, intact, write_export

SEEDS = {100: (0, 1, 2), 200: (0, 1, 2), 500: (0, 1, 2), 1000: (0, 1, 2), 5000: (0, 1), 10_000: (0, 1)}
REDUCED = {200: (0, 1), 1000: (0, 1), 10_000: (0,)}
PACKAGES = ["benchmark-mi", "jax", "jaxlib", "numpy", "scipy"]


def main() -> None:
    """Writes one file per number of rows."""
    options = _options()
    if not environments.inside("bmi"):
        raise SystemExit(environments.run_inside("bmi", __file__, sys.argv[1:]))
    plan = REDUCED if options.reduced else SEEDS
    for rows in options.rows or plan:
        seeds = options.seeds or plan.get(rows, (0, 1, 2))
        export(options.out / f"bmi-n{rows}.safetensors", rows, seeds)


def export(path: Path, rows: int, seeds: Sequence[int]) -> None:
    """Writes every task at every seed, unless the file covers them already."""
    from bmi.benchmark import BENCHMARK_TASKS  # type: ignore[import-not-found]

    if intact(path, seeds):
        print(f"{path.name}: there already")
        return
    cases = []
    for task in BENCHMARK_TASKS.values():
        for seed in seeds:
            x, y = (np.asarray(side) for side in task.sample(rows, seed))
            cases.append(Case(x, y, float(task.mutual_information), task.id, task.name, seed))
    write_export(path, "bmi", f"n{rows}", cases, PACKAGES, rows=rows, seeds=list(seeds))
    print(f"{path.name}: {len(cases)} data sets", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--reduced", action="store_true", help="only what the reduced benchmark needs")
    parser.add_argument("--rows", type=int, nargs="+", help=f"default: {' '.join(map(str, SEEDS))}")
    parser.add_argument("--seeds", type=int, nargs="+", help="default: 0 1 2; from 5000 rows on 0 1")
    return parser.parse_args()


if __name__ == "__main__":
    main()
