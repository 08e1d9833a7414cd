"""Data sets per second of our generator and of MIST's own, in one run on one core.

    python benchmarks/generator_speed.py [--quick]

Both draw training problems of at most 500 rows and 32 columns a side, sample them and give the true
mutual information: MIST's generator under its own training configuration (`train.yaml`), in its own
environment, ours by `metadata_gen.dataset`. They work in turns, block by block, so that what else the
machine does meets both.

Each makes every block twice. The first time is the rate of the generator as it runs: nearly every data set
of MIST's has a new number of rows or columns, for which jax compiles anew. The second time all of the block's
shapes are compiled already, which is the most that MIST's generator could reach. Both ratios are reported.
Prints a table and writes results/generator-speed-YYYY-MM-DD.json.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import environments
import numpy as np
from export_mist import generator, set_seed
from results import RESULTS, one_core, print_table, result_name, write_result

# As MIST's training configuration says: 10 to 500 rows, 2 to 32 columns a side.
ROWS, COLUMNS = 500, 32
TARGET = 10.0
SEED = 123
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


class Block(NamedTuple):
    """Seconds one block took, and took again; how many data sets it has, and how many numbers they hold."""

    seconds: float
    again: float
    data_sets: int
    cells: int


def main() -> None:
    """Runs both generators in turns, or is one of them if `--serve` says so."""
    options = _options()
    if options.serve:
        _serve(GENERATORS[options.serve])
        return
    one_core()  # children inherit it, so both generators share this core and never run at the same time
    ours, theirs = compare(5 if options.quick else 15, 20 if options.quick else 50)
    payload = summary(ours, theirs)
    print_table("data sets per second", [payload["ours"], payload["mist"]])
    print(f"\nratio of medians: {payload['ratio']:.1f} (target: at least {TARGET:g});", end=" ")
    print(f"with MIST's shapes compiled: {payload['ratio_again']:.1f}")
    name = result_name("generator-speed", options.quick)
    print(f"written: {write_result(name, payload | {'quick': options.quick}, options.out).name}")


def compare(blocks: int, size: int) -> tuple[list[Block], list[Block]]:
    """Blocks of ours and of MIST's in turns; the first of each, which warms up, does not count."""
    ours, theirs = [], []
    with _started(sys.executable, "ours") as own, _started(environments.ensure("mist"), "mist") as mist:
        for block in range(blocks + 1):
            # Ours is faster: more data sets, so that a block is long enough to be timed.
            ours.append(_ask(own, block, 10 * size))
            theirs.append(_ask(mist, block, size))
    return ours[1:], theirs[1:]


def our_block(block: int, size: int) -> int:
    """Makes the data sets block * size, ... of our stream; how many numbers they hold."""
    from mizzle.metadata_gen import dataset
    from mizzle.metadata_gen.prior.ranges import Limits

    limits = Limits(rows=ROWS, columns=COLUMNS)
    drawn = (dataset(SEED, i, limits) for i in range(block * size, (block + 1) * size))
    return sum(data.x.size + data.y.size for data in drawn)


def mist_block(block: int, size: int) -> int:
    """Makes so many data sets by MIST's generator, seeded with the block; how many numbers they hold."""
    run, data_sets = generator("train.yaml", size)
    set_seed(SEED + block)
    run()
    return sum(data["source"].size for data in data_sets)


GENERATORS: dict[str, Callable[[int, int], int]] = {"ours": our_block, "mist": mist_block}


def summary(ours: list[Block], theirs: list[Block]) -> dict[str, Any]:
    """Medians over the blocks and their ratios."""
    own, mist = _side("mizzle", ours), _side("MIST", theirs)
    ratio = own["per_second"] / mist["per_second"]
    return {
        "unit": "data sets per second, one core",
        "limits": {"rows": ROWS, "columns": COLUMNS},
        "seed": SEED,
        "ours": own,
        "mist": mist,
        "ratio": ratio,
        "ratio_again": own["again"] / mist["again"],
        "target": TARGET,
        "met": ratio >= TARGET,
    }


def _side(name: str, blocks: list[Block]) -> dict[str, Any]:
    rates = [block.data_sets / block.seconds for block in blocks]
    low, middle, high = (float(q) for q in np.quantile(rates, [0.1, 0.5, 0.9]))
    total = sum(block.data_sets for block in blocks)
    return {
        "generator": name,
        "per_second": middle, "q10": low, "q90": high,
        "again": float(np.median([block.data_sets / block.again for block in blocks])),
        "data_sets": total, "blocks": len(blocks),
        "mean_cells": sum(block.cells for block in blocks) / total,
    }  # fmt: skip


def _started(python: str | Path, name: str) -> subprocess.Popen[str]:
    """A generator in its own process, which makes a block whenever asked; ends when its input does."""
    command = [python, __file__, "--serve", name]
    variables = environments.variables() | THREADS
    return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(process: subprocess.Popen[str], block: int, size: int) -> Block:
    assert process.stdin is not None
    assert process.stdout is not None
    print(block, size, file=process.stdin, flush=True)
    answer = process.stdout.readline().split()
    if len(answer) != 3:
        raise SystemExit("a generator stopped; its message is above")
    return Block(float(answer[0]), float(answer[1]), size, int(answer[2]))


def _serve(make: Callable[[int, int], int]) -> None:
    """Answers every line "block size" with the seconds of the first and the second time, and the cells."""
    for line in sys.stdin:
        block, size = map(int, line.split())
        marks = [time.perf_counter()]
        for _ in range(2):
            cells = make(block, size)
            marks.append(time.perf_counter())
        print(*np.diff(marks), cells, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter blocks")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--serve", choices=GENERATORS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
