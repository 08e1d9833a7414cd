"""Tables and paragraphs on accuracy and calibration, for the README and the page of measurements.

Their source is the result of `accuracy.py`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from names import METHODS, SUITES
from results import Row, Rows

SHOWN_METHODS = ("mizzle", "ksg", "mixed-ksg", "copula", "mine", "infonce")  # the others are in the results
PLAIN_RHO = 0.5
PLAIN_ROWS = 1000
SURELY = 3.0  # standard errors below 90 % of a family that is named: of a hundred fewer than one by chance
MIN_PROBLEMS = 10  # of a family that may be named, or behind a peer's error
MAX_NAMED = 15  # families that are named

Methods = dict[str, Row]  # scores by method
ERRORS_LEGEND = (
    "**Mean absolute error** of the point estimate. In brackets, where a method answered only some of the "
    "problems: how many, and mizzle's error on those."
)


def errors(result: Row) -> str:
    """Mean absolute errors of all methods: a row for every suite and range of n. Empty without results."""
    rows = [row for suite in SUITES for row in _by_rows(result, suite)]
    return _errors_table(rows)


def pooled_errors(result: Row) -> str:
    """Mean absolute errors of all methods over whole suites, a row each. Empty without results."""
    rows = [
        (_title(suite, _whole_range(result, suite)), methods)
        for suite in SUITES
        for methods in groups(result, suite, "all").values()
    ]
    return _errors_table(rows)


def _by_rows(result: Row, suite: str) -> Iterator[tuple[str, Methods]]:
    entry = SUITES[suite]
    if entry.by_rows:
        for group, methods in groups(result, suite, "n").items():
            yield _title(suite, _range(group, entry.max_rows)), methods
    else:
        for methods in groups(result, suite, "all").values():
            yield _title(suite, _whole_range(result, suite)), methods


def _errors_table(rows: Sequence[tuple[str, Methods]]) -> str:
    if not rows:
        return ""
    compared = [m for m in SHOWN_METHODS if any(m in methods for _, methods in rows)]
    head = ["problems", "number", *(METHODS[m] for m in compared)]
    body = [
        [name, f"{methods['mizzle']['answered']:,}", *(_error(methods, m) for m in compared)]
        for name, methods in rows
    ]
    return table(head, body)


def _title(suite: str, rows: str | None) -> str:
    return f"{SUITES[suite].title}, n = {rows}" if rows else SUITES[suite].title


def _whole_range(result: Row, suite: str) -> str | None:
    """The smallest and the largest n of a suite."""
    entry = SUITES[suite]
    if not entry.by_rows:
        return _range(entry.rows, None) if entry.rows else None
    ends = [int(end) for group in groups(result, suite, "n") for end in group.split("-")]
    return _range(f"{min(ends)}-{max(ends)}", entry.max_rows) if ends else None


def _error(methods: Mapping[str, Row], method: str) -> str:
    row = methods.get(method, {"answered": 0})
    if row["answered"] < min(MIN_PROBLEMS, methods["mizzle"]["answered"]):
        return "-"
    if row["answered"] == methods["mizzle"]["answered"]:
        return number(row["mae"])
    return f"{number(row['mae'])} ({row['answered']:,}; {number(row['ours_mae'])})"


def squares(result: Row) -> str:
    """Mean squared errors, the score of MIST's paper, over its ranges of n. Empty without results."""
    parts = []
    for suite in ("mist-seen", "mist-unseen"):
        if by_rows := groups(result, suite, "n"):
            values = " / ".join(number(methods["mizzle"]["mse"]) for methods in by_rows.values())
            parts.append(f"{values} ({SUITES[suite].title.partition(', ')[2]})")
    text = f"Mean squared error of mizzle over the same ranges of MIST's sets: {', '.join(parts)}."
    return text if parts else ""


def coverage(result: Row) -> str:
    """How often the central intervals hold the true value, a row for every suite. Empty without results."""
    rows = [
        (entry.title, methods["mizzle"])
        for suite, entry in SUITES.items()
        if entry.coverage
        for methods in groups(result, suite, "all").values()
    ]
    if not rows:
        return ""
    head = ["how often the interval holds the true value", "number", "50 %", "80 %", "90 %", "95 %"]
    body = [
        [name, f"{row['answered']:,}", *(number(row[f"cover{level}"]) for level in (50, 80, 90, 95))]
        for name, row in rows
    ]
    return table(head, body)


