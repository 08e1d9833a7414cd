"""More rows than in training: how far pooled blocks may narrow the interval, and whether they do better.

    python benchmarks/many_rows.py [--quick]

Calibration: of draws of the prior with up to 8 columns a side, 320,000 rows are answered as 32 blocks of
10,000; for 1, 2, .. of them together the width is found at which the 90 % interval covers 90 %, which
`model/blocks.py` puts down to a share of the variance that all blocks have in common. Judgement: other
draws, of 20,000 to 1,000,000 rows, are answered as `mizzle.estimate` does, from one block, and in one
piece, as before there were blocks; a million rows in one piece take a quarter of a minute, so that few
draws have it. About an hour on two cores. Prints tables and writes
results/many-rows-YYYY-MM-DD.json; errors in nats.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from results import RESULTS, Row, Rows, print_table, result_name, write_result
from speed import weights
from tqdm import tqdm

from mizzle.metadata_gen import Family, Limits, prior
from mizzle.model import Estimator, blocks
from mizzle.model.native import Answers
from mizzle.model.preprocess import Table, prepare
from mizzle.model.quantiles import LEVELS

SEEDS = {"calibration": 903, "judgement": 904}
DRAWS, QUICK = {"calibration": 1000, "judgement": 400}, {"calibration": 20, "judgement": 10}
COLUMNS = (1, 2, 4, 8)  # limits of a side, as often
TRAINED, BLOCKS = 10_000, 32
TOGETHER = (1, 2, 5, 10, 32)
ROWS = (20_000, 50_000, 100_000, 300_000, 1_000_000)
WAYS = ("pooled", "one block", "one piece")
IN_ONE_PIECE = 400_000  # cells up to which all draws are answered in one piece, too
EVERY = 10  # draw beyond these, of 1 + 1 columns
LOW, HIGH = LEVELS.index(0.05), LEVELS.index(0.95)

Doubles = NDArray[np.float64]


class Answer(NamedTuple):
    """An answer in nats: its mean, and its quantiles at `LEVELS`."""

    mean: float
    nats: Doubles


class Draw(NamedTuple):
    """What became of one draw; `answers` by the rows, or blocks, and the way."""

    family: str
    truth: float
    answers: dict[tuple[int, str], Answer]


def main() -> None:
    """Calibrates and judges, prints the tables, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws instead of {DRAWS}")
    parser.add_argument("--draws", type=float, default=1.0, help="share of the draws that are made")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    counts = QUICK if options.quick else {key: round(options.draws * n) for key, n in DRAWS.items()}
    calibrated = needed(drawn(in_blocks, counts["calibration"]))
    print_table("width of the interval that is needed, and that is used", calibrated)
    draws = drawn(all_ways, counts["judgement"])
    judged, beside = scores(draws, WAYS[:2]), scores(draws, WAYS)
    print_table("other draws", judged)
    print_table("those that were answered in one piece, too", beside)
    head = {"unit": "nats", "quick": options.quick, "weights": weights(), "seeds": SEEDS, "draws": counts}
    payload = {
        **head,
        "common": blocks.COMMON,
        "calibration": calibrated,
        "judgement": judged,
        "in one piece": beside,
    }
    path = write_result(result_name("many-rows", options.quick), payload, options.out)
    print(f"\nwritten: {path.name}")


def drawn(answer: Callable[[int], Draw], count: int) -> list[Draw]:
    """The draws, by a process for each core."""
    with get_context("spawn").Pool() as pool:
        return list(tqdm(pool.imap_unordered(answer, range(count)), total=count, unit="draw", leave=False))


def in_blocks(i: int) -> Draw:
    """The answers to the first 1, 2, .. blocks of a draw, pooled without narrowing."""
    family, rng = _family("calibration", i)
    table, model = prepare(*family.sample(rng, BLOCKS * TRAINED)), _estimator()
    answers = _of_blocks(model, table)
    pooled = {(b, "blocks"): Answer(0.0, answers.nats[:b].mean(0)) for b in TOGETHER}
    return Draw(family.name, family.mi().nats, pooled)


