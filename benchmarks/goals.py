"""What was wanted of the estimator before it was measured, beside what the newest results say; in nats.

`accuracy_page.py` shows the table; what the results lack is left out.
"""

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

import digits
import numpy as np
from names import SUITES
from page_tables import groups
from results import Row

from mizzle.model.weights import SHIPPED

PEERS = ("ksg", "copula")
TRAINED = (
    "looks",
    "rotated",
    "heavy tails",
    "rare",
    "labels",
)  # groups of `real_data.py` whose kinds it draws


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


class Results(NamedTuple):
    """The newest full results by kind; empty where there is none."""

    accuracy: Row
    real: Row
    consistency: Row
    speed: Row
    images: Row
    verdicts: Row


def goals(results: Results) -> Iterator[Goal]:
    """Every goal with what was measured."""
    yield from _of_suites(results.accuracy)
    yield from _of_real_tables(results.real)
    yield from _of_images(results.images)
    yield from _of_verdicts(results.verdicts)
    yield from _of_laws(results.consistency)
    yield from _of_speed(results.speed)
    yield Goal("MiB of the weights", [SHIPPED.stat().st_size / 2**20], _at_most(15))


def _of_suites(accuracy: Row) -> Iterator[Goal]:
    for suite, highest in (("mist-seen", (0.018, 0.009)), ("mist-unseen", (0.019, 0.010))):
        errors = _errors(accuracy, suite, ("100-299", "300-999"), "mse")
        yield Goal(f"{SUITES[suite].title}: squared error, n from 100 / 300", errors, _at_most(*highest))
    yield Goal(
        "40 tasks of BMI: error, n = 200 / 1,000 / 5,000 / 10,000",
        _errors(accuracy, "bmi", ("200", "1000", "5000", "10000")),
        _at_most(0.060, 0.030, 0.018, 0.015),
    )
    if groups(accuracy, "mixtures", "n"):
        worst = _errors(accuracy, "mixtures", ("all",), "worst")
        yield Goal(
            f"{SUITES['mixtures'].title}: error, n = 1,000 / 5,000 / largest",
            _errors(accuracy, "mixtures", ("1000", "5000")) + worst,
            _at_most(0.08, 0.06, 1.0),
        )
    whole = _errors(accuracy, "held-out-n1000", ("all",))
    yield Goal("families and maps held out, n = 1,000: error", whole, _at_most(0.08))
    few, many = _errors(accuracy, "held-out-any-n", ("300-999", "3000-10000"))
    what = "of these, how much larger the error is from 3,000 rows than from 300"
    yield Goal(what, [many - few], _at_most(0))
    yield Goal("of these, families that KSG or the copula estimates better", [_lost(accuracy)], _at_most(0))
    alone = accuracy["independent"]
    worst = [max(row[key] for row in alone) for key in ("mizzle", "false_signals")]
    what = "independent normal samples: largest mean estimate / share above 0.02"
    yield Goal(what, worst, _at_most(0.01, 0.01))
    suites = ("mist-seen", "mist-unseen", "bmi", "held-out-n1000", "held-out-any-n")
    covered = [_errors(accuracy, suite, ("all",), "cover90")[0] for suite in suites]
    limits = [(0.88, 0.93), (0.88, 0.93), (0.86, 0.95), (0.85, 1.0), (0.85, 1.0)]
    what = "coverage of 90 %: MIST's sets, seen / unseen / BMI / held-out at n = 1,000 / at any n"
    yield Goal(what, covered, limits)


def _errors(accuracy: Row, suite: str, chosen: Sequence[str], score: str = "mae") -> list[float]:
    """Mizzle's score in some groups: "all", or ranges of n."""
    return [
        groups(accuracy, suite, "all" if group == "all" else "n")[group]["mizzle"][score] for group in chosen
    ]


def _of_images(images: Row) -> Iterator[Goal]:
    own = [row for row in images.get("scores", ()) if row["method"].startswith("mizzle")]
    for method in dict.fromkeys(row["method"] for row in own):
        error = float(np.mean([row["mae"] for row in own if row["method"] == method]))
        what = f"pictures of known information, .1 to 5 nats: error, {method.removeprefix('mizzle, ')}"
        yield Goal(what, [error], _at_most(0.25))
    if own:
        above = sum(row["above"] for row in own)
        yield Goal("of these, intervals above the truth that nothing flags", [above], _at_most(0))


def _of_verdicts(verdicts: Row) -> Iterator[Goal]:
    for row in verdicts.get("verdict", ()):
        if row["group"] == "all real kinds" and row.get("area") is not None:
            what = "as in real tables, misses by more than the width: area under the curve of `check`"
            yield Goal(what, [row["area"]], [(0.85, 1.0)])


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
        [(0.0, 0.06), (0.86, 1.0), (0.0, 0.02)],
    )
    looks = own["looks, other kinds"]
    yield Goal(
        "looks that training never draws: error / coverage of 90 % / silent misses",
        [looks["mae_small"], looks["cover90"], looks["missed_unflagged"]],
        [(0.0, 0.12), (0.8, 1.0), (0.0, 0.02)],
    )
    (rotated,) = (row for row in real["scores"] if _is_ours(row, "kind") and row["kind"] == "rotated 10+10")
    what = "normals rotated inside either side, 10 + 10, n = 1,000: bias, in size / coverage of 90 %"
    yield Goal(what, [abs(rotated["bias"]), rotated["cover90"]], [(0.0, 0.04), (0.8, 1.0)])
    errors = [own[group]["mae"] for group in ("embeddings", "bends")]
    yield Goal("embeddings of digits / bends, 2 to 6 nats: error", errors, _at_most(0.05, 0.2))


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
