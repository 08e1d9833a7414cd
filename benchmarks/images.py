"""Pictures whose mutual information is known, whole and as principal components; all in nats.

    python benchmarks/images.py [--quick] [--weights FILE]

A blob by its place (two latents) or a rectangle by its edges (four), on 16 x 16 or 32 x 32 pixels, as in the
benchmark of InfoBridge (arXiv 2502.01383), with latents that share .1 to 10 nats. Drawing is injective, so
the truth is that of the latents; few components may hold less. Answers `reduce="auto"` on the pixels, and
the network and KSG on 2 to 32 components. Prints a table and writes results/images-YYYY-MM-DD.json. Minutes.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from peers import Neighbours
from reduction import Rng, Sides, latents
from results import RESULTS, Row, Rows, print_table, result_name, write_result
from scipy.special import ndtr  # type: ignore[import-untyped]
from scores import Floats
from tqdm import tqdm

import mizzle

SEED = 2_000_209
NATS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0)
ORDINARY = 5.0  # nats up to which errors are averaged; beyond, no n here shows so much
ROWS, QUICK_ROWS = (1000, 10_000), (1000,)
PIXELS = (16, 32)
EACH, QUICK = 3, 1  # draws of every picture, size, number of rows and information
COMPONENTS = (2, 4, 8, 16, 32)
KSG_COMPONENTS = 8
PROBLEM_COLUMNS = ("picture", "pixels", "n", "method", "truth", "mean", "low", "high", "in_range")


class Answer(NamedTuple):
    """What a method said of a problem; a point estimate alone has no interval."""

    picture: str
    pixels: int
    n: int
    method: str
    nats: float
    mean: float
    low: float
    high: float
    in_range: bool


def main() -> None:
    """Draws and answers all pictures, prints errors by method and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="few draws of 1,000 rows")
    parser.add_argument("--weights", type=Path, help="default: the weights in the package")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    client = mizzle.Client.local(weights=options.weights)
    rows, each = (QUICK_ROWS, QUICK) if options.quick else (ROWS, EACH)
    cells = list(product(PICTURES, PIXELS, rows, NATS, range(each)))
    answers = [answer for cell in tqdm(cells, leave=False) for answer in _answers(client, *cell)]
    scores = _scores(answers)
    print_table(f"pictures, {NATS[0]:g} to {ORDINARY:g} nats", scores)
    head = {"unit": "nats", "quick": options.quick, "weights": client.info().info._asdict(), "seed": SEED}
    payload = {
        **head,
        "each": each,
        "up_to": ORDINARY,
        "scores": scores,
        "problem_columns": list(PROBLEM_COLUMNS),
        "problems": [list(answer) for answer in answers],
    }
    print(f"\nwritten: {write_result(result_name('images', options.quick), payload, options.out).name}")


def blobs(pixels: int, z: Floats) -> Floats:
    """A blob of deviation .2 whose place in the unit square the two latents are."""
    grid = (np.arange(pixels) + 0.5) / pixels
    down, across = (np.exp(-np.square(grid - p[:, None]) / 0.08) for p in ndtr(z).T)
    return _outer(down, across)


def rectangles(pixels: int, z: Floats) -> Floats:
    """A rectangle by its four edges; a pixel is as bright as the part of it that is covered.

    Some pixels are always covered whole: four that are not would tell no four edges apart.
    """
    left = np.arange(pixels) / pixels
    low, high = 0.45 * ndtr(z[:, :2, None]), 0.55 + 0.45 * ndtr(z[:, 2:, None])
    covered = np.maximum(0.0, np.minimum(high, left + 1 / pixels) - np.maximum(low, left)) * pixels
    return _outer(covered[:, 0], covered[:, 1])


def _outer(down: Floats, across: Floats) -> Floats:
    return np.asarray((down[:, :, None] * across[:, None, :]).reshape(len(down), -1))


PICTURES: dict[str, tuple[int, Callable[[int, Floats], Floats]]] = {
    "blobs": (2, blobs),
    "rectangles": (4, rectangles),
}


def _sides(picture: str, pixels: int, n: int, nats: float, rng: Rng) -> Sides:
    """Pictures of both sides, shapes (n, pixels^2)."""
    k, draw = PICTURES[picture]
    x, y = (draw(pixels, z) for z in latents(rng, n, k, nats))
    return x, y


def _components(side: Floats) -> Floats:
    """The first principal components, as many as any method takes; shape (n, 32)."""
    centred = side - side.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ axes[:, ::-1][:, : max(COMPONENTS)])


def _answers(
    client: mizzle.Client, picture: str, pixels: int, n: int, nats: float, i: int
) -> Iterator[Answer]:
    place = (list(PICTURES).index(picture), pixels, n, NATS.index(nats), i)
    sides = _sides(
        picture, pixels, n, nats, np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=place))
    )
    x, y = map(_components, sides)

    def answer(method: str, e: mizzle.Estimate) -> Answer:
        return Answer(picture, pixels, n, method, nats, e.mi, *e.interval(), e.in_range)

    yield answer("mizzle, pixels", client.estimate(*sides, reduce="auto"))
    for k in COMPONENTS:
        yield answer(f"mizzle, {k} components", client.estimate(x[:, :k], y[:, :k]))
    ksg = Neighbours(x[:, :KSG_COMPONENTS], y[:, :KSG_COMPONENTS], 3).ksg(3)
    yield Answer(picture, pixels, n, f"KSG, {KSG_COMPONENTS} components", nats, ksg, np.nan, np.nan, True)


def _scores(answers: list[Answer]) -> Rows:
    """A row for each picture, number of rows and method."""
    groups = dict.fromkeys((a.picture, a.n, a.method) for a in answers)
    return [_score([a for a in answers if (a.picture, a.n, a.method) == group], *group) for group in groups]


def _score(answers: list[Answer], picture: str, n: int, method: str) -> Row:
    """Error up to `ORDINARY` nats, coverage, and unflagged intervals above the truth at any information."""
    ordinary = [a for a in answers if a.nats <= ORDINARY]
    held = [a.low <= a.nats <= a.high for a in ordinary]
    return {
        "picture": picture,
        "n": n,
        "method": method,
        "mae": float(np.mean([abs(a.mean - a.nats) for a in ordinary])),
        "bias": float(np.mean([a.mean - a.nats for a in ordinary])),
        "coverage": None if np.isnan(ordinary[0].low) else float(np.mean(held)),
        "above": None if np.isnan(ordinary[0].low) else sum(a.low > a.nats and a.in_range for a in answers),
        "number": len(answers),
    }


if __name__ == "__main__":
    main()
