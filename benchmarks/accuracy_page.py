"""The page `docs/accuracy.md`: goals beside what was reached, and accuracy group by group.

`readme.py` writes it, from the newest full results. What the results lack is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import isnan, nan
from typing import Final

import numpy as np
from goals import Results, goals
from names import METHODS, SUITES
from page_tables import MIN_PROBLEMS, groups, number, percent, table
from results import Row

COVERED = ("mist-seen", "mist-unseen", "bmi", "prior", "held-out-any-n")
GROUPED: Final = {"n": "rows", "columns": "columns of both sides", "truth": "true value, nats"}
# Families whose values repeat: their marginals have atoms.
DISCRETE = (
    "label", "contingency table", "binned", "zero-inflated", "channel-bernoulli", "channel-poisson",
)  # fmt: skip
REAL_HEAD = (
    *("group", "kind", "number", "error", "mean error", "90 % interval held", "its mean width"),
    *("silent misses", "KSG (k = 3)"),
)


def page(results: Results, intervals: Row) -> str:
    """The whole page; `intervals` is the result of `intervals.py`."""
    accuracy, real = results.accuracy, results.real
    parts = [
        "# Accuracy in detail",
        "Made by `python benchmarks/readme.py` of the results that the README quotes; all in nats.",
        "## Goals",
        "What was wanted before training, and what these weights reach.",
        table(
            ["goal", "limits", "measured", "reached"],
            [goal.row() for goal in goals(results)],
        ),
        "## Families held out of training, n = 1,000",
        "Mean absolute error, over the problems that all methods saw.",
        _compared(accuracy, [("held-out-n1000", "family", None)], ("ksg", "mixed-ksg", "copula")),
        "## One column against one",
        "Mean absolute error, over the problems that all methods saw.",
        _compared(
            accuracy,
            [(suite, "columns", ("2",)) for suite in ("bmi", "prior", "held-out-n1000")],
            ("ksg-1", "ksg", "ksg-5", "mixed-ksg", "sklearn", "copula"),
        ),
        "## Discrete and mixed columns",
        "Families of the training distribution whose values repeat; mean absolute error, over the problems "
        "that all methods saw. Those of one family are few: what can be compared is the last line.",
        _compared(accuracy, [("prior", "family", DISCRETE)], ("ksg", "mixed-ksg", "copula"), pooled=True),
        "## Data as real tables have them",
        "By kind (`real_data.py`); errors and widths in nats, the shares of all answers. A miss is farther "
        "from the truth than the 90 % interval is wide; it is silent where `in_range` is true. "
        "KSG's error is that of the problems that it answered.",
        table(REAL_HEAD, list(_real_kinds(real))),
        "## How often the 90 % interval holds the true value",
        f"By group; groups of fewer than {MIN_PROBLEMS} problems are left out. By family: in the results, "
        "and for more draws of the training in `docs/evaluation.txt`.",
        *(part for by in GROUPED for part in _covered(accuracy, by)),
        *_pictures(results.images),
        *_resampled(intervals),
        *_warned(accuracy),
    ]
    return "\n\n".join(parts) + "\n"


def _real_kinds(real: Row) -> Iterator[list[str]]:
    kinds = [row for row in real.get("scores", []) if row["by"] == "kind"]
    peers = {row["kind"]: number(row["mae"]) for row in kinds if row["method"] == "ksg"}
    for row in kinds:
        if row["method"] == "mizzle":
            shares = percent(row["cover90"]), number(row["width"]), percent(row["missed_unflagged"])
            scores = number(row["mae"]), f"{row['bias']:+.2f}", *shares, peers.get(row["kind"], "-")
            yield [row["group"], row["kind"], str(row["answered"]), *scores]


def _compared(
    accuracy: Row,
    chosen: Iterable[tuple[str, str, Sequence[str] | None]],
    peers: Sequence[str],
    pooled: bool = False,
) -> str:
    """Errors group by group with those of peers, for suites, groupings and the groups that are wanted.

    Where `pooled`, a last line holds the groups that all peers answered together.
    """
    body: list[list[str]] = []
    whole: list[tuple[int, list[float]]] = []
    for suite, by, wanted in chosen:
        for group, methods in groups(accuracy, suite, by).items():
            answered = methods.get(peers[0], {"answered": 0})["answered"]
            if answered and (wanted is None or group in wanted):
                name = group if by == "family" else SUITES[suite].title
                errors = [
                    methods[peers[0]]["ours_mae"],
                    *(_same(methods.get(peer), answered) for peer in peers),
                ]
                body.append([name, str(answered), *("-" if isnan(e) else number(e) for e in errors)])
                if not any(map(isnan, errors)):
                    whole.append((answered, errors))
    if pooled and whole:
        body.append(["those that all answered", *_pooled(*zip(*whole, strict=True))])
    return table(["problems", "number", "mizzle", *(METHODS[peer] for peer in peers)], body)


def _pooled(counts: tuple[int, ...], errors: tuple[list[float], ...]) -> list[str]:
    """All problems together: how many, and each method's error."""
    return [str(sum(counts)), *map(number, np.average(errors, axis=0, weights=counts))]


