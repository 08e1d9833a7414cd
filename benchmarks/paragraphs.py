"""The README's paragraphs on accuracy and calibration, from the result of `accuracy.py`."""

import math
from collections.abc import Iterator, Mapping, Sequence

from names import METHODS, SUITES
from results import Row, Rows

SHOWN = ("mizzle", "ksg", "mixed-ksg", "copula", "mine", "infonce")  # the other methods are in the results
MOST_ROWS = {"mist-seen": 500, "mist-unseen": 500}  # where the last bin ends
ERRORS_BY_ROWS = ("mist-seen", "mist-unseen", "bmi", "prior")
PLAIN_RHO = 0.5
PLAIN_ROWS = 1000
SURELY = 3.0  # standard errors below 90 % of a family that is named: of a hundred fewer than one by chance
FEWEST = 10  # problems of a family that may be named, or behind a peer's error
NAMED = 15  # families that are named


def errors(result: Row) -> Iterator[str]:
    rows = [
        (f"{SUITES[suite]}, n = {_range(group, MOST_ROWS.get(suite))}", methods)
        for suite in ERRORS_BY_ROWS
        for group, methods in groups(result, suite, "n").items()
    ]
    rows += [
        (f"{SUITES[suite]}, n = {_range(n, None)}", methods)
        for suite, n in (("held-out-any-n", "100-5000"), ("held-out-n1000", "1000"))
        for methods in groups(result, suite, "all").values()
    ]
    if not rows:
        return
    shown = [m for m in SHOWN if any(m in methods for _, methods in rows)]
    head = ["problems", "number", *(METHODS[m] for m in shown)]
    body = [
        [name, f"{methods['mizzle']['answered']:,}", *(_error(methods, m) for m in shown)]
        for name, methods in rows
    ]
    yield (
        "**Mean absolute error** of the point estimate. In brackets, where a method answered only some of "
        "the problems: how many, and mizzle's error on those."
    )
    yield table(head, body)
    yield _squares(result)
    yield "![Error against the number of rows](docs/figures/error_by_rows.png)"


def _error(methods: Mapping[str, Row], method: str) -> str:
    row = methods.get(method, {"answered": 0})
    if row["answered"] < min(FEWEST, methods["mizzle"]["answered"]):
        return "-"
    if row["answered"] == methods["mizzle"]["answered"]:
        return number(row["mae"])
    return f"{number(row['mae'])} ({row['answered']:,}; {number(row['ours_mae'])})"


def _squares(result: Row) -> str:
    """Mean squared errors, the score of MIST's paper, over its ranges of n."""
    parts = []
    for suite in ("mist-seen", "mist-unseen"):
        by_rows = groups(result, suite, "n").values()
        values = " / ".join(number(methods["mizzle"]["mse"]) for methods in by_rows)
        parts.append(f"{values} ({SUITES[suite].partition(', ')[2]})")
    return f"Mean squared error of mizzle over the same ranges of MIST's sets: {', '.join(parts)}."


def coverage(result: Row) -> Iterator[str]:
    rows = [
        (name, methods["mizzle"])
        for suite, name in SUITES.items()
        if suite != "held-out-n1000"
        for methods in groups(result, suite, "all").values()
    ]
    if not rows:
        return
    head = ["how often the interval holds the true value", "number", "50 %", "80 %", "90 %", "95 %"]
    body = [
        [name, f"{row['answered']:,}", *(number(row[f"cover{level}"]) for level in (50, 80, 90, 95))]
        for name, row in rows
    ]
    yield table(head, body)
    yield (
        "Intervals are calibrated on average over the training distribution, not for each true value.\n\n"
        "![Nominal levels against shares of true values](docs/figures/reliability.png)\n"
        "![Coverage of the 90 % interval by family](docs/figures/coverage_by_family.png)"
    )


def weak_spots(result: Row) -> Iterator[str]:
    """The families whose 90 % interval is surely too narrow, least covered first."""
    own = [
        (methods["mizzle"], group)
        for suite in ("prior", "held-out-any-n", "bmi")
        for group, methods in groups(result, suite, "family").items()
    ]
    own = [(row, group) for row, group in own if row["answered"] >= FEWEST and _too_sure(row)]
    if not own:
        return
    own.sort(key=lambda pair: pair[0]["cover90"])
    named = [
        f"{group} ({row['cover90']:.2f} of {row['answered']}; {row['bias']:+.2f})"
        for row, group in own[:NAMED]
    ]
    if len(own) > NAMED:
        named.append(f"and {len(own) - NAMED} more, which the results list")
    yield (
        "**Do not trust it yet** on these families, where the 90 % interval held clearly fewer of the true "
        f"values (share of how many; mean error): {', '.join(named)}."
    )


def _too_sure(row: Row) -> bool:
    return bool(row["cover90"] + SURELY * math.sqrt(0.9 * 0.1 / row["answered"]) < 0.9)


def independent(result: Row) -> Iterator[str]:
    rows = result.get("independent", [])
    if not rows:
        return
    ns = sorted({row["n"] for row in rows})
    cells = {(row["columns"], row["n"]): row for row in rows}
    peers = [m for m in SHOWN if m != "mizzle" and any(m in row for row in rows)]
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


def _of_peers(rows: Rows) -> str:
    seen = max(row.get("peers_answered", 0) for row in rows)
    return f", of which the others see {seen}" if seen else ""


def normals(result: Row) -> Iterator[str]:
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
        f"{cells[1, ns[0], False]['answered']} samples a cell; [more](docs/figures/normals.png):"
    )
    yield table(head, body)


def _cell(row: Row) -> str:
    return f"{row['mean'] / row['truth']:.2f} ({row['cover90']:.2f})"


def groups(result: Row, suite: str, by: str) -> dict[str, dict[str, Row]]:
    """Rows of one suite and grouping: by group, then by method."""
    groups: dict[str, dict[str, Row]] = {}
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


def _range(group: str, most: int | None) -> str:
    """A number of rows, or the first and the last of a bin."""
    return " to ".join(f"{min(int(end), most or int(end)):,}" for end in group.split("-"))


def _optional(value: float | None) -> str:
    return "-" if value is None else number(value)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
