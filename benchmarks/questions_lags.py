"""Figures of `mizzle.difference` and `mizzle.lagged`: coverage, lags, time, and ennemi beside them.

python benchmarks/questions_lags.py [--draws 600] [--seed 1]
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import Row, Rows, is_installed

import mizzle
from mizzle.questions.difference import Difference

Doubles = NDArray[np.float64]
Sides = tuple[NDArray[Any], NDArray[Any]]
Draw = tuple[Sides, Sides, float]  # two pairs, I1 - I2 in nats
_LEVEL = 0.9
LAGS = range(-20, 21)


def rows(draws: int = 600, seed: int = 1) -> Rows:
    """All figures of this part."""
    return [*coverage(draws, seed), *couplings(draws // 6, seed), *rejections(draws // 3, seed), speed()]


def couplings(draws: int, seed: int, n: int = 500) -> Rows:
    """How often the largest of 41 estimates is that of the true lag, beside ennemi on the same arrays."""
    answers: dict[str, list[tuple[bool, bool | None]]] = {}
    for i in range(draws):
        rng = np.random.default_rng((seed, i, 2))
        kind = list(COUPLINGS)[i % len(COUPLINGS)]
        lag = int(rng.integers(-20, 21))
        x, y = _coupled(rng, n, lag, COUPLINGS[kind])
        mine = mizzle.lagged(x, y, lags=LAGS).best.lag
        peer = _ennemi(x, y) == lag if is_installed("ennemi") else None
        answers.setdefault(kind, []).append((mine == lag, peer))
    return [
        {
            "question": "lagged",
            "kind": kind,
            "draws": len(hits),
            "rows": n,
            "lag_recovered": float(np.mean([mine for mine, _ in hits])),
            "ennemi": float(np.mean([peer for _, peer in hits])) if is_installed("ennemi") else None,
        }
        for kind, hits in answers.items()
    ]


def _ennemi(x: Doubles, y: Doubles) -> int:
    """The lag of its largest estimate."""
    return LAGS[int(np.ravel(import_module("ennemi").estimate_mi(y, x, lag=np.array(LAGS))).argmax())]


def _coupled(
    rng: np.random.Generator, n: int, lag: int, response: Callable[[Doubles], Doubles]
) -> tuple[Doubles, Doubles]:
    """x is AR(.5), and y(t) a response to x(t - lag) with AR(.5) noise of three times its deviation."""
    x, noise = (_autoregressive(rng, n + 40, 0.5) for _ in range(2))
    answer = response(x)
    y = answer / answer.std() + 3 * noise
    return x[20 : 20 + n], y[20 - lag : 20 - lag + n]


def _autoregressive(rng: np.random.Generator, n: int, coefficient: float) -> Doubles:
    """A stationary series of variance 1, shape (n,)."""
    noise = rng.normal(size=n) * math.sqrt(1 - coefficient**2)
    values = np.empty(n)
    values[0] = rng.normal()
    for t in range(1, n):
        values[t] = coefficient * values[t - 1] + noise[t]
    return values


def rejections(draws: int, seed: int, n: int = 500, coefficient: float = 0.95) -> Rows:
    """How often independent slow series pass the shift test at 5 %, at lags -5 to 5."""
    pvalues = []
    for i in range(draws):
        rng = np.random.default_rng((seed, i, 3))
        x, y = (_autoregressive(rng, n, coefficient) for _ in range(2))
        records = mizzle.lagged(x, y, lags=range(-5, 6), pvalues=99, rng=rng).records
        pvalues.append([record.pvalue for record in records])
    rejected = np.array(pvalues, float) <= 0.05
    return [
        {
            "question": "lagged",
            "kind": f"independent AR({coefficient:g})",
            "draws": draws,
            "rows": n,
            "rejected_at_lag_0": float(rejected[:, 5].mean()),
            "rejected_mean_of_lags": float(rejected.mean()),
            "stderr": math.sqrt(0.05 * 0.95 / draws),
        }
    ]


def speed(n: int = 1000) -> Row:
    """Time of 41 lags in units of one estimate of as many rows, measured in turn; the smallest of several.

    By the clock, and by the processors' time of all threads, which other work on the machine does not change.
    """
    rng = np.random.default_rng(0)
    x, y = _coupled(rng, n + 40, 3, lambda v: v)
    actions: dict[str, Callable[[], object]] = {
        "estimate": lambda: mizzle.estimate(x[:n], y[:n]),
        "lagged": lambda: mizzle.lagged(x, y, lags=LAGS),
        "difference": lambda: mizzle.difference((x, y), (x[::-1], y)),
    }
    if is_installed("ennemi"):
        actions["ennemi"] = lambda: _ennemi(x, y)
    times = dict.fromkeys(actions, (math.inf, math.inf))
    for _ in range(15):
        for name, action in actions.items():
            start = time.perf_counter(), time.process_time()
            action()
            spent = time.perf_counter() - start[0], time.process_time() - start[1]
            times[name] = min(times[name][0], spent[0]), min(times[name][1], spent[1])
    clock, processor = times.pop("estimate")
    return {
        "question": "speed",
        "kind": "41 lags",
        "rows": n,
        "seconds": clock,
        **{f"{name}_per_estimate": spent[0] / clock for name, spent in times.items()},
        **{f"{name}_per_estimate_processor": spent[1] / processor for name, spent in times.items()},
    }


def coverage(draws: int, seed: int) -> Rows:
    """How often the 90 % interval of `difference` holds the truth, by kind of draw, and for all."""
    hits: dict[str, list[tuple[bool, float, float]]] = {}
    for i in range(draws):
        rng = np.random.default_rng((seed, i))
        kind = list(KINDS)[i % len(KINDS)]
        first, second, truth = KINDS[kind](rng, int(np.exp(rng.uniform(np.log(100), np.log(3000)))))
        answer = mizzle.difference(first, second, rng=rng)
        hits.setdefault(kind, []).append(_scored(answer, truth))
    records = [_summary(kind, scores) for kind, scores in hits.items()]
    return [*records, _summary("all", [score for scores in hits.values() for score in scores])]


def _scored(answer: Difference, truth: float) -> tuple[bool, float, float]:
    """Whether the interval holds the truth; whether the sign is right, NaN where there is none; the error."""
    low, high = answer.interval(_LEVEL)
    sign = float((answer.probability > 0.5) == (truth > 0)) if truth else math.nan
    return low <= truth <= high, sign, answer.mi - truth


def _summary(kind: str, scores: list[tuple[bool, float, float]]) -> Row:
    inside, sign, error = (np.array(column, float) for column in zip(*scores, strict=True))
    return {
        "question": "difference",
        "kind": kind,
        "draws": len(scores),
        "coverage": float(inside.mean()),
        "stderr": float(math.sqrt(_LEVEL * (1 - _LEVEL) / len(scores))),
        "right_sign": float(np.nanmean(sign)),
        "mean_error": float(error.mean()),
        "rms_error": float(np.sqrt((error**2).mean())),
    }


def _gaussian(covariance: Doubles, left: list[int], right: list[int]) -> float:
    """I in nats between columns of a normal law."""
    both = left + right
    dets = [np.linalg.slogdet(covariance[np.ix_(part, part)])[1] for part in (left, right, both)]
    return float(0.5 * (dets[0] + dets[1] - dets[2]))


def _normals(rng: np.random.Generator, n: int) -> Draw:
    """A shared y and correlated features of one or two columns, seen through monotone maps."""
    d = int(rng.integers(1, 3))
    factors = rng.normal(size=(2 * d + 1, 3))
    covariance = factors @ factors.T + np.diag(rng.uniform(0.3, 3.0, 2 * d + 1))
    columns = rng.multivariate_normal(np.zeros(len(covariance)), covariance, n)
    columns = np.sinh(columns / columns.std(0))  # changes no information
    first, second, y = list(range(d)), list(range(d, 2 * d)), [2 * d]
    truth = _gaussian(covariance, first, y) - _gaussian(covariance, second, y)
    return (columns[:, first], columns[:, y]), (columns[:, second], columns[:, y]), truth


def _disjoint(rng: np.random.Generator, n: int) -> Draw:
    """Two pairs of normals that share no column, with or without a common cause."""
    common = rng.uniform(0, 0.9) if rng.random() < 0.5 else 0.0
    r = rng.uniform(0, 0.9, 2)
    noise = rng.normal(size=(2, n, 2))
    mixed = common * rng.normal(size=(n, 2)) + math.sqrt(1 - common**2) * noise
    pairs = [
        (a[:, 0], rho * a[:, 0] + math.sqrt(1 - rho**2) * a[:, 1]) for a, rho in zip(mixed, r, strict=True)
    ]
    information = -0.5 * np.log1p(-(r**2))
    return pairs[0], pairs[1], float(information[0] - information[1])


def _uniform_sum(a: float, b: float, c: float) -> float:
    """I(X1; a X1 + b X2 + c X3) of independent uniforms: h(sum) - h(b X2 + c X3), on a grid."""
    return _entropy(a, b, c) - _entropy(b, c)


@cache
def _entropy(*widths: float) -> float:
    """Of a sum of independent uniforms of these widths, in nats."""
    step = min(widths) / 400
    density = np.ones(1)
    for width in widths:
        cells = max(round(width / step), 1)
        density = np.convolve(density, np.full(cells, 1.0 / cells))
    positive = density[density > 0]
    return float(-(positive * np.log(positive)).sum() + math.log(step))


def _edges(rng: np.random.Generator, n: int) -> Draw:
    """y is a sum of two features and noise, all uniform: a law with sharp edges, hard for the estimator."""
    a, b, c = (float(v) for v in rng.uniform(0.2, 1.0, 3).round(2))
    x = rng.random((n, 3))
    y = x @ np.array([a, b, c])
    truth = _uniform_sum(a, b, c) - _uniform_sum(b, a, c)
    return (x[:, 0] ** 3, y), (np.exp(x[:, 1]), y), truth


_CURVES: tuple[Callable[[Doubles], Doubles], ...] = (
    lambda u: u,
    lambda u: np.sin(2 * np.pi * u),
    lambda u: (2 * u - 1) ** 2,
    lambda u: np.floor(3 * u) / 2,
)


def _additive(rng: np.random.Generator, n: int) -> Draw:
    """y = f(x1) + g(x2) + normal noise, of uniform features and curves that need not be monotone."""
    curves = [_CURVES[i] for i in rng.integers(len(_CURVES), size=2)]
    weights, noise = rng.uniform(0.2, 1.5, 2), float(rng.uniform(0.2, 1.0))
    x = rng.random((n, 2))
    terms = [w * curve(x[:, i]) for i, (w, curve) in enumerate(zip(weights, curves, strict=True))]
    y = terms[0] + terms[1] + noise * rng.normal(size=n)
    densities = [
        _density(w * curve((np.arange(200_000) + 0.5) / 200_000))
        for w, curve in zip(weights, curves, strict=True)
    ]
    # I1 - I2 = h(Y|X2) - h(Y|X1): h(Y) cancels
    truth = _smoothed_entropy(densities[0], noise) - _smoothed_entropy(densities[1], noise)
    # h(Y|X1) is the entropy of g(X2) + noise, h(Y|X2) that of f(X1) + noise
    return (x[:, 0], y), (x[:, 1], y), truth


_GRID = np.linspace(-10, 10, 8001)


def _density(values: Doubles) -> Doubles:
    """Probabilities of the cells of the grid, shape (8001,), each value shared by its two neighbours."""
    step = _GRID[1] - _GRID[0]
    place = (values - _GRID[0]) / step
    left = np.floor(place).astype(int)
    share = place - left
    size = len(_GRID)
    cells = np.bincount(left, 1 - share, size) + np.bincount(left + 1, share, size)
    return np.asarray(cells / len(values))


def _smoothed_entropy(probabilities: Doubles, noise: float) -> float:
    """Of a variable on the grid plus normal noise, in nats."""
    step = _GRID[1] - _GRID[0]
    kernel = np.exp(-0.5 * (_GRID / noise) ** 2)
    kernel /= kernel.sum()
    mixed = np.fft.irfft(np.fft.rfft(probabilities, 16384) * np.fft.rfft(kernel, 16384), 16384)
    positive = mixed[mixed > 1e-15]
    return float(-(positive * np.log(positive)).sum() + math.log(step))


def _channels(rng: np.random.Generator, n: int) -> Draw:
    """A label y and two noisy copies of it, whose errors come together more often than by chance."""
    k = int(rng.integers(2, 6))
    y = rng.integers(k, size=n)
    wrong = rng.uniform(0.05, 0.9, 2)
    shared, own = rng.random(n), rng.random((2, n))
    together = rng.random(n) < rng.random()
    errors = [np.where(together, shared, own[i]) < wrong[i] for i in range(2)]
    copies = [np.where(error, rng.integers(k, size=n), y) for error in errors]
    truths = [_channel(k, float(p)) for p in wrong]
    return (copies[0], y), (copies[1], y), truths[0] - truths[1]


def _channel(k: int, wrong: float) -> float:
    """I of a uniform label of k and its copy, which is replaced by a uniform one with probability `wrong`."""
    right, other = 1 - wrong + wrong / k, wrong / k
    return math.log(k) + right * math.log(right) + (k - 1) * other * math.log(other)


def _classes(rng: np.random.Generator, n: int) -> Draw:
    """Two classes whose two correlated measurements are shifted normals."""
    shifts, rho = rng.uniform(0, 3, 2), rng.uniform(0, 0.9)
    y = rng.integers(2, size=n)
    noise = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    x = noise + y[:, None] * shifts
    truths = [_shifted(float(shift)) for shift in shifts]
    return (x[:, 0], y), (x[:, 1], y), truths[0] - truths[1]


def _shifted(shift: float) -> float:
    """I of a fair coin and a normal that it shifts, by quadrature."""
    grid = np.linspace(-9, 9 + shift, 20001)
    parts = [np.exp(-0.5 * (grid - m) ** 2) / math.sqrt(2 * math.pi) for m in (0.0, shift)]
    mixture = (parts[0] + parts[1]) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = sum(0.5 * np.where(p > 0, p * np.log(p / mixture), 0.0) for p in parts)
    return float(np.sum(terms) * (grid[1] - grid[0]))


def _nothing(rng: np.random.Generator, n: int) -> Draw:
    """A feature of y, weak or strong, beside one that tells nothing; or two that tell nothing."""
    rho = 0.0 if rng.random() < 0.5 else float(rng.uniform(0.05, 0.7))
    x = rng.normal(size=(n, 3))
    y = rho * x[:, 0] + math.sqrt(1 - rho**2) * x[:, 2]
    return (x[:, 0], y), (x[:, 1], y), -0.5 * math.log1p(-(rho**2))


COUPLINGS: dict[str, Callable[[Doubles], Doubles]] = {
    "linear": lambda x: x,
    "quadratic": lambda x: x**2,
    "sine": lambda x: np.sin(3 * x),
}
KINDS: dict[str, Callable[[np.random.Generator, int], Draw]] = {
    "normals": _normals,
    "disjoint": _disjoint,
    "additive": _additive,
    "edges": _edges,
    "channels": _channels,
    "classes": _classes,
    "nothing": _nothing,
}


def main() -> None:
    """Prints all figures, one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for row in rows(options.draws, options.seed):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
