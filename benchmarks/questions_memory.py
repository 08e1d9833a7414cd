"""Memory of every question at 1,000,000 rows: the peak of a process of its own, above that at its start.

python benchmarks/questions_memory.py
"""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
from results import Rows, peak_mib, print_table, resident_mib

import mizzle

ROWS, QUICK_ROWS = 1_000_000, 20_000
BOUND = 300.0  # MiB


def measured(quick: bool = False) -> Rows:
    """One row a question."""
    rows = QUICK_ROWS if quick else ROWS
    return [{"question": name, "rows": rows, "mib": _apart(name, rows), "bound": BOUND} for name in QUESTIONS]


def _apart(name: str, rows: int) -> float:
    """The peak in MiB of one question, asked in another process."""
    done = subprocess.run(
        [sys.executable, __file__, name, str(rows)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _sides(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    z, x, noise = np.random.default_rng(0).normal(size=(3, rows))
    return x + z, x - z + noise, z


def _asked(name: str, rows: int) -> float:
    """Peak above the start in this process; the model is loaded before."""
    sides = _sides(rows)
    few = tuple(side[:500] for side in sides)
    QUESTIONS[name](*few)
    before = resident_mib()
    QUESTIONS[name](*sides)
    return peak_mib() - before


QUESTIONS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], object]] = {
    "estimate": lambda x, y, z: mizzle.estimate(x, y),
    "test, 19 shuffles": lambda x, y, z: mizzle.test(x, y, n=19),
    "test, 19 shifts": lambda x, y, z: mizzle.test(x, y, kind="shift", n=19),
    "estimate given z": lambda x, y, z: mizzle.estimate(x, y, given=z),
    "test given z, 19 surrogates": lambda x, y, z: mizzle.test(x, y, given=z, n=19),
    "3 lags": lambda x, y, z: mizzle.lagged(x, y, lags=range(3)),
    "difference": lambda x, y, z: mizzle.difference((x, y), (z, y)),
    "check": lambda x, y, z: mizzle.check(x, y),
    "matrix of 3, 19 surrogates a pair": lambda x, y, z: mizzle.matrix({"x": x, "y": y, "z": z}, pvalues=19),
}


def main() -> None:
    """Prints the table; or, with the name of a question, its peak."""
    if len(sys.argv) == 3:
        print(_asked(sys.argv[1], int(sys.argv[2])))
    else:
        print_table("memory", measured("--quick" in sys.argv))


if __name__ == "__main__":
    main()
