"""The network's own quantiles beside intervals by resampling, as MIST's paper compares them; all in nats.

    python benchmarks/intervals.py [--quick]

90 % intervals of one problem, three ways by the same estimator: the quantiles that it answers; the bootstrap,
quantiles of its estimates of rows drawn with replacement (Efron 1979); and half-samples, the spread of its
estimates of half of the rows put about the estimate of all, which has about the right variance and draws no
row twice (Politis and Romano 1994). Normal pairs, rotated inside their sides, and fresh draws of the training
distribution, by numbers of rows. A quarter of an hour. Prints a table and writes
results/intervals-YYYY-MM-DD.json.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from results import RESULTS, Row, print_table, result_name, write_result
from scores import Floats
from tqdm import tqdm

from mizzle.metadata_gen import prior
from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.model import Estimator
from mizzle.types import Estimate

SEED = 2_000_177
COUNT, QUICK = 100, 4  # problems of a kind and number of rows
ROWS = (50, 100, 200, 500, 1000, 2000)
COPIES = 100  # resamples a problem
LEVELS = (0.05, 0.95)
KINDS = ("normal pairs", "draws of the training distribution")
WAYS = ("quantiles", "bootstrap", "half-samples")


class Problem(NamedTuple):
    """Two sides of n rows, and I between them."""

    x: Floats
    y: Floats
    nats: float


def main() -> None:
    """Answers all problems three ways, prints a table and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} problems of a kind, not {COUNT}")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    estimator, count = Estimator.load(threads=1), QUICK if options.quick else COUNT
    cells = [(kind, n) for kind in KINDS for n in ROWS]
    rows = [row for cell in tqdm(cells, leave=False) for row in _rows(estimator, *cell, count)]
    print_table("90 % intervals", rows)
    head = {"unit": "nats", "quick": options.quick, "weights": estimator.info._asdict(), "seed": SEED}
    payload = {**head, "count": count, "copies": COPIES, "intervals": rows}
    print(f"\nwritten: {write_result(result_name('intervals', options.quick), payload, options.out).name}")


def problem(kind: str, n: int, i: int) -> Problem:
    """The i-th problem of a kind and number of rows."""
    place = (KINDS.index(kind), n, i)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=place))
    if kind == "normal pairs":
        return _normal_pairs(rng, n)
    family = prior.draw(rng)
    return Problem(*family.sample(rng, n), family.mi().nats)


def _normal_pairs(rng: np.random.Generator, n: int) -> Problem:
    """One to five pairs of one correlation, .1 to .9, each side rotated; I = -k/2 log(1 - rho^2)."""
    k, rho = int(rng.integers(1, 6)), rng.uniform(0.1, 0.9)
    x, noise = rng.standard_normal((2, n, k))
    y = rho * x + np.sqrt(1 - rho**2) * noise
    return Problem(
        x @ random_rotation(rng, k), y @ random_rotation(rng, k), -0.5 * k * float(np.log1p(-(rho**2)))
    )


def _rows(estimator: Estimator, kind: str, n: int, count: int) -> Iterator[Row]:
    """A row for each way: how often the interval holds the truth, its mean width, and seconds a problem."""
    intervals: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    seconds = dict.fromkeys(WAYS, 0.0)
    problems = [problem(kind, n, i) for i in range(count)]
    for p in problems:
        start = time.process_time()
        [answer] = _estimates(estimator, p, [np.arange(n)])
        single = time.process_time() - start
        rng = np.random.default_rng([SEED, n, len(intervals["quantiles"])])
        intervals["quantiles"].append(answer.interval())
        seconds["quantiles"] += single
        for way, picks in _resamples(rng, n).items():
            start = time.process_time()
            values = np.array([e.mi for e in _estimates(estimator, p, picks)])
            centre = answer.mi - values.mean() if way == "half-samples" else 0.0
            low, high = np.maximum(np.quantile(values, LEVELS) + centre, 0.0).tolist()
            intervals[way].append((low, high))
            seconds[way] += single + time.process_time() - start
    truths = np.array([p.nats for p in problems])
    for way in WAYS:
        low, high = np.array(intervals[way]).T
        held = (low <= truths) & (truths <= high)
        yield {
            "kind": kind,
            "n": n,
            "way": way,
            "coverage": float(held.mean()),
            "width": float((high - low).mean()),
            "seconds": seconds[way] / count,
        }


def _resamples(rng: np.random.Generator, n: int) -> dict[str, list[np.ndarray]]:
    """Places of the rows of every copy."""
    return {
        "bootstrap": [rng.integers(n, size=n) for _ in range(COPIES)],
        "half-samples": [rng.permutation(n)[: n // 2] for _ in range(COPIES)],
    }


def _estimates(estimator: Estimator, p: Problem, picks: list[np.ndarray]) -> list[Estimate]:
    return estimator.run([estimator.prepare(p.x[rows], p.y[rows]) for rows in picks])


if __name__ == "__main__":
    main()
