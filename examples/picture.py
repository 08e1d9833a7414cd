"""Draw the answers of `questions.py` as dots with 50 % and 90 % intervals.

python examples/picture.py docs/breast_cancer.png
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure
from questions import QUESTIONS, TARGET, pairs

import mizzle
from mizzle import Estimate

_INK, _DOT = "#1f3b57", "#d1495b"


def main() -> None:
    """Estimate here, draw, save."""
    figure = draw(mizzle.estimate_many(pairs()))
    figure.savefig(Path(sys.argv[1]), dpi=150)


def draw(estimates: list[Estimate]) -> Figure:
    """One line a question, the strongest dependence on top."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.add_subplot()
    order = sorted(zip(estimates, QUESTIONS, strict=True), key=lambda item: item[0].mi)
    for place, (estimate, _) in enumerate(order):
        for level, width in ((0.9, 2.0), (0.5, 6.0)):
            axes.plot(estimate.interval(level), (place, place), color=_INK, lw=width, solid_capstyle="butt")
        axes.plot(estimate.mi, place, "o", color=_DOT, ms=6, zorder=3)
    axes.set_yticks(range(len(order)), [" + ".join(names) for _, names in order])
    axes.set_xlabel(f"mutual information with {TARGET[0]} (nats): mean, 50 % and 90 % interval")
    axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


if __name__ == "__main__":
    main()
