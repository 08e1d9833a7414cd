"""Conditional information: coverage and error by kind and rows, beside other packages on the same arrays.

    python benchmarks/questions_conditional.py [--quick]

Five kinds of triples that no training had, and those of the training from another seed. A few minutes.
"""

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from results import Row, print_table
from scipy.special import entr, ndtr, ndtri  # type: ignore[import-untyped]

from mizzle.metadata_gen.colliders import Problem, Sides
from mizzle.metadata_gen.conditional_problems import conditional_problem
from mizzle.metadata_gen.families.elliptical import MultivariateStudent
from mizzle.model import Estimator
from mizzle.model.conditional import answers, triples
from mizzle.types import Estimate, ModelInfo

SEED = 907
COUNT, QUICK = 100, 20  # draws of a kind and number of rows
ROWS = (200, 1000, 5000)
PEER_ROWS, PEER_COUNT = 1000, 20
Rng = np.random.Generator


def student(rng: Rng) -> Problem:
    """Heavy tails that two columns of Z shift by a product and stretch."""
    r, df = rng.uniform(-0.95, 0.95), rng.uniform(2.0, 6.0)
    pair = MultivariateStudent(np.array([[1.0, r], [r, 1.0]]), 1, df)

    def sample(rows: Rng, n: int) -> Sides:
        u, v = pair.sample(rows, n)
        z = rows.standard_normal((n, 2))
        return z[:, :1] * z[:, 1:] + np.exp(0.4 * z[:, :1]) * u, np.abs(z[:, :1]) + v, z

    return Problem("Student's t, shifted and stretched", sample, pair.mi().nats)


def sums_modulo_1(rng: Rng) -> Problem:
    """Y = X + Z + noise on a circle: no two of them share anything, and all three do."""
    width = float(rng.uniform(0.15, 0.9))

    def sample(rows: Rng, n: int) -> Sides:
        x, z = rows.random((2, n, 1))
        return x, (x + z + width * rows.random((n, 1))) % 1.0, z

    return Problem("sums modulo 1", sample, -np.log(width))


def grades(rng: Rng) -> Problem:
    """Y in five ordered levels of a z + b u + noise, where x = z + u."""
    a, b = rng.uniform(-2.0, 2.0, 2)
    cuts = np.array([-np.inf, -1.0, -0.3, 0.4, 1.2, np.inf])

    def sample(rows: Rng, n: int) -> Sides:
        z, u, e = rows.standard_normal((3, n))
        y = np.searchsorted(cuts[1:-1], a * z + b * u + e).astype(float)
        return (z + u)[:, None], y[:, None], z[:, None]

    nodes = ndtri((np.arange(201) + 0.5) / 201)
    p = np.diff(ndtr(cuts - (a * nodes[:, None] + b * nodes)[..., None]), axis=2)  # z, u, level
    nats = float((entr(p.mean(axis=1)).sum(axis=1) - entr(p).sum(axis=2).mean(axis=1)).mean())
    return Problem("grades", sample, nats)


def products(rng: Rng) -> Problem:
    """Z = X Y + noise of independent normal X and Y."""
    c = float(rng.uniform(0.2, 2.0))
    x = ndtri((np.arange(4000) + 0.5) / 4000)
    spread = np.sqrt(x**2 + c**2)
    grid = np.linspace(-40.0, 40.0, 8001)
    density = (np.exp(-0.5 * (grid[:, None] / spread[::8]) ** 2) / spread[::8]).mean(axis=1)
    density /= density.sum() * 0.01
    given_x = 0.5 * np.log(2 * np.pi * np.e) + np.log(spread).mean()
    nats = 2 * given_x - entr(density).sum() * 0.01 - 0.5 * np.log(2 * np.pi * np.e * c * c)

    def sample(rows: Rng, n: int) -> Sides:
        u, v, e = rows.standard_normal((3, n, 1))
        return u, v, u * v + c * e

    return Problem("products", sample, float(nats))


def waves(rng: Rng) -> Problem:
    """A confounder that both follow in fast waves; nothing is left."""
    a, b = rng.uniform(2.0, 6.0, 2)

    def sample(rows: Rng, n: int) -> Sides:
        z = rows.uniform(-1.7, 1.7, (n, 1))
        x, y = (np.sin(k * z) + 0.5 * rows.standard_normal((n, 1)) for k in (a, b))
        return x, y, z

    return Problem("waves of a confounder", sample, 0.0)


APART: tuple[Callable[[Rng], Problem], ...] = (student, sums_modulo_1, grades, products, waves)


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
    for place, draw in enumerate((student, sums_modulo_1, products, waves)):
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
    try:
        import ennemi

        named["ennemi"] = lambda sides: float(
            ennemi.estimate_mi(sides[1][:, 0], sides[0][:, 0], cond=sides[2]).ravel()[0]
        )
    except ImportError:
        pass
    try:
        CMIknn = import_module("tigramite.independence_tests.cmiknn").CMIknn

        def cmi(sides: Sides) -> float:
            array = np.hstack(sides).T
            kinds = np.repeat([0, 1, 2], [side.shape[1] for side in sides])
            test: Any = CMIknn(knn=0.1, transform="ranks")
            return float(test.get_dependence_measure(array, kinds))

        named["tigramite CMIknn"] = cmi
    except ImportError:
        pass
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
