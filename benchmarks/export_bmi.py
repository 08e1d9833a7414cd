"""Exports the 40 tasks of the BMI benchmark, version 1, and the mixtures of version 2 (benchmark-mi).

    python benchmarks/export_bmi.py [--reduced] [--rows N ...] [--seeds S ...]

Version 1 is of Czyz et al., NeurIPS 2023; the mixtures, of the same authors' paper on profiles of pointwise
information (2023), have truths by Monte Carlo. Makes an environment of its own and runs there; mizzle never
imports BMI. Files that are there and intact are left alone.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import environments
import numpy as np
from exports import CACHE, Case, intact, write_export

SEEDS = {100: (0, 1, 2), 200: (0, 1, 2), 500: (0, 1, 2), 1000: (0, 1, 2), 5000: (0, 1), 10_000: (0, 1)}
REDUCED = {200: (0, 1), 1000: (0, 1), 10_000: (0,)}
MIXTURE_ROWS, MIXTURE_SEEDS = (1000, 5000), (0, 1)
TRUTH_SAMPLE = 400_000  # points behind the truth of a mixture: standard errors of .001 to .002 nats
PACKAGES = ["benchmark-mi", "jax", "jaxlib", "numpy", "scipy"]


def main() -> None:
    """Writes one file per number of rows."""
    options = _options()
    if not environments.inside("bmi"):
        raise SystemExit(environments.run_inside("bmi", __file__, sys.argv[1:]))
    plan = REDUCED if options.reduced else SEEDS
    for rows in options.rows or plan:
        export("bmi", version_1, options.out, rows, options.seeds or plan.get(rows, (0, 1, 2)))
    for rows in options.rows or MIXTURE_ROWS[: 1 if options.reduced else None]:
        export("mixtures", mixtures, options.out, rows, options.seeds or MIXTURE_SEEDS)


def export(suite: str, make: Callable[[], list[Any]], out: Path, rows: int, seeds: Sequence[int]) -> None:
    """Writes every task at every seed, unless the file covers them already."""
    path = out / f"{suite}-n{rows}.safetensors"
    if intact(path, seeds):
        print(f"{path.name}: there already")
        return
    cases = []
    for task in make():
        for seed in seeds:
            x, y = (np.asarray(side) for side in task.sample(rows, seed))
            cases.append(Case(x, y, float(task.mutual_information), task.id, task.name, seed))
    write_export(path, suite, f"n{rows}", cases, PACKAGES, rows=rows, seeds=list(seeds))
    print(f"{path.name}: {len(cases)} data sets", flush=True)


def version_1() -> list[Any]:
    """The 40 tasks that BMI lists."""
    from bmi.benchmark import BENCHMARK_TASKS  # type: ignore[import-not-found]

    return list(BENCHMARK_TASKS.values())


def mixtures() -> list[Any]:
    """Version 2's shapes; its package has makers of tasks and no list of them, so the sizes are ours."""
    from bmi.benchmark import tasks

    n = {"mi_estimate_sample": TRUTH_SAMPLE}
    return [
        *(make(**n) for make in (tasks.task_x, tasks.task_ai, tasks.task_galaxy, tasks.task_waves)),
        *(tasks.task_concentric_multinormal(dim, parts, **n) for dim, parts in ((3, 3), (5, 3), (25, 5))),
        *(
            tasks.task_multinormal_sparse_w_inliers(dim, dim, inlier_fraction=share, **n)
            for dim in (5, 25)
            for share in (0.2, 0.5)
        ),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--reduced", action="store_true", help="only what the reduced benchmark needs")
    parser.add_argument("--rows", type=int, nargs="+", help=f"default: {' '.join(map(str, SEEDS))}")
    parser.add_argument("--seeds", type=int, nargs="+", help="default: 0 1 2; from 5000 rows on 0 1")
    return parser.parse_args()


if __name__ == "__main__":
    main()
