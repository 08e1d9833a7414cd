"""A cheap pass over all pairs, which says which of them the network should answer.

The score of a pair is the larger of two guesses at its information in nats: that of the strongest correlation
between a few functions of the normal scores of both (Hermite polynomials, -log(1 - r^2) / 2), and that of the
table of counts of both in classes of ranks, less its bias (Miller 1955). Both are products of matrices, a
tile of variables at a time. Chosen are the best k partners of each variable, since everybody has
some; half as many of the strongest overall, since hubs have more than k; and a random sample of all others,
whose estimates say how much was missed.
"""

from collections.abc import Iterable, Iterator
from math import exp, lgamma, log, log1p
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.data import npy_files
from mizzle.errors import InvalidFile, InvalidInput
from mizzle.executors import Executing, opened
from mizzle.executors.sharing import Arrays
from mizzle.tables.plan import PairIndex, Plan
from mizzle.types import Notice

Screen = Literal["auto"] | int | None
Floats = NDArray[np.float32]
_SIDE = 64  # variables of a tile
_CLASSES = 8  # of ranks, of about equally many rows; ties share one
_ROWS = 10_000  # of the pass; of more, a random part is taken
_MAX_BYTES = 2**33  # of a file with a choice
_TOGETHER = 2_000  # rows of one product
_SHARE = 30  # "auto": each variable keeps one in so many of the others as partners
_FEWEST, _LIMIT = 10, 100  # partners that "auto" keeps
_SAMPLE = 100  # one in so many of the other pairs is answered, too
_STRONGEST = 1_000  # pairs at most, of which the report says how many were missed
_SMALLEST, _LARGEST = 200, 3_000  # pairs of that sample
_GRID = (np.arange(4096) + 0.5) / 4096
_NORMAL = np.array([NormalDist().inv_cdf(u) for u in _GRID])


class Choice(NamedTuple):
    """The pairs of a table that are to be answered.

    Attributes:
        places: of all of them, in order.
        sample: those of them that were drawn at random from the pairs that no score chose.
        others: how many pairs no score chose.
    """

    places: tuple[PairIndex, ...]
    sample: frozenset[PairIndex]
    others: int


