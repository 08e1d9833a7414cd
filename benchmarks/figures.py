"""The pictures of the page of measurements, from the newest full results alone.

    python benchmarks/figures.py [--results FOLDER] [--out FOLDER]

What the results lack is left out, so that every kind of result may be made on its own.
"""

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import gradient_figures
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from names import METHODS, SUITES
from results import RESULTS, Row, Rows, read_newest

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "figures"
INK, WARN, PALE = "#1f3b57", "#d1495b", "#8a99a8"
# Colours of methods and of suites; those without are not drawn.
OF_METHODS: Final[Mapping[str, str]] = {
    "mizzle": "#d1495b",
    "ksg": "#1f3b57",
    "mixed-ksg": "#7a9cc6",
    "copula": "#6a994e",
    "copula-shrunk": "#b5c99a",
    "mist": "#bc6c25",
    "mine": "#9a6fb0",
    "infonce": "#e0a458",
}
OF_SUITES: Final[Mapping[str, str]] = {
    "prior": "#1f3b57",
    "mist-seen": "#7a9cc6",
    "mist-unseen": "#6a994e",
    "bmi": "#bc6c25",
    "held-out-any-n": "#d1495b",
}
MIN_PROBLEMS = 10  # problems behind a dot


def main() -> None:
    """Draws everything that the results allow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (kind, draw) in FIGURES.items():
        figure = draw(read_newest(kind, options.results))
        if figure is not None:
            # No software version in the file: the same numbers make the same picture.
            figure.savefig(options.out / f"{name}.png", dpi=130, metadata={"Software": None})
            print(f"drawn: {name}.png")


def reliability(result: Row) -> Figure | None:
    """Nominal level against the share of truths at or below the quantile."""
    rows = [row for row in result.get("reliability", []) if row["suite"] in OF_SUITES]
    if not rows:
        return None
    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
    axes = _axes(figure, "nominal level", "share of true values at or below the quantile")
    levels = result["reliability_levels"]
    axes.plot((0, 1), (0, 1), color=PALE, lw=1, zorder=1)
    for suite, colour in OF_SUITES.items():
        for row in rows:
            if row["suite"] == suite:
                axes.plot(
                    levels, row["shares"], "o-", color=colour, ms=3.5, lw=1.4, label=SUITES[suite].title
                )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return figure


def error_by_rows(result: Row) -> Figure | None:
    """Mean absolute error against n: the BMI tasks, and draws of the prior."""
    panels = [("bmi", "40 tasks of BMI"), ("prior", "draws of the training distribution")]
    panels = [(suite, title) for suite, title in panels if _scores(result, suite, "n")]
    if not panels:
        return None
    figure = Figure(figsize=(4.6 * len(panels), 4.2), layout="constrained")
    for place, (suite, title) in enumerate(panels, start=1):
        axes = _axes(figure, "rows n", "mean absolute error (nats)", (1, len(panels), place))
        _error_lines(axes, _scores(result, suite, "n"))
        axes.set_title(title, fontsize=10)
        _plain_ticks(axes)
    figure.axes[0].legend(frameon=False, fontsize=8)
    return figure


def coverage_by_family(result: Row) -> Figure | None:
    """Coverage of the 90 % interval, one dot a family; the bar is two standard errors."""
    rows = [row for suite in ("prior", "held-out-any-n") for row in _scores(result, suite, "family")]
    rows = [row for row in rows if row["method"] == "mizzle" and row["answered"] >= MIN_PROBLEMS]
    if not rows:
        return None
    rows.sort(key=lambda row: (row["held_out"], -row["cover90"]))
    figure = Figure(figsize=(7.2, 1.4 + 0.2 * len(rows)), layout="constrained")
    axes = _axes(figure, "share of true values inside the 90 % interval", "")
    axes.axvline(0.9, color=PALE, lw=1)
    for place, row in enumerate(reversed(rows)):
        spread = 2 * math.sqrt(row["cover90"] * (1 - row["cover90"]) / row["answered"])
        colour = WARN if row["held_out"] else INK
        ends = (max(0.0, row["cover90"] - spread), min(1.0, row["cover90"] + spread))
        axes.plot(ends, (place, place), color=colour, lw=1.5, alpha=0.5)
        axes.plot(row["cover90"], place, "o", color=colour, ms=5)
    axes.set_yticks(range(len(rows)), [row["group"] for row in reversed(rows)], fontsize=8)
    axes.set(xlim=(min(0.5, *(row["cover90"] for row in rows)) - 0.02, 1.01), ylim=(-0.7, len(rows) - 0.3))
    axes.plot([], [], "o", color=INK, label="in the training distribution")
    axes.plot([], [], "o", color=WARN, label="held out of it")
    figure.legend(frameon=False, fontsize=9, loc="outside upper center", ncols=2)
    return figure


def independent(result: Row) -> Figure | None:
    """Mean estimate on independent normal samples: everybody at n = 1000, and ours at every n.

    Sides of unequal width stand in the table of the page of measurements.
    """
    rows = [row for row in result.get("independent", []) if len(set(row["columns"].split("+"))) == 1]
    if not rows:
        return None
    figure = Figure(figsize=(9.2, 4.2), layout="constrained")
    axes = _axes(figure, "columns of either side", "mean estimate (nats); the truth is 0", (1, 2, 1))
    for method, colour in OF_METHODS.items():
        points = [(_side(row), row[method]) for row in rows if row["n"] == 1000 and method in row]
        if points:
            name = METHODS[method]
            axes.plot(*zip(*points, strict=True), "o-", color=colour, ms=4, lw=1.5, label=name)
    axes.set_title("n = 1000", fontsize=10)
    axes.set_yscale("symlog", linthresh=0.01)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(frameon=False, fontsize=8)
    axes = _axes(figure, "columns of either side", "", (1, 2, 2))
    for n, shade in zip(sorted({row["n"] for row in rows}), (0.4, 0.7, 1.0), strict=False):
        own = [row for row in rows if row["n"] == n]
        error = [2 * row["mizzle_se"] for row in own]
        across, up = [_side(row) for row in own], [row["mizzle"] for row in own]
        axes.errorbar(across, up, error, fmt="o-", color=WARN, alpha=shade, ms=4, lw=1.5, label=f"n = {n}")
    axes.set_title("mizzle (bars: two standard errors)", fontsize=10)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    return figure


def normals(result: Row) -> Figure | None:
    """Relative bias on k independent normal pairs of correlation rho, unmixed and mixed, n = 1000."""
    rows = [row for row in result.get("normals", []) if row["n"] == 1000]
    if not rows:
        return None
    figure = Figure(figsize=(9.2, 4.0), layout="constrained")
    for place, mixed in enumerate((False, True), start=1):
        axes = figure.add_subplot(1, 2, place)
        _heat(axes, [row for row in rows if row["mixed"] == mixed])
        axes.set_title("each side rotated at random" if mixed else "side by side", fontsize=10)
    figure.suptitle("normal pairs, n = 1000: mean estimate / truth (coverage of 90 %)", fontsize=10)
    return figure


def duration(result: Row) -> Figure | None:
    """Seconds of one estimate against n and against the columns of either side."""
    panels = [(key, label) for key, label in (("n", "rows n"), ("dim", "columns of either side"))]
    panels = [(key, label) for key, label in panels if result.get(f"by_{key}")]
    if not panels:
        return None
    figure = Figure(figsize=(4.6 * len(panels) + 1.8, 4.0), layout="constrained")
    for place, (key, label) in enumerate(panels, start=1):
        rows = result[f"by_{key}"]
        axes = _axes(figure, label, "seconds for one estimate, one core", (1, len(panels), place))
        for method, colour in OF_METHODS.items():
            field, name = "ours" if method == "mizzle" else method, METHODS[method]
            points = [(row[key], row[field]) for row in rows if row.get(field) is not None]
            if points:
                axes.plot(*zip(*points, strict=True), "o-", color=colour, ms=4, lw=1.5, label=name)
        other = rows[0].get("dim" if key == "n" else "n")
        axes.set_title(f"{other} + {other} columns" if key == "n" else f"n = {other}", fontsize=10)
        _plain_ticks(axes)
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, fontsize=8, loc="outside right center")
    return figure


def scaling(result: Row) -> Figure | None:
    """Pinball loss of the whole design against data sets and against parameters, at equal steps."""
    rows = result.get("designs", [])
    if not rows:
        return None
    whole = [row for row in rows if row["design"] == "all axes"]
    panels = {
        "data sets": [(result["data_sets"] * row["share"], row) for row in rows if _is_whole(row)],
        "parameters": [(r["parameters"], r) for r in rows if r["design"].startswith("width")]
        + [(row["parameters"], row) for row in whole],
    }
    figure = Figure(figsize=(9.2, 3.8), layout="constrained")
    for place, (label, points) in enumerate(panels.items(), start=1):
        axes = _axes(figure, label, "pinball loss, fresh draws" if place == 1 else "", (1, 2, place))
        for across, row in points:
            axes.plot(across, row["validation_pinball"], "o", color=WARN, ms=5)
        losses = [row["validation_pinball"] for _, row in points]
        # An axis fitted to the dots would make noise look like a trend.
        axes.set(xscale="log", ylim=(0.8 * min(losses), 1.2 * max(losses)))
        _plain(axes.xaxis)
    return figure


def _is_whole(row: Row) -> bool:
    """Whether it is the whole design, on whatever share of the data."""
    return bool(row["design"] == "all axes" or row["design"].endswith("of the data"))


FIGURES: Final[Mapping[str, tuple[str, Callable[[Row], Figure | None]]]] = {
    "reliability": ("accuracy", reliability),
    "error_by_rows": ("accuracy", error_by_rows),
    "coverage_by_family": ("accuracy", coverage_by_family),
    "independent": ("accuracy", independent),
    "normals": ("accuracy", normals),
    "time": ("speed", duration),
    "scaling": ("designs", scaling),
    "projections": ("gradients", gradient_figures.projections),
    "plane": ("gradients", gradient_figures.plane),
}


def _axes(figure: Figure, across: str, up: str, place: tuple[int, int, int] = (1, 1, 1)) -> Axes:
    axes = figure.add_subplot(*place)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _scores(result: Row, suite: str, by: str) -> Rows:
    return [row for row in result.get("scores", []) if row["suite"] == suite and row["by"] == by]


def _error_lines(axes: Axes, rows: Rows) -> None:
    """One line a method; a hollow dot where it did not answer every problem that others did."""
    complete = {row["group"]: row["answered"] for row in rows if row["method"] == "ksg"}
    for method, colour in OF_METHODS.items():
        own = [row for row in rows if row["method"] == method and row["answered"] >= MIN_PROBLEMS]
        own.sort(key=_middle)
        across, up = [_middle(row) for row in own], [row["mae"] for row in own]
        if own:
            axes.plot(across, up, "-", color=colour, lw=1.5, label=METHODS[method])
        for row, a, u in zip(own, across, up, strict=True):
            whole = row["answered"] >= complete.get(row["group"], 0)
            axes.plot(a, u, "o", color=colour, ms=5, mfc=colour if whole else "white")


def _middle(row: Row) -> float:
    """n, or the geometric middle of a bin of n."""
    ends = [float(part) for part in row["group"].split("-")]
    return math.sqrt(ends[0] * ends[-1])


def _side(row: Row) -> int:
    return int(row["columns"].split("+")[0])


def _heat(axes: Axes, rows: Rows) -> None:
    across, down = (sorted({row[key] for row in rows}) for key in ("rho", "pairs"))
    cells = {(row["pairs"], row["rho"]): row for row in rows}
    ratio = np.array([[cells[k, rho]["mean"] / cells[k, rho]["truth"] for rho in across] for k in down])
    axes.imshow(ratio, cmap="RdBu_r", vmin=0.0, vmax=2.0, aspect="auto", alpha=0.8)
    for i, k in enumerate(down):
        for j, rho in enumerate(across):
            text = f"{ratio[i, j]:.2f}\n({cells[k, rho]['cover90']:.2f})"
            axes.text(j, i, text, ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(across)), [str(rho) for rho in across])
    axes.set_yticks(range(len(down)), [str(k) for k in down])
    axes.set(xlabel="correlation of each pair", ylabel="pairs k")


def _plain_ticks(axes: Axes) -> None:
    """Logarithmic in both directions."""
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        _plain(axis)


def _plain(axis: Axis) -> None:
    """1, 2, 5, 10 instead of powers."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


if __name__ == "__main__":
    main()
