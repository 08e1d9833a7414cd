"""The estimator on data as real tables hold them, where the true value stays known; all in nats.

    python benchmarks/real_data.py [--quick] [--weights FILE]

Looks of one to four latents (components of pictures, spectra, shares, angles), rotated normals, heavy
tails, rare classes, labels, bends, thin signals and embeddings of digits; KSG and Gaussian copula answer
the same arrays up to PEER_ROWS rows. Prints tables and writes results/real-data-YYYY-MM-DD.json.
"""

import argparse
import multiprocessing
import os
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from peers import Neighbours, gaussian_copula
from real_digits import APART, PAIR_COMPONENTS, TEN, TEN_COMPONENTS, separation
from real_laws import KINDS, Kind, Problem
from results import RESULTS, Row, Rows, print_table, result_name, write_result
from scipy.stats import rankdata  # type: ignore[import-untyped]
from scores import Answers, Floats, Mask, mean_of, peer_scores, posterior_scores, share
from suites import PEER_ROWS, answers
from tqdm import tqdm

from mizzle.backends.effects import perform_compute, run
from mizzle.backends.local import LocalBackend
from mizzle.errors import MizzleError
from mizzle.machine import cores
from mizzle.model import Estimator
from mizzle.types import Estimate

SEED = 2_000_143
EACH = 20  # problems of a kind
QUICK = 3
SMALL = 2.5  # nats; errors below are given apart from those of stronger dependence
PEERS = ("ksg", "ksg-5", "mixed-ksg", "copula")
PROBLEM_COLUMNS = ("kind", "i", "n", "dim_x", "dim_y", "truth", "mean", "low", "high", "in_range", *PEERS)


class Answered(NamedTuple):
    """A problem without its arrays, what the estimator said, and what each of PEERS did (NaN: nothing)."""

    kind: Kind
    i: int
    n: int
    columns: tuple[int, int]
    nats: float
    outcome: Estimate | MizzleError
    peers: Floats

    @property
    def estimate(self) -> Estimate | None:
        """None where the estimator refused."""
        return None if isinstance(self.outcome, MizzleError) else self.outcome


def main() -> None:
    """Draws and answers all kinds, prints tables by group and writes the result."""
    options = _options()
    estimator = Estimator.load(options.weights, threads=1)
    start = time.monotonic()
    answered = answer_all(estimator, QUICK if options.quick else EACH)
    rows = score_rows(answered)
    _show(rows)
    payload = {
        "unit": "nats",
        "quick": options.quick,
        "seconds": round(time.monotonic() - start),
        "weights": estimator.info._asdict(),
        "seed": SEED,
        "each": QUICK if options.quick else EACH,
        "peer_rows": PEER_ROWS,
        "refused": Counter(a.outcome.code for a in answered if isinstance(a.outcome, MizzleError)),
        "separation": _separations(),
        "scores": rows,
        "problem_columns": list(PROBLEM_COLUMNS),
        "problems": [_problem_row(a) for a in answered],
    }
    name = result_name("real-data", options.quick)
    print(f"\nwritten: {write_result(name, payload, options.out).name}")


def problem(kind: Kind, i: int) -> Problem:
    """The i-th problem of a kind: the same whatever other kinds there are."""
    place = (zlib.crc32(kind.name.encode()), i)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=place))
    return kind.draw(rng, int(rng.choice(kind.rows)))


def answer_all(estimator: Estimator, each: int) -> list[Answered]:
    """`each` problems of every kind with all answers; the peers work in processes, one for each core."""
    # The children read this when numpy loads; two pools of threads would fight over the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(cores(), multiprocessing.get_context("spawn")) as pool:
        return [a for kind in tqdm(KINDS, leave=False) for a in _answer(estimator, kind, each, pool)]


def _answer(estimator: Estimator, kind: Kind, each: int, pool: Executor) -> Iterator[Answered]:
    problems = [problem(kind, i) for i in range(each)]
    peers = pool.map(peer_answers, problems)
    pairs = [(p.x, p.y) for p in problems]
    # What `mizzle.estimate_many` does with the weights of the package.
    outcomes = run(LocalBackend(estimator).estimate_many(pairs, False, "return"), perform_compute)
    for i, (p, outcome, guesses) in enumerate(zip(problems, outcomes, peers, strict=True)):
        columns = p.x.shape[1], p.y.shape[1]
        yield Answered(kind, i, len(p.x), columns, p.nats, outcome, guesses)


def peer_answers(p: Problem) -> Floats:
    """What each of PEERS says, in their order; nothing beyond PEER_ROWS rows."""
    if len(p.x) > PEER_ROWS:
        return np.full(len(PEERS), np.nan)
    neighbours = Neighbours(p.x, p.y, 5)
    by_neighbours = [neighbours.ksg(3), neighbours.ksg(5), neighbours.mixed_ksg(5)]
    return np.array([*by_neighbours, _copula(p)])


def _copula(p: Problem) -> float:
    """The Gaussian copula; NaN where ranks of a side depend on one another linearly, as one-hot ones do."""
    ranks = [rankdata(side, axis=0) - (len(side) + 1) / 2 for side in (p.x, p.y)]
    regular = all(np.linalg.matrix_rank(side) == side.shape[1] for side in ranks)
    return gaussian_copula(p.x, p.y) if regular else float("nan")


