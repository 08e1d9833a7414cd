"""A label beside one column of numbers: what ranks within and across classes say of I(X;Y), in nats.

Axes: `n` row, `k` class. Only the order of the numbers enters, and the names of labels do not.
"""

import numpy as np

from mizzle.model.labels import tables
from mizzle.model.labels.summary import Doubles, Integers, Summary, scaled

_BINS = (2, 4, 8, 16, 32, 64)
_NEIGHBOURS = (3, 10)
_APART = 100.0  # between the scores of two classes, which lie within 6 of 0


def summary(labels: Integers, ranks: Integers) -> Summary:
    """Of labels 0, 1, .. and centred ranks (as `preprocess.centred_ranks`) of n rows, neither constant."""
    n = len(labels)
    ranks = _upright(labels, ranks)
    classes = np.bincount(labels)
    classes = classes[classes > 0]
    shares = classes / n
    entropy = float(-(shares @ np.log(shares)))
    order = np.lexsort((ranks, labels))
    scores = normal_scores(ranks)
    nearest = [neighbours(labels[order], scores[order], k) for k in _NEIGHBOURS]
    base, spread = nearest[0]
    cut = [_cut(labels, ranks, min(bins, max(2, n // 6))) for bins in _BINS]
    chance = cut[3][1]
    scale = float(np.sqrt((spread + cut[3][2] + chance) / n)) + 0.1 * chance + 1e-9
    linear, apart, least = moments(labels, scores)
    estimates = [
        *(nearest[1][0], *(v for plain, expected, _, jack in cut for v in (plain - expected, jack))),
        *(linear, linear + apart, 0.0, entropy),
    ]
    features = [
        *scaled(estimates, base, scale),
        *np.log([scale, chance + 1e-9, spread + 1e-6, n, len(classes), n / len(classes), entropy + 1e-9]),
        *(np.log(classes.min()), np.log(classes.max()), least, len(np.unique(ranks)) / n),
        *np.log([cut[j][0] + 1e-6 for j in (0, 2, 4)]),
    ]
    return Summary(base, scale, float(np.log(len(classes))), np.array(features, np.float64))


def neighbours(groups: Integers, scores: Doubles, k: int) -> tuple[float, float]:
    """Ross's (2014) estimate by the k nearest of the same class, and the variance of one row's part in it.

    Classes of k rows or fewer use as many neighbours as they have; a class of one row counts for nothing.

    Args:
        groups, scores: of n rows, sorted by class and score within.
    """
    n = len(groups)
    sizes = np.bincount(groups)[groups]
    reach = _reach(groups, scores, k)
    inside = _within(np.sort(scores), scores, reach)
    of_class = _within(groups * _APART + scores, groups * _APART + scores, reach)
    digamma = _digamma(n)
    # Where values repeat, all of the class at the same distance are neighbours (Gao and others 2017).
    nats = (
        digamma[n]
        + digamma[np.maximum(of_class - 1, 1)]
        - digamma[sizes]
        - digamma[np.maximum(inside - 1, 1)]
    )
    nats[of_class < 2] = 0.0
    return float(nats.mean()), float(nats.var())


def _upright(labels: Integers, ranks: Integers) -> Integers:
    """The ranks or their reverse, whichever a column and its reverse have in common."""
    sums = np.bincount(labels, ranks / len(ranks))
    skew = float((sums**3).sum()) or float(((ranks / len(ranks)) ** 3).sum())
    return -ranks if skew < 0.0 else ranks


def moments(labels: Integers, scores: Doubles) -> tuple[float, float, float]:
    """What normal scores tell by their class's mean, and by its deviation; and levels as a share of rows."""
    n, sizes = len(scores), np.bincount(labels)
    safe = np.maximum(sizes, 1)
    means = np.bincount(labels, scores) / safe
    residual = scores - means[labels]
    within = np.bincount(labels, residual * residual)
    k = int((sizes > 0).sum())
    total, left = float(scores @ scores) / (n - 1), float(within.sum()) / max(n - k, 1)
    linear = 0.5 * np.log(total / max(min(left, total), 1e-9))
    many = sizes > 4
    deviations = np.log(np.maximum(within[many] / (sizes[many] - 1), 1e-9)) + 1.0 / (sizes[many] - 1)
    apart = -0.5 * float((sizes[many] / n) @ (deviations - np.log(max(left, 1e-9)))) if many.any() else 0.0
    return float(linear), max(-1.0, min(apart, 5.0)), float(k / n)


def _cut(labels: Integers, ranks: Integers, bins: int) -> tuple[float, float, float, float]:
    """Of labels against equal bins of ranks: plug-in estimate, what chance gives, variance, jackknife."""
    n = len(ranks)
    places = (ranks + n) * bins // (2 * n)
    counts = tables.count(labels, places.astype(np.int64))
    if len(counts.of_y) < 2:
        return 0.0, 0.0, 0.0, 0.0
    plain, variance = tables.plug_in(counts)
    return plain, tables.expected_by_chance(counts), variance, tables.jackknife(counts)


def _within(column: Doubles, places: Doubles, reach: Doubles) -> Integers:
    """How many of a sorted column lie within reach of each place."""
    ends = reach + 1e-9  # of neighbours at the same distance none is lost to rounding
    return np.searchsorted(column, places + ends, "right") - np.searchsorted(column, places - ends, "left")


def _reach(groups: Integers, scores: Doubles, k: int) -> Doubles:
    """The distance of every row to its k-th nearest of the same class, or to the farthest of fewer."""
    n = len(scores)
    first = np.searchsorted(groups, groups, "left")
    last = np.searchsorted(groups, groups, "right") - 1
    place = np.arange(n)
    best = np.full(n, np.inf)
    for below in range(k + 1):
        low, high = place - below, place + (k - below)
        fits = (low >= first) & (high <= last)
        width = np.maximum(scores - scores[np.maximum(low, 0)], scores[np.minimum(high, n - 1)] - scores)
        best = np.where(fits, np.minimum(best, width), best)
    widest = np.maximum(scores - scores[first], scores[last] - scores)
    return np.where(np.isinf(best), widest, best)


def _digamma(n: int) -> Doubles:
    """psi(0 .. n), the first of which is not used."""
    return np.concatenate([[0.0, -np.euler_gamma], -np.euler_gamma + np.cumsum(1.0 / np.arange(1, n))])


def normal_scores(ranks: Integers | Doubles) -> Doubles:
    """Normal quantiles of (rank + 1/2) / n, by a table, of centred ranks of shape (.., n)."""
    shares = (ranks / ranks.shape[-1] + 1.0) / 2.0
    return np.asarray(np.interp(shares, _SHARES, _SCORES))


def _quantiles() -> tuple[Doubles, Doubles]:
    from statistics import NormalDist

    ends = np.geomspace(1e-7, 0.02, 200)
    shares = np.concatenate([ends, np.linspace(0.02, 0.98, 1000)[1:-1], 1.0 - ends[::-1]])
    return shares, np.array([NormalDist().inv_cdf(float(share)) for share in shares])


_SHARES, _SCORES = _quantiles()
