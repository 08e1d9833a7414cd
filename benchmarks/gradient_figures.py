"""The pictures of the page of gradients."""

import numpy as np
from matplotlib.figure import Figure
from results import Row

INK = "#1f3b57"


def projections(result: Row) -> Figure | None:
    """|cos| against steps: a panel a response, a line a start."""
    rows = result.get("projections", [])
    if not rows:
        return None
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    figure = Figure(figsize=(3.2 * len(kinds), 2.6), layout="constrained")
    for i, kind in enumerate(kinds):
        axes = figure.add_subplot(1, len(kinds), i + 1)
        own = [row for row in rows if row["kind"] == kind]
        for row in own:
            axes.plot(20 * np.arange(len(row["cosines"])), row["cosines"], color=INK, lw=1, alpha=0.7)
        axes.axhline(own[0]["goal"], color="#d1495b", lw=0.8, ls="--")
        axes.set(title=kind, xlabel="steps", ylabel="|cos|" if i == 0 else "", ylim=(0, 1.02))
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def plane(result: Row) -> Figure | None:
    """I(X;T) against I(T;Y), a line a layer through the epochs, with both intervals at the last one."""
    rows = [row for row in result.get("plane", []) if row["start"] == 0]
    if not rows:
        return None
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for layer, color in zip((1, 2, 3), (INK, "#2a9d8f", "#d1495b"), strict=True):
        own = [row for row in rows if row["layer"] == layer]
        x, y = ([row[key][0] for row in own] for key in ("of_x", "of_y"))
        axes.plot(x, y, color=color, lw=1, marker="o", ms=3, label=f"layer {layer}")
        for row in own:
            axes.annotate(str(row["epoch"]), (row["of_x"][0], row["of_y"][0]), fontsize=6, color=color)
        (left, right), (low, high) = own[-1]["of_x"][1:], own[-1]["of_y"][1:]
        axes.plot([left, right], [y[-1], y[-1]], color=color, lw=3, alpha=0.3)
        axes.plot([x[-1], x[-1]], [low, high], color=color, lw=3, alpha=0.3)
    axes.axhline(np.log(10), color="gray", lw=0.8, ls="--")
    axes.set(xlabel="I(X;T) in nats, T with noise .1", ylabel="I(T;Y) in nats")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
