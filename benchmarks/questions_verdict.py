"""How often `mizzle.check` sees what is wrong, and how often it warns of what is right.

    python benchmarks/questions_verdict.py [--quick] [--fit]

An answer is wrong here if the truth is outside its 90 % interval and farther from its mean than this is wide.
All kinds of `real_data.py` and ordinary draws of the prior; of the former every wrong answer is checked, and
a few right ones of every kind. `--fit` prints the table of `sdk/questions/rule.py`, fitted to draws of other
seeds, among which are looks that no training draws; it takes most of an hour.
"""

import argparse
import importlib
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from real_data import problem
from real_laws import KINDS
from results import Row, Rows, print_table
from scipy.stats import mannwhitneyu  # type: ignore[import-untyped]
from scores import Floats
from tqdm import tqdm

from mizzle.backends.effects import perform_compute, run
from mizzle.backends.local import LocalBackend
from mizzle.metadata_gen import reserved
from mizzle.model import Estimator
from mizzle.questions import reliability, rule
from mizzle.questions.features import features
from mizzle.questions.neighbours import opinion
from mizzle.questions.variants import variants
from mizzle.types import Estimate

stream = importlib.import_module("mizzle.metadata_gen.stream")
SEED = 77_001  # of ordinary draws; the kinds of real data have the seeds of `real_data.py`
FIT_SEED = 4_100_001
EACH, QUICK = 100, 3  # problems of a kind
ORDINARY, ORDINARY_QUICK = 600, 40
RIGHT = 3  # right answers of a kind that are checked
SMALLEST = 200  # rows of the reserved looks that the rule is fitted to
FITTED = {"ordinary": 2000, "reserved": 8000, "real": 6000}  # draws
RIGHT_SHARE = 0.05  # of right answers of reserved looks and real kinds that the rule is fitted to
FALSE_ALARMS = 0.04  # of ordinary draws, where the limit is put
RIGHT_WEIGHT = 0.15  # of those beside ordinary draws
RIDGE = 1.0


class Case(NamedTuple):
    """A problem whose information is known, and where it comes from."""

    group: str
    kind: str
    x: Floats
    y: Floats
    nats: float


def verdicts(quick: bool = False) -> Rows:
    """Recall and false alarms by group of kinds, and what a check costs beside an estimate."""
    estimator = Estimator.load(threads=1)
    checked = list(_checked(estimator, _reported(QUICK if quick else EACH), RIGHT))
    count = ORDINARY_QUICK if quick else ORDINARY
    checked += _checked(estimator, tqdm(_ordinary(SEED, count), total=count, leave=False), count)
    rows = [_row(group, [c for c in checked if c[0].group == group]) for group in _groups(checked)]
    real = [c for c in checked if c[0].group != "ordinary"]
    return [_row("all real kinds", real), *rows, *_costs(estimator)]


def _groups(checked: list[tuple[Case, bool, float]]) -> list[str]:
    return list(dict.fromkeys(case.group for case, _, _ in checked))


def _reported(each: int) -> Iterator[Case]:
    for kind in tqdm(KINDS, leave=False):
        for i in range(each):
            p = problem(kind, i)
            yield Case(kind.group, kind.name, p.x, p.y, p.nats)


def _ordinary(seed: int, count: int) -> Iterator[Case]:
    """Draws of the prior with rows enough for two halves."""
    for i in range(count):
        data = stream.dataset(seed, i)
        if len(data.x) >= reliability.MIN_ROWS:
            yield Case("ordinary", data.family, data.x, data.y, data.truth.nats)


def _checked(estimator: Estimator, cases: Iterable[Case], right: int) -> Iterator[tuple[Case, bool, float]]:
    """(case, is its answer wrong, score of the check), with at most `right` right ones a kind."""
    counts: dict[str, int] = {}
    for case in cases:
        [answer] = estimator.run([estimator.prepare(case.x, case.y)])
        wrong = is_wrong(answer, case.nats)
        key = case.kind if case.group != "ordinary" else case.group
        counts[key] = counts.get(key, 0) + (not wrong)
        if wrong or counts[key] <= right:
            steps = reliability.steps(LocalBackend(estimator), case.x, case.y, progress=False)
            yield case, wrong, run(steps, perform_compute).score


def is_wrong(answer: Estimate, nats: float) -> bool:
    """Whether the truth is outside the interval, and farther from the mean than this is wide."""
    low, high = answer.interval()
    return not low <= nats <= high and abs(answer.mi - nats) > high - low


def _row(group: str, checked: list[tuple[Case, bool, float]]) -> Row:
    wrong = np.array([score for _, is_wrong, score in checked if is_wrong])
    right = np.array([score for _, is_wrong, score in checked if not is_wrong])
    return {
        "group": group,
        "wrong": len(wrong),
        "recall": float((wrong > rule.LIMIT).mean()) if len(wrong) else None,
        "right": len(right),
        "false_alarms": float((right > rule.LIMIT).mean()) if len(right) else None,
        "unreliable": float((np.append(wrong, right) > rule.LIMIT).mean()),
        "area": area(wrong, right),
    }


def area(wrong: Floats, right: Floats) -> float | None:
    """Area under the curve: how often a wrong answer scores higher than a right one, ties half."""
    if not len(wrong) or not len(right):
        return None
    higher = mannwhitneyu(wrong, right).statistic
    return float(higher / (len(wrong) * len(right)))


