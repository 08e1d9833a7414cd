"""What `mizzle.adapt` gains on kinds of data that it was not fitted to the same rows of; all in nats.

    python benchmarks/adapt.py [--quick] [--minutes M] [--only NAME ...]

Weights are adapted to one half of the rows of a table. They and the shipped ones are judged on problems of
known information through maps that were fitted to the other half, with another seed, and on draws of the
prior, to see what was forgotten. Prints a table and writes results/adapt-YYYY-MM-DD.json.
"""

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import RESULTS, Row, print_table, read_newest, result_name, write_result
from sklearn.datasets import (  # type: ignore[import-untyped]
    load_breast_cancer,
    load_diabetes,
    load_digits,
)

import mizzle
from mizzle import estimator as estimators
from mizzle.adaptation import fitting, problems, running
from mizzle.adaptation.columns import read
from mizzle.adaptation.report import Score
from mizzle.estimator import EstimatorLike
from mizzle.model.threads import single_thread

SEED, JUDGE_SEED, PRIOR_SEED = 1, 7001, 7002
MAPS, PROBLEMS = 3, 600
Table = tuple[NDArray[np.float64], NDArray[np.float64]]


def cells() -> Table:
    """Means and worst values of the nuclei of 569 breast tumours."""
    data = load_breast_cancer().data
    return data[:, :5], data[:, 20:25]


def diabetes() -> Table:
    """Age, sex, body mass and blood pressure beside six blood serum measurements."""
    data = load_diabetes(scaled=False).data
    return data[:, :4], data[:, 4:]


def digits(count: int) -> Table:
    """Principal components of 1,797 digits, of the upper and of the lower half of the picture."""
    pixels = load_digits().data.reshape(-1, 2, 32)
    halves = (half - half.mean(axis=0) for half in pixels.transpose(1, 0, 2))
    upper, lower = (half @ np.linalg.svd(half, full_matrices=False)[2][: count // 2].T for half in halves)
    return upper, lower


def phases() -> Table:
    """Two angles as cosine and sine, beside three numbers: columns on a circle each."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0.0, 2.0 * np.pi, (1500, 2))
    return np.hstack([np.cos(angles), np.sin(angles)]), rng.standard_normal((1500, 3))


TABLES: dict[str, Callable[[], Table]] = {
    "breast cancer": cells,
    "diabetes": diabetes,
    "digits 8": lambda: digits(8),
    "digits 16": lambda: digits(16),
    "phases": phases,
}


def main() -> None:
    """Adapts to each table, prints and writes what was gained."""
    options = _options()
    kind = result_name("adapt", options.quick)
    tables = {own["table"]: own for own in read_newest(kind, options.out).get("tables", [])}
    payload: dict[str, Any] = {"unit": "nats", "quick": options.quick, "minutes": options.minutes}
    payload |= {"weights": estimators.load().info._asdict(), "problems": PROBLEMS}
    for name in options.only or TABLES:
        tables[name] = row(name, TABLES[name], options.minutes)
        rows = [tables[own] for own in TABLES if own in tables]
        print_table("adapt", rows)
        print(f"\nwritten: {write_result(kind, {**payload, 'tables': rows}, options.out).name}")


def row(name: str, table: Callable[[], Table], minutes: float) -> Row:
    """What was gained on one table."""
    halves = [_halved(side, i) for i, side in enumerate(table())]
    start = time.monotonic()
    adapted = mizzle.adapt(halves[0][0], halves[1][0], minutes=minutes, rng=SEED)
    seconds = time.monotonic() - start
    print(f"{name}\n{adapted}", flush=True)
    judge = _judge([half[1] for half in halves])
    shipped = estimators.load()
    before, after = (_score(own, judge) for own in (shipped, adapted.estimator))
    prior = running.Judge(fitting.of_prior(PRIOR_SEED, 0, PROBLEMS))
    ordinary = [_score(own, prior).error for own in (shipped, adapted.estimator)]
    return {
        "table": name,
        **{f"before_{key}": value for key, value in asdict(before).items() if key != "problems"},
        **{f"after_{key}": value for key, value in asdict(after).items() if key != "problems"},
        "prior_error_before": ordinary[0],
        "prior_error_after": ordinary[1],
        "steps": adapted.report.steps,
        "stopped": adapted.report.stopped,
        "seconds": round(seconds),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _halved(side: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two halves of the rows, of each side by itself: adapting needs no pairs."""
    order = np.random.default_rng(seed).permutation(len(side))
    return side[order[: len(side) // 2]], side[order[len(side) // 2 :]]


def _judge(halves: list[NDArray[np.float64]]) -> running.Judge:
    """Problems through maps of the other half."""
    rng = np.random.default_rng(JUDGE_SEED)
    left, right = (read(half, tuple(map(str, range(half.shape[1]))), "x") for half in halves)
    with single_thread():
        maps = running.fitted_maps((left, right), MAPS, rng, lambda: False)
        groups = problems.groups(maps, JUDGE_SEED, PROBLEMS, max(500, len(halves[0])))
        return running.Judge([problem for group in groups for problem in group()])


def _score(estimator: EstimatorLike, judge: running.Judge) -> Score:
    return judge.score(estimator, lambda _: None)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="half a minute each")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--only", nargs="+", choices=TABLES)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.quick:
        options.minutes = 1.0
    return options


if __name__ == "__main__":
    main()
