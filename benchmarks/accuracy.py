"""Accuracy of the estimator on every export in the cache and on independent samples.

    python benchmarks/accuracy.py [--quick] [--no-peers] [--weights FILE]

Prints tables and writes results/accuracy-YYYY-MM-DD.json. Unit: nats.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from exports import CACHE, Case, Export, found, sha256
from numpy.typing import NDArray
from peers import PEERS
from results import RESULTS, print_table, write_result
from scores import LEVELS, Answers, point_scores, posterior_scores
from tqdm import tqdm

from mizzle.errors import InvalidInput
from mizzle.model import Estimator
from mizzle.types import Estimate

Rows = list[dict[str, Any]]
Floats = NDArray[np.float64]

N_BINS = ((10, 100), (100, 300), (300, 501))
# KSG counts neighbours in time n^2 once the columns are many.
PEER_ROWS = 2000
SHAPES = (1, 2, 5, 10, 25)
INDEPENDENT_ROWS = 1000
INDEPENDENT_SEED = 20


def main() -> None:
    """Runs every suite, prints it and writes the result."""
    options = _options()
    estimator = Estimator.load(options.weights)
    peers = {} if options.no_peers else PEERS
    runs = [Run(estimator, export, peers) for export in _suites(options.cache, options.quick)]
    tables = {
        "mist": _mist_tables([r for r in runs if r.export.suite == "mist"]),
        "bmi": _bmi_tables([r for r in runs if r.export.suite == "bmi"]),
        "independent": _independent_table([r for r in runs if r.export.suite == "independent"]),
    }
    files = sorted(options.cache.glob("*.safetensors"))
    payload = {
        "unit": "nats",
        "quick": options.quick,
        "weights": estimator.info._asdict(),
        "exports": {path.name: sha256(path) for path in files},
        "seeds": {r.export.stem: sorted({c.seed for c in r.export.cases}) for r in runs
                  if r.export.suite != "mist"},
        "refused": {r.export.stem: dict(r.refused) for r in runs if r.refused},
        **tables,
    }  # fmt: skip
    # A quick run must not replace the full run of the same day.
    name = "accuracy-quick" if options.quick else "accuracy"
    print(f"\nwritten: {write_result(name, payload, options.out).name}")


class Run:
    """The answers of the estimator and of its peers to one export.

    Attributes:
        answers: the estimator's posterior; guesses: each peer's point estimates, NaN where none.
        refused: how many problems the estimator refused, by error code.
    """

    def __init__(
        self,
        estimator: Estimator,
        export: Export,
        peers: dict[str, Callable[[Any, Any], float]],
    ) -> None:
        self.export = export
        self.refused: Counter[str] = Counter()
        truth = np.array([case.mi for case in export.cases])
        estimates = list(self._estimates(estimator))
        mean = np.array([np.nan if e is None else e.mi for e in estimates])
        self.answers = Answers(truth, mean, np.array([_quantiles(e) for e in estimates]))
        self.guesses = {name: self._guess(name, guess) for name, guess in peers.items()}

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of each problem."""
        return np.array([len(case.x) for case in self.export.cases])

    @property
    def labels(self) -> list[str]:
        """Family or task of each problem."""
        return [case.label for case in self.export.cases]

    def scores(self, keep: NDArray[np.bool_]) -> Rows:
        """One row per method over the problems where `keep` holds."""
        picked = self.answers.pick(keep)
        rows = [{"method": "mizzle", **posterior_scores(picked)}]
        for name, guess in self.guesses.items():
            rows.append({"method": name, **point_scores(picked.truth, guess[keep])})
        return [row for row in rows if row["answered"]]

    def _estimates(self, estimator: Estimator) -> Iterable[Estimate | None]:
        cases = self.export.cases
        chunks = list(_chunks(cases))
        for chunk in tqdm(chunks, desc=f"mizzle on {self.export.stem}", leave=False):
            pairs = [(case.x, case.y) for case in chunk]
            try:
                yield from estimator.estimate_many(pairs)
            except InvalidInput:
                # One refused problem fails its batch; the others still deserve their answers.
                yield from (self._estimate(estimator, pair) for pair in pairs)

    def _estimate(self, estimator: Estimator, pair: tuple[Any, Any]) -> Estimate | None:
        try:
            return estimator.estimate_many([pair])[0]
        except InvalidInput as error:
            self.refused[error.code] += 1
            return None

    def _guess(self, name: str, guess: Callable[[Any, Any], float]) -> Floats:
        progress = tqdm(self.export.cases, desc=f"{name} on {self.export.stem}", leave=False)
        return np.array([guess(c.x, c.y) if len(c.x) <= PEER_ROWS else np.nan for c in progress])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a tenth of MIST, BMI to n = 1000")
    parser.add_argument("--no-peers", action="store_true", help="the estimator alone")
    parser.add_argument("--weights", type=Path, help="default: the weights in the package")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _suites(cache: Path, quick: bool) -> Iterable[Export]:
    for export in found(cache):
        if not quick:
            yield export
        elif export.suite == "mist":
            # 10 is coprime to the 9 data sets of a cell: every family and n keeps some.
            yield export._replace(cases=export.cases[::10])
        elif len(export.cases[0].x) <= 1000:
            yield export._replace(cases=[c for c in export.cases if c.seed == 0])
    yield independent(5 if quick else 50)