def score_rows(answered: Sequence[Answered]) -> Rows:
    """A row for each method in every group, in every group at every n, and in every kind."""
    return [
        {"by": by, "group": group, by: cell, **row}
        for by in ("group", "n", "kind")
        for (group, cell), members in _cells(answered, by).items()
        for row in _scores(members)
    ]


def _cells(answered: Sequence[Answered], by: str) -> dict[tuple[str, str | int], list[Answered]]:
    """Problems by their group and what else they are counted by, in the order of KINDS and of n."""
    cells: dict[tuple[str, str | int], list[Answered]] = {}
    for a in sorted(answered, key=lambda a: (_GROUPS.index(a.kind.group), a.n if by == "n" else 0)):
        keys: dict[str, str | int] = {"group": a.kind.group, "n": a.n, "kind": a.kind.name}
        cells.setdefault((a.kind.group, keys[by]), []).append(a)
    return cells


_GROUPS = list(dict.fromkeys(kind.group for kind in KINDS))


def _scores(members: Sequence[Answered]) -> Rows:
    """The estimator's row, then those of PEERS that answered any."""
    ours = answers(np.array([a.nats for a in members]), [a.estimate for a in members])
    in_range = np.array([a.estimate is not None and a.estimate.in_range for a in members])
    row = {"method": "mizzle", "count": len(members), "truth": mean_of(ours.truth), **posterior_scores(ours)}
    rows = [row | {"mae_small": small_mae(ours, ours.mean), **misses(ours, in_range)}]
    for name, guess in zip(PEERS, np.array([a.peers for a in members]).T, strict=True):
        both = np.isfinite(guess)
        small = {
            "mae_small": small_mae(ours, guess),
            "ours_small": small_mae(ours.pick(both), ours.mean[both]),
        }
        rows.append({"method": name, **peer_scores(ours, guess), **small})
    return [row for row in rows if row["answered"] or row["method"] == "mizzle"]


def small_mae(ours: Answers, guess: Floats) -> float | None:
    """Mean absolute error over the answered problems whose truth is below SMALL."""
    return mean_of(np.abs(guess - ours.truth)[np.isfinite(guess) & (ours.truth < SMALL)])


def misses(ours: Answers, in_range: Mask) -> Row:
    """Answers that miss by more than the width of their 90 % interval.

    `missed` is their share, `missed_flagged` the share of them that are not `in_range`, and
    `missed_unflagged` the share of all answers that miss so and are.
    """
    answered = np.isfinite(ours.mean)
    width = (ours.at(0.95) - ours.at(0.05))[answered]
    missed = np.abs(ours.mean - ours.truth)[answered] > width
    in_range = in_range[answered]
    return {
        "width": mean_of(width),
        "flagged": share(~in_range),
        "missed": share(missed),
        "missed_flagged": share(~in_range[missed]),
        "missed_unflagged": share(missed & in_range),
    }


def _separations() -> Rows:
    """How surely the nearest other picture shows the same digit; the least sure of the pairs."""
    pairs = [(c, min(separation(pair, c) for pair in APART)) for c in PAIR_COMPONENTS]
    ten = [(c, separation(TEN, c)) for c in TEN_COMPONENTS]
    cells = [("two", *cell) for cell in pairs] + [("ten", *cell) for cell in ten]
    return [{"digits": digits, "components": c, "nearest_right": right} for digits, c, right in cells]


def _problem_row(a: Answered) -> list[object]:
    """The values of PROBLEM_COLUMNS; null for what nobody answered."""
    e = a.estimate
    ours = (None,) * 4 if e is None else (e.mi, *e.interval(0.9), e.in_range)
    peers = [float(guess) if np.isfinite(guess) else None for guess in a.peers]
    return [a.kind.name, a.i, a.n, *a.columns, a.nats, *ours, *peers]


def _show(rows: Rows) -> None:
    """Groups, groups by n, and the kinds of every group."""
    for by in ("group", "n"):
        print_table(f"by {by}", _side_by_side([row for row in rows if row["by"] == by], by))
    for group in dict.fromkeys(row["group"] for row in rows):
        own = [row for row in rows if row["by"] == "kind" and row["group"] == group]
        print_table(group, _side_by_side(own, "kind"))


_PRINTED = ("count", "truth", "mae_small", "mae", "bias", "cover50", "cover80", "cover90", "width")
_PRINTED_MISSES = ("flagged", "missed", "missed_flagged", "missed_unflagged")


def _side_by_side(rows: Rows, by: str) -> Rows:
    """One line per cell: our scores, then the peers' errors and ours on the problems that KSG answered."""
    lines: dict[tuple[str, str | int], Row] = {}
    for row in rows:
        line = lines.setdefault((row["group"], row[by]), {"group": row["group"], by: row[by]})
        if row["method"] == "mizzle":
            line |= {key: row[key] for key in (*_PRINTED, *_PRINTED_MISSES)}
        else:
            line |= {"ours there": row["ours_mae"]} if row["method"] == PEERS[0] else {}
            line[row["method"]] = row["mae"]
    return list(lines.values())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} problems of a kind instead of {EACH}")
    parser.add_argument("--weights", type=Path, help="default: the weights in the package")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