def _costs(estimator: Estimator) -> Rows:
    """Processor time of a check over that of an estimate."""
    rng, rows = np.random.default_rng(SEED), []
    for n, d in ((1000, 1), (1000, 5), (4000, 5)):
        x = rng.standard_normal((n, d))
        y = x + rng.standard_normal((n, d))
        single = _seconds(lambda x=x, y=y: estimator.run([estimator.prepare(x, y)]))
        backend = LocalBackend(estimator)
        whole = _seconds(
            lambda x=x, y=y, b=backend: run(reliability.steps(b, x, y, progress=False), perform_compute)
        )
        rows.append({"group": f"cost, n = {n}, {d} + {d}", "ratio": whole / single})
    return rows


def _seconds(work: object) -> float:
    """Least processor time of five calls."""
    times = []
    for _ in range(5):
        start = time.process_time()
        work()  # type: ignore[operator]
        times.append(time.process_time() - start)
    return min(times)


def fit() -> None:
    """Prints the rule: weights for a logistic score of standardised numbers, and the limit."""
    estimator = Estimator.load(threads=1)
    samples = [*_numbers(estimator, _ordinary(FIT_SEED, FITTED["ordinary"]), 1.0)]
    for cases in (_reserved(), _own_real()):
        samples += _numbers(estimator, cases, RIGHT_SHARE)
    ordinary = np.array([group == "ordinary" for group, _, _ in samples])
    names = list(rule.WEIGHTS)
    numbers = np.array([[own[name] for name in names] for _, _, own in samples])
    weights, intercept = fitted(numbers, np.array([wrong for _, wrong, _ in samples]), ordinary)
    limit = np.quantile(numbers[ordinary] @ weights + intercept, 1.0 - FALSE_ALARMS)
    print(f"INTERCEPT: Final = {intercept - limit:.3f}\nLIMIT: Final = 0.0")
    for title, values in (("WEIGHTS", weights), ("ORDINARY", np.median(numbers[ordinary], axis=0))):
        print(
            title,
            *(f'    "{name}": {value:.3f},' for name, value in zip(names, values, strict=True)),
            sep="\n",
        )


def _reserved() -> Iterator[Case]:
    for i in range(FITTED["reserved"]):
        data = reserved.dataset(FIT_SEED + 1, i)
        if len(data.x) >= SMALLEST:
            yield Case("reserved", data.family, data.x, data.y, data.truth.nats)


def _own_real() -> Iterator[Case]:
    """The kinds of real data at seeds that are reported nowhere."""
    for i in range(FITTED["real"]):
        kind = KINDS[i % len(KINDS)]
        rng = np.random.default_rng([FIT_SEED + 2, zlib.crc32(kind.name.encode()), i])
        p = kind.draw(rng, int(rng.choice(kind.rows)))
        yield Case(kind.group, kind.name, p.x, p.y, p.nats)


def _numbers(
    estimator: Estimator, cases: Iterable[Case], right_share: float
) -> Iterator[tuple[str, bool, dict[str, float]]]:
    """(group, whether the answer is wrong, what the rule weighs) of wrong answers and of some right ones."""
    for i, case in enumerate(tqdm(cases, leave=False)):
        rng = np.random.default_rng([7, i])
        [answer] = estimator.run([estimator.prepare(case.x, case.y)])
        wrong = is_wrong(answer, case.nats)
        if wrong or rng.random() < right_share:
            changed = variants(case.x, case.y, rng)
            answers = estimator.run([estimator.prepare(v.x, v.y) for v in changed])
            named = [(v.name, e) for v, e in zip(changed, answers, strict=True)]
            yield case.group, wrong, features(answer, named, opinion(case.x, case.y, rng))


def fitted(numbers: Floats, wrong: np.ndarray, ordinary: np.ndarray) -> tuple[Floats, float]:
    """Weights and intercept of a logistic regression with a ridge, by Newton's method.

    Wrong answers weigh as much as all ordinary draws.
    """
    centre, scale = numbers.mean(axis=0), numbers.std(axis=0) + 1e-9
    z = np.column_stack([(numbers - centre) / scale, np.ones(len(numbers))])
    weight = np.where(ordinary, 1.0, RIGHT_WEIGHT)
    weight[wrong & ~ordinary] = ordinary.sum() / max((wrong & ~ordinary).sum(), 1)
    wrong = wrong & ~ordinary  # what is wrong of ordinary draws is bad luck, which no evidence shows
    penalty = np.diag([RIDGE] * numbers.shape[1] + [0.0])
    beta = np.zeros(z.shape[1])
    for _ in range(30):
        p = 1.0 / (1.0 + np.exp(-z @ beta))
        gradient = z.T @ (weight * (wrong - p)) - penalty @ beta
        beta += np.linalg.solve((z.T * (weight * p * (1.0 - p))) @ z + penalty, gradient)
    weights = beta[:-1] / scale
    return weights, float(beta[-1] - weights @ centre)


def main() -> None:
    """Prints the table, or the rule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    if options.fit:
        fit()
    else:
        print_table("verdicts", verdicts(options.quick))


if __name__ == "__main__":
    main()
