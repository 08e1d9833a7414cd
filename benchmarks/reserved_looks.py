"""Kinds of looks that are reserved: how honest the intervals are for kinds that no training has drawn.

    python benchmarks/reserved_looks.py [--quick]

Draws of our own (`metadata_gen/reserved.py`), so designs may be chosen by them. Minutes. Prints a table and
writes results/reserved-looks-YYYY-MM-DD.json; scores are those of `real_data.py`, errors in nats.
"""

import argparse
from pathlib import Path

import numpy as np
from real_data import misses, small_mae
from results import RESULTS, Row, print_table, result_name, write_result
from scores import Answers, posterior_scores
from suites import answers
from tqdm import tqdm

from mizzle.metadata_gen import reserved
from mizzle.model import Estimator

SEED = 901
COUNT, QUICK = 3000, 200


def main() -> None:
    """Answers all draws, prints a row for all and for every kind, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws instead of {COUNT}")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    count = QUICK if options.quick else COUNT
    sets = [reserved.dataset(SEED, i) for i in tqdm(range(count), unit="set", leave=False)]
    estimator = Estimator.load()
    estimates = estimator.run([estimator.prepare(data.x, data.y) for data in sets])
    ours = answers(np.array([data.truth.nats for data in sets]), estimates)
    in_range = np.array([estimate.in_range for estimate in estimates])
    kinds = np.array([data.family for data in sets])
    chosen = {"all": np.full(count, True), **{kind: kinds == kind for kind in sorted(set(kinds.tolist()))}}
    rows = [{"kind": kind, **_scores(ours.pick(own), in_range[own])} for kind, own in chosen.items()]
    print_table("reserved looks", rows)
    head = {"unit": "nats", "quick": options.quick, "weights": estimator.info._asdict(), "seed": SEED}
    path = write_result(result_name("reserved-looks", options.quick), {**head, "kinds": rows}, options.out)
    print(f"\nwritten: {path.name}")


def _scores(ours: Answers, in_range: np.ndarray) -> Row:
    small = {"mae_small": small_mae(ours, ours.mean)}
    return {"count": len(in_range), **small, **posterior_scores(ours), **misses(ours, in_range)}


if __name__ == "__main__":
    main()
