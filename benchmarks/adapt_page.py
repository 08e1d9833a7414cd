"""The measured part of `docs/adapt.md`: what adapting gained on each table, from the newest result."""

from page_tables import number, percent, table
from results import Row

_GOAL = 0.6  # of the error before


def section(result: Row) -> str:
    """A table of all tables, and how it was measured; "" without a result."""
    if not result:
        return ""
    head = [
        "table",
        "error",
        "width",
        "coverage of 90 %",
        "error on its own prior",
        "steps",
        "s",
        "MiB",
        "goal",
    ]
    text = (
        f"`python benchmarks/adapt.py` ([all figures](../benchmarks/results/{result['file']}), weights "
        f"{result['weights']['sha256'][:12]}) adapts to one half of the rows of a table in "
        f"{result['minutes']:g} minutes on {result['machine']['cores']} cores, and judges on "
        f"{result['problems']} problems through maps of the other half, with another seed. Before, after, in "
        f"nats; the goal is an error of at most {_GOAL} of that before, and a coverage of 86 to 94 %:"
    )
    return f"{text}\n\n{table(head, [_line(row) for row in result['tables']])}"


def _line(row: Row) -> list[str]:
    changes = [_change(row[f"before_{key}"], row[f"after_{key}"]) for key in ("error", "width")]
    covered = f"{percent(row['before_coverage'])} → {percent(row['after_coverage'])}"
    prior = _change(row["prior_error_before"], row["prior_error_after"])
    return [
        row["table"] + (", cut short" if row["stopped"] else ""),
        *changes,
        covered,
        prior,
        *(str(row[key]) for key in ("steps", "seconds", "peak_mib")),
        _reached(row),
    ]


def _change(before: float, after: float) -> str:
    return f"{number(before)} → {number(after)}"


def _reached(row: Row) -> str:
    missed = [
        name
        for name, is_reached in (
            ("error", row["after_error"] <= _GOAL * row["before_error"]),
            ("coverage", 0.86 <= row["after_coverage"] <= 0.94),
        )
        if not is_reached
    ]
    return f"**misses {' and '.join(missed)}**" if missed else "yes"
