"""P-values: how often independent samples are called dependent, how often dependent ones are, and the time.

Beside the permutation test of infomeasure (Kraskov's estimator, k = 4), where that is installed.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from results import Rows, print_table
from scipy.signal import lfilter  # type: ignore[import-untyped]

import mizzle

_ROWS, _SURROGATES, _LEVEL = 500, 99, 0.05
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


DRAWS: dict[str, Draw] = {
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
    rows = [
        _rate(name, kind, partial(_pvalue, kind), samples) for name, kinds in plan.items() for kind in kinds
    ]
    if _has_infomeasure():
        fewer_samples = max(20, samples // 10)
        rows += [
            _rate(name, "infomeasure permutation", _infomeasure, fewer_samples) for name in list(plan)[:3]
        ]
    return rows


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


def _has_infomeasure() -> bool:
    from importlib.util import find_spec

    return find_spec("infomeasure") is not None


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


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(quick: bool = False) -> dict[str, Rows]:
    """All tables of this part."""
    return {"significance": rates(40 if quick else 400), "significance_speed": speed()}


if __name__ == "__main__":
    import sys

    for title, rows in measured("--quick" in sys.argv).items():
        print_table(title, rows)
