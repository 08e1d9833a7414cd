"""P-values: how often independent samples are called dependent, how often dependent ones are, and the time.

Beside the permutation test of infomeasure (Kraskov's estimator, k = 4) on the same arrays, where that is
installed (`pip install infomeasure`).
"""

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from statistics import median
from typing import Any

import numpy as np
from results import Rows, is_installed, print_table
from scipy.signal import lfilter  # type: ignore[import-untyped]

import mizzle

_ROWS, _SURROGATES, _LEVEL = 500, 99, 0.05
_CONFOUNDED_ROWS = 300
_PHI = 0.95  # of the series
_BURN = 300  # rows before the series counts
_WEAK = 0.15  # correlation of weak dependence, I = 0.0114 nats
Draw = Callable[[np.random.Generator], tuple[Any, Any]]
Test = Callable[[Any, Any, int], float]


def independent(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two normals."""
    return rng.normal(size=_ROWS), rng.normal(size=_ROWS)


def weak(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two normals of a small correlation."""
    x, noise = independent(rng)
    return x, _WEAK * x + (1 - _WEAK**2) ** 0.5 * noise


def series(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two independent autoregressive series."""
    noise = rng.normal(size=(2, _ROWS + _BURN))
    x, y = lfilter([1.0], [1.0, -_PHI], noise)[:, _BURN:]
    return x, y


def coupled(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two autoregressive series, correlated by 1/sqrt 2."""
    x, y = series(rng)
    return x, x + y


def confounded(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two sides that share z and nothing else; the first has z beside it, to be given."""
    z, u, v = rng.normal(size=(3, _CONFOUNDED_ROWS))
    return np.column_stack([z + u, z]), z + v


def shared(rng: np.random.Generator) -> tuple[Any, Any]:
    """The same, and a correlation of .3 of what z does not explain."""
    left, y = confounded(rng)
    return left, y + 0.3 * (left[:, 0] - left[:, 1])


CONFOUNDED: dict[str, Draw] = {"confounded, z given": confounded, "confounded and .3, z given": shared}
DRAWS: dict[str, Draw] = {
    **CONFOUNDED,
    "independent normals": independent,
    "normals, correlation .15": weak,
    "independent AR(.95)": series,
    "coupled AR(.95)": coupled,
}


def rates(samples: int) -> Rows:
    """The share of samples with p <= .05, by kind of sample and of test, with its standard error."""
    plan = {
        "independent normals": ("shuffle", "shift", "block"),
        "normals, correlation .15": ("shuffle", "shift", "block"),
        "independent AR(.95)": ("shuffle", "shift", "block"),
        "coupled AR(.95)": ("shift", "block"),
    }
    return [
        _rate(name, kind, partial(_pvalue, kind), samples) for name, kinds in plan.items() for kind in kinds
    ]


def beside(samples: int) -> Rows:
    """The same of shuffles and of infomeasure's permutation test, both on the same arrays."""
    tests: dict[str, Test] = {"mizzle, shuffle": partial(_pvalue, "shuffle")}
    if is_installed("infomeasure"):
        tests["infomeasure, permutation"] = _infomeasure
    names = [name for name in DRAWS if name not in CONFOUNDED][:3]
    return [_rate(name, test, ask, samples) for name in names for test, ask in tests.items()]


def given(samples: int) -> Rows:
    """The same of tests given z, 300 rows, beside tigramite's on the same arrays."""
    tests: dict[str, Test] = {"mizzle, local": _local}
    if is_installed("tigramite"):
        tests["tigramite CMIknn"] = _cmi
    return [_rate(name, test, ask, samples) for name in CONFOUNDED for test, ask in tests.items()]


def _rate(name: str, test: str, ask: Test, samples: int) -> dict[str, Any]:
    start = time.perf_counter()
    pvalues = [ask(*DRAWS[name](np.random.default_rng([20, i])), i) for i in range(samples)]
    share = float(np.mean(np.array(pvalues) <= _LEVEL))
    error = (max(share * (1 - share), 1 / samples) / samples) ** 0.5
    seconds = (time.perf_counter() - start) / samples
    return {"samples": name, "test": test, "count": samples, "rejected": share, "stderr": error, "s": seconds}


def _pvalue(kind: Any, x: Any, y: Any, seed: int) -> float:
    return mizzle.test(x, y, kind=kind, n=_SURROGATES, rng=seed, progress=False).pvalue


def _infomeasure(x: Any, y: Any, seed: int) -> float:
    import infomeasure  # type: ignore[import-not-found,import-untyped,unused-ignore]

    np.random.seed(seed)  # noqa: NPY002 - the only source that it has
    estimator = infomeasure.estimator(x, y, measure="mutual_information", approach="metric", k=4)
    test = estimator.statistical_test(n_tests=_SURROGATES, method="permutation_test")
    return float(test.p_value)


def _local(x: Any, y: Any, seed: int) -> float:
    options: Any = {"n": _SURROGATES, "rng": seed, "progress": False}
    return mizzle.test(x[:, 0], y, given=x[:, 1], **options).pvalue


def _cmi(x: Any, y: Any, seed: int) -> float:
    """tigramite's test by local permutations, with its defaults but for the number of them."""
    cmi_knn = import_module("tigramite.independence_tests.cmiknn").CMIknn
    test = cmi_knn(significance="shuffle_test", sig_samples=_SURROGATES, seed=seed)
    array = np.column_stack([x[:, 0], y, x[:, 1]]).T
    value = test.get_dependence_measure(array, np.arange(3))
    return float(test.get_shuffle_significance(array, np.arange(3), value))


def speed(repeats: int = 7) -> Rows:
    """The time of 199 permutations at 1,000 rows, and how many estimates that is; the two in turn."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    y = 0.1 * x + rng.normal(size=1000)
    mizzle.test(x, y, n=19)
    alone, tests = [], []
    for _ in range(repeats):
        alone += [_seconds(lambda: mizzle.estimate(x, y)) for _ in range(20)]
        tests.append(_seconds(lambda: mizzle.test(x, y)))
    one, many = median(alone), median(tests)
    return [{"rows": 1000, "n": 199, "estimate_ms": 1e3 * one, "test_ms": 1e3 * many, "ratio": many / one}]


def conditional_speed(repeats: int = 40) -> Rows:
    """The time of an estimate where one column is given, in estimates of the same pair; the two in turn."""
    rows: Rows = []
    for n in (1000, 5000):
        x, y, z = np.random.default_rng(0).normal(size=(3, n))
        alone, given = partial(mizzle.estimate, x, y), partial(mizzle.estimate, x, y, given=z)
        times = [[_seconds(action) for action in (alone, given)] for _ in range(repeats)]
        one, both = (median(column) for column in zip(*times, strict=True))
        rows.append({"rows": n, "estimate_ms": 1e3 * one, "given_ms": 1e3 * both, "ratio": both / one})
    return rows


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(quick: bool = False) -> dict[str, Rows]:
    """All tables of this part."""
    samples = 40 if quick else 400
    return {
        "significance": rates(samples),
        "significance_peers": beside(samples // 4),
        "significance_given": given(samples // 4),
    }


if __name__ == "__main__":
    import sys

    for title, rows in measured("--quick" in sys.argv).items():
        print_table(title, rows)
