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