def independent(each: int) -> Export:
    """Independent normal samples, `each` of every shape."""
    children = np.random.default_rng(INDEPENDENT_SEED).spawn(len(SHAPES) * each)
    cases = [
        Case(
            rng.standard_normal((INDEPENDENT_ROWS, dim)),
            rng.standard_normal((INDEPENDENT_ROWS, dim)),
            0.0, f"{dim}+{dim}", "independent normal", INDEPENDENT_SEED,
        )
        for dim, rng in zip(np.repeat(SHAPES, each), children, strict=True)
    ]  # fmt: skip
    return Export("independent", "independent", "normal", cases)


def _chunks(cases: list[Case]) -> Iterable[list[Case]]:
    """Neighbours in batches of at most 64 problems and about 64,000 rows."""
    start = 0
    while start < len(cases):
        size = min(64, max(1, 64_000 // len(cases[start].x)))
        yield cases[start : start + size]
        start += size


def _quantiles(estimate: Estimate | None) -> list[float]:
    if estimate is None:
        return [np.nan] * len(LEVELS)
    return [estimate.quantile(level) for level in LEVELS]


def _mist_tables(runs: list[Run]) -> dict[str, Rows]:
    by_n = [
        {"export": run.export.stem, "n": f"{low}-{min(high, 500)}", **row}
        for run in runs
        for low, high in N_BINS
        for row in run.scores((run.rows >= low) & (run.rows < high))
    ]
    print_table("MIST, by number of rows", by_n)
    by_family = [
        {"export": run.export.stem, "family": label, **row}
        for run in runs
        for label in dict.fromkeys(run.labels)
        for row in run.scores(np.array([own == label for own in run.labels]))
    ]
    print_table("MIST, by family", by_family)
    return {"by_n": by_n, "by_family": by_family}


def _bmi_tables(runs: list[Run]) -> dict[str, Rows]:
    runs = sorted(runs, key=lambda run: int(run.rows[0]))
    overall = [
        {"n": int(run.rows[0]), **row}
        for run in runs
        for row in run.scores(np.ones(len(run.rows), dtype=bool))
    ]
    print_table("BMI, all tasks", overall)
    by_task = [row for run in runs for row in _task_rows(run)]
    print_table("BMI, signed mean error by task", by_task)
    return {"overall": overall, "by_task": by_task}


def _task_rows(run: Run) -> Rows:
    """Signed mean error of each method, and coverage, one row per task."""
    rows = []
    for label in dict.fromkeys(run.labels):
        keep = np.array([own == label for own in run.labels])
        row: dict[str, Any] = {"n": int(run.rows[0]), "task": label}
        row["truth"] = float(run.answers.truth[keep][0])
        for score in run.scores(keep):
            row[score["method"]] = score["bias"]
            row.update({"cover90": score["cover90"]} if "cover90" in score else {})
        rows.append(row)
    return rows


def _independent_table(runs: list[Run]) -> Rows:
    """Mean estimates, and how often the 5 % quantile claims a dependence that is not there."""
    rows = []
    for run in runs:
        for label in dict.fromkeys(run.labels):
            keep = np.array([own == label for own in run.labels])
            low = run.answers.at(0.05)[keep]
            row: dict[str, Any] = {"columns": label, "n": INDEPENDENT_ROWS}
            # The truth is 0, so the mean error is the mean estimate.
            row |= {score["method"]: score["bias"] for score in run.scores(keep)}
            row["answered"] = int(np.isfinite(low).sum())
            row["share q05 > 0.02"] = float((low > 0.02).sum() / max(1, row["answered"]))
            rows.append(row)
    print_table("Independent normal samples: mean estimate", rows)
    return rows


if __name__ == "__main__":
    main()
