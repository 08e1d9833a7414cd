"""The list of all statistics, and what follows from it: channels of every token, header of the weights."""

from itertools import accumulate
from typing import Any

from mizzle.model.statistics import (
    columns,
    edges,
    local_information,
    moments,
    neighbourhoods,
    neighbours,
    nonlinear,
    queries,
    sizes,
    variates,
)
from mizzle.model.statistics.statistic import EVERY, Kind, Statistic

OVERALL = "overall"  # the global token

KINDS: tuple[Kind, ...] = (
    Kind("rows", f"query row, {queries.ROWS} of them", neighbours.token_mask),
    Kind("columns", "column", columns.mask),
    Kind("spectrum", "canonical correlation", moments.spectrum_mask),
    Kind("edges", edges.EACH, edges.mask),
)

# In the order of their channels, in tokens as in the global one. Weights know channels by their places: a new
# statistic comes last, so that weights which know fewer can be trained on.
STATISTICS: tuple[Statistic, ...] = (
    columns.COLUMNS,
    neighbours.ROW_NEIGHBOURS,
    moments.SPECTRUM,
    moments.COUPLING,
    variates.PLANE_NEIGHBOURS,
    edges.PAIRS,
    sizes.SIZES,
    nonlinear.NONLINEAR,
    local_information.LOCAL_INFORMATION,
    neighbourhoods.GEOMETRY,
)

# Settings as they stand in the headers of 0.9, so that these stay the same to the byte; others follow them.
_FIRST_SETTINGS = (
    *("ridges", "bins", "neighbours", "queries", "rows", "pooled", "edges", "fine_bins", "variates"),
    *("few_columns", "partial_ridges", "norm_ridge", "plane", "functions"),
)

AVERAGED = ("pooled", "queries")  # settings that say over how many rows statistics are averaged


def kinds() -> tuple[str, ...]:
    """Names of the kinds of tokens."""
    return tuple(kind.name for kind in KINDS)


def of_kind(kind: str) -> list[Statistic]:
    """The statistics that have channels in this kind of token."""
    return [statistic for statistic in STATISTICS if statistic.token in (kind, EVERY)]


def widths(token: str) -> dict[str, int]:
    """Number of channels of each statistic in a kind of token or in the global one, in order."""
    if token == OVERALL:
        return {entry.name: sum(entry.pooled.values()) for entry in STATISTICS if entry.pooled}
    return {entry.name: sum(entry.channels.values()) for entry in of_kind(token)}


def channels(token: str) -> int:
    """Number of channels of a kind of token, or of the global one."""
    return sum(widths(token).values())


def places(token: str) -> dict[str, slice]:
    """The slice of channels that each statistic has in a kind of token or in the global one."""
    sizes = widths(token)
    stops = accumulate(sizes.values())
    return {name: slice(stop - sizes[name], stop) for name, stop in zip(sizes, stops, strict=True)}


def settings() -> dict[str, Any]:
    """The numbers that all statistics depend on, for the header of weights."""
    merged = {name: value for entry in STATISTICS for name, value in entry.settings.items()}
    order = dict.fromkeys((*_FIRST_SETTINGS, *merged))
    return {name: merged[name] for name in order if name in merged}
