"""Wide sides whose true value stays known, reduced by `reduce=`; all in nats.

    python benchmarks/reduction.py [--quick] [--each N,N,N] [--methods auto,pca] [--latentmi N]

Pictures of 16 x 16 pixels, embeddings of 768 columns, wide noise; every map is injective, so the truth is
that of the latents. Counts the 90 % intervals that lie above the truth, which a lower bound must not do, and
how near the estimates come. The first N draws of the fewest rows are answered by latentmi, too (Gowri et al.
2024), which must be installed: autoencoders of both sides to eight dimensions, then KSG, on half of the rows.
Prints tables and writes results/reduction-YYYY-MM-DD.json.
"""

import argparse
import multiprocessing
import os
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from real_sides import rotation
from results import RESULTS, Row, Rows, print_table, result_name, write_result
from scipy.special import ndtr  # type: ignore[import-untyped]
from scores import Floats, mean_of, share
from tqdm import tqdm

import mizzle
from mizzle.backends.reduced import Reduce
from mizzle.machine import cores
from mizzle.types import Estimate

SEED = 3_000_017
ROWS = (300, 1000, 4000)
EACH, QUICK = "40,20,10", "2,2,1"  # draws of a kind, by number of rows
METHODS = "auto,pca"
TRUTHS = (0.25, 2.0)
PIXELS = 16
WIDTH = 768
COLUMNS = ("kind", "i", "n", "method", "truth", "mean", "low", "high", "in_range", "components")

Rng = np.random.Generator
Sides = tuple[Floats, Floats]


class Problem(NamedTuple):
    """Two sides of n rows, and I between them."""

    x: Floats
    y: Floats
    nats: float


def main() -> None:
    """Draws and answers all kinds, prints tables and writes the result."""
    options = _options()
    each = tuple(map(int, (QUICK if options.quick else options.each).split(",")))
    methods = tuple(options.methods.split(","))
    start = time.monotonic()
    cells = [
        (kind, n, i) for kind in KINDS for n, count in zip(ROWS, each, strict=True) for i in range(count)
    ]
    # The children read these when numpy loads; two pools of threads would fight over the cores.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        by_cell = pool.map(partial(_answers, methods=methods, peers=options.latentmi), cells)
        answers = [answer for of_cell in tqdm(by_cell, total=len(cells)) for answer in of_cell]
    groups = dict.fromkeys((a.kind, a.n, a.method) for a in answers)
    rows = [_scores(answers, *group) for group in groups]
    for kind in KINDS:
        print_table(kind, [row for row in rows if row["kind"] == kind])
    totals = [_total(rows, method) for method in methods]
    print_table("all", totals)
    payload = {
        "unit": "nats",
        "quick": options.quick,
        "seconds": round(time.monotonic() - start),
        "weights": mizzle.Client.local().info().info._asdict(),
        "seed": SEED,
        "each": list(each),
        "scores": [*rows, *totals],
        "problem_columns": list(COLUMNS),
        "problems": answers_as_rows(answers),
    }
    name = result_name("reduction", options.quick)
    print(f"\nwritten: {write_result(name, payload, options.out).name}")


def problem(kind: str, n: int, i: int) -> Problem:
    """The i-th problem of a kind and number of rows: the same whatever others there are."""
    place = (zlib.crc32(kind.encode()), n, i)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=place))
    return KINDS[kind](rng, n)


# Kinds


def latents(rng: Rng, n: int, k: int, nats: float) -> Sides:
    """k standard normals a side, in pairs that share `nats` among them, each side turned by a rotation."""
    r = np.sqrt(-np.expm1(-2 * nats * rng.dirichlet(np.ones(k))))
    a, noise = rng.standard_normal((2, n, k))
    return a @ rotation(rng, k), (r * a + np.sqrt(1 - r * r) * noise) @ rotation(rng, k)


def bumps(rng: Rng, z: Floats) -> Floats:
    """A bump of width .2 whose place in the unit square two latents are."""
    grid = np.linspace(0.0, 1.0, PIXELS)
    along, across = (np.exp(-np.square(grid - p[:, None]) / 0.08) for p in ndtr(z).T)
    return np.asarray((along[:, :, None] * across[:, None, :]).reshape(len(z), -1))


def bars(rng: Rng, z: Floats) -> Floats:
    """A bar across the picture, upright or lying, from the one latent's place to the other's; no jags."""
    low, high = 0.5 * ndtr(z[:, :1]), 0.5 + 0.5 * ndtr(z[:, 1:])
    edges = np.linspace(0.0, 1.0, PIXELS + 1)
    covered = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0, None) * PIXELS
    pictures = np.repeat(covered[:, :, None], PIXELS, axis=2)
    return (pictures if rng.random() < 0.5 else pictures.transpose(0, 2, 1)).reshape(len(z), -1)


def embedding(rng: Rng, z: Floats) -> Floats:
    """WIDTH columns of a decoder: 40 tanh units and a linear part."""
    k = z.shape[1]
    weights, bias = rng.standard_normal((k, 40)) * rng.uniform(0.4, 1.6) / np.sqrt(k), rng.standard_normal(40)
    hidden = np.tanh(z @ weights + bias / 2) @ rng.standard_normal((40, WIDTH)) / np.sqrt(40)
    return np.asarray(hidden + z @ rng.standard_normal((k, WIDTH)) / np.sqrt(k) / 2)


