"""Throughput of the estimator on each device that is here, in one run.

    python benchmarks/devices.py

Prepared problems of four shapes, as many together as a device likes; what is counted is `Estimator.run`, the
best of three. The same problems tell how far apart the devices' quantiles are.
Prints a table and writes results/devices-YYYY-MM-DD.json.
"""

import numpy as np
import torch
from results import Row, print_table, write_result
from speed import SEED, problem, seconds_each

from mizzle.machine import machine
from mizzle.model import Estimator
from mizzle.model.preprocess import Table

SHAPES = {(200, 2): 1024, (500, 5): 512, (1000, 16): 128, (10_000, 32): 8}  # n, columns a side: problems
REPEATS = 3


def main() -> None:
    """Measures CUDA where there is any, and the CPU."""
    names = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
    estimators = {name: Estimator.load(device=name) for name in names}
    rows = [_row(estimators, *shape, count) for shape, count in SHAPES.items()]
    print_table("problems a second", rows)
    payload = {
        "unit": "problems a second",
        "seed": SEED,
        "weights": estimators["cpu"].info.sha256,
        "torch": torch.__version__,
        "cuda": torch.cuda.get_device_name() if "cuda" in names else None,
        "threads": torch.get_num_threads(),
        "shapes": rows,
    }
    print(f"\nwritten: {write_result('devices', payload).name} ({machine()['processor']})")


def _row(estimators: dict[str, Estimator], n: int, dim: int, count: int) -> Row:
    """All problems together, and one at a time."""
    tables = [estimators["cpu"].prepare(*problem(n, dim, SEED + i)) for i in range(count)]
    row: Row = {"n": n, "dim": dim, "problems": count, "difference": _difference(estimators, tables)}
    for name, estimator in estimators.items():
        row[name] = count / _seconds(estimator, tables)
        row[f"{name}_alone"] = 1 / _seconds(estimator, tables[:1])
    return row


def _difference(estimators: dict[str, Estimator], tables: list[Table]) -> float:
    """The largest between quantiles of the same problem on two devices, in nats."""
    values = [[answer.values for answer in estimator.run(tables)] for estimator in estimators.values()]
    return float(np.ptp(values, axis=0).max())


def _seconds(estimator: Estimator, tables: list[Table]) -> float:
    return float(seconds_each(lambda: estimator.run(tables), REPEATS).min())


if __name__ == "__main__":
    main()