def weak_spots(result: Row) -> str:
    """The families whose 90 % interval is surely too narrow, least covered first. Empty without any."""
    own = [
        (methods["mizzle"], group)
        for suite, entry in SUITES.items()
        if entry.named
        for group, methods in groups(result, suite, "family").items()
    ]
    own = [(row, group) for row, group in own if row["answered"] >= MIN_PROBLEMS and _too_sure(row)]
    if not own:
        return ""
    own.sort(key=lambda pair: pair[0]["cover90"])
    named = [
        f"{group} ({row['cover90']:.2f} of {row['answered']}; {row['bias']:+.2f})"
        for row, group in own[:MAX_NAMED]
    ]
    if len(own) > MAX_NAMED:
        named.append(f"and {len(own) - MAX_NAMED} more, which the results list")
    return (
        "**Do not trust it yet** on these families, where the 90 % interval held clearly fewer of the true "
        f"values (share of how many; mean error): {', '.join(named)}."
    )


def _too_sure(row: Row) -> bool:
    return bool(row["cover90"] + SURELY * math.sqrt(0.9 * 0.1 / row["answered"]) < 0.9)


def independent(result: Row) -> Iterator[str]:
    """Estimates on independent normal samples, whose truth is 0."""
    rows = result.get("independent", [])
    if not rows:
        return
    ns = sorted({row["n"] for row in rows})
    cells = {(row["columns"], row["n"]): row for row in rows}
    peers = [m for m in SHOWN_METHODS if m != "mizzle" and any(m in row for row in rows)]
    head = ["columns", *(f"n = {n:,}" for n in ns), *(f"{METHODS[m]}, n = {PLAIN_ROWS:,}" for m in peers)]
    body = [
        [
            columns,
            *(
                f"{number(cells[columns, n]['mizzle'])} ({percent(cells[columns, n]['false_signals'])})"
                for n in ns
            ),
            *(_optional(cells[columns, PLAIN_ROWS].get(m)) for m in peers),
        ]
        for columns in dict.fromkeys(row["columns"] for row in rows)
    ]
    yield (
        f"**Independent normal samples**, {rows[0]['answered']} a cell{_of_peers(rows)}: mean estimate where "
        "the truth is 0 (in brackets: how often the 5 % quantile lies above 0.02):"
    )
    yield table(head, body)
    yield "![Mean estimates on independent normal samples](figures/independent.png)"


def _of_peers(rows: Rows) -> str:
    answered = max(row.get("peers_answered", 0) for row in rows)
    return f", of which the others see {answered}" if answered else ""


def normals(result: Row) -> Iterator[str]:
    """Estimates on plain normal pairs, side by side and mixed."""
    rows = [row for row in result.get("normals", []) if row["rho"] == PLAIN_RHO]
    if not rows:
        return
    ns = sorted({row["n"] for row in rows})
    cells = {(row["pairs"], row["n"], row["mixed"]): row for row in rows}
    head = ["pairs", *(f"n = {n:,}" for n in ns), f"mixed inside a side, n = {PLAIN_ROWS:,}"]
    places = [*((n, False) for n in ns), (PLAIN_ROWS, True)]
    body = [
        [str(k), *(_cell(cells[k, n, mixed]) for n, mixed in places)]
        for k in sorted({row["pairs"] for row in rows})
    ]
    yield (
        f"**Independent normal pairs of correlation {PLAIN_RHO}**, side by side: mean estimate over truth "
        "(in brackets: coverage of the 90 % interval), over "
        f"{cells[1, ns[0], False]['answered']} samples a cell; [more](figures/normals.png):"
    )
    yield table(head, body)


def _cell(row: Row) -> str:
    return f"{row['mean'] / row['truth']:.2f} ({row['cover90']:.2f})"


def with_real_data(accuracy: Row, real: Row) -> Row:
    """The result of `accuracy.py`, with groups of `real_data.py` as suites and their kinds as families."""
    scores = [*accuracy.get("scores", [])]
    for row in real.get("scores", []):
        if row["by"] in ("group", "kind"):
            by, group = ("all", "all") if row["by"] == "group" else ("family", row["kind"])
            scores.append({**row, "suite": f"real {row['group']}", "by": by, "group": group})
    return {**accuracy, "scores": scores}


def groups(result: Row, suite: str, by: str) -> dict[str, Methods]:
    """Rows of one suite and grouping: by group, then by method."""
    groups: dict[str, Methods] = {}
    for row in result.get("scores", []):
        if row["suite"] == suite and row["by"] == by:
            groups.setdefault(row["group"], {})[row["method"]] = row
    return groups


def number(value: float) -> str:
    """About three digits."""
    return f"{value:.{3 if abs(value) < 1 else 2 if abs(value) < 10 else 1}f}"


def percent(share: float, digits: int = 0) -> str:
    """A share in percent."""
    return f"{100 * share:.{digits}f} %"


def _range(group: str, max_rows: int | None) -> str:
    """A number of rows, or the first and the last of a bin."""
    return " to ".join(f"{min(int(end), max_rows or int(end)):,}" for end in group.split("-"))


def _optional(value: float | None) -> str:
    return "-" if value is None else number(value)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