def _pictures(render: Callable[[Rng, Floats], Floats]) -> Callable[[Rng, int], Problem]:
    def draw(rng: Rng, n: int) -> Problem:
        nats = rng.uniform(*TRUTHS)
        a, b = latents(rng, n, 2, nats)
        return Problem(render(rng, a), render(rng, b), nats)

    return draw


def _embeddings(rng: Rng, n: int) -> Problem:
    nats = rng.uniform(*TRUTHS)
    a, b = latents(rng, n, int(rng.integers(3, 9)), nats)
    return Problem(embedding(rng, a), embedding(rng, b), nats)


def _embedding_and_numbers(rng: Rng, n: int) -> Problem:
    nats = rng.uniform(*TRUTHS)
    a, b = latents(rng, n, int(rng.integers(1, 5)), nats)
    return Problem(embedding(rng, a), b, nats)


def _behind_others(rng: Rng, n: int) -> Problem:
    """Two latents that both sides share, beside six of each side's own that vary twice as much."""
    nats = rng.uniform(*TRUTHS)
    sides = latents(rng, n, 2, nats)
    x, y = (embedding(rng, np.hstack([z / 2, rng.standard_normal((n, 6))])) for z in sides)
    return Problem(x, y, nats)


def _one_of_many(rng: Rng, n: int) -> Problem:
    """A number, and the column that it hangs on among 299 that are noise."""
    nats = rng.uniform(*TRUTHS)
    a, b = latents(rng, n, 1, nats)
    return Problem(np.hstack([a, rng.standard_normal((n, 299))]), b, nats)


def _independent(rng: Rng, n: int) -> Problem:
    picture, other = (rng.standard_normal((n, k)) for k in (2, 5))
    return Problem(bumps(rng, picture), embedding(rng, other), 0.0)


def _independent_noise(rng: Rng, n: int) -> Problem:
    x, y = rng.standard_normal((2, n, 500))
    return Problem(x, y, 0.0)


KINDS: dict[str, Callable[[Rng, int], Problem]] = {
    "bumps": _pictures(bumps),
    "bars": _pictures(bars),
    "embeddings": _embeddings,
    "embedding and numbers": _embedding_and_numbers,
    "behind others": _behind_others,
    "one of 300": _one_of_many,
    "independent": _independent,
    "independent noise": _independent_noise,
}


# Answers


class Answer(NamedTuple):
    """What a method said of a problem; a point estimate alone has no interval."""

    kind: str
    i: int
    n: int
    method: str
    nats: float
    mean: float
    low: float
    high: float
    in_range: bool
    components: tuple[int, int] | None


def _answers(cell: tuple[str, int, int], methods: tuple[Reduce, ...], peers: int) -> list[Answer]:
    kind, n, i = cell
    p = problem(kind, n, i)
    estimates = {method: mizzle.estimate(p.x, p.y, reduce=method) for method in methods}
    answers = [
        Answer(kind, i, n, method, p.nats, e.mi, *e.interval(0.9), e.in_range, _components(e))
        for method, e in estimates.items()
    ]
    if i < peers and n == ROWS[0]:
        nan = float("nan")
        answers.append(Answer(kind, i, n, "latentmi", p.nats, latentmi(p), nan, nan, True, None))
    return answers


def _components(estimate: Estimate) -> tuple[int, int] | None:
    """Of x, in both halves."""
    side = estimate.reduced and estimate.reduced.x
    return side.components if side else None


def latentmi(p: Problem) -> float:
    """The peer's estimate, as its documentation makes it: the mean of its pointwise values, from bits."""
    from latentmi import lmi  # type: ignore[import-not-found]

    vars(np)["NaN"] = np.nan  # which it still uses, and numpy 2 lacks
    with redirect_stdout(StringIO()):
        pointwise, _, _ = lmi.estimate(p.x, p.y)
    return float(np.nanmean(pointwise)) * float(np.log(2))


def _scores(answers: list[Answer], kind: str, n: int, method: str) -> Row:
    """One line; `above` and `below` are the shares of intervals that lie wholly there."""
    own = [a for a in answers if (a.kind, a.n, a.method) == (kind, n, method)]
    truth, mean, low, high = (np.array([a[j] for a in own]) for j in (4, 5, 6, 7))
    in_range = np.array([a.in_range for a in own])
    row = {"kind": kind, "n": n, "method": method, "count": len(own)}
    return row | {
        "truth": mean_of(truth),
        "bias": mean_of(mean - truth),
        "mae": mean_of(np.abs(mean - truth)),
        "above": share((low > truth) & in_range),
        "below": share(high < truth),
        "width": mean_of(high - low),
        "flagged": share(~in_range),
    }


def _total(rows: Rows, method: str) -> Row:
    """The means over all kinds and numbers of rows."""
    own = [row for row in rows if row["method"] == method]
    means = {key: mean_of(np.array([row[key] for row in own])) for key in list(own[0])[4:]}
    return {"kind": "all", "n": 0, "method": method, "count": sum(row["count"] for row in own), **means}


def answers_as_rows(answers: list[Answer]) -> list[list[object]]:
    """The values of COLUMNS; null for what there is not."""
    return [[None if value != value else value for value in answer] for answer in answers]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws of a kind")
    parser.add_argument("--each", default=EACH, help=f"draws of a kind with {ROWS} rows")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument(
        "--latentmi", type=int, default=0, help="draws of a kind that it answers, minutes each"
    )
    parser.add_argument("--processes", type=int, default=cores())
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
