"""Pictures of estimates and tables, drawn with matplotlib; names are drawn as they are, never as formulas."""

from typing import Any

import numpy as np

from mizzle.data.arrays import FloatArray
from mizzle.tables.results import Matrix, PairResult, Ranking
from mizzle.types import Estimate

_COMMAND = "pip install 'mizzle[plot]'"
_INK, _PALE, _DOT = "#1f3b57", "#9db4c8", "#d1495b"
_LONGEST_NAME = 28
_MOST_LINES = 40  # of a ranking
_MOST_NUMBERS = 12  # variables up to which a matrix shows its numbers
_MOST_NAMES = 60  # variables up to which it shows their names
_SHARE_OF_NOISE = 0.05  # of the distribution below the threshold, from which a number is drawn pale


def estimate(shown: Estimate) -> Any:
    """The predictive distribution: how probable a smaller value is, with the 50 % and 90 % intervals."""
    figure = _figure(6.4, 3.4)
    axes = figure.add_subplot()
    axes.plot(shown.values, shown.levels, color=_INK, lw=2)
    for level, alpha in ((0.9, 0.12), (0.5, 0.22)):
        axes.axvspan(
            *shown.interval(level), color=_INK, alpha=alpha, lw=0, label=f"{100 * level:.0f} % interval"
        )
    axes.axvline(shown.mi, color=_DOT, lw=1.5, label=f"mean, {shown.mi:.3f} {shown.unit}")
    axes.set_xlabel(f"mutual information ({shown.unit})")
    axes.set_ylabel("probability of a smaller value")
    axes.set_ylim(0, 1)
    axes.set_xlim(left=min(0.0, *axes.get_xlim()) if shown.values[0] == 0 else None)
    axes.legend(frameon=False, loc="lower right")
    _plain(axes)
    return figure


def ranking(shown: Ranking) -> Any:
    """A line for every variable, strongest on top: mean, 50 % interval and the ranking's own."""
    pairs = [pair for pair in shown.pairs if pair.estimate is not None][:_MOST_LINES]
    figure = _figure(8, 1.2 + 0.28 * max(len(pairs), 2))
    axes = figure.add_subplot()
    for place, pair in enumerate(reversed(pairs)):
        _interval(axes, place, pair, shown.level)
    axes.set_yticks(range(len(pairs)), [_name(pair.x) for pair in reversed(pairs)], parse_math=False)
    axes.axvline(shown.threshold, color=_PALE, lw=1, ls="--", zorder=0)
    of = f", the strongest {len(pairs)} of {len(shown)}" if len(pairs) < len(shown) else ""
    what = f"mutual information with {_name(shown.target)} ({shown.unit}){of}"
    axes.set_xlabel(f"{what}: mean, 50 % and {100 * shown.level:.4g} % interval", parse_math=False)
    axes.set_xlim(left=0)
    axes.set_ylim(-0.7, len(pairs) - 0.3)
    _plain(axes)
    return figure


def matrix(shown: Matrix) -> Any:
    """A map of all pairs, variables that share much beside each other; colours by the root of the estimate.

    Of few variables the numbers are shown, pale where 5 % or more of the distribution is below the threshold.
    """
    from mizzle.display.formats import load

    values = shown.values
    order = similar(values)
    p = len(order)
    side = min(3.0 + 0.32 * p, 12.0)
    figure = _figure(side + 1.4, side)
    axes = figure.add_subplot()
    norm = load("matplotlib.colors", _COMMAND).PowerNorm(0.5, 0, max(_largest(values), shown.threshold))
    image = axes.imshow(np.ma.masked_invalid(values[np.ix_(order, order)]), cmap="Blues", norm=norm)
    names = [_name(shown.names[i]) for i in order] if p <= _MOST_NAMES else []
    axes.set_xticks(range(len(names)), names, rotation=90, parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.tick_params(length=0, labelsize=9 if p <= 32 else 6)
    axes.set_facecolor("#eeeeee")
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.8, label=f"mutual information ({shown.unit})")
    if p <= _MOST_NUMBERS:
        _numbers(axes, shown, order, norm)
    return figure


def similar(values: FloatArray) -> list[int]:
    """An order of the variables in which those that share much stand near each other.

    Average linkage (Sokal and Michener 1958) by information; clusters meet at the ends that share most.
    """
    share = np.nan_to_num(values)
    joint = share - np.diag(np.full(len(share), np.inf))
    groups = {i: [i] for i in range(len(share))}
    while len(groups) > 1:
        a, b = sorted(int(i) for i in np.unravel_index(joint.argmax(), joint.shape))
        sizes = len(groups[a]), len(groups[b])
        joint[a] = (joint[a] * sizes[0] + joint[b] * sizes[1]) / sum(sizes)
        joint[a, a] = -np.inf
        joint[:, a], joint[b], joint[:, b] = joint[a], -np.inf, -np.inf
        groups[a] = _joined(share, groups[a], groups.pop(b))
    return next(iter(groups.values()))


def _joined(share: FloatArray, left: list[int], right: list[int]) -> list[int]:
    """Two runs in a row, each turned so that the ends that meet share most."""
    ways = [(a, b) for a in (left, left[::-1]) for b in (right, right[::-1])]
    before, after = max(ways, key=lambda way: share[way[0][-1], way[1][0]])
    return before + after


def _numbers(axes: Any, shown: Matrix, order: list[int], norm: Any) -> None:
    for row, i in enumerate(order):
        for column, j in enumerate(order):
            pair = None if i == j else shown[shown.names[i], shown.names[j]]
            if pair is not None and pair.estimate is not None:
                pale = pair.estimate.below(shown.threshold) >= _SHARE_OF_NOISE
                colour = "white" if norm(pair.mi) > 0.6 else _PALE if pale else _INK
                axes.text(column, row, f"{pair.mi:.2f}", ha="center", va="center", color=colour, fontsize=8)


def _interval(axes: Any, place: int, pair: PairResult, level: float) -> None:
    """A dot and two bars."""
    assert pair.estimate is not None
    for of, width in ((level, 2.0), (min(0.5, level), 6.0)):
        axes.plot(pair.estimate.interval(of), (place, place), color=_INK, lw=width, solid_capstyle="butt")
    axes.plot(pair.mi, place, "o", color=_DOT, ms=5, zorder=3)


def _figure(width: float, height: float) -> Any:
    from mizzle.display.formats import load

    figure = load("matplotlib.figure", _COMMAND).Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    return figure


def _largest(values: FloatArray) -> float:
    return float(np.nan_to_num(values).max(initial=0.0))


def _name(name: str) -> str:
    """A name on one line, of bounded length."""
    plain = "".join(c if c.isprintable() else " " for c in name)
    return plain if len(plain) <= _LONGEST_NAME else plain[: _LONGEST_NAME - 2] + ".."


def _plain(axes: Any) -> None:
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