def all_ways(i: int) -> Draw:
    """The answers to the first rows of a draw: pooled, of one block, and in one piece."""
    family, rng = _family("judgement", i)
    x, y = family.sample(rng, ROWS[-1])
    one_block, answers = _estimate(_estimator(), x[:TRAINED], y[:TRAINED]), {}
    for n in ROWS:
        part = x[:n], y[:n]
        answers[n, "pooled"] = _estimate(_estimator(), *part)
        answers[n, "one block"] = one_block
        columns = family.dim_x + family.dim_y
        if n * columns <= IN_ONE_PIECE or (i % EVERY == 0 and columns == 2):
            answers[n, "one piece"] = _estimate(_unlimited(), *part)
    return Draw(family.name, family.mi().nats, answers)


def needed(draws: Sequence[Draw]) -> Rows:
    """For so many blocks the least width, as a share of one block's, at which 90 % are covered."""
    rows = []
    for count in TOGETHER:
        answers = [(draw.truth, draw.answers[count, "blocks"].nats) for draw in draws]
        cover = partial(_coverage, answers)
        widths = np.linspace(0.3, 1.2, 91)
        enough = [w for w in widths if cover(w) >= 0.9]
        used = blocks.width(count)
        row = {"blocks": count, "needed": float(min(enough, default=np.nan)), "used": used}
        rows.append({**row, "coverage": cover(used), "coverage as wide as one": cover(1.0)})
    return rows


def scores(draws: Sequence[Draw], ways: Sequence[str]) -> Rows:
    """For every number of rows and way the errors and 90 % intervals, over draws that were answered so."""
    rows = []
    for n in ROWS:
        chosen = [draw for draw in draws if all((n, way) in draw.answers for way in ways)]
        rows += [
            {"rows": n, "draws": len(chosen), "way": way, **_score(chosen, n, way)} for way in ways if chosen
        ]
    return rows


def _score(draws: Sequence[Draw], n: int, way: str) -> Row:
    truth = np.array([draw.truth for draw in draws])
    mean = np.array([draw.answers[n, way].mean for draw in draws])
    low, high = (np.array([draw.answers[n, way].nats[end] for draw in draws]) for end in (LOW, HIGH))
    independent = truth == 0
    return {
        "mae": float(np.abs(mean - truth).mean()),
        "mae below 1 nat": float(np.abs(mean - truth)[truth < 1].mean()),
        "coverage": float(_covers(truth, low, high).mean()),
        "width": float((high - low).mean()),
        "false signals": float((low[independent] > 0).mean()) if independent.any() else None,
    }


def _covers(truth: Any, low: Any, high: Any) -> Any:
    return (low <= truth + 1e-9) & (truth <= high + 1e-9)


def _coverage(answers: Sequence[tuple[float, Doubles]], width: float) -> float:
    ends = [(truth, *blocks.narrowed(nats, width)[[LOW, HIGH]]) for truth, nats in answers]
    return float(np.mean([_covers(*row) for row in ends]))


def _family(use: str, i: int) -> tuple[Family, np.random.Generator]:
    rng = np.random.default_rng(np.random.SeedSequence(SEEDS[use], spawn_key=(i,)))
    return prior.draw(rng, Limits(columns=int(rng.choice(COLUMNS)))), rng


def _of_blocks(model: Estimator, table: Table) -> Answers:
    parts = blocks.split(table, model._engine.canonical_order(table), TRAINED, BLOCKS)
    return model._engine.run([part for part in parts if not part.constant])


def _estimate(model: Estimator, x: Doubles, y: Doubles) -> Answer:
    estimate = model.estimate(x, y)
    return Answer(estimate.mi, np.array(estimate.values))


@cache
def _estimator() -> Estimator:
    return Estimator.load(threads=1)


@cache
def _unlimited() -> Estimator:
    """One that takes any rows in one piece, and widens the interval of more than it was trained on."""
    model = Estimator.load(threads=1)
    model._trained = ROWS[-1]
    return model


if __name__ == "__main__":
    main()
