"""A picture of what data sets hold: truth, rows, columns, families."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from mizzle.errors import InvalidInput, MissingExtra
from mizzle.metadata_gen.store.summary import Summary, by_family

INK: Final = "#1f3b57"
BARS: Final = 50  # families with a bar of their own
_TICKS: Final = (0, 0.5, 1, 2, 5, 10, 20, 40)


def check(path: Path) -> None:
    """Check that a picture can be drawn there, before the work that it takes.

    Raises:
        MissingExtra: matplotlib is not installed.
        InvalidInput: its folder does not exist, or matplotlib knows no such format.
    """
    allowed = _figure().canvas.get_supported_filetypes()
    if path.suffix.lstrip(".").lower() not in allowed or not path.parent.is_dir():
        known = ", ".join(sorted(allowed))
        raise InvalidInput(
            f"no picture can be saved as {path}: its folder must exist, and its name end in one of {known}"
        )


def draw(summary: Summary, title: str, path: Path) -> None:
    """Draw four panels and save them to a file that `check` allows."""
    figure = _figure()
    figure.suptitle(title, fontsize=13, color=INK)
    panels = figure.subplots(2, 2).ravel()
    for panel, fill in zip(panels, (_truth, _rows, _columns, _families), strict=True):
        fill(panel, summary)
    figure.savefig(path, dpi=150)


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "matplotlib is not installed, and pictures need it: run pip install 'mizzle[train]'"
        ) from error
    return Figure(figsize=(11, 10), layout="constrained")


def _truth(axes: Any, summary: Summary) -> None:
    zero = summary.nats == 0.0
    shares, edges = np.histogram(np.log1p(summary.nats[~zero]), 60)
    _bars(axes, edges, 100.0 * shares / len(zero))
    ticks = [tick for tick in _TICKS if tick <= max(1.0, summary.nats.max())]
    axes.set_xticks(np.log1p(ticks), ticks)
    axes.set(title="True mutual information", xlabel="nats, spaced as log(1 + I)", ylabel="% of data sets")
    zero_share = f"exactly 0 (not shown): {zero.mean():.1%}"
    axes.annotate(zero_share, (0.98, 0.93), xycoords="axes fraction", ha="right", color=INK)


def _rows(axes: Any, summary: Summary) -> None:
    """Per doubling of n, because bins of whole numbers cannot be equally wide on this axis."""
    low, high = np.log10(summary.rows.min()), np.log10(summary.rows.max() + 1)
    edges = np.unique(np.round(np.logspace(low, high, 41)))
    shares = np.histogram(summary.rows, edges)[0] / len(summary.rows)
    axes.set_xscale("log")
    _bars(axes, edges, 100.0 * shares / np.diff(np.log2(edges)))
    ticks = [tick for tick in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000) if tick <= edges[-1]]
    axes.set_xticks(ticks, ticks)
    axes.minorticks_off()
    axes.set(title="Rows", xlabel="rows of a data set", ylabel="% of data sets per doubling")


def _bars(axes: Any, edges: Any, heights: Any) -> None:
    axes.bar(edges[:-1], heights, np.diff(edges), align="edge", color=INK, edgecolor="white", linewidth=0.5)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _columns(axes: Any, summary: Summary) -> None:
    from matplotlib.colors import LogNorm

    largest = max(summary.dim_x.max(), summary.dim_y.max())
    edges = np.arange(0.5, largest + 1)
    counts, _, _ = np.histogram2d(summary.dim_x, summary.dim_y, [edges, edges])
    share = np.ma.masked_equal(100.0 * counts.T / len(summary.rows), 0.0)
    image = axes.pcolormesh(edges, edges, share, norm=LogNorm(), cmap="Blues")
    axes.figure.colorbar(image, ax=axes, label="% of data sets")
    axes.set(title="Columns", xlabel="columns of X", ylabel="columns of Y")


def _families(axes: Any, summary: Summary) -> None:
    counts = sorted(by_family(summary.family).items(), key=lambda item: -item[1])
    if rest := counts[BARS:]:
        counts = [*counts[:BARS], (f"{len(rest)} others", sum(count for _, count in rest))]
    names, shares = [name for name, _ in counts], [100.0 * count / len(summary.rows) for _, count in counts]
    size = min(8.0, 260.0 / len(names))  # points that the panel has for each
    axes.bar_label(axes.barh(names, shares, color=INK), fmt="%.1f", padding=3, fontsize=size, color=INK)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelsize=size)
    axes.margins(x=0.08, y=0.01)
    axes.set(title="Families", xlabel="% of data sets")
    axes.spines[["top", "right", "left"]].set_visible(False)
