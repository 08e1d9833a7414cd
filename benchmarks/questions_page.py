"""The page `docs/questions/figures.md`: figures of p-values, conditions, lags, differences and verdicts.

`readme.py` writes it, from the newest full results of `all_questions.py`. What they lack is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from page_tables import number, percent, table
from results import Row

Cell = Callable[[Any], str]
FILES: Final = ("significance", "conditional", "lags", "verdict", "memory", "speed")


class Part(NamedTuple):
    """A table of the page.

    Attributes:
        key: of the rows in the result.
        title: of the section; "" goes on with the one before.
        text: what the table shows.
        columns: head, key of a row, and how its value is written.
    """

    key: str
    title: str
    text: str
    columns: tuple[tuple[str, str, Cell], ...]


def page(results: Sequence[Row]) -> str:
    """The whole page, of a result for each part."""
    results = [result for result in results if result]
    parts = ["# How good the answers to questions are", _INTRODUCTION, _provenance(results)]
    tables = {key: rows for result in results for key, rows in result.items()}
    for part in PARTS:
        if rows := tables.get(part.key):
            parts += [f"## {part.title}"] if part.title else []
            parts += [part.text, _table(part, rows)]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION: Final = (
    "Figures of `mizzle.test`, `estimate(given=)`, `lagged`, `difference` and `check`, in nats. The pages "
    "of the questions say what each of them is for: [chance](significance.md), [conditions](conditional.md), "
    "[lags](lags.md), [differences](difference.md), [verdicts](verdict.md). Times in seconds and ms may be "
    "of a machine that had other work; ratios to an estimate are of an idle one (the part `speed`)."
)


def _provenance(results: Sequence[Row]) -> str:
    if not results:
        return "No full result of `python benchmarks/all_questions.py` is in the tree yet."
    machines = sorted({"{cores} cores ({processor})".format(**result["machine"]) for result in results})
    peers = sorted({f"{name} {found}" for result in results for name, found in result["peers"].items()})
    files = [[_link(result["file"]), result["weights"]["sha256"][:12]] for result in results]
    text = f"Measured by `python benchmarks/all_questions.py` on {', '.join(machines)}"
    return f"{text}, beside {', '.join(peers)}:\n\n{table(['all figures', 'weights'], files)}"


def _link(name: str) -> str:
    return f"[{name}](../../benchmarks/results/{name})"


def _table(part: Part, rows: Iterable[Row]) -> str:
    body = [[_cell(row.get(key), written) for _, key, written in part.columns] for row in rows]
    return table([head for head, _, _ in part.columns], body)


def _cell(value: Any, written: Cell) -> str:
    return "-" if value is None else written(value).replace("|", "\\|")


def _count(value: int) -> str:
    return f"{value:,}"


def _yes(value: bool) -> str:
    return "yes" if value else "**no**"


def _share(value: float) -> str:
    return percent(value, 1)


_TESTS: Final = (
    ("samples", "samples", str),
    ("test", "test", str),
    ("how many", "count", _count),
    ("called dependent", "rejected", _share),
    ("standard error", "stderr", _share),
    ("seconds a test", "s", number),
)
PARTS: Final = (
    Part(
        "significance",
        "Could it be chance?",
        "Share of samples of 500 rows with p of at most 0.05, of 99 surrogates each:",
        _TESTS,
    ),
    Part(
        "significance_peers",
        "",
        "Beside the permutation test of infomeasure (Kraskov's estimator, k = 4), on the same arrays:",
        _TESTS,
    ),
    Part(
        "significance_given",
        "",
        "Given z, by local permutations, 300 rows: sides that share z alone, and that share something else "
        "besides; beside tigramite's test with as many permutations:",
        _TESTS,
    ),
    Part(
        "significance_speed",
        "",
        "Time of one test, and how many estimates that is:",
        (
            ("rows", "rows", _count),
            ("surrogates", "n", _count),
            ("ms an estimate", "estimate_ms", number),
            ("ms a test", "test_ms", number),
            ("ratio", "ratio", number),
        ),
    ),
    Part(
        "conditional",
        "Does it hold given others?",
        "Kinds of triples that no training had, and those of the training from another seed: coverage of the "
        "90 % interval, mean absolute error, mean width, and the mean estimate where the truth is 0:",
        (
            ("triples", "kind", str),
            ("n", "n", _count),
            ("mean truth", "truth", number),
            ("coverage", "coverage", number),
            ("error", "error", number),
            ("width", "width", number),
            ("mean at 0", "at 0", number),
        ),
    ),
    Part(
        "given_speed",
        "",
        "Time of an estimate where one column is given, and how many plain estimates that is:",
        (
            ("rows", "rows", _count),
            ("ms an estimate", "estimate_ms", number),
            ("ms given", "given_ms", number),
            ("ratio", "ratio", number),
        ),
    ),
    Part(
        "conditional_peers",
        "",
        "Mean absolute error and time beside others, on the same arrays:",
        (
            ("triples", "kind", str),
            ("n", "n", _count),
            ("estimator", "estimator", str),
            ("error", "error", number),
            ("ms", "ms", number),
        ),
    ),
    Part(
        "couplings",
        "At which lag?",
        "How often the largest of 41 estimates is that of the true lag:",
        (
            ("response", "kind", str),
            ("series", "draws", _count),
            ("rows", "rows", _count),
            ("mizzle", "lag_recovered", _share),
            ("ennemi", "ennemi", _share),
        ),
    ),
    Part(
        "rejections",
        "",
        "How often independent series pass the shift test at 5 %:",
        (
            ("series", "kind", str),
            ("how many", "draws", _count),
            ("rows", "rows", _count),
            ("at lag 0", "rejected_at_lag_0", _share),
            ("mean of 11 lags", "rejected_mean_of_lags", _share),
            ("standard error at lag 0", "stderr", _share),
        ),
    ),
    Part(
        "lags_speed",
        "",
        "Processor time in units of one estimate of as many rows:",
        (
            ("rows", "rows", _count),
            ("41 lags", "lagged_per_estimate_processor", number),
            ("41 lags by ennemi", "ennemi_per_estimate_processor", number),
            ("a difference", "difference_per_estimate_processor", number),
        ),
    ),
    Part(
        "difference",
        "Which of two tells more?",
        "Coverage of the 90 % interval of the difference, and its errors, by kind of draw:",
        (
            ("draws", "kind", str),
            ("how many", "draws", _count),
            ("coverage", "coverage", _share),
            ("standard error", "stderr", _share),
            ("right sign", "right_sign", _share),
            ("mean error", "mean_error", number),
            ("root mean square error", "rms_error", number),
        ),
    ),
    Part(
        "verdict",
        "Can I trust it?",
        "Wrong answers, whose interval misses the truth by more than its own width, and right ones that were "
        "checked; and processor time of a check in estimates:",
        (
            ("problems", "group", str),
            ("wrong", "wrong", _count),
            ("of these called unreliable", "recall", number),
            ("right", "right", _count),
            ("of these called unreliable", "false_alarms", number),
            ("area under the curve", "area", number),
            ("estimates a check", "ratio", number),
        ),
    ),
    Part(
        "memory",
        "Memory",
        "Peak of the resident memory above what the process held, with columns and weights, before that:",
        (
            ("question", "question", str),
            ("rows", "rows", _count),
            ("MiB before", "start_mib", number),
            ("MiB above", "above_mib", number),
            ("at most 300", "holds", _yes),
        ),
    ),
)
