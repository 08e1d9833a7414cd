"""The page `docs/attacks.md`: every attack on a running service, its bound, and what was measured.

`readme.py` writes it, from the newest full result of `load.py --attack`.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from page_tables import table
from results import Row, Rows

TITLES: Final = {
    1: "Memory",
    2: "A worker that hangs",
    3: "Connections",
    4: "Fairness",
    5: "Bursts and overload",
    6: "The disk of the jobs",
    7: "Weights",
    8: "A hostile server against the client",
    9: "Requests that cost more than they look",
    10: "Bytes, clocks and files",
}
_VERDICTS: Final = {True: "yes", False: "**no**"}


def page(result: Row) -> str:
    """The whole page."""
    parts = ["# The service under attack", _INTRODUCTION, *_provenance(result)]
    for part, rows in groupby(result.get("attacks", ()), lambda row: int(row["part"])):
        parts += [f"## {TITLES[part]}", _rows(list(rows))]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION: Final = (
    "An audit tried to break the service: floods, kills, bodies that grow, files that are damaged, callers "
    "who take everything. What it broke was mended, and this page says how each attempt ends now. Attackers, "
    "honest callers and the service share one machine, so that times are upper bounds; what attacks by "
    "connections comes from another address of the loopback network than who is to be answered meanwhile. "
    "[Running the service](service.md) says which setting is behind which bound."
)


def _provenance(result: Row) -> Iterator[str]:
    if not result:
        return
    verdicts = [row["holds"] for row in result["attacks"]]
    made = [verdict for verdict in verdicts if isinstance(verdict, bool)]
    machine, file = result["machine"], result["file"]
    skipped = f"; {len(verdicts) - len(made)} could not be made there" if len(made) < len(verdicts) else ""
    yield (
        f"Measured on {result['date']} by `python benchmarks/load.py --attack` with the weights "
        f"`{result['weights']['sha256'][:12]}` on {machine['cores']} cores ({machine['processor']}), in "
        f"{result['minutes']:.1f} minutes: {sum(made)} of {len(made)} bounds hold{skipped} "
        f"([all figures](../benchmarks/results/{file}))."
    )


def _rows(rows: Rows) -> str:
    body = [[*(_cell(row[key]) for key in ("attack", "bound", "measured")), _verdict(row)] for row in rows]
    return table(["attack", "bound", "measured", "holds"], body)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _verdict(row: Row) -> str:
    holds = row["holds"]
    return _VERDICTS[holds] if isinstance(holds, bool) else _cell(holds)
