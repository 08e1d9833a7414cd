"""The measured part of `docs/scale.md`: scaling over workers, and the large table, from the newest result."""

from page_tables import number, percent, table
from results import Row


def section(result: Row) -> str:
    """Strong and weak scaling as measured, and the simulation up to 1,000 workers; "" without a result."""
    if not result:
        return ""
    about = result["machine"]
    text = (
        f"Measured on {result['date']} by `python benchmarks/scale.py` on {about['cores']} cores "
        f"({about['processor']}; [all figures](../benchmarks/results/{result['file']})). Strong scaling is "
        "of one table, weak scaling of as many more pairs as workers:"
    )
    head = ["", "executor", "workers", "columns", "pairs", "s", "pairs a second"]
    body = [
        [name, row["executor"], *(f"{row[key]:,}" for key in ("workers", "columns", "pairs")), *_rates(row)]
        for name in ("strong", "weak")
        for row in result[name]
    ]
    return "\n\n".join([text, table(head, body), _about_simulation(result), _simulated(result)])


def _rates(row: Row) -> tuple[str, str]:
    return number(row["seconds"]), f"{row['pairs_a_second']:,.0f}"


def _about_simulation(result: Row) -> str:
    network, tile = result["network"], result["tile"]
    milliseconds = 1e3 * sum(tile["pair_seconds"]) / len(tile["pair_seconds"])
    return (
        f"20,000 columns of {tile['rows']:,} rows by more workers, **simulated** from "
        f"{number(milliseconds)} ms a pair (and {number(1e6 * tile['score_seconds'])} µs in the cheap pass), "
        f"one process that takes {number(1e3 * network['driver'])} ms to write a tile, "
        f"{network['gigabits']:g} Gbit/s, "
        f"{network['failures']:g} failures of a worker an hour, and {result['price']:g} a core's hour:"
    )


def _simulated(result: Row) -> str:
    head = ["pairs", "workers", "hours", "of the time at work", "tiles lost", "core hours", "cost"]
    body = [
        [
            f"{row['pairs']:,}{' (screened)' if row['screened'] else ''}",
            f"{row['workers']:,}",
            number(row["hours"]),
            percent(row["efficiency"]),
            str(row["lost_tiles"]),
            f"{row['core_hours']:,.0f}",
            f"{row['cost']:,.0f}",
        ]
        for row in result["simulated"]
    ]
    return table(head, body)
