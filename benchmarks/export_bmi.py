"""Exports the 40 tasks of the BMI benchmark, version 1 (benchmark-mi; Czyz et al., NeurIPS 2023).

Runs in an environment of its own (README.md beside this file); mizzle never imports BMI.
"""

import argparse
from pathlib import Path

import numpy as np
from exports import CACHE, Case, write_export

PACKAGES = ["benchmark-mi", "jax", "jaxlib", "numpy", "scipy"]


def main() -> None:
    """Writes one file per number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    for rows in options.rows:
        cases = tasks(rows, options.seeds)
        path = options.out / f"bmi-n{rows}.safetensors"
        write_export(path, "bmi", f"n{rows}", cases, PACKAGES, rows=rows, seeds=options.seeds)
        print(f"{path.name}: {len(cases)} data sets")


def tasks(rows: int, seeds: list[int]) -> list[Case]:
    """Every task at every seed."""
    from bmi.benchmark import BENCHMARK_TASKS  # type: ignore[import-not-found]

    cases = []
    for task in BENCHMARK_TASKS.values():
        for seed in seeds:
            x, y = (np.asarray(side) for side in task.sample(rows, seed))
            cases.append(Case(x, y, float(task.mutual_information), task.id, task.name, seed))
    return cases


if __name__ == "__main__":
    main()
