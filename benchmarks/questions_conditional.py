"""Conditional information: coverage and error by kind and rows, beside other packages on the same arrays.

    python benchmarks/questions_conditional.py [--quick]

Eight kinds of triples that no training had (`conditional_apart.py`), and those of the training from another
seed. A few minutes.
"""

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from conditional_apart import APART, censored, extremes, proxies, shares
from results import Row, is_installed, print_table

from mizzle.metadata_gen.colliders import Problem, Sides
from mizzle.metadata_gen.conditional_problems import conditional_problem
from mizzle.model import Estimator
from mizzle.model.conditional import answers, triples
from mizzle.types import Estimate, ModelInfo

SEED = 907
COUNT, QUICK = 100, 20  # draws of a kind and number of rows
ROWS = (200, 1000, 5000)
PEER_ROWS, PEER_COUNT = 1000, 20


def ours(estimator: Estimator, sides: Sides) -> Estimate:
    """I(X;Y|Z) as `mizzle.estimate` gives it."""
    triple = triples.prepare(*sides)
    tables = [estimator.prepare(*pair) for pair in triple.problems]
    return answers.answer(triple, estimator.run(tables), ModelInfo("m", "1", "0"))


def rows(estimator: Estimator, count: int) -> list[Row]:
    """A row for each kind and number of rows; `training` are kinds of the training, from another seed."""
    result: list[Row] = []
    for place, draw in enumerate((*APART, conditional_problem)):
        for n in ROWS:
            rng = np.random.default_rng([SEED, place, n])
            problems = [draw(rng) for _ in range(count)]
            estimates = [ours(estimator, problem.sample(rng, n)) for problem in problems]
            name = "training" if draw is conditional_problem else problems[0].name
            result.append({"kind": name, "n": n, **scores(problems, estimates)})
    return result


def scores(problems: list[Problem], estimates: list[Estimate]) -> Row:
    """Coverage of the 90 % interval, mean absolute error of the mean, mean width, and the mean at truth 0."""
    truths = np.array([problem.nats for problem in problems])
    means = np.array([estimate.mi for estimate in estimates])
    low, high = np.array([estimate.interval() for estimate in estimates]).T
    zero = truths == 0.0
    return {
        "truth": float(truths.mean()),
        "coverage": float(((low - 1e-9 <= truths) & (truths <= high + 1e-9)).mean()),
        "error": float(np.abs(means - truths).mean()),
        "width": float((high - low).mean()),
        "at 0": float(means[zero].mean()) if zero.any() else None,
    }


def peer_rows(estimator: Estimator) -> list[Row]:
    """Errors and seconds on the same arrays of the kinds that are continuous."""
    result: list[Row] = []
    for place, draw in enumerate((censored, proxies, shares, extremes)):
        rng = np.random.default_rng([SEED, 100 + place])
        problems = [draw(rng) for _ in range(PEER_COUNT)]
        samples = [problem.sample(rng, PEER_ROWS) for problem in problems]
        for name, estimate in peers(estimator).items():
            start = time.perf_counter()
            values = [estimate(sides) for sides in samples]
            seconds = (time.perf_counter() - start) / PEER_COUNT
            errors = [abs(value - p.nats) for value, p in zip(values, problems, strict=True)]
            row = {"kind": problems[0].name, "n": PEER_ROWS, "estimator": name}
            result.append({**row, "error": float(np.mean(errors)), "ms": 1000.0 * seconds})
    return result


def peers(estimator: Estimator) -> dict[str, Callable[[Sides], float]]:
    """Ours, and those that are installed."""
    named: dict[str, Callable[[Sides], float]] = {
        "mizzle": lambda sides: ours(estimator, sides).mi,
        "partial correlation": _partial,
    }
    if is_installed("ennemi"):
        ennemi = import_module("ennemi")
        named["ennemi"] = lambda sides: float(
            ennemi.estimate_mi(sides[1][:, 0], sides[0][:, 0], cond=sides[2]).ravel()[0]
        )
    if is_installed("infomeasure"):
        infomeasure = import_module("infomeasure")
        named["infomeasure"] = lambda sides: float(
            infomeasure.conditional_mutual_information(sides[0], sides[1], cond=sides[2], approach="ksg")
        )
    if is_installed("tigramite"):
        CMIknn = import_module("tigramite.independence_tests.cmiknn").CMIknn

        def cmi(sides: Sides) -> float:
            array = np.hstack(sides).T
            kinds = np.repeat([0, 1, 2], [side.shape[1] for side in sides])
            test: Any = CMIknn(knn=0.1, transform="ranks")
            return float(test.get_dependence_measure(array, kinds))

        named["tigramite CMIknn"] = cmi
    return named


def _partial(sides: Sides) -> float:
    x, y, z = sides
    terms = np.hstack([np.ones((len(z), 1)), z])
    x, y = (side - terms @ np.linalg.lstsq(terms, side, rcond=None)[0] for side in (x, y))
    return float(-0.5 * np.log1p(-(np.corrcoef(x[:, 0], y[:, 0])[0, 1] ** 2)))


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws of a kind, not {COUNT}")
    options = parser.parse_args()
    estimator = Estimator.load()
    print_table("conditional", rows(estimator, QUICK if options.quick else COUNT))
    print_table("beside others", peer_rows(estimator))


if __name__ == "__main__":
    main()