def _same(row: Row | None, answered: int) -> float:
    """Its error where it answered the same problems, or NaN."""
    return float(row["mae"]) if row and row["answered"] == answered else nan


def _covered(accuracy: Row, by: str) -> Iterator[str]:
    by_suite = {suite: groups(accuracy, suite, by) for suite in COVERED}
    named = {group: _first(group) for own in by_suite.values() for group in own}
    body = []
    for group in sorted(named, key=named.__getitem__):
        rows = [by_suite[suite].get(group, {}).get("mizzle", {"answered": 0}) for suite in COVERED]
        cells = [f"{row['cover90']:.2f}" if row["answered"] >= MIN_PROBLEMS else "-" for row in rows]
        if set(cells) != {"-"}:
            body.append([group, *cells])
    yield table([GROUPED[by], *(SUITES[suite].title for suite in COVERED)], body)


def _first(group: str) -> float:
    """Where a group begins: `above 4`, `100-299`, `0.5-1`."""
    start = group.removeprefix("above ").partition("-")[0]
    return float(start) + (1e-9 if "-" in group or "above" in group else 0.0)


def _warned(accuracy: Row) -> Iterator[str]:
    body = [
        [SUITES[suite].title, percent(warned.get("unfamiliar", 0) / accuracy["problems"][suite], 1)]
        for suite, warned in accuracy.get("warned", {}).items()
        if suite in COVERED
    ]
    if body:
        yield "## Warnings"
        yield "Share of answers that say `unfamiliar`: of the draws of the training 1 % were meant to."
        yield table(["problems", "unfamiliar"], body)


def _pictures(images: Row) -> Iterator[str]:
    """Errors on pictures of known information; nothing where they were not measured."""
    if images:
        yield "## Pictures whose information is known"
        yield (
            "Blobs and rectangles on 16 x 16 and 32 x 32 pixels (`images.py`): whole, with `reduce='auto'`, "
            "and as principal components, of which few hold less than the pictures. Errors, in nats, and "
            f"coverage up to {images['up_to']:g} nats; intervals above the truth that nothing flags, of all."
        )
        head = ["picture", "n", "method", "error", "mean error", "90 % interval held", "above, unflagged"]
        yield table(head, [_picture(row) for row in images["scores"]])


def _picture(row: Row) -> list[str]:
    cells = [row["picture"], f"{row['n']:,}", row["method"], number(row["mae"]), f"{row['bias']:+.2f}"]
    if row["coverage"] is None:
        return [*cells, "-", "-"]
    return [*cells, percent(row["coverage"]), f"{row['above']} of {row['number']}"]


def _resampled(intervals: Row) -> Iterator[str]:
    """Quantiles beside intervals by resampling; nothing where they were not measured."""
    if intervals:
        yield "## Quantiles beside resampling"
        yield (
            f"90 % intervals by the same estimator three ways (`intervals.py`, {intervals['count']} problems "
            "a line): its own quantiles, the bootstrap, and half-samples, the last two of "
            f"{intervals['copies']} copies. Widths in nats, times in ms of one core. A copy that holds rows "
            "twice looks dependent, hence the bootstrap."
        )
        head = ["problems", "n", "interval", "it held", "mean width", "ms"]
        yield table(
            head,
            [
                [
                    row["kind"], f"{row['n']:,}", row["way"],
                    percent(row["coverage"]), number(row["width"]), number(1000 * row["seconds"]),
                ]
                for row in intervals["intervals"]
            ],
        )  # fmt: skip
