"""A cheap pass over all pairs, which says which of them the network should answer.

`mizzle.tables.scoring` gives each pair a score. Chosen are the best k partners of each variable, since
everybody has some; the strongest overall, three halves of p k of p variables, since hubs have more than k;
and a random sample of all others, whose estimates say how much was missed.
"""

from collections.abc import Iterable, Iterator
from math import exp, lgamma, log, log1p
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.data import npy_files
from mizzle.errors import InvalidFile, InvalidInput
from mizzle.executors import Executing, opened
from mizzle.tables import scoring
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.scoring import Floats
from mizzle.types import Notice

Screen = Literal["auto"] | int | None
_SIDE = 64  # variables of a tile
_ROWS = 10_000  # of the pass where nobody says how many; of more, a random part is taken
_FEWEST_ROWS, _MOST_ROWS = 100, 1_000_000  # below, chance decides; above, products of distances overflow
_MAX_BYTES = 2**33  # of a file with a choice
_SHARE = 50  # "auto": each variable keeps one in so many of the others; of all pairs a tenth at most
_FEWEST, _LIMIT = 10, 100  # partners that "auto" keeps
_SAMPLE = 100  # one in so many of the other pairs is answered, too
_STRONGEST = 1_000  # pairs at most, of which the report says how many were missed
_SMALLEST, _LARGEST = 200, 3_000  # pairs of that sample


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


class Pass(NamedTuple):
    """What the cheap pass does.

    Attributes:
        k: partners of each variable that are answered.
        rows: of the table that are scored; None for 10,000, or all of fewer.
    """

    k: int
    rows: int | None = None

    @classmethod
    def of(cls, screen: Screen, rows: int | None, plan: Plan) -> "Pass | None":
        """What a caller says; None where all pairs are answered.

        Raises:
            InvalidInput: `screen` or `rows` is no such thing, or there are rows and no pass.
        """
        _check_rows(screen, rows)
        k = partners(screen, len(plan.variables))
        there = plan.variables[0].rows
        as_ever = rows is None or min(rows, there) == min(_ROWS, there)
        return None if k is None else cls(k, None if as_ever else rows)

    @property
    def options(self) -> dict[str, int]:
        """As a manifest has them."""
        return {"screen": self.k} if self.rows is None else {"screen": self.k, "rows": self.rows}

    def key(self, fingerprint: str) -> str:
        """Of what a choice depends on.

        Args:
            fingerprint: of the table.
        """
        return " ".join([fingerprint, *map(str, self.options.values())])


def _check_rows(screen: Screen, rows: int | None) -> None:
    if rows is None:
        return
    if screen is None:
        raise InvalidInput("rows= is of the pass that chooses pairs; leave it out, or add screen='auto'")
    whole = isinstance(rows, int) and not isinstance(rows, bool)
    if not whole or not _FEWEST_ROWS <= rows <= _MOST_ROWS:
        allowed = f"a whole number from {_FEWEST_ROWS} to {_MOST_ROWS:,}, or None for {_ROWS:,}"
        raise InvalidInput(f"rows must be {allowed}, not {rows!r}")


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
    return wanted if 3 * wanted < variables - 1 else None


def overall(variables: int, k: int) -> int:
    """How many pairs are answered since they are the strongest of all, whoever else their variables have."""
    return 3 * variables * k // 2


def chosen(plan: Plan, of: Pass, executor: Executing | None) -> Choice:
    """The pairs of a matrix that are to be answered.

    Args:
        executor: who computes the scores; None for this process.

    Raises:
        MizzleError: the engine fails.
    """
    p = len(plan.variables)
    best = _Best(p, of.k)
    for (a, b), scores in _tiles(plan, of.rows or _ROWS, executor):
        best.add(a, b, scores)
    selected = best.places()
    others = p * (p - 1) // 2 - len(selected)
    sample = _sampled(p, selected, min(others, max(_SMALLEST, min(_LARGEST, others // _SAMPLE))))
    return Choice(tuple(sorted(selected | sample)), frozenset(sample), others)


def _tiles(plan: Plan, rows: int, executor: Executing | None) -> Iterator[tuple[tuple[range, range], Floats]]:
    """The scores of all pairs, a tile at a time, in any order."""
    p, arrays = len(plan.variables), scoring.columns(plan, rows)
    parts = [range(start, min(start + _SIDE, p)) for start in range(0, p, _SIDE)]
    tasks = [(a, b) for i, a in enumerate(parts) for b in parts[i:]]
    if executor is None:
        yield from ((task, scoring.scores(arrays, task)) for task in tasks)
        return
    with opened(executor, arrays) as engine:
        yield from ((tasks[k], result) for k, result in engine.run(scoring.scores, tasks))


class _Best:
    """The best partners of each variable so far, and the best pairs overall."""

    def __init__(self, p: int, k: int) -> None:
        self._k = k
        self._scores = np.full((p, k), -np.inf, np.float32)
        self._partners = np.zeros((p, k), np.int32)
        self._wanted = overall(p, k)
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
        if self._held > 2 * self._wanted:
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
