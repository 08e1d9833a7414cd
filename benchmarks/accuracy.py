"""Accuracy and calibration of the estimator, its peers beside it on the same arrays.

    python benchmarks/accuracy.py [--quick] [--no-peers] [--weights FILE]

Runs over every export in the cache and over our own generated problems. Prints tables and writes
results/accuracy-YYYY-MM-DD.json. Unit: nats. What networks that are trained per sample reach, which takes
hours, is taken over from the newest result where the exports are still the same to the byte.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import held_out
from exports import CACHE, Export, neural, read_all, sha256
from peers import PEERS
from results import RESULTS, Row, Rows, print_table, read_newest, result_name, write_result
from score_tables import independent_rows, normal_rows, reliability_rows, score_rows
from scores import LEVELS, RELIABILITY_LEVELS
from suites import PEER_ROWS, Run, Runner, Suite

from mizzle.model import Estimator

GRIDS = ("independent", "normals", "normals-mixed")
MIST_STEP = 10  # coprime to the 9 data sets of a cell: a reduced run keeps every family and n
QUICK_BMI_ROWS = 1000
NEURAL = ("mine", "infonce")  # trained on every sample anew


def main() -> None:
    """Runs every suite, prints it and writes the result."""
    options = _options()
    estimator = Estimator.load(options.weights)
    start = time.monotonic()
    runs = Runner(estimator, () if options.no_peers else tuple(PEERS)).run(
        _suites(options.cache, options.quick)
    )
    tables = _tables(runs)
    provenance = _provenance(estimator, runs, options.cache)
    before = {} if options.quick else read_newest("accuracy", options.out)
    taken_over = neural_rows(before, provenance["exports"], tables["scores"])
    tables["scores"] += taken_over
    _show(tables)
    payload = {
        "unit": "nats",
        "quick": options.quick,
        "seconds": round(time.monotonic() - start),
        **provenance,
        "taken_over": {"file": before["file"], "commit": before["commit"]} if taken_over else {},
        **tables,
    }
    name = result_name("accuracy", options.quick)
    print(f"\nwritten: {write_result(name, payload, options.out).name}")


def neural_rows(before: Row, exports: Mapping[str, str], scores: Rows) -> Rows:
    """Scores of `NEURAL` in an earlier result, of suites whose exports have not changed and that lack them.

    Args:
        before: an earlier result, or nothing.
        exports: SHA-256 of every export by its file name.
        scores: what was measured now.
    """
    there = {(row["suite"], row["method"]) for row in scores}
    return [
        row
        for row in before.get("scores", ())
        if row["method"] in NEURAL
        and (row["suite"], row["method"]) not in there
        and (files := {name: sha for name, sha in exports.items() if name.startswith(row["suite"])})
        and files == {name: sha for name, sha in before["exports"].items() if name.startswith(row["suite"])}
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="minutes: a fixed part of every suite")
    parser.add_argument("--no-peers", action="store_true", help="the estimator alone")
    parser.add_argument("--weights", type=Path, help="default: the weights in the package")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _suites(cache: Path, quick: bool) -> Iterator[Suite]:
    """The exports, then what we draw ourselves; one at a time, for they are large."""
    for export in read_all(cache):
        suite = Suite(export, neural(export.stem, cache))
        yield suite.pick(_reduced(export)) if quick else suite
    yield from (Suite(export, {}, every) for export, every in _drawn(quick))


def _reduced(export: Export) -> Sequence[int]:
    """A tenth of MIST; of BMI the first seed, up to QUICK_BMI_ROWS rows."""
    cases = export.cases
    if export.suite == "mist":
        return range(0, len(cases), MIST_STEP)
    first = min(case.seed for case in cases)
    return [i for i, case in enumerate(cases) if case.seed == first and len(case.x) <= QUICK_BMI_ROWS]


def _drawn(quick: bool) -> Iterator[tuple[Export, int]]:
    """Our own problems, and how many of them the peers see: one of so many."""
    yield held_out.prior_draws(500 if quick else 4000), 8
    yield held_out.held_out(12 if quick else 100), 4
    yield held_out.held_out_at_fixed_rows(6 if quick else 60), 1 if quick else 3
    yield held_out.independent(5 if quick else 50), 5
    for mixed in (False, True):
        yield held_out.normals(2 if quick else 30, mixed), 10


def _tables(runs: list[Run]) -> dict[str, Rows]:
    suites = [run for run in runs if run.suite not in GRIDS]
    return {
        "scores": score_rows(suites),
        "reliability": reliability_rows(suites),
        "independent": [row for run in runs if run.suite == "independent" for row in independent_rows(run)],
        "normals": [row for run in runs if run.suite.startswith("normals") for row in normal_rows(run)],
    }


def _provenance(estimator: Estimator, runs: list[Run], cache: Path) -> dict[str, Any]:
    header = estimator.header
    return {
        "weights": estimator.info._asdict(),
        "trained": {"rows": list(header.rows), "columns": list(header.columns), **header.training},
        "exports": {path.name: sha256(path) for path in sorted(cache.glob("*.safetensors"))},
        "seeds": {
            "bmi": sorted({seed for run in runs if run.suite == "bmi" for seed in run.seeds.tolist()}),
            "prior": held_out.PRIOR_SEED,
            "held-out": held_out.HELD_OUT_SEED,
            "independent": held_out.INDEPENDENT_SEED,
            "normals": held_out.NORMALS_SEED,
        },
        "peer_rows": PEER_ROWS,
        "problems": {run.suite: len(run.rows) for run in runs},
        "refused": {run.suite: dict(run.refused) for run in runs if run.refused},
        "warned": {run.suite: dict(run.warned) for run in runs},
        "levels": list(LEVELS),
        "reliability_levels": list(RELIABILITY_LEVELS),
    }


def _show(tables: dict[str, Rows]) -> None:
    scores = tables["scores"]
    for suite in dict.fromkeys(row["suite"] for row in scores):
        own = [row for row in scores if row["suite"] == suite]
        for by in ("all", "n", "columns", "family", "truth"):
            print_table(f"{suite}, by {by}: MAE", _side_by_side([row for row in own if row["by"] == by]))
    print_table("independent normal samples: mean estimates", tables["independent"])
    print_table("plain normals: k pairs of correlation rho", tables["normals"])


def _side_by_side(rows: Rows) -> Rows:
    """One line per group: our coverage and bias, and everybody's mean absolute error."""
    lines: dict[str, Row] = {}
    for row in rows:
        line = lines.setdefault(row["group"], {"group": row["group"]})
        if row["method"] == "mizzle":
            line |= {key: row[key] for key in ("answered", "truth", "bias", "cover50", "cover90", "cover95")}
        line[row["method"]] = row["mae"]
    return list(lines.values())


if __name__ == "__main__":
    main()
