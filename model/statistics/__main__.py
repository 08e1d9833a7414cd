"""The table of statistics, for `docs/method.md`; given the path of a page, writes it into that page.

python -m mizzle.model.statistics [docs/method.md]
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from mizzle.model.statistics import registry
from mizzle.model.statistics.statistic import Statistic

BEGIN, END = "<!-- statistics:begin -->", "<!-- statistics:end -->"


def table() -> str:
    """All kinds of tokens, then all statistics, as two tables of Markdown."""
    kinds = [f"| {kind.name} | {kind.each} | {registry.channels(kind.name)} |" for kind in registry.KINDS]
    overall = f"| {registry.OVERALL} | sample | {registry.channels(registry.OVERALL)} |"
    lines = ["| token | one per | channels |", "|---|---|---|", *kinds, overall, ""]
    lines += [
        "| statistic | what it tells | token: its channels | in the global token |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_line, registry.STATISTICS)])


def _line(entry: Statistic) -> str:
    token = f"{entry.token}: {_groups(entry.channels)}" if entry.token else ""
    return f"| {entry.name} | {entry.about} | {token} | {_groups(entry.pooled)} |"


def _groups(channels: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {size}" for name, size in channels.items())


def with_table(page: str) -> str:
    """The text of a page with the table as it is now between its two marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


def main(arguments: list[str]) -> None:
    """Print the table, or write it into the pages that are named."""
    for path in map(Path, arguments):
        path.write_text(with_table(path.read_text()))
    if not arguments:
        print(table())


if __name__ == "__main__":
    main(sys.argv[1:])
