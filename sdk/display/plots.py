"""Pictures of estimates and tables, drawn with matplotlib; names are drawn as they are, never as formulas.

Everything here takes plain numbers, arrays and names; matplotlib is imported when something is drawn.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import FloatArray
from mizzle.extras import load

_COMMAND = "pip install 'mizzle[plot]'"
_INK, _PALE, _DOT = "#1f3b57", "#9db4c8", "#d1495b"
_SHADES = (0.12, 0.22)  # of a wide interval, and of a narrow one within it
_LONGEST_NAME = 28
_MAX_LINES = 40  # of a ranking
_MAX_NUMBERS = 12  # variables up to which a matrix shows its numbers
_MAX_NAMES = 60  # variables up to which it shows their names
_SHARE_OF_NOISE = 0.05  # of the distribution below the threshold, from which a number is drawn pale


def estimate(
    mi: float,
    levels: Sequence[float],
    values: Sequence[float],
    intervals: Mapping[float, tuple[float, float]],
    unit: str,
) -> Any:
    """The predictive distribution: how probable a smaller value is, with its mean and central intervals.

    Args:
        mi: the mean, in `unit`.
        levels, values: the quantiles, in `unit`, at their levels.
        intervals: two ends, in `unit`, for each probability; the wider interval comes first.
    """
    figure = _figure(6.4, 3.4)
    axes = figure.add_subplot()
    axes.plot(values, levels, color=_INK, lw=2)
    for (level, ends), alpha in zip(intervals.items(), _SHADES, strict=True):
        axes.axvspan(*ends, color=_INK, alpha=alpha, lw=0, label=f"{100 * level:.0f} % interval")
    axes.axvline(mi, color=_DOT, lw=1.5, label=f"mean, {mi:.3f} {unit}")
    axes.set_xlabel(f"mutual information ({unit})")
    axes.set_ylabel("probability of a smaller value")
    axes.set_ylim(0, 1)
    axes.set_xlim(left=min(0.0, *axes.get_xlim()) if values[0] == 0 else None)
    axes.legend(frameon=False, loc="lower right")
    _plain(axes)
    return figure


def null_distribution(null: FloatArray, statistic: float, pvalue: float, kind: str, unit: str) -> Any:
    """A histogram of the estimates of surrogates, with that of the sample.

    Args:
        null: shape (n,), in `unit`, as is the statistic.
        kind: of the surrogates.
    """
    figure = _figure(6.4, 3.4)
    axes = figure.add_subplot()
    axes.hist(
        null, bins=min(40, max(10, len(null) // 10)), color=_PALE, label=f"{len(null)} surrogates ({kind})"
    )
    axes.axvline(statistic, color=_DOT, lw=1.5, label=f"sample, {statistic:.3f} {unit}; p = {pvalue:.3g}")
    axes.set_xlabel(f"mutual information ({unit})")
    axes.set_ylabel("surrogates")
    axes.set_xlim(left=0)
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def ranking(
    names: Sequence[str],
    means: FloatArray,
    wide: FloatArray,
    narrow: FloatArray,
    total: int,
    header: Mapping[str, Any],
) -> Any:
    """A line for each of the strongest variables, the first on top: mean, 50 % interval and another one.

    Args:
        names: of the k variables that have an estimate, strongest first.
        means: shape (k,), in the header's unit.
        wide, narrow: the ends of the two intervals, shape (k, 2).
        total: how many variables the ranking has, with those that have no estimate.
        header: with the target, level, unit and threshold.
    """
    drawn = min(len(names), _MAX_LINES)
    figure = _figure(8, 1.2 + 0.28 * max(drawn, 2))
    axes = figure.add_subplot()
    places = range(drawn)[::-1]
    for i, place in enumerate(places):
        for ends, width in ((wide[i], 2.0), (narrow[i], 6.0)):
            axes.plot(ends, (place, place), color=_INK, lw=width, solid_capstyle="butt")
        axes.plot(means[i], place, "o", color=_DOT, ms=5, zorder=3)
    axes.set_yticks(places, [_name(name) for name in names[:drawn]], parse_math=False)
    axes.axvline(header["threshold"], color=_PALE, lw=1, ls="--", zorder=0)
    of = f", the strongest {drawn} of {total}" if drawn < total else ""
    what = f"mutual information with {_name(header['target'])} ({header['unit']}){of}"
    axes.set_xlabel(f"{what}: mean, 50 % and {100 * header['level']:.4g} % interval", parse_math=False)
    axes.set_xlim(left=0)
    axes.set_ylim(-0.7, drawn - 0.3)
    _plain(axes)
    return figure


def lags(records: Sequence[Any], level: float, unit: str, band: float | None) -> Any:
    """Estimates over lags with their intervals, and what most shifted series stay below.

    Args:
        records: with `lag`, `mi`, `low` and `high`, in `unit`, by rising lag.
        level: probability of an interval.
        band: the height of the band; None for none.
    """
    figure = _figure(7.2, 3.6)
    axes = figure.add_subplot()
    places = [record.lag for record in records]
    heights = [record.mi for record in records]
    axes.vlines(
        places,
        [record.low for record in records],
        [record.high for record in records],
        color=_PALE,
        lw=2.5,
        label=f"{100 * level:.4g} % interval",
    )
    axes.plot(places, heights, "o-", color=_INK, ms=3.5, lw=1, label="mean")
    if band is not None:
        axes.axhspan(0, band, color=_DOT, alpha=_SHADES[0], lw=0, label="95 % of circular shifts")
    if min(places) < 0 < max(places):
        axes.axvline(0, color=_PALE, lw=1, ls="--", zorder=0)
    axes.set_xlabel("lag: rows by which x comes before y")
    axes.set_ylabel(f"mutual information ({unit})")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def matrix(names: Sequence[str], values: FloatArray, below: FloatArray, header: Mapping[str, Any]) -> Any:
    """A map of all pairs, variables that share much beside each other; colours by the root of the estimate.

    Of few variables the numbers are drawn, pale where 5 % or more of the distribution is below the threshold.

    Args:
        names: of the p variables.
        values: the estimates, shape (p, p), in the header's unit; NaN where there is none.
        below: the shares of the distributions below the threshold, shape (p, p).
        header: with the unit and the threshold.
    """
    order = similar(values)
    p = len(order)
    side = min(3.0 + 0.32 * p, 12.0)
    figure = _figure(side + 1.4, side)
    axes = figure.add_subplot()
    top = max(_largest(values), header["threshold"])
    norm = load("matplotlib.colors", _COMMAND).PowerNorm(0.5, 0, top)
    sorted_values = values[np.ix_(order, order)]
    image = axes.imshow(np.ma.masked_invalid(sorted_values), cmap="Blues", norm=norm)
    ticks = [_name(names[i]) for i in order] if p <= _MAX_NAMES else []
    axes.set_xticks(range(len(ticks)), ticks, rotation=90, parse_math=False)
    axes.set_yticks(range(len(ticks)), ticks, parse_math=False)
    axes.tick_params(length=0, labelsize=9 if p <= 32 else 6)
    axes.set_facecolor("#eeeeee")
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.8, label=f"mutual information ({header['unit']})")
    if p <= _MAX_NUMBERS:
        _numbers(axes, sorted_values, below[np.ix_(order, order)] >= _SHARE_OF_NOISE, norm)
    return figure


def evidence(
    rows: Sequence[tuple[str, float, tuple[float, float] | None, bool]],
    mi: float,
    interval: tuple[float, float],
    unit: str,
) -> Any:
    """A line for each comparison of a check, beside the estimate and its interval; what disagrees is red.

    Args:
        rows: what was compared, its estimate, the ends of its interval if it has one, and whether it agrees.
        mi, interval: of the estimate itself, in `unit`.
    """
    figure = _figure(8, 1.4 + 0.28 * max(len(rows), 2))
    axes = figure.add_subplot()
    axes.axvspan(*interval, color=_INK, alpha=_SHADES[0], lw=0)
    axes.axvline(mi, color=_INK, lw=1.5)
    places = range(len(rows))[::-1]
    for place, (_, value, ends, agrees) in zip(places, rows, strict=True):
        colour = _INK if agrees else _DOT
        if ends is not None:
            axes.plot(ends, (place, place), color=colour, lw=2.0, solid_capstyle="butt")
        axes.plot(value, place, "o", color=colour, ms=5, zorder=3)
    axes.set_yticks(places, [what for what, *_ in rows], parse_math=False)
    axes.set_xlabel(f"mutual information ({unit}); band: the 90 % interval")
    axes.set_xlim(left=0)
    _plain(axes)
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


def _numbers(axes: Any, values: FloatArray, pale: NDArray[np.bool], norm: Any) -> None:
    for row, column in np.argwhere(np.isfinite(values)):
        mi = values[row, column]
        colour = "white" if norm(mi) > 0.6 else _PALE if pale[row, column] else _INK
        axes.text(column, row, f"{mi:.2f}", ha="center", va="center", color=colour, fontsize=8)


def _figure(width: float, height: float) -> Any:
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