def partners(screen: Screen, variables: int) -> int | None:
    """How many partners of each variable are answered; None for all of them.

    Raises:
        InvalidInput: `screen` is neither "auto" nor a positive integer.
    """
    if screen is None:
        return None
    if screen == "auto":
        wanted = min(max(_FEWEST, variables // _SHARE), _LIMIT)
    elif isinstance(screen, int) and not isinstance(screen, bool) and screen > 0:
        wanted = screen
    else:
        raise InvalidInput("screen must be 'auto', None, or how many partners of each variable are answered")
    return wanted if 2 * wanted < variables - 1 else None


def chosen(plan: Plan, k: int, executor: Executing | None) -> Choice:
    """The pairs of a matrix that are to be answered.

    Args:
        k: partners of each variable.
        executor: who computes the scores; None for this process.

    Raises:
        MizzleError: the engine fails.
    """
    p = len(plan.variables)
    best = _Best(p, k)
    for (a, b), scores in _tiles(plan, executor):
        best.add(a, b, scores)
    selected = best.places()
    others = p * (p - 1) // 2 - len(selected)
    sample = _sampled(p, selected, min(others, max(_SMALLEST, min(_LARGEST, others // _SAMPLE))))
    return Choice(tuple(sorted(selected | sample)), frozenset(sample), others)


def _tiles(plan: Plan, executor: Executing | None) -> Iterator[tuple[tuple[range, range], Floats]]:
    """The scores of all pairs, a tile at a time, in any order."""
    p, arrays = len(plan.variables), columns(plan)
    parts = [range(start, min(start + _SIDE, p)) for start in range(0, p, _SIDE)]
    tasks = [(a, b) for i, a in enumerate(parts) for b in parts[i:]]
    if executor is None:
        yield from ((task, scores(arrays, task)) for task in tasks)
        return
    with opened(executor, arrays) as engine:
        yield from ((tasks[k], result) for k, result in engine.run(scores, tasks))


def columns(plan: Plan) -> dict[str, NDArray[Any]]:
    """Normal scores and classes of all columns, shape (columns, rows); of missing cells 0 and no class."""
    rows = np.arange(plan.variables[0].rows)
    if len(rows) > _ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, _ROWS, replace=False))
    parts = [column for variable in plan.variables for column in variable.columns]
    ranks = [_midranks(column.values[rows], column.missing[rows]) for column in parts]
    missing = np.array([column.missing[rows] for column in parts])
    shares = np.array(ranks)
    return {
        "normal": np.where(missing, 0.0, np.interp(shares, _GRID, _NORMAL)).astype(np.float32),
        "classes": np.where(missing, _CLASSES, (shares * _CLASSES).astype(int)).astype(np.uint8),
        "starts": np.cumsum([0, *(len(variable.columns) for variable in plan.variables)]),
    }


def _midranks(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share of present values below each, and half of those that are equal; in (0, 1)."""
    shares = np.full(len(values), 0.5)
    _, numbers, counts = np.unique(values[~missing], return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / max(1, counts.sum())
    shares[~missing] = middles[numbers]
    return shares


def scores(arrays: Arrays, task: tuple[range, range]) -> Floats:
    """Guesses at the information of variables of a range and variables of another in nats.

    Returns:
        shape (len(a), len(b)).
    """
    starts = arrays["starts"]
    sides = [slice(int(starts[part.start]), int(starts[part.stop])) for part in task]
    of_columns = np.maximum(_of_functions(arrays, *sides), _of_counts(arrays, *sides))
    for axis, part in enumerate(task):
        firsts = starts[part.start : part.stop] - starts[part.start]
        of_columns = np.asarray(np.maximum.reduceat(of_columns, firsts, axis=axis), np.float32)
    return of_columns


def _of_functions(arrays: Arrays, a: slice, b: slice) -> Floats:
    """By the strongest correlation of functions of normal scores."""
    largest = np.zeros((a.stop - a.start, b.stop - b.start), np.float32)
    right = _functions(arrays["normal"][b])
    for left in _functions(arrays["normal"][a]):
        for other in right:
            np.maximum(largest, np.abs(left @ other.T), out=largest)
    rows = arrays["normal"].shape[1]
    information = -0.5 * np.log1p(-(np.minimum(largest, 0.99999) ** 2)) - 0.5 / rows
    return np.asarray(information, np.float32)


def _functions(normal: Floats) -> list[Floats]:
    """The first Hermite polynomials of normal scores, shape (columns, n), of mean 0 and length 1."""
    results = []
    for values in (normal, normal**2, normal**3 - 3 * normal):
        centred = values - values.mean(1, keepdims=True)
        results.append(centred / np.maximum(np.sqrt((centred**2).sum(1, keepdims=True)), 1e-6))
    return results


def _of_counts(arrays: Arrays, a: slice, b: slice) -> Floats:
    """By the table of counts of the classes of both."""
    left, right = arrays["classes"][a], arrays["classes"][b]
    table = np.zeros((len(left) * _CLASSES, len(right) * _CLASSES), np.float32)
    for start in range(0, left.shape[1], _TOGETHER):
        rows = slice(start, start + _TOGETHER)
        table += _indicators(left[:, rows]) @ _indicators(right[:, rows]).T
    counts = table.reshape(len(left), _CLASSES, len(right), _CLASSES)
    x, y = counts.sum(3), counts.sum(1)  # of rows that have both
    n = np.maximum(x.sum(1), 1)
    joint, of_x, of_y = _sums(counts, (1, 3)), _sums(x, 1), _sums(y, 2)
    cells = (counts > 0).sum((1, 3)) - (x > 0).sum(1) - (y > 0).sum(2) + 1
    information: Floats = (joint - of_x - of_y) / n + np.log(n) - cells / (2 * n)
    return information.astype(np.float32)


def _indicators(classes: NDArray[np.uint8]) -> Floats:
    """1 where a row of a column is of a class, shape (columns * classes, n)."""
    flags = classes[:, None, :] == np.arange(_CLASSES, dtype=np.uint8)[:, None]
    return np.asarray(flags.reshape(-1, classes.shape[1]), np.float32)


def _sums(counts: Floats, axes: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Sums of m log m."""
    sums: NDArray[np.float64] = (counts * np.log(np.maximum(counts, 1))).sum(axes, dtype=np.float64)
    return sums


class _Best:
    """The best partners of each variable so far, and the best pairs overall."""

    def __init__(self, p: int, k: int) -> None:
        self._k = k
        self._scores = np.full((p, k), -np.inf, np.float32)
        self._partners = np.zeros((p, k), np.int32)
        self._wanted = p * k // 2  # overall
        self._overall: list[NDArray[Any]] = []
        self._held = 0
        self._least = -np.inf

    def add(self, a: range, b: range, scores: Floats) -> None:
        """The scores of variables of two ranges, of which a pair counts once."""
        i, j = (np.array(part, np.int32) for part in (a, b))
        upper = np.where(i[:, None] < j, scores, -np.inf)
        self._improve(i, j, upper)
        self._improve(j, i, upper.T)
        rows, places = np.nonzero(upper > self._least)
        values = upper[rows, places]
        self._overall.append(np.column_stack([values, i[rows], j[places]]))
        self._held += len(values)
        if self._held > 4 * self._wanted:
            self._thin()

    def _improve(self, rows: NDArray[np.int32], others: NDArray[np.int32], scores: Floats) -> None:
        values = np.concatenate([self._scores[rows], scores], 1)
        names = np.concatenate([self._partners[rows], np.broadcast_to(others, scores.shape)], 1)
        top = np.argpartition(-values, self._k - 1, axis=1)[:, : self._k]
        self._scores[rows] = np.take_along_axis(values, top, 1)
        self._partners[rows] = np.take_along_axis(names, top, 1)

    def _thin(self) -> None:
        pairs = np.concatenate(self._overall)
        if len(pairs) > self._wanted:
            pairs = pairs[np.argpartition(-pairs[:, 0], self._wanted)[: self._wanted]]
            self._least = float(pairs[:, 0].min())
        self._overall, self._held = [pairs], len(pairs)

    def places(self) -> set[PairIndex]:
        """All of them."""
        self._thin()
        overall = {(int(i), int(j)) for _, i, j in self._overall[0].tolist()}
        rows, ranks = np.nonzero(np.isfinite(self._scores))
        partners = self._partners[rows, ranks].tolist()
        return overall | {(min(i, j), max(i, j)) for i, j in zip(rows.tolist(), partners, strict=True)}


def _sampled(p: int, selected: set[PairIndex], count: int) -> set[PairIndex]:
    """So many of the other pairs, each as likely as any."""
    rng, sample = np.random.default_rng(0), set[PairIndex]()
    while len(sample) < count:
        for i, j in rng.integers(p, size=(2 * count, 2)).tolist():
            if i < j and (i, j) not in selected and len(sample) < count:
                sample.add((i, j))
    return sample


def upper_bound(hits: int, count: int) -> float:
    """What a share is at most, with 95 % probability, that so many of a sample have (Clopper and Pearson)."""
    low, high = hits / max(count, 1), 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(hits, count, middle) > 0.05 else (low, middle)
    return high


def _at_most(hits: int, count: int, share: float) -> float:
    """The probability of at most so many hits."""
    if share >= 1.0:
        return float(hits >= count)
    if share <= 0.0:
        return 1.0
    logs = (
        lgamma(count + 1)
        - lgamma(h + 1)
        - lgamma(count - h + 1)
        + h * log(share)
        + (count - h) * log1p(-share)
        for h in range(hits + 1)
    )
    return sum(map(exp, logs))


def screened(mis: Iterable[tuple[PairIndex, float]], choice: Choice) -> "Screened":
    """What a screened table says of the pairs that it did not answer.

    Args:
        mis: the answered pairs with their estimates in nats.
    """
    selected: list[float] = []
    sampled: list[float] = []
    for place, mi in mis:
        (sampled if place in choice.sample else selected).append(mi)
    selected.sort(reverse=True)
    count = min(_STRONGEST, max(1, len(selected) // 10))
    cut = selected[count - 1] if selected else 0.0
    hits, others = sum(mi >= cut for mi in sampled), choice.others
    share, bound = hits / max(1, len(sampled)), upper_bound(hits, len(sampled))
    return Screened(
        *(len(selected), len(sampled), others, count, cut, hits),
        *(pairs / (pairs + count) for pairs in (share * others, bound * others)),
    )


class Screened(NamedTuple):
    """How many pairs of a table were answered, and how many strong ones were missed.

    Attributes:
        answered: pairs that the cheap pass chose.
        sampled: pairs that were drawn at random from the others, and answered, too.
        others: pairs that the pass did not choose.
        strongest: how many pairs "the strongest" are.
        cut: the estimate of the weakest of them among those that the pass chose, in nats.
        hits: how many of the sample are as strong.
        missed: the share of all pairs that are as strong and were not chosen, estimated from the sample.
        missed_at_most: the same, with 95 % probability.
    """

    @property
    def notice(self) -> Notice:
        """The same as a notice of the table."""
        total = self.answered + self.others
        text = f"{self.answered + self.sampled:,} of {total:,} pairs were answered, which a cheap pass chose"
        text = (
            f"{text} and {self.sampled:,} others by chance; of the latter {self.hits:,} are as strong as the"
        )
        text = f"{text} {self.strongest:,} strongest, so that it missed about {self.missed:.1%} of such pairs"
        text = f"{text} ({self.missed_at_most:.1%} at most)"
        return Notice("screened", f"{text}; screen=None answers all, a larger screen more")

    answered: int
    sampled: int
    others: int
    strongest: int
    cut: float
    hits: int
    missed: float
    missed_at_most: float


def load(path: Path, key: str) -> Choice | None:
    """The choice in a file; None where there is no file.

    Args:
        key: of the table and the options that it must be of.

    Raises:
        InvalidFile: it is of others, or damaged.
    """
    if not path.exists():
        return None
    try:
        parts = npy_files.read_npz(path.read_bytes(), _MAX_BYTES)
        same = parts["key"].tobytes().decode() == key
    except (OSError, ValueError, KeyError):
        same = False
    if not same:
        text = f"{path.name} belongs to another table or other options, and was left alone"
        raise InvalidFile(f"{text}; name another folder")
    return Choice(_pairs(parts["places"]), frozenset(_pairs(parts["sample"])), int(parts["others"][0]))


def store(path: Path, key: str, choice: Choice) -> None:
    """Write a choice, which sums in another order may make another."""
    with path.open("wb") as file:
        np.savez(
            file,
            key=np.frombuffer(key.encode(), np.uint8),
            places=np.array(choice.places, np.int32).reshape(-1, 2),
            sample=np.array(sorted(choice.sample), np.int32).reshape(-1, 2),
            others=np.array([choice.others]),
        )


def _pairs(places: NDArray[Any]) -> tuple[PairIndex, ...]:
    return tuple((i, j) for i, j in places.tolist())
