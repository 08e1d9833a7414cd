"""The page `docs/accuracy.md`: goals beside what was reached, and accuracy group by group.

`readme.py` writes it, from the newest full results. What the results lack is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf, isnan, nan
from typing import Final, NamedTuple

import digits
import numpy as np
from names import METHODS, SUITES
from page_tables import MIN_PROBLEMS, groups, number, percent, table
from results import Row

from mizzle.model.weights import SHIPPED

COVERED = ("mist-seen", "mist-unseen", "bmi", "prior", "held-out-any-n")
GROUPED: Final = {"n": "rows", "columns": "columns of both sides", "truth": "true value, nats"}
# Families whose values repeat: their marginals have atoms.
DISCRETE = (
    "label", "contingency table", "binned", "zero-inflated", "channel-bernoulli", "channel-poisson",
)  # fmt: skip
PEERS = ("ksg", "copula")
TRAINED = (
    "looks",
    "rotated",
    "heavy tails",
    "rare",
    "labels",
)  # groups of `real_data.py` whose kinds it draws


REAL_HEAD = (
    *("group", "kind", "number", "error", "mean error", "90 % interval held", "its mean width"),
    *("silent misses", "KSG (k = 3)"),
)


class Goal(NamedTuple):
    """What was wanted before it was measured: values that lie within limits, ends included."""

    what: str
    values: Sequence[float]
    limits: Sequence[tuple[float, float]]

    def row(self) -> list[str]:
        """Goal, limits, values, and how many of them are within."""
        met = sum(low <= value <= high for value, (low, high) in zip(self.values, self.limits, strict=True))
        said = "yes" if met == len(self.values) else f"{met} of {len(self.values)}" if met else "no"
        return [
            self.what,
            " / ".join(_limit(*limit) for limit in self.limits),
            " / ".join(f"{value:.3g}" for value in self.values),
            said,
        ]


def page(accuracy: Row, real: Row, consistency: Row, speed: Row) -> str:
    """The whole page."""
    parts = [
        "# Accuracy in detail",
        "Made by `python benchmarks/readme.py` of the results that the README quotes; all in nats.",
        "## Goals",
        "What was wanted before training, and what these weights reach.",
        table(
            ["goal", "limits", "measured", "reached"],
            [g.row() for g in (*goals(accuracy, consistency, speed), *_of_real_tables(real))],
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


def goals(accuracy: Row, consistency: Row, speed: Row) -> Iterator[Goal]:
    """Every goal with what was measured."""
    for suite, highest in (("mist-seen", (0.4, 0.018, 0.012)), ("mist-unseen", (0.8, 0.020, 0.015))):
        errors = [methods["mizzle"]["mse"] for methods in groups(accuracy, suite, "n").values()]
        yield Goal(f"{SUITES[suite].title}: squared error, n from 10 / 100 / 300", errors, _at_most(*highest))
    scores = {
        suite: groups(accuracy, suite, "all")["all"]["mizzle"] for suite in (*COVERED, "held-out-n1000")
    }
    yield Goal(
        "the same, seen: pinball loss at five levels", [scores["mist-seen"]["pinball"]], _at_most(0.045)
    )
    bmi = groups(accuracy, "bmi", "n")
    errors = [bmi[n]["mizzle"]["mae"] for n in ("200", "1000", "5000", "10000")]
    yield Goal(
        "40 tasks of BMI: error, n = 200 / 1,000 / 5,000 / 10,000",
        errors,
        _at_most(0.065, 0.037, 0.028, 0.028),
    )
    alone = accuracy["independent"]
    worst = [max(row[key] for row in alone) for key in ("mizzle", "false_signals")]
    what = "independent normal samples: largest mean estimate / share above 0.02"
    yield Goal(what, worst, _at_most(0.01, 0.05))
    yield Goal("held-out families, n = 1,000: error", [scores["held-out-n1000"]["mae"]], _at_most(0.05))
    yield Goal("of these, families that KSG or the copula estimates better", [_lost(accuracy)], _at_most(0))
    covered = [scores[suite]["cover90"] for suite in (*COVERED[:3], "held-out-n1000", "held-out-any-n")]
    limits = [(0.88, 0.93), (0.88, 0.93), (0.86, 0.95), (0.82, 1.0), (0.82, 1.0)]
    what = "coverage of 90 %: MIST's sets, seen / unseen / BMI / held-out at n = 1,000 / at any n"
    yield Goal(what, covered, limits)
    yield from _of_laws(consistency)
    yield from _of_speed(speed)
    yield Goal("MiB of the weights", [SHIPPED.stat().st_size / 2**20], _at_most(15))


def _of_laws(consistency: Row) -> Iterator[Goal]:
    own = {row["test"]: row for row in consistency["generated"] if row["method"] == "mizzle"}
    violated = [max(own[test]["interval_violations"] for test in ("noise", "fewer", "copied"))]
    violated += [row["interval_violations"] for row in consistency["digits"] if is_whole_processing(row)]
    what = "data processing violated by the interval, on draws of the prior / on digits"
    yield Goal(what, violated, _at_most(0.01, 0.01))
    what = "error of additivity, on draws of the prior"
    yield Goal(what, [own["additivity"]["relative_error"]], _at_most(0.1))


def _of_real_tables(real: Row) -> Iterator[Goal]:
    """Goals of `real_data.py`, below 2.5 nats where errors are meant."""
    own = {row["group"]: row for row in real.get("scores", ()) if _is_ours(row, "group")}
    if not own:
        return
    trained = [own[group] for group in TRAINED]
    yield Goal(
        f"as in real tables, mean of {', '.join(TRAINED)}: error / coverage of 90 % / silent misses",
        [
            float(np.mean([row[key] for row in trained]))
            for key in ("mae_small", "cover90", "missed_unflagged")
        ],
        [(0.0, 0.08), (0.8, 1.0), (0.0, 0.02)],
    )
    looks = own["looks, other kinds"]
    yield Goal(
        "looks that training never draws: error / coverage of 90 % / silent misses",
        [looks["mae_small"], looks["cover90"], looks["missed_unflagged"]],
        [(0.0, 0.2), (0.8, 1.0), (0.0, 0.02)],
    )
    (rotated,) = (row for row in real["scores"] if _is_ours(row, "kind") and row["kind"] == "rotated 10+10")
    what = "normals rotated inside either side, 10 + 10, n = 1,000: bias, in size / coverage of 90 %"
    yield Goal(what, [abs(rotated["bias"]), rotated["cover90"]], [(0.0, 0.04), (0.8, 1.0)])
    errors = [own[group]["mae"] for group in ("embeddings", "bends")]
    yield Goal("embeddings of digits / bends, 2 to 6 nats: error", errors, _at_most(0.07, 0.2))


def _is_ours(row: Row, by: str) -> bool:
    return bool(row["method"] == "mizzle" and row["by"] == by)


def is_whole_processing(row: Row) -> bool:
    """Whether a row of the digits is ours, on data processing of whole images."""
    return bool(row["method"] == "mizzle" and row["test"] == "processing" and row["t"] == digits.ROWS)


def _of_speed(speed: Row) -> Iterator[Goal]:
    large = speed["large"]
    times = [1000 * speed["latency"]["median"], 1000 * large["median"], large["peak_mib"] * 2**20 / 1e6]
    what = "ms for n = 500, 5 + 5, one core / for n = 10,000, 32 + 32 / MB of the latter"
    yield Goal(what, times, _at_most(10, 300, 500))
    sizes = [row for row in (*speed["by_n"], *speed["by_dim"]) if row["n"] >= 1000]
    slower = sum(row["ours"] > row["ksg"] for row in sizes)
    yield Goal(f"sizes from n = 1,000, of {len(sizes)}, at which KSG is faster", [slower], _at_most(0))
    if speed["latency"].get("neural"):
        ratio = speed["latency"]["neural"]["mine"] / speed["latency"]["median"]
        yield Goal("times as fast as MINE", [ratio], [(1000, inf)])


def _at_most(*limits: float) -> list[tuple[float, float]]:
    return [(-inf, limit) for limit in limits]


def _limit(low: float, high: float) -> str:
    if low == -inf:
        return f"≤ {high:g}"
    return f"≥ {low:g}" if high in (1.0, inf) else f"{low:g} to {high:g}"


def _lost(accuracy: Row) -> int:
    """Held-out families of which a simple method has the smaller error, on the problems that both saw."""
    families = groups(accuracy, "held-out-n1000", "family").values()
    return sum(any(m[peer]["mae"] < m[peer]["ours_mae"] for peer in PEERS if peer in m) for m in families)


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
