"""Labels without an order: the answer, the same from the order of the codes alone, and plain counting.

    python benchmarks/labels.py [--quick]

Draws of our own from seeds that no training used: two labels, a label beside numbers
(`metadata_gen/label_problems.py`), and grades, counts and rare classes, whose order means something
(`metadata_gen/prior/pairs.py`). Minutes.
Prints a table and writes results/labels-YYYY-MM-DD.json; errors in nats.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from results import RESULTS, Row, print_table, result_name, write_result
from scores import Answers, coverage, posterior_scores
from suites import answers
from tqdm import tqdm

from mizzle.metadata_gen.family import Family, Rng
from mizzle.metadata_gen.label_problems import label_table, labelled_numbers
from mizzle.metadata_gen.prior import contingency, pairs
from mizzle.model import Estimator
from mizzle.model.preprocess import Table

SEED = 903
COUNT, QUICK = 600, 60  # draws of every kind
ROWS = (30, 10_000)
LEVELS = ((2, 2), (3, 16), (17, 64), (65, 256))  # of the label that has more
KINDS: dict[str, Callable[[Rng], Family]] = {
    "two labels": label_table,
    "a label beside numbers": labelled_numbers,
    "grades": pairs.binned,
    "tables of few levels": contingency.any_table,
    "rare classes and events": lambda rng: pairs.PARTS["rare"](rng, 1, 1),
    "counts of a channel": lambda rng: pairs.PARTS["channel"](rng, 1, 1),
}


def main() -> None:
    """Answers all draws, prints a row for every kind and number of levels, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws of a kind, not {COUNT}")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    estimator = Estimator.load()
    rows = [
        row
        for place, (kind, draw) in enumerate(KINDS.items())
        for row in _rows(estimator, kind, draw, QUICK if options.quick else COUNT, place)
    ]
    print_table("labels", rows)
    head = {"unit": "nats", "quick": options.quick, "weights": estimator.info._asdict(), "seed": SEED}
    path = write_result(result_name("labels", options.quick), {**head, "kinds": rows}, options.out)
    print(f"\nwritten: {path.name}")


def _rows(
    estimator: Estimator, kind: str, draw: Callable[[Rng], Family], count: int, place: int
) -> list[Row]:
    tables, truths = _drawn(estimator, draw, count, np.random.default_rng([SEED, place]))
    levels = np.array([_levels(table) for table in tables])
    ours = answers(truths, estimator.run(tables))
    by_order = answers(truths, estimator.run([replace(table, labels=None) for table in tables]))
    groups = {f"{low} to {high}": (low <= levels) & (levels <= high) for low, high in LEVELS}
    chosen = {"all": np.full(count, True), **{name: own for name, own in groups.items() if own.sum() >= 30}}
    return [
        {"kind": kind, "levels": name, **_scores(ours.pick(own), by_order.pick(own))}
        for name, own in chosen.items()
    ]


def _drawn(
    estimator: Estimator, draw: Callable[[Rng], Family], count: int, rng: Rng
) -> tuple[list[Table], np.ndarray]:
    """Problems that have an answer as labels, and their truths."""
    tables: list[Table] = []
    truths: list[float] = []
    with tqdm(total=count, unit="draw", leave=False) as progress:
        while len(tables) < count:
            family, n = draw(rng), int(np.exp(rng.uniform(math.log(ROWS[0]), math.log(ROWS[1]))))
            table = estimator.prepare(*family.sample(rng, n))
            if table.labels is not None and not table.constant and table.labels.quantiles() is not None:
                tables.append(table)
                truths.append(family.mi().nats)
                progress.update()
    return tables, np.array(truths)


def _levels(table: Table) -> int:
    assert table.labels is not None
    sides = [side for side in (table.labels.x, table.labels.y) if side is not None]
    return max(int(side.max()) + 1 for side in sides)


def _scores(ours: Answers, by_order: Answers) -> Row:
    order: Row = {"order_mae": float(np.abs(by_order.mean - by_order.truth).mean())}
    order["order_coverage"] = coverage(by_order, 0.05, 0.95)
    return {"count": len(ours.mean), **posterior_scores(ours), **order}


if __name__ == "__main__":
    main()
