"""From the answers to the tables of the result: scores by group, reliability, and two grids."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from held_out import INDEPENDENT_ROWS, PAIRS, RHOS
from numpy.typing import NDArray
from results import Row, Rows
from scores import Answers, Floats, Mask, coverage, mean_of, reliability, share, standard_error
from suites import Run

# MIST's published ranges of n (10-100, 100-300, 300-500) are the first three of these.
N_EDGES = (10, 100, 300, 1000, 3000, 10_001)
COLUMN_EDGES = (2, 3, 6, 11, 21, 51, 129)
TRUTH_EDGES = (0.0, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0, np.inf)
EXACT = 10  # up to so many different n, each is a group of its own
FALSE_SIGNAL = 0.02  # nats

Groups = list[tuple[str, Mask]]


def score_rows(runs: list[Run]) -> Rows:
    """One row per suite, grouping, group and method; ours carries the coverage of its intervals."""
    return [
        {"suite": run.suite, "held_out": is_held_out(run), "by": by, "group": group, **row}
        for run in runs
        for by, groups in groupings(run)
        for group, keep in groups
        for row in _with_truth(run, keep)
    ]


def reliability_rows(runs: list[Run]) -> Rows:
    """For each suite, the shares of truths at or below the quantiles of RELIABILITY_LEVELS."""
    return [
        {
            "suite": run.suite,
            "held_out": is_held_out(run),
            "answered": len(run.answers.answered().mean),
            "shares": reliability(run.answers.answered()),
        }
        for run in runs
    ]


def independent_rows(run: Run) -> Rows:
    """Mean estimates where the truth is 0, and how often the 5 % quantile claims a dependence."""
    rows = []
    for label in dict.fromkeys(run.labels):
        for n in INDEPENDENT_ROWS:
            keep = (run.labels == label) & (run.rows == n)
            picked = run.answers.pick(keep).answered()
            row: Row = {"columns": str(label), "n": n, "answered": len(picked.mean)}
            row |= {"mizzle": mean_of(picked.mean), "mizzle_se": standard_error(picked.mean)}
            row["false_signals"] = share(picked.at(0.05) > FALSE_SIGNAL)
            rows.append(row | _peer_bias(run, keep))
    return rows


def normal_rows(run: Run) -> Rows:
    """Mean, bias, spread and coverage in every cell of the grid of normals."""
    mixed = run.suite == "normals-mixed"
    rows = []
    for k in PAIRS:
        for rho in RHOS:
            for n in sorted(set(run.rows.tolist())):
                keep = (run.columns == 2 * k) & (run.labels == str(rho)) & (run.rows == n)
                cell = _normal_cell(run.answers.pick(keep).answered()) | _peer_bias(run, keep)
                rows.append({"pairs": k, "rho": rho, "n": n, "mixed": mixed, **cell})
    return rows


def groupings(run: Run) -> Iterator[tuple[str, Groups]]:
    """Everything; each export; n; dim_x + dim_y; family or task; the true value."""
    everything = np.ones(len(run.rows), dtype=bool)
    yield "all", [("all", everything)]
    if len(set(run.stems)) > 1:
        yield "export", _each(run.stems)
    yield "n", _each(run.rows) if len(set(run.rows)) <= EXACT else _bins(run.rows, N_EDGES)
    yield "columns", _bins(run.columns, COLUMN_EDGES)
    yield "family", _each(run.labels)
    yield "truth", _truths(run.answers.truth)


def is_held_out(run: Run) -> bool:
    """Whether our prior leaves these families out on purpose."""
    return run.suite.startswith("held-out")


def _with_truth(run: Run, keep: Mask) -> Rows:
    truth = mean_of(run.answers.truth[keep])
    return [row | {"truth": truth} if row["method"] == "mizzle" else row for row in run.scores(keep)]


def _normal_cell(answers: Answers) -> Row:
    return {
        "answered": len(answers.mean),
        "truth": mean_of(answers.truth),
        "mean": mean_of(answers.mean),
        "bias": mean_of(answers.mean - answers.truth),
        "sd": float(answers.mean.std(ddof=1)) if len(answers.mean) > 1 else None,
        "cover90": coverage(answers, 0.05, 0.95),
    }


def _peer_bias(run: Run, keep: Mask) -> Row:
    """Mean error of every peer that answered, which is its estimate where the truth is 0; and of how many."""
    errors = {name: (guess - run.answers.truth)[keep] for name, guess in run.guesses.items()}
    finite = {name: error[np.isfinite(error)] for name, error in errors.items() if np.isfinite(error).any()}
    largest = max((error.size for error in finite.values()), default=0)
    return {"peers_answered": largest, **{name: mean_of(error) for name, error in finite.items()}}


def _each(values: NDArray[np.str_] | NDArray[np.int64]) -> Groups:
    return [(str(value), values == value) for value in sorted(set(values.tolist()))]


def _bins(values: NDArray[np.int64], edges: tuple[int, ...]) -> Groups:
    """Those that hold anything, named by the smallest and largest integer they may hold."""
    cut = [(low, high, (values >= low) & (values < high)) for low, high in pairwise(edges)]
    return [(f"{a}-{b - 1}" if b - a > 1 else f"{a}", keep) for a, b, keep in cut if keep.any()]


def _truths(truth: Floats) -> Groups:
    """Exactly 0, then half-open bins (low, high]."""
    groups = [("0", truth == 0.0)]
    for low, high in pairwise(TRUTH_EDGES):
        name = f"{low:g}-{high:g}" if np.isfinite(high) else f"above {low:g}"
        groups.append((name, (truth > low) & (truth <= high)))
    return [(name, keep) for name, keep in groups if keep.any()]
