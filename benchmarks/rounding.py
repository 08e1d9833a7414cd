"""False signals of independent columns that were rounded, by rows and by how many different values are left.

    python benchmarks/rounding.py [--quick]

Normals rounded to equal steps, one column a side, and of the same pair with a correlation of .3, whose
information rounding hardly changes. Draws of our own, so designs may be chosen by them. Minutes. Prints a
table and writes results/rounding-YYYY-MM-DD.json. A false signal is an interval of 90 % above 0 where the
truth is 0.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results import RESULTS, Row, print_table, result_name, write_result
from tqdm import tqdm

from mizzle.metadata_gen.families.binned import Binned, rounding_edges
from mizzle.metadata_gen.families.copulas import NormalCopula
from mizzle.metadata_gen.family import Family
from mizzle.model import Estimator

SEED = 902
COUNT, QUICK = 400, 40
ROWS = (200, 500, 1000, 3000)
LEVELS = ((0, 0), (20, 0), (60, 0), (200, 0), (20, 20), (60, 60), (60, 200), (200, 200))  # 0: not rounded
LEAST = 1e-3  # nats that an interval must lie above
CORRELATED = 0.3


def main() -> None:
    """Answers all draws, prints a row for every size and rounding, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws of a kind, not {COUNT}")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    estimator, count = Estimator.load(), QUICK if options.quick else COUNT
    rows = [
        _row(estimator, n, levels, count)
        for n, levels in tqdm([(n, levels) for n in ROWS for levels in LEVELS], leave=False)
    ]
    print_table("rounded columns", rows)
    head = {"unit": "nats", "quick": options.quick, "weights": estimator.info._asdict(), "seed": SEED}
    path = write_result(result_name("rounding", options.quick), {**head, "kinds": rows}, options.out)
    print(f"\nwritten: {path.name}")


def _row(estimator: Estimator, n: int, levels: tuple[int, int], count: int) -> Row:
    """Independent columns and correlated ones, each rounded."""
    rng = np.random.default_rng([SEED, n, *levels])
    apart, _ = _answers(estimator, _pair(0.0, levels), n, count, rng)
    together, truth = _answers(estimator, _pair(CORRELATED, levels), n, count, rng)
    means, lows = apart[:, 0], apart[:, 1]
    return {
        "n": n,
        "levels": "{} and {}".format(*(level or "all" for level in levels)),
        "mean at 0": float(means.mean()),
        "largest at 0": float(means.max()),
        "false signals": float((lows > LEAST).mean()),
        "truth": truth,
        "bias": float(together[:, 0].mean() - truth),
        "coverage": float(((together[:, 1] <= truth) & (truth <= together[:, 2])).mean()),
    }


def _pair(rho: float, levels: tuple[int, int]) -> Family:
    """A normal pair, either side rounded to so many steps within three deviations."""
    edges = [rounding_edges(level, 0.0) if level else None for level in levels]
    return Binned(NormalCopula(rho), edges[0], edges[1]) if any(levels) else NormalCopula(rho)


def _answers(
    estimator: Estimator, family: Family, n: int, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Means and 90 % intervals, shape (count, 3), and the truth."""
    tables = [estimator.prepare(*family.sample(rng, n)) for _ in range(count)]
    estimates = estimator.run(tables)
    return np.array([(e.mi, *e.interval()) for e in estimates]), family.mi().nats


if __name__ == "__main__":
    main()
